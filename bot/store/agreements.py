"""What a review asks of the rows that people made: incidents and what belongs to them, decisions, measures of clouds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.decisions import Decision, decision, moved_since
from bot.store.incidents import classification, impact, incident, incident_alert, notice
from bot.store.measures import measure


def incidents(connection: sa.Connection, since: datetime, end: datetime, as_of: datetime) -> list[sa.Row[Any]]:
    """Those declared by then that began before `end` and last still, or ended after `since`; in order."""
    row = incident.c
    lasts = sa.or_(row.ended_at.is_(None), row.ended_at >= since, row.began_at >= since)
    query = sa.select(incident).where(row.began_at < end, row.declared_at <= as_of, lasts)
    return list(connection.execute(query.order_by(row.began_at, row.id)))


def impacts(connection: sa.Connection, numbers: Iterable[int], as_of: datetime) -> list[sa.Row[Any]]:
    """Stretches of these incidents that were said by then and not withdrawn."""
    row = impact.c
    holds = sa.or_(row.withdrawn_at.is_(None), row.withdrawn_at > as_of)
    query = sa.select(impact).where(row.incident_id.in_(list(numbers)), row.said_at <= as_of, holds)
    return list(connection.execute(query.order_by(row.start, row.id)))


def classifications(connection: sa.Connection, numbers: Iterable[int], as_of: datetime) -> list[sa.Row[Any]]:
    """How these incidents were classified by then, the newest last."""
    row = classification.c
    query = sa.select(classification).where(row.incident_id.in_(list(numbers)), row.at <= as_of)
    return list(connection.execute(query.order_by(row.id)))


def notices(connection: sa.Connection, numbers: Iterable[int], as_of: datetime) -> list[sa.Row[Any]]:
    """What was owed by then; what was no longer owed by then is left out."""
    still = sa.or_(notice.c.ended_at.is_(None), notice.c.ended_at > as_of)
    query = sa.select(notice).where(notice.c.incident_id.in_(list(numbers)), notice.c.opened_at <= as_of, still)
    return list(connection.execute(query.order_by(notice.c.id)))


def linked(connection: sa.Connection, numbers: Iterable[int], as_of: datetime) -> list[sa.Row[Any]]:
    """The alerts of these incidents."""
    row = incident_alert.c
    query = sa.select(incident_alert).where(row.incident_id.in_(list(numbers)), row.at <= as_of)
    return list(connection.execute(query.order_by(row.incident_id, row.alert_id)))


def decisions(connection: sa.Connection, since: datetime, as_of: datetime) -> list[Any]:
    """Those made by then that were still open at `since`, in order; owner and day as they were then."""
    row = decision.c
    query = sa.select(decision).where(row.made_at <= as_of, sa.or_(row.ended_at.is_(None), row.ended_at >= since))
    found = connection.execute(query.order_by(row.id)).all()
    was = moved_since(connection, [each.id for each in found], as_of)
    return [Decision(**{**each._mapping, **was.get(each.id, {})}) for each in found]


def measures(connection: sa.Connection, first: str, last: str, as_of: datetime) -> list[sa.Row[Any]]:
    """What was read by then for the days from `first` to `last`."""
    row = measure.c
    query = sa.select(measure).where(row.day >= first, row.day <= last, row.read_at <= as_of)
    return list(connection.execute(query.order_by(row.kind, row.subject, row.day)))
