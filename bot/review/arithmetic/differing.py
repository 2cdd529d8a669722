"""What two versions of a month's review say otherwise: figures and lists."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.review import Review, Table, Value


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: `what` is figure, list or verdict; of a list it counts rows that came and went."""

    what: str
    name: str
    title: str
    before: Value
    after: Value
    came: int = 0
    went: int = 0


def changes(before: Review, after: Review) -> list[Change]:
    """In the order in which the newer one is read."""
    return [*_figures(before, after), *_lists(before, after)]


def _figures(before: Review, after: Review) -> Iterator[Change]:
    old, new = before.figures, after.figures
    for name in dict.fromkeys((*new, *old)):
        values = [each[name].value if name in each else None for each in (old, new)]
        if values[0] != values[1]:
            known = new.get(name) or old[name]
            yield Change("figure", name, known.definition.title, values[0], values[1])


def _lists(before: Review, after: Review) -> Iterator[Change]:
    old, new = _tables(before), _tables(after)
    for name in dict.fromkeys((*new, *old)):
        rows = [set(each[name].rows) if name in each else set[Any]() for each in (old, new)]
        totals = [each[name].total if name in each else 0 for each in (old, new)]
        if rows[0] != rows[1] or totals[0] != totals[1]:
            title = (new.get(name) or old[name]).title
            yield Change("list", name, title, totals[0], totals[1], len(rows[1] - rows[0]), len(rows[0] - rows[1]))


def _tables(review: Review) -> dict[str, Table]:
    return {table.name: table for section in review.sections for table in section.tables}
