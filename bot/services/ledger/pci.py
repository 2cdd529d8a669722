"""Evidence for PCI DSS from a month's facts, the journal and vigie.yaml: the lists that `requirements` names."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Facts, Slot
from bot.services.leave.authority import ROLES, may
from bot.services.ledger.requirements import EVIDENCE, Evidence
from bot.store import shifts
from bot.store.journal import journal

IDLE = timedelta(days=90)
MINUTE_S, HOUR_S, HUNDRED, MOST = 60, 3_600, 100, 20_000
NEVER, ALL, ALWAYS, GAP, YES, NOT_WHOLE, NOT_LOOKED_AT = "never", "all", "always", "GAP", "yes", "NO", "not looked at whole"
ON_DUTY, RUN_BY, PROMISE, REPORTS, THE_REST = (
    "on duty: {coverage}, {role}", "run by {clause}: {runbooks}", "promise: {name}", "reports to the authority",
    "all that no line above names",
)
CONTROLS = ("call missing", "vigie stopped", "vigie started", "coverage gap found", "coverage gap ended")
EXCEPTIONS = (
    "glass broken", "glass called", "glass reviewed", "rule breached", "rule waived", "command refused", "automation stopped",
    "automation resumed", "runbook promoted", "runbook demoted", "mandate confirmed", "mandate withdrawn", "call missing",
    "coverage gap found", "incident declared", "notice sent",
)
INCOMPLETE = "(lacks who, what, when, outcome, origin or object)"
OWN_SERVICE = "vigie"

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence."""

    evidence: Evidence
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """What all of it is made from."""

    connection: sa.Connection
    config: Config
    facts: Facts
    now: datetime

    def entries(self, *about: sa.ColumnElement[bool]) -> Iterator[Row]:
        """Lines of the month's journal."""
        row, month = journal.c, self.facts.month
        query = sa.select(row.at, row.actor, row.kind, row.object, row.origin, row.details)
        query = query.where(row.at >= month.start, row.at < month.until, *about).order_by(row.id).limit(MOST)
        for each in self.connection.execute(query):
            yield _iso(each.at), each.actor, each.kind, each.object, each.origin, each.details

    def side(self, key: str) -> str:
        return self.config.organisations[key].name if key in self.config.organisations else key


def items(connection: sa.Connection, config: Config, facts: Facts, now: datetime) -> list[Item]:
    """All of them, in the order of the requirements."""
    ground = Ground(connection, config, facts, now)
    return [Item(each, tuple(LISTS[each.name](ground))) for each in EVIDENCE]


def _masked(ground: Ground) -> Iterator[Row]:
    masked = dict(ground.facts.trail.masked)
    for each in ground.facts.sources:
        yield each.endpoint, each.source, masked.pop(each.endpoint, 0)
    yield from ((endpoint, "", count) for endpoint, count in masked.items())


def _accounts(ground: Ground) -> Iterator[Row]:
    """People of vigie.yaml, what they may do, and when they last did something."""
    config, gone, last = ground.config, shifts.leavers(ground.connection), _last_acts(ground)
    for key, each in config.people.items():
        at = last.get(key)
        levels = ", ".join(level for level in ROLES if may(each.roles, level))
        yield (
            key, each.name, each.organisation, config.organisations[each.organisation].kind, each.slack, ", ".join(each.roles),
            levels, _day(each.starts), _day(each.ends), key in gone, _iso(at) or NEVER, at is None or ground.now - at > IDLE,
        )


def _last_acts(ground: Ground) -> Mapping[str, datetime]:
    row = journal.c
    query = sa.select(row.actor, sa.func.max(row.at).label("at")).where(row.actor.in_(list(ground.config.people)))
    return {each.actor: each.at for each in ground.connection.execute(query.group_by(row.actor))}


def _rights(ground: Ground) -> Iterator[Row]:
    for name, mandate in ground.config.mandates.items():
        for each in mandate.clauses:
            yield (
                name, mandate.organisation, _day(mandate.starts), _day(mandate.ends), each.name, ", ".join(each.runbooks),
                ", ".join(each.services) or ALL, ", ".join(each.hours) or ALWAYS,
                ", ".join(each.second.by) if each.second else "",
            )


def _refused(ground: Ground) -> Iterator[Row]:
    partners = [key for key, each in ground.config.organisations.items() if each.kind == "partner"]
    return ground.entries(journal.c.organisation.in_(partners), journal.c.outcome == "refused")


def _events(ground: Ground) -> Iterator[Row]:
    """Of each kind how many; then those that do not say who, what, when, how it ended, from where, or about what."""
    yield from ground.facts.trail.kinds.items()
    row, month = journal.c, ground.facts.month
    empty = sa.or_(*(sa.or_(each.is_(None), each == "") for each in (row.actor, row.kind, row.outcome, row.origin, row.object)))
    query = sa.select(sa.func.count()).where(row.at >= month.start, row.at < month.until, empty)
    yield INCOMPLETE, ground.connection.execute(query).scalar_one()


def _log(ground: Ground) -> Iterator[Row]:
    trail = ground.facts.trail
    yield "entries of the month", trail.entries
    yield "refused among them", trail.refused
    yield "seals", trail.seals
    yield "whole", NOT_LOOKED_AT if trail.ok is None else YES if trail.ok else NOT_WHOLE
    yield "first entry that is not as it was written", trail.first_bad or ""
    yield "why", trail.why or ""
    yield "newest seal", trail.head or ""
    oldest = sa.select(journal.c.at).order_by(journal.c.id).limit(1)
    yield "oldest entry that is kept", _iso(ground.connection.execute(oldest).scalar())
    yield from _sealed(ground)


def _sealed(ground: Ground) -> Iterator[Row]:
    yield "days of the month", len(ground.facts.month.days())
    yield "days on which the log was sealed", ground.facts.trail.days_sealed


def _exceptions(ground: Ground) -> Iterator[Row]:
    return ground.entries(journal.c.kind.in_(EXCEPTIONS))


def _reviews(ground: Ground) -> Iterator[Row]:
    yield from _sealed(ground)
    yield "handoffs accepted by name", sum(each.accepted_by is not None for each in ground.facts.handoffs)


def _failures(ground: Ground) -> list[Row]:
    """Vigie's own alerts with how long they lasted, and what its watchers found."""
    rows: list[Row] = [
        (_iso(each.opened_at), _iso(each.resolved_at), _minutes(each.opened_at, each.resolved_at), each.title,
         each.closed_by or "", f"alert {each.alert}")
        for each in ground.facts.groups if each.service == OWN_SERVICE
    ]
    found = ground.entries(journal.c.kind.in_(CONTROLS))
    rows += [(at, "", "", kind, person, about) for at, person, kind, about, _, _ in found]
    return sorted(rows, key=lambda row: str(row[0]))


def _drills(ground: Ground) -> Iterator[Row]:
    for each in ground.facts.drills:
        yield _iso(each.opened_at), each.service, each.title, f"alert {each.alert}"
    for one in ground.facts.incidents:
        if one.drill:
            yield _iso(one.began_at), one.service, one.title, f"incident {one.id}"


def _slots(ground: Ground) -> Iterator[Slot]:
    """Duty as far as the month has come: what is only planned is no evidence."""
    until = ground.facts.month.until
    return (replace(each, end=min(each.end, until)) for each in ground.facts.slots if each.start < until)


def _coverage(ground: Ground) -> Iterator[Row]:
    """Every minute of the month: who was designated, and where nobody was."""
    minutes: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for each in _slots(ground):
        length = (each.end - each.start).total_seconds() / MINUTE_S
        minutes[each.coverage, each.role][0] += length
        minutes[each.coverage, each.role][1] += length if each.person and each.reachable else 0.0
    for (coverage, role), (whole, covered) in sorted(minutes.items()):
        yield coverage, role, ALL, "", round(whole), round(covered), f"{covered / whole * HUNDRED:.3f}" if whole else ""
    for each in _slots(ground):
        if each.person is None or not each.reachable:
            yield each.coverage, each.role, _iso(each.start), _iso(each.end), _minutes(each.start, each.end), 0, GAP


def _sources(ground: Ground) -> Iterator[Row]:
    strange: defaultdict[str, int] = defaultdict(int)
    for each in ground.facts.groups:
        for source in each.sources:
            strange[source] += not each.recognised
    for one in ground.facts.sources:
        silence = "" if one.longest_silence_s is None else round(one.longest_silence_s)
        yield (one.endpoint, one.source, one.organisation, one.observer, one.signals, one.groups, strange[one.source], silence)


def _lessons(ground: Ground) -> Iterator[Row]:
    for each in ground.facts.decisions:
        yield (each.id, each.month, each.text, each.kind, ground.side(each.side), each.owner or "", _day(each.due), each.state,
               _iso(each.ended_at))


def _responsibilities(ground: Ground) -> Iterator[Row]:
    """Who does what: the owner, the partner, or both."""
    config, month = ground.config, ground.facts.month
    hours: defaultdict[tuple[str, str, str], float] = defaultdict(float)
    for each in _slots(ground):
        hours[each.coverage, each.role, each.organisation] += (each.end - each.start).total_seconds() / HOUR_S
    for (coverage, role, side), length in sorted(hours.items()):
        yield ON_DUTY.format(coverage=coverage, role=role), ground.side(side), f"{length:.1f} h in {month.name}"
    for name, mandate in config.mandates.items():
        for clause in mandate.clauses:
            runbooks = ", ".join(clause.runbooks)
            yield RUN_BY.format(clause=clause.name, runbooks=runbooks), ground.side(mandate.organisation), name
    for level in config.month.service_levels:
        yield PROMISE.format(name=level.name), ground.side(level.organisation), "month.service_levels"
    own = next((key for key, each in config.organisations.items() if each.kind == "own"), "")
    if config.month.regulator:
        yield REPORTS, ground.side(own), config.month.regulator.authority
    yield THE_REST, ground.side(own), ""


LISTS: Mapping[str, Callable[[Ground], Iterable[Row]]] = {
    "masked-card-numbers": _masked, "accounts": _accounts, "rights-of-the-partner": _rights, "partner-refused": _refused,
    "logged-events": _events, "log-integrity": _log, "exceptions": _exceptions, "daily-reviews": _reviews,
    "control-failures": _failures, "drills": _drills, "coverage": _coverage, "alerting-sources": _sources, "lessons": _lessons,
    "responsibilities": _responsibilities,
}


def _iso(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else ""


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _minutes(start: datetime, end: datetime | None) -> str:
    return f"{(end - start).total_seconds() / MINUTE_S:.1f}" if end else ""
