"""An engineer who cannot solve it calls the next level by hand: at once, once, never anybody asleep; who answers has it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.entrypoints.perform import Saying, perform
from bot.errors import Refused
from bot.services.alert import response
from bot.services.call import calling, escalating, escalation
from bot.services.desk import Actor
from bot.services.review import choosing
from bot.services.review.facts import gathering
from bot.services.slack import cards as drawing
from bot.store.db import reader
from tests.call_stage import EXAMPLE, OMAR, Calls, calls, with_
from tests.chat_stage import FAMILY
from tests.fakes import KillAt, Killed
from tests.story import ALICE, INES, LEA, MARIE

UNIMPORTANT = {"key": "ledger slow", "name": "ledger-slow", "service": "ledger", "severity": "warning"}


def escalate(night: Calls, actor: Actor = LEA, reason: str = "", number: int = 1) -> escalating.Escalated:
    return escalating.escalate(night.night.desk, night.night.alert(number), actor, reason)


def refused(night: Calls, actor: Actor = LEA, reason: str = "", number: int = 1) -> str:
    with pytest.raises(Refused) as told:
        escalate(night, actor, reason, number)
    return str(told.value)


def people_of(done: escalating.Escalated) -> list[tuple[str, str]]:
    return [(each.person, each.role) for each in done.level.people]


def drawn(night: Calls, kind: str, number: int = -1) -> str:
    desk = night.night.desk
    with desk.read() as connection:
        return json.dumps(drawing.draw(desk, connection, night.night.posts(kind)[number]).blocks, ensure_ascii=False)


def taken(engine: sa.Engine, **more: Any) -> Calls:
    """Léa, the primary, has an important alert since a minute after it called her."""
    night = calls(engine, **more)
    night.alarm()
    night.live(1)
    response.ack(night.night.desk, night.night.alert(), LEA)
    night.live(1)
    return night


def test_the_next_level_is_called_at_once_and_the_timer_goes_on_from_there(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    night.live(2)
    assert people_of(escalate(night)) == [("omar", "secondary")]
    night.live(6)
    assert night.timeline() == [(0, "lea"), (2, "omar"), (7, "ines")]


def test_who_has_it_keeps_it_until_the_one_called_takes_it_over(engine: sa.Engine) -> None:
    night = taken(engine)
    done = escalate(night, reason="the failover did not help")
    assert (people_of(done), done.owner, night.night.alert().acked_by) == ([("omar", "secondary")], "lea", "lea")
    assert "Léa (Padok) asks for help: the failover did not help" in night.directs()[-1][1]
    assert "It is Léa's until you acknowledge it: then it is yours" in night.under()
    night.live(2)
    assert (night.night.alert().acked_by, night.callings()[0].state) == ("lea", "running"), "what Léa has is no answer"
    response.ack(night.night.desk, night.night.alert(), OMAR)
    night.live(9)
    assert (night.night.alert().acked_by, night.callings()[0].state) == ("omar", "answered")
    assert night.timeline() == [(0, "lea"), (2, "omar")]
    assert night.night.told("alert acked")[-1]["relieved"] == "lea"


def test_when_the_one_called_is_silent_the_next_are_called_with_the_reason(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night, reason="the replica lags")
    night.live(6)
    assert night.timeline() == [(0, "lea"), (2, "omar"), (7, "ines")]
    assert "the replica lags" in night.directs()[-1][1] and "It is Léa's until" in night.under()
    assert night.night.alert().acked_by == "lea"


def test_who_asked_for_help_can_say_that_it_is_theirs_after_all(engine: sa.Engine) -> None:
    night = taken(engine)
    escalate(night)
    response.ack(night.night.desk, night.night.alert(), LEA, note="found it")
    night.live(9)
    assert (night.night.alert().acked_by, night.timeline()) == ("lea", [(0, "lea"), (2, "omar")])
    assert "relieved" not in night.night.told("alert acked")[-1]
    with pytest.raises(Refused, match="yours already"):
        response.ack(night.night.desk, night.night.alert(), LEA)


def test_two_who_are_called_answer_and_one_has_it(engine: sa.Engine) -> None:
    night = taken(engine)
    escalate(night)
    night.live(6)
    response.ack(night.night.desk, night.night.alert(), INES)
    with pytest.raises(Refused, match="already acknowledged by Inès"):
        response.ack(night.night.desk, night.night.alert(), OMAR)


def test_a_second_press_in_the_same_moment_calls_nobody_more(engine: sa.Engine) -> None:
    night = taken(engine)
    escalate(night)
    for actor in (LEA, INES):
        told = refused(night, actor, "help")
        assert "Omar was called about #1 at" in told and "say it again" in told and "What you wrote is not on it" in told
    assert night.timeline() == [(0, "lea"), (2, "omar")]
    night.live(1)
    assert people_of(escalate(night)) == [("ines", "lead")]


def test_the_one_called_passes_it_on_at_once(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night)
    assert people_of(escalate(night, OMAR)) == [("ines", "lead")]
    assert night.night.alert().acked_by == "lea"


def test_the_timer_and_a_hand_in_one_instant_call_one_level(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    night.live(5)
    assert night.timeline() == [(0, "lea"), (5, "omar")]
    assert "Omar was called" in refused(night)
    night.night.clock.advance(295)
    escalate(night, OMAR)
    night.night.clock.advance(5)
    night.tick()
    assert night.timeline() == [(0, "lea"), (5, "omar"), (9, "ines")], "the timer's level was called five seconds ago by hand"


def test_whoever_comes_together_calls_one_level_once(engine: sa.Engine) -> None:
    """Two hands and a timer at the very same time, on threads of their own."""
    night = calls(engine)
    night.alarm()
    night.live(4)
    response.ack(night.night.desk, night.night.alert(), LEA)
    night.night.clock.advance(60)
    start, said = threading.Barrier(3), list[str]()

    def by_hand(actor: Actor) -> None:
        start.wait()
        try:
            said.append(people_of(escalate(night, actor))[0][0])
        except Refused as refusal:
            said.append(str(refusal))

    def by_timer() -> None:
        start.wait()
        escalation.act(night.night.desk)

    threads = [threading.Thread(target=by_hand, args=[each]) for each in (LEA, INES)] + [threading.Thread(target=by_timer)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [who for _, who in night.timeline()] == ["lea", "omar"]
    assert sorted(len(each) > 10 for each in said) == [False, True], said
    attempts = [(each.level, each.person, each.medium, each.contact) for each in night.attempts()]
    assert len(attempts) == len(set(attempts))


def test_when_nobody_is_left_it_says_who_was_called_who_sleeps_and_what_is_possible(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night)
    escalate(night, OMAR)
    told = refused(night, INES)
    assert told.startswith("Nobody else can be called about #1 now. Called: Léa <!date")
    assert "Omar <!date" in told and "Inès <!date" in told and "Everybody is called again at" in told
    assert "In blackout, so nobody calls them: Bruno, Alice and Paul (Bridge) until <!date" in told
    assert "`/vigie assign 1 <person>`" in told
    assert "`/vigie break-glass 1 <runbook> <reason>`, which reaches Paul." in told
    assert [each["who"] for each in night.night.told("alert escalated")] == [["omar"], ["ines"]]


@pytest.mark.parametrize(("at", "until"), [
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "07:00 UTC"),       # 02:30 the first time: the night has 9 hours
    (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "07:00 UTC"),       # 02:30 again
    (datetime(2027, 3, 28, 0, 30, tzinfo=UTC), "06:00 UTC"),        # 01:30, and then 03:00: it has 7
    (datetime(2027, 3, 28, 1, 30, tzinfo=UTC), "06:00 UTC"),
])
def test_the_end_of_the_blackout_is_told_right_in_the_nights_of_clock_changes(
    sqlite_engine: sa.Engine, at: datetime, until: str
) -> None:
    night = calls(sqlite_engine, at=at)
    night.alarm()
    night.live(11)
    told = refused(night, MARIE)
    assert f"|{until}>" in told.partition("In blackout")[2] and "(Bridge) until" in told
    assert not {"alice", "bruno", "paul"} & {each.person for each in night.attempts()}


@pytest.mark.parametrize("at", [
    datetime(2026, 10, 25, 7, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 6, 0, 30, tzinfo=UTC),
])
def test_the_moment_the_blackout_is_over_the_other_side_can_be_called(engine: sa.Engine, at: datetime) -> None:
    night = calls(engine, at=at - timedelta(minutes=15))
    night.alarm()
    night.live(12)
    assert "(Bridge) until" in refused(night, MARIE)
    night.night.clock.instant = at
    done = escalate(night, MARIE)
    assert {each.role for each in done.level.people} == {"other side"} and done.left_out == ""


def test_who_sleeps_on_a_step_that_is_passed_over_is_named(sqlite_engine: sa.Engine) -> None:
    """Paul is the fallback's own company; by night the fallback is called, and who sleeps before it is told."""
    coverages = EXAMPLE.model_dump()["coverages"]
    coverages["platform"]["fallback"] = "omar2"
    people = EXAMPLE.model_dump()["people"]
    people["omar2"] = {**people["omar"], "name": "Olga", "slack": "U0OLGA0001"}
    night = calls(sqlite_engine, with_(coverages=coverages, people=people))
    night.alarm()
    night.live(11)
    done = escalate(night, MARIE)
    assert people_of(done) == [("omar2", "fallback")]
    assert "In blackout, so nobody calls them: Bruno, Alice and Paul (Bridge) until" in done.left_out


def test_an_alert_that_called_nobody_calls_the_duty_when_its_owner_asks(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm(**UNIMPORTANT)
    response.ack(night.night.desk, night.night.alert(), OMAR)
    assert night.timeline() == []
    done = escalate(night, OMAR, "it looks bad")
    assert (people_of(done), done.level.number + 1, done.owner) == ([("lea", "primary")], 2, "omar")
    night.live(2)
    response.ack(night.night.desk, night.night.alert(), LEA)
    night.live(30)
    assert (night.timeline(), night.callings()[0].state) == ([(0, "lea")], "ended")
    assert people_of(escalate(night, LEA)) == [("ines", "lead")], "it goes on from where it was"


def test_what_is_snoozed_calls_by_hand_and_then_is_quiet_again(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    night.live(1)
    response.snooze(night.night.desk, night.night.alert(), LEA, timedelta(minutes=30))
    escalate(night)
    night.live(20)
    assert night.timeline() == [(0, "lea"), (1, "omar")]


def test_what_is_over_calls_nobody(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    night.night.tell("recovered", key="pay-api p99", name="pay-api-p99", severity="critical")
    assert "has recovered: nobody needs to be called" in refused(night)
    response.close(night.night.desk, night.night.alert(), LEA, "over")
    assert "already closed by Léa" in refused(night, reason="still bad")
    assert night.timeline() == [(0, "lea")] and night.night.told("alert escalated") == []


def test_a_recovery_that_is_not_believed_and_calls_somebody_is_called_on_by_hand(engine: sa.Engine) -> None:
    night, about = taken(engine), {"key": "pay-api p99", "name": "pay-api-p99", "severity": "critical"}
    night.night.tell("recovered", **about)
    night.night.tell("no data", **about)
    night.live(16)
    assert (night.night.alert().state, night.timeline()) == ("recovered", [(0, "lea"), (17, "lea")])
    assert "silence is not OK" in night.directs()[-1][1]
    night.live(2)
    done = escalate(night, LEA, "is it well or not?")
    assert (people_of(done), done.owner) == ([("omar", "secondary")], None)
    night.live(5)
    assert night.timeline()[2:] == [(20, "omar"), (25, "ines")] and "is it well or not?" in night.directs()[-1][1]
    night.night.tell("recovered", **about)
    night.live(2)
    assert "already closed" in refused(night)


def test_it_ends_with_the_alert(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night)
    response.close(night.night.desk, night.night.alert(), LEA, "it was a test")
    night.live(12)
    assert night.timeline() == [(0, "lea"), (2, "omar")]


def test_when_the_owners_blackout_begins_meanwhile_it_is_nobodys(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, at=datetime(2026, 11, 24, 22, 50, tzinfo=UTC))
    night.alarm()
    night.live(2)
    response.ack(night.night.desk, night.night.alert(), ALICE)
    escalate(night, ALICE)
    night.live(18)
    assert night.night.alert().acked_by is None
    assert night.night.told("ack lapsed")[-1]["who"] == "alice"


def test_a_reason_is_masked_and_reaches_whom_it_is_for_as_a_whole(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    assert "at most 2,000 characters" in refused(night, reason="x" * 2_001)
    escalate(night, reason="card 4111 1111 1111 1111 is refused, " + "and " * 480 + "so on.")
    entry, = night.night.told("alert escalated")
    assert "4111 1111" not in json.dumps(entry) and entry["level"] == 2 and entry["who"] == ["omar"]
    for kind in ("page", "direct"):
        said = drawn(night, kind)
        assert "is refused" in said and "so on." in said and "4111 1111" not in said


def test_the_card_and_its_thread_tell_it(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night, reason="the replica lags")
    assert "Léa calls the next level (2): Omar: the replica lags" in drawn(night, "log")
    card = drawn(night, "card")
    assert "Léa has it since" in card and "Paging Omar (Padok, secondary); Inès (Padok, lead) at" in card
    assert '"Acknowledge"' in card and '"Escalate…"' in card
    assert '"Acknowledge"' in drawn(night, "page")
    response.ack(night.night.desk, night.night.alert(), OMAR)
    assert "acknowledged by Omar, who relieves Léa" in drawn(night, "log")
    assert "Paging" not in drawn(night, "card") and '"Acknowledge"' not in drawn(night, "page")


def test_a_new_reason_to_call_does_not_forget_that_help_is_wanted(sqlite_engine: sa.Engine) -> None:
    night = taken(sqlite_engine)
    escalate(night)
    desk = night.night.desk
    with desk.begin("test") as connection:
        calling.call(desk, connection, night.night.alert(), "its run failed", desk.clock.now(), "page:1:run7")
    night.live(6)
    assert [who for _, who in night.timeline()] == ["lea", "omar", "lea", "omar"], "Léa first, for it is hers; and on"
    assert (night.night.alert().acked_by, night.callings()[-1].relieves, night.callings()[-1].state) == ("lea", "lea", "running")


def test_the_page_offers_to_pass_it_on_to_whom_it_calls(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    assert '"Escalate…"' in drawn(night, "page") and '"Escalate…"' in drawn(night, "direct")


@pytest.mark.parametrize(("who", "words"), [
    ("U0ALICE001", "You are in Bridge's blackout until"),
    ("U0MARIE001", "`escalate` is for engineers and leads"),
    ("U0EVE00001", "Vigie does not know you"),
])
def test_only_who_may_act_on_it_may_escalate_it(sqlite_engine: sa.Engine, who: str, words: str) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    reply = perform(night.night.desk, FAMILY, Saying("T0BRIDGE01", who, "slack C0ALERTS01", ("escalate", "1")))
    assert not reply.ok and words in reply.text
    assert night.timeline() == [(0, "lea")]


@pytest.mark.parametrize(("point", "called"), [("call on: before commit", 1), ("call on: after commit", 2)])
def test_who_says_it_again_after_a_crash_calls_each_once(engine: sa.Engine, point: str, called: int) -> None:
    night = taken(engine)
    object.__setattr__(night.night.desk, "kill", KillAt(point))
    with pytest.raises(Killed):
        escalate(night)
    assert len(night.timeline()) == called
    if called == 1:
        escalate(night)
    else:
        assert "Omar was called" in refused(night)
    night.live(4)
    assert night.timeline() == [(0, "lea"), (2, "omar")]
    assert [each["who"] for each in night.night.told("alert escalated")] == [["omar"]]


# --- what the month says of it ----------------------------------------------------------------------------------------------


def test_the_month_tells_apart_what_a_hand_and_what_the_timer_brought_to_a_second_level(engine: sa.Engine) -> None:
    """The first by the timer and then by hand, the second by hand at once, the third by nobody."""
    night = calls(engine)
    for number, key in enumerate(("p50", "p95", "p99"), start=1):
        night.alarm(key=f"pay-api {key}", name=f"pay-api-{key}")
        night.live(6 if number == 1 else 2)
        if number < 3:
            escalate(night, OMAR if number == 1 else LEA, number=number)
            night.live(2)
        response.ack(night.night.desk, night.night.alert(number), INES)
        night.live(2)
    desk = night.night.desk
    with reader(desk.engine) as connection:
        found = gathering.facts(connection, desk.config, choosing.named(desk.config, "2026-11", desk.clock.now()))
    groups = {each.alert: each for each in found.groups}
    assert [groups[number].escalated for number in (1, 2, 3)] == ["timeout", "manual", None]
    assert [groups[number].level for number in (1, 2, 3)] == [3, 2, 1]
    assert groups[2].touched and groups[2].acked_by == "ines"
