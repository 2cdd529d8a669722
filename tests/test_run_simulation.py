"""Runs drawn at random: whatever fails, lies or dies, nothing that is not idempotent is done twice, and each run ends."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.errors import Refused
from bot.services.run.jobs import Task
from bot.services.run.runs import cancel, decide
from bot.services.run.undoing import Undoer
from bot.store import runs as rows
from bot.store.db import create_engine
from bot.store.runs import Run, Step
from runbooks.actions import Errand, World
from runbooks.model import Runbook, Use
from tests.fakes import KillAt, Killed, ManualClock
from tests.story import ALICE, PAUL, desk_on
from tests.workshop import FakeWorld, FakeWorlds, Machine, Workshop, runbook, workshop

MOST_MOVES = 3_000          # of one run, all its lives together: more is a loop without end
SET_BACK, START_OVER = Use(uses="test.set_back", with_={"size": 18}), Use(uses="test.start_over")
LATE_S = 40.0               # longer than a restart is waited for
SURELY_NOT_DONE = ("refuse", "throttle")


# --- the world: like the workshop's, but it knows which step calls, and looking may fail too ---


@dataclass
class Witness(Machine):
    """A machine that remembers which step perhaps changed something, forth and back."""

    blind: list[bool] = field(default_factory=list)         # whether the next looks get no answer
    perhaps: Counter[tuple[int, str]] = field(default_factory=Counter)
    later: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    errand: Errand | None = None

    def call(self, name: str, effect: Any) -> None:
        assert self.errand is not None and self.errand.acting
        fault = self.faults[0] if self.faults else ""
        if fault not in SURELY_NOT_DONE:
            self.perhaps[self.errand.step, name] += 1
        if fault in ("bug", "late", "never"):
            self.faults.pop(0)
        if fault == "bug":
            raise ValueError("a bug in the action")
        if fault == "late":
            self.later.append((self.errand.now + timedelta(seconds=LATE_S), dict(effect)))
        elif fault != "never":
            super().call(name, effect)

    def look_at(self, now: datetime) -> None:
        """What was to happen later has happened by now."""
        for each in [one for one in self.later if one[0] <= now]:
            self.later.remove(each)
            self.values.update(each[1])


@dataclass
class Shy(FakeWorld):
    """Now and then nobody answers who looks."""

    def aws(self, service: str, region: str | None = None) -> Any:
        assert isinstance(self.machine, Witness)
        self.machine.errand = self.errand
        self.machine.look_at(self.now)
        if not self.errand.acting and self.machine.blind and self.machine.blind.pop(0):
            raise TimeoutError("nobody answers")
        return self.machine


class ShyWorlds(FakeWorlds):
    def world(self, errand: Errand) -> World:
        return Shy(self.machine, errand, self.clock.now())


# --- what is drawn ---


@dataclass(frozen=True)
class Fate:
    """All that happens to a run."""

    book: Runbook
    faults: list[str]
    blind: list[bool]
    deaths: list[int]               # in each life, at the n-th point that it passes
    decisions: list[str]
    cancelled_after: int | None     # moves
    healthy: bool


def step(draw: Callable[..., Any], number: int, count: int) -> dict[str, Any]:
    uses = draw(st.sampled_from(("test.resize", "test.resize", "test.restart", "test.read")))
    later = [f"step:s{each}" for each in range(number + 1, count)]
    made = {
        "name": f"s{number}", "uses": uses, "timeout": "2m", "end": draw(st.sampled_from((False,) * 7 + (True,))),
        "on_failure": draw(st.sampled_from(["abort", "abort", "abort", "continue", *later])),
        "retry": {"attempts": draw(st.integers(1, 3)), "every": "10s"},
        "verify": draw(st.sampled_from(("auto", "auto", "none", {"uses": "test.read"}))),
    }
    if uses == "test.resize":
        made |= {"with": {"size": draw(st.integers(2, 17))}, "idempotent": draw(st.sampled_from((None, None, False)))}
        made["undo"] = draw(st.sampled_from(("auto", "auto", "auto", "none", SET_BACK, START_OVER)))
    return made if uses != "test.restart" else {**made, "undo": "none"}


@st.composite
def fates(draw: Callable[..., Any]) -> Fate:
    count = draw(st.integers(1, 4))
    book = runbook(steps=[step(draw, each, count) for each in range(count)], on_cancel=draw(st.sampled_from(("keep", "undo"))))
    fault = st.sampled_from(("", "", "", "refuse", "throttle", "lost", "silent", "bug", "late", "never"))
    return Fate(
        book, draw(st.lists(fault, max_size=8)), draw(st.lists(st.booleans(), max_size=12)),
        draw(st.lists(st.integers(1, 40), max_size=4)),
        draw(st.lists(st.sampled_from(("happened", "again", "stop", "cancel")), max_size=3)),
        draw(st.none() | st.integers(0, 12)), draw(st.sampled_from((True, True, True, False))),
    )


# --- a run with its fate ---


@dataclass
class Told:
    """How it went."""

    run: Run
    steps: list[Step]
    machine: Witness
    said: Counter[tuple[int, str]]     # decisions, by step
    holder: int | None


class Loop(AssertionError):
    """It does not end."""


def live(engine: sa.Engine, fate: Fate) -> Told:
    machine = Witness(faults=[*fate.faults], blind=[*fate.blind])
    machine.values["healthy"] = fate.healthy
    clock = ManualClock()
    first = life(engine, fate, machine, clock, [])
    run, said, moves = first.start(ALICE), Counter[tuple[int, str]](), 0
    deaths, decisions = [*fate.deaths], [*fate.decisions]
    cancels = [] if fate.cancelled_after is None else [fate.cancelled_after]
    shop = life(engine, fate, machine, clock, deaths)
    while True:
        moves += 1
        if moves > MOST_MOVES:
            raise Loop(f"{first.look(run.id)} {first.steps(run.id)}")
        if cancels and moves > cancels[0]:
            cancels.clear()
            with suppress(Refused):
                cancel(first.desk, run, PAUL)
        try:
            pause = shop.execution.move(run.id)
        except Killed:
            shop = life(engine, fate, machine, clock, deaths)
            clock.advance(2)
            continue
        now = first.look(run.id)
        if now.state in rows.ENDED:
            with first.desk.read() as connection:
                return Told(now, first.steps(run.id), machine, said, rows.holder(connection, now.target))
        if now.state == rows.IN_DOUBT:
            assert pause is None
            word = decisions.pop(0) if decisions else "stop"
            said[now.position, word] += 1
            if word == "cancel":
                with suppress(Refused):
                    cancel(first.desk, run, PAUL)
            else:
                decide(first.desk, run, PAUL, word)
        elif pause is None:
            raise Loop(f"it waits for nobody: {now} {first.steps(run.id)}")
        clock.advance(pause or 0)


def life(engine: sa.Engine, fate: Fate, machine: Witness, clock: ManualClock, deaths: list[int]) -> Workshop:
    """The next life of the process: it dies at the next of `deaths`."""
    kill = KillAt(n=deaths.pop(0)) if deaths else KillAt("never")
    made = workshop(desk_on(engine, clock, kill), fate.book, machine=machine)
    made.worlds = ShyWorlds(machine, made.clock)
    made.execution._bench.worlds = made.worlds
    return made


# --- the laws ---


def laws(fate: Fate, told: Told) -> Iterator[str]:
    """A sentence for each that is broken."""
    run, steps, machine = told.run, told.steps, told.machine
    if told.holder is not None:
        yield "its target stays locked"
    if not run.said:
        yield "nobody says how it ended"
    if run.state == rows.SUCCEEDED and any(word == "stop" for _, word in told.said):
        yield "somebody stopped it, and it went on"
    for each, made in zip(steps, fate.book.steps, strict=False):
        yield from _never_twice(told, each, made)
        if run.state == rows.SUCCEEDED and each.state not in ("done", "pending") and made.on_failure == "abort":
            yield f"it succeeded, and {each.name} is {each.state}"
        if undone(fate, run, steps):
            yield from _way_back(machine, each, made)
    if undone(fate, run, steps) and _all_back(fate, steps) and machine.values["size"] != 18:
        yield f"all is undone, and the size is {machine.values['size']}"


def _all_back(fate: Fate, steps: list[Step]) -> bool:
    """Whether each step that set the size was set back, by calls that really did something."""
    pairs = [(each, made) for each, made in zip(steps, fate.book.steps, strict=False) if made.uses == "test.resize"]
    honest = not {"late", "never"} & {*fate.faults} and all(made.undo not in ("none", START_OVER) for _, made in pairs)
    return honest and all(each.state in ("undone", "pending") for each, _ in pairs)


def undone(fate: Fate, run: Run, steps: list[Step]) -> bool:
    """Whether its steps had to be undone: a proof that fails keeps what was done."""
    by_step = run.state == rows.FAILED and run.position < len(fate.book.steps)
    return by_step or (run.state == rows.CANCELLED and fate.book.on_cancel == "undo")


def _never_twice(told: Told, each: Step, made: Any) -> Iterator[str]:
    if made.uses == "test.restart" or made.idempotent is False:
        name = made.uses.removeprefix("test.")
        times, again = told.machine.perhaps[each.number, name], told.said[each.number, "again"]
        if times > 1 + again:
            yield f"{each.name} ({name}) was perhaps done {times} times, asked for again {again} times"
    if told.machine.perhaps[each.number, "start over"] > 1:
        yield f"{each.name} was started over {told.machine.perhaps[each.number, 'start over']} times"


def _way_back(machine: Witness, each: Step, made: Any) -> Iterator[str]:
    changed = machine.perhaps[each.number, "resize"] + machine.perhaps[each.number, "restart"]
    if changed and made.uses != "test.read":
        wanted = ("kept", "not undone") if made.undo == "none" else ("undone", "not undone")
        if each.state not in wanted:
            yield f"{each.name} was perhaps done, and is {each.state}: {each.said}"


@contextmanager
def file_of_its_own(template: Path, folder: Path) -> Iterator[sa.Engine]:
    """A copy for one example; processes die here, machines do not: no fsync."""
    path = folder / "one.db"
    path.write_bytes(template.read_bytes())
    for each in folder.glob("one.db-*"):
        each.unlink()
    engine = create_engine(f"sqlite:///{path}")
    sa.event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    try:
        yield engine
    finally:
        engine.dispose()


def judged(template: Path, folder: Path, fate: Fate) -> None:
    """Raises AssertionError with the laws that are broken."""
    with file_of_its_own(template, folder) as engine, capture_logs():
        told = live(engine, fate)
    broken = list(laws(fate, told))
    assert not broken, f"{broken}\n{told.run.state}: {told.run.said}\n{told.steps}"


ANY_MACHINE = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(ANY_MACHINE, max_examples=40)
@given(fate=fates())
def test_whatever_happens_to_a_run_it_ends_and_breaks_no_law(sqlite_template: Path, tmp_path: Path, fate: Fate) -> None:
    judged(sqlite_template, tmp_path, fate)


def repeats_what_must_not_be() -> Any:
    return mock.patch.object(Task, "repeatable", property(lambda _task: True))


def forgets_its_lock() -> Any:
    return mock.patch.object(rows, "unlock", lambda _connection, _ended, _now: None)


def goes_no_way_back() -> Any:
    return mock.patch.object(Undoer, "next", lambda _undoer, _job: None)


@pytest.mark.parametrize("bug", [repeats_what_must_not_be, forgets_its_lock, goes_no_way_back])
def test_a_planted_bug_of_runs_is_found(sqlite_template: Path, tmp_path: Path, bug: Callable[[], Any]) -> None:
    @settings(ANY_MACHINE, max_examples=300, phases=[Phase.generate], database=None)
    @given(fate=fates())
    def hunt(fate: Fate) -> None:
        judged(sqlite_template, tmp_path, fate)

    with bug(), pytest.raises(AssertionError):
        hunt()
