"""Stretches of time put together, cut and counted: minutes that are in none of two lists, or in both."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.labour.arithmetic.days import Stretch
from bot.labour.arithmetic.stretches import merged, total

__all__ = ["Stretch", "clipped", "merged", "minus", "minutes", "total"]

MINUTE = timedelta(minutes=1)


def clipped(stretches: Iterable[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """What of them lies in [start, end); sorted, and each instant once."""
    return merged(each.within(Stretch(start, end)) for each in stretches)


def minus(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> list[Stretch]:
    """What of the first lies in none of the others."""
    taken, left = merged(others), list[Stretch]()
    for each in merged(stretches):
        since = each.start
        for other in taken:
            if other.end <= since or other.start >= each.end:
                continue
            if since < other.start:
                left.append(Stretch(since, other.start))
            since = other.end
        if since < each.end:
            left.append(Stretch(since, each.end))
    return left


def minutes(stretches: Iterable[Stretch]) -> float:
    """Real minutes, of an hour that clocks show twice all 120."""
    return total(stretches) / MINUTE
