"""Builds everything from the settings: the only file that knows everyone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
import sqlalchemy as sa
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

import commands
from bot import sources
from bot.clients import heartbeat
from bot.clients.aws import QueueReader, SnsConfirmer
from bot.clients.clouds import Clouds
from bot.clients.ringing import Phones
from bot.clients.slack import SlackClient, web_client
from bot.clients.sns import Certificates
from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.config.runbooks import load_catalogue
from bot.discover import discover
from bot.durable import Durable, Identity
from bot.entrypoints import timetable
from bot.entrypoints.chat import build_bolt
from bot.entrypoints.clock import Knocker
from bot.entrypoints.gate import gate
from bot.entrypoints.queue import Queue
from bot.entrypoints.reports import Reports
from bot.entrypoints.socket_mode import run_socket
from bot.entrypoints.timetable import Door, Hands
from bot.entrypoints.web import Check, RequestId, Web
from bot.errors import Misbuilt, Rejected, Unavailable
from bot.ports import Clock, Ids, KillPoint, SystemClock, SystemIds, survive, system_sleep
from bot.services.alert import automation
from bot.services.alert.intake import Intake
from bot.services.alert.reception import Reception
from bot.services.call.watch import Watch
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.services.ledger.sealing import KeySigner, Sealer
from bot.services.meters import Meters
from bot.services.review.measuring import Measurer
from bot.services.run import execution
from bot.services.run.execution import Execution
from bot.services.slack import cards, delivery
from bot.services.slack.courier import PACE_S, Courier
from bot.services.slack.delivery import Delivery
from bot.settings import Secrets, Settings
from bot.store.db import create_engine, reader
from bot.store.migrate import at_head, upgrade
from bot.trust import TrustStore
from bot.worlds import Addresses, CloudWorlds
from runbooks import actions
from runbooks.actions import Service

log = structlog.get_logger()

GATHER_S = 0.05
GREET_AFTER_S = 2

SILENT_DATABASE = "the database does not answer: {error}"
NOT_MIGRATED = "The database is not at this Vigie's tables: run `vigie migrate` first."


@dataclass(frozen=True, slots=True)
class Role:
    """What a process does: answers (webhooks, Slack), works (deliveries, timers, seals), or both."""

    name: str
    answers: bool
    works: bool


SERVE, WEB, WORKER = Role("serve", True, True), Role("web", True, False), Role("worker", False, True)


class App:
    """One process of Vigie. `start` and `stop` frame its life; in between `asgi` answers and the knocker knocks."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        secrets: Secrets,
        role: Role = SERVE,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        kill: KillPoint = survive,
        known_certificates: Mapping[str, bytes] | None = None,
        mounts: Sequence[BaseRoute] = (),
        pace: float = PACE_S,
        catalogue: Catalogue | None = None,
        addresses: Addresses | None = None,
        knocks: bool = True,
    ) -> None:
        self.settings, self.config, self.secrets, self.role = settings, config, secrets, role
        self.engine = create_engine(settings.database_url, pool_size=10, max_overflow=20)
        self._ids = ids or SystemIds()
        time = clock or SystemClock()
        self.worlds = CloudWorlds(config, secrets, time, addresses)
        book = catalogue if catalogue is not None else load_catalogue(settings.runbooks, config, discover(actions, Service))
        self.desk = Desk(self.engine, config, time, self._ids, kill, self._wake, book, self.worlds, settings.link_key)
        self.meters = Meters()
        self.intake = Intake(self.desk)
        self._identity = Identity(settings.database_url, self._ids.new())
        self._known, self._mounts, self._pace = known_certificates, tuple(mounts), pace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._knocker, self._knocks = Knocker(), knocks        # without, somebody else knocks at `doors`
        self._queues: list[Queue] = []
        self._durable: Durable | None = None

    @property
    def _signing_secret(self) -> str:
        secret = self.settings.slack_signing_secret
        return secret.get_secret_value() if secret else ""

    # --- life ---

    @asynccontextmanager
    async def running(self) -> AsyncIterator["App"]:
        await self.start()
        try:
            yield self
        finally:
            await self.stop()

    async def start(self) -> None:
        await asyncio.to_thread(self._take_database)
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession()
        self._build()
        if self.role.works:
            await self._start_working()
        if self.role.answers and self.settings.slack_app_token:
            token = self.settings.slack_app_token.get_secret_value()
            self._tasks.append(asyncio.create_task(run_socket(self._bolt, token, self.desk.clock, system_sleep)))
        self._tasks.append(asyncio.create_task(self._greet_slack()))
        self._note("vigie started")
        if self._knocks:
            self.knock()

    def knock(self) -> None:
        """From now on time is asked what is due; a story knocks itself, and leaves it to us at its end."""
        for each in self.doors():
            self._knocker.every(each.seconds, each.name, each.knock)
        self._knocker.start()

    def _take_database(self) -> None:
        """Raises Misbuilt unless it is ours to work with and has our tables. A SQLite file is ours alone, so we migrate it."""
        if self.role.works:
            self._identity.take()
        try:
            if self._identity.embedded:
                upgrade(self.settings.migrate_url)
            if not at_head(self.engine):
                raise Misbuilt(NOT_MIGRATED)
        except Misbuilt:
            self._identity.release()
            self.engine.dispose()
            raise

    def _build(self) -> None:
        token = self.settings.slack_bot_token
        client = web_client(token.get_secret_value() if token else "", self.settings.slack_api_url, self._session)
        self.slack = SlackClient(client, lambda _method: self.meters.rate_limited.inc())
        certificates = Certificates(self._session, self._known)
        trust = TrustStore(self.secrets, certificates, SnsConfirmer())
        found = discover(sources, sources.Source)
        self.reception = Reception(self.desk, self.intake, found, trust, self.meters)
        self._bolt = build_bolt(self.desk, discover(commands, commands.Command), client, self._signing_secret)
        self._tasks.append(asyncio.create_task(self.intake.run()))

    async def _start_working(self) -> None:
        courier = Courier(self.desk, self.slack, partial(cards.draw, self.desk, likes={}), self._pace, self.meters.lag.observe)
        self._durable = Durable(self.settings.database_url, self._identity)
        self.delivery = Delivery(self.desk, courier, self._durable)
        self.execution = Execution(self.desk, self.worlds, self._durable)
        self.watch = Watch(self.desk, self.secrets.get, Phones(), heartbeat.ask)
        self._measurer = Measurer(self.desk, Clouds(self.worlds.looking))
        self._durable.work(delivery.WORK, self.delivery.run)
        self._durable.work(execution.WORK, self.execution.run)
        await self._durable.launch()
        await self.delivery.mend()
        await self.execution.mend()
        self._tasks.append(asyncio.create_task(self._start_due_forever()))
        self._queues = [
            Queue(self.desk, self.reception, name, endpoint, QueueReader(endpoint.queue_url))
            for name, endpoint in self.config.endpoints.items()
            if endpoint.queue_url
        ]
        self._tasks += [asyncio.create_task(each.run()) for each in self._queues]
        seed = self.settings.seal_seed
        self._sealer = Sealer(self.engine, KeySigner(Ed25519PrivateKey.from_private_bytes(seed)) if seed else None)

    def doors(self) -> list[Door]:
        """Every door of time of a started app: what is asked again and again what is due."""
        both = timetable.everywhere(self.desk, self.meters, self.secrets)
        if not self.role.works or self._durable is None:
            return both
        hands = Hands(
            self.desk, self.slack, self.watch, self._sealer, self.delivery, self.execution, self._measurer, self._durable)
        return [*both, *timetable.at_work(hands), Door(timetable.DELIVER_S, "deliver", self._knock)]

    async def stop(self) -> None:
        """Finishes what it holds: no new deliveries, those waiting are committed, then the rest ends."""
        await self._knocker.stop()
        for queue in self._queues:
            queue.stop()
        await self.intake.stop()
        await self._tasks[0]
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._durable:
            await self._durable.stop()
        await asyncio.to_thread(self.meters.flush, self.desk)
        self._note("vigie stopped")
        if self.role.works:
            await asyncio.to_thread(self._sealer.seal_due, self.desk.clock.now())
        await self._session.close()
        self.engine.dispose()

    async def _greet_slack(self) -> None:
        """Says in the log, soon after the start, when Slack will not take our posts."""
        await system_sleep(GREET_AFTER_S)
        try:
            answer = await self.slack.auth_test()
        except (Rejected, Unavailable) as problem:
            log.error("slack does not know us", error=str(problem), remedy="vigie check --online")
            return
        if answer.get("team_id") != self.config.workspace:
            log.error("the token is of another workspace", given=answer.get("team_id"), wanted=self.config.workspace)

    def _note(self, kind: str) -> None:
        with self.desk.begin("life") as connection:
            journal.record(
                connection, actor=VIGIE, kind=kind, object="journal", outcome="done", at=self.desk.clock.now(),
                role=self.role.name,
            )

    # --- what goes on ---

    def _wake(self) -> None:
        """Something may be due: told after each commit, from any thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._due.set)

    async def _knock(self) -> None:
        self._due.set()

    async def _start_due_forever(self) -> None:
        """Deliveries, decisions about alerts, legs of runs: whatever a commit may have made due."""
        while True:
            await self._due.wait()
            self._due.clear()
            for start in (self.delivery.start_due, self._decide, self.execution.start_due):
                try:
                    await start()
                except Exception:  # a background loop: what is due stays due, the next knock tries again
                    log.exception("what is due was not started", what=start.__name__)
            await system_sleep(GATHER_S)  # a storm of commits costs twenty looks a second, no more

    async def _decide(self) -> None:
        await asyncio.to_thread(automation.act, self.desk)

    # --- HTTP ---

    def asgi(self) -> Starlette:
        """The web application of a started app."""
        ready: dict[str, Check] = {"database": self._database, "migrations": self._migrations}
        web = Web(self.desk, self.intake, self.reception, self.meters, ready)
        enter = gate(self._bolt, self._signing_secret, self.desk.clock, partial(self.meters.drop, "slack"))
        answering = [*web.routes(), *Reports(self.desk).routes(), Route("/slack/events", enter, methods=["POST"])]
        routes = answering if self.role.answers else web.health_routes()
        return Starlette(routes=[*routes, *self._mounts], middleware=[Middleware(RequestId, ids=self._ids)])

    async def _database(self) -> str | None:
        return await asyncio.to_thread(self._look, lambda: None)

    async def _migrations(self) -> str | None:
        return await asyncio.to_thread(self._look, lambda: None if at_head(self.engine) else NOT_MIGRATED)

    def _look(self, at: Callable[[], str | None]) -> str | None:
        try:
            with reader(self.engine) as connection:
                connection.scalar(sa.select(1))
            return at()
        except sa.exc.SQLAlchemyError as error:
            return SILENT_DATABASE.format(error=type(error).__name__)

