"""Each minute somebody looks: no open important alert that nobody has may be without a next call."""

from datetime import timedelta

import sqlalchemy as sa

from bot.services.alert import response
from bot.services.call import auditor, silences
from bot.services.meters import Meters
from bot.store.pages import escalation
from tests.call_stage import OMAR, UNKNOWN, Calls, calls
from tests.story import INES, LEA


def audit(night: Calls) -> list[int]:
    return [each.group_id for each in auditor.audit(night.night.desk)]


def forget(night: Calls) -> None:
    """A bug, a crash, a hand in the database: the calling is gone."""
    with night.night.desk.begin("test") as connection:
        connection.execute(sa.update(escalation).values(state="ended", due_at=None))


def test_an_alert_that_is_being_called_about_is_left_alone(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    for _ in range(25):
        night.live(1)
        assert audit(night) == []


def test_a_forgotten_alert_is_called_about_once(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    forget(night)
    assert audit(night) == [], "it may be about to happen"
    night.night.clock.advance(61)
    assert audit(night) == [1] and audit(night) == []
    assert night.timeline() == [(0, "lea"), (1, "lea")] and night.night.told("call missing")[0]["mended"]
    night.live(5)
    assert night.timeline()[-1] == (6, "omar")


def test_one_that_nobody_decided_about_is_called_about(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.night.tell(**UNKNOWN)
    night.night.clock.advance(61)
    assert audit(night) == [1] and night.timeline() == [(1, "lea")]


def test_a_calling_that_is_stuck_is_begun_anew(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    night.night.clock.advance(60 * 8)
    assert audit(night) == [1]
    assert [each.state for each in night.callings()] == ["ended", "running"]


def test_a_lease_that_was_forgotten_is_watched_again(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    response.ack(night.night.desk, night.night.alert(), OMAR)
    forget(night)
    night.night.clock.advance(61)
    assert audit(night) == [1] and night.timeline() == [(0, "lea")]
    night.live(41)
    assert [who for _, who in night.timeline()] == ["lea", "omar", "lea"]


def test_what_is_silent_snoozed_or_unimportant_is_no_finding(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    silences.start(night.night.desk, "ledger", timedelta(hours=1), "migration", OMAR)
    silences.agree(night.night.desk, 1, INES)
    night.night.tell(key="ledger", name="ledger-drift", severity="critical", service="ledger")
    night.night.tell(key="batch", name="batch-slow", severity="warning", service="batch-worker")
    night.alarm()
    response.snooze(night.night.desk, night.night.alert(3), LEA, timedelta(minutes=30))
    forget(night)
    night.night.clock.advance(120)
    assert audit(night) == []


def test_metrics_tell_of_callings_and_of_what_was_forgotten(sqlite_engine: sa.Engine) -> None:
    night, meters = calls(sqlite_engine), Meters()
    night.alarm()
    text = meters.expose(night.night.desk, 0).decode()
    assert 'vigie_escalations{state="running"} 1.0' in text and "vigie_silences 0.0" in text
    assert 'vigie_calls_total{role="primary"} 0.0' in text and "vigie_calls_missing_total 0.0" in text
