"""Hands a text about an incident over as a file: in the thread of its alert's card, else in its channel. Kept as a row."""

from datetime import datetime

import sqlalchemy as sa

from bot.services.desk import Actor
from bot.services.incident import ground
from bot.store import alerts, cards, incidents
from bot.store.incidents import Incident

TITLE = "{what} of {name}, {at:%d %b %Y %H:%M:%S} UTC"


def post(
    connection: sa.Connection, incident: Incident, actor: Actor, what: str, name: str, content: str, said: str, now: datetime
) -> None:
    """Once for each kind and second. What it says is masked before it comes here."""
    members = [found for each in incidents.alerts_of(connection, incident.id) if (found := alerts.by_id(connection, each))]
    group = next((each.group_id for each in members if cards.by_key(connection, f"card:{each.group_id}")), None)
    key = f"paper:{incident.ref}:{name}:{int(now.timestamp())}"
    title = TITLE.format(what=what, name=incident.name, at=now)
    cards.add_paper(connection, key, incident.channel, group, (name, title, said, content), now)
    ground.note(connection, actor, incident, "incident paper", now, what=name)
