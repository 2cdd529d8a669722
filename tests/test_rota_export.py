"""Shifts are a calendar that any program reads back: of a person, a team or a coverage."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from bot.errors import Refused
from bot.services.rota import exporting
from bot.services.rota.exporting import Wanted
from bot.services.shift import changing, filling
from bot.services.shift.changing import Change
from bot.store import shifts
from tests.config_stage import example
from tests.fakes import ManualClock
from tests.story import PAUL, desk_on

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def events(text: bytes) -> list:
    return Calendar.from_ical(text).walk("VEVENT")


def test_a_calendar_reads_back_as_the_shifts_that_were_published(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine, ManualClock(MONDAY), config=example())
    filling.fill(desk)
    with desk.read() as connection:
        found = events(exporting.export(connection, example(), Wanted(person="lea"), MONDAY))
        again = events(exporting.export(connection, example(), Wanted(person="lea"), MONDAY + timedelta(hours=5)))
        published = shifts.of_person(connection, "lea", MONDAY, MONDAY + timedelta(days=62))
    numbered = {f"platform-{each.role}-{each.start:%Y%m%dT%H%MZ}@vigie": each for each in published}
    mine = [each for each in found if each["uid"] in numbered and each["sequence"] > 0]
    assert len(mine) == len(published) and {each["sequence"] for each in mine} == {1}
    for each in mine:
        shift = numbered[each["uid"]]
        assert (each.decoded("dtstart"), each.decoded("dtend")) == (shift.start, shift.end)
        assert "Léa" in each["summary"] and shift.role in each["summary"] and each["status"] == "CONFIRMED"
    assert [each["uid"] for each in again if each["uid"] in numbered] == [each["uid"] for each in mine]


def test_a_shift_that_changes_hands_stays_one_event_and_so_does_a_turn_that_is_published(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine, ManualClock(MONDAY), config=example())

    def named() -> dict[str, tuple[int, str]]:
        with desk.read() as connection:
            found = events(exporting.export(connection, example(), Wanted(coverage="platform"), MONDAY))
        return {str(each["uid"]): (each["sequence"], str(each["summary"])) for each in found}

    planned = named()
    filling.fill(desk)
    published, start = named(), datetime(2026, 11, 26, 7, tzinfo=UTC)
    given = Change("platform", "primary", start, start + timedelta(hours=12), "paul", "override", "a favour")
    with desk.begin("test") as connection:
        changing.put(desk, connection, [given], PAUL, MONDAY, [], tell=False)
    uid = "platform-primary-20261126T0700Z@vigie"
    assert planned.keys() == published.keys() == named().keys()
    assert [each[uid][0] for each in (planned, published, named())] == [0, 1, 2] and "Paul" in named()[uid][1]


def test_every_event_has_a_name_of_its_own_and_a_gap_says_nobody(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine, ManualClock(MONDAY), config=example())
    filling.fill(desk)
    with desk.begin("test") as connection:
        connection.execute(shifts.leaver.insert().values(person="omar", at=MONDAY))
        found = events(exporting.export(connection, example(), Wanted(coverage="platform"), MONDAY))
        omars = events(exporting.export(connection, example(), Wanted(person="omar"), MONDAY))
        teams = events(exporting.export(connection, example(), Wanted(team="bridge-day"), MONDAY))
    names = [str(each["uid"]) for each in found]
    assert len(names) == len(set(names)) and any("nobody" in each["summary"] for each in found)
    assert omars == [] and all("Alice" in each["summary"] or "Bruno" in each["summary"] for each in teams)


def test_an_absence_within_a_shift_leaves_one_event(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine, ManualClock(MONDAY), config=example())
    filling.fill(desk)
    start = datetime(2026, 11, 26, 1, tzinfo=UTC)
    with desk.begin("test") as connection:
        connection.execute(shifts.absence.insert().values(
            person="omar", organisation="padok", start=start, end=start + timedelta(hours=1), said_by="omar", said_at=MONDAY,
        ))
        found = events(exporting.export(connection, example(), Wanted(coverage="platform"), MONDAY))
    names = [str(each["uid"]) for each in found]
    assert len(names) == len(set(names)) and not any("nobody" in each["summary"] for each in found)


def test_before_anything_is_published_the_plan_is_tentative(sqlite_engine: sa.Engine) -> None:
    desk = desk_on(sqlite_engine, ManualClock(MONDAY), config=example())
    with desk.read() as connection:
        found = events(exporting.export(connection, example(), Wanted(person="alice"), MONDAY))
    assert found and {each["status"] for each in found} == {"TENTATIVE"}


@pytest.mark.parametrize(("person", "team", "said"), [("eve", None, "no person"), (None, "nights", "no team")])
def test_an_unknown_name_is_told_with_those_that_there_are(person: str | None, team: str | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        exporting.wanted(example(), person, team, None)
    assert exporting.wanted(example(), "@Léa", None, "") == Wanted(person="lea")
