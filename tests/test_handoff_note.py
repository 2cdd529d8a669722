"""The note of a handoff says what the rows say: state, open, in progress, what will happen, what to watch, what was closed."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.services.alert import response
from bot.services.handoff import gathering, upcoming
from bot.services.handoff.note import AMBER, GREEN, RED, Item, Note, Section, digest, risks, same, state_of, written
from bot.services.incident import declaring, ground
from bot.services.incident.declaring import Wish
from bot.store import alerts, pages, rungs
from bot.store.alerts import Alert
from tests.handoff_stage import ALICE, BRUNO, CONFIG, INES, Passing, local
from tests.story import arrive, signal
from tests.workshop import runbook, workshop

NOTHING = Section()


def gathered(passing: Passing, boundary: str = "2026-11-24 00:00") -> Note:
    found = passing.now_is(boundary)
    with passing.desk.read() as connection:
        return gathering.gather(passing.desk, connection, found, upcoming.times(CONFIG, found), passing.clock.now())


def fire(passing: Passing, key: str = "pay-api/5xx", state: str = "firing", severity: str = "high", **more: object) -> Alert:
    at = (passing.clock.now() - local("2026-11-22 03:14")).total_seconds()
    arrive(passing.desk, signal(state=state, at=at, key=key, severity=severity, **more))
    with passing.desk.read() as connection:
        found = alerts.by_id(connection, alerts.nearest_ids(connection)[0])
    assert found is not None
    return found


@pytest.fixture
def passing(sqlite_engine: sa.Engine) -> Passing:
    return Passing(sqlite_engine, "20:00")


# --- state ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("opened", "others", "state"), [
    ((), (), GREEN), ((False,), (), AMBER), ((), (False,), AMBER), ((False, True), (False,), RED),
])
def test_the_state_is_the_worst_that_the_sections_say(opened: tuple[bool], others: tuple[bool], state: str) -> None:
    first, rest = (
        Section(items=tuple(Item(ref=str(n), name=f"#{n}", text="", red=red) for n, red in enumerate(some)))
        for some in (opened, others)
    )
    assert state_of(first, NOTHING, rest) == state


def test_a_quiet_day_is_green_and_says_what_it_does_not_see(passing: Passing) -> None:
    note = gathered(passing)
    assert (note.state, note.opened.items, note.running.items, note.closed.count) == (GREEN, (), (), 0)
    assert "planned changes and releases" in note.coming.unconnected and "error budget" in note.watch.unconnected
    assert note.opened.unconnected == ("SLA and DORA clocks",)


# --- the head -------------------------------------------------------------------------------------------------------------


def test_the_head_says_who_is_on_until_when_and_who_sleeps(passing: Passing) -> None:
    note = gathered(passing)
    assert (note.giver, note.taker, note.local, note.length, note.clocks) == ("Bridge", "Padok", "Tue 24 Nov 00:00", "8 h", "")
    assert [(each.name, each.role, each.until, each.ways) for each in note.turns] == [
        ("Omar", "primary", local("2026-11-24 08:00"), 1), ("Léa", "secondary", local("2026-11-24 08:00"), 1),
    ]
    assert (note.dark, note.dark_until, note.lead) == ("Bridge", local("2026-11-24 08:00"), "Inès")


def test_a_night_in_which_clocks_change_is_as_long_as_it_is_and_says_so(sqlite_engine: sa.Engine) -> None:
    note = gathered(Passing(sqlite_engine, "2026-10-24 12:00"), "2026-10-25 00:00")
    assert (note.clocks, note.length) == ("back", "1 d 9 h")       # a Sunday: Padok has it until Monday


# --- open -----------------------------------------------------------------------------------------------------------------


def test_what_fires_stands_there_worst_first_with_owner_age_last_act_and_next_step(passing: Passing) -> None:
    fire(passing, "ledger/lag", severity="warning", name="ledger-lag", title="ledger lags")
    worst = fire(passing, severity="critical")
    passing.clock.advance(600)
    response.ack(passing.desk, worst, ALICE, note="watch p95 until 00:30")
    first, second = gathered(passing).opened.items
    assert (first.ref, first.red, first.who, first.last) == (str(worst.id), True, "Alice", "acked by Alice")
    assert (first.next, first.flags, first.since) == ("watch p95 until 00:30", ("to take over",), local("20:00"))
    assert (second.red, second.who, second.last, second.flags) == (False, "nobody has it", "", ())


def test_what_is_taken_and_silent_for_an_hour_is_flagged(passing: Passing) -> None:
    response.ack(passing.desk, fire(passing), INES)
    passing.clock.advance(3_600)
    assert gathered(passing).opened.items[0].flags == ()
    passing.clock.advance(60)
    assert gathered(passing).opened.items[0].flags == ("silent",)


def test_a_storm_is_cut_and_says_how_much_more_there_is(passing: Passing) -> None:
    for number in range(30):
        fire(passing, f"pay-api/{number}", name=f"pay-api-{number}")
    fire(passing, "pay-api/worst", severity="critical")
    note = gathered(passing)
    assert (len(note.opened.items), note.opened.more, note.opened.items[0].severity) == (12, 19, "critical")
    assert len(written(note)) < 10_000 and len(risks(note)) <= 26


# --- in progress ----------------------------------------------------------------------------------------------------------


def test_runs_that_are_not_finished_say_at_which_step_and_stopped_automation_is_to_be_undone(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine, "20:00")
    shop = workshop(passing.desk, runbook())
    shop.start(ALICE)
    with passing.desk.begin("test") as connection:
        rungs.stop(connection, "service:batch-worker", "alice", passing.clock.now(), "it restarts too much")
    running = gathered(passing).running
    assert running.items[0].ref == "run1" and "at step 1 of" in running.items[0].next
    assert running.items[1].text == "automation is stopped: service batch-worker" and running.items[1].who == "Alice"
    assert gathered(passing).state == AMBER


def test_an_incident_that_nobody_has_ended_stands_there_with_the_line_that_ends_it_once_its_alerts_are_over(
    passing: Passing
) -> None:
    alert = fire(passing)
    response.ack(passing.desk, alert, ALICE)
    declaring.declare(passing.desk, alert, ALICE, Wish(title="payments fail"))
    [item] = gathered(passing).running.items
    assert (item.ref, item.name, item.text, item.who, item.next) == ("incident1", "incident 1", "payments fail", "Alice", "")
    passing.clock.advance(600)
    fire(passing, state="recovered")
    [item] = gathered(passing).running.items
    assert item.next == "its alerts have recovered: is it over? `/vigie incident end 1 23/11 20:10`"
    passing.clock.advance(3_600)
    alerted = declaring.end(passing.desk, ground.find(passing.desk, "1"), ALICE, passing.clock.now())
    assert alerted.ended_at is not None and gathered(passing).running.items == ()


# --- will happen ----------------------------------------------------------------------------------------------------------


def test_silences_snoozes_and_probations_that_end_in_the_shift_stand_in_their_order(passing: Passing) -> None:
    snoozed = fire(passing)
    response.snooze(passing.desk, snoozed, BRUNO, timedelta(hours=6))
    fire(passing, "ledger/lag", name="ledger-lag", title="ledger lags")
    fire(passing, "ledger/lag", "recovered", name="ledger-lag", title="ledger lags")
    for service, hours in (("ledger", 8), ("edge", 48)):
        with passing.desk.begin("test") as connection:
            connection.execute(pages.silence.insert().values(
                service=service, start=passing.clock.now(), until=passing.clock.now() + timedelta(hours=hours), by="bruno",
                reason="maintenance",
            ))
    ends = [(each.text.partition(":")[0], each.until) for each in gathered(passing).coming.items]
    assert ends == [
        ("closes if it stays quiet", local("20:15")), ("snooze ends", local("2026-11-24 02:00")),
        ("silence ends, and it will page then", local("2026-11-24 04:00")),
    ]


# --- watch, closed --------------------------------------------------------------------------------------------------------


def flap(passing: Passing, times: int, every: float, **more: object) -> None:
    for _ in range(times):
        fire(passing, **more)
        passing.clock.advance(every)
        fire(passing, state="recovered", **more)
        passing.clock.advance(every)


def test_three_cycles_within_an_hour_are_flapping(passing: Passing) -> None:
    flap(passing, 3, 300)
    item, = gathered(passing).watch.items
    assert item.flags == ("recovered 3 times in 60 min",)


def test_three_times_in_a_day_are_a_repeat_and_two_are_not(passing: Passing) -> None:
    flap(passing, 2, 3_000)
    assert gathered(passing).watch.items == ()
    fire(passing)
    item, = gathered(passing).watch.items
    assert item.flags == ("fired 3 times in 24 h",)


def test_an_observer_without_data_is_to_be_watched(passing: Passing) -> None:
    fire(passing)
    fire(passing, state="no data")
    item, = gathered(passing).watch.items
    assert (item.name, item.text) == ("CloudWatch", "sends no data")


def test_what_was_closed_in_the_shift_is_counted_and_the_worst_named(passing: Passing) -> None:
    for number, severity in enumerate(("warning", "high", "critical", "high", "info")):
        alert = fire(passing, f"pay-api/{number}", severity=severity, title=f"fault {number}")
        response.close(passing.desk, alert, BRUNO, "it was nothing")
    passing.clock.advance(60)
    closed = gathered(passing).closed
    assert closed.by_severity == {"critical": 1, "high": 2, "warning": 1, "info": 1}
    assert (closed.count, closed.by_vigie, closed.unrecognised) == (5, 0, 5)
    assert [each.text.rpartition(" ")[2] for each in closed.top] == ["2", "1", "3"]
    assert {(each.who, each.last) for each in closed.top} == {("Bruno", "it was nothing")}
    assert gathered(passing, "2026-11-24 08:00").closed.count == 0


# --- as text --------------------------------------------------------------------------------------------------------------


def test_a_note_is_read_back_as_it_was_written_and_its_digest_changes_with_anything(passing: Passing) -> None:
    fire(passing)
    note = gathered(passing)
    assert Note.model_validate_json(written(note)) == note
    assert digest(written(note)) != digest(written(note.model_copy(update={"line": "x"})))


def test_only_what_changed_makes_it_new(passing: Passing) -> None:
    passing.clock.advance(60)
    text = written(gathered(passing))
    passing.clock.advance(60)
    assert same(text, gathered(passing))
    fire(passing)
    assert not same(text, gathered(passing)) and not same(None, gathered(passing))


def test_the_risks_are_what_stands_in_the_note_the_worst_first_and_none_last(passing: Passing) -> None:
    fire(passing, "ledger/lag", severity="warning", name="ledger-lag", title="ledger lags")
    worst = fire(passing, severity="critical")
    named = risks(gathered(passing))
    assert [each for each, _ in named] == [str(worst.id), "1", "none"] and named[0][1].startswith(f"#{worst.id} pay-api: 5xx")


def test_nobody_outside_the_rota_is_named(passing: Passing) -> None:
    assert "marie" not in written(gathered(passing)).lower()
