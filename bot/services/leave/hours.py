"""Hours of the day as vigie.yaml writes them (00:00-08:00), on the nights when clocks change too; pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def until(hours: str, zone: str, at: datetime) -> datetime | None:
    """When the hours end that hold `at`, in UTC; None outside of them.

    The wall clock counts: an hour that clocks show twice belongs to the hours both times, a time that they skip is the
    instant at which they skip it. So what one side may not do in these hours, the other may in the very same.
    """
    place, end = ZoneInfo(zone), None
    for start, stop in _spans(hours, place, at.astimezone(place).date()):
        if start <= (end or at) < stop:
            end = stop
    return end


def spans(hours: str, zone: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The stretches of these hours that touch [start, end), in UTC, in order."""
    place = ZoneInfo(zone)
    day, last = start.astimezone(place).date(), end.astimezone(place).date()
    found: dict[datetime, datetime] = {}
    while day <= last:
        found |= dict(_spans(hours, place, day))
        day += DAY
    return sorted((first, stop) for first, stop in found.items() if first < end and stop > start)


def local_date(zone: str, at: datetime) -> date:
    """The day that a calendar of that zone shows."""
    return at.astimezone(ZoneInfo(zone)).date()


def _spans(hours: str, zone: ZoneInfo, today: date) -> Iterator[tuple[datetime, datetime]]:
    """The hours of the days around, in order."""
    first, last = (time.fromisoformat(each) for each in hours.split("-"))
    over_midnight = DAY if last <= first else timedelta(0)
    for day in (today + count * DAY for count in (-1, 0, 1)):
        yield instant(day, first, zone, fold=0), instant(day + over_midnight, last, zone, fold=1)


@lru_cache(maxsize=20_000)
def instant(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    """When clocks show that time, in UTC: for the first (fold 0) or the last time (1), or when they skip it."""
    wall = datetime.combine(day, at)
    shown = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return shown if shown.astimezone(zone).replace(tzinfo=None) == wall else _skip(wall, zone)


def _skip(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which clocks jump over that time: in UTC it lies between the two readings of it."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (1, 0))
    while after - before > SECOND:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)
