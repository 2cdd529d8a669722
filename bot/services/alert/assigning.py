"""Give an alert to somebody: at once, or, to one in blackout, when that is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert.response import OPEN, UNWRITTEN, called, clock_time, finish, show, why_not
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.store import alerts, deferrals, groups
from bot.store.alerts import Alert
from bot.store.deferrals import ASSIGNMENT, Deferred

ALREADY_THEIRS = "{name} is assigned to {who} already."
ALREADY_WAITS = "{name} is for {who} already, from {at} on."
GIVEN_ANEW, OVER = "given to somebody else", "it was closed by then"


@dataclass(frozen=True, slots=True)
class Given:
    """The alert, and until when its new owner is in blackout; None: they have it."""

    alert: Alert
    until: datetime | None = None


def assign(desk: Desk, alert: Alert, actor: Actor, person: str, note: str = "") -> Given:
    """Gives the alert to somebody, and the card says so; to one in blackout when that is over, if it is still open then."""
    now = desk.clock.now()
    until = duty.asleep(desk.config, person, now) if person != actor.key else None
    with desk.begin("assign") as connection:
        members = groups.hold_members(connection, alert.group_id)
        current = alerts.by_id(connection, alert.id) or alert
        if current.assigned_to == person:
            lost = UNWRITTEN.format(id=alert.id, command=desk.config.command) if note.strip() else ""
            raise Refused(ALREADY_THEIRS.format(name=alert.name, who=called(desk, person)) + lost)
        if all(each.state not in OPEN for each in members):
            raise Refused(why_not(desk, connection, alert, actor, note))
        if until is not None:
            return Given(_later(desk, connection, alert, members, actor, person, until, now, note), until)
        _drop(connection, members, actor, now, GIVEN_ANEW)
        given = {"assigned_to": person, "seen_by": actor.key, "updated_at": now}
        moved = [each for each in members if each.assigned_to != person and alerts.change(connection, each.id, OPEN, **given)]
        if not moved:
            raise Refused(why_not(desk, connection, alert, actor, note))
        return Given(finish(desk, connection, alert, actor, {"alert assigned": moved}, now, to=person, note=note))


def _later(
    desk: Desk, connection: sa.Connection, alert: Alert, members: Sequence[Alert], actor: Actor, person: str, until: datetime,
    now: datetime, note: str,
) -> Alert:
    waits = deferrals.assignments(connection, [each.id for each in members])
    if any(each.person == person for each in waits):
        raise Refused(ALREADY_WAITS.format(name=alert.name, who=called(desk, person), at=clock_time(until)))
    _drop(connection, members, actor, now, GIVEN_ANEW)
    named = min((each for each in members if each.state in OPEN), key=lambda each: each.id != alert.id)
    deferrals.add(
        connection, f"{ASSIGNMENT}:{named.id}:{1 + deferrals.times_given(connection, named.id)}", ASSIGNMENT, person,
        desk.config.people[person].organisation, named.id, actor.key, "", now, until,
    )
    return finish(desk, connection, named, actor, {"assignment put off": [named]}, now, to=person, until=until.isoformat(),
                  note=note)


def hand_over(connection: sa.Connection, wish: Deferred, now: datetime) -> bool:
    """At the end of the blackout the alert is theirs; false when it was closed meanwhile."""
    alert = alerts.by_id(connection, wish.alert_id) if wish.alert_id is not None else None
    if alert is None:
        return False
    members = groups.hold_members(connection, alert.group_id)
    given = {"assigned_to": wish.person, "updated_at": now}
    moved = [each for each in members if alerts.change(connection, each.id, OPEN, **given)]
    for each in moved:
        _note(connection, "alert assigned", each, VIGIE, now, to=wish.person, by=wish.by)
    if not moved:
        _note(connection, "assignment dropped", alert, VIGIE, now, to=wish.person, reason=OVER)
    show(connection, [alert], now, urgency=1)
    return bool(moved)


def _drop(connection: sa.Connection, members: Sequence[Alert], actor: Actor, now: datetime, why: str) -> None:
    """Who was to have it in the morning will not: it was given anew."""
    waits = deferrals.assignments(connection, [each.id for each in members])
    for wish in deferrals.take(connection, [each.id for each in waits], now):
        about = next(each for each in members if each.id == wish.alert_id)
        _note(connection, "assignment dropped", about, actor, now, to=wish.person, reason=why)


def _note(connection: sa.Connection, kind: str, alert: Alert, actor: Actor, now: datetime, **told: str) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"alert:{alert.id}", outcome="done", at=now, **told)
