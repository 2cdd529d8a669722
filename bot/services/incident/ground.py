"""What every verb about an incident begins and ends with: which one, who may, the journal's line, its card."""

import re
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.config.months import Regulator
from bot.errors import Refused
from bot.masking import mask_text
from bot.services.desk import Actor, Desk
from bot.services.leave import authority, blackout
from bot.services.ledger import journal
from bot.services.rota import moments
from bot.store import alerts, batch, incidents
from bot.store.incidents import Incident

WHICH = "Which incident? Say its number: `{command} incident {verb} 3`; `{command} incident list` names them."
UNKNOWN = "No incident {ref}. {hint}`{command} incident list` names them; `{command} incident 142` declares one about alert 142."
NONE_YET, NEAREST = "There is none yet. ", "The newest is {newest}. "
OF_NO_INCIDENT = "#{alert} is of no incident. Declare one: `{command} incident {alert}`."
FUTURE = "{at} is not over yet: say when it was."
NOT_OWN = "Only {side}'s people may `{verb}`, for {side} answers to the authority. Ask {who}."
WHOEVER = "one of its leads or managers"

LONGEST = 300
REF = re.compile(r"(?:#|incident)?(\d{1,12})")
WRITE = "incident"


def find(desk: Desk, ref: str | None, verb: str = "show") -> Incident:
    """The incident that 3 or incident3 names; raises Refused with what there is."""
    if not ref:
        raise Refused(WHICH.format(command=desk.config.command, verb=verb))
    with desk.read() as connection:
        return get(connection, desk.config, ref)


def get(connection: sa.Connection, config: Config, ref: str) -> Incident:
    named = REF.fullmatch(ref)
    found = incidents.by_id(connection, int(named[1])) if named else None
    if found is None:
        newest = incidents.newest(connection, 1)
        hint = NEAREST.format(newest=newest[0].name) if newest else NONE_YET
        raise Refused(UNKNOWN.format(ref=ref[:40], hint=hint, command=config.command))
    return found


def of_alert(desk: Desk, alert_id: int) -> Incident:
    """The newest incident of an alert, or of one that shares its card; raises Refused."""
    with desk.read() as connection:
        known = alerts.by_id(connection, alert_id)
        members = alerts.of_group(connection, known.group_id) if known else []
        found = incidents.of_alert(connection, [each.id for each in members] or [alert_id])
    if found is None:
        raise Refused(OF_NO_INCIDENT.format(alert=alert_id, command=desk.config.command))
    return found


def may_write(desk: Desk, actor: Actor, verb: str = WRITE) -> None:
    """Raises Refused, naming who could: looking is for all, telling for those who work on alerts and are awake."""
    authority.require(desk.config, actor, verb, "write")
    blackout.require_awake(desk, actor, verb, "write")


def is_own(desk: Desk, actor: Actor, verb: str) -> None:
    """Raises Refused for the partner's people."""
    config = desk.config
    if config.organisations[actor.organisation].kind != "own":
        known = config.people.get(config.month.regulator.compliance) if config.month.regulator else None
        raise Refused(NOT_OWN.format(side=own_name(config), verb=verb, who=known.name if known else WHOEVER))


def own(config: Config) -> str:
    """The organisation that owns the platform."""
    return next(key for key, each in config.organisations.items() if each.kind == "own")


def own_name(config: Config) -> str:
    return config.organisations[own(config)].name


def regulator(config: Config) -> Regulator | None:
    return config.month.regulator


def past(desk: Desk, words: Sequence[str], actor: Actor) -> tuple[datetime, tuple[str, ...]]:
    """The time in the past that the first words say (02:14, 22/11 02:14), and the rest; raises Refused."""
    zone, now = desk.config.organisations[actor.organisation].timezone, desk.clock.now()
    if words and moments.is_time(words[0]):
        at = now if words[0].lower() == "now" else moments.before(words[0], zone, now)
        return at, tuple(words[1:])
    at, left = moments.take(words, zone, now)
    if at > now:
        raise Refused(FUTURE.format(at=moments.shown(at, zone)))
    return at, left


def when(config: Config, at: datetime) -> str:
    """Sun 22 Nov 02:14 (Paris time): by the clocks of the platform's owner."""
    return f"{shown(config, at)} ({moments.place_of(config.organisations[own(config)].timezone)})"


def shown(config: Config, at: datetime) -> str:
    """The same where the place was told already: Sun 22 Nov 02:14"""
    return moments.shown(at, config.organisations[own(config)].timezone)


def text(given: str, most: int = LONGEST) -> str:
    """What a person wrote, masked, in one line."""
    return mask_text(" ".join(given.split()))[:most]


def note(
    connection: sa.Connection, actor: Actor, incident: Incident, kind: str, now: datetime,
    **details: str | int | float | bool | list[int] | list[str] | None,
) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"incident:{incident.id}", outcome="done", at=now, **details)


def show(connection: sa.Connection, incident: Incident, now: datetime) -> None:
    """Its card is to be drawn anew; a drill has one too, and says so."""
    record = {"key": f"incident:{incident.id}", "kind": "incident", "group_id": None, "channel": incident.channel}
    batch.bump_posts(connection, [{**record, "due_at": now, "urgency": 1}])
