"""Decisions: what both sides agreed to do; a row moves until it is done or dropped."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata
from bot.store.journal import journal

MOVED = "decision moved"                 # the journal's word for another owner or day; its details tell what was

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("month", sa.Text, nullable=False),                   # the review in which it was decided
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # fix, tune, automate, delete, cut, other
    sa.Column("owner", sa.Text),
    sa.Column("side", sa.Text, nullable=False),                    # the organisation that has it
    sa.Column("due", sa.Text),                                     # a day: 2026-12-01
    sa.Column("service", sa.Text),
    sa.Column("pattern", sa.Text),                                 # of the groups that it is about
    sa.Column("saving", sa.Text),                                  # 2900 USD a month: as it was expected
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("state", sa.Text, nullable=False),                   # open, done, dropped
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", sa.Text),
    sa.Column("said", sa.Text),
    sa.Index("ix_decision_state", "state"),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that was agreed; carried until it is done or dropped."""

    id: int
    month: str
    text: str
    kind: str
    owner: str | None
    side: str
    due: str | None
    service: str | None
    pattern: str | None
    saving: str | None
    made_by: str
    made_at: datetime
    state: str
    ended_at: datetime | None
    ended_by: str | None
    said: str | None


def add(connection: sa.Connection, **values: Any) -> int:
    """Its number."""
    row = {"state": "open", **values}
    return int(connection.execute(sa.insert(decision).values(row).returning(decision.c.id)).scalar_one())


def by_id(connection: sa.Connection, number: int) -> Decision | None:
    row = connection.execute(sa.select(decision).where(decision.c.id == number)).one_or_none()
    return Decision(**row._mapping) if row else None


def still_open(connection: sa.Connection) -> list[Decision]:
    """What is neither done nor dropped: what is due first, first."""
    query = sa.select(decision).where(decision.c.state == "open")
    found = [Decision(**row._mapping) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.due or "9999", each.id))


def moved_since(connection: sa.Connection, numbers: Iterable[int], at: datetime) -> dict[int, dict[str, Any]]:
    """What owner, side and day of these decisions were at an instant, of those that were moved since then."""
    row, about = journal.c, [f"decision:{each}" for each in numbers]
    query = sa.select(row.object, row.details).where(row.object.in_(about), row.kind == MOVED, row.at > at)
    was: dict[int, dict[str, Any]] = {}
    for each in connection.execute(query.order_by(row.id.desc())):
        was.setdefault(int(each.object.rpartition(":")[2]), {}).update(json.loads(each.details)["was"])
    return was


def change(connection: sa.Connection, number: int, **values: Any) -> bool:
    """False when it is open no more."""
    mine = (decision.c.id == number, decision.c.state == "open")
    return connection.execute(sa.update(decision).where(*mine).values(values)).rowcount == 1
