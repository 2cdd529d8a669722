"""Who is on: what was published, the plan where nothing was, less who is away, has left, or is in blackout."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

import sqlalchemy as sa

from bot.config import Config
from bot.services.leave import hours
from bot.services.rota import planning
from bot.services.rota.planning import Stretch
from bot.store import shifts
from bot.store.shifts import Absence, Shift

NOBODY, AWAY, LEFT, IN_BLACKOUT = "nobody", "away", "left", "in_blackout"      # why a slot has no person


@dataclass(frozen=True, slots=True)
class Slot:
    """One role of a coverage from `start` to `end` (UTC): who has it, or why nobody has."""

    coverage: str
    organisation: str
    team: str
    role: str
    mode: str
    person: str | None
    start: datetime
    end: datetime
    respond_within: timedelta
    missing: str | None = None          # nobody, away, left, in_blackout; None: the person has it
    was: str | None = None              # who would have it
    shift: Shift | None = None          # as it was published; None: only planned


def slots(connection: sa.Connection, config: Config, coverage: str, start: datetime, end: datetime) -> list[Slot]:
    """Every role of a coverage over [start, end): each minute is in a slot of each role, sorted by start and role."""
    known = shifts.published(connection, coverage, start, end)
    return fill(config, coverage, start, end, known, shifts.absences(connection, start, end), shifts.leavers(connection))


def fill(
    config: Config, coverage: str, start: datetime, end: datetime, known: Iterable[Shift], absences: Sequence[Absence],
    leavers: frozenset[str],
) -> list[Slot]:
    """The same of what is told: what was published for the coverage, who is away, who has left."""
    by_role = _by_role(known)
    found: list[Slot] = []
    for stretch in planning.stretches(config, coverage, start, end):
        for role in stretch.roles:
            for slot in _filled(config, stretch, role, by_role.get((stretch.team, role), _NONE)):
                for piece in _without_absent(slot, absences):
                    found += _without_sleepers(config, _without_leavers(config, piece, leavers))
    return sorted(found, key=lambda each: (each.start, each.role))


def plan(config: Config, coverage: str, start: datetime, end: datetime) -> list[Slot]:
    """The same as vigie.yaml alone says it: nothing published, nobody away."""
    stretches = planning.stretches(config, coverage, start, end)
    found = (
        slot for each in stretches for role in each.roles for slot in _planned(config, each, role, each.start, each.end)
    )
    return sorted(found, key=lambda each: (each.start, each.role))


def at(connection: sa.Connection, config: Config, coverage: str, instant: datetime) -> list[Slot]:
    """Who is on at an instant: the primary, then the secondary; each from its own start to its end around it."""
    stretch = planning.stretch_at(config, coverage, instant)
    around = slots(connection, config, coverage, stretch.start, stretch.end)
    return [each for each in around if each.start <= instant < each.end]


def of_person(
    connection: sa.Connection, config: Config, person: str, start: datetime, end: datetime
) -> list[Slot]:
    """What somebody has in [start, end), over all coverages."""
    every = (each for name in config.coverages for each in slots(connection, config, name, start, end))
    return sorted((each for each in every if each.person == person), key=lambda each: each.start)


# --- how slots come about -------------------------------------------------------------------------------------------------


class _Known(NamedTuple):
    """What was published for one role of a team, sorted by start, and by when each of them, or one before it, has ended."""

    shifts: list[Shift]
    ends: list[datetime]


_NONE = _Known([], [])


def _by_role(known: Iterable[Shift]) -> dict[tuple[str, str], _Known]:
    found: dict[tuple[str, str], list[Shift]] = defaultdict(list)
    for each in known:
        found[each.team, each.role].append(each)
    return {key: _Known(some, list(accumulate((each.end for each in some), max))) for key, some in found.items()}


def _filled(config: Config, stretch: Stretch, role: str, known: _Known) -> Iterator[Slot]:
    """What was published for the role; where nothing was, whose turn it is."""
    now = stretch.start
    for each in known.shifts[bisect_right(known.ends, now):]:
        if each.start >= stretch.end:
            break
        if each.end <= now:
            continue
        if each.start > now:
            yield from _planned(config, stretch, role, now, each.start)
        begin, stop = max(now, each.start), min(each.end, stretch.end)
        yield _slot(stretch, role, each.person, begin, stop, each)
        now = stop
    if now < stretch.end:
        yield from _planned(config, stretch, role, now, stretch.end)


def _planned(config: Config, stretch: Stretch, role: str, start: datetime, end: datetime) -> Iterator[Slot]:
    whole = planning.turns(config, stretch.coverage, stretch.team, role, start, end)
    if not whole:
        yield _slot(stretch, role, None, start, end)
    for each in whole:
        yield _slot(stretch, role, each.person, each.start, each.end)


def _slot(
    stretch: Stretch, role: str, person: str | None, start: datetime, end: datetime, shift: Shift | None = None
) -> Slot:
    return Slot(
        stretch.coverage, stretch.organisation, stretch.team, role, stretch.mode, person, start, end, stretch.respond_within,
        None if person else NOBODY, None, shift,
    )


# --- who cannot have it ---------------------------------------------------------------------------------------------------


def _without_absent(slot: Slot, absences: Iterable[Absence]) -> Iterator[Slot]:
    mine = [(each.start, each.end) for each in absences if each.person == slot.person]
    yield from _cut(slot, mine, AWAY)


def _without_leavers(config: Config, slot: Slot, leavers: frozenset[str]) -> Slot:
    if slot.person is None or (slot.person not in leavers and employed(config, slot.person, slot.start)):
        return slot
    return replace(slot, person=None, missing=LEFT, was=slot.person)


def employed(config: Config, person: str, at: datetime) -> bool:
    """Whether vigie.yaml has them among its people on that day of their organisation."""
    found = config.people.get(person)
    if found is None:
        return False
    today = hours.local_date(config.organisations[found.organisation].timezone, at)
    return (found.starts or date.min) <= today <= (found.ends or date.max)


def _without_sleepers(config: Config, slot: Slot) -> Iterator[Slot]:
    organisation = config.organisations[slot.organisation]
    if organisation.blackout is None or slot.person is None:
        yield slot
        return
    spans = hours.spans(organisation.blackout, organisation.timezone, slot.start, slot.end)
    yield from _cut(slot, spans, IN_BLACKOUT)


def _cut(slot: Slot, spans: Iterable[tuple[datetime, datetime]], missing: str) -> Iterator[Slot]:
    """The slot, without its person in these spans."""
    if slot.person is None:
        yield slot
        return
    now = slot.start
    for start, end in sorted(spans):
        begin, stop = max(now, start), min(slot.end, end)
        if begin >= stop:
            continue
        if begin > now:
            yield replace(slot, start=now, end=begin)
        yield replace(slot, start=begin, end=stop, person=None, missing=missing, was=slot.person)
        now = stop
    if now < slot.end:
        yield replace(slot, start=now)
