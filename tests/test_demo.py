"""The demo: one command, one address, a night that plays by itself, a clean stage at each start."""

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from bot.config import Config, load_catalogue, load_config
from bot.demo import STAGE, contacts, demo_secrets, doubles, paged_at, playing, set_stage
from bot.demo.hours import EVENING, StoryClock, at_night, midnight
from bot.discover import discover
from bot.errors import Misbuilt
from bot.services.leave import duty
from bot.services.rota import roster
from bot.workspace.seed import EXAMPLE_PEOPLE
from runbooks import actions
from runbooks.actions import Service
from tests.patience import PATIENCE_S
from tests.processes import ROOT, free_port, post, running, vigie

EXAMPLE = ROOT / "bot" / "vigie.example.yaml"
SOURCES = {"cloudwatch", "datadog", "alertmanager", "eventbridge"}

T = TypeVar("T")


def until(fact: Callable[[], T | None], what: str) -> T:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := fact():
            return found
        time.sleep(0.5)
    raise AssertionError(f"waited {PATIENCE_S:g} s for {what}")


def told(folder: Path) -> dict[str, Any] | None:
    """How it stands, once all sources have spoken and Léa has taken an alert."""
    night = status(folder)
    sources = {source for each in night["alerts"] for source in each["sources"]}
    return night if sources >= SOURCES and "lea" in {each["acked_by"] for each in night["alerts"]} else None


def messages(url: str, channel: str) -> str:
    """What Alice sees there."""
    with urllib.request.urlopen(f"{url}/workspace/page/messages?channel={channel}&as=U0ALICE001", timeout=PATIENCE_S) as page:
        return str(page.read().decode())


def status(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(vigie("status", "--json", cwd=folder).stdout)
    return found


def test_the_night_plays_from_every_source_and_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {"DEMO_PORT": str(port), "DEMO_SPEED": "500"}
    with running("demo", cwd=tmp_path, given=given, ready=f"{url}/health/ready") as process:
        with urllib.request.urlopen(f"{url}/", timeout=PATIENCE_S) as page:
            assert page.url == f"{url}/workspace/" and b"<html" in page.read()
        night = until(lambda: told(tmp_path), "every source to speak, and Léa to take what is hers")
        assert {source for each in night["alerts"] for source in each["sources"]} == SOURCES
        assert night["unreadable"] == 1 and night["dropped"] == {}
        until(lambda: "fixed it (run" in messages(url, "C0ALERTS01"), "Vigie to have repaired something")

        second = vigie("demo", cwd=tmp_path, given=given)
        assert second.returncode == 1 and f"DEMO_PORT={port + 1}" in second.stderr, second.stderr
        assert status(tmp_path)["alerts"], "a start that was refused swept the stage of the demo that runs"

        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    said = (tmp_path / "demo.log").read_text()
    assert f"Open  {url}/" in said and "Traceback" not in said, said


def test_at_speed_0_it_is_silent_and_a_second_start_finds_a_clean_stage(tmp_path: Path) -> None:
    port = free_port()
    given, url = {"DEMO_PORT": str(port), "DEMO_SPEED": "0"}, f"http://127.0.0.1:{port}"
    for _ in range(2):
        with running("demo", cwd=tmp_path, given=given, ready=f"{url}/health/ready") as process:
            assert status(tmp_path)["alerts"] == []
            body = json.dumps({"key": "k", "state": "firing", "title": "it fails"}).encode()
            assert post(f"{url}/webhooks/generic/bridge-generic", body, {"X-Vigie-Secret": "demo-bridge-generic"})[0] == 200
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


def test_a_number_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DEMO_PORT", "DEMO_SPEED"):
        with pytest.raises(Misbuilt, match=f"{name}=fast is not a .*: leave it out"):
            set_stage({name: "fast"})
    assert not STAGE.exists()


def test_every_endpoint_of_the_example_has_its_demo_secret() -> None:
    config = load_config(EXAMPLE)
    given = demo_secrets(config)
    for name, endpoint in config.endpoints.items():
        assert [given[each] for each in endpoint.secrets] == [f"demo-{name}"] * len(endpoint.secrets)


def test_every_account_of_datadog_in_the_example_has_its_demo_keys() -> None:
    config = load_config(EXAMPLE)
    given = demo_secrets(config)
    assert doubles.keys(config, given) == {
        name: (f"demo-{name}-datadog-api", f"demo-{name}-datadog-app") for name in ("bridge", "padok")}


@pytest.mark.parametrize("hour", range(24))
def test_whenever_it_is_started_it_is_night_for_bridge_and_was_evening_for_everybody(tmp_path: Path, hour: int) -> None:
    now = datetime(2026, 11, 22, hour, 37, tzinfo=UTC)
    config = moved(tmp_path, now)
    until = duty.in_blackout(config, "bridge", now)
    assert until is not None and timedelta(hours=5) < until - now < timedelta(hours=7)
    assert duty.in_blackout(config, "padok", now) is None
    assert duty.in_blackout(config, "bridge", now - EVENING) is None
    clause = config.mandates["nights"].clauses[0]
    assert any(hours_of(each, now.astimezone(ZoneInfo("Europe/Paris"))) for each in clause.hours)


def test_the_page_begins_as_somebody_who_is_awake_and_on_call(tmp_path: Path) -> None:
    now = datetime(2026, 11, 22, 2, 37, tzinfo=UTC)
    config, first = moved(tmp_path, now), EXAMPLE_PEOPLE[0]
    [key] = [key for key, each in config.people.items() if each.slack == first.id]
    assert key == "lea" and duty.asleep(config, key, now) is None


def test_a_start_just_before_the_hour_keeps_its_midnight_when_the_hour_strikes_meanwhile() -> None:
    began = datetime(2026, 11, 22, 16, 59, 58, tzinfo=UTC)
    assert StoryClock(began, evening=True).midnight() == midnight(began) == datetime(2026, 11, 22, 14, tzinfo=UTC)


ANY_DAY = [
    *(datetime(2026, 11, day, 3 * day % 24, 20, tzinfo=UTC) for day in range(16, 24)),
    datetime(2026, 5, 1, 11, tzinfo=UTC), datetime(2026, 12, 24, 23, 50, tzinfo=UTC), datetime(2027, 1, 1, 0, 10, tzinfo=UTC),
    datetime(2026, 10, 25, 13, tzinfo=UTC), datetime(2027, 3, 28, 13, tzinfo=UTC),
]


@pytest.mark.parametrize("now", ANY_DAY, ids=str)
def test_whatever_the_date_padok_has_the_duty_with_lea_and_omar_and_bridge_had_it_in_the_evening(
    tmp_path: Path, now: datetime
) -> None:
    config = moved(tmp_path, now)
    slots = roster.plan(config, "platform", now - EVENING, now + timedelta(hours=2))
    at_night = [each for each in slots if each.start <= now < each.end]
    assert [(each.team, each.role, each.person) for each in at_night] == [
        ("padok-nights", "primary", "lea"), ("padok-nights", "secondary", "omar")]
    in_the_evening = [each for each in slots if each.start <= now - EVENING < each.end]
    assert [(each.team, each.person) for each in in_the_evening] == [("bridge-day", "alice"), ("bridge-day", "bruno")]
    assert [each.start for each in at_night] == [midnight(now)] * 2


def test_everybody_who_can_be_rung_has_a_telephone_of_the_demo() -> None:
    config = load_config(EXAMPLE)
    given = contacts(config, 8080)
    assert given["VIGIE_CONTACT_LEA"] == "json://127.0.0.1:8080/doubles/phones/lea"
    assert {each for person in config.people.values() for each in person.contacts} == set(given)


def test_the_next_is_called_as_much_sooner_as_the_night_is_played_faster_but_not_before_one_can_read() -> None:
    config = load_config(EXAMPLE)
    at_20, at_500 = (paged_at(config, speed)["platform"].paging for speed in (20, 500))
    assert at_20 == at_500 and at_20.secondary_after == timedelta(seconds=15) and at_20.fallback_after == timedelta(minutes=1)
    assert paged_at(config, 1)["platform"].paging.secondary_after == timedelta(minutes=5)


def test_the_moved_configuration_keeps_every_line_where_it_was(tmp_path: Path) -> None:
    """Reasons name the line of a rule."""
    at, was = moved(tmp_path, datetime(2026, 7, 1, 12, tzinfo=UTC)), load_config(EXAMPLE)
    assert len((tmp_path / "vigie.yaml").read_text("utf-8").split("\n")) == len(EXAMPLE.read_text("utf-8").split("\n"))
    assert [each.line for each in at.rules] == [each.line for each in was.rules]


def moved(folder: Path, now: datetime) -> Config:
    path = folder / "vigie.yaml"
    path.write_text(at_night(EXAMPLE.read_text("utf-8"), now), "utf-8")
    return load_config(path)


def hours_of(given: str, at: datetime) -> bool:
    first, last = (int(each[:2]) for each in given.split("-"))
    return first <= at.hour < last if first < last else at.hour >= first or at.hour < last


def test_without_moto_it_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doubles, "find_spec", lambda _name: None)
    with pytest.raises(Misbuilt, match="`make demo` installs it"):
        set_stage({})
    assert not STAGE.exists()


def test_no_runbook_of_the_demo_asks_anybody_outside_this_machine() -> None:
    shipped = load_catalogue(None, load_config(EXAMPLE), discover(actions, Service))
    asked = [
        each.default for entry in doubles.at_home(shipped, "http://127.0.0.1:8080").entries.values()
        for each in entry.runbook.parameters.values() if "://" in str(each.default)
    ]
    assert "http://127.0.0.1:8080/doubles/outside/api.bank.example/health" in asked
    assert all(each.startswith("http://127.0.0.1:8080/") for each in asked)


def test_people_speak_about_the_newest_message_that_names_their_subject() -> None:
    said = [
        {"ts": "1", "text": "Firing: pay-db (#3)"},
        {"ts": "2", "text": "approval wanted for run 7: fail pay-db over", "thread_ts": "1"},
        {"ts": "3", "text": "Firing: ledger (#4)"},
    ]
    assert playing.subject(said, "pay-db", playing.NAMES["{alert}"]) == playing.Subject("3", "1")
    assert playing.subject(said, "pay-db over", playing.NAMES["{run}"]) == playing.Subject("7", "1")
    assert playing.subject(said, "bank", playing.NAMES["{alert}"]) is None
    assert playing.subject(said, "", "()") == playing.Subject()
