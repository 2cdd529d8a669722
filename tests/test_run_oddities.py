"""Actions with bugs, garbage for answers, people at once, sleepers, a catalogue that is edited: runs bear it, and say so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config.catalogue import Catalogue
from bot.errors import Refused
from bot.ports import KillPoint, survive
from bot.services.run.execution import Execution
from bot.services.run.jobs import Overtaken
from bot.services.run.runs import cancel, decide
from bot.services.slack import runcards
from bot.store import journal
from bot.store import runs as rows
from bot.store.runs import Run
from runbooks.actions import Action, Attachment, Failed, Look, Outcome, Params, State, Unsure, World
from runbooks.actions.flow import SERVICE as FLOW
from tests.fakes import Killed, ManualClock
from tests.judge import message_faults
from tests.story import ALICE, PAUL, T0, desk_on
from tests.workshop import ACTIONS, Machine, NoEngine, Workshop, catalogue, runbook, workshop

RESIZE = {"name": "resize", "uses": "test.resize", "with": {"size": 14}, "timeout": "5m"}
RESTART = {"name": "restart", "uses": "test.restart", "undo": "none", "timeout": "5m"}
NASTY = "a\x00b\ud800c\u202ed\x1b[31m"


class Odd(Action[Params]):
    """Does what a test wants it to do."""

    name, params, example = "test.odd", Params, {}
    changes, no_undo = "something", "it is odd"
    does: Callable[[], Any] = staticmethod(lambda: Outcome("done"))
    looks: Callable[[], Any] = staticmethod(lambda: Look("done", "seen"))
    finds: Callable[[], Any] = staticmethod(dict)
    plans: Callable[[], Any] = staticmethod(lambda: "be odd")

    def target(self, params: Params) -> str:
        return "test:odd"

    def before(self, world: World, params: Params) -> State:
        return self.finds()

    def plan(self, params: Params, before: State) -> str:
        return self.plans()

    def act(self, world: World, params: Params, before: State) -> Outcome:
        world.aws("test").calls.append("odd")
        return self.does()

    def look(self, world: World, params: Params, before: State, outputs: State) -> Look:
        return self.looks()


def odd(engine: sa.Engine, idempotent: bool = True, kill: KillPoint = survive, **does: Any) -> Workshop:
    """A workshop whose only step is odd."""
    action = type("Odder", (Odd,), {"idempotent": idempotent, **{name: staticmethod(each) for name, each in does.items()}})()
    book = runbook(steps=[{"name": "odd", "uses": "test.odd", "undo": "none", "timeout": "1m"}])
    return equipped(workshop(desk_on(engine, kill=kill), book), {**ACTIONS, "test.odd": action})


def equipped(shop: Workshop, actions: dict[str, Action[Any]]) -> Workshop:
    """The same with other actions, as after a restart with another Vigie."""
    desk = replace(shop.desk, catalogue=Catalogue(shop.desk.catalogue.entries, actions))
    return replace(shop, desk=desk, execution=Execution(desk, shop.worlds, NoEngine()))


def broken() -> Any:
    raise KeyError("a bug")


def faults_of_message(shop: Workshop, run: Run) -> list[str]:
    """What Slack would not take of the run's message."""
    with shop.desk.read() as connection:
        drawn = runcards.draw_run(runcards.view(shop.desk, connection, run.id))
    return list(message_faults(drawn.text, drawn.blocks))


def told(shop: Workshop, run: Run) -> list[str]:
    with shop.desk.read() as connection:
        return list(connection.execute(sa.select(journal.journal.c.kind).order_by(journal.journal.c.id)).scalars())


# --- actions with bugs, and garbage ---


@pytest.mark.parametrize(("does", "state"), [
    ({"does": broken}, rows.SUCCEEDED),                                     # the look says that it happened
    ({"does": lambda: None}, rows.SUCCEEDED),
    ({"does": lambda: Outcome("x", outputs=["no", "mapping"])}, rows.SUCCEEDED),
    ({"does": lambda: Outcome("x", files=("no file",))}, rows.SUCCEEDED),
    ({"does": broken, "looks": lambda: Look("not seen", "nothing")}, rows.FAILED),
    ({"looks": broken}, rows.FAILED),
    ({"looks": lambda: None}, rows.FAILED),
    ({"looks": lambda: Look("perhaps", "?")}, rows.FAILED),
    ({"finds": broken}, rows.FAILED),
    ({"finds": lambda: None}, rows.FAILED),
    ({"plans": broken}, rows.FAILED),
])
def test_a_bug_in_an_action_is_a_failure_that_is_told_and_no_loop(engine: sa.Engine, does: dict, state: str) -> None:
    shop = odd(engine, **does)
    run = shop.carry_on(shop.start(ALICE))
    assert run.state == state
    assert len(shop.machine.calls) <= 3
    if state == rows.FAILED:
        assert "fault of Vigie's own" in (run.said or "") or "nothing" in (run.said or "")


def test_a_bug_in_what_is_not_to_be_done_twice_is_looked_after_and_never_repeated(engine: sa.Engine) -> None:
    shop = odd(engine, idempotent=False, does=broken, looks=lambda: Look("not seen", "nothing"))
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.IN_DOUBT, ["odd"])


def test_answers_that_no_database_takes_are_kept_as_far_as_they_can_be(engine: sa.Engine) -> None:
    answer = Outcome(NASTY, {"at": T0, "name": NASTY, "bytes": b"\x00\xff", "none": None, "number": float("nan"), 7: {1, 2}},
                     NASTY, (Attachment(NASTY, b"\x00", NASTY),))
    shop = odd(engine, does=lambda: answer, finds=lambda: {"at": T0, "name": NASTY}, plans=lambda: NASTY,
               looks=lambda: Look("done", NASTY, {"seen": NASTY}))
    run = shop.carry_on(shop.start(ALICE))
    step = shop.steps(run.id)[0]
    assert run.state == rows.SUCCEEDED and (step.said or "").startswith("ab")
    assert step.outputs and step.outputs["number"] == "NaN" and "\x00" not in str(step.outputs)
    assert faults_of_message(shop, run) == []


def test_a_long_log_and_a_long_plan_are_kept_within_bounds_and_say_so(engine: sa.Engine) -> None:
    shop = odd(engine, does=lambda: Outcome("x" * 5_000, log="line of a log\n" * 400_000), plans=lambda: "p" * 10_000)
    run = shop.carry_on(shop.start(ALICE))
    step = shop.steps(run.id)[0]
    assert run.state == rows.SUCCEEDED and len(step.log or "") <= 1_500 and len(step.plan or "") == 10_000
    with shop.desk.read() as connection:
        file = rows.file(connection, run.id, 0)
    assert file is not None and len(file.content) < 210_000
    assert b"more characters were printed" in file.content
    assert faults_of_message(shop, run) == []


@pytest.mark.parametrize("actions", [{}, {"test.restart": ACTIONS["test.restart"]}])
def test_a_vanished_action_is_told_as_a_failure(engine: sa.Engine, actions: dict) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESTART, RESIZE]))
    run = shop.start(ALICE)
    while shop.machine.calls != ["restart"]:
        shop.execution.move(run.id)
    ended = equipped(shop, actions).carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.FAILED, ["restart"])
    assert "this Vigie has no action test.re" in (ended.said or "")


def test_what_vanished_before_it_could_be_undone_is_said_not_to_be(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESIZE, RESTART]), machine=Machine(faults=["", "refuse"]))
    run = shop.start(ALICE)
    while shop.look(run.id).state != rows.UNDOING:
        shop.execution.move(run.id)
    ended = equipped(shop, {}).carry_on(run)
    assert ended.state == rows.FAILED
    assert "could not be undone: this Vigie has no action" in (shop.steps(run.id)[0].said or "")


def test_editing_the_catalogue_changes_nothing_of_a_run_in_flight(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    run = shop.start(ALICE)
    while shop.machine.calls != ["resize"]:
        shop.execution.move(run.id)
    edited = replace(shop.desk, catalogue=catalogue(runbook(steps=[{**RESIZE, "with": {"size": 2}}])))
    ended = replace(shop, desk=edited, execution=Execution(edited, shop.worlds, NoEngine())).carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.SUCCEEDED, ["resize", "restart"])
    assert shop.machine.values["size"] == 14


def test_a_run_that_can_no_longer_be_read_ends_and_says_so(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    run = shop.start(ALICE)
    shop.execution.move(run.id)
    with engine.begin() as connection:
        rows.change(connection, run.id, rows.UNDER_WAY, definition={**run.definition, "of_another_time": True})
    ended = shop.carry_on(run)
    assert ended.state == rows.FAILED and "can no longer be read (of_another_time)" in (ended.said or "")
    with shop.desk.read() as connection:
        assert rows.holder(connection, run.target) is None
    assert faults_of_message(shop, run) == []


# --- tries ---


def test_what_kills_the_process_each_time_is_not_done_for_ever(engine: sa.Engine) -> None:
    def die(name: str) -> None:
        if name == "act: after":
            raise Killed(name)

    shop = odd(engine, kill=die, looks=lambda: Look("not seen", "nothing"))
    run, deaths = shop.start(ALICE), 0
    while shop.look(run.id).state not in rows.ENDED and deaths < 50:
        try:
            shop.execution.move(run.id)
        except Killed:
            deaths += 1
        shop.clock.advance(5)
    assert "interrupted 11 times" in (shop.look(run.id).said or "") and deaths == 10


def test_a_second_try_of_what_was_done_and_not_seen_keeps_the_old_state_for_the_way_back(engine: sa.Engine) -> None:
    """resize answers and takes ten minutes to be seen: the second try must not take 14 for the size that was before."""
    shop = workshop(desk_on(engine), runbook(steps=[{**RESIZE, "retry": {"attempts": 2}, "verify": {"uses": "test.read"}}]))
    shop.machine.values["healthy"] = False
    run = shop.carry_on(shop.start(ALICE))
    step = shop.steps(run.id)[0]
    assert run.state == rows.FAILED and "not seen to have worked" in (run.said or "")
    assert (step.before, step.state, shop.machine.values["size"]) == ({"size": 18}, "undone", 18)


def test_what_was_perhaps_done_and_then_refused_is_undone_all_the_same(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESIZE]), machine=Machine(faults=["silent", "refuse"]))
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.FAILED, ["resize", "resize", "resize back"])


def test_a_rejected_step_is_not_asked_for_again_and_automation_that_is_stopped_goes_on_nowhere(engine: sa.Engine) -> None:
    steps = [{**RESTART, "on_failure": "continue", "retry": {"attempts": 3}}, {**RESIZE}]
    shop = workshop(desk_on(engine), runbook(steps=steps), machine=Machine(faults=["silent"]))
    run = shop.carry_on(shop.start(ALICE))
    assert run.state == rows.IN_DOUBT
    ended = shop.carry_on(decide(shop.desk, run, ALICE, "stop"))
    assert (ended.state, shop.machine.calls) == (rows.FAILED, ["restart"])
    assert "stopped by a person" in (ended.said or "")


# --- the way back ---


@pytest.mark.parametrize("point", ["undo: before", "undo: after"])
def test_a_way_back_that_must_not_be_gone_twice_is_gone_once(engine: sa.Engine, point: str) -> None:
    steps = [{**RESIZE, "undo": {"uses": "test.start_over"}}, RESTART]
    shop = workshop(desk_on(engine), runbook(steps=steps), machine=Machine(faults=["", "refuse"]))
    run, left = shop.start(ALICE), [point]

    def die(name: str) -> None:
        if left and name == left[0]:
            raise Killed(left.pop())

    dying = workshop(desk_on(engine, shop.clock, die), machine=shop.machine)
    with pytest.raises(Killed):
        dying.carry_on(run)
    ended = shop.carry_on(run)
    step = shop.steps(run.id)[0]
    assert ended.state == rows.FAILED and shop.machine.calls.count("start over") == (point == "undo: after")
    assert step.state == ("undone" if point == "undo: after" else "not undone")
    assert step.way_back is not None and step.way_back["before"] == {"restarts": 0}


def test_on_the_way_back_a_step_that_failed_never_looks_like_one_that_went_well(engine: sa.Engine) -> None:
    reads = {"name": "read", "uses": "test.read", "timeout": "10s", "on_failure": "continue"}
    steps = [{**RESTART, "name": "first"}, reads, RESTART]
    shop = workshop(desk_on(engine), runbook(steps=steps), machine=Machine(faults=["", "silent"]))
    shop.machine.values["healthy"] = False
    run = shop.carry_on(shop.start(ALICE))
    assert run.state == rows.IN_DOUBT
    shop.carry_on(decide(shop.desk, run, ALICE, "stop"))
    assert [each.state for each in shop.steps(run.id)][:3] == ["kept", "failed", "not undone"]
    assert "stopped by a person" in (shop.steps(run.id)[2].said or "")


def test_a_run_that_failed_has_failed_even_if_somebody_cancels_it_on_its_way_back(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESIZE, RESTART]), machine=Machine(faults=["", "refuse"]))
    run = shop.start(ALICE)
    while shop.look(run.id).state != rows.UNDOING:
        shop.execution.move(run.id)
    cancel(shop.desk, run, PAUL)
    ended = shop.carry_on(run)
    assert ended.state == rows.FAILED and "AccessDenied" in (ended.said or "")


# --- people at once ---


def cancelling(shop: Workshop, run: Run, point: str) -> tuple[Workshop, list[str]]:
    """A process during whose `point` somebody cancels the run."""
    left = [point]

    def meanwhile(name: str) -> None:
        if left and name == left[0]:
            left.pop()
            cancel(shop.desk, run, PAUL)

    return workshop(desk_on(shop.desk.engine, shop.clock, meanwhile), machine=shop.machine), left


@pytest.mark.parametrize(("point", "calls"), [
    ("run: prepare: after commit", []), ("run: begin: after commit", ["restart"]), ("act: before", ["restart"]),
    ("act: after", ["restart"]), ("run: acted: after commit", ["restart"]), ("run: done: after commit", ["restart"]),
])
def test_once_it_is_cancelled_nothing_begins_and_a_call_under_way_is_seen_to_its_end(
    engine: sa.Engine, point: str, calls: list[str],
) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESTART, RESIZE]))
    run = shop.start(ALICE)
    busy, left = cancelling(shop, run, point)
    ended = busy.carry_on(run)
    assert left == [] and (ended.state, shop.machine.calls) == (rows.CANCELLED, calls)
    assert "Cancelled by Paul" in (ended.said or "")


def test_a_cancel_that_is_committed_while_the_step_looks_for_the_last_time_keeps_it_from_beginning(engine: sa.Engine) -> None:
    """Between the reading of the run and the row of the intent."""
    looked: list[None] = []

    def look() -> State:
        looked.append(None)
        if len(looked) == 2:
            cancel(shop.desk, run, PAUL)
        return {}

    shop = odd(engine, finds=look)
    run = shop.start(ALICE)
    ended = shop.carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.CANCELLED, [])


def test_a_doubt_is_told_when_the_run_is_cancelled_over_it_and_perhaps_taken_back(engine: sa.Engine) -> None:
    for on_cancel in ("keep", "undo"):
        book = runbook(steps=[{**RESIZE, "idempotent": False}], on_cancel=on_cancel)
        shop = workshop(desk_on(engine), book, machine=Machine(faults=["silent"]))
        run = shop.carry_on(shop.start(ALICE))
        assert run.state == rows.IN_DOUBT
        cancel(shop.desk, run, PAUL)
        ended, step = shop.carry_on(run), shop.steps(run.id)[0]
        assert ended.state == rows.CANCELLED
        if on_cancel == "keep":
            assert "Step 1 \"resize\" was in doubt" in (ended.said or "")
        else:
            assert (step.state, shop.machine.calls) == ("undone", ["resize", "resize back"])


def test_what_two_people_say_at_once_is_done_once(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESTART]), machine=Machine(faults=["silent"]))
    run = shop.carry_on(shop.start(ALICE))
    decide(shop.desk, run, ALICE, "again")
    for late in ("again", "happened", "stop"):
        with pytest.raises(Refused, match="Nothing of run 1 is in doubt"):
            decide(shop.desk, run, PAUL, late)      # type: ignore[arg-type]
    assert shop.carry_on(run).state == rows.SUCCEEDED
    assert shop.machine.calls == ["restart", "restart"] and told(shop, run).count("run decided") == 1


def test_a_run_is_cancelled_once_and_wakes_up_for_it(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(busy="wait"))
    first, second = shop.start(ALICE), shop.start(ALICE)
    shop.execution.move(first.id)
    assert shop.carry_on(second).state == rows.WAITING
    cancelled = cancel(shop.desk, second, PAUL)
    assert cancelled.due_at is not None
    with pytest.raises(Refused, match="being cancelled already, by Paul"):
        cancel(shop.desk, second, PAUL)
    assert shop.carry_on(second).state == rows.CANCELLED
    assert shop.carry_on(first).state == rows.SUCCEEDED


# --- time ---


def test_a_long_wait_survives_a_restart_and_ends_elsewhere_on_time(engine: sa.Engine) -> None:
    actions = {**ACTIONS, **{each.name: each for each in FLOW.actions}}
    steps = [{"name": "wait", "uses": "flow.wait", "with": {"duration": "2h"}}, RESTART]
    first = equipped(workshop(desk_on(engine), runbook(steps=steps)), actions)
    run, pauses = first.start(ALICE), []
    while not pauses or pauses[-1] == 0:
        pauses.append(first.execution.move(run.id) or 0)
    assert pauses[-1] == timedelta(hours=2).total_seconds(), "nobody looks at the clock meanwhile"
    later = ManualClock(T0 + timedelta(hours=1, minutes=59))
    elsewhere = equipped(workshop(desk_on(engine, later), machine=first.machine), actions)
    assert elsewhere.execution.move(run.id) == 60
    later.advance(60)
    ended = elsewhere.carry_on(run)
    assert ended.state == rows.SUCCEEDED and ended.ended_at == T0 + timedelta(hours=2)


# --- another process took over meanwhile ---


class Slept:
    """The process sleeps at a point: while it does, others go on; then it wakes and knows nothing of it."""

    def __init__(self, point: str, meanwhile: Callable[[], Any]) -> None:
        self.point, self.meanwhile, self.slept = point, meanwhile, False

    def __call__(self, name: str) -> None:
        if name == self.point and not self.slept:
            self.slept = True
            self.meanwhile()


def sleeping(shop: Workshop, point: str, meanwhile: Callable[[], Any]) -> tuple[Workshop, Slept]:
    slept = Slept(point, meanwhile)
    return workshop(desk_on(shop.desk.engine, shop.clock, slept), machine=shop.machine), slept


@pytest.mark.parametrize("point", ["run: begin: after commit", "act: before", "act: after"])
def test_who_sleeps_while_another_takes_the_run_over_does_nothing_a_second_time(sqlite_engine: sa.Engine, point: str) -> None:
    shop = workshop(desk_on(sqlite_engine), runbook(steps=[RESTART, RESIZE]))
    run, seen = shop.start(ALICE), []

    def meanwhile() -> None:
        seen.append(shop.carry_on(run).state)
        if seen == [rows.IN_DOUBT]:
            seen.append(shop.carry_on(decide(shop.desk, run, PAUL, "again")).state)

    sleeper, slept = sleeping(shop, point, meanwhile)
    with pytest.raises(Exception, match="is no longer"):
        sleeper.execution.move(run.id), sleeper.execution.move(run.id), sleeper.execution.move(run.id)
    assert slept.slept and seen[-1] == rows.SUCCEEDED
    assert shop.machine.calls.count("restart") == 1
    assert shop.look(run.id).state == rows.SUCCEEDED, "and it writes nothing into what others have ended"


def test_who_sleeps_too_long_before_the_call_does_not_make_it(engine: sa.Engine) -> None:
    """Nobody took over yet; but somebody may, and look, and find nothing, and ask a person."""
    shop = workshop(desk_on(engine), runbook(steps=[RESTART]))
    run = shop.start(ALICE)
    sleeper, slept = sleeping(shop, "act: before", lambda: shop.clock.advance(25))
    before = [sleeper.execution.move(run.id) for _ in range(3)]
    assert slept.slept and shop.machine.calls == []
    assert shop.carry_on(run).state == rows.SUCCEEDED, before
    assert shop.machine.calls == ["restart"]


def test_a_refusal_that_comes_late_is_not_taken_for_that_of_another_step(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[RESTART, {**RESIZE}]))
    run = shop.start(ALICE)

    class Late(type(ACTIONS["test.restart"])):      # type: ignore[misc]
        def act(self, world: World, params: Params, before: State) -> Outcome:
            shop.machine.values["restarts"] += 1            # by whoever took over
            shop.execution.move(run.id)                     # finds out that it happened
            shop.execution.move(run.id)                     # sees it done, and goes to the next step
            raise Failed("AWS refused: ExpiredToken")

    late = equipped(shop, {**ACTIONS, "test.restart": Late()})
    late.execution.move(run.id), late.execution.move(run.id)
    with pytest.raises(Exception, match="step 1 is done"):
        late.execution.move(run.id)
    assert [each.state for each in shop.steps(run.id)][:2] == ["done", "pending"]
    assert shop.carry_on(run).state == rows.SUCCEEDED


# --- two legs at once ---


def test_of_two_that_look_at_once_what_is_due_one_gets_the_run(postgres_engine: sa.Engine) -> None:
    shop = workshop(desk_on(postgres_engine), runbook(busy="wait"))
    started = [shop.start(ALICE).id for _ in range(20)]
    with ThreadPoolExecutor(4) as several:
        claimed = [leg for each in several.map(lambda _: shop.execution._claim_due(), range(4)) for leg in each]
    assert sorted(claimed) == [(each, 1) for each in started]


def test_two_legs_of_one_run_at_once_do_each_thing_once(postgres_engine: sa.Engine) -> None:
    """It must not come to this; if it does, each move is made by one of them, and nothing is called twice."""
    steps = [RESTART, {**RESTART, "name": "again"}, RESIZE]
    shop = workshop(desk_on(postgres_engine), runbook(steps=steps, verify=[]))

    def leg(run: Run) -> None:
        while shop.look(run.id).state not in rows.ENDED:
            try:
                shop.execution.move(run.id)
            except Overtaken:
                continue

    for _ in range(15):
        shop.machine.calls.clear()
        run = shop.start(ALICE)
        with ThreadPoolExecutor(3) as several:
            list(several.map(leg, [run] * 3))
        assert shop.look(run.id).state == rows.SUCCEEDED and shop.machine.calls.count("restart") == 2
        assert told(shop, run).count("step done") == 3 * run.id and told(shop, run).count("run succeeded") == run.id


def test_no_answer_twice_is_no_second_call(engine: sa.Engine) -> None:
    shop = odd(engine, idempotent=False, does=lambda: (_ for _ in ()).throw(Unsure("no answer")))
    assert shop.carry_on(shop.start(ALICE)).state == rows.SUCCEEDED and shop.machine.calls == ["odd"]
