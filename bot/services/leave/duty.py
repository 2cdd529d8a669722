"""Who may be reached at an instant, which side has the duty, and who is called in which order."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.leave import hours
from bot.services.rota import planning, roster
from bot.store import shifts

SIDES = ("own", "partner")              # in this order they have the duty when no coverage says otherwise
CALLED = ("engineer", "lead")           # in this order they are called then
ROLES, FALLBACK = ("primary", "secondary"), "fallback"
SOON = timedelta(days=2)                # the next shift of a team that has not the duty begins within it, or the plan says who


@dataclass(frozen=True, slots=True)
class Callee:
    """Somebody who is called, and as what: primary, secondary, lead, other side, fallback."""

    person: str
    role: str


def in_blackout(config: Config, organisation: str, at: datetime) -> datetime | None:
    """When the blackout ends in which that organisation's people are at this instant, in UTC; None: they may be reached."""
    found = config.organisations.get(organisation)
    return hours.until(found.blackout, found.timezone, at) if found and found.blackout else None


def asleep(config: Config, person: str, at: datetime) -> datetime | None:
    """When that person may be reached again, in UTC; None: now, or nobody is called so."""
    found = config.people.get(person)
    return in_blackout(config, found.organisation, at) if found else None


def side_on_duty(config: Config, at: datetime, service: str | None = None) -> str | None:
    """The organisation that has the duty of a service (of the first coverage, without one); None: all are in blackout."""
    if coverage := coverage_of(config, service):
        planned = planning.stretch_at(config, coverage, at).organisation
        if in_blackout(config, planned, at) is None:
            return planned
    return next((name for name in _sides(config) if in_blackout(config, name, at) is None and _called(config, name)), None)


def coverage_of(config: Config, service: str | None) -> str | None:
    """The coverage of a service; without a service, the first there is."""
    return planning.coverage_of(config, service) if service is not None else next(iter(config.coverages), None)


def on_call(connection: sa.Connection, config: Config, at: datetime, service: str | None = None) -> list[str]:
    """Who is called about a service, in this order; never anybody in blackout."""
    return list(dict.fromkeys(each.person for each in callees(connection, config, at, service)))


def callees(connection: sa.Connection, config: Config, at: datetime, service: str | None = None) -> list[Callee]:
    """Who is called in which order, each once: the duty's primary and secondary, its lead, the other side, the fallback."""
    return [each for each in standing(connection, config, at, service) if asleep(config, each.person, at) is None]


def standing(connection: sa.Connection, config: Config, at: datetime, service: str | None = None) -> list[Callee]:
    """The same, with those whom their blackout keeps from being called."""
    coverage = coverage_of(config, service)
    if coverage is None:
        side = side_on_duty(config, at)
        found = [Callee(key, "primary" if number == 0 else "secondary")
                 for number, key in enumerate(_called(config, side) if side else [])]
    else:
        found = list(_rota(connection, config, coverage, at))
    gone = shifts.leavers(connection) if found else frozenset()
    away = {each.person for each in shifts.absences(connection, at, at + planning.MOMENT)} if found else set()
    first: dict[str, Callee] = {}
    for each in found:
        here = each.person not in away or each.role == FALLBACK         # the last of all is called wherever they are
        if here and each.person not in gone and roster.employed(config, each.person, at):
            first.setdefault(each.person, each)
    return list(first.values())


def _rota(connection: sa.Connection, config: Config, coverage: str, at: datetime) -> Iterator[Callee]:
    stretch = planning.stretch_at(config, coverage, at)
    for slot in roster.at(connection, config, coverage, at):
        if slot.person:
            yield Callee(slot.person, slot.role)
    yield Callee(config.teams[stretch.team].lead, "lead")
    for name, team in config.teams.items():
        if team.organisation != stretch.organisation:
            yield from (Callee(key, "other side") for key in _turns(connection, config, coverage, name, at))
            yield Callee(team.lead, "other side")
    yield Callee(config.coverages[coverage].fallback, FALLBACK)


def _turns(connection: sa.Connection, config: Config, coverage: str, team: str, at: datetime) -> Iterator[str]:
    """Who of a team that has not the duty: whoever has its next shift of each role, else whose turn it would be."""
    soon = roster.slots(connection, config, coverage, at, at + SOON)
    for role in ROLES:
        held = [each.person for each in soon if (each.team, each.role) == (team, role) and each.person]
        planned = planning.turns(config, coverage, team, role, at, at + planning.MOMENT)
        yield from held[:1] or [each.person for each in planned]


def _sides(config: Config) -> Iterator[str]:
    for kind in SIDES:
        yield from (name for name, organisation in config.organisations.items() if organisation.kind == kind)


def _called(config: Config, organisation: str) -> list[str]:
    people = {key: person for key, person in config.people.items() if person.organisation == organisation}
    return list(dict.fromkeys(key for role in CALLED for key, person in people.items() if role in person.roles))
