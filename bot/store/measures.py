"""Days that were read from clouds: each reading a row that is never written over, so that an old review finds what it knew."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.db import Utc, metadata

measure = sa.Table(
    "measure",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),                  # cost, capacity, availability; asked, unread
    sa.Column("subject", sa.Text, primary_key=True),               # an account, a pool of vigie.yaml, a service
    sa.Column("day", sa.Text, primary_key=True),                   # 2026-10-25, in the zone of the platform's owner
    sa.Column("read_at", Utc, primary_key=True),                   # the newest reading of a day counts; none is written over
    sa.Column("body", sa.Text, nullable=False),                    # JSON, as its collector wrote it
    sa.Index("ix_measure_day", "day"),
)

ASKED, UNREAD = "asked", "unread"       # that somebody asked in that hour; what they were told instead of figures


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one subject (an account, a pool, a service) for one day."""

    kind: str
    subject: str
    day: date
    read_at: datetime
    body: Mapping[str, Any]


def take_turn(connection: sa.Connection, kind: str, subject: str, day: date, hour: datetime) -> bool:
    """Whether it is ours to ask in that hour: false when we or another process have asked already."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"kind": ASKED, "subject": _named(kind, subject), "day": day.isoformat(), "read_at": hour, "body": "{}"}
    first = insert(measure).values(values).on_conflict_do_nothing().returning(measure.c.day)
    return connection.execute(first).first() is not None


def add(connection: sa.Connection, readings: Iterable[Reading]) -> None:
    rows = [
        {"kind": each.kind, "subject": each.subject, "day": each.day.isoformat(), "read_at": each.read_at,
         "body": json.dumps(each.body, separators=(",", ":"), sort_keys=True)}
        for each in readings
    ]
    if rows:
        connection.execute(sa.insert(measure), rows)


def fail(connection: sa.Connection, kind: str, subject: str, day: date, at: datetime, why: str) -> None:
    """It could not be read, and why."""
    add(connection, [Reading(UNREAD, _named(kind, subject), day, at, {"why": why})])


def failed_since(connection: sa.Connection, kind: str, subject: str, since: datetime) -> bool:
    row = measure.c
    mine = (row.kind == UNREAD, row.subject == _named(kind, subject), row.read_at >= since)
    return connection.execute(sa.select(sa.exists().where(*mine))).scalar_one()


def _named(kind: str, subject: str) -> str:
    return f"{kind} {subject}"


def days_read(connection: sa.Connection, kind: str, subject: str, since: date) -> set[date]:
    """Days from that one on of which there is a reading."""
    row = measure.c
    query = sa.select(row.day).where(row.kind == kind, row.subject == subject, row.day >= since.isoformat()).distinct()
    return {date.fromisoformat(each) for each in connection.execute(query).scalars()}


def newest(connection: sa.Connection, kind: str, subject: str, since: date) -> dict[date, Reading]:
    """The newest reading of each day from that one on."""
    row = measure.c
    query = sa.select(measure).where(row.kind == kind, row.subject == subject, row.day >= since.isoformat())
    read = (
        Reading(each.kind, each.subject, date.fromisoformat(each.day), each.read_at, json.loads(each.body))
        for each in connection.execute(query.order_by(row.day, row.read_at))
    )
    return {each.day: each for each in read}
