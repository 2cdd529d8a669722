"""`vigie check --online` names the people for whom Slack may ring in their blackout: by what dnd.info answers."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.errors import Rejected, Unavailable
from bot.services.check.findings import Finding
from bot.services.check.quiet_hours import of_blackouts
from tests.config_stage import example

API = "https://slack.example/api/"
NOON, NIGHT = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 2, tzinfo=UTC)


def between(first: str, last: str) -> dict[str, Any]:
    start, end = (int(datetime.fromisoformat(f"2026-11-{each}:00+01:00").timestamp()) for each in (first, last))
    return {"ok": True, "dnd_enabled": True, "next_dnd_start_ts": start, "next_dnd_end_ts": end, "snooze_enabled": False}


OFF = {"ok": True, "dnd_enabled": False, "next_dnd_start_ts": 1, "next_dnd_end_ts": 1}


def found(answer: Mapping[str, Any] | Exception, now: datetime = NOON) -> list[Finding]:
    asked: list[str] = []

    async def ask(user: str) -> Mapping[str, Any]:
        asked.append(user)
        if isinstance(answer, Exception):
            raise answer
        day = 25 if now is NOON else 24
        return answer if user == "U0ALICE001" else between(f"{day}T00:00", f"{day}T08:00")

    told = asyncio.run(of_blackouts(example(), ask, API, now))
    assert "U0LEA00001" not in asked        # Padok has no blackout
    return told


@pytest.mark.parametrize(("answer", "now"), [
    (between("25T00:00", "25T08:00"), NOON), (between("24T22:00", "25T09:00"), NOON), (between("23T22:00", "24T08:00"), NIGHT),
])
def test_hours_that_cover_the_blackout_are_fine(answer: Mapping[str, Any], now: datetime) -> None:
    assert [(each.level, each.what) for each in found(answer, now)] == [
        ("ok", "Slack is silent for all 4 people who have a blackout, from its begin to its end"),
    ]


@pytest.mark.parametrize(("answer", "now"), [
    (between("25T00:30", "25T08:00"), NOON), (between("24T22:00", "25T07:00"), NOON), (between("24T22:00", "25T08:00"), NIGHT),
])
def test_hours_that_are_too_short_are_told_with_both(answer: Mapping[str, Any], now: datetime) -> None:
    [warning] = found(answer, now)
    assert warning.level == "warning" and "Alice (U0ALICE001)" in warning.what and "00:00-08:00" in warning.what
    assert "pause them at least 00:00-08:00" in warning.remedy


def test_who_has_no_quiet_hours_is_named() -> None:
    [warning] = found(OFF)
    assert "Alice (U0ALICE001) does not let Slack pause notifications in Bridge's blackout" in warning.what


def test_an_app_without_the_scope_and_a_silent_slack_are_told_and_nothing_breaks() -> None:
    [refused] = found(Rejected("missing_scope"))
    assert refused.level == "warning" and "missing_scope" in refused.what and "dnd:read" in refused.remedy
    assert [each.level for each in found(Unavailable("timeout"))] == ["fault"]
