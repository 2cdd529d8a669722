"""What time alone does to alerts: probation ends, a snooze ends, a fix that nobody sees is asked about."""

from datetime import datetime

import sqlalchemy as sa

from bot.services import singly
from bot.services.alert import proving, response
from bot.services.call import calling
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.store import alerts, groups
from bot.store.alerts import Alert

STILL_THERE = "run {run} ended well, and the fault is still seen"


def act(desk: Desk) -> int:
    """Does what is due now, each alert in a transaction of its own; returns how many moved. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        waiting = alerts.due(connection, now)
    return singly.each("alert", waiting, lambda one: _act(desk, one, now))


@groups.closes
def _act(desk: Desk, alert: Alert, now: datetime) -> bool:
    with desk.begin("due") as connection:
        moved = (
            proving.end_probation(desk, connection, alert, now)
            or _end_snooze(connection, alert, now)
            or _ask_about_fix(desk, connection, alert, now)
        )
        if moved:
            response.show(connection, [alert], now, urgency=2)
    return moved


def _end_snooze(connection: sa.Connection, alert: Alert, now: datetime) -> bool:
    table = alerts.alert
    query = sa.update(table).where(table.c.id == alert.id, table.c.snoozed_until <= now)
    if connection.execute(query.values(snoozed_until=None, due_at=None, updated_at=now)).rowcount != 1:
        return False
    journal.record(connection, actor=VIGIE, kind="snooze ended", object=f"alert:{alert.id}", outcome="done", at=now)
    return True


def _ask_about_fix(desk: Desk, connection: sa.Connection, alert: Alert, now: datetime) -> bool:
    """A run said that it fixed it, and its observers do not agree: a person looks."""
    table = alerts.alert
    query = sa.update(table).where(table.c.id == alert.id, table.c.state.in_(response.TROUBLE), table.c.due_at <= now)
    if connection.execute(query.values(due_at=None)).rowcount != 1:
        return False
    current = alerts.by_id(connection, alert.id) or alert
    if current.fixed_by is None:
        return False
    key = calling.key_for(alerts.of_group(connection, alert.group_id), f"run{current.fixed_by}-")
    return calling.call(desk, connection, current, STILL_THERE.format(run=current.fixed_by), now, key)
