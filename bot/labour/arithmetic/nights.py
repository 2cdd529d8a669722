"""Night work: the hours that are night, what was worked in them, and whether that makes somebody a night worker."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from bot.labour import Case, Figures
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import DAY, NONE, WEEK, Hours, Stretch, local_day, monday_of
from bot.labour.arithmetic.stretches import AT_WORK, by_hours, of_kinds, outline, total, work_of

NIGHT_SHORT = "a night of {length}, at least {least} h needed"
NIGHT_OUTSIDE = "a night beyond {bounds}"
NIGHT_NARROW = "a night without all of {core}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A civil week with so many nights of night work in it that it makes a night worker."""

    monday: date
    nights: list[Stretch]


@dataclass(frozen=True, slots=True)
class Sum:
    """The hours of night work within twelve months."""

    first: date
    last: date
    hours: timedelta


def night_of(case: Case, figures: Figures) -> Hours:
    """The employer's own night, or the law's."""
    return Hours.parse(case.employer.night or figures["night"])


def night_fault(text: str, figures: Figures) -> str | None:
    """Why an employer may not have that as its night; None if it may. Raises WrongHours. `figures`: R10."""
    night, core, bounds = Hours.parse(text), Hours.parse(figures["night_core"]), Hours.parse(figures["night_bounds"])
    if night.by_the_wall < figures.hours("night_least_h"):
        return NIGHT_SHORT.format(length=wording.hours(night.by_the_wall), least=figures["night_least_h"])
    if not night.lies_in(bounds):
        return NIGHT_OUTSIDE.format(bounds=figures["night_bounds"])
    return None if core.lies_in(night) else NIGHT_NARROW.format(core=figures["night_core"])


def night_hours(case: Case, figures: Figures) -> dict[date, timedelta]:
    """How much of each night was work, interventions too, by the day on which the night begins."""
    found = by_hours(work_of(case), night_of(case, figures), case.employer.zone)
    return {day: total(pieces) for day, pieces in sorted(found.items())}


def night_worker(case: Case, figures: Figures) -> bool:
    """By the usual week, or by the sum of twelve months; or because it is known. `figures` are those of R10."""
    return (
        case.worker.night_worker
        or next(patterns(case, figures), None) is not None
        or most_in_a_year(case, figures).hours >= figures.hours("hours_12m")
    )


def patterns(case: Case, figures: Figures) -> Iterator[Pattern]:
    """The usual weeks (calls are no habit) that have at least so many nights with at least so many hours of night work."""
    zone = case.employer.zone
    usual = Stretch(case.start - figures["usual_weeks"] * WEEK, case.end)
    weeks: dict[date, list[Stretch]] = {}
    for _, pieces in sorted(by_hours(of_kinds(case, AT_WORK), night_of(case, figures), zone).items()):
        if total(pieces) >= figures.hours("hours"):
            weeks.setdefault(monday_of(local_day(pieces[0].start, zone)), []).append(outline(pieces))
    for monday, nights in sorted(weeks.items()):
        if len(nights) >= figures["per_week"] and outline(nights).within(usual).length > NONE:
            yield Pattern(monday, nights)


def most_in_a_year(case: Case, figures: Figures) -> Sum:
    """The twelve months with the most night work, of those that end within the time that is asked about."""
    nights = night_hours(case, figures)
    days, sums = list(nights), [NONE, *accumulate(nights.values())]
    since, until = (local_day(at, case.employer.zone) for at in (case.start, case.end))

    def year_to(last: date) -> Sum:
        first = _year_before(last)
        return Sum(first + DAY, last, sums[bisect_right(days, last)] - sums[bisect_right(days, first)])

    ends = [since, *days[bisect_right(days, since) : bisect_right(days, until)]]
    return max((year_to(last) for last in ends), key=lambda each: each.hours)


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)
