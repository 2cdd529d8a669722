"""`vigie rota` looks at who is on and what the rules say, before the first start too; what it prints is what machines rely on."""

import io
import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bot import rota
from bot.config import Config, load_config
from bot.errors import Misbuilt, Refused
from bot.services.rota.exporting import Wanted
from bot.settings import Settings, load_settings
from bot.store import statements
from bot.store.db import create_engine
from bot.store.migrate import upgrade
from tests.config_stage import EXAMPLE, changed, example
from tests.fakes import START
from tests.processes import vigie
from tests.story import CONFIG

LONG_SATURDAYS = (      # Padok at work from 08:00 to 24:00
    '- {at: "08:00", team: bridge-day, mode: on_call}', '- {at: "08:00", team: padok-nights, mode: active}',
)
WEEK = rota.Range("2026-10-19", "2026-10-26")


@pytest.fixture
def nowhere(tmp_path: Path) -> Settings:
    """The settings of somebody who has not started Vigie yet."""
    return load_settings({"DATABASE_URL": f"sqlite:///{tmp_path / 'vigie.db'}", "VIGIE_CONFIG": str(EXAMPLE)})


def written(folder: Path, old: str, new: str) -> Config:
    (folder / "vigie.yaml").write_text(changed(old, new))
    return load_config(folder / "vigie.yaml")


def shown(settings: Settings, config: Config, given: rota.Range, coverage: str | None = None, as_json: bool = False) -> str:
    out = io.StringIO()
    rota.show(settings, config, given, coverage, as_json, out)
    return out.getvalue()


def checked(settings: Settings, config: Config, given: rota.Range = WEEK, as_json: bool = True) -> tuple[bool, str]:
    said: list[str] = []
    well = rota.check(settings, config, given, as_json, said.append)
    return well, "\n".join(said)


def test_each_minute_of_the_days_is_in_a_row_of_each_role_in_utc(nowhere: Settings, tmp_path: Path) -> None:
    rows = json.loads(shown(nowhere, example(), WEEK, as_json=True))
    assert set(rows[0]) == {"coverage", "organisation", "team", "person", "role", "mode", "start", "end"}
    assert rows == sorted(rows, key=lambda each: (each["start"], each["coverage"], each["role"]))
    for role in ("primary", "secondary"):
        mine = [tuple(datetime.fromisoformat(each[at]) for at in ("start", "end")) for each in rows if each["role"] == role]
        assert mine[0][0].isoformat() == "2026-10-18T22:00:00+00:00" and mine[-1][1].isoformat() == "2026-10-25T23:00:00+00:00"
        assert all(before[1] == after[0] for before, after in pairwise(mine))
        assert sum((end - start for start, end in mine), timedelta(0)) == timedelta(days=7, hours=1)
    assert list(tmp_path.iterdir()) == [], "looking made a database"


def test_a_role_that_nobody_has_is_null(nowhere: Settings) -> None:
    config = example()
    config = config.model_copy(update={"rotations": {k: v for k, v in config.rotations.items() if k != "bridge-secondary"}})
    rows = json.loads(shown(nowhere, config, WEEK, as_json=True))
    assert {each["person"] for each in rows if (each["team"], each["role"]) == ("bridge-day", "secondary")} == {None}
    text = shown(nowhere, config, WEEK)
    assert "— nobody" in text and "Marked lines have nobody in a role" in text


def test_people_read_local_times_names_and_when_clocks_change(nowhere: Settings) -> None:
    text = shown(nowhere, example(), WEEK)
    assert "platform, Europe/Paris time, 2026-10-19 00:00 to 2026-10-26 00:00" in text
    assert "20:00–00:00" in text and "Léa" in text and "on call" in text
    assert "clocks change: 25 h" in text.splitlines()[-4] and "Nothing is published yet" in text


def test_the_check_finds_nothing_forbidden_in_the_shipped_rota_and_says_what_it_is(nowhere: Settings) -> None:
    well, text = checked(nowhere, example(), as_json=False)
    assert well and "the employer stays responsible" in text and "FR-2026.08" in text and "Forbidden: 0" in text
    assert "the night to Sun 25 Oct 2026 lasts 9 h from 00:00 to 08:00 instead of 8 h: clocks go back" in text
    well, text = checked(nowhere, example())
    found = json.loads(text)
    assert well and set(found[0]) == {"rule", "severity", "person", "start", "end", "message", "source"}
    assert {each["severity"] for each in found} == {"warn"}


def test_a_rota_against_the_law_is_told_with_article_evidence_and_what_would_be_lawful(
    nowhere: Settings, tmp_path: Path
) -> None:
    config = written(tmp_path, *LONG_SATURDAYS)
    well, text = checked(nowhere, config)
    hard = [each for each in json.loads(text) if each["severity"] == "hard"]
    assert not well and {"R06"} <= {each["rule"] for each in hard} and all("Lawful: " in each["message"] for each in hard)
    assert all(each["source"] and each["person"] in ("lea", "omar") for each in hard)
    assert "FORBIDDEN R06 " in checked(nowhere, config, as_json=False)[1]


def test_without_working_time_rules_that_is_said(nowhere: Settings) -> None:
    config = example()
    free = {key: each.model_copy(update={"labour": None}) for key, each in config.organisations.items()}
    well, text = checked(nowhere, config.model_copy(update={"organisations": free}), as_json=False)
    assert well and text.count("nothing was checked") == 2


def test_a_database_that_is_there_is_used_and_one_of_another_time_is_told(nowhere: Settings, tmp_path: Path) -> None:
    upgrade(nowhere.database_url)
    assert "Léa" in shown(nowhere, example(), WEEK)
    (tmp_path / "vigie.db").unlink()
    (tmp_path / "vigie.db").touch()
    with pytest.raises(Misbuilt, match="vigie migrate"):
        shown(nowhere, example(), WEEK)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-13-01", "2026-12-01", "--from 2026-13-01: that is no day. Write it as 2026-10-25."),
        ("2026-10-25", "tomorrow", "--to tomorrow: that is no day"),
        ("2026-10-25", "2026-10-25", "for one day say --to 2026-10-26"),
        ("2026-10-25", "2099-01-01", "two years at most"),
    ],
)
def test_days_that_are_none_are_told_kindly(first: str, last: str, said: str, nowhere: Settings) -> None:
    for look in (shown, checked):
        with pytest.raises(Refused, match=said):
            look(nowhere, example(), rota.Range(first, last))


def test_an_unknown_coverage_is_told_with_those_that_there_are(nowhere: Settings) -> None:
    with pytest.raises(Refused, match=r'"nights" is no coverage of .*; there are platform'):
        shown(nowhere, example(), WEEK, "nights")
    with pytest.raises(Refused, match="says nothing of a rota yet"):
        shown(nowhere, CONFIG, WEEK)


def test_without_days_it_is_from_today_for_sixty(nowhere: Settings) -> None:
    rows = json.loads(shown(nowhere, example(), rota.Range(), as_json=True))
    length = datetime.fromisoformat(rows[-1]["end"]) - datetime.fromisoformat(rows[0]["start"])
    assert abs(length - timedelta(days=60)) <= timedelta(hours=1)


def test_a_calendar_goes_to_a_file_or_out(nowhere: Settings, tmp_path: Path) -> None:
    out, said = io.StringIO(), []
    rota.calendar(nowhere, example(), Wanted(team="padok-nights"), None, out, said.append)
    assert out.getvalue().startswith("BEGIN:VCALENDAR")
    rota.calendar(nowhere, example(), Wanted(), tmp_path / "rota.ics", out, said.append)
    assert (tmp_path / "rota.ics").read_bytes().startswith(b"BEGIN:VCALENDAR") and "shifts." in said[0]


def test_statements_are_shown_as_they_were_given(nowhere: Settings) -> None:
    out = io.StringIO()
    rota.statement(nowhere, example(), "2026-10", "Léa", False, out)
    assert out.getvalue().startswith("No statement was given for 2026-10")
    upgrade(nowhere.database_url)
    with create_engine(nowhere.database_url).begin() as connection:
        body = {"month": "2026-10", "person": "lea", "name": "Léa", "organisation": "padok", "on_call_hours": 41.0,
                "interventions": [], "minutes": 0, "night_minutes": 0, "rest_moved": 0, "compensation": "as agreed"}
        statements.give(connection, "lea", "2026-10", "padok", START, json.dumps(body), "0123456789abcdef")
    for as_csv, said in ((False, "On-call statement of Léa, 2026-10"), (True, "2026-10,lea,Léa,padok,41.0")):
        out = io.StringIO()
        rota.statement(nowhere, example(), "2026-10", None, as_csv, out)
        assert said in out.getvalue()
    with pytest.raises(Refused, match="that is no month"):
        rota.statement(nowhere, example(), "October", None, False, out)


def test_the_commands_answer_as_commands_do(tmp_path: Path) -> None:
    given = {"VIGIE_CONFIG": str(EXAMPLE)}
    done = vigie("rota", "show", "--from", "2026-10-25", "--to", "2026-10-26", "--json", cwd=tmp_path, given=given)
    assert done.returncode == 0 and len(json.loads(done.stdout)) == 2
    done = vigie("rota", "check", "--from", "soon", cwd=tmp_path, given=given)
    assert done.returncode == 1 and done.stderr == "--from soon: that is no day. Write it as 2026-10-25.\n"
    (tmp_path / "vigie.yaml").write_text(changed(*LONG_SATURDAYS))
    done = vigie("rota", "check", cwd=tmp_path)
    assert done.returncode == 1 and "FORBIDDEN R06 " in done.stdout, done.stderr
