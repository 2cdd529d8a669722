"""The months before: which alerts came then, how many, and what their reviews said."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from bot.config import Config
from bot.config.matching import means
from bot.review import Figure
from bot.review.arithmetic import written
from bot.review.facts import Group, Month, Past
from bot.services.review import choosing
from bot.services.review.alert_facts import Known, members
from bot.store import months, reviews

HALF_YEAR, QUARTER = 6, 3               # months that are looked back upon: for repeats, for volumes


@dataclass(frozen=True, slots=True)
class Echoes:
    """What came in the months before: one group for each fingerprint and month, the newest; `alerts` says how many came."""

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
        """About how many such groups came in [start, end): of a month that lies in it in part, its share."""
        total = 0.0
        for each in self.groups:
            if about(each.service, each.pattern):
                place = self._place(each.opened_at)
                first, last = max(self.starts[place], self.since), self.starts[place + 1]
                part = (min(end, last) - max(start, first)) / (last - first)
                total += each.alerts * max(0.0, part)
        return round(total)

    def _place(self, at: datetime) -> int:
        return max(0, bisect_right(self.starts, at, hi=len(self.names)) - 1)


def echoes(connection: sa.Connection, config: Config, month: Month, known: Known) -> Echoes:
    """Drills are left out; what came back within half an hour is counted each time."""
    oldest = months.oldest(connection) or month.start
    names = tuple(month.previous(steps) for steps in range(HALF_YEAR, 0, -1))
    starts = (*(choosing.named(config, each, month.as_of).start for each in names), month.start)
    found: list[Group] = []
    for start, end in pairwise(starts):
        if end > oldest:
            found += _of_month(connection, config, start, end, known)
    return Echoes(max(oldest, starts[0]), starts, names, tuple(found))


def _of_month(connection: sa.Connection, config: Config, start: datetime, end: datetime, known: Known) -> list[Group]:
    counts = {row.newest: row.groups for row in months.opened(connection, start, end)}
    rows = months.members_of(connection, counts)
    known.sources |= {row.alert_id: (row.source,) for row in months.observers_of(connection, counts, end)}
    found = []
    for first, *_ in members(rows, end, {}):
        if not means(config.month.drills, known.shown(first)):
            found.append(Group(
                id=first.group_id, alert=first.id, service=known.same(first.service), title=known.same(first.title),
                pattern=known.pattern(first), fingerprint=known.same(first.fingerprint), sources=known.sources.get(first.id, ()),
                severity=first.severity, important=first.important, recognised=known.recognised(first), opened_at=first.opened_at,
                runbook=first.runbook, symptom=first.symptom, signals=first.signals, alerts=counts[first.id],
                relapses=first.relapses, resolved_at=first.recovered_at or first.closed_at, closed_at=first.closed_at,
                closed_by=first.closed_by,
            ))
    return found


def sealed(connection: sa.Connection, month: Month) -> dict[str, Past] | None:
    """The figures of the newest sealed review of the month before that was made by then; None: there is none."""
    row = reviews.review.c
    query = sa.select(row.body).where(row.month == month.previous(), row.made_at <= month.as_of).order_by(row.version.desc())
    body = connection.execute(query.limit(1)).scalar_one_or_none()
    return figures(written.from_json(body).figures) if body else None


def figures(found: Mapping[str, Figure]) -> dict[str, Past]:
    """What a review said, as the next one remembers it."""
    return {name: Past(each.value, each.definition.version) for name, each in found.items()}
