"""Endings: how the groups of a month came to their end; what people had a hand in."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from bot.labour.arithmetic.days import midnight
from bot.review.facts import Group, Month
from bot.review.facts.alerts import Ending

ENDINGS: tuple[Ending, ...] = ("healed", "fixed", "person", "open")     # every group is in exactly one


def by_ending(groups: Sequence[Group]) -> dict[Ending, list[Group]]:
    found: dict[Ending, list[Group]] = {ending: [] for ending in ENDINGS}
    for each in groups:
        found[each.ending].append(each)
    return found


def per_day(month: Month, groups: Sequence[Group]) -> list[tuple[str, Ending, float]]:
    """For each day of the month so far, and each ending: how many opened on it."""
    zone, last = ZoneInfo(month.zone), month.local(month.until).date()
    days = [day for day in month.days() if day <= last]
    begins = [midnight(day, zone) for day in days]
    counted = Counter((bisect_right(begins, each.opened_at), each.ending) for each in groups)
    return [
        (day.isoformat(), ending, float(counted[place, ending])) for place, day in enumerate(days, 1) for ending in ENDINGS
    ]


def by_people(groups: Sequence[Group]) -> list[Group]:
    """Those that a person handled: acted on before their end, or ended."""
    return [each for each in groups if each.touched or each.ending == "person"]


def took_s(group: Group) -> float | None:
    """From its opening to the end of the fault."""
    return (group.resolved_at - group.opened_at).total_seconds() if group.resolved_at else None
