"""A workshop for runs: a world of one machine, actions on it, and a hand that carries runs out in simulated time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import Field

from bot.config.catalogue import Catalogue, Entry
from bot.services.desk import Actor, Desk
from bot.services.leave.mandates import Wish
from bot.services.run.execution import Execution
from bot.services.run.runs import start
from bot.store import runs
from bot.store.runs import Run
from runbooks.actions import Action, Answer, Errand, Failed, Look, Outcome, Params, Place, State, Unsure, World
from runbooks.model import Runbook
from tests.fakes import ManualClock

PLACE = Place("111122223333", "eu-west-3")


@dataclass
class Machine:
    """The world: some values, how often each call was made, and how the next calls go wrong."""

    values: dict[str, Any] = field(default_factory=lambda: {"size": 18, "restarts": 0, "healthy": True})
    calls: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)        # refuse, throttle, lost (done, unanswered), silent (not done)

    def call(self, name: str, effect: Mapping[str, Any]) -> None:
        self.calls.append(name)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "refuse":
            raise Failed("AWS refused: AccessDenied")
        if fault == "throttle":
            raise Failed("AWS refused: Throttling", again=True)
        if fault != "silent":
            self.values.update(effect)
        if fault in ("lost", "silent"):
            raise Unsure("AWS did not answer (ReadTimeoutError)")


@dataclass
class FakeWorld:
    """A World of one machine."""

    machine: Machine
    errand: Errand
    now: datetime
    place: Place = field(default_factory=lambda: PLACE)
    allowed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return f"token-{self.errand.run}-{self.errand.step}"

    @property
    def label(self) -> str:
        return self.errand.label

    def aws(self, service: str, region: str | None = None) -> Any:
        return self.machine

    def datadog(self, organisation: str) -> Any:
        return self.machine

    def get(self, url: str, timeout_s: float) -> Answer:
        return Answer(200, "ok", 0.01)


@dataclass
class FakeWorlds:
    """Makes worlds of one machine and remembers the errands."""

    machine: Machine
    clock: ManualClock
    errands: list[Errand] = field(default_factory=list)
    place: Place = field(default_factory=lambda: PLACE)

    def world(self, errand: Errand) -> World:
        self.errands.append(errand)
        return FakeWorld(self.machine, errand, self.clock.now())

    def secret(self, reference: str) -> str:
        return f"the secret {reference}"


class SizeParams(Params):
    size: int = Field(description="How many")


class Resize(Action[SizeParams]):
    """Sets how many machines there are."""

    name, params, example = "test.resize", SizeParams, {"size": 14}
    changes, verified, writes = "the number of machines", "the number itself", ("test:Resize",)

    def target(self, params: SizeParams) -> str:
        return "test:machines"

    def resources(self, params: SizeParams, before: State, place: Place) -> list[str]:
        return [place.arn("test", "machines")]

    def before(self, world: World, params: SizeParams) -> State:
        return {"size": world.aws("test").values["size"]}

    def plan(self, params: SizeParams, before: State) -> str:
        return f"set the number of machines from {before['size']} to {params.size}"

    def act(self, world: World, params: SizeParams, before: State) -> Outcome:
        world.aws("test").call("resize", {"size": params.size})
        return Outcome(f"asked for {params.size}", {"asked": params.size})

    def look(self, world: World, params: SizeParams, before: State, outputs: State) -> Look:
        size = world.aws("test").values["size"]
        return Look("done" if size == params.size else "not seen", f"there are {size}", {"size": size})

    def undo(self, world: World, params: SizeParams, before: State, outputs: State) -> Outcome:
        world.aws("test").call("resize back", {"size": before["size"]})
        return Outcome(f"back to {before['size']}")


class Restart(Action[Params]):
    """Restarts the machine: twice is not once."""

    name, params, example = "test.restart", Params, {}
    changes, idempotent, no_undo = "the machine is away for a moment", False, "a restart cannot be taken back"
    writes, settle_s = ("test:Restart",), 30.0

    def target(self, params: Params) -> str:
        return "test:machine"

    def before(self, world: World, params: Params) -> State:
        return {"restarts": world.aws("test").values["restarts"]}

    def plan(self, params: Params, before: State) -> str:
        return "restart the machine"

    def act(self, world: World, params: Params, before: State) -> Outcome:
        machine = world.aws("test")
        machine.call("restart", {"restarts": machine.values["restarts"] + 1})
        return Outcome("restarted")

    def look(self, world: World, params: Params, before: State, outputs: State) -> Look:
        count = world.aws("test").values["restarts"]
        return Look("done" if count > before["restarts"] else "not seen", f"restarted {count} times")


class ReadParams(Params):
    value: str = Field("healthy", description="Which value")
    wanted: Any = Field(True, description="What it must be")


class Read(Action[ReadParams]):
    """Reads a value of the machine."""

    name, params, example = "test.read", ReadParams, {}

    def target(self, params: ReadParams) -> str:
        return "test:machine"

    def plan(self, params: ReadParams, before: State) -> str:
        return f"read {params.value}"

    def act(self, world: World, params: ReadParams, before: State) -> Outcome:
        return Outcome(f"{params.value} read", {params.value: world.aws("test").values.get(params.value)})

    def look(self, world: World, params: ReadParams, before: State, outputs: State) -> Look:
        value = world.aws("test").values.get(params.value)
        said = f"{params.value} is {value}"
        return Look("done" if value == params.wanted else "under way", said, {params.value: value})


class SetBack(Resize):
    """Sets how many machines there are, as another step's way back."""

    name = "test.set_back"

    def act(self, world: World, params: SizeParams, before: State) -> Outcome:
        world.aws("test").call("set back", {"size": params.size})
        return Outcome(f"asked for {params.size}")


class StartOver(Restart):
    """Restarts the machine, as another step's way back: once."""

    name = "test.start_over"

    def act(self, world: World, params: Params, before: State) -> Outcome:
        machine = world.aws("test")
        machine.call("start over", {"restarts": machine.values["restarts"] + 1})
        return Outcome("started over")


MADE: tuple[Action[Any], ...] = (Resize(), Restart(), Read(), SetBack(), StartOver())
ACTIONS: dict[str, Action[Any]] = {each.name: each for each in MADE}


def runbook(**changed: Any) -> Runbook:
    """A runbook for the machine: smaller, then a restart, then a look by other eyes."""
    return Runbook.model_validate({
        "name": "smaller", "title": "Smaller", "owner": "padok", "reviewed": "2026-11-01", "automation": "automatic",
        "when": [{"service": ["pay-api"], "name": "pay-api-5xx"}],
        "parameters": {"size": {"type": "integer", "default": 14, "minimum": 2, "maximum": 20}},
        "steps": [
            {"name": "resize", "uses": "test.resize", "with": {"size": "${{ params.size }}"}, "timeout": "5m"},
            {"name": "restart", "uses": "test.restart", "undo": "none", "timeout": "5m"},
        ],
        "verify": [{"name": "healthy", "uses": "test.read", "timeout": "2m"}],
        **changed,
    })


def catalogue(*given: Runbook) -> Catalogue:
    """These runbooks, as if each stood at line 7 of its file."""
    return Catalogue({each.name: Entry(each, f"{each.name}.yaml", 7) for each in given or (runbook(),)}, ACTIONS)


@dataclass
class Workshop:
    """A desk with a catalogue, a machine, and a hand that carries runs out."""

    desk: Desk
    machine: Machine
    clock: ManualClock
    worlds: FakeWorlds
    execution: Execution

    def start(self, actor: Actor, name: str = "smaller", **wished: Any) -> Run:
        book = self.desk.catalogue.runbook(name)
        assert book is not None
        return start(self.desk, Wish(book, actor, **wished))

    def carry_on(self, run: Run | int, most_s: float = 3_600) -> Run:
        """Moves until somebody must be waited for, or the time is over; the clock goes on with it."""
        run_id = run if isinstance(run, int) else run.id
        until = self.clock.now().timestamp() + most_s
        while self.clock.now().timestamp() < until:
            pause = self.execution.move(run_id)
            if pause is None:
                break
            self.clock.advance(pause)
        return self.look(run_id)

    def look(self, run_id: int) -> Run:
        with self.desk.read() as connection:
            return runs.get(connection, run_id)

    def steps(self, run_id: int) -> list[runs.Step]:
        with self.desk.read() as connection:
            return runs.steps(connection, run_id)


class NoEngine:
    """Nobody carries anything on but the hand."""

    async def start(self, name: str, identity: str, *args: Any) -> None:
        raise AssertionError("started by hand only")

    async def ended(self, identity: str) -> bool:
        return True


def workshop(desk: Desk, *runbooks: Runbook, machine: Machine | None = None) -> Workshop:
    """A workshop on a desk whose clock is a ManualClock."""
    assert isinstance(desk.clock, ManualClock)
    made = machine or Machine()
    equipped = Desk(desk.engine, desk.config, desk.clock, desk.ids, desk.kill, desk.wake, catalogue(*runbooks))
    worlds = FakeWorlds(made, desk.clock)
    return Workshop(equipped, made, desk.clock, worlds, Execution(equipped, worlds, NoEngine()))
