"""Somebody is away or sick: nobody asks why, the gap is told at once with who could fill it, the secondary is first."""

import json

import sqlalchemy as sa

from bot.entrypoints.perform import Saying, perform
from bot.services.leave import duty
from tests.chat_stage import FAMILY
from tests.duty_stage import life, paris

NOW = "2026-11-24 15:00"        # a Tuesday; Omar is primary of this week's nights


def test_an_absence_leaves_a_gap_that_is_told_at_once_with_who_could_take_it(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    assert "When?" in here.say("omar", "away influenza") and "Until when?" in here.say("omar", "away 14:30")
    answer = here.say("omar", "away 26/11")                 # one day
    assert answer.startswith("You are away Thu 26 Nov 00:00–Fri 27 Nov 00:00 (Paris time), absence 1. One shift is left")
    assert here.has("2026-11-26 01:00") is None and here.has("2026-11-26 01:00", "secondary") == "lea"
    [said] = here.told("ines")
    assert "Omar cannot take primary of platform, Thu 26 Nov 00:00–08:00" in said and said.endswith("rules: Inès.")
    assert here.offers("ines") == [["Give to Inès", "shift:give:ines", "absence1"]]


def test_the_lead_gives_what_is_left_open_with_one_click(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    here.say("omar", "away 26/11 27/11")
    assert here.say("ines", "shift give ines", ref="absence1", way="button").startswith("Inès has 2 shifts now")
    assert [here.has(f"2026-11-{day} 01:00") for day in (25, 26, 27)] == ["omar", "ines", "ines"]
    assert "leaves no gap any more" in here.say("ines", "shift give ines", ref="absence1", way="button")
    here.say("omar", "away back 1")
    assert here.has("2026-11-26 01:00") == "ines"           # what was given stays given


def test_no_reason_is_asked_or_kept(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert "No reason is asked or kept" in here.say("omar", "away 26/11 27/11 influenza")
    here.say("omar", "away influenza tomorrow")
    with here.desk.read() as connection:
        rows = [json.dumps([str(each) for each in row]) for table in ("absence", "journal", "post")
                for row in connection.execute(sa.text(f"SELECT * FROM {table}"))]
    assert rows and not any("influenza" in each for each in rows)


def test_a_sick_night_engineer_makes_the_secondary_the_first_at_once(engine: sa.Engine) -> None:
    here = life(engine, "2026-11-25 02:00")
    with here.desk.read() as connection:
        assert duty.on_call(connection, here.desk.config, here.clock.now())[:2] == ["omar", "lea"]
    assert "absence 1" in here.say("omar", "away sick")
    with here.desk.read() as connection:
        callees = duty.on_call(connection, here.desk.config, here.clock.now())
    assert callees[0] == "lea" and "omar" not in callees
    assert "you are called first now, until Wed 25 Nov 08:00" in here.told("lea")[0]
    assert "Omar cannot take" in here.told("ines")[0] and here.directs("ines")[0].due_at == here.clock.now()
    assert all(here.directs(each) == [] for each in ("alice", "bruno", "paul"))


def test_an_absence_is_taken_back_once(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    here.say("omar", "away 26/11 27/11")
    assert "absence 1 is over" in here.say("omar", "away back")
    assert here.has("2026-11-26 01:00") == "omar"
    assert "taken back already" in here.say("omar", "away back 1")
    assert "no absence 9" in here.say("omar", "away back 9") and "You have none" in here.say("omar", "away back")


def test_a_lead_may_say_it_for_somebody_and_nobody_else_may(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert here.say("ines", "away @omar 26/11 27/11").startswith("Omar is away")
    assert "may say so of Omar" in here.say("lea", "away @omar 28/11 29/11")
    assert "may say so of Omar" in here.say("paul", "away @omar 28/11 29/11")
    assert "away then already" in here.say("omar", "away 26/11 26/11")


def test_an_absence_without_shifts_tells_nobody(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert "No shift is touched" in here.say("marie", "away 26/11 27/11")
    assert here.told("paul") == []


def test_a_lead_asleep_is_told_when_the_blackout_is_over(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-25 02:00")
    here.say("bruno", "away sick")
    assert here.directs("paul")[0].due_at == paris("2026-11-25 08:00")
    assert here.has("2026-11-25 08:30") is None


def test_an_absence_over_or_too_long_is_refused(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert "That time is over" in here.say("omar", "away 20/11 21/11")
    assert "At most 370 days" in here.say("omar", "away 2026-12-01 2028-12-01")


def test_a_form_asks_for_the_times_and_says_the_same(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert here.say("omar", "away") == ""                    # the form
    saying = Saying("T0BRIDGE01", "U0OMAR0001", "slack C0ALERTS01", ("away", "26/11 00:00", "27/11 08:00"), None, "form")
    said = perform(here.desk, FAMILY, saying).text
    assert said.startswith("You are away Thu 26 Nov 00:00–Fri 27 Nov 08:00"), said
