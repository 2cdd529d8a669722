"""A stage for tests of actions: the double of AWS behind a real server, and a World whose clients speak with it.

A test module takes its fixtures by `from tests.action_stage import ActionWorld, aws_server, play, world` and names
the two fixtures in its `__all__`.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import boto3
import pytest
import uvicorn
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.doubles.aws import ACCOUNT, REGION, Aws
from runbooks.actions import Action, Answer, Look, Outcome, Params, Place, State, Unsure
from tests.fakes import ManualClock
from tests.patience import PATIENCE_S

START = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)
HASTY_S = 4.0           # for calls of which one knows that no answer comes
MOST_LOOKS = 200
SESSION = boto3.session.Session("demo", "demo")         # one for all: it keeps the models it has read


@dataclass(frozen=True)
class Served:
    """The double, where it listens, and the clock that both sides read."""

    aws: Aws
    url: str
    clock: ManualClock


@pytest.fixture(scope="session")
def aws_server() -> Iterator[Served]:
    """One server for all tests of this process."""
    clock = ManualClock(START)
    aws = Aws(clock)
    aws.client("ec2").describe_instances()          # the first call of this kind takes longer than a client waits
    with listening(aws) as url:
        yield Served(aws, url, clock)


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The app on a free port, in a thread of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none", timeout_keep_alive=600))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_S)


@pytest.fixture
def world(aws_server: Served) -> "ActionWorld":
    """An empty account at 02:14, and nothing recorded."""
    aws_server.clock.instant = START
    aws_server.aws.reset()
    return ActionWorld(aws_server)


@dataclass
class ActionWorld:
    """`runbooks.actions.World` on the double. `called` are the IAM actions of the calls its clients made, in order."""

    served: Served
    token: str = "0f6c1c1e-6f0e-5b0a-9d0c-2b7f6f1a57b2"
    label: str = "vigie-run57-step2"
    place: Place = field(default_factory=lambda: Place(ACCOUNT, REGION))
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    accounts: Mapping[str, Any] = field(default_factory=dict)      # Datadog: an ApiClient for each organisation
    called: list[str] = field(default_factory=list)
    patience_s: float = PATIENCE_S
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def double(self) -> Aws:
        """The other side, for a test to look at and to trouble."""
        return self.served.aws

    @property
    def now(self) -> datetime:
        return self.served.clock.now()

    def forward(self, seconds: float) -> None:
        self.served.clock.advance(seconds)

    def hurry(self) -> None:
        """From now on whoever does not answer is not waited for long."""
        self.patience_s = HASTY_S
        self._clients.clear()

    def aws(self, service: str, region: str | None = None) -> Any:
        where = (service, region or self.place.region)
        if where not in self._clients:
            self._clients[where] = self._client(*where)
        return self._clients[where]

    def _client(self, service: str, region: str) -> Any:
        self.double.ground.resources.load(service)      # imported now, not while a client waits
        once = Config(read_timeout=self.patience_s, retries={"total_max_attempts": 1, "mode": "standard"})
        client = SESSION.client(service, region_name=region, endpoint_url=self.served.url, config=once)  # type: ignore[call-overload]
        client.meta.events.register("before-call", self._record)
        return client

    def _record(self, model: Any, **_: Any) -> None:
        names = {"elbv2": "elasticloadbalancing"}
        service = model.service_model.service_name
        self.called.append(f"{names.get(service, service)}:{model.name}")

    def datadog(self, organisation: str) -> Any:
        return self.accounts[organisation]

    def get(self, url: str, timeout_s: float) -> Answer:
        started = time.monotonic()
        try:
            with urlopen(url, timeout=timeout_s) as answer:
                status, body = answer.status, answer.read(4096)
        except HTTPError as error:
            with error:
                status, body = error.code, error.read(4096)
        except (URLError, OSError) as error:
            raise Unsure(f"{url} did not answer") from error
        return Answer(status, body.decode(errors="replace"), time.monotonic() - started)


@dataclass
class Played:
    """How a step went: what was read before, what was promised, what it did, every look in order."""

    params: Params
    before: State
    plan: str
    outcome: Outcome
    looks: list[Look]

    @property
    def seen(self) -> str:
        return self.looks[-1].seen


def play(world: ActionWorld, action: Action[Any], **given: Any) -> Played:
    """before, plan, act, and looks (time goes on between them) until it is done or has failed; the calls are all declared."""
    params = action.params.model_validate(given)
    start = len(world.called)
    before = action.before(world, params)
    said = action.plan(params, before)
    outcome = action.act(world, params, before)
    looks = look_on(world, action, params, before, outcome.outputs)
    assert_declared(action, world.called[start:])
    return Played(params, before, said, outcome, looks)


def look_on(world: ActionWorld, action: Action[Any], params: Params, before: State, outputs: State) -> list[Look]:
    """Looks, with the action's pause between two, until there is an answer."""
    looks = [action.look(world, params, before, outputs)]
    while looks[-1].seen in ("under way", "not seen") and len(looks) < MOST_LOOKS:
        world.forward(action.poll_s)
        looks.append(action.look(world, params, before, outputs))
    return looks


def play_back(world: ActionWorld, action: Action[Any], played: Played) -> list[Look]:
    """undo, and looks until what was before is back."""
    start = len(world.called)
    action.undo(world, played.params, played.before, played.outcome.outputs)
    looks = [action.undone(world, played.params, played.before, played.outcome.outputs)]
    while looks[-1].seen in ("under way", "not seen") and len(looks) < MOST_LOOKS:
        world.forward(action.poll_s)
        looks.append(action.undone(world, played.params, played.before, played.outcome.outputs))
    assert_declared(action, world.called[start:])
    return looks


def refused(call: Any, **given: Any) -> tuple[str, str]:
    """AWS's code and its sentence."""
    with pytest.raises(ClientError) as error:
        call(**given)
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def assert_declared(action: Action[Any], called: Sequence[str]) -> None:
    """What was called on AWS is among what the action says it needs."""
    assert set(called) - {*action.reads, *action.writes} == set()
