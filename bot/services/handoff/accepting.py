"""Acceptance: the incoming person names the top risk and has read each red item; the note is kept with its digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert import response
from bot.services.alert.response import called, clock_time, lasting
from bot.services.desk import Actor, Desk
from bot.services.handoff import acting, gathering, protocol, telling, upcoming
from bot.services.handoff.note import NONE, Note, Synthesis, digest, risks, written
from bot.services.handoff.upcoming import Sides
from bot.services.ledger import journal
from bot.store import alerts, escalations, handoffs
from bot.store.alerts import Alert
from bot.store.handoffs import Handoff

LONGEST_TEXT = 600

NOT_YET = "The duty passes at {at}. Accept it then: your shift begins with it, not before."
NOT_YOURS = "{taker} takes over: {who} accepts this, or a colleague of theirs."
YOURSELF = "You hand this over yourself: somebody else must accept it. {who} can."
PASSED_ON = "The duty has passed on since; this handoff can no longer be accepted."
ALREADY = "{who} accepted it at {at}."
NO_RISK = "risk is named as the note lists it: {known}, or none."
NOT_TICKED = "items not ticked: {names}. Tick each red item once you have read it."


def accept(
    desk: Desk, found: Handoff, actor: Actor, risk: str, ticked: Sequence[str] = (), said: str = ""
) -> Handoff:
    """The incoming person has understood: names the top risk, has read each red item. What is in hand becomes theirs."""
    now = desk.clock.now()
    with desk.begin("handoff: accept") as connection:
        sides = upcoming.sides(connection, desk.config, found)
        _may_accept(desk, connection, found, actor, sides, now)
        current, times = handoffs.by_id(connection, found.id) or found, upcoming.times(desk.config, found)
        note = gathering.gather(desk, connection, current, times, now)
        named, late = _understood(note, risk, ticked), now - protocol.accept_due(times)
        synthesis = Synthesis(
            risk=named, said=mask_text(said.strip())[:LONGEST_TEXT], ticked=tuple(each.ref for each in note.reds),
            instead_of=None if actor.key == sides.incoming else sides.incoming,
            late=lasting(late) if late > timedelta(0) else None,
        )
        text = written(note)
        if not handoffs.change(
            connection, found.id, acting.LIVE, state="accepted", accepted_by=actor.key, accepted_at=now, due_at=None, note=text,
            digest=digest(text), synthesis=synthesis.model_dump_json(), outgoing=sides.outgoing, incoming=sides.incoming,
        ):
            raise Refused(_already(desk, connection, found))
        told = synthesis.model_dump(include={"risk", "late", "instead_of"})
        acting.record(connection, found, actor, "handoff accepted", now, digest=digest(text), state=note.state, **told)
        _take_over(connection, found, actor, note, now)
        telling.recall(connection, found)
        telling.show(connection, found, now)
        return handoffs.by_id(connection, found.id) or found


def _may_accept(
    desk: Desk, connection: sa.Connection, found: Handoff, actor: Actor, sides: Sides, now: datetime
) -> None:
    """Raises Refused unless this person may accept it now."""
    if actor.key == sides.outgoing:
        raise Refused(YOURSELF.format(who=called(desk, sides.secondary or sides.lead)))
    acting.demand(desk, found, actor, found.to_team, NOT_YOURS, sides.incoming)
    if now < found.boundary:
        raise Refused(NOT_YET.format(at=clock_time(found.boundary)))
    if any(each.id != found.id and each.boundary <= now for each in handoffs.since(connection, found.coverage, found.boundary)):
        raise Refused(PASSED_ON)
    if (handoffs.by_id(connection, found.id) or found).state == "accepted":
        raise Refused(_already(desk, connection, found))


def _already(desk: Desk, connection: sa.Connection, found: Handoff) -> str:
    current = handoffs.by_id(connection, found.id) or found
    return ALREADY.format(who=called(desk, current.accepted_by), at=clock_time(current.accepted_at))


def _understood(note: Note, risk: str, ticked: Sequence[str]) -> str:
    """The top risk in words; raises Refused while something red is not ticked."""
    known, given = dict(risks(note)), risk.strip().lstrip("#").lower()
    if given not in known:
        raise Refused(NO_RISK.format(known=", ".join(each for each in known if each != NONE) or "nothing"))
    seen = {each.strip().lstrip("#") for each in ticked}
    left = [each.name for each in note.reds if each.ref not in seen]
    if left:
        raise Refused(NOT_TICKED.format(names=", ".join(left)))
    return NONE if given == NONE else known[given]


def _take_over(connection: sa.Connection, found: Handoff, actor: Actor, note: Note, now: datetime) -> None:
    """What somebody of the outgoing side had in hand is whoever accepted's; nobody else is called about it."""
    for each in note.to_take_over:
        alert = alerts.by_id(connection, int(each.ref))
        if alert is None or not alerts.change(connection, alert.id, response.TROUBLE, **_theirs(alert, actor, now)):
            continue
        kind, to = ("alert assigned", {"to": actor.key}) if _only_given(alert) else ("alert acked", {})
        told = {"taken_from": each.who, "handoff": str(found.id), **to}
        journal.record(connection, actor=actor, kind=kind, object=f"alert:{alert.id}", outcome="done", at=now, **told)
        escalations.look(connection, alert.group_id, now)
        response.show(connection, [alert], now, urgency=1)


def _only_given(alert: Alert) -> bool:
    """Nobody was on it, and nobody needs to be: whoever accepts has it on the list, and is at work on nothing."""
    return alert.acked_by is None and not alert.important


def _theirs(alert: Alert, actor: Actor, now: datetime) -> dict[str, Any]:
    if _only_given(alert):
        return {"assigned_to": actor.key, "seen_by": actor.key, "updated_at": now}
    return {"state": "acked", "acked_by": actor.key, "acked_at": now, "seen_by": actor.key, "updated_at": now,
            "assigned_to": None}
