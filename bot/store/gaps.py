"""Gaps in the rota that were found: so that each is told once, and is an alert once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.db import BigId, Utc, metadata

gap = sa.Table(
    "gap",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("coverage", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # nobody, too_few, no_secondary, unreachable ...
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc, nullable=False),                         # far away: it reaches to where we look
    sa.Column("found_at", Utc, nullable=False),
    sa.Column("told_at", Utc),                                     # when the lead was told
    sa.Column("alerted_at", Utc),                                  # when it became an alert of its own
    sa.UniqueConstraint("coverage", "team", "kind", "start", "end"),
)


@dataclass(frozen=True, slots=True)
class Known:
    """A gap as it was found; it stays until it is filled or over."""

    id: int
    coverage: str
    team: str
    kind: str
    start: datetime
    end: datetime
    found_at: datetime
    told_at: datetime | None
    alerted_at: datetime | None


def every(connection: sa.Connection) -> list[Known]:
    """All that are known, sorted by start."""
    return [Known(**row._mapping) for row in connection.execute(sa.select(gap).order_by(gap.c.start, gap.c.id))]


def find(connection: sa.Connection, coverage: str, team: str, kind: str, start: datetime, end: datetime, now: datetime) -> bool:
    """Whether it is new: false when it is known, or another process finds it in this instant."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"coverage": coverage, "team": team, "kind": kind, "start": start, "end": end, "found_at": now}
    return connection.execute(insert(gap).values(values).on_conflict_do_nothing()).rowcount == 1


def tell(connection: sa.Connection, ids: Iterable[int], now: datetime) -> list[int]:
    """Those of them that are ours to tell: nobody has been told of them yet."""
    untold = sa.update(gap).where(gap.c.id.in_(list(ids)), gap.c.told_at.is_(None)).values(told_at=now)
    return list(connection.execute(untold.returning(gap.c.id)).scalars())


def alerted(connection: sa.Connection, ids: Iterable[int], now: datetime) -> None:
    connection.execute(sa.update(gap).where(gap.c.id.in_(list(ids)), gap.c.alerted_at.is_(None)).values(alerted_at=now))


def forget(connection: sa.Connection, ids: Iterable[int]) -> list[int]:
    """They are filled, or over; returns those that were there until now."""
    return list(connection.execute(sa.delete(gap).where(gap.c.id.in_(list(ids))).returning(gap.c.id)).scalars())
