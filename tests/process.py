"""One life of Vigie on a database, with virtual time: what bot/app.py builds, without HTTP."""

import asyncio
import json
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.config import Config
from bot.ports import KillPoint
from bot.services.alert.intake import Intake
from bot.services.alert.reception import Reception
from bot.services.desk import Desk
from bot.services.ledger.sealing import KeySigner, Sealer
from bot.services.meters import Meters
from bot.services.slack import cards as drawing
from bot.services.slack.courier import Courier
from bot.services.slack.delivery import WORK, Delivery
from bot.sources import Delivery as Arriving
from bot.sources.generic import HEADER, generic
from tests.fakes import CountingIds
from tests.story import CONFIG
from tests.virtual import SameThread, Timeline, VirtualDurable, VirtualRun, VirtualSlack

ENDPOINT = "bridge-generic"
SECRET = "as vigie.yaml says"
SIGNER = KeySigner(Ed25519PrivateKey.from_private_bytes(b"s" * 32))


class KnownSecret:
    """The trust of a platform that has one secret."""

    def secret(self, reference: str) -> str:
        return SECRET


class Stage(Protocol):
    """What a process stands on."""

    engine: sa.Engine
    timeline: Timeline
    ids: CountingIds
    runs: dict[str, VirtualRun]
    slack: VirtualSlack

    @property
    def kill(self) -> KillPoint: ...

    def wake(self) -> None: ...


class Process:
    """It ends by `end`, however it ends: only rows are left."""

    def __init__(self, stage: Stage, config: Config = CONFIG) -> None:
        self.desk = Desk(stage.engine, config, stage.timeline, stage.ids, stage.kill, stage.wake)
        self.intake = Intake(self.desk)
        self.intake._writer = SameThread(1)
        self.reception = Reception(self.desk, self.intake, {"generic": generic}, KnownSecret(), Meters())
        self.sealer = Sealer(stage.engine, SIGNER)
        self.durable = VirtualDurable(stage.timeline, stage.kill, stage.runs)
        courier = Courier(self.desk, stage.slack, partial(drawing.draw, self.desk))
        self.delivery = Delivery(self.desk, courier, self.durable)
        self.durable.work(WORK, self.delivery.run)
        self.writing = asyncio.create_task(self.intake.run())

    async def receive(self, body: dict[str, Any]) -> None:
        """A delivery comes in; returns when it is answered 2xx."""
        content, endpoint = json.dumps(body).encode(), CONFIG.endpoints[ENDPOINT]
        await self.reception.receive(Arriving(ENDPOINT, endpoint, content, {HEADER: SECRET}, self.desk.clock.now()))

    async def all_at_once(self, *doing: Coroutine[Any, Any, None]) -> None:
        """Deliveries that come in together; raises Killed if the process dies of one of them."""
        tasks = [asyncio.create_task(each) for each in doing]
        waiting, death = {*tasks, self.writing}, None
        while not death and waiting != {self.writing}:
            ended, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            death = next((problem for each in ended if (problem := each.exception())), None)
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if death:
            raise death

    async def end(self) -> None:
        """Nothing of it is left but the file."""
        self.writing.cancel()
        await asyncio.gather(self.writing, return_exceptions=True)
        await self.durable.stop()
        self.desk.engine.dispose()
