"""An incident that lasts although its alerts have recovered: since when, and the line that ends it then."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import TROUBLE
from bot.store import alerts, incidents
from bot.store.incidents import Incident

END = "`{command} incident end {id} {typed}`"
TYPED, ROUND_UP = "%d/%m %H:%M", timedelta(seconds=59)


def recovered_at(connection: sa.Connection, incident: Incident) -> datetime | None:
    """When the last of its alerts recovered; None while one of them is in trouble, and when it is over."""
    found = [alerts.by_id(connection, each) for each in incidents.alerts_of(connection, incident.id)]
    known = [each for each in found if each is not None]
    if incident.ended_at is not None or not known or any(each.state in TROUBLE for each in known):
        return None
    at = max(each.recovered_at or each.closed_at or each.updated_at for each in known)
    return at if at >= incident.began_at else None


def line(config: Config, incident: Incident, organisation: str, at: datetime) -> str:
    """`/vigie incident end 3 22/11 02:31`, by the clocks of whoever types it."""
    zone = ZoneInfo(config.organisations[organisation].timezone)
    return END.format(command=config.command, id=incident.id, typed=f"{(at + ROUND_UP).astimezone(zone):{TYPED}}")
