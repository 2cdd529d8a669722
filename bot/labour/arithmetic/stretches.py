"""Sweeps over somebody's time: merged, free, cut by days, weeks and hours. All of them look at each stretch once."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from bot.labour import Case, Kind, Span
from bot.labour.arithmetic.days import DAY, NONE, Hours, Stretch, local_day, midnight, monday_of

# Before the first work that we know of, and after the last, there is nothing but rest.
EVER = Stretch(datetime(1900, 1, 1, tzinfo=UTC), datetime(2900, 1, 1, tzinfo=UTC))
AT_WORK: frozenset[Kind] = frozenset({"work", "handoff"})

ByDay = Mapping[date, list[Stretch]]


def merged(spans: Iterable[Span | Stretch]) -> list[Stretch]:
    """The time that they fill: those that overlap or touch become one."""
    found: list[Stretch] = []
    for start, end in sorted((each.start, each.end) for each in spans if each.start < each.end):
        if found and start <= found[-1].end:
            found[-1] = Stretch(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Stretch(start, end))
    return found


def work_of(case: Case) -> list[Stretch]:
    """All that is work: on call without being called is none."""
    return merged(each for each in case.spans if each.is_work)


def of_kinds(case: Case, kinds: Iterable[Kind]) -> list[Stretch]:
    wanted = frozenset(kinds)
    return merged(each for each in case.spans if each.kind in wanted)


def free_between(stretches: list[Stretch]) -> Iterator[Stretch]:
    """What lies between merged stretches, before the first and after the last."""
    edges = [Stretch(EVER.start, EVER.start), *stretches, Stretch(EVER.end, EVER.end)]
    return (Stretch(before.end, after.start) for before, after in pairwise(edges))


def total(stretches: Iterable[Stretch]) -> timedelta:
    return sum((each.length for each in stretches), NONE)


def by_day(stretches: Iterable[Stretch], zone: ZoneInfo) -> dict[date, list[Stretch]]:
    """Cut at each midnight of the zone; days without any are left out."""
    days: dict[date, list[Stretch]] = {}
    for start, end in stretches:
        day = local_day(start, zone)
        while start < end:
            until = min(midnight(day + DAY, zone), end)
            if start < until:
                days.setdefault(day, []).append(Stretch(start, until))
            start, day = max(start, until), day + DAY
    return days


def by_week(days: ByDay) -> dict[date, list[Stretch]]:
    """The same by the Monday of each civil week."""
    return {monday: [piece for day in week for piece in days[day]] for monday, week in groupby(sorted(days), monday_of)}


def by_hours(stretches: Iterable[Stretch], hours: Hours, zone: ZoneInfo) -> dict[date, list[Stretch]]:
    """What lies within these hours, by the day on which they begin."""
    found: dict[date, list[Stretch]] = {}
    for each in stretches:
        for day, window in hours.touching(each.start, each.end, zone):
            found.setdefault(day, []).append(each.within(window))
    return found


def outline(pieces: list[Stretch]) -> Stretch:
    """From the first start to the last end of sorted pieces."""
    return Stretch(pieces[0].start, pieces[-1].end)


def grouped(stretches: Iterable[Stretch], gap: timedelta) -> list[list[Stretch]]:
    """Sorted stretches in a row, as long as less than `gap` lies between two of them."""
    found: list[list[Stretch]] = []
    for each in stretches:
        if found and each.start - found[-1][-1].end < gap:
            found[-1].append(each)
        else:
            found.append([each])
    return found
