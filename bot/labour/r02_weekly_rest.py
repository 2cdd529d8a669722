"""R02: each civil week has a long rest, of which a whole day lies inside the week."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import timedelta

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import NONE, Stretch, whole_week
from bot.labour.arithmetic.stretches import by_day, by_week, free_between, work_of

SHORT = "the longest rest of the week {week} is {rest}, {needed} in a row needed, {inside} of them in that week{clocks}"
NO_DAY = "no {inside} of the week {week} are free in a row; a rest of {needed} needed, {inside} of them in that week{clocks}"
LAWFUL = "keep {needed} in a row free of work, {inside} of them between Monday 00:00 and Sunday 24:00"


@rule("R02", "weekly rest", TIMED, waiver="urgent_works")
def weekly_rest(case: Case, figures: Figures) -> Iterator[Remark]:
    regime, zone, work = case.worker.regime, case.employer.zone, work_of(case)
    needed, inside = figures.hours("rest_h", regime), figures.hours("inside_week_h", regime)
    free = [each for each in free_between(work) if each.length >= inside]
    ends = [each.end for each in free]
    for monday in by_week(by_day(work, zone)):
        week = whole_week(monday, zone)
        rest = _longest(free[bisect_right(ends, week.start):], week, inside)
        if rest < needed:
            yield _remark(case, week, rest, needed, inside)


def _longest(free: list[Stretch], week: Stretch, inside: timedelta) -> timedelta:
    """Of the rests that have enough of them inside the week."""
    longest = NONE
    for each in free:
        if each.start >= week.end:
            break
        if each.within(week).length >= inside:
            longest = max(longest, each.length)
    return longest


def _remark(case: Case, week: Stretch, rest: timedelta, needed: timedelta, inside: timedelta) -> Remark:
    words = {"needed": wording.hours(needed), "inside": wording.hours(inside)}
    message = (SHORT if rest else NO_DAY).format(
        week=wording.days(case, week), rest=wording.hours(rest), clocks=wording.clocks(case, *week), **words
    )
    return Remark("hard", *week, message, LAWFUL.format(**words))
