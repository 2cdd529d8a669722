"""Lists behind figures: all of them counted, the first thousand kept, so that a month of any size can be read."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from bot.review import Column, Table, Value

MOST = 1_000                # of a list in the review; the CSV of all alerts has every one

Given = Value | datetime


def listing(
    name: str, title: str, columns: Iterable[Column], rows: Iterable[Iterable[Given]], empty: str = "",
    only_for: str | None = None,
) -> Table:
    """A table of these rows, in their order; instants become ISO 8601 in UTC."""
    found = iter(rows)
    kept = tuple(tuple(_plain(value) for value in row) for row in islice(found, MOST))
    return Table(name, title, tuple(columns), kept, len(kept) + sum(1 for _ in found), empty, only_for)


def _plain(value: Given) -> Value:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
