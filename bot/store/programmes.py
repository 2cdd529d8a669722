"""Programmes: until when a team's shifts are published; and what the working-time rules ask of the rota's rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import Utc, as_rows, instant, metadata, rows
from bot.store.shifts import intervention, shift, statement, waiver

programme = sa.Table(
    "programme",
    metadata,
    sa.Column("coverage", sa.Text, primary_key=True),
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("published_until", Utc),                             # null: nothing of this team was ever published
    sa.Column("version", sa.Integer, nullable=False),              # goes up with each publication: who moved it, published
)


@dataclass(frozen=True, slots=True)
class Programme:
    """A team's published part of a coverage."""

    coverage: str
    team: str
    published_until: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Intervention:
    """Working time of a person on call; end None: still at it."""

    person: str
    start: datetime
    end: datetime | None
    confirmed_at: datetime | None


def get(connection: sa.Connection, coverage: str, team: str) -> Programme:
    """The programme as it stands; one without anything published if there was none."""
    mine = (programme.c.coverage == coverage, programme.c.team == team)
    row = connection.execute(sa.select(programme).where(*mine)).one_or_none()
    return Programme(**row._mapping) if row else Programme(coverage, team, None, 0)


def publish(connection: sa.Connection, found: Programme, until: datetime) -> bool:
    """Whether it was ours to publish: false when somebody else did since `found` was read."""
    made = rows(connection.dialect.name, {"coverage": "text", "team": "text"})
    connection.execute(
        sa.text(f"INSERT INTO programme (coverage, team, version) SELECT coverage, team, 0 FROM ({made}) AS new WHERE true"
                " ON CONFLICT (coverage, team) DO NOTHING"),
        as_rows([{"coverage": found.coverage, "team": found.team}]),
    )
    table = programme.c
    unmoved = (table.coverage == found.coverage, table.team == found.team, table.version == found.version)
    moved = sa.update(programme).where(*unmoved).values(published_until=until, version=found.version + 1)
    return connection.execute(moved).rowcount == 1


# --- what the rules ask -----------------------------------------------------------------------------------------------------


def first_start(connection: sa.Connection, coverage: str) -> datetime | None:
    """Since when shifts of a coverage are published."""
    found = connection.execute(sa.select(sa.func.min(shift.c.start)).where(shift.c.coverage == coverage)).scalar_one_or_none()
    return instant(found) if found is not None else None


def interventions(connection: sa.Connection, start: datetime, end: datetime) -> list[Intervention]:
    """Everybody's that touch [start, end), sorted by start."""
    table = intervention.c
    query = sa.select(table.person, table.start, table.end, table.confirmed_at).where(
        table.start < end, sa.or_(table.end.is_(None), table.end > start)
    )
    return [Intervention(**row._mapping) for row in connection.execute(query.order_by(table.start, table.id))]


def statements(connection: sa.Connection, person: str) -> dict[str, datetime]:
    """Month (2026-10): when its statement was given to that person."""
    query = sa.select(statement.c.month, statement.c.given_at).where(statement.c.person == person)
    return {row.month: instant(row.given_at) for row in connection.execute(query)}


def add_waivers(connection: sa.Connection, values: Sequence[dict[str, Any]]) -> None:
    """Keeps who waived which finding, and why; each dict holds every column but id."""
    if values:
        connection.execute(waiver.insert(), list(values))


def waived(connection: sa.Connection, organisation: str, start: datetime, end: datetime) -> list[sa.Row[Any]]:
    """The waivers of an organisation for what touches [start, end)."""
    query = sa.select(waiver).where(waiver.c.organisation == organisation, waiver.c.end > start, waiver.c.start < end)
    return list(connection.execute(query.order_by(waiver.c.id)))
