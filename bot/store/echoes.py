"""What a review asks of the rows of the months before: little of each alert, for they are many."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.alerts import alert
from bot.store.months import Range, by_numbers, stream, within
from bot.store.observations import observation


def oldest(connection: sa.Connection) -> datetime | None:
    """When the first alert was opened that there is."""
    return connection.execute(sa.select(alert.c.opened_at).order_by(alert.c.id).limit(1)).scalar_one_or_none()


def firsts(connection: sa.Connection, start: datetime, end: datetime) -> list[sa.Row[Any]]:
    """Of each fingerprint the first group that it founded in [start, end): its founder and its source; how many it founded."""
    row, seen = alert.c, observation.c
    founder = row.group_id == row.id        # not a condition of the rows: a planner takes that for a rare one, and sorts them all
    founded = sa.select(
        sa.func.min(row.id).filter(founder).label("id"), sa.func.count().filter(founder).label("groups")
    ).where(row.opened_at >= start, row.opened_at < end).group_by(row.fingerprint).subquery()
    source = sa.select(sa.func.min(seen.source)).where(seen.alert_id == row.id).scalar_subquery()
    query = sa.select(row.id, row.severity, row.service, row.labels, row.opened_at, source.label("source"), founded.c.groups)
    return list(connection.execute(query.join_from(founded, alert, row.id == founded.c.id).order_by(row.id)))


def came(connection: sa.Connection, groups: Range) -> Iterator[sa.Row[Any]]:
    """The alerts of these groups, group by group, the founder first; `over_at`: when it was over, if it is closed."""
    return stream(connection, _came().where(within(alert.c.group_id, groups)).order_by(alert.c.group_id, alert.c.id))


def came_of(connection: sa.Connection, groups: Iterable[int]) -> list[sa.Row[Any]]:
    """The same of some groups."""
    found = by_numbers(connection, _came(), alert.c.group_id, sorted(groups))
    return sorted(found, key=lambda each: (each.group_id, each.id))


def _came() -> sa.Select[Any]:
    row = alert.c
    over_at = sa.case((row.closed_at.is_not(None), sa.func.coalesce(row.recovered_at, row.closed_at)))
    return sa.select(
        row.id, row.group_id, row.fingerprint, row.severity, row.service, row.labels, row.opened_at, over_at.label("over_at")
    )
