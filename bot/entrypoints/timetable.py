"""How often which door of time is knocked at: each asks what is due, and is safe to knock at again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from bot.durable import Durable
from bot.entrypoints.clock import Knock
from bot.services.alert import due, morning
from bot.services.call.watch import Watch
from bot.services.desk import Desk
from bot.services.handoff import ticking
from bot.services.incident import owed
from bot.services.ledger import housekeeping
from bot.services.ledger.sealing import Sealer
from bot.services.meters import Meters
from bot.services.review import decisions, sealing, unsigned
from bot.services.review.measuring import Measurer
from bot.services.rota.usergroup import Groups, Keeper
from bot.services.run import reminding
from bot.services.run.execution import Execution
from bot.services.shift import daily
from bot.services.slack.delivery import Delivery
from bot.settings import Secrets
from bot.trust import endpoint_secrets

DUE_S, DELIVER_S, MEND_S, SEAL_S, FLUSH_S, SECRETS_S, HOUSEKEEPING_S, SHIFTS_S, REVIEW_S = 5, 0.5, 15, 0.5, 1, 240, 30, 20, 30
MEASURE_S = 300
REMEMBER = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Door:
    """What is asked again and again, every so many seconds, what is due."""

    seconds: float
    name: str
    knock: Knock


@dataclass(frozen=True, slots=True)
class Hands:
    """What a process that works has of its own."""

    desk: Desk
    slack: Groups
    watch: Watch
    sealer: Sealer
    delivery: Delivery
    execution: Execution
    measurer: Measurer
    durable: Durable


def everywhere(desk: Desk, meters: Meters, secrets: Secrets) -> list[Door]:
    """In each process. Secrets that AWS keeps are asked for here, so that no delivery waits for AWS."""
    return [
        Door(FLUSH_S, "drops", _in_thread(partial(meters.flush, desk))),
        Door(SECRETS_S, "secrets", _in_thread(partial(endpoint_secrets, desk.config, secrets))),
    ]


def at_work(hands: Hands) -> Iterator[Door]:
    """Where work is done: alerts, calls, handoffs, shifts, seals, and the mending of what a crash has left."""
    desk = hands.desk
    rows: tuple[tuple[float, str, Callable[[], Any]], ...] = (
        (DUE_S, "due", partial(due.act, desk)),
        (DUE_S, "handoffs", partial(ticking.act, desk)),
        (DUE_S, "morning", partial(morning.tell, desk)),
        (SEAL_S, "seal", lambda: hands.sealer.seal_due(desk.clock.now())),
        (HOUSEKEEPING_S, "housekeeping", partial(housekeeping.act, desk, REMEMBER)),
        (REVIEW_S, "review", partial(sealing.act, desk)),
        (REVIEW_S, "decisions", partial(decisions.act, desk)),
        (REVIEW_S, "signatures", partial(unsigned.act, desk)),
        (HOUSEKEEPING_S, "stale runbooks", partial(reminding.remind, desk)),
        (MEASURE_S, "measures", hands.measurer.act),
        *((SHIFTS_S, name, partial(act, desk)) for name, act in daily.ACTS.items()),
        *((REVIEW_S, name, partial(act, desk)) for name, act in owed.ACTS.items()),
        *hands.watch.doors(),
    )
    yield from (Door(seconds, name, _in_thread(act)) for seconds, name, act in rows)
    yield Door(DUE_S, "user groups", Keeper(desk, hands.slack).keep)
    yield Door(MEND_S, "mend", hands.delivery.mend)
    yield Door(MEND_S, "mend runs", hands.execution.mend)
    yield Door(HOUSEKEEPING_S, "forget", lambda: hands.durable.forget(desk.clock.now() - REMEMBER))


def _in_thread(act: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
    async def knock() -> None:
        await asyncio.to_thread(act)

    return knock
