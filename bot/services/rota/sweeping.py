"""Rows of stretches side by side, cut wherever one of them begins or ends."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Protocol, TypeVar


class Stretched(Protocol):
    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...


Kind = TypeVar("Kind", bound=Stretched)


def cut(*rows: Sequence[Kind]) -> Iterator[tuple[datetime, datetime, tuple[Kind | None, ...]]]:
    """From the first start to the last end: each piece with what holds in it, of each row. Rows are sorted, without overlap."""
    edges = {edge for row in rows for each in row for edge in (each.start, each.end)}
    for start, end in pairwise(sorted(edges)):
        yield start, end, tuple(holding(row, start) for row in rows)


def holding(row: Sequence[Kind], at: datetime) -> Kind | None:
    """Which of a sorted row holds an instant."""
    place = bisect_right(row, at, key=lambda each: each.start) - 1
    return row[place] if place >= 0 and row[place].end > at else None
