"""Storms and flapping: many groups opened within few minutes, one alert opened again and again within an hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.review.arithmetic.lists import in_order
from bot.review.facts import Group

MANY, WITHIN = 20, timedelta(minutes=5)     # at least so many opened within so long; stretches that overlap are one storm
HOUR = timedelta(minutes=60)


def most_in_an_hour(instants: Sequence[datetime]) -> int:
    """Of instants in order: how many lie within the same 60 minutes, at most."""
    first = most = 0
    for last, at in enumerate(instants):
        while at - instants[first] > HOUR:
            first += 1
        most = max(most, last - first + 1)
    return most


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
