"""Nobody is reached in their blackout: by the clocks of their own zone, also on the nights when these change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.config import Config
from bot.services.leave import duty, hours
from bot.store.db import create_engine, metadata
from tests.story import CONFIG

PARIS = ZoneInfo("Europe/Paris")
EMPTY = create_engine("sqlite://", poolclass=sa.StaticPool)
metadata.create_all(EMPTY)
ZONES = (
    "Europe/Paris", "Europe/London", "Atlantic/Azores", "America/New_York", "America/Havana", "Asia/Beirut", "Asia/Kolkata",
    "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca", "Pacific/Chatham", "UTC",
)
CHANGES = (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2027, 3, 14, 7, tzinfo=UTC),
           datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2027, 4, 3, 15, tzinfo=UTC))
times = some.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
near_a_change = some.builds(
    lambda change, minutes: change + timedelta(minutes=minutes), some.sampled_from(CHANGES), some.integers(-3_000, 3_000),
)
whenever = near_a_change | some.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=some.just(UTC))


def local(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "end", "lasts_h"),
    [
        ("2026-11-22T03:00", "2026-11-22T07:00", 8), ("2026-03-29T03:30", "2026-03-29T06:00", 7),
        ("2026-10-25T02:30", "2026-10-25T07:00", 9),
    ],
)
def test_the_blackout_ends_at_eight_by_the_clocks_and_is_as_long_as_the_night(at: str, end: str, lasts_h: int) -> None:
    found = duty.in_blackout(CONFIG, "bridge", local(at))
    assert found == datetime.fromisoformat(end).replace(tzinfo=UTC)
    began = found - timedelta(hours=lasts_h)
    assert duty.in_blackout(CONFIG, "bridge", began) == found
    assert duty.in_blackout(CONFIG, "bridge", began - timedelta(seconds=1)) is None
    assert duty.in_blackout(CONFIG, "bridge", found) is None


def test_hours_may_go_over_midnight() -> None:
    assert hours.until("22:00-06:00", "Europe/Paris", local("2026-11-22T23:00")) == local("2026-11-23T06:00")
    assert hours.until("22:00-06:00", "Europe/Paris", local("2026-11-22T05:59")) == local("2026-11-22T06:00")
    assert hours.until("22:00-06:00", "Europe/Paris", local("2026-11-22T12:00")) is None
    assert hours.until("20:00-00:00", "Europe/Paris", local("2026-11-22T23:59")) == local("2026-11-23T00:00")


def test_a_boundary_that_clocks_skip_is_when_they_skip_it_and_one_they_show_twice_counts_both_times() -> None:
    skipped = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert hours.until("00:00-02:30", "Europe/Paris", skipped - timedelta(minutes=1)) == skipped
    assert hours.until("02:30-04:00", "Europe/Paris", skipped) == local("2026-03-29T04:00")
    assert hours.until("00:00-02:30", "Europe/Paris", local("2026-10-25T02:10", fold=1)) == local("2026-10-25T02:30", fold=1)


@settings(deadline=None)
@given(zone=some.sampled_from(ZONES), first=times, last=times, at=whenever)
def test_whoever_looks_at_the_clock_agrees(zone: str, first, last, at: datetime) -> None:
    """In every zone, at every instant: what the wall clock calls within the hours is within them, and the end is the end."""
    if first == last:
        return
    end = hours.until(f"{first:%H:%M}-{last:%H:%M}", zone, at)
    shown = at.astimezone(ZoneInfo(zone)).time().replace(tzinfo=None)
    within = first <= shown < last if first < last else shown >= first or shown < last
    if within:
        assert end is not None and at < end
    if end is not None:
        assert hours.until(f"{first:%H:%M}-{last:%H:%M}", zone, end) is None
        assert within or hours.until(f"{first:%H:%M}-{last:%H:%M}", zone, at - timedelta(hours=1)) is not None


def on_call(config: Config, at: datetime) -> list[str]:
    with EMPTY.connect() as connection:
        return duty.on_call(connection, config, at)


@settings(deadline=None)
@given(at=whenever)
def test_nobody_in_blackout_is_called(at: datetime) -> None:
    reached = {*on_call(CONFIG, at), *(key for key in CONFIG.people if duty.asleep(CONFIG, key, at) is None)}
    assert reached, "somebody can always be called: the partner has no blackout"
    hour = at.astimezone(PARIS).hour
    assert hour >= 8 or not reached & {"alice", "paul", "marie"}


def test_the_owners_engineers_are_called_by_day_and_the_partners_by_night() -> None:
    assert on_call(CONFIG, local("2026-11-22T12:00")) == ["alice", "paul"]
    assert on_call(CONFIG, local("2026-11-22T03:00")) == ["lea", "ines"]
    assert duty.side_on_duty(CONFIG, local("2026-11-22T03:00")) == "padok"


def test_when_both_sides_are_in_blackout_nobody_is_called() -> None:
    padok = CONFIG.organisations["padok"].model_copy(update={"blackout": "02:00-04:00"})
    config = CONFIG.model_copy(update={"organisations": {**CONFIG.organisations, "padok": padok}})
    assert on_call(config, local("2026-11-22T03:00")) == [] and duty.side_on_duty(config, local("2026-11-22T03:00")) is None
    assert on_call(config, local("2026-11-22T05:00")) == ["lea", "ines"]
