"""Time goes on and nobody answers: the next is called, each once, whichever process is at it and whenever it crashes."""

from datetime import datetime

import sqlalchemy as sa

from bot.services import singly
from bot.services.call import calling, lease, levels, need, nobody, placing, receipts
from bot.services.call.need import Need
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.store import escalations, groups
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import ANSWERED, ENDED, RUNNING


def act(desk: Desk) -> int:
    """Does what is due now, each calling in a transaction of its own; returns how many moved. Safe to repeat."""
    now = desk.clock.now()
    receipts.act(desk, now)
    with desk.read() as connection:
        waiting = escalations.due(connection, now)
    moved = singly.each("escalation", waiting, lambda one: _in_one(desk, one, now))
    nobody.settle(desk, now)
    return moved


def _in_one(desk: Desk, seen: Escalation, now: datetime) -> bool:
    with desk.begin("escalate") as connection:
        return _act(desk, connection, seen, now)


def _act(desk: Desk, connection: sa.Connection, seen: Escalation, now: datetime) -> bool:
    """The group first, held until the commit: whoever takes it in this instant is before us or after us."""
    members = groups.hold_members(connection, seen.group_id) if seen.group_id is not None else []
    current = escalations.by_id(connection, seen.id)
    if current is None or current.state == ENDED or current.due_at is None or current.due_at > now:
        return False
    if current.state == ANSWERED:
        return lease.look(desk, connection, current, members, now)
    return _go_on(desk, connection, current, members, _need(desk, connection, current, members, now), now)


def _need(desk: Desk, connection: sa.Connection, current: Escalation, members: list[Alert], now: datetime) -> Need:
    rules = levels.load(current.policy)
    if rules.about == "doubt" and current.run_id is not None:
        number, _, tries = current.key.split(":")[2].partition("-")
        return need.of_run(connection, current.run_id, int(number), int(tries or 1))
    return need.of_group(desk.config, connection, members, rules.about, current.begun_at, now, current.relieves)


def _go_on(
    desk: Desk, connection: sa.Connection, current: Escalation, members: list[Alert], found: Need, now: datetime
) -> bool:
    match found.what:
        case "over":
            return end(connection, current, now)
        case "held":
            return calling.hold(connection, current, found.until or now, found.why, now)
        case "answered":
            return _answered(desk, connection, current, members, found.by, now)
    calling.lapse(connection, calling.of_sleepers(desk.config, members, now), calling.ASLEEP, now)
    return placing.go_on(desk, connection, current, now)


def end(connection: sa.Connection, current: Escalation, now: datetime) -> bool:
    """Nobody is needed any more."""
    ended = {"state": ENDED, "ended_at": now, "due_at": None, "nobody_since": None, "held_until": None}
    return escalations.move(connection, current, **ended)


def _answered(
    desk: Desk, connection: sa.Connection, current: Escalation, members: list[Alert], by: str | None, now: datetime
) -> bool:
    """Somebody has it: nobody else is called; the lease of what is important begins."""
    leased = by is not None and levels.load(current.policy).about == "trouble" and any(each.important for each in members)
    due_at = lease.next_look(desk, connection, current, members, by, now) if leased and by else None
    values = {"state": ANSWERED if leased else ENDED, "answered_by": by, "due_at": due_at, "nobody_since": None,
              "held_until": None, "reminded_at": None, "ended_at": None if leased else now}
    if not escalations.move(connection, current, **values):
        return False
    if current.state == RUNNING:
        journal.record(connection, actor=VIGIE, kind="call answered", object=f"alert:{current.alert_id}", outcome="done",
                       at=now, who=by)
    placing.show(connection, current, now)
    return True
