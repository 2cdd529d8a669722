"""Gaps: where fewer people than the days of a coverage ask for can be reached, in the next 60 days."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa

from bot.config import Config
from bot.services.rota import planning, roster
from bot.services.rota.roster import Slot
from bot.services.rota.sweeping import cut

LOOK_AHEAD = timedelta(days=60)

NOBODY, TOO_FEW, NO_SECONDARY, TWICE = "nobody", "too_few", "no_secondary", "same_person_twice"
IN_BLACKOUT, UNREACHABLE = roster.IN_BLACKOUT, "unreachable"


@dataclass(frozen=True, slots=True)
class Gap:
    """From `start` to `end` (UTC) a coverage has not the people that it should have; `slots` say why."""

    coverage: str
    organisation: str
    team: str
    kind: str
    start: datetime
    end: datetime
    slots: tuple[Slot, ...]


def gaps(connection: sa.Connection, config: Config, now: datetime, ahead: timedelta = LOOK_AHEAD) -> list[Gap]:
    """All of them, sorted by start; one that is under way begins with the stretch in which it is."""
    found = (
        gap for coverage in config.coverages
        for gap in _of_coverage(connection, config, coverage, planning.stretch_at(config, coverage, now).start, now + ahead)
    )
    return sorted((each for each in found if each.end > now), key=lambda each: (each.start, each.coverage, each.kind))


def _of_coverage(
    connection: sa.Connection, config: Config, coverage: str, start: datetime, end: datetime
) -> Iterator[Gap]:
    slots = roster.slots(connection, config, coverage, start, end)
    yield from _joined(list(_pieces(slots)))
    yield from _unreachable(config, slots)


def _pieces(slots: Sequence[Slot]) -> Iterator[Gap]:
    roles = [[each for each in slots if each.role == role] for role in ("primary", "secondary")]
    for start, end, held in cut(*roles):
        present = tuple(each for each in held if each is not None)
        kind = _kind(present)
        if kind:
            first = present[0]
            yield Gap(first.coverage, first.organisation, first.team, kind, start, end, present)


def _kind(slots: Sequence[Slot]) -> str | None:
    """What is missing where these roles should be held at once."""
    people = [each.person for each in slots if each.person]
    if slots and not people:
        return IN_BLACKOUT if any(each.missing == roster.IN_BLACKOUT for each in slots) else NOBODY
    if len(people) < len(slots):
        return NO_SECONDARY if slots[0].person else TOO_FEW
    return TWICE if len(set(people)) < len(people) else None


def _joined(found: Sequence[Gap]) -> Iterator[Gap]:
    """Pieces of one kind and team that touch are one gap."""
    held: Gap | None = None
    for each in sorted(found, key=lambda one: one.start):
        if held and held.end == each.start and (held.team, held.kind) == (each.team, each.kind):
            held = replace(held, end=each.end, slots=tuple(dict.fromkeys((*held.slots, *each.slots))))
            continue
        if held:
            yield held
        held = each
    if held:
        yield held


def _unreachable(config: Config, slots: Sequence[Slot]) -> Iterator[Gap]:
    """Who is on call and has no contact beside Slack: one gap a person, from the first of these slots to the last."""
    mute = [
        each for each in slots if each.mode == "on_call" and each.person in config.people
        and not config.people[each.person].contacts
    ]
    for _, some in groupby(sorted(mute, key=lambda each: (*_whose(each), each.start)), _whose):
        mine = list(some)
        yield Gap(mine[0].coverage, mine[0].organisation, mine[0].team, UNREACHABLE, mine[0].start, mine[-1].end, tuple(mine))


def _whose(slot: Slot) -> tuple[str, str]:
    return slot.person or "", slot.team
