"""The months before: which alerts came then, and how many."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import NamedTuple

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Echo, Maintenance, Month
from bot.services.review import choosing
from bot.services.review.facts import agreed
from bot.services.review.facts.kinds import Kinds
from bot.services.review.facts.members import worst
from bot.services.review.facts.noting import note_observers
from bot.services.review.facts.sameness import LOOK, by_group, goes_on, newest
from bot.store import echoes as store
from bot.store import months
from bot.store.alerts import alert

HALF_YEAR, QUARTER = 6, 3               # months that are looked back upon: for repeats, for volumes


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came in the months before: of the last every group, of the others the first of each fingerprint."""

    since: datetime
    starts: tuple[datetime, ...]        # of these months, oldest first, and of the month itself
    names: tuple[str, ...]
    groups: Sequence[Echo]

    def volumes(self) -> dict[str, int]:
        """Groups by month, of the quarter before; a month before the first alert is not among them."""
        counts = dict.fromkeys(self.names, 0)
        for each in self.groups:
            counts[self.names[self._place(each.opened_at)]] += each.alerts
        known = zip(self.names, self.starts[1:], strict=True)
        return {name: counts[name] for name, end in list(known)[-QUARTER:] if end > self.since}

    def between(self, start: datetime, end: datetime, about: Callable[[str, str], bool]) -> int:
        """How many such groups came in [start, end): of an older month that lies in it in part, its share."""
        total = 0.0
        for each in self.groups:
            if about(each.service, each.pattern):
                total += each.alerts * self._part(each, start, end)
        return round(total)

    def _part(self, group: Echo, start: datetime, end: datetime) -> float:
        place = self._place(group.opened_at)
        if place == len(self.names) - 1:
            return float(start <= group.opened_at < end)
        first, last = max(self.starts[place], self.since), self.starts[place + 1]
        return max(0.0, (min(end, last) - max(start, first)) / (last - first))

    def _place(self, at: datetime) -> int:
        return max(0, bisect_right(self.starts, at, hi=len(self.names)) - 1)


def echoes(connection: sa.Connection, config: Config, month: Month, kinds: Kinds) -> Echoes:
    """Drills are left out; in the older months what came back within half an hour is counted each time."""
    oldest = store.oldest(connection) or month.start
    names = tuple(month.previous(steps) for steps in range(HALF_YEAR, 0, -1))
    before = [choosing.named(config, each, month.as_of) for each in names]
    found: list[Echo] = []
    for each in before[:-1]:
        if each.end > oldest:
            found += _firsts(connection, each, kinds)
    if month.start > oldest:
        found += _all(connection, config, replace(before[-1], as_of=month.as_of), kinds)
    starts = (*(each.start for each in before), month.start)
    return Echoes(max(oldest, starts[0]), starts, names, found)


# --- of the older months --------------------------------------------------------------------------------------------------


def _firsts(connection: sa.Connection, month: Month, kinds: Kinds) -> Iterator[Echo]:
    for row in store.firsts(connection, month.start, month.end):
        number, severity, service, labels, opened_at, source, groups = tuple(row)
        kind = kinds.of(source or "", service, severity, labels)
        if not kind.drill:
            sources = (source,) if source else ()
            yield Echo(number, kinds.same(service), kinds.same(severity), sources, kind.pattern, opened_at, groups)


# --- of the last ----------------------------------------------------------------------------------------------------------


class Came(NamedTuple):
    """An alert, as far as later months ask."""

    id: int
    group_id: int
    fingerprint: str
    severity: str
    service: str
    labels: str
    opened_at: datetime
    over_at: datetime | None


@dataclass(slots=True)
class _Unit:
    """A group, and when it was over."""

    echo: Echo
    over_at: datetime | None


@dataclass(slots=True)
class _Cohort:
    """Takes groups in the order in which they were opened; keeps those that count."""

    month: Month
    maintenance: Sequence[Maintenance]
    kinds: Kinds
    sources: Mapping[int, tuple[str, ...]]
    found: list[Echo] = field(default_factory=list)
    _last: dict[str, _Unit] = field(default_factory=dict)           # the newest of a fingerprint

    def add(self, members: Sequence[Came]) -> None:
        first, over_at = members[0], _over_at(members)
        sources = self._sources(members)
        severity = worst(each.severity for each in members) if len(members) > 1 else first.severity
        earlier = newest(self._last, members)
        if earlier and goes_on(earlier.over_at, first.opened_at):
            earlier.echo.severity = self.kinds.same(worst((earlier.echo.severity, severity)))
            earlier.echo.sources = tuple(dict.fromkeys((*earlier.echo.sources, *sources)))
            earlier.over_at = over_at
            return
        kind = self.kinds.of(next(iter(sources), ""), first.service, first.severity, first.labels)
        same = self.kinds.same
        made = Echo(first.id, same(first.service), same(severity), sources, kind.pattern, first.opened_at)
        if self._counts(first) and not kind.drill:
            self.found.append(made)
        unit = _Unit(made, over_at)
        for each in members:
            self._last[each.fingerprint] = unit

    def _counts(self, founder: Came) -> bool:
        """Opened in the month, and not under agreed maintenance."""
        return founder.opened_at >= self.month.start and not agreed.covers(
            self.maintenance, founder.service, founder.opened_at
        )

    def _sources(self, members: Sequence[Came]) -> tuple[str, ...]:
        if len(members) == 1:
            return self.sources.get(members[0].id, ())
        return tuple(dict.fromkeys(name for each in members for name in self.sources.get(each.id, ())))


def _over_at(members: Sequence[Came]) -> datetime | None:
    """A group is over when its last alert is; None: one of them is not."""
    if len(members) == 1:
        return members[0].over_at
    over = [each.over_at for each in members if each.over_at]
    return max(over) if len(over) == len(members) else None


def _all(connection: sa.Connection, config: Config, month: Month, kinds: Kinds) -> Sequence[Echo]:
    """As the review of that month has them, without what people did about them."""
    mine = months.numbers(connection, alert.c.opened_at, month.start, month.end)
    sources: dict[int, tuple[str, ...]] = {}
    note_observers(sources, months.observers(connection, mine), {})
    older = store.came_of(connection, months.spanning(connection, month.start, month.start - LOOK))
    cohort = _Cohort(month, agreed.maintenance(config, month), kinds, sources)
    rows = chain((row for row in older if not mine[0] <= row.group_id < mine[1]), store.came(connection, mine))
    for each in by_group(map(Came._make, rows), month.as_of):
        if each[0].opened_at < month.end:
            cohort.add(each)
    return cohort.found
