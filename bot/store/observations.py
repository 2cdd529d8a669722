"""Who observed what: the last word of each observer about an alert."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from bot.store.alerts import alert
from bot.store.db import BigId, Utc, metadata

observation = sa.Table(
    "observation",
    metadata,
    sa.Column("alert_id", BigId, primary_key=True),
    sa.Column("observer", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)


def by_alert(connection: sa.Connection, alert_ids: Iterable[int]) -> dict[int, list[sa.Row[Any]]]:
    """What each observer says of these alerts, by alert."""
    found: dict[int, list[sa.Row[Any]]] = {}
    query = sa.select(observation).where(observation.c.alert_id.in_(tuple(alert_ids))).order_by(observation.c.observer)
    for row in connection.execute(query):
        found.setdefault(row.alert_id, []).append(row)
    return found


def silent(connection: sa.Connection, alert_ids: Iterable[int]) -> list[sa.Row[Any]]:
    """Observers of these alerts whose last word was that they have no data, or that they watch no more."""
    mine = (observation.c.alert_id.in_(tuple(alert_ids)), observation.c.state.in_(("no data", "gone")))
    return list(connection.execute(sa.select(observation).where(*mine).order_by(observation.c.at)))


def alerts_by_source(connection: sa.Connection) -> list[tuple[str, str, int]]:
    """How many alerts each source has in each state, of those not closed."""
    members = alert.join(observation, observation.c.alert_id == alert.c.id)
    query = (
        sa.select(observation.c.source, alert.c.state, sa.func.count(sa.distinct(alert.c.id)))
        .select_from(members)
        .where(alert.c.state != "closed")
        .group_by(observation.c.source, alert.c.state)
    )
    return [(source, state, count) for source, state, count in connection.execute(query)]
