"""The one door to the workflow engine: start, step, sleep, once(); and who is alive."""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from sqlalchemy.exc import IntegrityError

from bot.errors import Misbuilt
from bot.ports import system_sleep
from bot.store.traffic import attempt

log = structlog.get_logger()

T = TypeVar("T")

VERSION = "1"  # a change strands the work that is pending under the old one
NAME = "vigie"
EMBEDDED = "vigie-embedded"
MOST_RECOVERIES = 1_000
MOST_FORGOTTEN = 1_000
UNDER_WAY = frozenset({"PENDING", "ENQUEUED", "DELAYED"})
LOST_IDENTITY = 70  # exit code: the supervisor restarts us
ADOPTION_S = 1.0
ENDING_S, LOOK_S = 5.0, 0.05

TAKEN = "another Vigie runs on {file} already: stop it first, or use PostgreSQL for several processes"
CLOSED = "{file} cannot be made or written ({why}): name another file in DATABASE_URL, or give us that folder"

Work = Callable[..., Coroutine[Any, Any, Any]]


def migrate(url: str, role: str) -> None:
    """Makes the engine's tables as their owner, for an application's role that may not create any."""
    DBOS.migrate(url, application_role=role)


class Taken(Misbuilt):
    """Another process is us already."""


class OutcomeUnknown(Exception):
    """It was begun and never ended, and the world does not say whether it happened."""


async def once(
    engine: sa.Engine,
    key: str,
    at: datetime,
    effect: Callable[[], Awaitable[T]],
    reconcile: Callable[[], Awaitable[T | None]],
) -> T:
    """Does `effect`, unless an earlier attempt was interrupted: then the world is read.

    Raises OutcomeUnknown if the world is silent.
    """
    if await asyncio.to_thread(_mark, engine, key, at):
        return await effect()
    found = await reconcile()
    if found is not None:
        return found
    raise OutcomeUnknown(key)


def _mark(engine: sa.Engine, key: str, at: datetime) -> bool:
    """Whether this is the first attempt; committed before the effect."""
    try:
        with engine.begin() as connection:
            connection.execute(attempt.insert().values(key=key, at=at))
    except IntegrityError:
        return False
    return True


class Engine(Protocol):
    """What services ask of durable work; a simulation has its own."""

    async def start(self, name: str, identity: str, *args: Any) -> None:
        """Begins the named work unless work of this identity was begun before."""

    async def ended(self, identity: str) -> bool:
        """Whether work of this identity was begun and will not go on."""


class Run(Protocol):
    """What work under way asks of the engine; it is its first argument."""

    async def step(self, function: Work, *args: Any) -> Any:
        """Does it and keeps the result, so that a recovered run does not do it again."""

    async def sleep(self, seconds: float) -> None:
        """A wait that outlives the process."""


class Identity:
    """Who we are for the engine: one process only, held by a lock that dies with us."""

    def __init__(self, url: str, ids: str) -> None:
        self._url = sa.make_url(url)
        self.embedded = self._url.get_backend_name() == "sqlite"
        self.name = EMBEDDED if self.embedded else f"vigie-{ids}"
        self._file: Any = None
        self._connection: sa.Connection | None = None

    def take(self) -> None:
        """Raises Misbuilt if somebody else is us."""
        if self.embedded:
            self._lock_file()
            return
        engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=0)
        self._connection = engine.connect()
        if not self._try_lock(self.name):
            raise Misbuilt(f"the executor {self.name} exists already")

    def _lock_file(self) -> None:
        name = f"{self._url.database}.lock"
        try:
            self._file = open(name, "w")  # noqa: SIM115  held open as long as we live
        except OSError as error:
            raise Misbuilt(CLOSED.format(file=self._url.database, why=error.strerror)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise Taken(TAKEN.format(file=self._url.database)) from error

    def _try_lock(self, name: str) -> bool:
        assert self._connection is not None
        query = sa.select(sa.func.pg_try_advisory_lock(sa.func.hashtextextended(name, 0)))
        return bool(self._connection.scalar(query))

    def dead(self, name: str) -> bool:
        """Whether nobody holds that identity any more; it is ours to look after until `let_go`."""
        return self._try_lock(name)

    def let_go(self, name: str) -> None:
        assert self._connection is not None
        self._connection.scalar(sa.select(sa.func.pg_advisory_unlock(sa.func.hashtextextended(name, 0))))

    def still_held(self) -> bool:
        """False when the database connection that carries our lock is gone."""
        try:
            return self._connection is None or self._connection.scalar(sa.select(1)) == 1
        except sa.exc.SQLAlchemyError:
            return False

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._connection is not None:
            with contextlib.suppress(sa.exc.SQLAlchemyError):      # the server lets go of it by itself, but a moment later
                self._connection.scalar(sa.select(sa.func.pg_advisory_unlock_all()))
            self._connection.close()
            self._connection.engine.dispose()


def _log_as_we_do() -> None:
    """The engine writes its own lines past our form and our masking; it shall not."""
    its_own = logging.getLogger("dbos")
    its_own.handlers.clear()
    its_own.propagate = True


class Durable:
    """The engine itself. Works are registered before `launch`; each is an async function of plain values."""

    def __init__(self, url: str, identity: Identity) -> None:
        self._identity = identity
        self._works: dict[str, Work] = {}
        self._adoption: asyncio.Task[None] | None = None
        self._ending = False
        self._steps: set[object] = set()
        self._broken: set[str] = set()
        config: DBOSConfig = {
            "name": NAME,
            "system_database_url": url,
            "executor_id": identity.name,
            "application_version": VERSION,
            "log_level": "ERROR",
            "serializer": DBOSPortableJSONSerializer(),
            "notification_listener_polling_interval_sec": 0.5,
            "scheduler_polling_interval_sec": 30.0,
        }
        DBOS(config=config)
        _log_as_we_do()

    def work(self, name: str, function: Work) -> None:
        """Registers durable work under a name that never changes; it is called with a Run and what `start` is given."""

        async def work(*args: Any) -> Any:  # the engine marks what it is given, and a bound method cannot be marked
            try:
                return await function(self, *args)
            except Exception:  # told on; but where the database is silent, the engine cannot write down that it ended
                self._broken.add(str(DBOS.workflow_id))
                raise

        self._works[name] = DBOS.workflow(name=name, max_recovery_attempts=MOST_RECOVERIES)(work)

    async def launch(self) -> None:
        self._home = asyncio.get_running_loop()
        await asyncio.to_thread(DBOS.launch)
        if not self._identity.embedded:
            self._adoption = asyncio.create_task(self._adopt_forever())

    async def start(self, name: str, identity: str, *args: Any) -> None:
        with SetWorkflowID(identity):
            await DBOS.start_workflow_async(self._works[name], *args)

    async def ended(self, identity: str) -> bool:
        if identity in self._broken:            # it broke off here, and its row may say for ever that it goes on
            await DBOS.cancel_workflow_async(identity)
            self._broken.discard(identity)
        status = await DBOS.get_workflow_status_async(identity)
        return status is not None and status.status not in UNDER_WAY

    async def step(self, function: Work, *args: Any) -> Any:
        await self._rest_when_ending()
        self._steps.add(this := object())
        try:
            return await DBOS.run_step_async({"name": function.__name__}, self._at_home, function, *args)
        except Exception:  # what fails because the engine ends is no failure of the work
            self._steps.discard(this)
            await self._rest_when_ending()
            raise
        finally:
            self._steps.discard(this)

    async def _at_home(self, function: Work, *args: Any) -> Any:
        """On our own loop, to which sessions and tasks are bound: the engine recovers work on a loop of its own."""
        if asyncio.get_running_loop() is self._home:
            return await function(*args)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(function(*args), self._home))

    async def sleep(self, seconds: float) -> None:
        await self._rest_when_ending()
        try:
            await DBOS.sleep_async(seconds)
        except Exception:  # as in a step
            await self._rest_when_ending()
            raise

    async def _rest_when_ending(self) -> None:
        """Once we end, work goes no further: it rests where its last step left it, and goes on after the next start."""
        if self._ending:
            await asyncio.Event().wait()

    async def forget(self, before: datetime) -> None:
        """Deletes the rows of work that ended before then."""
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before.isoformat(), limit=MOST_FORGOTTEN,
            load_input=False, load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([each.workflow_id for each in ended])

    async def stop(self) -> None:
        """Lets steps under way come to their end; pending work stays in its rows and goes on after the next start."""
        if self._adoption:
            self._adoption.cancel()
        self._ending = True
        for _ in range(int(ENDING_S / LOOK_S)):
            if not self._steps:
                break
            await system_sleep(LOOK_S)
        loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor(thread_name_prefix="vigie")
        await loop.run_in_executor(threads, partial(DBOS.destroy, destroy_registry=True))
        # The engine had lent our loop its own threads; what ends after it needs others.
        loop.set_default_executor(threads)
        self._identity.release()

    async def _adopt_forever(self) -> None:
        while True:
            try:
                if not await asyncio.to_thread(self._identity.still_held):
                    os._exit(LOST_IDENTITY)
                await self._adopt()
            except Exception:  # a background loop: what the dead left stays in its rows, the next look takes it over
                log.exception("what others left was not taken over")
            await system_sleep(ADOPTION_S)

    async def _adopt(self) -> None:
        """Takes over what the dead left pending."""
        pending = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        for name in {each.executor_id for each in pending if each.executor_id} - {self._identity.name}:
            if not await asyncio.to_thread(self._identity.dead, name):
                continue
            try:
                for each in pending:
                    if each.executor_id == name:
                        await DBOS.resume_workflow_async(each.workflow_id)
            finally:
                await asyncio.to_thread(self._identity.let_go, name)
