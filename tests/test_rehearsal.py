"""A night is rehearsed in a database of its own, with today's rules, and told as machines and people want it."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config import Config
from bot.errors import Misbuilt, Refused
from bot.rehearsal import agree, rehearse, scratch, show
from bot.rehearsal.doubles import NoWorlds, assumed, sleeps
from bot.rehearsal.nights import bounds, invented, past
from bot.rehearsal.telling import Told
from bot.settings import Settings, load_settings
from bot.store import alerts, rungs
from bot.store.db import create_engine, metadata
from bot.store.migrate import upgrade
from runbooks.actions import Errand
from tests.config_stage import EXAMPLE, ROOT, example
from tests.fakes import CountingIds, ManualClock
from tests.processes import vigie
from tests.review_stage import at
from tests.workshop import MADE, catalogue

SAMPLE = ROOT / "tests" / "samples" / "night.yaml"
AFTER = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


def settings(folder: Path) -> Settings:
    return load_settings({"DATABASE_URL": f"sqlite:///{folder / 'vigie.db'}", "VIGIE_CONFIG": str(EXAMPLE)})


def played(folder: Path, night: str, config: Config | None = None) -> Told:
    return rehearse(settings(folder), config or example(), night, AFTER)


def night_file(folder: Path, **more: Any) -> str:
    given = {"night": "2026-10-20", "signals": [], **more}
    (folder / "night.json").write_text(json.dumps(given))
    return str(folder / "night.json")


def fires(when: str, key: str = "stall", service: str = "pay-db", state: str = "firing", **more: Any) -> dict[str, Any]:
    content = {"key": key, "state": state, "severity": "critical", "service": service, "title": f"{service} stalls", **more}
    return {"at": when, "endpoint": "bridge-generic", "content": content}


def said(told: Told) -> list[str]:
    return [f"{datetime.fromisoformat(each['at']).astimezone(told.zone):%H:%M} {each['said']}" for each in told.timeline]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The shipped night, played once."""
    return played(tmp_path_factory.mktemp("rehearsal"), str(SAMPLE))


# --- an invented one ------------------------------------------------------------------------------------------------------------


def test_what_a_trusted_runbook_fixes_wakes_nobody_and_is_closed_by_vigie(sample: Told) -> None:
    lines = said(sample)
    assert "23:20 #1 batch-worker: run 1 started by Vigie: queue-backlog" in lines
    assert "23:46 #1 batch-worker: closed by Vigie: stayed quiet, and is proven well" in lines
    assert all(1 not in each["about"] for each in sample.woken)
    assert sample.closed_by_machine == 1            # the other one somebody took


def test_what_nobody_recognises_calls_whoever_has_the_duty_at_the_right_instant_of_the_hour_shown_twice(sample: Told) -> None:
    first = sample.woken[0]
    assert (first["at"], first["person"], first["about"]) == ("2026-10-25T00:40:00+00:00", "lea", [2])
    assert {"mention", "direct"} <= set(first["by"])
    assert len(sample.woken) == 1           # Bridge sleeps, and a reminder wakes nobody who is at it


def test_duty_passes_and_the_note_is_accepted_as_assumed(sample: Told) -> None:
    lines = said(sample)
    assert "00:00 duty passes: Alice → Léa" in lines
    assert "00:03 Léa accepts the handoff, top risk: none" in lines


def test_what_people_type_in_the_file_is_done(sample: Told) -> None:
    assert "02:50 #2 pay-db: Léa wrote: looks like the bank" in said(sample)
    assert sample.refused == ()


def test_nothing_is_lost_and_no_law_is_broken_in_the_shipped_night(sample: Told) -> None:
    assert (sample.lost, sample.laws_broken) == (0, ())


def test_machines_get_what_the_contract_promises(sample: Told) -> None:
    told = json.loads(json.dumps(sample.as_json()))
    assert {"timeline", "woken", "closed_by_machine", "lost", "laws_broken"} <= set(told)
    assert told["timeline"] == sorted(told["timeline"], key=lambda each: each["at"])
    assert told["assumed"] == {"steps": "work", "answer": "3m", "handoff": "3m"}


def test_people_read_it_by_local_clocks_and_are_told_what_is_assumed(sample: Told) -> None:
    lines = list(sample.lines())
    assert lines[0].startswith("The night of 2026-10-24, 24 Oct 20:00 to 25 Oct 09:00 (Europe/Paris): 4 notifications")
    assert lines[1] == "Assumed: steps that change something work; calls are answered after 3m; handoffs are accepted after 3m."
    assert any(line.startswith("02:40:00 CEST") for line in lines) and any(line.startswith("02:20:00 CET") for line in lines)
    assert lines[-1] == "Closed by Vigie alone: 1. Lost: 0. Laws broken: 0."


def test_when_nobody_answers_and_steps_fail_everybody_awake_is_called_and_nobody_who_sleeps(tmp_path: Path) -> None:
    night = night_file(
        tmp_path, assume={"steps": "fail", "answer": None, "handoff": None}, rungs={"queue-backlog": "automatic"},
        signals=[
            fires("01:00"), fires("01:30", state="recovered"),
            fires("08:00", "queue", "batch-worker", name="batch-worker-queue-age", severity="high",
                  labels={"QueueName": "batch-jobs"}),
        ],
    )
    told = played(tmp_path, night)
    lines = said(told)
    assert {each["person"] for each in told.woken} == {"lea", "omar", "ines"}
    assert [line for line in lines if "run 1 failed" in line]
    assert "00:10 nobody accepts the handoff" in lines
    assert not [law for law in told.laws_broken if "blackout" in law]
    assert told.lost == 0


# --- a past one -----------------------------------------------------------------------------------------------------------------


def test_a_past_night_is_read_anew_and_the_real_database_stays_as_it_is(tmp_path: Path) -> None:
    url = settings(tmp_path).database_url
    upgrade(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        rungs.put(connection, "queue-backlog", "automatic", at("2026-11-01 10:00"), "paul", "ines")
        connection.execute(sa.insert(alerts.signal), list(_kept(CountingIds())))
    before, printed = _all_rows(engine), list[str]()
    assert show(settings(tmp_path), example(), "2026-10-20", False, printed.append)
    assert _all_rows(engine) == before
    with engine.connect() as connection:
        night = past(connection, example(), date(2026, 10, 20), AFTER.now())
    engine.dispose()
    assert "22:00:00 CEST  #1 batch-worker: run 1 started by Vigie: queue-backlog" in printed[0]       # as it is trusted today
    assert "04:00:00 CEST  #2 pay-db: Léa called: important, and no runbook recognises it." in printed[0]
    assert (len(night.sent), night.left_out) == (3, 1)
    assert "Left out, for vigie.yaml no longer has their endpoints: 1." in printed[0]


def _all_rows(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {name: list(connection.execute(sa.select(each)).all()) for name, each in metadata.tables.items()}


def _kept(ids: CountingIds) -> Any:
    """Notifications as they are kept: one before the night, three in it, one after, one of an endpoint that is gone."""
    queue = {"key": "queue", "severity": "high", "service": "batch-worker", "name": "batch-worker-queue-age",
             "title": "Old", "labels": {"QueueName": "batch-jobs"}}
    stall = {"key": "stall", "state": "firing", "severity": "critical", "service": "pay-db", "title": "Stalls"}
    for when, content, endpoint in (
        ("2026-10-20 19:59", stall, "bridge-generic"), ("2026-10-20 22:00", {**queue, "state": "firing"}, "bridge-generic"),
        ("2026-10-20 22:10", {**queue, "state": "recovered"}, "bridge-generic"), ("2026-10-21 04:00", stall, "bridge-generic"),
        ("2026-10-21 05:00", stall, "gone"), ("2026-10-21 09:00", stall, "bridge-generic"),
    ):
        yield {
            "delivery": ids.new(), "received_at": at(when), "at": at(when), "source": "generic", "endpoint": endpoint,
            "organisation": "bridge", "observer": "Scripts", "fingerprint": content["key"], "state": content.get("state", ""),
            "severity": "high", "title": content["title"], "body": json.dumps(content), "alert_id": None,
        }


def test_what_was_agreed_and_what_came_in_is_taken_over_from_either_database(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        rungs.put(connection, "queue-backlog", "automatic", at("2026-11-01 10:00"), "paul", "ines")
        connection.execute(sa.insert(alerts.signal), list(_kept(CountingIds())))
    with engine.connect() as connection, scratch(tmp_path) as own:
        agree(connection, own)
        night = past(connection, example(), date(2026, 10, 20), AFTER.now())
        with own.connect() as other:
            assert list(other.execute(sa.select(rungs.rung))) == list(connection.execute(sa.select(rungs.rung)))
    assert [(each.at, each.content["key"]) for each in night.sent] == [
        (at("2026-10-20 22:00"), "queue"), (at("2026-10-20 22:10"), "queue"), (at("2026-10-21 04:00"), "stall")]


# --- what cannot be played ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["yesterday", "2026-02-30", "2026-10", "nowhere.yaml"])
def test_what_is_neither_a_day_nor_a_file_is_refused_before_anything_is_opened(given: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="2026-10-24"):
        played(tmp_path, given)


def test_a_past_night_needs_a_database(tmp_path: Path) -> None:
    with pytest.raises(Misbuilt, match="no database"):
        played(tmp_path, "2026-10-20")


def test_a_night_that_is_not_over_is_refused(tmp_path: Path) -> None:
    upgrade(settings(tmp_path).database_url)
    with pytest.raises(Refused, match="not over"):
        played(tmp_path, "2026-11-22")


@pytest.mark.parametrize(("wrong", "why"), [
    ({"night": "soon"}, "night: "), ({"nights": []}, "nights: "), ({"signals": [fires("25:00")]}, "signals.0.at"),
    ({"signals": [{**fires("23:00"), "endpoint": "door"}]}, "no endpoint is called door"),
    ({"people": [{"at": "23:00", "person": "zoe", "says": "status"}]}, "nobody is called zoe"),
    ({"rungs": {"queue-backlog": "blind"}}, "rungs.queue-backlog"), ({"rungs": {"tea": "automatic"}}, "the runbook tea"),
])
def test_a_file_says_what_is_wrong_in_it(wrong: dict[str, Any], why: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=why):
        played(tmp_path, night_file(tmp_path, **wrong))


def test_a_file_that_is_no_yaml_says_so(tmp_path: Path) -> None:
    (tmp_path / "night.yaml").write_text("night: [")
    with pytest.raises(Refused, match="cannot be read as YAML"):
        played(tmp_path, str(tmp_path / "night.yaml"))


def test_the_command_ends_with_a_sentence_when_there_is_no_such_night(tmp_path: Path) -> None:
    done = vigie("rehearse", "tomorrow", cwd=tmp_path, given={"VIGIE_CONFIG": str(EXAMPLE)})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tomorrow is neither a night")


# --- its parts ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("day", "hours"), [("2026-10-20", 13), ("2026-10-24", 14), ("2027-03-27", 12)])
def test_nights_last_from_eight_to_nine_by_the_clocks_also_when_they_change(day: str, hours: int) -> None:
    start, end = bounds(example(), date.fromisoformat(day))
    assert end - start == timedelta(hours=hours)


def test_times_before_noon_are_of_the_morning_after(tmp_path: Path) -> None:
    given = night_file(tmp_path, signals=[fires("08:10"), fires("21:10"), fires("2026-10-21T02:10+02:00")])
    night = invented(Path(given), example())
    assert [each.at for each in night.sent] == [at("2026-10-20 21:10"), at("2026-10-21 02:10"), at("2026-10-21 08:10")]


def test_card_numbers_in_a_file_are_masked_like_any_other(tmp_path: Path) -> None:
    given = night_file(tmp_path, signals=[fires("23:00", title="card 4111 1111 1111 1111 refused")])
    assert "1111 1111 1111" not in str(invented(Path(given), example()).sent)


@pytest.mark.parametrize(("when", "dark"), [
    ("2026-10-20 23:59:59", False), ("2026-10-21 00:00", True), ("2026-10-21 07:59:59", True), ("2026-10-21 08:00", False),
])
def test_who_sleeps_is_worked_out_from_the_wall_clock(when: str, dark: bool) -> None:
    assert sleeps(example(), "alice", at(when)) is dark
    assert not sleeps(example(), "lea", at(when))


def test_assumed_steps_touch_nothing_and_say_that_they_are_assumed() -> None:
    errand = Errand(1, 0, "lea", "padok", None, AFTER.now(), acting=True)
    world = NoWorlds(example()).world(errand)
    for own in MADE:
        double = assumed(catalogue(), works=True).actions[own.name]
        params = own.params.model_validate(own.example)
        assert (double.name, double.mutates, double.idempotent, double.help) == (own.name, own.mutates, own.idempotent, own.help)
        assert double.target(params) == own.target(params)
        assert "assumed" in double.act(world, params, {}).said
        assert double.look(world, params, {}, {}).seen == "done"
