"""Storms: many groups opened within few minutes."""

from collections.abc import Sequence
from datetime import timedelta

from bot.review.arithmetic.lists import in_order
from bot.review.facts import Group

MANY, WITHIN = 20, timedelta(minutes=5)     # at least so many opened within so long; stretches that overlap are one storm


def storms(groups: Sequence[Group]) -> list[list[Group]]:
    """In the order of time; a group is in one storm at most."""
    ordered = in_order(groups)
    found: list[tuple[int, int]] = []
    for first in range(len(ordered) - MANY + 1):
        last = first + MANY - 1
        if ordered[last].opened_at - ordered[first].opened_at > WITHIN:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return [ordered[first:last + 1] for first, last in found]
