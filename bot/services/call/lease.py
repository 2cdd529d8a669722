"""An acknowledgement is a lease: who is silent is reminded, then others are called; a blackout or the shift's end ends it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.services.alert.response import lasting
from bot.services.call import calling, levels, need, placing
from bot.services.call.calling import Reason
from bot.services.call.levels import OWNER, Policy
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty, hours
from bot.services.leave.duty import Callee
from bot.services.ledger import journal
from bot.services.rota import roster
from bot.services.rota.roster import Slot
from bot.store import alerts, cards, escalations
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import ENDED

HORIZON = timedelta(days=1)
REMINDER = (
    "{name} is yours since {since} and has been silent for {length}. A note, a run, anything you do keeps it yours; "
    "without a word by {at} the duty is called."
)
SILENT = "has been silent for {length}"
SLEEPS, SHIFT_OVER, AWAY = "is in blackout now", "has no shift any more", "cannot be reached any more"
TAKEN_FROM = "{why} {who} had it, and {because}: take it over."


def look(desk: Desk, connection: sa.Connection, current: Escalation, members: list[Alert], now: datetime) -> bool:
    """What follows for somebody who has an important alert: nothing, a reminder, or that others are called."""
    trouble = [each for each in members if each.state in need.TROUBLE]
    owner = next((each.acked_by for each in trouble if each.state == "acked"), None)
    if owner is None or not any(each.important for each in trouble):
        return _end(connection, current, now)
    if because := _gone(desk, connection, current, trouble, owner, now):
        return _pass_on(desk, connection, current, members, owner, because, now)
    if (again := next_look(desk, connection, current, trouble, owner, now)) > now:
        return escalations.move(connection, current, answered_by=owner, due_at=again, reminded_at=_still(
            desk, connection, current, trouble, owner))
    rules = levels.load(current.policy)
    if _still(desk, connection, current, trouble, owner) is None:
        return _remind(desk, connection, current, trouble, owner, rules, now)
    silent = SILENT.format(length=lasting(now - _spoke_at(desk, connection, trouble, owner)))
    return _pass_on(desk, connection, current, members, owner, silent, now)


def next_look(
    desk: Desk, connection: sa.Connection, current: Escalation, members: Sequence[Alert], owner: str, now: datetime
) -> datetime:
    """When the lease ends, or the reminder's time, or the owner's duty: whichever is first."""
    rules = levels.load(current.policy)
    reminded, spoke = _still(desk, connection, current, members, owner), _spoke_at(desk, connection, members, owner)
    ends = reminded + timedelta(seconds=rules.reminder_s) if reminded else spoke + timedelta(seconds=rules.lease_s)
    quiet = _snoozed(members)
    return min([max(ends, quiet) if quiet else ends, *_duty_ends(desk, connection, current, owner, now)])


def _snoozed(members: Sequence[Alert]) -> datetime | None:
    """Until when all of them are quiet."""
    until = [each.snoozed_until for each in members if each.state in need.TROUBLE]
    return min((each for each in until if each), default=None) if until and all(until) else None


def _still(
    desk: Desk, connection: sa.Connection, current: Escalation, members: Sequence[Alert], owner: str
) -> datetime | None:
    """When the owner was reminded, if they have done nothing since: any act renews the lease."""
    reminded = current.reminded_at
    if reminded is None or current.answered_by != owner:
        return None
    return reminded if _spoke_at(desk, connection, members, owner) <= reminded else None


def _spoke_at(desk: Desk, connection: sa.Connection, members: Sequence[Alert], owner: str) -> datetime:
    """When the owner last did something about it."""
    acked = min((each.acked_at for each in members if each.acked_at), default=members[0].opened_at)
    last = need.last_act(desk.config, connection, members, acked - timedelta(seconds=1), owner)
    return max(acked, last[1]) if last else acked


# --- whose it can be ----------------------------------------------------------------------------------------------------------


def _gone(
    desk: Desk, connection: sa.Connection, current: Escalation, members: Sequence[Alert], owner: str, now: datetime
) -> str:
    """Why the owner cannot have it any more; nothing: they can."""
    if duty.asleep(desk.config, owner, now) is not None:
        return SLEEPS
    if not placing.may_be_called(desk, connection, owner, now):
        return AWAY
    taken = max((each.acked_at for each in members if each.acked_at and each.acked_by == owner), default=now)
    if not _on(desk, connection, current.coverage, owner, taken):
        return ""
    return "" if _on(desk, connection, current.coverage, owner, now) else SHIFT_OVER


def _on(desk: Desk, connection: sa.Connection, coverage: str | None, person: str, at: datetime) -> bool:
    return any(slot.person == person for slot in _slots(desk, connection, coverage, at))


def _slots(desk: Desk, connection: sa.Connection, coverage: str | None, at: datetime) -> list[Slot]:
    """Who is on then; nobody where there is no coverage, or vigie.yaml no longer has it."""
    return roster.at(connection, desk.config, coverage, at) if coverage in desk.config.coverages else []


def _duty_ends(
    desk: Desk, connection: sa.Connection, current: Escalation, owner: str, now: datetime
) -> list[datetime]:
    """The next instants at which the owner may have to let go: a blackout begins, a shift of theirs ends."""
    known = desk.config.people.get(owner)
    if known is None:       # vigie.yaml has lost them: they have nothing from now on
        return [now]
    found: list[datetime] = []
    organisation = desk.config.organisations[known.organisation]
    if organisation.blackout:
        spans = hours.spans(organisation.blackout, organisation.timezone, now, now + HORIZON)
        found += [start for start, _ in spans if start > now]
    slots = _slots(desk, connection, current.coverage, now)
    return [*found, *(slot.end for slot in slots if slot.person == owner and slot.end > now)]


# --- what follows -------------------------------------------------------------------------------------------------------------


def _end(connection: sa.Connection, current: Escalation, now: datetime) -> bool:
    """Over, or nobody's again: what is nobody's has a calling of its own (the auditor sees to that)."""
    return escalations.move(connection, current, state=ENDED, ended_at=now, due_at=None)


def _remind(
    desk: Desk, connection: sa.Connection, current: Escalation, trouble: Sequence[Alert], owner: str, rules: Policy,
    now: datetime,
) -> bool:
    until = now + timedelta(seconds=rules.reminder_s)
    ends = min([until, *_duty_ends(desk, connection, current, owner, now)])
    head, spoke = trouble[0], _spoke_at(desk, connection, trouble, owner)
    if not escalations.move(connection, current, answered_by=owner, reminded_at=now, due_at=ends):
        return False
    said = REMINDER.format(name=head.name, since=_plain(head.acked_at), length=lasting(now - spoke), at=_plain(until))
    key = f"{current.key}:reminder{int(now.timestamp())}"
    cards.add_page(connection, key, current.channel, current.group_id, [owner], said, now)
    about = placing.subject(connection, current)
    placing.reach(desk, connection, current, about, Callee(owner, OWNER), current.level, key, said, now, rings=False)
    journal.record(connection, actor=VIGIE, kind="owner reminded", object=f"alert:{head.id}", outcome="done", at=now,
                   who=owner)
    return True


def _pass_on(
    desk: Desk, connection: sa.Connection, current: Escalation, members: list[Alert], owner: str, because: str, now: datetime
) -> bool:
    """It is nobody's, and the duty is called from the first."""
    if not _end(connection, current, now):
        return False
    calling.lapse(connection, members, because, now)
    head = next(each for each in members if each.state in need.TROUBLE and each.acked_by == owner)
    fresh = alerts.by_id(connection, head.id) or head
    known = desk.config.people.get(owner)
    why = TAKEN_FROM.format(why=current.why, who=known.name if known else owner, because=because)
    key = f"page:{fresh.group_id}:after{current.id}-{int(now.timestamp())}"
    why = why[:calling.LONGEST_WHY]
    reason = Reason(key, fresh, None, current.channel, fresh.group_id, why, "trouble", None, _snoozed(members))
    calling.begin(desk, connection, reason, now)
    return True


def _plain(at: datetime | None) -> str:
    """A time for words that are escaped before they are shown."""
    return f"{at:%H:%M} UTC" if at else "an unknown time"
