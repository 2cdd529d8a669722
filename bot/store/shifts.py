"""The rota: shifts as they were published, absences, swaps; what somebody on call worked, and the monthly statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

shift = sa.Table(
    "shift",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("coverage", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),                    # primary, secondary
    sa.Column("mode", sa.Text, nullable=False),                    # active, on_call
    sa.Column("person", sa.Text),                                  # null: nobody, and it was told
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc, nullable=False),
    sa.Column("source", sa.Text, nullable=False),                  # rotation, override, swap, away, leaver
    sa.Column("version", sa.Integer, nullable=False),              # how often this time was published anew: 1, 2 ...
    sa.Column("published_at", Utc, nullable=False),                # the certain date
    sa.Column("published_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("superseded_at", Utc),                               # what was is never edited: another row says it anew
    sa.Index("ix_shift_coverage_end", "coverage", "end"),
    sa.Index("ix_shift_person_end", "person", "end"),
)

absence = sa.Table(
    "absence",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc, nullable=False),
    sa.Column("said_by", sa.Text, nullable=False),
    sa.Column("said_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),                                    # taken back
    sa.Index("ix_absence_person_end", "person", "end"),
)

swap = sa.Table(
    "swap",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("shift_id", BigId, nullable=False, index=True),      # what the requester gives
    sa.Column("return_id", BigId),                                 # what they take for it; null: nothing
    sa.Column("requester", sa.Text, nullable=False),
    sa.Column("taker", sa.Text),                                   # null: whoever takes it
    sa.Column("state", sa.Text, nullable=False),                   # open, taken, refused, cancelled, expired
    sa.Column("asked_at", Utc, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", sa.Text),
    sa.Column("findings", sa.Text),                                # JSON: what the rules said when it was taken
)

intervention = sa.Table(
    "intervention",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("alert_id", BigId),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc),                                         # null: still at it
    sa.Column("last_act_at", Utc, nullable=False),
    sa.Column("source", sa.Text, nullable=False),                  # acts, declared
    sa.Column("confirmed_at", Utc),
    sa.Column("asked_at", Utc),                                    # when the person was asked to confirm it
    sa.Index("ix_intervention_person_start", "person", "start", unique=True),
)

statement = sa.Table(
    "statement",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("month", sa.Text, primary_key=True),                 # 2026-10
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("given_at", Utc, nullable=False),
    sa.Column("body", sa.Text, nullable=False),                    # JSON: hours on call, interventions, rest moved
    sa.Column("digest", sa.Text, nullable=False),
)

waiver = sa.Table(
    "waiver",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("waived_by", sa.Text, nullable=False),
    sa.Column("waived_at", Utc, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

leaver = sa.Table(
    "leaver",
    metadata,
    sa.Column("person", sa.Text, primary_key=True),                # deactivated in Slack: no rights, no shifts
    sa.Column("at", Utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's stretch of a coverage, as it was published; person None: nobody has it."""

    id: int
    coverage: str
    organisation: str
    team: str
    role: str
    mode: str
    person: str | None
    start: datetime
    end: datetime
    source: str
    version: int
    published_at: datetime
    published_by: str
    reason: str | None
    superseded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody cannot have a shift then; nobody is told why."""

    id: int
    person: str
    organisation: str
    start: datetime
    end: datetime
    said_by: str
    said_at: datetime
    ended_at: datetime | None


def one_by_one(connection: sa.Connection) -> None:
    """First in a transaction: until its commit nobody else changes the rota, so that what it looks at stays as it is."""
    if connection.dialect.name == "postgresql":     # SQLite lets only one write anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended("rota", 0))))


def published(connection: sa.Connection, coverage: str, start: datetime, end: datetime) -> list[Shift]:
    """The shifts that hold and touch [start, end), sorted by start and role."""
    query = sa.select(shift).where(
        shift.c.coverage == coverage, shift.c.end > start, shift.c.start < end, shift.c.superseded_at.is_(None)
    )
    return [Shift(**row._mapping) for row in connection.execute(query.order_by(shift.c.start, shift.c.role, shift.c.id))]


def of_person(connection: sa.Connection, person: str, start: datetime, end: datetime) -> list[Shift]:
    """Somebody's shifts that hold and touch [start, end), sorted by start."""
    query = sa.select(shift).where(
        shift.c.person == person, shift.c.end > start, shift.c.start < end, shift.c.superseded_at.is_(None)
    )
    return [Shift(**row._mapping) for row in connection.execute(query.order_by(shift.c.start, shift.c.id))]


def ahead(connection: sa.Connection, now: datetime) -> list[Shift]:
    """Every shift that holds and is not over, sorted by start."""
    query = sa.select(shift).where(shift.c.end > now, shift.c.superseded_at.is_(None))
    return [Shift(**row._mapping) for row in connection.execute(query.order_by(shift.c.start, shift.c.role, shift.c.id))]


def by_id(connection: sa.Connection, shift_id: int) -> Shift | None:
    row = connection.execute(sa.select(shift).where(shift.c.id == shift_id)).one_or_none()
    return Shift(**row._mapping) if row else None


def add(connection: sa.Connection, values: Sequence[dict[str, Any]]) -> None:
    """Publishes shifts; each dict holds every column but id and superseded_at."""
    if values:
        connection.execute(shift.insert(), [{**each, "superseded_at": None} for each in values])


def add_one(connection: sa.Connection, values: dict[str, Any]) -> int:
    """Publishes one shift; returns its number."""
    return int(connection.execute(shift.insert().values({**values, "superseded_at": None}).returning(shift.c.id)).scalar_one())


def supersede(connection: sa.Connection, ids: Iterable[int], now: datetime) -> int:
    """These hold no longer; returns how many did until now. What replaces them is added by the caller."""
    query = sa.update(shift).where(shift.c.id.in_(list(ids)), shift.c.superseded_at.is_(None))
    return connection.execute(query.values(superseded_at=now)).rowcount


def absences(connection: sa.Connection, start: datetime, end: datetime) -> list[Absence]:
    """Everybody's absences that touch [start, end)."""
    query = sa.select(absence).where(absence.c.end > start, absence.c.start < end, absence.c.ended_at.is_(None))
    return [Absence(**row._mapping) for row in connection.execute(query.order_by(absence.c.start, absence.c.id))]


def leavers(connection: sa.Connection) -> frozenset[str]:
    """Whom Slack has deactivated."""
    return frozenset(connection.execute(sa.select(leaver.c.person)).scalars())
