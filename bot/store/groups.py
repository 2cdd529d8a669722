"""Groups of alerts that share a card: held while they are decided about or closed, so that nobody joins unseen."""

from datetime import datetime

import sqlalchemy as sa

from bot.store.alerts import Alert, alert, alert_group, read


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
    """A group is closed when its last member is."""
    _hold(connection, group_id)     # first, so that we see whoever joins it in this instant
    still_open = sa.select(alert.c.id).where(alert.c.group_id == group_id, alert.c.state != "closed").exists()
    connection.execute(sa.update(alert_group).where(alert_group.c.id == group_id, ~still_open).values(closed_at=at))


def open_ones(connection: sa.Connection, *about: sa.ColumnElement[bool]) -> list[tuple[int, str]]:
    """The open groups that hold such an alert, each with its channel."""
    mine = sa.select(alert.c.group_id).where(alert.c.state != "closed", *about)
    query = sa.select(alert_group.c.id, alert_group.c.channel).where(alert_group.c.id.in_(mine)).order_by(alert_group.c.id)
    return [(row.id, row.channel) for row in connection.execute(query)]
