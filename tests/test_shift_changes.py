"""Times that people type, and shifts that are given to somebody else."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.entrypoints.perform import Saying, perform
from bot.errors import Refused
from bot.services.rota import moments, telling
from tests.chat_stage import FAMILY
from tests.duty_stage import life, paris

ZONE = "Europe/Paris"
NOW = paris("2026-11-24 15:00")         # a Tuesday


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("16:30", "2026-11-24 16:30"), ("14:30", "2026-11-25 14:30"), ("tomorrow 08:00", "2026-11-25 08:00"),
        ("2026-11-30 20:00", "2026-11-30 20:00"), ("30/11 20:00", "2026-11-30 20:00"), ("today 08:00", "2026-11-24 08:00"),
        ("monday 09:00", "2026-11-30 09:00"), ("Sat 8:00", "2026-11-28 08:00"), ("2/1 20:00", "2027-01-02 20:00"),
        ("30/11", "2026-11-30 00:00"), ("20h15", "2026-11-24 20:15"),
    ],
)
def test_a_time_is_read_as_people_type_it(said: str, meant: str) -> None:
    at, left = moments.take((*said.split(), "and", "so"), ZONE, NOW)
    assert (at, left) == (paris(meant), ("and", "so"))


@pytest.mark.parametrize("said", ["", "later", "25:00", "31/02 20:00", "tomorow 08:00", "8", "-1:00", "30/13"])
def test_a_wrong_time_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(Refused, match="tomorrow 08:00"):
        moments.take(tuple(said.split()), ZONE, NOW)


def test_an_hour_that_clocks_show_twice_is_asked_about() -> None:
    before = paris("2026-10-24 12:00")
    with pytest.raises(Refused, match=r"02:30\+02:00.*the first.*02:30\+01:00"):
        moments.take(("25/10", "02:30"), ZONE, before)
    first, _ = moments.take(("25/10", "02:30+02:00"), ZONE, before)
    second, _ = moments.take(("25/10", "02:30+01:00"), ZONE, before)
    assert second - first == timedelta(hours=1) and first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_an_hour_that_clocks_jump_over_is_refused() -> None:
    with pytest.raises(Refused, match="jump over 02:30"):
        moments.take(("2027-03-28", "02:30"), ZONE, NOW)


def test_two_times_are_in_order_and_days_are_whole() -> None:
    start, end, left = moments.span(("30/11", "4/12", "x"), ZONE, NOW)
    assert (start, end, left) == (paris("2026-11-30 00:00"), paris("2026-12-05 00:00"), ("x",))
    assert moments.span(("20:00", "02:00"), ZONE, NOW)[1] == paris("2026-11-25 02:00")
    with pytest.raises(Refused, match="earlier time first"):
        moments.span(("30/11", "20:00", "28/11", "20:00"), ZONE, NOW)


# --- override ---------------------------------------------------------------------------------------------------------------


def test_a_rota_admin_gives_a_part_of_the_evening_to_another_and_both_are_told(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-24 15:00")                          # Bruno is primary of this week
    told = here.say("paul", "override platform primary 27/11 20:00 27/11 22:00 @paul dentist of Bruno")
    assert told.startswith("Paul has primary of platform, Fri 27 Nov 20:00–22:00"), told
    assert [here.has(f"2026-11-27 {at}") for at in ("19:59", "20:00", "21:59", "22:00")] == ["bruno", "paul", "paul", "bruno"]
    [said] = here.told("bruno")
    assert "No longer yours: primary of platform, Fri 27 Nov 20:00–22:00" in said and "Paul has it" in said
    assert "dentist of Bruno" in said and here.told("paul") == []
    [entry] = here.entries("shift changed")
    assert entry.actor == "paul" and '"why":"dentist of Bruno"' in entry.details


def test_what_was_published_is_superseded_and_never_edited(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    before = here.shift("2026-11-27 20:00")
    here.say("paul", "override platform primary 27/11 21:00 27/11 22:00 paul dentist")
    after = here.shift("2026-11-27 20:30")
    assert (after.start, after.end, after.person) == (before.start, paris("2026-11-27 21:00"), "bruno")
    assert (after.version, after.published_at) == (2, before.published_at)      # notice counts from when it was first said
    new = here.shift("2026-11-27 21:30")
    assert (new.person, new.source, new.published_by, new.published_at) == ("paul", "override", "paul", here.clock.now())


def test_a_running_shift_is_cut_at_now(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    here.say("paul", "override platform primary today 14:00 today 17:00 paul Bruno had to leave")
    assert [here.has(f"2026-11-24 {at}") for at in ("14:30", "15:00", "16:59", "17:00")] == ["bruno", "paul", "paul", "bruno"]


def test_nobody_is_two_persons(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    said = here.say("paul", "override platform primary today 16:00 today 17:00 alice because")
    assert "Alice is secondary of platform then" in said


def test_nobody_edits_the_other_companys_shifts(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    assert "each company changes its own shifts only" in here.say(
        "paul", "override platform primary 27/11 02:00 27/11 04:00 lea because")
    assert "each company changes its own shifts only" in here.say(
        "ines", "override platform primary 27/11 20:00 28/11 02:00 lea because")
    assert "Léa is of Padok" in here.say("paul", "override platform primary 27/11 20:00 27/11 22:00 lea because")
    assert here.entries("shift changed") == []


@pytest.mark.parametrize("who", ["alice", "marie"])
def test_only_a_rota_admin_changes_the_rota(sqlite_engine: sa.Engine, who: str) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    assert "Only Paul may change" in here.say(who, "override platform primary 27/11 20:00 27/11 22:00 alice because")


def test_a_lead_who_is_no_rota_admin_may_within_a_day_only(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    config = here.desk.config
    plain = config.people["paul"].model_copy(update={"roles": ("lead",)})
    here = life(sqlite_engine, "2026-11-24 15:00", config.model_copy(update={"people": config.people | {"paul": plain}}), 0)
    said = "override platform primary {day} 16:00 {day} 18:00 paul because"
    assert "Only" in here.say("paul", said.format(day="27/11"))
    assert here.say("paul", said.format(day="today")).startswith("Paul has")


def test_a_hard_finding_refuses_and_says_what_would_be_lawful(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    answer = here.say("paul", "override platform primary today 20:00 today 22:00 paul because")
    assert "do not allow" in answer and "R13" in answer and "Lawful" in answer, answer
    assert here.has("2026-11-24 20:30") == "bruno" and here.entries("shift changed") == []


def test_an_override_says_how_when_words_are_missing(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    assert "/vigie override platform primary tomorrow 20:00" in here.say("paul", "override platform primary")
    assert "no role" in here.say("paul", "override platform third 27/11 20:00 27/11 22:00 paul because")
    assert "Say why" in here.say("paul", "override platform primary 27/11 20:00 27/11 22:00 paul")
    assert "That time is over" in here.say("paul", "override platform primary 20/11 20:00 20/11 22:00 paul because")


def test_somebody_in_blackout_is_told_when_it_is_over(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 23:59")
    here.say("paul", "override platform primary 27/11 20:00 27/11 22:00 paul dentist")
    here.move("2026-11-25 00:01")
    with here.desk.begin("test") as connection:
        telling.tell(connection, here.desk.config, "alice", "moved:test", "yours", here.clock.now())
    assert here.directs("alice", "moved:test")[0].due_at == paris("2026-11-25 08:00")


def test_a_form_asks_for_an_override_and_says_the_same(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-24 15:00")
    asked = perform(here.desk, FAMILY, Saying("T0BRIDGE01", "U0PAUL0001", "slack home", ("override",), "form", "button")).ask
    assert asked is not None and [each.name for each in asked.fields] == ["coverage", "role", "from", "to", "person", "reason"]
    assert "lea" not in dict(asked.fields[4].options)        # only the own company's people
    filled = ("override", "coverage=platform", "role=primary", "from=27/11 20:00", "to=27/11 22:00", "person=paul",
              "reason=dentist of Bruno")
    said = perform(here.desk, FAMILY, Saying("T0BRIDGE01", "U0PAUL0001", "slack home", filled, None, "form")).text
    assert said.startswith("Paul has primary of platform, Fri 27 Nov 20:00–22:00")
    assert "dentist of Bruno" in here.told("bruno")[0]
