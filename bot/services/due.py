"""What time alone does to alerts: probation ends, a snooze ends."""

from datetime import datetime

import sqlalchemy as sa

from bot.services import journal, response
from bot.services.desk import VIGIE, Desk
from bot.store import alerts
from bot.store.alerts import Alert


def act(desk: Desk) -> int:
    """Does what is due now, each alert in a transaction of its own; returns how many moved. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        waiting = alerts.due(connection, now)
    return sum(_act(desk, each, now) for each in waiting)


def _act(desk: Desk, alert: Alert, now: datetime) -> bool:
    with desk.begin("due") as connection:
        moved = _end_probation(connection, alert, now) or _end_snooze(connection, alert, now)
        if moved:
            response.show(connection, [alert], now, urgency=2)
    return moved


def _end_probation(connection: sa.Connection, alert: Alert, now: datetime) -> bool:
    table = alerts.alert
    closing = {"state": "closed", "closed_at": now, "closed_by": VIGIE.key, "updated_at": now, "due_at": None}
    query = sa.update(table).where(table.c.id == alert.id, table.c.state == "recovered", table.c.due_at <= now)
    if connection.execute(query.values(**closing)).rowcount != 1:
        return False
    alerts.close_group(connection, alert.group_id, now)
    _record(connection, alert, "alert closed", now, reason="stayed quiet")
    return True


def _end_snooze(connection: sa.Connection, alert: Alert, now: datetime) -> bool:
    table = alerts.alert
    query = sa.update(table).where(table.c.id == alert.id, table.c.snoozed_until <= now)
    if connection.execute(query.values(snoozed_until=None, due_at=None, updated_at=now)).rowcount != 1:
        return False
    _record(connection, alert, "snooze ended", now)
    return True


def _record(connection: sa.Connection, alert: Alert, kind: str, now: datetime, **details: str) -> None:
    journal.record(connection, actor=VIGIE, kind=kind, object=f"alert:{alert.id}", outcome="done", at=now, **details)
