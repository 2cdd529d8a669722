"""How lengths, instants and days stand in a message: in the employer's zone, which is named once."""

from datetime import date, datetime, timedelta

from bot.labour import Case
from bot.labour.arithmetic.days import Stretch, change

INSTANT, HOUR, ON, ON_YEAR = "%a %-d %b %H:%M", "%H:%M", "%a %-d %b", "%-d %b %Y"
FROM_TO = "{start} to {end} ({zone})"
CHANGED = " (clocks go {way} on {day})"


def hours(length: timedelta) -> str:
    """9 h, 9 h 15 min, 40 min."""
    seconds = int(length.total_seconds())
    parts = ((seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 h"


def instant(case: Case, at: datetime) -> str:
    return at.astimezone(case.employer.zone).strftime(INSTANT)


def hour(case: Case, at: datetime) -> str:
    return at.astimezone(case.employer.zone).strftime(HOUR)


def from_to(case: Case, start: datetime, end: datetime) -> str:
    """Sat 27 Mar 21:00 to Sun 28 Mar 08:00 (Europe/Paris)."""
    zone = case.employer.zone
    same = start.astimezone(zone).date() == end.astimezone(zone).date()
    return FROM_TO.format(start=instant(case, start), end=hour(case, end) if same else instant(case, end), zone=zone.key)


def on(day: date) -> str:
    return day.strftime(ON)


def in_year(day: date) -> str:
    """For stretches of a year, of which the first and the last day else read alike."""
    return day.strftime(ON_YEAR)


def days(case: Case, span: Stretch) -> str:
    """Mon 19 Oct to Sun 25 Oct, of a stretch of whole days."""
    first, last = (at.astimezone(case.employer.zone) for at in (span.start, span.end - timedelta(seconds=1)))
    return f"{first.strftime(ON)} to {last.strftime(ON)}"


def clocks(case: Case, start: datetime, end: datetime) -> str:
    """That clocks change in between, or nothing."""
    zone = case.employer.zone
    at = change(start, end, zone)
    if at is None:
        return ""
    before, after = (each.astimezone(zone).utcoffset() or timedelta(0) for each in (start, end))
    return CHANGED.format(way="forward" if after > before else "back", day=at.astimezone(zone).strftime("%-d %b"))
