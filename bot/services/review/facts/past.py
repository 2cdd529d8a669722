"""The months before: which alerts came then, how many, and what their reviews said."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.review import Figure
from bot.review.arithmetic import written
from bot.review.facts import Group, Month, Past
from bot.services.review import choosing
from bot.services.review.facts.agreed import maintenance
from bot.services.review.facts.cohort import LOOK, Cohort, group
from bot.services.review.facts.known import Known
from bot.services.review.facts.members import members
from bot.services.review.facts.noting import note_observers
from bot.services.review.facts.sides import Sides
from bot.store import months, reviews
from bot.store.alerts import alert

HALF_YEAR, QUARTER = 6, 3               # months that are looked back upon: for repeats, for volumes


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came in the months before: of the last every group, of the others the first of each fingerprint.

    `alerts` of each says how many groups it stands for.
    """

    since: datetime
    starts: tuple[datetime, ...]        # of these months, oldest first, and of the month itself
    names: tuple[str, ...]
    groups: tuple[Group, ...]

    def volumes(self) -> dict[str, int]:
        """Groups by month, of the quarter before; a month before the first alert is not among them."""
        counts = dict.fromkeys(self.names[-QUARTER:], 0)
        for each in self.groups:
            name = self.names[self._place(each.opened_at)]
            if name in counts:
                counts[name] += each.alerts
        return {name: count for name, count in counts.items() if self.starts[self.names.index(name) + 1] > self.since}

    def between(self, start: datetime, end: datetime, about: Callable[[str, str], bool]) -> int:
        """How many such groups came in [start, end): of an older month that lies in it in part, its share."""
        total = 0.0
        for each in self.groups:
            if about(each.service, each.pattern):
                total += each.alerts * self._part(each, start, end)
        return round(total)

    def _part(self, group: Group, start: datetime, end: datetime) -> float:
        place = self._place(group.opened_at)
        if place == len(self.names) - 1:
            return float(start <= group.opened_at < end)
        first, last = max(self.starts[place], self.since), self.starts[place + 1]
        return max(0.0, (min(end, last) - max(start, first)) / (last - first))

    def _place(self, at: datetime) -> int:
        return max(0, bisect_right(self.starts, at, hi=len(self.names)) - 1)


def echoes(connection: sa.Connection, config: Config, month: Month, known: Known) -> Echoes:
    """Drills are left out; in the older months what came back within half an hour is counted each time."""
    oldest = months.oldest(connection) or month.start
    names = tuple(month.previous(steps) for steps in range(HALF_YEAR, 0, -1))
    before = [choosing.named(config, each, month.as_of) for each in names]
    found: list[Group] = []
    for each in before[:-1]:
        if each.end > oldest:
            found += _firsts(connection, config, each, known)
    if month.start > oldest:
        found += _all(connection, config, replace(before[-1], as_of=month.as_of))
    starts = (*(each.start for each in before), month.start)
    return Echoes(max(oldest, starts[0]), starts, names, tuple(found))


def _firsts(connection: sa.Connection, config: Config, month: Month, known: Known) -> list[Group]:
    counts = {row.first: row.groups for row in months.opened(connection, month.start, month.end)}
    known.sources |= {row.alert_id: (row.source,) for row in months.observers_of(connection, counts)}
    rows = months.members_of(connection, counts)
    founders = (first for first, *_ in members(rows, month.end, {}) if not known.means(config.month.drills, first))
    return [replace(group([first], known), alerts=counts[first.id]) for first in founders]


def _all(connection: sa.Connection, config: Config, month: Month) -> list[Group]:
    """As the review of that month has them, without what people did about them."""
    known = Known(Sides(connection, config, month.start - LOOK, month.as_of, month.as_of))
    cohort = Cohort(config, month, known, maintenance(config, month))
    numbers = months.numbers(connection, alert.c.opened_at, month.start, month.end)
    note_observers(known, months.observers(connection, numbers), {})
    older = months.members_of(connection, months.spanning(connection, month.start, month.start - LOOK))
    for each in members((row for row in older if not numbers[0] <= row.group_id < numbers[1]), month.as_of, {}):
        cohort.add(each)
    for each in members(months.members(connection, numbers), month.as_of, {}):
        if each[0].opened_at < month.end:
            cohort.add(each)
    return [each if each.alerts == 1 else replace(each, alerts=1) for each in cohort.groups.units]


def sealed(connection: sa.Connection, month: Month) -> dict[str, Past] | None:
    """The figures of the newest sealed review of the month before that was made by then; None: there is none."""
    row = reviews.review.c
    query = sa.select(row.body).where(row.month == month.previous(), row.made_at <= month.as_of).order_by(row.version.desc())
    body = connection.execute(query.limit(1)).scalar_one_or_none()
    return figures(written.from_json(body).figures) if body else None


def figures(found: Mapping[str, Figure]) -> dict[str, Past]:
    """What a review said, as the next one remembers it."""
    return {name: Past(None if each.grey else each.value, each.definition.version) for name, each in found.items()}
