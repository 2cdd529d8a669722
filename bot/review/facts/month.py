"""A month of a zone: where it begins and ends in UTC, until when facts about it count."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from bot.calendars import public_holidays

WRITTEN = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])")
DAY, SATURDAY = timedelta(days=1), 5
WORKING_DAYS, OPENS = 3, time(9)            # the cut-off: the third working day after the month, at 09:00 of its zone


class NoMonth(ValueError):
    """It is not written as a month: 2026-10."""


@dataclass(frozen=True, slots=True)
class Month:
    """[start, end) in UTC: the first 00:00 to the next first 00:00 by the zone's clocks; March is an hour shorter, October
    an hour longer. `as_of`: what is known by then counts; at or after `cut_off` for a review that can be signed."""

    name: str                   # 2026-10
    zone: str
    start: datetime
    end: datetime
    cut_off: datetime
    as_of: datetime

    @classmethod
    def of(cls, name: str, zone: str, calendar: str | None, as_of: datetime | None = None) -> Self:
        """`calendar` names public holidays (FR), None: none are known; without `as_of`, the cut-off. Raises NoMonth."""
        found = WRITTEN.fullmatch(name)
        if found is None:
            raise NoMonth(name)
        first = date(int(found["year"]), int(found["month"]), 1)
        after = (first + 31 * DAY).replace(day=1)
        place = ZoneInfo(zone)
        start, end = _instant(first, time(), place), _instant(after, time(), place)
        cut_off = _instant(_working_day(after, calendar), OPENS, place)
        return cls(name, zone, start, end, cut_off, as_of or cut_off)

    @property
    def minutes(self) -> float:
        """Real minutes: 44,640 in a month of 31 days, 60 fewer in March, 60 more in October."""
        return (self.end - self.start).total_seconds() / 60

    @property
    def is_open(self) -> bool:
        """Facts that belong to it may still come: it can be shown, not signed."""
        return self.as_of < self.cut_off

    @property
    def until(self) -> datetime:
        """How far it has come: its end, or what is known of it."""
        return max(self.start, min(self.end, self.as_of))

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.zone))

    def days(self) -> list[date]:
        """Its days, in order."""
        first, last = self.local(self.start).date(), self.local(self.end - DAY / 24).date()
        return [first + n * DAY for n in range((last - first).days + 1)]

    def has(self, at: datetime) -> bool:
        return self.start <= at < self.end

    def previous(self, steps: int = 1) -> str:
        """The name of the month so many before it."""
        first = self.local(self.start).date()
        for _ in range(steps):
            first = (first - DAY).replace(day=1)
        return f"{first:%Y-%m}"

    def next(self) -> str:
        """The name of the month after it."""
        return f"{self.local(self.end):%Y-%m}"


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def _working_day(first: date, calendar: str | None) -> date:
    """The third working day from that day on."""
    day, found = first - DAY, 0
    while found < WORKING_DAYS:
        day += DAY
        if day.weekday() < SATURDAY and not (calendar and day in public_holidays(calendar, day.year)):
            found += 1
    return day
