"""Verdicts: what each side says that groups of alerts were worth. Rows are only ever added; the newest of a side counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.alerts import alert
from bot.store.db import BigId, Utc, metadata

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("group_id", BigId, nullable=False, index=True),
    sa.Column("alert_id", BigId, nullable=False),                  # as it was named
    sa.Column("verdict", sa.Text, nullable=False),                 # useful, noise, duplicate, missing-runbook, needs-fix
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody of one side says that a group was worth."""

    id: int
    group_id: int
    alert_id: int
    verdict: str
    by: str
    organisation: str
    at: datetime


def add(connection: sa.Connection, **values: Any) -> None:
    connection.execute(sa.insert(verdict).values(values))


def newest(connection: sa.Connection, group_ids: Iterable[int]) -> list[Verdict]:
    """The newest of each side about each of these groups, oldest first."""
    query = sa.select(verdict).where(verdict.c.group_id.in_(tuple(group_ids))).order_by(verdict.c.id)
    by_side = {(row.group_id, row.organisation): Verdict(**row._mapping) for row in connection.execute(query)}
    return sorted(by_side.values(), key=lambda each: each.id)


def missing(connection: sa.Connection, start: datetime, end: datetime) -> list[int]:
    """Closed groups that opened then, that a person took or closed, and about which nobody has said anything; oldest first."""
    handled = sa.func.max(sa.case((sa.or_(alert.c.acked_by.is_not(None), alert.c.ending == "person"), 1), else_=0))
    opened, over = sa.func.min(alert.c.opened_at), sa.func.max(sa.case((alert.c.state == "closed", 0), else_=1))
    query = (
        sa.select(alert.c.group_id)
        .where(alert.c.opened_at >= start, alert.c.opened_at < end)
        .where(~sa.exists().where(verdict.c.group_id == alert.c.group_id))
        .group_by(alert.c.group_id).having(handled == 1, over == 0).order_by(opened, alert.c.group_id)
    )
    return list(connection.execute(query).scalars())


def known_at(connection: sa.Connection, start: datetime, end: datetime, at: datetime) -> dict[int, str]:
    """The newest verdict, as it was at an instant, of each group that opened then; by the alert that it named."""
    mine = sa.select(alert.c.group_id).where(alert.c.opened_at >= start, alert.c.opened_at < end)
    query = sa.select(verdict).where(verdict.c.group_id.in_(mine), verdict.c.at <= at).order_by(verdict.c.id)
    by_group = {row.group_id: row for row in connection.execute(query)}
    return {row.alert_id: row.verdict for row in by_group.values()}
