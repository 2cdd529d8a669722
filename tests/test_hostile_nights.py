"""Careless and hostile people, and bad luck, around the rota: nothing breaks or leaks, nobody waits behind what is broken."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from bot.clients.ringing import Phones
from bot.config import Config, load_config
from bot.errors import Refused, Rejected
from bot.services.alert import automation, due
from bot.services.call import auditor, escalation, silences
from bot.services.desk import Desk
from bot.services.handoff import accepting, asking, ticking
from bot.services.shift import changing, daily
from bot.services.shift.changing import Change
from bot.store import alerts, pages, shifts
from tests.call_stage import calls
from tests.config_stage import EXAMPLE
from tests.duty_stage import ADMIN, Life, life, paris, publish
from tests.handoff_stage import ALICE, OMAR, Passing

NOW = "2026-11-24 15:00"
SAID = "4111 1111 1111 1111 <!channel> " + "x" * 10_000


# --- what is typed ---


@pytest.mark.parametrize("said", [
    "away 31/12/9999 31/12/9999", "away 0001-01-01 tomorrow", "shift worked 0001-01-01 02:00-03:00",
    "override platform primary tomorrow 1/1/9998 @omar x",
])
def test_a_year_far_away_is_refused_with_those_that_are_near(sqlite_engine: sa.Engine, said: str) -> None:
    assert "say a day of the years 2016 to 2036" in life(sqlite_engine, NOW).say("ines", said)


def test_a_card_number_in_the_reason_of_an_override_is_kept_and_told_nowhere(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    change = Change("platform", "primary", paris("2026-12-04 01:00"), paris("2026-12-04 02:00"), "ines", "override", SAID)
    changing.override(here.desk, ADMIN, change)
    with here.desk.read() as connection:
        kept = next(each.reason for each in shifts.published(connection, "platform", paris("2026-12-04 01:00"),
                                                              paris("2026-12-04 02:00")) if each.source == "override")
    assert kept is not None and len(kept) <= 300 and "411111******1111" in kept
    [told] = here.told("lea", "moved:")
    assert "1111 1111" not in told and "<!channel>" not in told


def test_what_somebody_ticks_is_kept_as_the_note_names_it(sqlite_engine: sa.Engine) -> None:
    here = Passing(sqlite_engine, "23:00")
    found = here.go("2026-11-24 00:05")
    done = accepting.accept(here.desk, found, OMAR, "none", ["secret=hunter2" * 500])
    assert "hunter2" not in (done.synthesis or "")


@pytest.mark.parametrize("address", ["tgram://1234:topsecret/12", "topsecret", "foo://topsecret@host", "sns:topsecret"])
def test_an_address_that_nobody_can_read_is_refused_once_and_said_nowhere(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Rejected) as refused:
        Phones().ring(address, "Vigie", "pay-api is down")
    assert "topsecret" not in caplog.text + str(refused.value)


def test_somebody_in_blackout_publishes_nothing_and_gives_nothing_away(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-25 01:00")
    for said in ("shift publish because it is better so", "shift give alice"):
        assert "in Bridge's blackout" in here.say("paul", said, ref="absence1")


def test_a_button_of_an_offer_that_has_expired_gives_nobody_a_shift(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    here.say("lea", f"swap {here.shift('2026-12-02 01:00').id} @ines")
    here.move("2026-12-02 03:00")
    assert here.say("ines", "swap take", ref="1", way="button") == "Swap 1 is expired already."
    assert here.has("2026-12-02 03:00") == "lea"


def test_an_answer_to_a_question_that_nobody_asked_answers_no_other(sqlite_engine: sa.Engine) -> None:
    here = Passing(sqlite_engine, "23:00")
    found = here.go("2026-11-24 00:05")
    asking.ask(here.desk, found, OMAR, "since when?")
    with pytest.raises(Refused, match="Nothing was asked"):
        asking.answer(here.desk, found, ALICE, "since noon", question=999)


# --- one that is broken ---


def test_a_handoff_that_cannot_go_on_keeps_no_other_waiting(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Passing(sqlite_engine, "12:00")
    first, second = here.every()[:2]
    real = ticking._act

    def act(desk: Desk, number: int, now: datetime) -> bool:
        if number == first.id:
            raise RuntimeError("broken")
        return real(desk, number, now)

    monkeypatch.setattr(ticking, "_act", act)
    here.sleep("2026-11-24 08:05")
    here.tick()
    states = {each.id: each.state for each in here.every()}
    assert states[first.id] == "planned" and states[second.id] not in ("planned", "draft")


def test_a_silence_that_cannot_end_keeps_nobody_from_being_called(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = calls(sqlite_engine)
    desk, clock = night.night.desk, night.night.clock
    silences.start(desk, "edge", timedelta(minutes=30), "broken", OMAR)
    silences.start(desk, "ledger", timedelta(minutes=30), "whole", OMAR)
    real = silences._run_out

    def run_out(desk: Desk, silence: pages.Silence, now: datetime) -> bool:
        if silence.service == "edge":
            raise RuntimeError("broken")
        return real(desk, silence, now)

    monkeypatch.setattr(silences, "_run_out", run_out)
    clock.advance(31 * 60)
    night.alarm()
    with desk.read() as connection:
        assert [each.service for each in pages.run_out(connection, clock.now())] == ["edge"]
    assert len(night.timeline()) == 1


# --- vigie.yaml says something else after a restart ---


def variant(folder: Path, change: Callable[[dict[str, Any]], None]) -> Config:
    written = yaml.safe_load(EXAMPLE.read_text())
    change(written)
    path = folder / "vigie.yaml"
    path.write_text(yaml.safe_dump(written, allow_unicode=True, sort_keys=False))
    return load_config(path)


def parts(written: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for day in written["coverages"]["platform"]["days"].values() for part in day]


def team_renamed(written: dict[str, Any]) -> None:
    written["teams"]["days"] = written["teams"].pop("bridge-day")
    for one in (*written["rotations"].values(), *parts(written)):
        one["team"] = "days" if one["team"] == "bridge-day" else one["team"]


def coverage_renamed(written: dict[str, Any]) -> None:
    written["coverages"]["all"] = written["coverages"].pop("platform")
    for one in written["rotations"].values():
        one["coverage"] = "all"


def rota_removed(written: dict[str, Any]) -> None:
    del written["coverages"], written["rotations"], written["teams"]


def two_have_left(written: dict[str, Any]) -> None:
    del written["people"]["lea"], written["people"]["bruno"]
    for turns, one in zip(written["rotations"].values(), ("alice", "paul", "omar", "ines"), strict=True):
        turns["people"] = [one]


def boundary_moved(written: dict[str, Any]) -> None:
    written["organisations"]["bridge"]["blackout"] = "00:00-08:30"
    for part in parts(written):
        part["at"] = "08:30" if part["at"] == "08:00" else part["at"]


DOORS = (due.act, ticking.act, automation.act, silences.act, escalation.act, auditor.audit, *daily.ACTS.values())
CHANGES = (team_renamed, coverage_renamed, rota_removed, two_have_left, boundary_moved)


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_open_lives_through_another_vigie_yaml(
    sqlite_engine: sa.Engine, tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    night = calls(sqlite_engine, at=paris("2026-12-01 23:30"))
    desk, clock = night.night.desk, night.night.clock
    publish(desk, 21)
    here = Life(desk, clock)
    for door in DOORS:
        door(desk)
    night.alarm()
    mine = here.shift("2026-12-09 01:00")
    for person, said in (("alice", "ack 1"), ("alice", "silence batch-worker 4h planned"), (mine.person or "", f"swap {mine.id}"),
                         ("bruno", "away 5/12 8/12"), ("alice", "handoff note watch it")):
        here.say(person, said)
    clock.instant = paris("2026-12-02 00:03")
    night.tick()
    here.say(here.has("2026-12-02 00:03") or "", "ack 1")
    night.tick()

    after = replace(desk, config=variant(tmp_path, change))
    for minutes in (1, 10, 40, 600):
        clock.advance(minutes * 60)
        for door in DOORS:
            door(after)
    later = Life(after, clock)
    answers = [later.say("ines", *words.split()) for words in (
        f"swap {mine.id}", "swap", "shift", "oncall week", "away back 1", "handoff", "handoff accept none")]
    answers.append(later.say("paul", "away back 1"))
    assert not [each for each in answers if "Something broke" in each]
    with after.read() as connection:
        assert [each.service for each in pages.silences(connection, clock.now())] == []
        assert not [each for each in alerts.open_ones(connection, 9) if each.acked_by not in (None, *after.config.people)]
