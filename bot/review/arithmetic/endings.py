"""Endings: how the groups of a month came to their end; what people had a hand in."""

from collections import Counter
from collections.abc import Sequence

from bot.review.facts import Group, Month
from bot.review.facts.alerts import Ending

ENDINGS: tuple[Ending, ...] = ("healed", "fixed", "person", "open")     # every group is in exactly one


def by_ending(groups: Sequence[Group]) -> dict[Ending, list[Group]]:
    return {ending: [each for each in groups if each.ending == ending] for ending in ENDINGS}


def per_day(month: Month, groups: Sequence[Group]) -> list[tuple[str, Ending, float]]:
    """For each day of the month so far, and each ending: how many opened on it."""
    counted = Counter((month.local(each.opened_at).date(), each.ending) for each in groups)
    last = month.local(month.until).date()
    return [
        (day.isoformat(), ending, float(counted[day, ending])) for day in month.days() if day <= last for ending in ENDINGS
    ]


def by_people(groups: Sequence[Group]) -> list[Group]:
    """Those that a person handled: acted on before their end, or ended."""
    return [each for each in groups if each.touched or each.ending == "person"]


def took_s(group: Group) -> float | None:
    """From its opening to the end of the fault."""
    return (group.resolved_at - group.opened_at).total_seconds() if group.resolved_at else None
