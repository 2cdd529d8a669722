"""What a review asks of the rota's rows: the duty of a month as it was known at one instant."""

from datetime import datetime

import sqlalchemy as sa

from bot.store.handoffs import action, handoff
from bot.store.shifts import Absence, Shift, absence, intervention, leaver, shift


def published_by(connection: sa.Connection, start: datetime, end: datetime, as_of: datetime) -> list[Shift]:
    """Shifts that touch [start, end) and held at `as_of`, sorted by start and role."""
    row = shift.c
    query = sa.select(shift).where(
        row.end > start, row.start < end, row.published_at <= as_of,
        sa.or_(row.superseded_at.is_(None), row.superseded_at > as_of),
    )
    return [Shift(**each._mapping) for each in connection.execute(query.order_by(row.start, row.role, row.id))]


def absences_by(connection: sa.Connection, start: datetime, end: datetime, as_of: datetime) -> list[Absence]:
    """Absences that touch [start, end) and held at `as_of`."""
    row = absence.c
    query = sa.select(absence).where(
        row.end > start, row.start < end, row.said_at <= as_of, sa.or_(row.ended_at.is_(None), row.ended_at > as_of),
    )
    return [Absence(**each._mapping) for each in connection.execute(query.order_by(row.start, row.id))]


def left_by(connection: sa.Connection, as_of: datetime) -> dict[str, datetime]:
    """Whom Slack had deactivated by then, and since when."""
    return {row.person: row.at for row in connection.execute(sa.select(leaver).where(leaver.c.at <= as_of))}


def interventions(connection: sa.Connection, start: datetime, end: datetime, as_of: datetime) -> list[sa.Row[tuple[object, ...]]]:
    """Work of people on call that touches [start, end)."""
    row = intervention.c
    query = sa.select(intervention).where(
        row.start < end, row.start <= as_of, sa.or_(row.end.is_(None), row.end > start)
    )
    return list(connection.execute(query.order_by(row.start, row.id)))


def handoffs(connection: sa.Connection, start: datetime, end: datetime) -> list[sa.Row[tuple[object, ...]]]:
    """Those whose boundary lies in [start, end), in order; without their notes."""
    row = handoff.c
    names = ("coverage", "boundary", "direction", "from_team", "to_team", "state", "outgoing", "incoming", "submitted_at",
             "accepted_by", "accepted_at", "synthesis")
    query = sa.select(*(row[name] for name in names)).where(row.boundary >= start, row.boundary < end)
    return list(connection.execute(query.order_by(row.boundary, row.coverage)))


def actions(connection: sa.Connection, until: datetime) -> list[sa.Row[tuple[object, ...]]]:
    """What was to be done beyond a shift: of which coverage, from when to when."""
    row = action.c
    query = sa.select(row.coverage, row.made_at, row.closed_at).where(row.made_at <= until)
    return list(connection.execute(query.order_by(row.id)))
