"""Days are cut among teams without gap or overlap, in every zone and on the nights when clocks change; duty passes once."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.config import Config
from bot.config.nights import Boundary
from bot.services.rota import planning
from tests.config_stage import example
from tests.plan_stage import ZONES, is_partition, lengths, local, near_a_change, plans

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


# --- for every plan ---------------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(config=plans(), start=near_a_change, length=lengths)
def test_a_day_plan_is_a_partition_of_time(config: Config, start: datetime, length: timedelta) -> None:
    assert is_partition(planning.stretches(config, "platform", start, start + length), start, start + length)


@settings(max_examples=60, deadline=None)
@given(config=plans(), start=near_a_change, length=lengths, share=some.floats(0, 1))
def test_who_looks_at_a_part_sees_the_same_as_who_looks_at_the_whole(
    config: Config, start: datetime, length: timedelta, share: float
) -> None:
    end, middle = start + length, start + timedelta(minutes=int(share * length.total_seconds() / 60))
    whole = {(each.team, each.mode, each.end) for each in planning.stretches(config, "platform", start, end) if each.end < end}
    parts = [*planning.stretches(config, "platform", start, middle), *planning.stretches(config, "platform", middle, end)]
    assert whole <= {(each.team, each.mode, each.end) for each in parts}
    if middle < end:
        at = planning.stretch_at(config, "platform", middle)
        assert at.start <= middle < at.end
        assert planning.stretches(config, "platform", middle, end)[0].team == at.team


@settings(max_examples=60, deadline=None)
@given(config=plans(), start=near_a_change, length=lengths, share=some.floats(0, 1))
def test_the_duty_passes_at_each_boundary_once_however_often_somebody_asks(
    config: Config, start: datetime, length: timedelta, share: float
) -> None:
    end, middle = start + length, start + timedelta(minutes=int(share * length.total_seconds() / 60))
    first, second = planning.passings(config, "platform", start, middle), planning.passings(config, "platform", middle, end)
    whole = planning.passings(config, "platform", start, end)
    assert first + second == whole
    instants = [after.start for _, after in whole]
    assert instants == sorted(set(instants))
    assert all(before.end == after.start and before.team != after.team for before, after in whole)
    pairs = pairwise(planning.stretches(config, "platform", start, end))
    changes = [(before.end, before.team, after.team) for before, after in pairs if before.team != after.team]
    assert changes == [(after.start, before.team, after.team) for before, after in whole if after.start > start]


@settings(max_examples=80, deadline=None)
@given(config=plans(), start=near_a_change, length=lengths)
def test_turns_are_a_partition_and_change_when_clocks_show_the_time_for_it(
    config: Config, start: datetime, length: timedelta
) -> None:
    end, zone = start + length, planning.zone_of(config, config.coverages["platform"])
    turns = planning.turns(config, "platform", "day", "primary", start, end)
    assert is_partition(turns, start, end)
    rotation = config.rotations["day-primary"]
    for each in turns[1:]:
        shown = each.start.astimezone(zone)
        skipped = (each.start - timedelta(seconds=1)).astimezone(zone).utcoffset() != shown.utcoffset()
        assert f"{shown:%H:%M}" == rotation.changes_at or skipped
        assert (shown.date() - rotation.starts).days % rotation.days in (0, 1 if skipped else 0)
    for before, after in pairwise(turns):
        assert before.person != after.person


@pytest.mark.parametrize("zone", ZONES)
def test_over_three_years_each_day_has_its_handoffs_none_twice_and_none_missing(zone: str) -> None:
    config = example()
    organisations = {key: each.model_copy(update={"timezone": zone}) for key, each in config.organisations.items()}
    config = config.model_copy(update={"organisations": organisations})
    start, end = local("2026-01-01T00:00", zone), local("2029-01-01T00:00", zone)
    place = ZoneInfo(zone)
    passed = planning.passings(config, "platform", start, end)
    shown = [after.start.astimezone(place) for _, after in passed]
    days = [each.date() for each in shown if each.time() >= time(8)]
    whole_nights = [date(2026, 1, 1) + n * DAY for n in range(1096)]
    worked = [each for each in whole_nights if each.weekday() != 6 and not planning.is_holiday(config, each)]
    assert days == worked, "in the morning: each day on which Bridge has any of it, once"
    assert len(passed) == len({after.start for _, after in passed})


# --- the example ------------------------------------------------------------------------------------------------------------


def test_the_night_of_october_lasts_nine_hours_and_that_of_march_seven() -> None:
    config = example()
    nights = {
        day: next(each for each in planning.stretches(config, "platform", local(f"{day}T00:00"), local(f"{day}T12:00")))
        for day in ("2026-10-26", "2026-10-25", "2027-03-28", "2027-03-29")
    }
    assert nights["2026-10-26"].end - nights["2026-10-26"].start == 8 * HOUR
    sunday = planning.stretch_at(config, "platform", local("2026-10-25T05:00"))
    assert (sunday.start, sunday.end - sunday.start) == (local("2026-10-25T00:00"), 25 * HOUR)
    sunday = planning.stretch_at(config, "platform", local("2027-03-28T05:00"))
    assert sunday.end - sunday.start == 23 * HOUR


def test_a_boundary_in_the_hour_that_clocks_skip_is_the_instant_at_which_they_skip_it() -> None:
    config = example()
    night = tuple(
        each.model_copy(update={"at": "02:30"}) if each.at == "08:00" else each
        for each in config.coverages["platform"].days["weekday"]
    )
    coverage = config.coverages["platform"].model_copy(update={"days": {"weekday": night}})
    config = config.model_copy(update={"coverages": {"platform": coverage}})
    assert planning.stretch_at(config, "platform", local("2027-03-28T00:00")).end == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert planning.stretch_at(config, "platform", local("2026-10-25T00:00")).end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "team"),
    [
        ("2026-12-25", "padok-nights"), ("2026-12-24", "bridge-day"), ("2026-11-22", "padok-nights"),
        ("2026-11-21", "bridge-day"), ("2027-05-01", "padok-nights"), ("2026-11-23", "bridge-day"),
    ],
)
def test_holidays_go_before_days_of_the_week(day: str, team: str) -> None:
    assert planning.stretch_at(example(), "platform", local(f"{day}T12:00")).team == team


def test_a_date_of_its_own_goes_before_everything() -> None:
    config = example()
    whole = (Boundary(at="00:00", team="bridge-day", mode="on_call"),)
    coverage = config.coverages["platform"].model_copy(update={"dates": {date(2026, 12, 25): whole}})
    config = config.model_copy(update={"coverages": {"platform": coverage}})
    assert planning.stretch_at(config, "platform", local("2026-12-25T12:00")).team == "bridge-day"


def test_teams_of_a_coverage_are_those_that_its_days_name() -> None:
    assert planning.teams_of(example(), "platform") == ["bridge-day", "padok-nights"]
