"""A run is carried out step by step; what is not certainly known is found out by looking, and nothing is done twice."""

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.services.run.runs import cancel, decide
from bot.store import runs as rows
from tests.fakes import KillAt, Killed
from tests.story import ALICE, PAUL, desk_on
from tests.workshop import runbook, workshop


def test_a_run_does_its_steps_and_its_proofs_in_order(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.SUCCEEDED, ["resize", "restart"])
    assert [each.state for each in shop.steps(run.id)] == ["done"] * 3
    assert shop.machine.values["size"] == 14 and "healthy is True" in (run.said or "")


def test_what_a_step_may_do_is_exactly_what_its_action_needs(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    shop.carry_on(shop.start(ALICE))
    acting = [each for each in shop.worlds.errands if each.acting]
    assert [(each.actions, each.resources) for each in acting] == [
        (("test:Resize",), ("arn:aws:test:eu-west-3:111122223333:machines",)), (("test:Restart",), ()),
    ]


def test_a_lost_answer_is_read_from_the_world_and_never_sent_again(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}]))
    shop.machine.faults = ["lost"]
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.SUCCEEDED, ["restart"])


def test_when_the_world_is_silent_a_person_decides(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}]))
    shop.machine.faults = ["silent"]
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.IN_DOUBT, ["restart"])
    again = shop.carry_on(decide(shop.desk, run, ALICE, "again"))
    assert (again.state, shop.machine.calls) == (rows.SUCCEEDED, ["restart", "restart"])


@pytest.mark.parametrize(("decision", "state"), [("happened", rows.SUCCEEDED), ("stop", rows.FAILED)])
def test_a_person_may_say_that_it_happened_or_stop(engine: sa.Engine, decision: str, state: str) -> None:
    shop = workshop(desk_on(engine), runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}]))
    shop.machine.faults = ["silent"]
    run = shop.carry_on(shop.start(ALICE))
    ended = shop.carry_on(decide(shop.desk, run, ALICE, decision))
    assert (ended.state, shop.machine.calls) == (state, ["restart"])
    with pytest.raises(Refused, match="in doubt"):
        decide(shop.desk, run, ALICE, "again")


def test_throttling_is_waited_for(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    shop.machine.faults = ["throttle", "throttle"]
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.SUCCEEDED, ["resize", "resize", "resize", "restart"])


@pytest.mark.parametrize(("faults", "state"), [(["lost"], rows.SUCCEEDED), (["silent", "silent", "silent"], rows.FAILED)])
def test_a_change_without_an_answer_keeps_the_world_it_began_in(engine: sa.Engine, faults: list[str], state: str) -> None:
    """Looking again before the second try would take 14 for the old size, and the way back would lead nowhere."""
    shop = workshop(desk_on(engine), runbook(steps=[{"name": "resize", "uses": "test.resize", "with": {"size": 14}}]))
    shop.machine.faults = [*faults]
    run = shop.carry_on(shop.start(ALICE))
    step = shop.steps(run.id)[0]
    assert (run.state, step.before) == (state, {"size": 18})
    assert shop.machine.values["size"] == (14 if state == rows.SUCCEEDED else 18)


def test_a_failed_step_undoes_what_was_done_before(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    shop.machine.faults = ["", "refuse"]
    run = shop.carry_on(shop.start(ALICE))
    assert (run.state, shop.machine.calls) == (rows.FAILED, ["resize", "restart", "resize back"])
    assert shop.machine.values["size"] == 18 and "AccessDenied" in (run.said or "")
    assert [each.state for each in shop.steps(run.id)] == ["undone", "failed", "pending"]


def test_what_is_not_proven_is_not_a_success(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    shop.machine.values["healthy"] = False
    run = shop.carry_on(shop.start(ALICE))
    assert run.state == rows.FAILED and "healthy is False" in (run.said or "")
    assert shop.machine.values["size"] == 14, "a fix that is not proven is kept: a person looks"


def test_a_second_run_for_one_target_is_refused_and_names_the_first(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine))
    first = shop.start(ALICE)
    shop.execution.move(first.id)
    with pytest.raises(Refused, match=f"Run {first.id} works on service:pay-api"):
        shop.start(PAUL)


def test_a_second_run_waits_when_its_runbook_says_so(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(busy="wait"))
    first, second = shop.start(ALICE), shop.start(ALICE)
    shop.execution.move(first.id)
    assert shop.carry_on(second).state == rows.WAITING
    assert shop.carry_on(first).state == rows.SUCCEEDED
    assert shop.look(second.id).due_at is not None
    assert shop.carry_on(second).state == rows.SUCCEEDED


def test_a_cancelled_run_begins_no_further_step(engine: sa.Engine) -> None:
    shop = workshop(desk_on(engine), runbook(on_cancel="undo"))
    run = shop.start(ALICE)
    while shop.machine.calls != ["resize"]:
        shop.execution.move(run.id)
    cancel(shop.desk, run, PAUL, "wrong one")
    ended = shop.carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.CANCELLED, ["resize", "resize back"])
    with pytest.raises(Refused, match="is over"):
        cancel(shop.desk, run, PAUL)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"size": "many"}, "whole number"), ({"size": 1}, "at least 2"), ({"size": 99}, "at most 20"),
        ({"sise": 4}, "no parameter sise"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_in_words(engine: sa.Engine, given: dict, why: str) -> None:
    with pytest.raises(Refused, match=why):
        workshop(desk_on(engine)).start(ALICE, given=given)


@pytest.mark.parametrize("number", range(1, 34, 2))
def test_a_run_survives_death_at_any_moment(engine: sa.Engine, number: int) -> None:
    """Whatever dies where, nothing that is not idempotent is done twice, and the run comes to its end."""
    shop = workshop(desk_on(engine))
    run = shop.start(ALICE)
    dying = workshop(desk_on(engine, kill=KillAt(n=number)), machine=shop.machine)
    try:
        dying.carry_on(run)
    except Killed:
        ended = shop.carry_on(run)
    else:
        ended = shop.look(run.id)
    if ended.state == rows.IN_DOUBT:      # died right before the call: nobody can know, and nobody guesses
        assert shop.machine.calls.count("restart") == 0
        ended = shop.carry_on(decide(shop.desk, ended, ALICE, "again"))
    assert ended.state == rows.SUCCEEDED
    assert shop.machine.calls.count("restart") == 1
