"""Each minute: does every open important alert that nobody has call somebody? One that does not is called about now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from bot.services import singly
from bot.services.call import calling, levels, need
from bot.services.call.calling import Reason
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.store import alerts, cards, escalations, groups
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import ANSWERED, ENDED, RUNNING

log = structlog.get_logger()

GRACE = timedelta(minutes=1)        # the decision, or the tick, may be about to do it
STUCK_AFTER = timedelta(minutes=2)
WHY = "nobody had it, and nobody was being called: the auditor noticed"
FOUND = "call missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """A group that nobody has and nobody is called about."""

    group_id: int
    mended: bool


def audit(desk: Desk) -> list[Finding]:
    """What was wrong; each is mended as far as it can be. Safe to repeat, and for several at once."""
    now = desk.clock.now()
    with desk.read() as connection:
        suspects = [each for each in _important(connection, now) if _forgotten(desk, connection, each, now)]
    found: list[Finding] = []
    singly.each("audit", suspects, lambda one: found.extend(filter(None, [_mend(desk, one, now)])))
    return found


def _important(connection: sa.Connection, now: datetime) -> list[int]:
    """The groups of important alerts in trouble, not of this very minute."""
    table = alerts.alert.c
    query = sa.select(table.group_id).where(
        table.important, table.state.in_(("firing", "acked")), table.updated_at <= now - GRACE,
    )
    return list(connection.execute(query.distinct().order_by(table.group_id)).scalars())


def _forgotten(desk: Desk, connection: sa.Connection, group_id: int, now: datetime) -> bool:
    members = alerts.of_group(connection, group_id)
    found = need.of_group(desk.config, connection, members, "trouble", now, now)
    callings = escalations.of_group(connection, group_id)
    if found.what == "wanted":
        return not any(each.state == RUNNING and _goes_on(each, now) for each in callings)
    return found.what == "answered" and not any(_goes_on(each, now) for each in callings)


def _goes_on(each: Escalation, now: datetime) -> bool:
    """Whether time will do something with it; one that is long overdue is stuck."""
    return each.due_at is not None and each.due_at > now - STUCK_AFTER


def _mend(desk: Desk, group_id: int, now: datetime) -> Finding | None:
    """Looked at again with the group held: two auditors at once mend it once."""
    with desk.begin("audit calls") as connection:
        members = groups.hold_members(connection, group_id)
        if not _forgotten(desk, connection, group_id, now):
            return None
        for each in escalations.of_group(connection, group_id):
            if not _goes_on(each, now):
                escalations.move(connection, each, state=ENDED, ended_at=now, due_at=None)
        mended = _begin(desk, connection, members, now)
        journal.record(connection, actor=VIGIE, kind=FOUND, object=f"alert:{members[0].id}", outcome="failed", at=now,
                       why=WHY, mended=mended)
    log.error("an important alert was forgotten", group=group_id, mended=mended)
    return Finding(group_id, mended)


def _begin(desk: Desk, connection: sa.Connection, members: Sequence[Alert], now: datetime) -> bool:
    trouble = [each for each in members if each.state in need.TROUBLE]
    head = next((each for each in trouble if each.important), trouble[0])
    key = f"page:{head.group_id}:audit{int(now.timestamp())}"
    if owner := need.owner_of(desk.config, trouble, now):
        return _lease(desk, connection, head, owner, key, now)
    return calling.call(desk, connection, head, WHY, now, key)


def _lease(desk: Desk, connection: sa.Connection, head: Alert, owner: str, key: str, now: datetime) -> bool:
    """Somebody has it, and nobody looks whether they act: without a call."""
    card = cards.by_key(connection, f"card:{head.group_id}")
    channel = card.channel if card else desk.config.channel_of(head.service)
    reason = Reason(key, head, None, channel, head.group_id, WHY, "trouble", owner)
    begun = calling.add(desk, connection, reason, now)
    return escalations.move(connection, begun, state=ANSWERED, answered_by=owner, level=len(levels.load(begun.policy).steps))
