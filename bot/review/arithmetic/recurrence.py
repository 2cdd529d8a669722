"""Recurring incidents (art. 8(2) of 2024/1772): the same apparent root cause, at least twice in six months. Pure."""

import calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

MONTHS, TWICE = 6, 2


@dataclass(frozen=True, slots=True)
class Happened:
    """What of an incident recurrence looks at. `patterns` are those of its alerts."""

    id: int
    service: str
    began_at: datetime
    ended_at: datetime | None
    cause: str | None = None
    patterns: tuple[str, ...] = ()
    major: bool = False
    downtime_min: float = 0


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Incidents that had one thing in common; figures are of all of them together."""

    by: str                                 # cause, pattern
    what: str
    incidents: tuple[int, ...]
    services: tuple[str, ...]
    first_at: datetime
    last_at: datetime
    duration_min: float
    downtime_min: float
    any_major: bool = field(default=False)

    @property
    def count(self) -> int:
        return len(self.incidents)


def recurring(happened: Iterable[Happened], start: datetime, until: datetime) -> list[Recurrence]:
    """Of the incidents that began in [start, until), those that share a cause, or without one an alert's pattern; most first.

    One that is told by its cause is not told by its pattern too.
    """
    found = [each for each in happened if start <= each.began_at < until]
    by_cause = _groups((each.cause.strip().casefold(), each) for each in found if each.cause and each.cause.strip())
    rows = [_of("cause", what, some, until) for what, some in by_cause.items()]
    told = {frozenset(each.incidents) for each in rows}
    by_pattern = _groups((pattern, each) for each in found for pattern in dict.fromkeys(each.patterns))
    for what, some in by_pattern.items():
        one = _of("pattern", what, some, until)
        if not any(frozenset(one.incidents) <= each for each in told):
            rows.append(one)
            told.add(frozenset(one.incidents))
    return sorted(rows, key=lambda each: (-each.count, each.what))


def since(until: datetime, zone: str) -> datetime:
    """Six months before, by the clocks of that zone: the same day of the month, or its last."""
    local = until.astimezone(ZoneInfo(zone))
    year, month = (local.year, local.month - MONTHS) if local.month > MONTHS else (local.year - 1, local.month + 12 - MONTHS)
    day = min(local.day, calendar.monthrange(year, month)[1])       # there is no 31 April
    return local.replace(year=year, month=month, day=day).astimezone(UTC)


def _groups(pairs: Iterable[tuple[str, Happened]]) -> dict[str, list[Happened]]:
    found: defaultdict[str, list[Happened]] = defaultdict(list)
    for what, each in pairs:
        found[what].append(each)
    return {what: some for what, some in found.items() if len(some) >= TWICE}


def _of(by: str, what: str, some: Sequence[Happened], until: datetime) -> Recurrence:
    began = sorted(each.began_at for each in some)
    minutes = sum(max(0.0, ((each.ended_at or until) - each.began_at).total_seconds() / 60) for each in some)
    return Recurrence(
        by, what, tuple(sorted(each.id for each in some)), tuple(sorted({each.service for each in some})), began[0], began[-1],
        minutes, sum(each.downtime_min for each in some), any(each.major for each in some),
    )
