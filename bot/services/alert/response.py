"""What people do about an alert: take it, close it, snooze it, write on it. One verb, one transaction.

Alerts that share a card are acted on together: each that the verb fits, with a line of its own in the journal.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config.models import UNKNOWN_SERVICE
from bot.errors import Refused
from bot.masking import mask_text
from bot.services.desk import OBSERVER, VIGIE, Actor, Desk
from bot.services.ledger import journal
from bot.store import alerts, cards, escalations, groups, notes, observations
from bot.store.alerts import Alert

OPEN = ("firing", "acked", "recovered")
TROUBLE = ("firing", "acked")
LONGEST_SNOOZE = timedelta(hours=24)
LONGEST_NOTE = 2_000
WRITTEN = ("note", "reason")

UNKNOWN_ALERT = "No alert {ref}. {hint}`{command} status` lists what is open."
DID_YOU_MEAN = "Did you mean {id} ({service}, {state})? "
ALREADY_ACKED = "{name} is already acknowledged by {who} since {at}."
ALREADY_YOURS = "{name} is yours already, since {at}."
UNWRITTEN = " What you wrote is not on it; this writes it: `{command} note {id} <text>`."
ALREADY_CLOSED = "{name} was already closed by {who} at {at}."
STILL_FIRING = (
    "You can't close {name}: {observers} still see{s} the fault. "
    "{first} it anyway and say why: `{command} close {id} <reason>`."
)
TAKE_IT_OR, TAKEN = "Acknowledge it, or close", "Close"
NOT_FIRING = "{name} is {state}: there is nothing to snooze."
TOO_LONG = "Snooze for at most 24 h, you asked for {asked}."
EMPTY_NOTE = "Write something: `{command} note {id} <text>`."
NOTE_TOO_LONG = "A note holds at most 2,000 characters, this one has {length}."


def find(desk: Desk, ref: str) -> Alert:
    """The alert that `ref` (142 or #142) names; raises Refused with the nearest one there is."""
    digits = ref.lstrip("#")
    with desk.read() as connection:
        found = alerts.by_id(connection, int(digits)) if re.fullmatch(r"\d{1,12}", digits) else None
        if found:
            return found
        raise Refused(UNKNOWN_ALERT.format(ref=ref[:40], hint=_hint(connection, digits), command=desk.config.command))


def _hint(connection: sa.Connection, digits: str) -> str:
    near = difflib.get_close_matches(digits, [str(each) for each in alerts.nearest_ids(connection)], n=1)
    found = alerts.by_id(connection, int(near[0])) if near else None
    return DID_YOU_MEAN.format(id=found.id, service=found.service, state=found.state) if found else ""


def ack(desk: Desk, alert: Alert, actor: Actor, note: str = "") -> Alert:
    """The actor is on it, also instead of whoever asked for help; what recovered or closed unseen is marked as seen."""
    now = desk.clock.now()
    acked = {"state": "acked", "acked_by": actor.key, "acked_at": now, "seen_by": actor.key, "updated_at": now}
    with desk.begin("ack") as connection:
        members = groups.hold_members(connection, alert.group_id)
        takeable = TROUBLE if escalations.relieved(connection, alert.group_id) else ["firing"]
        taken = [each for each in members if alerts.change(connection, each.id, takeable, **acked)]
        seen = [each for each in members if _see(connection, each, actor, now)]
        if not taken and not seen:
            raise Refused(why_not(desk, connection, alert, actor, note))
        escalations.look(connection, alert.group_id, now)       # nobody else is called
        done = {"alert acked": taken, "alert seen": seen}
        before = next((each.acked_by for each in taken if each.acked_by and each.acked_by != actor.key), "")
        return finish(desk, connection, alert, actor, done, now, note=note, relieved=before)


def _see(connection: sa.Connection, alert: Alert, actor: Actor, now: datetime) -> bool:
    query = (
        sa.update(alerts.alert)
        .where(alerts.alert.c.id == alert.id, alerts.alert.c.seen_by.is_(None), alerts.alert.c.state.in_(("recovered", "closed")))
        .values(seen_by=actor.key, updated_at=now)
    )
    return connection.execute(query).rowcount == 1


def why_not(desk: Desk, connection: sa.Connection, alert: Alert, actor: Actor, written: str) -> str:
    """Who was first, and when; and that nothing was written."""
    lost = UNWRITTEN.format(id=alert.id, command=desk.config.command) if written.strip() else ""
    current = alerts.by_id(connection, alert.id) or alert
    if current.state == "closed":
        who, at = called(desk, current.closed_by), clock_time(current.closed_at)
        return ALREADY_CLOSED.format(name=alert.name, who=who, at=at) + lost
    key, at = current.acked_by or current.seen_by, clock_time(current.acked_at or current.updated_at)
    words = ALREADY_YOURS if key == actor.key else ALREADY_ACKED
    return words.format(name=alert.name, who=called(desk, key), at=at) + lost


@groups.closes
def close(desk: Desk, alert: Alert, actor: Actor, reason: str = "") -> Alert:
    """Closed for good; while somebody still sees the fault only with a reason."""
    now = desk.clock.now()
    with desk.begin("close") as connection:
        members = groups.hold_members(connection, alert.group_id)
        closable = OPEN if reason.strip() else ("recovered",)     # in the UPDATE itself: it may relapse in this instant
        closing = _closing(actor, now, reason)
        closed = [each for each in members if alerts.change(connection, each.id, closable, **closing)]
        if firing := [each for each in members if each.state in TROUBLE and each not in closed]:
            raise Refused(_still_firing(desk, connection, firing))
        if not closed:
            raise Refused(why_not(desk, connection, alert, actor, reason))
        groups.close(connection, alert.group_id, now)
        return finish(desk, connection, alert, actor, {"alert closed": closed}, now, reason=reason)


def _closing(actor: Actor, now: datetime, reason: str) -> dict[str, Any]:
    return {
        "state": "closed", "closed_at": now, "closed_by": actor.key, "close_reason": mask_text(reason.strip()) or None,
        "updated_at": now, "due_at": None, "snoozed_until": None, "ending": "person", "seen_by": actor.key,
    }


def _still_firing(desk: Desk, connection: sa.Connection, firing: Sequence[Alert]) -> str:
    observed = observations.by_alert(connection, [each.id for each in firing]).values()
    seen = sorted({row.observer for rows in observed for row in rows if row.state != "recovered"})
    first = firing[0]
    return STILL_FIRING.format(
        name=first.name, id=first.id, observers=", ".join(seen) or "its source", s="" if len(seen) > 1 else "s",
        command=desk.config.command, first=TAKE_IT_OR if any(each.state == "firing" for each in firing) else TAKEN,
    )


def snooze(desk: Desk, alert: Alert, actor: Actor, length: timedelta, note: str = "") -> Alert:
    """Quiet until then; it comes back by itself if it still fires."""
    if length > LONGEST_SNOOZE:
        raise Refused(TOO_LONG.format(asked=lasting(length)))
    now = desk.clock.now()
    until = now + length
    quiet = {"snoozed_until": until, "due_at": until, "seen_by": actor.key, "updated_at": now}
    with desk.begin("snooze") as connection:
        members = groups.hold_members(connection, alert.group_id)
        snoozed = [each for each in members if alerts.change(connection, each.id, TROUBLE, **quiet)]
        if not snoozed:
            current = alerts.by_id(connection, alert.id) or alert
            raise Refused(NOT_FIRING.format(name=alert.name, state=current.state))
        return finish(desk, connection, alert, actor, {"alert snoozed": snoozed}, now, until=until.isoformat(), note=note)


def note(desk: Desk, alert: Alert, actor: Actor, text: str) -> Alert:
    """Written on the alert, also when it is closed."""
    if not text.strip():
        raise Refused(EMPTY_NOTE.format(id=alert.id, command=desk.config.command))
    with desk.begin("note") as connection:
        return finish(desk, connection, alert, actor, {"alert noted": [alert]}, desk.clock.now(), note=text)


def finish(
    desk: Desk, connection: sa.Connection, alert: Alert, actor: Actor, done: Mapping[str, Sequence[Alert]], now: datetime,
    **details: str,
) -> Alert:
    """What every verb ends with: the note, the journal entries, the card and its log. What was written is kept once."""
    text = mask_text(details.get("note", "").strip())
    if len(text) > LONGEST_NOTE:
        raise Refused(NOTE_TOO_LONG.format(length=len(text)))
    moved = sorted(((kind, each) for kind, some in done.items() for each in some), key=lambda one: one[1].id != alert.id)
    named = moved[0][1]
    if text:
        notes.add(connection, named.id, now, actor.key, text)
    given = {name: mask_text(value) for name, value in details.items() if value}
    for kind, each in moved:
        told = given if each is named else {**given, **dict.fromkeys(WRITTEN), "together_with": named.name}
        journal.record(connection, actor=actor, kind=kind, object=f"alert:{each.id}", outcome="done", at=now, **told)
    escalations.seen(connection, alert.group_id, actor.key, now)
    show(connection, [alert], now, urgency=0)
    return alerts.by_id(connection, alert.id) or alert


def show(connection: sa.Connection, changed: Iterable[Alert], now: datetime, urgency: int) -> None:
    """Their cards, logs and calls are to be drawn anew."""
    for each in changed:
        cards.bump(connection, each.group_id, now, urgency)
        cards.redraw_pages(connection, each.group_id, now)


def headline(alert: Alert) -> str:
    """Where and what; the service only once, and only when it is known."""
    told = alert.service == UNKNOWN_SERVICE or alert.title.casefold().startswith(alert.service.casefold())
    return alert.title if told else f"{alert.service}: {alert.title}"


def lasted(alert: Alert) -> str:
    """How long the fault of one that is over was seen."""
    return lasting((alert.recovered_at or alert.closed_at or alert.updated_at) - alert.opened_at)


def called(desk: Desk, key: str | None) -> str:
    """How a person of vigie.yaml, Vigie itself or an observer is called."""
    if key is None or key == VIGIE.key:
        return VIGIE.name
    person = desk.config.people.get(key)
    return person.name if person else key.removeprefix(OBSERVER)


def clock_time(at: datetime | None) -> str:
    """An instant in a sentence: each reader sees the own zone, notifications see UTC."""
    if at is None:
        return "an unknown time"
    return f"<!date^{int(at.timestamp())}^{{time}}|{at:%H:%M} UTC>"


def lasting(length: timedelta) -> str:
    """A length in a sentence: 45 s, 12 min, 3 h 05, 2 d 4 h."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    if minutes == 0:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min"
    days, hours = divmod(hours, 24)
    if days == 0:
        return f"{hours} h {minutes:02}" if minutes else f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"
