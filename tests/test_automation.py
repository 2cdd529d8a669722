"""What Vigie does by itself: it runs what it is trusted with, once, and calls a person for the rest."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.services.alert import automation, response
from bot.services.desk import VIGIE
from bot.services.run import brakes, ladder
from bot.store import runs as rows
from tests.fakes import KillAt, Killed
from tests.night_shift import SHARED, Shift, shift
from tests.story import ALICE, LEA, T0, arrive, signal
from tests.workshop import runbook


def test_a_recognised_alert_is_fixed_proven_and_closed_while_everybody_sleeps(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    assert night.decide() == 1
    run, = night.work()
    assert (run.actor, run.mode, run.state) == (VIGIE.key, "automatic", rows.SUCCEEDED)
    night.tell("recovered")
    night.live(20)
    alert = night.alert()
    assert (alert.state, alert.ending, alert.fixed_by, alert.called_at) == ("closed", "fixed", run.id, None)
    assert "healthy is True" in (alert.proof or "") and night.called() == []


def test_what_is_only_recognised_is_offered(engine: sa.Engine) -> None:
    night = shift(engine)
    night.trust("click")
    night.tell()
    night.decide()
    assert (night.alert().decision, night.runs(), night.called()) == ("offer", [], [])


def test_a_runbook_is_run_by_nobody_but_people_until_they_promote_it(engine: sa.Engine) -> None:
    night = shift(engine, runbook(name="smaller"), runbook(name="other", when=[{"service": ["ledger"]}]))
    night.tell(key="ledger lag", name="ledger-lag")
    night.decide()
    assert (night.alert().decision, night.runs()) == ("offer", [])


def test_a_person_is_called_for_what_is_important_and_unknown(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell(key="pay-api p99", name="pay-api-p99", severity="critical")
    night.decide()
    alert = night.alert()
    assert (alert.decision, alert.called_at, night.called()) == ("page", night.clock.now(), ["lea"])
    assert night.told("person called") == [
        {"who": "lea", "role": "primary", "why": "important, and no runbook recognises it."}
    ]


def test_nobody_is_called_for_what_is_neither(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell(key="edge 4xx", name="edge-4xx")
    assert night.decide() == 0
    assert (night.alert().decision, night.called()) == ("show", [])


def test_what_gets_worse_is_decided_about_again(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell(key="edge 4xx", name="edge-4xx")
    night.clock.advance(60)
    night.tell(key="edge 4xx", name="edge-4xx", severity="critical")
    assert night.alert().decision is None
    night.decide()
    assert (night.alert().decision, night.called()) == ("page", ["lea"])


def test_a_run_for_something_important_asks_first(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell(severity="critical")
    night.decide()
    assert (night.alert().decision, night.called()) == ("approve", [])
    asking = night.shop.carry_on(night.runs()[0], most_s=60)
    assert (asking.state, night.machine.calls) == (rows.ASKING, [])


def test_when_nobody_approves_a_person_is_called_and_the_runbook_keeps_its_trust(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell(severity="critical")
    night.decide()
    run, = night.work()
    assert (run.state, night.called(), night.told("runbook demoted")) == (rows.FAILED, ["lea"], [])


def test_deciding_twice_starts_one_run(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    assert (night.decide(), night.decide(), len(night.runs())) == (1, 0, 1)


def test_two_processes_start_one_run(postgres_engine: sa.Engine) -> None:
    night = shift(postgres_engine)
    for n in range(5):
        night.tell(key=f"alarm {n}")
    with ThreadPoolExecutor(4) as pool:
        decided = sum(pool.map(lambda _: automation.act(night.desk), range(4)))
    assert (decided, len({each.alert_id for each in night.runs()})) == (5, len(night.runs()))
    assert len(night.told("alert decided")) == 5


@pytest.mark.parametrize("point", range(1, 5))
def test_a_death_while_deciding_leaves_one_decision_and_one_run(engine: sa.Engine, point: int) -> None:
    night = shift(engine)
    night.tell()
    try:
        automation.act(replace(night.desk, kill=KillAt(None, point)))
    except Killed:
        night.decide()
    assert (night.alert().decision, len(night.runs()), len(night.told("alert decided"))) == ("run", 1, 1)


def test_a_busy_target_is_a_reason_not_to_run(engine: sa.Engine) -> None:
    night = shift(engine)
    first = night.shop.start(ALICE)
    night.shop.execution.move(first.id)
    night.tell()
    night.decide()
    assert (night.alert().decision, len(night.runs())) == ("offer", 1)
    assert any(f"Run {first.id} works on service:pay-api" in each for each in night.told("alert decided")[0]["why"])


def test_a_run_under_way_for_the_group_is_enough(engine: sa.Engine) -> None:
    night = shift(engine, config=SHARED)
    night.tell()
    night.decide()
    night.tell(key="monitor 7", name="pay-api-5xx", observer="Padok-1", endpoint="padok-datadog")
    night.decide()
    assert [night.alert(n).decision for n in (1, 2)] == ["run", "run"]
    assert (len(night.runs()), night.alert(2).group_id) == (1, 1)


def test_a_late_observer_of_what_is_fixed_already_starts_nothing(engine: sa.Engine) -> None:
    night = shift(engine, config=SHARED)
    night.tell()
    night.decide()
    night.clock.advance(1)
    before = night.clock.now()
    night.work()
    night.clock.advance(30)
    seen_at = (before - T0).total_seconds()
    arrive(night.desk, signal(at=seen_at, key="monitor 7", observer="Padok-1"), endpoint="padok-datadog")
    night.decide()
    assert (night.alert(2).decision, night.alert(2).fixed_by, len(night.runs()), night.called()) == ("run", 1, 1, [])


def test_a_new_observer_after_the_fix_means_that_it_did_not_hold(engine: sa.Engine) -> None:
    night = shift(engine, config=SHARED)
    night.tell()
    night.decide()
    night.work()
    night.clock.advance(60)
    night.tell(key="monitor 7", observer="Padok-1", endpoint="padok-datadog")
    night.decide()
    assert (night.alert(2).decision, len(night.runs()), night.called()) == ("offer", 1, ["lea"])
    assert night.runs()[0].relapsed_at is not None


# --- what does not hold ---


def fixed_and_back(night: Shift) -> None:
    night.tell()
    night.decide()
    night.work()
    night.clock.advance(60)
    night.tell("recovered")
    night.clock.advance(60)
    night.tell()


def test_a_relapse_after_a_fix_calls_a_person_and_takes_the_trust_away(engine: sa.Engine) -> None:
    night = shift(engine)
    fixed_and_back(night)
    assert (night.alert().decision, night.alert().fixed_by) == (None, None)
    night.decide()
    night.live(1)
    run, = night.runs()
    assert (night.alert().decision, night.called()) == ("offer", ["lea"])
    assert run.relapsed_at is not None and "is on click now" in (run.said or "")
    assert [each["rung"] for each in night.told("runbook demoted")] == ["click"]


def test_limits_may_allow_another_try(engine: sa.Engine) -> None:
    night = shift(engine, runbook(limits={"stop_after_failures": 2}))
    fixed_and_back(night)
    night.decide()
    assert (night.alert().decision, len(night.runs()), night.called()) == ("run", 2, [])
    assert night.told("runbook demoted") == []


def test_a_failed_run_calls_a_person_and_takes_the_trust_away(engine: sa.Engine) -> None:
    night = shift(engine)
    night.machine.faults = ["refuse"]
    night.tell()
    night.decide()
    run, = night.work()
    assert (run.state, night.called()) == (rows.FAILED, ["lea"])
    assert "is on click now" in (run.said or "")
    with night.desk.read() as connection:
        assert ladder.rung(connection, runbook()) == "click"


def test_a_run_that_a_person_started_calls_nobody(engine: sa.Engine) -> None:
    night = shift(engine)
    night.trust("click")
    night.machine.faults = ["refuse"]
    night.tell()
    night.shop.carry_on(night.shop.start(ALICE, alert=night.alert()))
    assert night.called() == []
    assert [each["rung"] for each in night.told("runbook demoted")] == ["manual"]


def test_whoever_has_the_alert_is_called_first(engine: sa.Engine) -> None:
    night = shift(engine)
    night.machine.faults = ["refuse"]
    night.tell()
    night.decide()
    response.ack(night.desk, night.alert(), LEA)
    night.work()
    assert night.called() == ["lea"]


def test_nobody_in_blackout_is_called_even_who_has_it(engine: sa.Engine) -> None:
    night = shift(engine)
    night.machine.faults = ["refuse"]
    night.tell()
    night.decide()
    response.ack(night.desk, night.alert(), ALICE)
    night.work()
    assert night.called() == ["lea"]


def test_a_fix_that_nobody_sees_is_asked_about(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    night.decide()
    night.work()
    night.live(20)
    assert (night.alert().state, night.alert().fixed_by, night.called()) == ("firing", 1, ["lea"])
    night.live(60)
    assert night.called() == ["lea"]


def test_what_heals_before_anything_was_changed_is_left_alone(engine: sa.Engine) -> None:
    night = shift(engine)
    night.tell()
    night.decide()
    night.clock.advance(1)
    night.tell("recovered")
    run, = night.work()
    assert (run.state, night.machine.calls, night.called()) == (rows.FAILED, [], [])
    assert night.told("runbook demoted") == []
    night.live(20)
    assert (night.alert().state, night.alert().ending) == ("closed", "healed")


def test_a_doubt_calls_somebody_who_is_awake(engine: sa.Engine) -> None:
    night = shift(engine, runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}]))
    night.machine.faults = ["silent"]
    night.tell()
    night.decide()
    run, = night.work()
    assert (run.state, night.called()) == (rows.IN_DOUBT, ["lea"])
    assert [each.key for each in night.posts("page")] == [f"doubt:{run.id}:1"]


def test_automation_that_is_stopped_says_who_stopped_it(engine: sa.Engine) -> None:
    night = shift(engine)
    brakes.stop(night.desk, "pay-api", LEA, "we are looking at it")
    night.tell()
    night.decide()
    why = night.told("alert decided")[0]["why"]
    assert night.alert().decision == "offer"
    assert any("stopped by Léa" in each and "service pay-api" in each and "looking at it" in each for each in why)
