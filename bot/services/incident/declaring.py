"""An incident's life: declared about an alert, described, ended; each change is a line of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert.response import called, headline, show
from bot.services.desk import Actor, Desk
from bot.services.incident import awareness, bank_api, clocks, ground, impact
from bot.services.ledger import journal
from bot.store import alerts, cards, groups, incidents
from bot.store.alerts import Alert
from bot.store.incidents import KINDS, Incident

ALREADY = (
    "{alert} is of {name} already, declared by {who} at {at}. Another alert joins it by `{command} incident add {id} <alert>`."
)
NO_KIND = "\"{given}\" is no kind of incident: say {known}."
NO_FINDER = "found \"{given}\" is none of those whom the report asks for: say {known}."
LATER_THAN_SEEN = "It cannot have begun at {at}, after it was detected ({detected})."
ALREADY_OVER = "{name} is over since {at} already."
BEFORE_IT_BEGAN = "{name} began at {began}: it cannot have ended at {at}."
NO_CAUSE = "Say the root cause in a word or two, as you would say it again: `{command} incident cause {id} nat-gateway`."
NO_PARTY = "Say whom it came from: `{command} incident third-party {id} <name>`, or `none`."
KNOWN = "#{alert} is of {name} already."
FIRST = "Somebody else changed {name} meanwhile: see `{command} incident show {id}`."

OUTAGE, NONE, LONGEST_TAG = "outage", "none", 60
MONITORING = "monitoring systems"
FOUND_BY = (MONITORING, "clients", "third-party provider", "staff", "internal audit", "other")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is said with a declaration; None: as the alert has it."""

    kind: str | None = None
    title: str = ""
    began_at: datetime | None = None
    found_by: str = MONITORING
    drill: bool = False


def kind_of(given: str) -> str:
    """Raises Refused with the kinds there are."""
    kind = given.lower().replace("-", "_")
    if kind not in KINDS:
        raise Refused(NO_KIND.format(given=given[:20], known=", ".join(KINDS)))
    return kind


def found_by(given: str) -> str:
    """Raises Refused with those that the template of the report knows."""
    name = " ".join(given.lower().replace("-", " ").split())
    known = {each.replace("-", " "): each for each in FOUND_BY}
    if name not in known:
        raise Refused(NO_FINDER.format(given=given[:20], known=", ".join(FOUND_BY)))
    return known[name]


def declare(desk: Desk, alert: Alert, actor: Actor, wish: Wish) -> Incident:
    """One incident about an alert and all that share its card; raises Refused when there is one that is not over."""
    ground.may_write(desk, actor)
    now = desk.clock.now()
    with desk.begin("incident declare") as connection:
        members = groups.hold_members(connection, alert.group_id)       # two who declare at once: one wins
        numbers = [each.id for each in members]
        known = incidents.of_alert(connection, numbers, still=True)
        if known is not None:
            raise Refused(_already(desk, alert, known))
        made = incidents.add(connection, **_row(desk, connection, alert, members, actor, wish, now))
        incidents.add_alerts(connection, made.id, numbers, now)
        ground.note(connection, actor, made, "incident declared", now, kind_=made.kind, title=made.title, service=made.service,
                    alerts=numbers, began=made.began_at.isoformat(), drill=made.drill or None)
        _tell_alerts(connection, actor, made, members, now)
        if made.kind == OUTAGE:
            impact.add(connection, made, actor, made.service, made.began_at, None, 1.0, now)
        clocks.renew(connection, desk.config, made, now)
        ground.show(connection, made, now)
    return made


def _row(
    desk: Desk, connection: sa.Connection, alert: Alert, members: Sequence[Alert], actor: Actor, wish: Wish, now: datetime
) -> dict[str, object]:
    detected = min(each.opened_at for each in members)
    began = wish.began_at or min(detected, *(each.since for each in members))
    if began > detected:
        raise Refused(LATER_THAN_SEEN.format(
            at=ground.when(desk.config, began), detected=ground.when(desk.config, detected)))
    aware_at, aware_by = awareness.first(connection, desk.config, [each.id for each in members], now, actor.key)
    card = cards.by_key(connection, f"card:{alert.group_id}")
    return {
        "title": ground.text(wish.title) or ground.text(headline(alert)), "service": alert.service,
        "kind": wish.kind or (bank_api.KIND if bank_api.is_about(desk.config, connection, alert) else OUTAGE),
        "channel": card.channel if card else desk.config.channel_of(alert.service),
        "began_at": began, "detected_at": detected, "found_by": wish.found_by, "aware_at": aware_at, "aware_by": aware_by,
        "ended_at": None, "cause": None, "third_party": None, "drill": wish.drill, "declared_by": actor.key, "declared_at": now,
    }


def _already(desk: Desk, alert: Alert, known: Incident) -> str:
    return ALREADY.format(alert=alert.name, name=known.name, who=called(desk, known.declared_by), id=known.id,
                          at=ground.when(desk.config, known.declared_at), command=desk.config.command)


def _tell_alerts(
    connection: sa.Connection, actor: Actor, incident: Incident, members: Sequence[Alert], now: datetime
) -> None:
    for each in members:
        journal.record(connection, actor=actor, kind="alert in incident", object=f"alert:{each.id}", outcome="done", at=now,
                       incident=incident.id)
    show(connection, members[:1], now, urgency=1)


def add(desk: Desk, incident: Incident, actor: Actor, alert: Alert) -> list[int]:
    """Another alert, and what shares its card, is of this incident too."""
    ground.may_write(desk, actor)
    now = desk.clock.now()
    with desk.begin("incident add") as connection:
        members = alerts.of_group(connection, alert.group_id)
        new = incidents.add_alerts(connection, incident.id, [each.id for each in members], now)
        if not new:
            raise Refused(KNOWN.format(alert=alert.id, name=incident.name))
        ground.note(connection, actor, incident, "incident alert added", now, alerts=new)
        _tell_alerts(connection, actor, incident, [each for each in members if each.id in new], now)
        ground.show(connection, incident, now)
    return new


def end(desk: Desk, incident: Incident, actor: Actor, at: datetime) -> Incident:
    """Regular activity is recovered: what still lasted of its impact ends then."""
    config = desk.config
    if incident.ended_at is not None:
        raise Refused(ALREADY_OVER.format(name=incident.name.capitalize(), at=ground.when(config, incident.ended_at)))
    if at < incident.began_at:
        began, given = ground.when(config, incident.began_at), ground.when(config, at)
        raise Refused(BEFORE_IT_BEGAN.format(name=incident.name.capitalize(), began=began, at=given))
    now = desk.clock.now()
    ground.may_write(desk, actor)
    with desk.begin("incident end") as connection:
        _change(desk, connection, incident, ended_at=at)
        impact.end_all(connection, incident, actor, at, now)
        ground.note(connection, actor, incident, "incident ended", now, ended=at.isoformat())
        return _after(desk, connection, incident, now)


def cause(desk: Desk, incident: Incident, actor: Actor, given: str) -> Incident:
    """The root cause as a tag: by it recurring incidents are found."""
    tag = ground.text(given, LONGEST_TAG)
    if not tag:
        raise Refused(NO_CAUSE.format(command=desk.config.command, id=incident.id))
    return _set(desk, incident, actor, "incident cause", cause=tag)


def third_party(desk: Desk, incident: Incident, actor: Actor, given: str) -> Incident:
    """Whom it came from: a provider, a bank; none takes it back."""
    who = ground.text(given, LONGEST_TAG)
    if not who:
        raise Refused(NO_PARTY.format(command=desk.config.command, id=incident.id))
    return _set(desk, incident, actor, "incident third party", third_party=None if who.lower() == NONE else who)


def _set(desk: Desk, incident: Incident, actor: Actor, kind: str, **values: str | None) -> Incident:
    ground.may_write(desk, actor)
    now = desk.clock.now()
    with desk.begin(kind) as connection:
        _change(desk, connection, incident, **values)
        before = {f"{name}_before": getattr(incident, name) for name in values}
        ground.note(connection, actor, incident, kind, now, **values, **before)
        return _after(desk, connection, incident, now)


def _change(desk: Desk, connection: sa.Connection, incident: Incident, **values: datetime | str | None) -> None:
    if not incidents.change(connection, incident, **values):
        raise Refused(FIRST.format(name=incident.name, command=desk.config.command, id=incident.id))


def _after(desk: Desk, connection: sa.Connection, incident: Incident, now: datetime) -> Incident:
    found = incidents.by_id(connection, incident.id) or incident
    clocks.renew(connection, desk.config, found, now)
    ground.show(connection, found, now)
    return found
