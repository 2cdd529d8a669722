"""Hours of the day as vigie.yaml writes them (00:00-08:00), on the nights when clocks change too; pure."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bot.labour.arithmetic.days import DAY, Hours, Stretch, instant

__all__ = ["DAY", "instant", "local_date", "spans", "until"]      # the law and the rota read clocks alike


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


def _spans(hours: str, zone: ZoneInfo, today: date) -> Iterator[Stretch]:
    """The hours of the days around, in order."""
    for day in (today - DAY, today, today + DAY):
        yield Hours.parse(hours).on(day, zone)
