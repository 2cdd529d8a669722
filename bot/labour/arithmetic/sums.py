"""Sums over weeks that follow each other."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from bot.labour import Case
from bot.labour.arithmetic.days import NONE, WEEK, Stretch, whole_week
from bot.labour.arithmetic.stretches import by_day, by_week, total, work_of


class Mean(NamedTuple):
    """Weeks in a row with the mean of what was worked in each."""

    span: Stretch
    weeks: int
    hours: timedelta


def weekly_work(case: Case) -> dict[date, timedelta]:
    """How much was worked in each civil week, by its Monday."""
    weeks = by_week(by_day(work_of(case), case.employer.zone))
    return {monday: total(pieces) for monday, pieces in weeks.items()}


def heaviest(case: Case, weeks: int) -> Mean | None:
    """The highest mean of so many weeks in a row that reach into the time that is asked about."""
    zone = case.employer.zone
    found = (
        Mean(whole_week(monday, zone, weeks), weeks, hours / weeks) for monday, hours in _rolling(weekly_work(case), weeks)
    )
    touching = [each for each in found if each.span.start < case.end and each.span.end > case.start]
    return max(touching, key=lambda each: (each.hours, -each.span.start.timestamp()), default=None)


def _rolling(weekly: Mapping[date, timedelta], weeks: int) -> Iterator[tuple[date, timedelta]]:
    """The sum of each window of weeks, by its first Monday; a week without work counts as nothing."""
    if not weekly:
        return
    monday, last = min(weekly) - (weeks - 1) * WEEK, max(weekly)
    hours = NONE
    while monday <= last:
        hours += weekly.get(monday + (weeks - 1) * WEEK, NONE)
        yield monday, hours
        hours -= weekly.get(monday, NONE)
        monday += WEEK
