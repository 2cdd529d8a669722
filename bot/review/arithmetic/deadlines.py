"""By when something promised is due: around the clock, or in the working hours of one side."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.calendars import public_holidays
from bot.config import Config
from bot.config.months import Cycle
from bot.labour.arithmetic.days import DAY, NONE, instant, local_day

OPENS, CLOSES = time(8), time(18)       # Monday to Friday, not on public holidays
SATURDAY = 5


def due(config: Config, organisation: str, since: datetime, within: timedelta, clock: Cycle) -> datetime:
    """When `within` has passed since that instant, by the clock of the promise."""
    side = config.organisations.get(organisation)
    if clock == "always" or side is None:
        return since + within
    return _in_working_hours(since, within, ZoneInfo(side.timezone), side.labour.holidays if side.labour else None)


def _in_working_hours(since: datetime, within: timedelta, zone: ZoneInfo, calendar: str | None) -> datetime:
    """What comes after closing time begins to count when the next working day opens."""
    day, left = local_day(since, zone), within
    while True:
        if _works(day, calendar):
            opens, closes = max(since, instant(day, OPENS, zone)), instant(day, CLOSES, zone)
            there = max(closes - opens, NONE)
            if NONE < left <= there or (left == NONE and there > NONE):
                return opens + left
            left -= there
        day += DAY


def _works(day: date, calendar: str | None) -> bool:
    return day.weekday() < SATURDAY and not (calendar is not None and day in public_holidays(calendar, day.year))
