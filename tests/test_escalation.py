"""Nobody answers, and the next is called: in order, each once, never anybody asleep; and whoever takes it keeps it by acting."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.services.alert import response
from bot.services.call import calling
from bot.services.desk import Actor
from bot.services.run import runs
from bot.services.slack import cards as drawing
from bot.store import absences, alerts, cards, handoffs, shifts
from bot.store.handoffs import handoff
from tests.call_stage import EXAMPLE, OMAR, Calls, calls, dark, with_
from tests.night_shift import shift
from tests.story import ALICE, INES, LEA, PAUL, T0
from tests.workshop import runbook

MORNING = datetime(2026, 11, 23, 6, 50, tzinfo=UTC)         # 07:50 in Paris, a Monday
EVENING = datetime(2026, 11, 23, 22, 40, tzinfo=UTC)        # 23:40
BRUNO = Actor("bruno", "Bruno", "bridge", frozenset({"engineer"}), "U0BRUNO001", "slack C0ALERTS01")
MIDNIGHT, EIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC), datetime(2026, 11, 23, 7, tzinfo=UTC)


def test_one_after_the_other_is_called_and_then_everybody_again(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    night.live(41)
    everybody = "lea omar ines"
    assert night.timeline() == [(0, "lea"), (5, "omar"), (10, "ines"), (20, everybody), (30, everybody), (40, everybody)]
    assert [each["role"] for each in night.night.told("person called")][:3] == ["primary", "secondary", "lead"]


def test_a_call_says_who_was_called_before_and_who_is_next(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    assert "Next: Omar (Padok, secondary) at <!date" in night.under() and "Called before" not in night.under()
    night.live(5)
    assert "Called before: Léa (Padok, primary) <!date" in night.under()
    assert "Next: Inès (Padok, lead) at" in night.under()
    channel, said = night.directs()[0]
    assert channel == "U0LEA00001" and said.startswith("📣 You are called as primary: #1 pay-api: 5xx")


def test_who_takes_it_stops_the_calling_at_once(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    night.live(4)
    response.ack(night.night.desk, night.night.alert(), LEA)
    night.live(29)
    assert night.timeline() == [(0, "lea")]
    assert [each.state for each in night.callings()] == ["answered"]
    assert {each.state for each in night.attempts() if each.medium in ("mention", "direct")} == {"seen"}


@pytest.mark.parametrize("end", ["closed", "recovered"])
def test_what_is_over_calls_nobody(sqlite_engine: sa.Engine, end: str) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    night.live(4)
    if end == "closed":
        response.close(night.night.desk, night.night.alert(), OMAR, "a false alarm")
    else:
        night.night.tell("recovered", key="pay-api p99", name="pay-api-p99", severity="critical")
    night.live(10)
    assert (night.timeline(), night.callings()[0].state) == ([(0, "lea")], "ended")


def test_a_snooze_holds_it_and_then_the_next_is_called(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    night.live(2)
    response.snooze(night.night.desk, night.night.alert(), LEA, timedelta(minutes=30))
    night.live(29)
    assert night.timeline() == [(0, "lea")] and night.night.told("call held back")[0]["why"] == "snoozed"
    night.live(3)
    assert night.timeline() == [(0, "lea"), (32, "omar")]


def test_while_a_run_is_at_it_nobody_else_is_called(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    run = night.night.shop.start(PAUL, alert=night.night.alert())
    night.live(12)
    assert night.timeline() == [(0, "lea")]
    runs.cancel(night.night.desk, run, PAUL, "wrong")
    night.night.work()
    night.live(3)
    assert night.timeline()[1:] == [(13, "omar")]


def test_who_stands_on_a_level_is_asked_anew(sqlite_engine: sa.Engine) -> None:
    """Omar falls ill after the calling began: his level is left out at once."""
    night = calls(sqlite_engine)
    night.alarm()
    with night.night.desk.begin("test") as connection:
        connection.execute(shifts.absence.insert().values(
            person="omar", organisation="padok", start=T0, end=T0 + timedelta(hours=9), said_by="ines", said_at=T0,
        ))
    night.live(6)
    assert night.timeline() == [(0, "lea"), (5, "ines")]


def test_the_other_side_is_called_when_it_is_awake(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, at=T0.replace(hour=12))
    night.alarm()
    night.live(26)
    assert [who for _, who in night.timeline()] == ["lea", "omar", "ines", "bruno alice paul", "lea omar ines bruno alice paul"]


def test_nobody_of_the_other_side_is_called_who_is_away_but_whoever_has_their_next_shift(sqlite_engine: sa.Engine) -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)           # a Sunday of Padok's; Paul, who is away, has Alice's Monday
    night = calls(sqlite_engine, at=noon)
    with night.night.desk.begin("test") as connection:
        absences.add(connection, "paul", "bridge", noon, noon + timedelta(hours=1), "paul", noon)
        shifts.add(connection, [{
            "coverage": "platform", "organisation": "bridge", "team": "bridge-day", "role": role, "mode": "active",
            "person": person, "start": noon + timedelta(hours=19), "end": noon + timedelta(hours=31), "source": "override",
            "version": 1, "published_at": noon, "published_by": "paul", "reason": None,
        } for role, person in (("primary", "bruno"), ("secondary", "paul"))])
    night.alarm()
    night.live(16)
    assert [who for _, who in night.timeline()][-1] == "bruno"


def test_with_nobody_awake_it_is_said_loudly_and_tried_each_minute(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, dark("bridge", "padok"), at=T0.replace(hour=6, minute=50))
    night.alarm()
    night.live(5)
    assert [who for _, who in night.timeline()] == ["nobody", "nobody"], "the alert, and that nobody can be called"
    own = night.night.alert(2)
    assert (own.title.startswith("nobody can be called"), own.important, own.state) == (True, True, "firing")
    with night.night.desk.read() as connection:
        assert len(alerts.open_ones(connection)) == 2
    night.go_to(datetime(2026, 11, 22, 7, 1, tzinfo=UTC))
    assert "lea" in [who for _, who in night.timeline()]
    assert night.night.alert(2).state == "recovered"


def test_what_was_due_while_vigie_was_away_is_done_once_and_says_so(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    night.night.clock.advance(47 * 60)
    night.tick()
    night.tick()
    assert night.timeline() == [(0, "lea"), (47, "omar")]
    assert "This call is 42 min late" in night.under()


def test_an_unaccepted_handoff_calls_the_secondary_too(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    row = {each.name: None for each in handoff.c} | {
        "coverage": "platform", "boundary": T0 - timedelta(hours=3), "from_team": "bridge-day", "to_team": "padok-nights",
        "direction": "to_partner", "channel": "C0ALERTS01", "state": "submitted", "if_then": "[]", "done": "[]",
    }
    with night.night.desk.begin("test") as connection:
        connection.execute(handoff.insert().values({name: value for name, value in row.items() if name != "id"}))
    night.alarm()
    assert night.timeline() == [(0, "lea omar")] and "Nobody has accepted the handoff" in night.under()
    with night.night.desk.begin("test") as connection:
        handoffs.change(connection, 1, ("submitted",), state="accepted")
    night.night.tell(key="ledger", name="ledger-drift", severity="critical", service="ledger")
    night.tick()
    assert night.timeline()[-1] == (0, "lea")


def test_when_the_duty_passes_meanwhile_the_new_primary_is_called_too(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, at=MIDNIGHT - timedelta(minutes=2))
    people = night.night.desk.config.people
    night.alarm()
    night.live(3.5, 30)
    assert len(night.timeline()) == 1 and people[night.timeline()[0][1]].organisation == "bridge"
    night.live(2)
    assert set(night.timeline()[1][1].split()) == {"lea", "omar"}


def test_a_moment_before_a_blackout_nobody_of_it_is_called(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, at=MIDNIGHT - timedelta(seconds=6))
    night.alarm()
    assert {night.night.desk.config.people[key].organisation for key in night.timeline()[0][1].split()} == {"padok"}


def test_a_direct_message_that_slack_refuses_calls_the_next_at_once(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine, with_(people={
        key: {**each, "contacts": ()} for key, each in EXAMPLE.model_dump()["people"].items()}))
    night.alarm()
    for _ in range(3):
        night.show(fails="channel_not_found")
    night.live(1)
    assert [who for _, who in night.timeline()] == ["lea", "omar"]
    assert [(each.medium, each.state) for each in night.attempts()[:2]] == [("mention", "sent"), ("direct", "failed")]


def test_a_flapping_alert_is_called_on_and_not_from_the_first_again(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    for minute in (3, 6, 9, 12):
        night.live(3)
        for state in ("recovered", "firing"):
            night.night.tell(state, key="pay-api p99", name="pay-api-p99", severity="critical")
        night.tick()
        assert night.timeline()[-1] == (minute, "lea"), "it came back: a reason of its own"
    night.live(1)
    assert [who for _, who in night.timeline() if who != "lea"] == ["omar", "omar ines"]
    assert [each.state for each in night.callings()].count("running") == 1


def test_the_card_says_who_is_called_and_who_is_next(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    assert "Nobody has it yet. Paging Léa (Padok, primary); Omar (Padok, secondary) at <!date" in card(night)
    night.live(5)
    assert "Paging Omar (Padok, secondary); Inès (Padok, lead) at <!date" in card(night)
    response.ack(night.night.desk, night.night.alert(), OMAR)
    assert "Paging" not in card(night)


def card(night: Calls) -> str:
    with night.night.desk.begin("test") as connection:
        post = cards.by_key(connection, "card:1")
        assert post is not None
        return str(drawing.draw(night.night.desk, connection, post).blocks)


# --- the lease --------------------------------------------------------------------------------------------------------------


def test_who_is_silent_is_reminded_and_then_the_duty_is_called(engine: sa.Engine) -> None:
    night = calls(engine)
    night.alarm()
    response.ack(night.night.desk, night.night.alert(), OMAR)
    night.live(31)
    assert night.timeline() == [(0, "lea"), (30, "omar")] and night.night.alert().acked_by == "omar"
    night.live(10)
    assert night.timeline()[2:] == [(40, "lea")]
    assert (night.night.alert().state, night.night.alert().acked_by) == ("firing", None)
    assert night.night.told("ack lapsed") == [{"who": "omar", "cause": "has been silent for 40 min"}]


def test_any_act_keeps_it(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    response.ack(night.night.desk, night.night.alert(), LEA)
    for _ in range(4):
        night.live(25)
        response.note(night.night.desk, night.night.alert(), LEA, "still looking")
    assert night.timeline() == [(0, "lea")]
    night.live(35)
    response.note(night.night.desk, night.night.alert(), LEA, "nearly there")
    night.live(20)
    assert night.timeline() == [(0, "lea"), (130, "lea")] and night.night.alert().acked_by == "lea"


@pytest.mark.parametrize(("at", "boundary"), [(MORNING, EIGHT), (EVENING, MIDNIGHT)])
def test_at_the_boundary_it_passes_to_the_next_on_duty(sqlite_engine: sa.Engine, at: datetime, boundary: datetime) -> None:
    night = calls(sqlite_engine, at=at)
    people = night.night.desk.config.people
    night.alarm()
    (_, first), = night.timeline()
    response.ack(night.night.desk, night.night.alert(), {"lea": LEA, "omar": OMAR, "alice": ALICE}.get(first, BRUNO))
    night.go_to(boundary - timedelta(seconds=30))
    assert len(night.timeline()) == 1 and night.night.alert().acked_by == first
    night.live(1)
    assert len(night.timeline()) == 2 and night.night.alert().acked_by is None
    assert people[night.timeline()[1][1]].organisation != people[first].organisation


def test_an_unimportant_alert_has_no_lease(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.night.tell(key="batch", name="batch-slow", severity="warning", service="batch-worker")
    with night.night.desk.begin("test") as connection:
        calling.call(night.night.desk, connection, night.night.alert(), "it came back", T0, "page:1:1")
    night.live(6)
    response.ack(night.night.desk, night.night.alert(), OMAR)
    night.live(120)
    assert night.timeline() == [(0, "lea"), (5, "omar")]


def test_a_call_to_whoever_has_it_is_their_reminder(sqlite_engine: sa.Engine) -> None:
    night = calls(sqlite_engine)
    night.alarm()
    response.ack(night.night.desk, night.night.alert(), INES)
    with night.night.desk.begin("test") as connection:
        calling.call(night.night.desk, connection, night.night.alert(), "run 7 failed", T0, "page:1:run7-1")
    night.live(9)
    assert night.timeline() == [(0, "lea"), (0, "ines")]
    night.live(2)
    assert night.timeline()[2:] == [(10, "lea")]


def test_a_run_in_doubt_calls_on_until_somebody_decides(sqlite_engine: sa.Engine) -> None:
    book = runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}])
    night = Calls(shift(sqlite_engine, book, config=EXAMPLE))
    night.night.machine.faults = ["silent"]
    run = night.night.shop.start(PAUL)
    night.night.work()
    night.live(6)
    assert night.timeline() == [(0, "lea"), (5, "omar")]
    runs.decide(night.night.desk, night.night.runs()[0], PAUL, "stop")
    night.live(20)
    assert night.timeline() == [(0, "lea"), (5, "omar")] and night.callings()[0].state == "ended" and run.id == 1
