"""DORA's clocks and reminders: what is owed when, who is told, nobody in a blackout, each once whoever dies meanwhile."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from bot.review.facts import Month
from bot.services.incident import bank_api, reminding
from bot.services.review.facts import agreed
from bot.services.slack import hush
from bot.store import cards
from tests.duty_stage import Life, paris
from tests.fakes import KillAt, Killed
from tests.incident_stage import MAJOR, MINOR, due, fires, incident, owed, reporting


def kinds(here: Life, number: int = 1) -> list[str]:
    return [each.kind for each in owed(here, number)]


def major(here: Life, who: str = "alice", ago: float = 0) -> int:
    """One that was declared and classified now; returns its alert."""
    number = fires(here, minutes_ago=ago)
    here.say(who, f"incident {number}")
    assert "MAJOR" in here.say(who, "classify 1 " + MAJOR)
    return number


def told(here: Life, person: str) -> list[str]:
    return here.told(person, "notice:")


def remind(here: Life, at: str) -> int:
    here.move(at)
    return reminding.act(here.desk)


# --- since when it is known -------------------------------------------------------------------------------------------------


def test_the_first_acknowledgement_by_the_owners_people_is_awareness(engine: sa.Engine) -> None:
    here = reporting(engine)
    number = fires(here)
    here.say("lea", f"ack {number}")
    here.move("2026-11-24 10:05")
    here.say("alice", f"note {number} it is ours")
    here.say("alice", f"incident {number}")
    assert (incident(here).aware_at, incident(here).aware_by) == (paris("2026-11-24 10:05"), "alice"), "the partner's is not ours"


def test_whoever_acknowledged_before_it_was_declared_knew_then(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    number = fires(here)
    here.say("bruno", f"ack {number}")
    here.move("2026-11-24 11:30")
    here.say("alice", f"incident {number}")
    assert (incident(here).aware_at, incident(here).aware_by) == (paris("2026-11-24 10:00"), "bruno")


def test_at_night_the_partners_declaration_is_the_confirmed_escalation(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-11-24 02:14")
    here.say("omar", f"incident {fires(here)}")
    assert (incident(here).aware_at, incident(here).aware_by) == (paris("2026-11-24 02:14"), "omar")


def test_a_change_of_it_needs_a_reason_moves_the_limit_and_is_kept(engine: sa.Engine) -> None:
    here = reporting(engine, "2026-11-24 22:00")
    major(here, ago=1500)
    assert due(here, "initial") == paris("2026-11-25 02:00")
    answer = here.say("paul", "incident aware 1 24/11 00:30 a client had called")
    assert "known since Tue 24 Nov 00:30" in answer and "Before, it was Tue 24 Nov 22:00" in answer
    assert due(here, "initial") == paris("2026-11-25 00:30"), "24 h from awareness are sooner than 4 h from now"
    [entry] = here.entries("incident aware changed")
    assert json.loads(entry.details)["reason"] == "a client had called"
    assert "Only Bridge's people may `incident aware`" in here.say("lea", "incident aware 1 22:01 later")
    assert [each.ended_at is None for each in _all(here, "initial")] == [False, True], "what was owed before stays on record"


def _all(here: Life, kind: str) -> list[Any]:
    with here.desk.read() as connection:
        return list(connection.execute(sa.text("SELECT * FROM notice WHERE kind = :kind ORDER BY id"), {"kind": kind}))


# --- the chain of limits ----------------------------------------------------------------------------------------------------


def test_each_report_opens_the_clock_of_the_next(engine: sa.Engine) -> None:
    here = reporting(engine)
    major(here)
    assert sorted(kinds(here)) == ["clients", "initial"] and due(here, "initial") == paris("2026-11-24 14:00")
    here.move("2026-11-24 13:00")
    answer = here.say("marie", "incident notice 1 initial ACPR-2026-118")
    assert "The initial notification of incident 1 was sent Tue 24 Nov 13:00" in answer
    assert due(here, "intermediate") == paris("2026-11-27 13:00"), "72 h from the submission, not from the classification"
    here.move("2026-11-26 10:00")
    here.say("marie", "incident notice 1 intermediate ACPR-2026-118-2")
    assert due(here, "final") == paris("2026-12-26 10:00")
    here.move("2026-11-28 10:00")
    here.say("alice", "incident end 1")
    assert sorted(kinds(here)) == ["clients", "final", "intermediate"], "recovered: an update without delay"
    here.move("2026-11-28 11:00")
    here.say("marie", "incident notice 1 intermediate ACPR-2026-118-3")
    assert due(here, "final") == paris("2026-12-28 11:00"), "a month after the newest of its updates"
    here.say("marie", "incident notice 1 clients mail of 28 Nov")
    assert "Nothing more is owed." in here.say("marie", "incident notice 1 final ACPR-2026-118-4")


def test_a_report_may_be_said_to_have_been_sent_earlier(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    here.move("2026-11-24 18:00")
    here.say("marie", "incident notice 1 initial A-1 at=13:55")
    assert due(here, "intermediate") == paris("2026-11-27 13:55")
    assert json.loads(here.entries("notice sent")[-1].details)["in_time"] is True


def test_classified_after_a_day_has_four_hours(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    here.move("2026-11-25 11:00")
    here.say("alice", "classify 1 " + MAJOR)
    assert due(here, "initial") == paris("2026-11-25 15:00")


def test_classified_again_as_major_does_not_wind_the_clock_up(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    here.move("2026-11-24 12:00")
    here.say("bruno", "classify 1 " + MAJOR)
    assert due(here, "initial") == paris("2026-11-24 14:00") and kinds(here).count("initial") == 1


def test_classified_anew_as_not_major_ends_what_is_owed_and_its_reminders(engine: sa.Engine) -> None:
    here = reporting(engine)
    major(here)
    reminding.act(here.desk)
    assert [each.due_at is not None for each in here.directs("marie", "notice:")].count(True) >= 1
    answer = here.say("alice", "classify 1 " + MINOR)
    assert "not major" in answer and "What was owed as major is no longer." in answer and kinds(here) == []
    assert not any(each.due_at for each in here.directs("marie", "notice:")), "what Slack has not taken is taken back"
    assert [json.loads(each.details)["notice"] for each in here.entries("notice ended")] == ["initial", "clients"]
    history = here.say("alice", "classify 1 history").splitlines()
    assert len(history) == 2 and ": MAJOR, by Alice" in history[0] and ": not major, by Alice" in history[1]
    here.move("2026-11-24 12:00")
    here.say("alice", "classify 1 " + MAJOR)
    assert due(here, "initial") == paris("2026-11-24 16:00"), "major again: from then"


def test_what_was_reported_as_major_must_be_reclassified_there_too(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    here.say("marie", "incident notice 1 initial A-1")
    assert "It was reported as major: tell ACPR that it is reclassified" in here.say("alice", "classify 1 " + MINOR)


def test_a_limit_that_cannot_be_kept_is_told_with_reasons_before_it_is_over(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    answer = here.say("marie", "incident notice 1 initial delay=the portal does not answer")
    assert answer.startswith("Kept: the initial notification of incident 1 will be late, for the portal does not answer.")
    assert kinds(here).count("initial") == 1
    assert json.loads(here.entries("notice delayed")[0].details)["before_limit"] is True


def test_only_the_owners_people_report(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    assert "Only Bridge's people may `incident notice`, for Bridge answers to the authority. Ask Marie." in here.say(
        "lea", "incident notice 1 initial X")
    assert "Bridge classifies, as long as its people may be reached: ask Marie." in here.say("lea", "classify 1 " + MINOR)


def test_at_night_the_partner_may_classify_and_the_journal_says_who(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-11-24 02:00")
    major(here, "lea")
    assert here.entries("incident classified")[0].organisation == "padok" and due(here, "initial") == paris("2026-11-24 06:00")


def test_for_a_drill_nothing_is_owed(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)} drill=yes")
    here.say("alice", "classify 1 " + MAJOR)
    assert kinds(here) == []


# --- the worksheet ----------------------------------------------------------------------------------------------------------


def test_the_worksheet_shows_its_result_before_it_is_kept(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here, minutes_ago=180)}")
    filled = ("classify", "gate=critical", "clients=30000", "downtime=3h", "worksheet-estimated")
    assert here.say("alice", *filled, ref="incident1", way="button") == "" and here.entries("incident classified") == []
    answer = here.say("alice", *filled, "keep=yes", ref="incident1", way="form")
    assert "Incident 1 is MAJOR by 2024/1772." in answer and "15.0% of the clients of the service" in answer
    assert "Owed: " in answer and "initial notification by Tue 24 Nov 14:00" in answer


def test_try_keeps_nothing(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here)}")
    assert "Nothing was kept" in here.say("alice", "classify 1 try " + MAJOR) and kinds(here) == []


def test_facts_fill_in_what_they_know_and_answers_are_carried_on(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    here.say("alice", f"incident {fires(here, minutes_ago=150)}")
    answer = here.say("alice", "classify 1 states=2 actual")
    assert "MAJOR" in answer and "critical services are down for 2.5 h, more than 2" in answer
    here.move("2026-11-24 11:00")
    assert "2 member states" in here.say("alice", "classify 1 actual"), "what was said before still holds"


# --- who is told ------------------------------------------------------------------------------------------------------------


def test_by_day_the_duty_and_whoever_reports_are_told_each_step_once(engine: sa.Engine) -> None:
    here = reporting(engine)
    major(here)
    assert reminding.act(here.desk) > 0 and reminding.act(here.desk) == 0
    [first] = [each for each in told(here, "marie") if "initial" in each]
    assert first.startswith("📮 The initial notification of incident 1")
    assert "is owed to ACPR: by Tue 24 Nov 14:00 (Paris time), in 4 h." in first
    on_duty = next(each for each in ("alice", "bruno") if told(here, each))
    assert any("initial" in each for each in told(here, on_duty))
    for at, count in (("12:00", 2), ("12:30", 2), ("13:00", 3), ("13:45", 4), ("14:00", 5), ("14:05", 5), ("20:00", 5)):
        remind(here, f"2026-11-24 {at}")
        assert sum("initial" in each for each in told(here, "marie")) == count, at
    assert "late since Tue 24 Nov 14:00 (Paris time), 0 s ago" in told(here, "marie")[-1]
    assert here.offers("marie", "notice:")[0] == ["It is sent…", "incident:notice:initial", "incident1"]


def test_what_came_due_while_vigie_was_down_is_said_in_one_word(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    remind(here, "2026-11-24 13:50")
    assert sum("initial" in each for each in told(here, "marie")) == 1
    assert "in 10 min" in next(each for each in told(here, "marie") if "initial" in each)


def test_at_night_nobody_in_blackout_is_told_and_the_duty_learns_why(engine: sa.Engine) -> None:
    here = reporting(engine, "2026-11-24 01:00")
    major(here, "lea")
    for at in ("01:00", "03:00", "04:00", "04:45", "05:00"):
        remind(here, f"2026-11-24 {at}")
    eight = paris("2026-11-24 08:00")
    every = here.directs("marie", "notice:") + here.directs("paul", "notice:")
    assert every and all(each.due_at is not None and each.due_at >= eight for each in every)
    [at_eight] = [each for each in told(here, "marie") if "initial" in each]        # one word of all that fell into it
    assert "late since Tue 24 Nov 05:00 (Paris time), 3 h ago" in at_eight
    on_duty = next(each for each in ("lea", "omar", "ines") if told(here, each))
    said = told(here, on_duty)
    assert len(said) == 5 and "Marie is in Bridge's blackout until Tue 24 Nov 08:00 (Paris time) and is told then." in said[0]
    assert "The limit comes before that: what the mandate says for this case counts; Paul is the one of Bridge" in said[0]
    assert any(json.loads(each.details).get("asleep") == ["marie", "paul"] for each in here.entries("notice told"))


def test_the_courier_would_not_send_it_into_the_blackout_either(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-11-24 23:00")
    major(here, "bruno")
    reminding.act(here.desk)
    [post] = [each for each in here.directs("marie", "notice:") if "initial" in (each.body or "")]
    with pytest.raises(hush.Asleep):
        hush.awake_for(here.desk.config, post, paris("2026-11-25 00:00"))


def test_the_final_report_is_a_matter_of_working_hours(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    here.say("marie", "incident notice 1 initial A-1")
    here.say("marie", "incident notice 1 intermediate A-2")
    assert due(here, "final") == paris("2026-12-24 10:00")
    before = {each: len(told(here, each)) for each in ("alice", "bruno", "lea", "omar")}
    remind(here, "2026-12-17 22:00")
    [post] = [each for each in here.directs("marie", "notice:") if "The final report" in (each.body or "")]
    assert post.due_at == paris("2026-12-18 08:00")
    assert {each: len(told(here, each)) for each in before} == before


@pytest.mark.parametrize("point", ["report owed: before commit", "report owed: after commit"])
def test_a_death_between_loses_no_reminder_and_says_none_twice(engine: sa.Engine, point: str) -> None:
    here = reporting(engine)
    major(here)
    from_the_dead = here.desk.kill
    object.__setattr__(here.desk, "kill", KillAt(point))
    with pytest.raises(Killed):
        reminding.act(here.desk)
    object.__setattr__(here.desk, "kill", from_the_dead)
    reminding.act(here.desk)
    assert sum("initial" in each for each in told(here, "marie")) == 1


# --- a bank's interface -----------------------------------------------------------------------------------------------------


def test_an_alert_of_a_banks_interface_makes_its_kind_and_a_task_for_the_day(engine: sa.Engine) -> None:
    here = reporting(engine, "2026-11-24 02:00")
    answer = here.say("lea", f"incident {fires(here, 'bank-sync/timeouts', labels={'latency': '31 s'})}")
    assert "a bank's interface is down" in answer and incident(here).kind == "bank_api_down"
    assert kinds(here) == ["bank_api"]
    remind(here, "2026-11-24 03:00")
    assert told(here, "marie") == [] and told(here, "lea") == [], "not at night"
    remind(here, "2026-11-24 08:00")
    assert "A report that a bank's interface was down (2018/389 art. 33(3)) of incident 1" in told(here, "marie")[0]
    assert "is owed to ACPR: without delay" in told(here, "marie")[0]
    remind(here, "2026-11-25 08:00")
    assert len(told(here, "marie")) == 2 and remind(here, "2026-12-25 08:00") == 0


def test_evidence_counts_failures_with_their_first_and_last(engine: sa.Engine) -> None:
    here = reporting(engine)
    number = fires(here, "bank-sync/timeouts", labels={"latency": "31 s"}, minutes_ago=9)
    for minutes in (6, 3):
        with pytest.raises(AssertionError):          # the same alert: no new number
            fires(here, "bank-sync/timeouts", labels={"latency": "31 s"}, minutes_ago=minutes)
    here.say("alice", f"note {number} the bank confirms it")
    here.say("alice", f"incident {number}")
    with here.desk.read() as connection:
        found = bank_api.as_document(bank_api.evidence(connection, incident(here)))
    assert (found["failures"], found["first"], found["last"]) == (3, "2026-11-24T08:51:00+00:00", "2026-11-24T08:57:00+00:00")
    assert (found["latency"], found["notes"], found["recovered"]) == ("31 s", ["the bank confirms it"], None)


def test_what_nobody_declared_is_told_once_a_working_day(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, "2026-11-24 03:00")
    number = fires(here, "bank-sync/timeouts")
    fires(here)
    assert bank_api.act(here.desk) is False, "not at night"
    here.move("2026-11-24 08:00")
    assert bank_api.act(here.desk) is True and bank_api.act(here.desk) is False
    [said] = here.told("marie", "bank-api:")
    assert f"1 alert of a bank's interface since Tue 24 Nov 03:00 (Paris time), and no incident for it: #{number}." in said
    here.say("alice", f"incident {number}")
    here.move("2026-11-25 09:00")
    assert bank_api.act(here.desk) is False


def test_without_a_condition_no_alert_tells_of_a_bank(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine, bank_api={})
    here.say("alice", f"incident {fires(here, 'bank-sync/timeouts')}")
    assert incident(here).kind == "outage" and bank_api.act(here.desk) is False


def test_no_post_of_reminders_calls_by_name(sqlite_engine: sa.Engine) -> None:
    here = reporting(sqlite_engine)
    major(here)
    reminding.act(here.desk)
    with here.desk.read() as connection:
        bodies = connection.execute(sa.select(cards.post.c.body).where(cards.post.c.key.like("notice:%"))).scalars()
        assert all("<@" not in (each or "") for each in bodies)


# --- what a month knows ---------------------------------------------------------------------------------------------------


def test_a_review_as_of_then_knows_nothing_that_was_said_since(engine: sa.Engine) -> None:
    here = reporting(engine)
    major(here, ago=30)
    here.say("alice", "incident cause 1 nat")
    here.move("2026-11-24 12:00")
    month = Month.of("2026-11", "Europe/Paris", "FR", here.clock.now())

    def known() -> Any:
        with here.desk.read() as connection:
            return agreed.incidents(connection, month, month.start)

    before = known()
    assert [(each.cause, each.ended_at, each.major, len(each.notices)) for each in before] == [("nat", None, True, 2)]
    here.move("2026-11-24 13:00")
    for line in (
        "incident end 1 11:00", "incident cause 1 disk", "incident cause 1 disk of 3a", "incident third-party 1 AWS",
        "incident aware 1 09:40 a client had called", "incident impact 1 ledger 09:30 10:00",
        "incident notice 1 initial A-1 at=11:50",
        "classify 1 " + MINOR,
    ):
        here.say("alice", line)
    assert known() == before
