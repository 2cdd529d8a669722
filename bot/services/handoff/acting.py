"""What all that people do about a handoff share: who may, the journal's line, and the note made anew."""

from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert.response import called, clock_time
from bot.services.desk import Actor, Desk
from bot.services.handoff import gathering, telling, upcoming
from bot.services.handoff.note import written
from bot.services.leave import authority
from bot.services.ledger import journal
from bot.store import handoffs
from bot.store.handoffs import Handoff

LIVE = (*handoffs.OPEN, "missed")
VERB = "handoff"


def demand(desk: Desk, found: Handoff, actor: Actor, team: str, refusal: str, who: str | None = None) -> None:
    """Raises Refused unless the actor works for the company of that team, and may act."""
    config = desk.config
    authority.require(config, actor, VERB, "act")
    if actor.organisation != config.teams[team].organisation:
        side = config.organisations[config.teams[team].organisation].name
        raise Refused(refusal.format(
            giver=side, taker=side, at=clock_time(found.boundary), who=called(desk, who or config.teams[team].lead),
        ))


def record(
    connection: sa.Connection, found: Handoff, actor: Actor, kind: str, now: datetime, **details: str | None
) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"handoff:{found.id}", outcome="done", at=now, **details)


def redrawn(desk: Desk, connection: sa.Connection, found: Handoff, now: datetime) -> Handoff:
    """The note is made anew, and the card shows it; an accepted one stays as it was."""
    current = handoffs.by_id(connection, found.id) or found
    if current.state != "accepted":
        note = gathering.gather(desk, connection, current, upcoming.times(desk.config, current), now)
        handoffs.change(connection, found.id, LIVE, note=written(note))
    if current.state != "planned":
        telling.show(connection, current, now)
    return current
