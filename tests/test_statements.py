"""The monthly statement of on-call time: given on the first working day, to who was on call, once, and never changed."""

import csv
import io
import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.services.worktime import statements as making
from bot.store import interventions, statements
from bot.store.statements import Statement
from runbooks.model import digest
from tests.duty_stage import Life, life, paris

FIRST = "2026-12-01 08:00"          # a Tuesday


def given(here: Life, month: str = "2026-11", person: str | None = None) -> list[Statement]:
    with here.desk.read() as connection:
        return statements.of_month(connection, month, person)


def november(engine: sa.Engine) -> Life:
    """The month from the 13th on; Omar was called on a Saturday night, and Bruno on a Friday evening."""
    here = life(engine, "2026-11-20 12:00")
    with here.desk.begin("test") as connection:
        for person, organisation, start, end in (
            ("omar", "padok", "2026-11-28 02:10", "2026-11-28 03:10"),
            ("bruno", "bridge", "2026-11-27 20:30", "2026-11-27 21:30"),
            ("lea", "padok", "2026-12-05 02:00", "2026-12-05 02:30"),
        ):
            interventions.begin(connection, person, organisation, 7, paris(start), end=paris(end),
                                confirmed_at=paris(end) if person == "omar" else None)
    return here


def test_it_is_given_on_the_first_working_day_after_the_month_and_once(engine: sa.Engine) -> None:
    here = november(engine)
    here.move("2026-12-01 07:59")
    assert making.act(here.desk) == 0
    here.move(FIRST)
    assert making.act(here.desk) == 4 and making.act(here.desk) == 0
    assert [each.person for each in given(here)] == ["alice", "bruno", "lea", "omar"]
    assert here.directs("omar", "statement:")[0].due_at == here.clock.now() and here.directs("marie") == []
    assert len(here.entries("statement given")) == 4


def test_a_month_that_ends_before_a_weekend_waits_for_the_monday(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-10-20 12:00")
    for at, count in (("2026-11-01 12:00", 0), ("2026-11-02 07:59", 0), ("2026-11-02 08:00", 4)):      # Sunday, All Saints
        here.move(at)
        assert making.act(here.desk) == count


def test_a_month_that_vigie_has_slept_through_is_given_late_and_once(engine: sa.Engine) -> None:
    here = life(engine, "2026-10-20 12:00")
    here.move("2027-01-15 09:00")
    assert making.act(here.desk) >= 8 and making.act(here.desk) == 0
    assert [len(given(here, month)) for month in ("2026-09", "2026-10", "2026-11")] == [0, 4, 4]


def test_it_says_hours_interventions_night_minutes_and_rest_moved(sqlite_engine: sa.Engine) -> None:
    here = november(sqlite_engine)
    here.move(FIRST)
    making.act(here.desk)
    [omar], [bruno], [lea] = (given(here, person=each) for each in ("omar", "bruno", "lea"))
    body = json.loads(omar.body)
    assert body["on_call_hours"] == 96 and body["minutes"] == 60 and body["night_minutes"] == 60
    assert [(each["start"], each["confirmed"]) for each in body["interventions"]] == [("2026-11-28T01:10:00+00:00", True)]
    evening = json.loads(bruno.body)
    assert evening["rest_moved"] == 1 and evening["night_minutes"] == 30            # the law's night begins at 21:00
    assert evening["interventions"][0]["rest_until"] == paris("2026-11-28 08:30").isoformat()
    assert json.loads(lea.body)["interventions"] == []                              # that is of December


def test_nobody_can_change_it_unseen(sqlite_engine: sa.Engine) -> None:
    here = november(sqlite_engine)
    here.move(FIRST)
    making.act(here.desk)
    for each in given(here):
        assert digest(json.loads(each.body)) == each.digest
    before = given(here)
    with here.desk.begin("test") as connection:
        interventions.begin(connection, "omar", "padok", None, paris("2026-11-29 02:00"), end=paris("2026-11-29 03:00"))
    here.clock.advance(86_400)
    making.act(here.desk)
    assert given(here) == before


def test_a_person_reads_the_own_one_only(sqlite_engine: sa.Engine) -> None:
    here = november(sqlite_engine)
    here.move(FIRST)
    making.act(here.desk)
    said = here.say("omar", "shift statement")
    assert "*On-call statement of Omar, 2026-11*" in said and "On call 96 h · 1 intervention of 60 min" in said
    assert "Sat 28 Nov 02:10–03:10: 60 min, #7" in said and "Bruno" not in said
    assert "not confirmed, rest until Sat 28 Nov 08:30" in here.say("bruno", "shift statement 2026-11")
    assert "Omar has no statement of 2026-09" in here.say("omar", "shift statement 2026-09")
    assert "Marie has no statement" in here.say("marie", "shift statement")
    assert "On call 96 h" in here.say("ines", "shift statement 2026-11 @omar")
    assert "for a rota_admin of Padok" in here.say("paul", "shift statement 2026-11 @omar")
    assert "for a rota_admin of Padok" in here.say("lea", "shift statement 2026-11 @omar")
    assert "96 h on call" in here.told("omar", "statement:")[0]


def test_the_csv_has_a_line_for_each_intervention_and_no_formula(sqlite_engine: sa.Engine) -> None:
    here = november(sqlite_engine)
    config = here.desk.config
    people = config.people | {"omar": config.people["omar"].model_copy(update={"name": "=Omar"})}
    here.desk = replace(here.desk, config=config.model_copy(update={"people": people}))
    here.move(FIRST)
    making.act(here.desk)
    rows = list(csv.DictReader(io.StringIO(making.as_csv(given(here)))))
    assert [each["person"] for each in rows] == ["alice", "bruno", "lea", "omar"]
    assert rows[-1]["name"] == "'=Omar" and rows[-1]["minutes"] == "60" and rows[-1]["digest"] == given(here)[-1].digest
    assert rows[0]["intervention_start"] == ""


@pytest.mark.parametrize(("month", "hours"), [("2026-10", 745), ("2027-03", 743), ("2026-11", 720)])
def test_a_month_is_as_long_as_it_was(month: str, hours: int) -> None:
    start, end = making.bounds("Europe/Paris", month)
    assert (end - start).total_seconds() == hours * 3600
