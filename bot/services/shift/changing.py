"""A shift is given to somebody else: what was published is superseded, never edited, and whoever it moves is told."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.masking import mask_text
from bot.services.desk import Actor, Desk
from bot.services.ledger import journal
from bot.services.rota import moments, planning, roster, telling
from bot.services.rota.planning import Stretch
from bot.services.rota.roster import Slot
from bot.services.worktime import lawful
from bot.store import shifts
from bot.store.shifts import Shift

LEAD_MAY_WITHIN = timedelta(hours=24)
LONGEST_REASON = 300

MEANWHILE = "Somebody changed these shifts just now: look at `{command} oncall week` and say it again if it is still wanted."
OVER = "That time is over: what was cannot be changed."
NOT_THEIRS = "From {at} on {side} has the duty of {coverage}: each company changes its own shifts only."
NO_SUCH_ROLE = "There is no {role} of {coverage} {when}: one person is enough then."
NOT_YOURS = "Only {who} may change shifts of {side}: a rota_admin at any time, the lead of the team within 24 h."
SOMEBODY = "a rota_admin of {side}"
OTHER_COMPANY = "{who} is of {side}: shifts of {own} are for its own people."
GONE = "{who} has left, or will have by then."
IS_AWAY = "{who} is away then."
ALREADY = "{who} has that already."
TWICE = "{who} is {role} of {coverage} then: one person cannot be two. Give that to somebody else first."
YOURS = "📅 Yours now: {slot}. {by} changed it{reason}."
NOT_ANY_MORE = "📅 No longer yours: {slot}. {then} {by} changed it{reason}."
HAS_IT, NOBODY_HAS_IT = "{who} has it.", "Nobody has it yet."
REASON = ": {reason}"


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody, or nobody, has a role from `start` to `end` instead of whoever has it."""

    coverage: str
    role: str
    start: datetime
    end: datetime
    person: str | None
    source: str                     # override, swap, away, leaver
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """What a change does: who gains which slots, who loses them."""

    gains: Mapping[str, Sequence[Slot]]
    losses: Mapping[str, Sequence[Slot]]


def override(desk: Desk, actor: Actor, wanted: Change, waived: str | None = None) -> list[Finding]:
    """A person replaces another; returns what the rules remark. Raises Refused."""
    now = desk.clock.now()
    with desk.begin("override") as connection:
        shifts.one_by_one(connection)
        reason = mask_text(wanted.reason or "")[:LONGEST_REASON] or None
        wanted = replace(wanted, start=max(wanted.start, now), reason=reason)
        allow(desk.config, connection, actor, wanted, now)
        findings = examine(connection, desk.config, [wanted], now)
        told = lawful.require(connection, desk.config, findings, actor, waived, now)
        put(desk, connection, [wanted], actor, now, findings)
    return told


def allow(config: Config, connection: sa.Connection, actor: Actor, wanted: Change, now: datetime) -> None:
    """Raises Refused unless the actor may change that time, of the own company and for one of its people."""
    if wanted.end <= now:
        raise Refused(OVER)
    stretches = planning.stretches(config, wanted.coverage, wanted.start, wanted.end)
    foreign = next((each for each in stretches if each.organisation != actor.organisation), None)
    if foreign:
        at = moments.shown(foreign.start, config.organisations[actor.organisation].timezone)
        raise Refused(NOT_THEIRS.format(at=at, side=_side(config, foreign.organisation), coverage=wanted.coverage))
    if not any(_may(config, actor, each.team, wanted.start, now) for each in stretches):
        raise Refused(_not_yours(config, actor.organisation))
    if wanted.person:
        of_own(config, connection, actor.organisation, wanted.person, wanted)
        slots = slots_of(connection, config, wanted)
        if slots and all(each.person == wanted.person for each in slots):
            raise Refused(ALREADY.format(who=config.people[wanted.person].name))


def _one_at_a_time(connection: sa.Connection, config: Config, changes: Sequence[Change]) -> None:
    """Raises Refused where somebody would have two roles at once; what these changes take from them does not count."""
    for wanted in changes:
        slots = roster.of_person(connection, config, wanted.person, wanted.start, wanted.end) if wanted.person else []
        for slot in slots:
            kept = not any(each.person != slot.person and _within(slot, each) for each in changes)
            if kept and (slot.coverage, slot.role) != (wanted.coverage, wanted.role):
                raise Refused(TWICE.format(who=config.people[slot.person or ""].name, role=slot.role, coverage=slot.coverage))


def _may(config: Config, actor: Actor, team: str, start: datetime, now: datetime) -> bool:
    """A rota_admin at any time; the lead of the team when it begins within a day."""
    leads = config.teams[team].lead == actor.key and start - now <= LEAD_MAY_WITHIN
    return "rota_admin" in actor.roles or leads


def of_own(config: Config, connection: sa.Connection, organisation: str, person: str, then: Change | Shift) -> None:
    """Raises Refused unless somebody is of that company, still will be, and is not away then."""
    found = config.people[person]
    if found.organisation != organisation:
        side, own = _side(config, found.organisation), _side(config, organisation)
        raise Refused(OTHER_COMPANY.format(who=found.name, side=side, own=own))
    if person in shifts.leavers(connection) or not roster.employed(config, person, then.end):
        raise Refused(GONE.format(who=found.name))
    if any(each.person == person for each in shifts.absences(connection, then.start, then.end)):
        raise Refused(IS_AWAY.format(who=found.name))


def _not_yours(config: Config, organisation: str) -> str:
    admins = [key for key, each in config.people.items() if each.organisation == organisation and "rota_admin" in each.roles]
    side = _side(config, organisation)
    return NOT_YOURS.format(who=telling.names(config, admins) or SOMEBODY.format(side=side), side=side)


def _side(config: Config, organisation: str) -> str:
    return config.organisations[organisation].name


# --- what the rules say of it -----------------------------------------------------------------------------------------------


def examine(connection: sa.Connection, config: Config, changes: Sequence[Change], now: datetime) -> list[Finding]:
    """What the rules say of these changes together, as far as they newly cause it; raises Refused for what cannot be at all."""
    _one_at_a_time(connection, config, changes)
    moved = moves(connection, config, changes)
    reason = next((each.reason for each in changes if each.reason), None)
    return lawful.of_change(connection, config, moved.gains, moved.losses, now, reason)


def moves(connection: sa.Connection, config: Config, changes: Sequence[Change]) -> Moved:
    gains, losses = defaultdict[str, list[Slot]](list), defaultdict[str, list[Slot]](list)
    for each in changes:
        for slot in slots_of(connection, config, each):
            if slot.person and slot.person != each.person:
                losses[slot.person].append(slot)
        for stretch in _stretches(config, each):
            if each.person:
                gains[each.person].append(_slot(stretch, each))
    return Moved(gains, losses)


def to(change: Change, person: str | None) -> Change:
    """The same, for somebody else."""
    return replace(change, person=person)


def slots_of(connection: sa.Connection, config: Config, change: Change) -> list[Slot]:
    found = roster.slots(connection, config, change.coverage, change.start, change.end)
    return [each for each in found if each.role == change.role]


def _stretches(config: Config, change: Change) -> list[Stretch]:
    found = planning.stretches(config, change.coverage, change.start, change.end)
    return [each for each in found if change.role in each.roles]


def _slot(stretch: Stretch, change: Change) -> Slot:
    return Slot(
        stretch.coverage, stretch.organisation, stretch.team, change.role, stretch.mode, change.person, stretch.start,
        stretch.end, stretch.respond_within,
    )


# --- doing it ---------------------------------------------------------------------------------------------------------------


def put(
    desk: Desk, connection: sa.Connection, changes: Sequence[Change], by: Actor, now: datetime,
    findings: Iterable[Finding] = (), tell: bool = True,
) -> None:
    """All of them in this transaction; what they moved is told and journalled. Raises Refused if somebody was quicker."""
    told = [f"{each.rule} {each.person}: {each.message}" for each in findings]
    moved = moves(connection, desk.config, changes)
    for each in changes:
        numbers = _put(desk, connection, each, by, now)
        journal.record(
            connection, actor=by, kind="shift changed", object=f"shift:{numbers[0]}", outcome="done", at=now,
            coverage=each.coverage, role=each.role, start=each.start.isoformat(), end=each.end.isoformat(), to=each.person,
            why=each.reason, source=each.source, findings=told or None,
        )
        if tell:
            _tell(desk.config, connection, each, moved, by, now, numbers[0])


def _put(desk: Desk, connection: sa.Connection, change: Change, by: Actor, now: datetime) -> list[int]:
    """What was published is superseded; what remains of it, and what is new, is published. Numbers of the new ones."""
    stretches = _stretches(desk.config, change)
    if not stretches:
        when = moments.between(change.start, change.end, desk.config.organisations[by.organisation].timezone)
        raise Refused(NO_SUCH_ROLE.format(role=change.role, coverage=change.coverage, when=when))
    teams = {each.team for each in stretches}
    published = shifts.published(connection, change.coverage, change.start, change.end)
    known = [each for each in published if each.role == change.role and each.team in teams]
    if shifts.supersede(connection, [each.id for each in known], now) != len(known):
        raise Refused(MEANWHILE.format(command=desk.config.command))
    shifts.add(connection, [left for each in known for left in _remains(each, change)])
    version = max((each.version for each in known), default=0) + 1
    return [shifts.add_one(connection, _row(each, change, by, now, version)) for each in stretches]


def _remains(shift: Shift, change: Change) -> list[dict[str, Any]]:
    """What is left of a shift before and after the change: as it was published, so that its notice counts from then."""
    parts = ((shift.start, min(shift.end, change.start)), (max(shift.start, change.end), shift.end))
    same = {
        "coverage": shift.coverage, "organisation": shift.organisation, "team": shift.team, "role": shift.role,
        "mode": shift.mode, "person": shift.person, "source": shift.source, "version": shift.version + 1,
        "published_at": shift.published_at, "published_by": shift.published_by, "reason": shift.reason,
    }
    return [{**same, "start": start, "end": end} for start, end in parts if start < end]


def _row(stretch: Stretch, change: Change, by: Actor, now: datetime, version: int) -> dict[str, Any]:
    return {
        "coverage": stretch.coverage, "organisation": stretch.organisation, "team": stretch.team, "role": change.role,
        "mode": stretch.mode, "person": change.person, "start": stretch.start, "end": stretch.end, "source": change.source,
        "version": version, "published_at": now, "published_by": by.key, "reason": change.reason,
    }


def _tell(
    config: Config, connection: sa.Connection, change: Change, moved: Moved, by: Actor, now: datetime, number: int
) -> None:
    """Whoever gained or lost something by another's hand; once, and not in their blackout."""
    reason = REASON.format(reason=change.reason) if change.reason else ""
    then = HAS_IT.format(who=config.people[change.person].name) if change.person else NOBODY_HAS_IT
    losers = [each for each, slots in moved.losses.items() if any(_within(slot, change) for slot in slots)]
    words = [(change.person, YOURS), *((each, NOT_ANY_MORE) for each in losers)]
    for person, said in words:
        if person and person != by.key:
            slot = telling.span(config, person, change.role, change.coverage, change.start, change.end)
            text = said.format(slot=slot, by=by.name, reason=reason, then=then)
            telling.tell(connection, config, person, f"moved:{number}:{person}", text, now)


def _within(slot: Slot, change: Change) -> bool:
    same = (slot.coverage, slot.role) == (change.coverage, change.role)
    return same and slot.start < change.end and slot.end > change.start
