"""Which service did not do its work, from when to when, and how badly: said by people, said anew where they erred."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.incident import ground
from bot.store import incidents
from bot.store.incidents import Impact, Incident

UNKNOWN_SERVICE = "There is no service {given}; vigie.yaml has {known}."
BACKWARDS = "It would end at {end} and begin at {start}: say the earlier time first."
NO_SHARE = "\"{given}\" is no share of failed requests: say 30%, 0.3 or 1; without one, all of them failed."
HUNDRED = 100


def share_of(given: str) -> float:
    """30%, 0.3 or 1; raises Refused."""
    try:
        value = float(given.rstrip("%").replace(",", ".")) / (HUNDRED if given.endswith("%") else 1)
    except ValueError:
        value = -1
    if not 0 < value <= 1:
        raise Refused(NO_SHARE.format(given=given[:20]))
    return value


def say(
    desk: Desk, incident: Incident, actor: Actor, service: str, start: datetime, end: datetime | None, share: float = 1.0
) -> Impact:
    """One stretch; it takes the place of what was said of that service for the same time. Raises Refused."""
    ground.may_write(desk, actor)
    if service not in desk.config.services:
        raise Refused(UNKNOWN_SERVICE.format(given=service[:40], known=", ".join(desk.config.services)))
    if end is not None and end <= start:
        raise Refused(BACKWARDS.format(start=ground.when(desk.config, start), end=ground.when(desk.config, end)))
    now = desk.clock.now()
    with desk.begin("incident impact") as connection:
        known = [each for each in incidents.impacts(connection, incident.id) if each.service == service]
        replaced = [each.id for each in known if _touch(each, start, end)]
        incidents.withdraw_impacts(connection, replaced, now)
        made = add(connection, incident, actor, service, start, end, share, now)
        ground.note(connection, actor, incident, "incident impact", now, service=service, start=start.isoformat(),
                    end=end.isoformat() if end else None, share=share, instead_of=replaced or None)
        ground.show(connection, incident, now)
    return made


def add(
    connection: sa.Connection, incident: Incident, actor: Actor, service: str, start: datetime, end: datetime | None,
    share: float, now: datetime,
) -> Impact:
    number = incidents.add_impact(connection, incident_id=incident.id, service=service, start=start, end=end, share=share,
                                  said_by=actor.key, said_at=now)
    return Impact(number, incident.id, service, start, end, share, actor.key, now, None)


def end_all(connection: sa.Connection, incident: Incident, actor: Actor, at: datetime, now: datetime) -> int:
    """What still lasts is over; one that would end before it began is withdrawn."""
    lasting = [each for each in incidents.impacts(connection, incident.id) if each.end is None]
    incidents.withdraw_impacts(connection, [each.id for each in lasting], now)
    for each in lasting:
        if each.start < at:
            add(connection, incident, actor, each.service, each.start, at, each.share, now)
    return len(lasting)


def down_s(impacts: Iterable[Impact], until: datetime, services: Iterable[str] | None = None) -> float:
    """Seconds in which at least one of these services did not do its work; what overlaps counts once."""
    wanted = None if services is None else set(services)
    spans = sorted((each.start, each.end or until) for each in impacts if wanted is None or each.service in wanted)
    total, last = 0.0, None
    for start, end in spans:
        begin = start if last is None else max(start, last)
        total += max(0.0, (end - begin).total_seconds())
        last = end if last is None else max(last, end)
    return total


def _touch(each: Impact, start: datetime, end: datetime | None) -> bool:
    return (end is None or each.start < end) and (each.end is None or start < each.end)
