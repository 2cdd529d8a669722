"""What a sealed review proposes, and nobody has decided about yet."""

from dataclasses import dataclass

import sqlalchemy as sa

from bot.review import Table
from bot.review.arithmetic import written
from bot.store import decisions, reviews

TABLE = "proposals"


@dataclass(frozen=True, slots=True)
class Proposed:
    """One action about one pattern; `alert` is the newest of it."""

    action: str                 # fix, tune, automate, delete
    title: str
    count: int
    alert: int
    pattern: str


def open_ones(connection: sa.Connection, month: str) -> list[Proposed]:
    """Those of the newest version, in its order, without what an open decision is about."""
    kept = reviews.sealed(connection, month)
    if kept is None:
        return []
    review = written.from_json(reviews.body(connection, month, kept.version))
    tables = (table for section in review.sections for table in section.tables)
    decided = {each.pattern for each in decisions.still_open(connection)}
    listed = next((each for each in tables if each.name == TABLE), None)
    return [each for each in _read(listed) if each.pattern not in decided] if listed else []


def _read(table: Table) -> list[Proposed]:
    names = [each.name for each in table.columns]
    rows = [dict(zip(names, row, strict=True)) for row in table.rows]
    return [
        Proposed(str(row["action"]), str(row["title"]), int(row["count"] or 0), int(row["alert"] or 0), str(row["pattern"]))
        for row in rows
    ]
