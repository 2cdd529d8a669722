"""Where the published programme is no longer what vigie.yaml plans: nothing of it changes by itself."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from bot.config import Config
from bot.services.rota import planning, roster
from bot.services.rota.roster import Slot
from bot.services.rota.sweeping import holding
from bot.store import programmes, shifts
from bot.store.shifts import Shift

ROTATION = "rotation"


@dataclass(frozen=True, slots=True)
class Difference:
    """From `start` to `end` (UTC) a role of a team is published for one person and planned for another, or not at all."""

    coverage: str
    organisation: str
    team: str
    role: str
    start: datetime
    end: datetime
    shift: Shift | None         # as it is published; None: nothing is
    slot: Slot | None           # as it is planned now; None: the team no longer has this time

    @property
    def published(self) -> str | None:
        return self.shift.person if self.shift else None

    @property
    def planned(self) -> str | None:
        return self.slot.person if self.slot else None


def differences(connection: sa.Connection, config: Config, now: datetime, organisation: str | None = None) -> list[Difference]:
    """All of them from now on, of one organisation or of all, sorted by time. What people changed by hand is none."""
    found = [
        each for coverage in config.coverages for team in planning.teams_of(config, coverage)
        if organisation in (None, config.teams[team].organisation)
        for each in _of_team(connection, config, coverage, team, now)
    ]
    return sorted(found, key=lambda each: (each.start, each.role))


def _of_team(
    connection: sa.Connection, config: Config, coverage: str, team: str, now: datetime
) -> Iterator[Difference]:
    until = programmes.get(connection, coverage, team).published_until
    if until is None or until <= now:
        return
    planned, published = defaultdict[str, list[Slot]](list), defaultdict[str, list[Shift]](list)
    for slot in roster.plan(config, coverage, now, until):
        if slot.team == team:
            planned[slot.role].append(slot)
    for shift in shifts.published(connection, coverage, now, until):
        if shift.team == team:
            published[shift.role].append(shift)
    organisation = config.teams[team].organisation
    for role in sorted({*planned, *published}):
        for start, end, shown, wanted in _pieces(published[role], planned[role], now, until):
            if _differ(shown, wanted):
                yield Difference(coverage, organisation, team, role, start, end, shown, wanted)


def _differ(shift: Shift | None, slot: Slot | None) -> bool:
    """A shift that a person changed stays; one that the rules forbade to whoever had the turn says why, and stays too."""
    if shift is None:
        return slot is not None
    if shift.source != ROTATION:
        return False
    if slot is None:
        return True
    forbidden = shift.person is None and shift.reason is not None
    return shift.mode != slot.mode or (shift.person != slot.person and not forbidden)


def _pieces(
    published: Sequence[Shift], planned: Sequence[Slot], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, Shift | None, Slot | None]]:
    """What is published and what is planned in [start, end), cut wherever one or the other begins or ends."""
    edges = {start, end}
    for begin, stop in [*((each.start, each.end) for each in published), *((each.start, each.end) for each in planned)]:
        edges |= {each for each in (begin, stop) if start < each < end}
    for begin, stop in pairwise(sorted(edges)):
        yield begin, stop, holding(published, begin), holding(planned, begin)
