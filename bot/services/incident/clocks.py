"""What is owed about an incident, and until when: brought up to date after each change, in its transaction."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.review.arithmetic import limits
from bot.review.arithmetic.limits import Office
from bot.services.desk import VIGIE
from bot.services.incident import ground
from bot.services.ledger.journal import record
from bot.services.rota import office as hours
from bot.store import incidents, notices
from bot.store.incidents import Classification, Incident
from bot.store.notices import Notice

REPORTS = ("initial", "intermediate", "final")
NOT_MAJOR = "classified as not major"


def office_of(config: Config) -> Office:
    """Whose days off count for limits: those of the platform's owner."""
    side, regulator = config.organisations[ground.own(config)], ground.regulator(config)
    holidays = side.labour.holidays if side.labour else None
    return Office(side.timezone, holidays, regulator.weekend_relief if regulator else False)


def major_since(history: Sequence[Classification]) -> datetime | None:
    """When it was classified as major, and has been ever since; None: it is not major, or nobody has said so."""
    since = None
    for each in history:
        since = (since or each.at) if each.major else None
    return since


def renew(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> None:
    """Opens, moves and ends what is owed. Safe to repeat."""
    if incident.drill:
        return
    if incident.kind == "bank_api_down":
        _once(connection, config, incident, "bank_api", now)
    since = major_since(incidents.classifications(connection, incident.id))
    if since is None:
        for kind in (*REPORTS, "clients"):
            _end(connection, incident, kind, now)
        return
    _once(connection, config, incident, "clients", now)
    known, place = notices.of_incident(connection, incident.id), office_of(config)
    initial, intermediates = _sent(known, "initial"), _sent(known, "intermediate")
    if initial is None:
        _owe(connection, incident, "initial", limits.initial(since, incident.aware_at, place), now)
    elif intermediates is None:
        _owe(connection, incident, "intermediate", limits.intermediate(initial, place), now)
    elif _sent(known, "final") is None:
        _owe(connection, incident, "final", limits.final(intermediates, place), now)
        if incident.ended_at and incident.ended_at > intermediates:     # regular activity is recovered: told without delay
            _owe(connection, incident, "intermediate", None, now)


def _sent(known: Sequence[Notice], kind: str) -> datetime | None:
    """When the newest of that kind was sent."""
    return max((each.sent_at for each in known if each.kind == kind and each.sent_at), default=None)


def _owe(connection: sa.Connection, incident: Incident, kind: str, due_at: datetime | None, now: datetime) -> None:
    """One of a kind is open at a time: its limit moves, and then its reminders begin anew."""
    for each in notices.still_open(connection, incident.id, kind):
        if each.due_at == due_at:
            return
        notices.move(connection, each, ended_at=now, remind_at=None)
        notices.recall(connection, each.id)
    notices.add(connection, incident.id, kind, now, due_at, now)
    _note(connection, incident, "notice owed", kind, now, due=due_at.isoformat() if due_at else None)


def _once(connection: sa.Connection, config: Config, incident: Incident, kind: str, now: datetime) -> None:
    """Owed without a limit of its own: a task of working hours, never of the night."""
    known = [each for each in notices.of_incident(connection, incident.id) if each.kind == kind]
    if all(each.ended_at is not None for each in known):
        notices.add(connection, incident.id, kind, now, None, hours.opens(config, ground.own(config), now))
        _note(connection, incident, "notice owed", kind, now)


def _end(connection: sa.Connection, incident: Incident, kind: str, now: datetime) -> None:
    for each in notices.still_open(connection, incident.id, kind):
        notices.move(connection, each, ended_at=now, remind_at=None)
        notices.recall(connection, each.id)
        _note(connection, incident, "notice ended", kind, now, why=NOT_MAJOR)


def _note(connection: sa.Connection, incident: Incident, what: str, kind: str, now: datetime, **more: str | None) -> None:
    record(connection, actor=VIGIE, kind=what, object=f"incident:{incident.id}", outcome="done", at=now, notice=kind, **more)
