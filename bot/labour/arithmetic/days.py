"""Days, weeks and hours of a zone as instants in UTC, so that every length between two of them is what really passed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY, WEEK, NONE = timedelta(days=1), timedelta(weeks=1), timedelta(0)
SECOND = timedelta(seconds=1)
MIDNIGHT = time(0)
WRONG_HOURS = '"{text}" is no stretch of hours: two different times, as in 21:00-06:00'


class WrongHours(ValueError):
    """A text that should be hours of the day is none."""


class Stretch(NamedTuple):
    """From `start` to `end`, in UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def within(self, other: "Stretch") -> "Stretch":
        """The part of it that lies in the other one; of negative length when they do not meet."""
        return Stretch(max(self.start, other.start), min(self.end, other.end))


class Hours(NamedTuple):
    """Hours of the day as clocks show them; over midnight when the second is not later than the first."""

    first: time
    last: time

    @staticmethod
    @cache
    def parse(text: str) -> "Hours":
        """Raises WrongHours."""
        try:
            first, last = (time.fromisoformat(each.replace("24:00", "00:00")) for each in text.split("-"))
        except ValueError as error:
            raise WrongHours(WRONG_HOURS.format(text=text)) from error
        if first == last:
            raise WrongHours(WRONG_HOURS.format(text=text))
        return Hours(first, last)

    @property
    def over_midnight(self) -> bool:
        return self.last <= self.first

    @property
    def by_the_wall(self) -> timedelta:
        """How long they last when no clock changes."""
        return _since(self.first, self.last) or DAY

    def lies_in(self, other: "Hours") -> bool:
        begins = _since(other.first, self.first)
        return begins + self.by_the_wall <= other.by_the_wall

    def on(self, day: date, zone: ZoneInfo) -> Stretch:
        """Those that begin on that day; an hour that clocks show twice belongs to them both times."""
        return _hours_on(self, day, zone)

    def touching(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[date, Stretch]]:
        """Those that have a part in [start, end), by the day on which they begin."""
        day, last = local_day(start, zone), local_day(end, zone)
        if self.over_midnight:
            day -= DAY
        while day <= last:
            found = self.on(day, zone)
            if found.start < end and found.end > start:
                yield day, found
            day += DAY


def _since(first: time, last: time) -> timedelta:
    """From one time of the day to the next time that clocks show the other."""
    return (datetime.combine(date.min, last) - datetime.combine(date.min, first)) % DAY


@lru_cache(maxsize=20_000)
def _hours_on(hours: Hours, day: date, zone: ZoneInfo) -> Stretch:
    last_day = day + DAY if hours.over_midnight else day
    return Stretch(instant(day, hours.first, zone), instant(last_day, hours.last, zone, fold=1))


@lru_cache(maxsize=20_000)
def instant(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    """When clocks show that time, for the first (fold 0) or the last time (1), or when they skip it."""
    wall = datetime.combine(day, at)
    shown = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if shown.astimezone(zone).replace(tzinfo=None) == wall:
        return shown
    before, after = (wall.replace(tzinfo=zone, fold=each).astimezone(UTC) for each in (1, 0))
    return change(before, after, zone) or shown


def change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """When clocks change between two instants; None when they do not, or only there and back."""
    offset = start.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return None
    while end - start > SECOND:
        middle = start + (end - start) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            start = middle
        else:
            end = middle
    return end.replace(microsecond=0)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When that day begins."""
    return instant(day, MIDNIGHT, zone)


def whole_week(monday: date, zone: ZoneInfo, weeks: int = 1) -> Stretch:
    return Stretch(midnight(monday, zone), midnight(monday + weeks * WEEK, zone))


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The day that calendars show at that instant."""
    return at.astimezone(zone).date()


def monday_of(day: date) -> date:
    """The first day of its civil week."""
    return day - day.weekday() * DAY


def runs(days: Iterable[date], step: timedelta = DAY) -> Iterator[tuple[date, date]]:
    """The first and the last of sorted days that follow each other at that step."""
    ordered = list(days)
    starts = [index for index, day in enumerate(ordered) if index == 0 or day - ordered[index - 1] > step]
    for first, after in pairwise([*starts, len(ordered)]):
        yield ordered[first], ordered[after - 1]
