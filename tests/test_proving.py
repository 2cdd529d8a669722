"""Vigie closes what is proven well: its source says OK, other eyes say so too, and it stayed quiet; else it stays open."""

import pytest
import sqlalchemy as sa

from bot.services.alert import due, response
from bot.services.run.runs import cancel
from bot.store import alerts
from bot.store import runs as rows
from tests.night_shift import Shift, shift
from tests.story import LEA, PAUL
from tests.workshop import runbook


@pytest.fixture
def night(engine: sa.Engine) -> Shift:
    made = shift(engine)
    made.trust("manual")
    return made


def healed(night: Shift) -> None:
    """It fires and recovers, untouched."""
    night.tell()
    night.live(1)
    night.tell("recovered")


def test_what_healed_is_closed_when_the_proofs_of_its_runbook_agree(night: Shift) -> None:
    healed(night)
    night.live(14)
    assert night.runs() == []
    night.live(2)
    proof, = night.runs()
    assert (proof.purpose, proof.state, proof.mode) == ("proof", rows.SUCCEEDED, "automatic")
    assert (night.alert().state, night.alert().ending, night.alert().proof) == ("closed", "healed", "Checked: healthy is True.")
    assert (night.machine.calls, night.called()) == ([], [])


def test_what_no_runbook_knows_is_closed_when_it_stayed_quiet(night: Shift) -> None:
    night.tell(key="ledger", name="ledger-lag")
    night.live(1)
    night.tell("recovered", key="ledger", name="ledger-lag")
    night.live(16)
    assert (night.alert().state, night.alert().ending, night.alert().proof, night.runs()) == ("closed", "healed", None, [])


def test_what_is_not_proven_stays_open_and_a_person_is_called_once(night: Shift) -> None:
    night.machine.values["healthy"] = False
    healed(night)
    night.live(30, step_s=5 * 60)
    assert (night.alert().state, night.called()) == ("recovered", ["lea"])
    assert "healthy is False" in (night.alert().proof or "")


def test_it_is_proven_again_until_it_is_well(night: Shift) -> None:
    night.machine.values["healthy"] = False
    healed(night)
    night.live(20)
    night.machine.values["healthy"] = True
    night.live(10)
    assert (night.alert().state, night.alert().ending, night.called()) == ("closed", "healed", ["lea"])


def test_it_is_not_looked_at_for_ever(night: Shift) -> None:
    night.machine.values["healthy"] = False
    healed(night)
    night.live(120, step_s=5 * 60)
    assert (len(night.runs()), night.alert().due_at, night.alert().state) == (6, None, "recovered")
    assert "a person must close it" in (night.alert().proof or "")
    night.tell("recovered")
    night.live(5)
    assert len(night.runs()) == 6
    response.close(night.desk, night.alert(), LEA)
    assert night.alert().ending == "person"


def test_a_relapse_while_it_is_proven_keeps_it_open(night: Shift) -> None:
    healed(night)
    night.clock.advance(15 * 60)
    due.act(night.desk)
    night.tell()
    night.work()
    assert (night.alert().state, night.runs()[0].state) == ("firing", rows.SUCCEEDED)


def test_proofs_that_somebody_cancels_call_nobody(night: Shift) -> None:
    healed(night)
    night.clock.advance(15 * 60)
    due.act(night.desk)
    cancel(night.desk, night.runs()[0], PAUL, "not now")
    night.work()
    assert (night.alert().state, night.called()) == ("recovered", [])
    assert "cancelled by Paul" in (night.alert().proof or "")
    night.live(6)
    assert night.alert().state == "closed"


def test_the_quiet_time_of_a_runbook_counts_before_that_of_vigie_yaml(engine: sa.Engine) -> None:
    night = shift(engine, runbook(probation="40m"))
    night.trust("manual")
    healed(night)
    night.live(39, step_s=3 * 60)
    assert (night.alert().state, night.runs()) == ("recovered", [])
    night.live(2)
    assert night.alert().state == "closed"


def test_an_observer_that_went_silent_is_not_one_that_says_ok(night: Shift) -> None:
    night.tell()
    night.tell(observer="Padok-1")
    night.live(1)
    night.tell("no data", observer="Padok-1")
    night.tell("recovered")
    night.live(30, step_s=5 * 60)
    assert night.alert().state == "firing"


def test_one_that_goes_silent_after_its_ok_holds_the_alert_open(night: Shift) -> None:
    healed(night)
    night.live(1)
    night.tell("no data")
    night.live(20)
    assert (night.alert().state, night.called(), night.runs()) == ("recovered", ["lea"], [])
    assert night.alert().proof == "CloudWatch sends no data: silence is not OK"
    night.tell("recovered")
    night.live(2)
    assert (night.alert().state, night.alert().ending) == ("closed", "healed")


def test_an_alarm_that_is_deleted_while_it_fires_leaves_its_alert_open_for_a_person(night: Shift) -> None:
    night.tell()
    night.live(1)
    night.tell("gone")
    night.live(60, step_s=10 * 60)
    assert night.alert().state == "firing" and night.told("observer gone")
    response.close(night.desk, night.alert(), LEA, "the new alarm says OK")
    assert night.alert().state == "closed"


def test_a_deleted_alarm_opens_nothing_and_one_made_anew_goes_on(night: Shift) -> None:
    night.tell("gone", key="another alarm")
    night.tell()
    night.live(1)
    for state in ("gone", "firing", "recovered"):
        night.tell(state)
        night.live(1)
    with night.desk.read() as connection:
        assert [each.state for each in alerts.recent(connection)] == ["recovered"]


def test_an_alarm_that_is_deleted_after_its_ok_holds_the_alert_open(night: Shift) -> None:
    healed(night)
    night.live(1)
    night.tell("gone")
    night.live(20)
    assert (night.alert().state, night.called()) == ("recovered", ["lea"])
    assert "silence is not OK" in (night.alert().proof or "")


def test_proofs_that_cannot_begin_prove_nothing(engine: sa.Engine) -> None:
    night = shift(engine, runbook(parameters={"size": {"type": "integer"}}))
    night.trust("manual")
    healed(night)
    night.live(20)
    assert (night.alert().state, night.called(), night.runs()) == ("recovered", ["lea"], [])
    assert "needs size" in (night.alert().proof or "")
