"""A stage for shipped runbooks: the example's companies on the demo's platform, AWS and Datadog behind a real server.

A test module takes its fixtures by `from tests.catalogue_stage import night, platform_server` and names them in its `__all__`.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from bot import sources
from bot.config import Catalogue, load_catalogue
from bot.discover import discover
from bot.doubles.aws import Seen
from bot.doubles.platform import Platform
from bot.services.alert import automation, due
from bot.services.alert.arrivals import arrivals
from bot.services.alert.intake import take
from bot.services.desk import Actor, Desk
from bot.services.leave import answering, contracts
from bot.services.leave.mandates import Wish
from bot.services.run.execution import Execution
from bot.services.run.runs import cancel, start
from bot.settings import EnvironmentSecrets
from bot.sources import Delivery, Source
from bot.store import alerts, approvals, rungs, runs
from bot.store import journal as book
from bot.store.alerts import Alert
from bot.store.runs import Run, Step
from bot.worlds import Addresses, CloudWorlds
from tests.config_stage import TODAY, actions, example
from tests.fakes import CountingIds, ManualClock
from tests.patience import PATIENCE_S
from tests.workshop import NoEngine

AT_NIGHT = datetime(2026, 11, 22, 1, 14, tzinfo=UTC)        # 02:14 in Paris: Bridge is in its blackout
BY_DAY = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
KEYS = {each: (f"api-{each}", f"app-{each}") for each in ("bridge", "padok")}
SECRETS = {
    f"VIGIE_SECRET_{name.upper()}_DATADOG_{kind}": f"{kind.lower()}-{name}" for name in KEYS for kind in ("API", "APP")}
SOURCES = discover(sources, Source)
STRIDE_S = 20.0         # time goes on in steps, so that what happens meanwhile happens in its order
MOST_MOVES = 2_000


@cache
def shipped() -> Catalogue:
    """The shipped runbooks, read once, as `vigie` reads them."""
    return load_catalogue(None, example(), actions(), TODAY)


def person(key: str) -> Actor:
    """Somebody of the example's vigie.yaml, in Slack."""
    known = example().people[key]
    return Actor(key, known.name, known.organisation, frozenset(known.roles), known.slack, "slack C0PAYMNT01")


ALICE, PAUL, LEA, INES = map(person, ("alice", "paul", "lea", "ines"))


@dataclass
class Outside:
    """What can be seen from outside: the service's health, and the bank, which does not answer while it is down."""

    platform: Platform
    health: int = 200

    async def answer_health(self, _request: Request) -> Response:
        return PlainTextResponse("health", self.health)

    async def answer_bank(self, _request: Request) -> Response:
        return PlainTextResponse("bank", 503 if "bank down" in self.platform.wounds else 200)


class House:
    """One server for all tests of this process; who lives in it changes with each test."""

    def __init__(self) -> None:
        self.app: Any = Starlette()
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def platform_server() -> Iterator[House]:
    house = House()
    server = uvicorn.Server(uvicorn.Config(house, port=0, log_level="error", lifespan="off", ws="none", timeout_keep_alive=600))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    house.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield house
    server.should_exit = True
    thread.join(PATIENCE_S)


@dataclass
class Night:
    """The platform, Vigie with its shipped runbooks, and a hand that moves both through time."""

    desk: Desk
    platform: Platform
    execution: Execution
    clock: ManualClock
    outside: Outside
    url: str
    answers: dict[int, str] = field(default_factory=dict)       # a run's question is answered with no, and this is why

    # --- what happens ---

    def hear(self, endpoint: str, content: Mapping[str, Any]) -> None:
        """A source says this now."""
        config, now = self.desk.config, self.clock.now()
        given = Delivery(endpoint, config.endpoints[endpoint], b"{}", {}, now)
        signals = SOURCES[given.endpoint.source].read(dict(content), given)
        take(self.desk, arrivals(config, self.desk.catalogue, given, self.desk.ids.new(), "{}", signals))

    def pass_time(self, seconds: float) -> None:
        """The platform lives on meanwhile."""
        until = self.clock.now().timestamp() + seconds
        while (left := until - self.clock.now().timestamp()) > 0:
            self.clock.advance(min(left, STRIDE_S))
            self.platform.tick()

    def live(self, minutes: float) -> None:
        """Time passes, and Vigie does what is due by itself."""
        until = self.clock.now().timestamp() + 60 * minutes
        while self.clock.now().timestamp() < until:
            self.pass_time(STRIDE_S)
            due.act(self.desk)
            automation.act(self.desk)
            for run in self.runs():
                if run.state in runs.UNDER_WAY:
                    self.carry_on(run)

    def trust(self, runbook: str) -> None:
        """Two leads have promoted it: it runs by itself."""
        with self.desk.begin("test") as connection:
            rungs.put(connection, runbook, "automatic", self.clock.now(), "paul", "ines")

    def agree(self) -> None:
        """The leads of both companies have confirmed the mandate."""
        for lead in (PAUL, INES):
            contracts.confirm(self.desk, "nights", lead)

    # --- what people do ---

    def start(self, runbook: str, who: Actor = ALICE, alert: Alert | None = None, **given: Any) -> Run:
        found = self.desk.catalogue.runbook(runbook)
        assert found is not None
        return start(self.desk, Wish(found, who, alert, given))

    def run(self, runbook: str, who: Actor = ALICE, alert: Alert | None = None, **given: Any) -> Run:
        """Started, approved by whoever is asked first, and carried out to its end."""
        return self.carry_on(self.start(runbook, who, alert, **given))

    def carry_on(self, run: Run) -> Run:
        """Moves the run until it is over, or somebody must decide; time goes on with it."""
        for _ in range(MOST_MOVES):
            pause = self.execution.move(run.id)
            state = self.look(run).state
            if state == runs.ASKING and pause:
                self.answer(run)
                pause = 1.0
            if pause is None:
                return self.look(run)
            self.pass_time(pause)
        raise AssertionError(f"{run.name} goes on for ever: {self.look(run)}")

    def carry_on_to(self, step: str, run: Run) -> Run:
        """Until this step is under way, or waits for somebody's yes."""
        for _ in range(MOST_MOVES):
            if self.states(run)[step] in ("asking", "acted"):
                return self.look(run)
            pause = self.execution.move(run.id) or 0
            if self.look(run).state != runs.ASKING:
                self.pass_time(pause)
            elif self.states(run)[step] != "asking":
                self.answer(run)
        raise AssertionError(f"{run.name} never comes to {step}: {self.look(run)}")

    def cancel(self, run: Run, who: Actor) -> None:
        cancel(self.desk, run, who)

    def answer(self, run: Run) -> None:
        with self.desk.read() as connection:
            asked = approvals.newest(connection, run.id)
        assert asked is not None and asked.asked
        who = person(asked.asked[0])
        if reason := self.answers.get(asked.number):
            answering.reject(self.desk, run.id, who, reason)
        else:
            answering.approve(self.desk, run.id, who)

    # --- what one can ask afterwards ---

    def look(self, run: Run) -> Run:
        with self.desk.read() as connection:
            return runs.get(connection, run.id)

    def runs(self) -> list[Run]:
        """Oldest first."""
        with self.desk.read() as connection:
            return runs.find(connection)[::-1]

    def steps(self, run: Run) -> dict[str, Step]:
        with self.desk.read() as connection:
            return {each.name: each for each in runs.steps(connection, run.id)}

    def states(self, run: Run) -> dict[str, str]:
        return {name: each.state for name, each in self.steps(run).items()}

    def files(self, run: Run) -> dict[str, bytes]:
        with self.desk.read() as connection:
            found = connection.execute(sa.select(runs.run_file).where(runs.run_file.c.run_id == run.id))
            return {each.name: each.content for each in found}

    def alert(self, number: int = 1) -> Alert:
        with self.desk.read() as connection:
            found = alerts.by_id(connection, number)
        assert found is not None
        return found

    def noted(self, kind: str) -> list[Any]:
        """The journal's entries of that kind."""
        with self.desk.read() as connection:
            return list(connection.execute(sa.select(book.journal).where(book.journal.c.kind == kind)))

    def changed(self) -> list[Seen]:
        """What CloudTrail shows that Vigie changed."""
        reads = ("Describe", "Get", "List", "AssumeRole")
        return [each for each in self.platform.aws.calls if not each.operation.startswith(reads)]

    def calls(self) -> list[tuple[str, str]]:
        return [(each.service, each.operation) for each in self.changed()]


def night_on(engine: sa.Engine, house: House, at: datetime, catalogue: Catalogue | None = None) -> Night:
    """The platform laid out, all well, and Vigie beside it with the shipped runbooks, or others."""
    clock, said = ManualClock(at), list[tuple[str, dict[str, Any]]]()
    platform = Platform(clock, KEYS, lambda endpoint, content: said.append((endpoint, content)))
    outside = Outside(platform)
    doors = [Mount(f"/datadog/{name}", account.asgi) for name, account in platform.accounts.items()]
    house.app = Starlette(routes=[
        Mount("/aws", platform.aws), *doors, Route("/health", outside.answer_health), Route("/bank", outside.answer_bank)])
    addresses = Addresses(
        f"{house.url}/aws/", f"{house.url}/datadog/{{organisation}}",
        {"aws_access_key_id": "vigie", "aws_secret_access_key": "demo"})
    worlds = CloudWorlds(example(), EnvironmentSecrets(SECRETS), clock, addresses)
    desk = Desk(engine, example(), clock, CountingIds(), catalogue=catalogue or shipped(), worlds=worlds)
    night = Night(desk, platform, Execution(desk, worlds, NoEngine()), clock, outside, house.url)
    platform._send = night.hear
    return night


@pytest.fixture
def night(sqlite_engine: sa.Engine, platform_server: House) -> Night:
    """02:14 in Paris."""
    return night_on(sqlite_engine, platform_server, AT_NIGHT)


@pytest.fixture
def day(sqlite_engine: sa.Engine, platform_server: House) -> Night:
    """Early afternoon: everybody may be asked."""
    return night_on(sqlite_engine, platform_server, BY_DAY)


def only_declared(night: Night, allowed: Sequence[str] = ()) -> None:
    """Every call of AWS was made under a role, by a session named after somebody, and was one that the run's actions declare."""
    declared = {"sts:AssumeRole", *allowed}
    for run in night.runs():
        for step in night.steps(run).values():
            action = night.desk.catalogue.actions[step.uses]
            declared |= {*action.reads, *action.writes}
    names = {"elbv2": "elasticloadbalancing"}
    made = {f"{names.get(each.service, each.service)}:{each.operation}" for each in night.platform.aws.calls}
    assert made <= declared, made - declared
    assert {each.session for each in night.changed()} <= {f"{run.actor}-run{run.id}" for run in night.runs()}
