"""What people on call worked: from their acts, asked once and never in their rest, confirmed or corrected; then rest rules."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.services.ledger import journal
from bot.services.worktime import breaches, interventions
from bot.store import interventions as records
from bot.store.interventions import Intervention
from tests.duty_stage import PEOPLE, Life, life, paris
from tests.story import arrive, signal

NIGHT = "2026-11-28 02:10"          # Saturday: Omar is primary, on call


def acted(here: Life, person: str, text: str | None = None, about: str = "alert:7") -> None:
    if text:
        here.move(text)
    with here.desk.begin("act") as connection:
        journal.record(connection, actor=PEOPLE[person], kind="alert noted", object=about, outcome="done",
                       at=here.clock.now())


def of(here: Life, person: str) -> list[Intervention]:
    with here.desk.read() as connection:
        return records.of_person(connection, person, paris("2026-11-01 00:00"), paris("2026-12-31 00:00"))


def spans(here: Life, person: str) -> list[tuple[Any, Any]]:
    return [(each.start, each.end) for each in of(here, person)]


def tick(here: Life, text: str | None = None) -> None:
    if text:
        here.move(text)
    while interventions.act(here.desk):
        pass


def test_acts_on_call_make_an_intervention_that_ends_by_itself(engine: sa.Engine) -> None:
    here = life(engine, NIGHT)
    acted(here, "omar", NIGHT)
    tick(here)
    for at in ("2026-11-28 02:35", "2026-11-28 02:55"):
        acted(here, "omar", at)
        tick(here)
    tick(here, "2026-11-28 03:24")
    assert spans(here, "omar") == [(paris(NIGHT), None)]
    tick(here, "2026-11-28 03:25")
    [made] = of(here, "omar")
    assert (made.start, made.end, made.alert_id) == (paris(NIGHT), paris("2026-11-28 02:55"), 7)
    assert {each.kind for each in here.entries()} >= {"intervention began", "intervention ended"}


def test_half_an_hour_of_silence_parts_two_interventions(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NIGHT)
    for at in ("2026-11-28 02:10", "2026-11-28 02:20", "2026-11-28 03:30"):
        acted(here, "omar", at)
        tick(here)
    tick(here, "2026-11-28 05:00")
    assert [(each.minute, other.minute) for each, other in spans(here, "omar")] == [(10, 20), (30, 31)]


def test_what_happened_while_the_bot_was_down_is_read_once(engine: sa.Engine) -> None:
    here = life(engine, NIGHT)
    for at in ("2026-11-28 02:10", "2026-11-28 02:25", "2026-11-28 04:00"):
        acted(here, "omar", at)
    here.move("2026-11-28 07:00")
    tick(here)
    tick(here)
    assert spans(here, "omar") == [(paris("2026-11-28 02:10"), paris("2026-11-28 02:25")),
                                   (paris("2026-11-28 04:00"), paris("2026-11-28 04:01"))]


def test_acts_in_an_active_shift_are_no_interventions(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-27 02:10")      # a working night of Padok
    acted(here, "omar")
    acted(here, "paul", "2026-11-27 14:00")             # in office hours, without a shift
    tick(here, "2026-11-27 16:00")
    assert spans(here, "omar") == spans(here, "paul") == []


def test_acts_outside_of_every_shift_and_of_office_hours_count(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-27 21:30")
    acted(here, "paul", about="run:3")
    tick(here, "2026-11-27 22:30")
    assert spans(here, "paul") == [(paris("2026-11-27 21:30"), paris("2026-11-27 21:31"))]


def test_what_was_refused_or_is_no_work_does_not_count(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NIGHT)
    here.say("omar", "ack 99")
    here.say("omar", "away 20/12 21/12")
    tick(here, "2026-11-28 05:00")
    assert spans(here, "omar") == []


def test_the_person_is_asked_once_within_the_shift_when_the_night_is_over(engine: sa.Engine) -> None:
    here = life(engine, NIGHT)
    acted(here, "omar", NIGHT)
    tick(here, "2026-11-28 03:00")
    [asked] = here.directs("omar", "worked:")
    assert asked.due_at == paris("2026-11-28 07:00")    # whoever sleeps again on call is not woken for it
    assert "You worked Sat 28 Nov 02:10–02:11 (Paris time) on #7" in here.told("omar", "worked:")[0]
    assert here.offers("omar", "worked:") == [["It is right", "shift:confirm", "1"]]
    assert here.say("omar", "shift confirm", ref="1", way="button").startswith("Confirmed: you worked Sat 28 Nov 02:10–02:11")
    assert "confirmed before" in here.say("omar", "shift confirm 1")
    assert "no intervention 1 of yours" in here.say("lea", "shift confirm 1")


def test_somebody_whose_shift_is_over_is_asked_in_the_next_office_hours(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-27 23:50")      # Friday evening: Bruno is on call until midnight
    acted(here, "bruno")
    tick(here, "2026-11-28 00:30")
    [asked] = here.directs("bruno", "worked:")
    assert asked.due_at == paris("2026-11-30 08:00")    # Monday: neither in the blackout nor at the weekend
    assert all(each.due_at >= paris("2026-11-28 08:00") for each in here.directs("bruno"))


def test_a_person_corrects_what_vigie_saw(engine: sa.Engine) -> None:
    here = life(engine, NIGHT)
    acted(here, "omar", NIGHT)
    tick(here, "2026-11-28 04:00")
    answer = here.say("omar", "shift worked 02:05-03:20")
    assert answer.startswith("Written down and confirmed: you worked Sat 28 Nov 02:05–03:20")
    [made] = of(here, "omar")
    assert (made.start, made.end, made.source) == (paris("2026-11-28 02:05"), paris("2026-11-28 03:20"), "declared")
    assert "You have confirmed Sat 28 Nov 02:05–03:20 already" in here.say("omar", "shift worked 03:00-03:30")


def test_a_person_declares_what_vigie_could_not_see(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-30 09:00")
    arrive(here.desk, signal())
    with here.desk.read() as connection:
        number = connection.execute(sa.text("SELECT max(id) FROM alert")).scalar_one()
    assert "28 Nov 02:10–02:55" in here.say("omar", f"shift worked 28/11 02:10-02:55 #{number}")
    [made] = of(here, "omar")
    assert made.alert_id == number and made.confirmed_at == here.clock.now()


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("shift worked", "02:10-02:55"), ("shift worked soon", "02:10-02:55"),
        ("shift worked 1/12 02:10-02:55", "not in the future"),
        ("shift worked 1/9 02:10-02:55", "Too long ago"), ("shift worked 28/11 01:00-19:00", "at most 16 h"),
        ("shift worked 02:10-02:55 hello", "alert's number"), ("shift worked 02:10-02:55 99", "No alert 99"),
        ("shift confirm", "Which intervention?"), ("shift confirm 99", "no intervention 99"),
    ],
)
def test_impossible_times_are_refused(sqlite_engine: sa.Engine, said: str, answer: str) -> None:
    assert answer in life(sqlite_engine, "2026-11-30 09:00").say("omar", said)


# --- rest -------------------------------------------------------------------------------------------------------------------


def test_a_call_that_breaks_the_daily_rest_says_when_work_may_start_again(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-27 22:00")             # Bruno worked until 20:00 and is on call until midnight
    acted(here, "bruno")
    tick(here, "2026-11-27 22:30")
    said = here.told("bruno", "rest:")
    assert len(said) == 1 and "the daily rest of 11 h begins anew, work may start at Sat 28 Nov 09:01 or later" in said[0]
    assert "Bruno worked until Fri 27 Nov 22:01" in here.told("paul", "rest:")[0]
    assert here.directs("ines", "rest:") == []          # another company
    [entry] = here.entries("rest moved")
    assert '"intervention":1' in entry.details


def test_a_breach_of_what_was_is_followed_up_by_the_lead_in_office_hours(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 22:00")      # Tuesday: Bruno works again on Wednesday at 08:00
    acted(here, "bruno")
    tick(here, "2026-11-24 22:40")
    assert here.directs("paul", "breach:") == []        # nothing is broken yet
    here.move("2026-11-25 12:00")
    assert "Written down" in here.say("bruno", "shift worked 24/11 22:30-22:45")
    [post] = here.directs("paul", "breach:R01")
    assert post.due_at == here.clock.now() and "R01 Bruno: breach:" in here.told("paul", "breach:R01")[0]
    assert len(here.entries("rule breached")) == 1


def test_once_a_day_the_rules_look_at_what_was(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-24 22:30")
    acted(here, "bruno")
    tick(here, "2026-11-24 23:10")
    here.move("2026-11-25 08:59")                       # he works again since 08:00
    assert breaches.act(here.desk) == 0
    here.move("2026-11-25 09:00")
    assert (breaches.act(here.desk), breaches.act(here.desk)) == (2, 0)
    assert len(here.directs("paul", "breach:R01")) == 1 and here.directs("ines", "breach:") == []


def test_a_call_after_the_rest_was_complete_moves_nothing(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-28 15:00")      # Saturday: Bruno's work ended on Friday at 20:00
    acted(here, "bruno")
    tick(here, "2026-11-28 16:00")
    assert spans(here, "bruno") and here.directs("bruno", "rest:") == []


def test_a_call_in_the_hour_that_clocks_show_twice_is_as_long_as_it_was(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-10-25 02:50")      # a Sunday, Padok on call
    acted(here, "lea")
    here.clock.advance(timedelta(minutes=20).total_seconds())           # 02:10, the second time
    acted(here, "lea")
    tick(here)
    here.clock.advance(1900)
    tick(here)
    with here.desk.read() as connection:
        [made] = records.of_person(connection, "lea", paris("2026-10-24 00:00"), paris("2026-10-26 00:00"))
    assert made.end is not None and made.end - made.start == timedelta(minutes=20)
