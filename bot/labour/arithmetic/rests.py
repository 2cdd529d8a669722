"""Daily rest: working days with the rest between them, and what a call during that rest does to it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from bot.labour import Case, Figures
from bot.labour.arithmetic.days import DAY, NONE, Stretch, local_day
from bot.labour.arithmetic.stretches import AT_WORK, of_kinds, work_of


class Rest(NamedTuple):
    """The time between two working days, with the calls that fell into it."""

    before: Stretch
    after: Stretch
    calls: list[Stretch]

    @property
    def pieces(self) -> list[Stretch]:
        """What of it was free."""
        return [each for each in _free(Stretch(self.before.end, self.after.start), self.calls) if each.length > NONE]


def rests(case: Case, figures: Figures) -> Iterator[Rest]:
    calls = calls_apart(case)
    first = 0
    for before, after in pairwise(working_days(case, figures)):
        while first < len(calls) and calls[first].start < before.end:
            first += 1
        last = first
        while last < len(calls) and calls[last].end <= after.start:
            last += 1
        yield Rest(before, after, calls[first:last])
        first = last


def working_days(case: Case, figures: Figures) -> list[Stretch]:
    """Shifts, with what is but a break between them taken in.

    A short gap is a break. A longer one is a break as well when it lies within one civil day and all together leaves room
    for the daily rest within 24 hours: a split shift.
    """
    zone, rest, short = case.employer.zone, figures.hours("min_rest_h"), figures.hours("break_under_h")
    found: list[Stretch] = []
    for each in _shifts(case):
        if found:
            last = found[-1]
            one_day = local_day(last.end, zone) == local_day(each.start, zone) and each.end - last.start <= DAY - rest
            if each.start - last.end < (rest if one_day else short):
                found[-1] = Stretch(last.start, each.end)
                continue
        found.append(each)
    return found


def earliest_start(case: Case, figures: Figures) -> datetime | None:
    """When the person may start work again after what began before `case.end`; None when no shift is known.

    A call that comes when the daily rest was already complete moves nothing; any other begins it anew. `figures`: R01.
    """
    rest = figures.hours("min_rest_h")
    ended = max((each.end for each in _shifts(case) if each.start < case.end), default=None)
    if ended is None:
        return None
    earliest = ended + rest
    for each in calls_apart(case):
        if ended <= each.start < min(earliest, case.end):
            earliest = each.end + rest
    return earliest


def calls_apart(case: Case) -> list[Stretch]:
    """The interventions that touch no shift; others just make it longer."""
    shifts = frozenset(_shifts(case))
    return [each for each in work_of(case) if each not in shifts]


def _shifts(case: Case) -> list[Stretch]:
    """Merged work, that which is more than a call."""
    plain, found, index = of_kinds(case, AT_WORK), [], 0
    for each in work_of(case):
        while index < len(plain) and plain[index].end <= each.start:
            index += 1
        if index < len(plain) and plain[index].start < each.end:
            found.append(each)
    return found


def _free(rest: Stretch, calls: list[Stretch]) -> list[Stretch]:
    edges = [Stretch(rest.start, rest.start), *calls, Stretch(rest.end, rest.end)]
    return [Stretch(before.end, after.start) for before, after in pairwise(edges)]


def longest(pieces: list[Stretch]) -> timedelta:
    return max((each.length for each in pieces), default=NONE)
