"""Who is on, as people of both companies read it."""

import pytest
import sqlalchemy as sa

from tests.duty_stage import life
from tests.story import CONFIG

NIGHT, DAY = "2026-11-25 02:00", "2026-11-25 15:00"


def test_now_says_who_is_on_until_when_who_is_next_and_who_sleeps(sqlite_engine: sa.Engine) -> None:
    said = life(sqlite_engine, NIGHT).say("lea", "oncall")
    assert "*platform*: Padok has the duty until Wed 25 Nov 08:00." in said
    assert "• primary Omar\n• secondary Léa\n" in said and "next Bridge, from Wed 25 Nov 08:00" in said
    assert "Bridge is in blackout until Wed 25 Nov 08:00: nobody there is reached" in said and "Paris time" in said


def test_now_shows_an_override_a_swap_and_an_absence(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, DAY)
    here.say("paul", "override platform primary 15:30 18:00 paul meeting")
    here.move("2026-11-25 16:00")
    assert "• primary Paul, until Wed 25 Nov 18:00" in here.say("alice", "oncall now")
    here.say("alice", "away sick")
    assert "secondary ⚠ nobody (Alice is away)" in here.say("bruno", "oncall")
    assert "secondary ⚠ not covered" in here.say("lea", "oncall") and "Alice" not in here.say("lea", "oncall")


def test_a_week_shows_the_own_people_and_of_the_other_company_only_whether_it_is_covered(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, DAY)
    ours, theirs = here.say("alice", "oncall week"), here.say("lea", "oncall week")
    assert "• Thu 26 Nov: 00:00 Padok covered · 08:00 Bridge Bruno, Alice\n" in ours
    assert "• Thu 26 Nov: 00:00 Padok Omar, Léa · 08:00 Bridge covered\n" in theirs
    assert "Omar" not in ours and "Bruno" not in theirs and len([line for line in ours.splitlines() if "•" in line]) == 7
    here.say("omar", "away 26/11 26/11")
    assert "00:00 Padok ⚠ not covered" in here.say("alice", "oncall week")


def test_a_person_is_shown_with_local_times_to_colleagues_only(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NIGHT)
    seen = here.say("lea", "oncall @omar")
    assert "primary of platform, 00:00–08:00 (Paris time): " in seen and "` Thu 26 Nov · `" in seen
    seen = here.say("alice", "oncall omar")
    assert "Omar is on duty now: primary of platform" in seen and "26 Nov" not in seen
    assert "Each company keeps its own roster" in here.say("lea", "oncall alice")


@pytest.mark.parametrize("said", ["oncall nobody", "oncall lee"])
def test_a_wrong_name_is_told(sqlite_engine: sa.Engine, said: str) -> None:
    assert "Nobody of vigie.yaml is called" in life(sqlite_engine, DAY, published_days=0).say("lea", said)


def test_without_a_rota_it_says_so(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, DAY, CONFIG, 0)
    assert "no coverages" in here.say("alice", "oncall") and "no coverages" in here.say("alice", "oncall week")
    assert "no shift" in here.say("alice", "shift") and "no coverages" in here.say("paul", "override a primary 1 2 alice b")


def test_my_shifts_have_numbers_that_other_commands_take(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, DAY)
    number = here.shift("2026-11-27 01:00").id
    said = here.say("omar", "shift")
    assert f"`{number}` Fri 27 Nov" in said and "/vigie shift drop" in said
    assert "offers one of them" not in here.say("marie", "shift")           # who has none needs no line to type
    assert "nothing that can be done" in here.say("omar", "shift dance")
