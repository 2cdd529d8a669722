"""Since when the company knows of an incident: set once, by the journal; a change has a reason and stands in the journal."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.incident import clocks, ground
from bot.store import incidents
from bot.store.incidents import Incident
from bot.store.journal import journal

SAY_WHY = "Say why: `{command} incident aware {id} 02:14 <reason>`. Limits count from it, so the journal keeps both."
ALREADY = "{name} is known since {at} already."
FIRST = "Somebody else changed it meanwhile: see `{command} incident show {id}`."

ACKED = "alert acked"


def first(
    connection: sa.Connection, config: Config, alert_ids: Iterable[int], declared_at: datetime, by: str
) -> tuple[datetime, str]:
    """The first acknowledgement by one of the owner's people, or the declaration, whichever was first.

    A declaration by the partner's people is their confirmed escalation: a person says that it is an incident.
    """
    own = [key for key, each in config.organisations.items() if each.kind == "own"]
    entry = journal.c
    mine = (
        entry.object.in_([f"alert:{each}" for each in alert_ids]), entry.kind == ACKED, entry.outcome == "done",
        entry.organisation.in_(own), entry.actor.in_(list(config.people)),
    )
    row = connection.execute(sa.select(entry.at, entry.actor).where(*mine).order_by(entry.at, entry.id).limit(1)).first()
    return (row.at, row.actor) if row is not None and row.at < declared_at else (declared_at, by)


def change(desk: Desk, incident: Incident, actor: Actor, at: datetime, why: str) -> Incident:
    """Corrects it; what is owed moves with it. Raises Refused without a reason, and for the partner's people."""
    ground.may_write(desk, actor)
    ground.is_own(desk, actor, "incident aware")
    reason, now = ground.text(why), desk.clock.now()
    if not reason:
        raise Refused(SAY_WHY.format(command=desk.config.command, id=incident.id))
    if at == incident.aware_at:
        raise Refused(ALREADY.format(name=incident.name.capitalize(), at=ground.when(desk.config, at)))
    with desk.begin("incident aware") as connection:
        if not incidents.change(connection, incident, aware_at=at, aware_by=actor.key):
            raise Refused(FIRST.format(command=desk.config.command, id=incident.id))
        before = incident.aware_at.isoformat() if incident.aware_at else None
        ground.note(connection, actor, incident, "incident aware changed", now, before=before, after=at.isoformat(),
                    reason=reason)
        found = incidents.by_id(connection, incident.id) or incident
        clocks.renew(connection, desk.config, found, now)
        ground.show(connection, found, now)
    return found
