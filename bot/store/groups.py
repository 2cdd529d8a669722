"""Groups of alerts that share a card: held while they are decided about or closed, so that nobody joins unseen."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from bot.store.alerts import Alert, alert, read
from bot.store.db import BigId, Utc, metadata

alert_group = sa.Table(
    "alert_group",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("closed_at", Utc),
    sa.Column("symptom", sa.Text),                      # a symptom of vigie.yaml: its observers' alerts share one card
    sa.Index("uq_alert_group_open_symptom", "service", "symptom", unique=True,
             sqlite_where=sa.text("closed_at IS NULL AND symptom IS NOT NULL"),
             postgresql_where=sa.text("closed_at IS NULL AND symptom IS NOT NULL")),
    sa.Index("ix_alert_group_closed_at", "closed_at", "opened_at", sqlite_where=sa.text("closed_at IS NOT NULL"),
             postgresql_where=sa.text("closed_at IS NOT NULL")),
)

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

MOST_TRIES = 5


class Joined(Exception):
    """An alert joined the group in this instant: what was decided without it is decided again."""


def closes(verb: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """A transaction that may close a group: all of it or nothing, so it is done anew when an alert joined meanwhile."""

    @wraps(verb)
    def anew(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        for _ in range(MOST_TRIES - 1):
            try:
                return verb(*args, **kwargs)
            except Joined:
                continue
        return verb(*args, **kwargs)

    return anew


def hold_undecided(connection: sa.Connection, alert_id: int) -> Alert | None:
    """The alert and its group, held until the commit; None if it was decided about, taken or over meanwhile."""
    query = sa.select(alert).where(alert.c.id == alert_id, alert.c.decision.is_(None), alert.c.state == "firing")
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        return None
    _hold(connection, row.group_id)
    return read(row)


def hold_members(connection: sa.Connection, group_id: int) -> list[Alert]:
    """The members of a group, held until the commit; in the order in which the intake holds them: no two wait for each other."""
    query = sa.select(alert).where(alert.c.group_id == group_id).order_by(alert.c.fingerprint, alert.c.id).with_for_update()
    return sorted((read(row) for row in connection.execute(query)), key=lambda each: each.id)


def _hold(connection: sa.Connection, group_id: int) -> None:
    """Held until the commit: nobody joins it or decides for it meanwhile."""
    connection.execute(sa.select(alert_group.c.id).where(alert_group.c.id == group_id).with_for_update())


def close(connection: sa.Connection, group_id: int, at: datetime) -> None:
    """Closed with its last member; raises Joined when one came whom the caller did not see."""
    _hold(connection, group_id)     # first, so that we see whoever joins it in this instant
    still_open = sa.select(alert.c.id).where(alert.c.group_id == group_id, alert.c.state != "closed").exists()
    query = sa.update(alert_group).where(alert_group.c.id == group_id, ~still_open).values(closed_at=at)
    if connection.execute(query).rowcount != 1:
        raise Joined(f"an alert joined group {group_id} while it was closed")


def open_ones(connection: sa.Connection, *about: sa.ColumnElement[bool]) -> list[tuple[int, str]]:
    """The open groups that hold such an alert, each with its channel."""
    mine = sa.select(alert.c.group_id).where(alert.c.state != "closed", *about)
    query = sa.select(alert_group.c.id, alert_group.c.channel).where(alert_group.c.id.in_(mine)).order_by(alert_group.c.id)
    return [(row.id, row.channel) for row in connection.execute(query)]
