"""How long services did not do their work, what of it counts, and how much of the error budget that is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from bot.labour.arithmetic.days import DAY, midnight
from bot.review.arithmetic.measured import newest
from bot.review.arithmetic.stretches import Stretch, clipped, merged, minus, minutes
from bot.review.facts import Facts, Incident, Month

Basis = Literal["declared", "suspected", "nothing known"]

KINDS = ("outage", "degraded")      # of an incident: those in which a service did not do its work
MINUTE = timedelta(minutes=1)
PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Window:
    """A service was hurt; `share` of its requests failed. `incident` None: an important alert fired, and nobody declared one."""

    service: str
    start: datetime
    end: datetime
    share: float = 1.0
    incident: int | None = None
    alert: int | None = None
    whole: bool = False                     # the incident names no window: it counts from its beginning to its end

    @property
    def stretch(self) -> Stretch:
        return Stretch(self.start, self.end)


@dataclass(frozen=True, slots=True)
class Uptime:
    """Of one service, or of the platform: minutes so far, how many were bad, and what the budget says of them."""

    name: str
    basis: Basis
    elapsed_min: float                      # of the month, as far as it has come
    maintenance_min: float                  # of them, agreed not to be counted
    bad_min: float                          # without maintenance
    bad_all_min: float                      # with it
    budget_min: float                       # of the whole month

    @property
    def availability(self) -> float | None:
        """Without agreed maintenance."""
        counted = self.elapsed_min - self.maintenance_min
        return 1 - self.bad_min / counted if counted > 0 else None

    @property
    def availability_with_maintenance(self) -> float | None:
        """As if no maintenance had been agreed."""
        return 1 - self.bad_all_min / self.elapsed_min if self.elapsed_min > 0 else None

    @property
    def left_min(self) -> float:
        return self.budget_min - self.bad_min

    @property
    def used(self) -> float | None:
        """The share of the budget that is used: more than 1 when it is overdrawn."""
        return self.bad_min / self.budget_min if self.budget_min else None


def budget_min(month: Month, target: float) -> float:
    """What a promise leaves of a month: its real minutes, an hour fewer in March and an hour more in October."""
    return (1 - target) * month.minutes


def elapsed_share(month: Month) -> float:
    return (month.until - month.start) / (month.end - month.start)


def burn(up: Uptime, month: Month) -> float | None:
    """How fast the budget goes: 1 would use it up exactly at the month's end."""
    elapsed = elapsed_share(month)
    return None if up.used is None or not elapsed else up.used / elapsed


def counts(facts: Facts, service: str) -> bool:
    """Whether it is one of the services that count for the platform."""
    return any(fnmatchcase(service, each) for each in facts.config.month.availability.services)


def incidents_of(facts: Facts) -> list[Incident]:
    """Those that touch the month, drills left out."""
    month = facts.month
    return [each for each in facts.incidents
            if not each.drill and each.began_at < month.until and (each.ended_at is None or each.ended_at > month.start)]


def declared(facts: Facts) -> list[Window]:
    """The windows of outages and of what was degraded, as far as they lie in the month."""
    found = (window for each in incidents_of(facts) if each.kind in KINDS for window in _windows(each, facts.month.until))
    return _within(facts.month, found)


def _windows(incident: Incident, until: datetime) -> Iterator[Window]:
    if not incident.impacts:
        yield Window(incident.service, incident.began_at, incident.ended_at or until, incident=incident.id, whole=True)
    for each in incident.impacts:
        yield Window(each.service, each.start, each.end or until, each.share, incident.id)


def suspected(facts: Facts) -> list[Window]:
    """While an important alert fired: somebody may have been hurt, and nobody has said so."""
    until = facts.month.until
    groups = (each for each in (*facts.carried, *facts.groups) if each.important)
    return _within(facts.month, (
        Window(each.service, each.opened_at, each.resolved_at or each.closed_at or until, alert=each.alert) for each in groups))


def _within(month: Month, windows: Iterable[Window]) -> list[Window]:
    cut = (
        Window(each.service, max(each.start, month.start), min(each.end, month.until), each.share, each.incident, each.alert,
               each.whole)
        for each in windows
    )
    return sorted((each for each in cut if each.start < each.end), key=lambda each: (each.start, each.service, each.end))


def maintained(facts: Facts, service: str | None = None) -> list[Stretch]:
    """Agreed maintenance of that service; without one, what is agreed for all that count."""
    month = facts.month
    agreed = (each for each in facts.maintenance if _covers(facts, each.services, service))
    return clipped((Stretch(each.start, each.end) for each in agreed), month.start, month.until)


def _covers(facts: Facts, patterns: Sequence[str], service: str | None) -> bool:
    if service is not None:
        return any(fnmatchcase(service, each) for each in patterns)
    return all(_covers(facts, patterns, each) for each in facts.config.services if counts(facts, each))


def of_service(facts: Facts, service: str, windows: Sequence[Window], basis: Basis) -> Uptime:
    """One service alone: its own windows, and its own maintenance."""
    return _uptime(facts, service, basis, [each for each in windows if each.service == service], maintained(facts, service), {})


def of_platform(facts: Facts, windows: Sequence[Window], basis: Basis) -> Uptime:
    """All services that count: a minute is bad once, however many of them it hurt; each may have its own maintenance."""
    hurt = [each for each in windows if counts(facts, each.service)]
    own = {name: maintained(facts, name) for name in {each.service for each in hurt}}
    return _uptime(facts, PLATFORM, basis, hurt, maintained(facts), own)


def _uptime(
    facts: Facts, name: str, basis: Basis, windows: Sequence[Window], free: Sequence[Stretch],
    own: Mapping[str, Sequence[Stretch]],
) -> Uptime:
    month, weighed = facts.month, facts.config.month.availability.partial
    outside = [piece for each in windows for piece in _outside(each, [*free, *own.get(each.service, ())])]
    return Uptime(
        name, basis, (month.until - month.start) / MINUTE, minutes(free), bad_minutes(outside, weighed),
        bad_minutes(windows, weighed), budget_min(month, facts.config.month.availability.target),
    )


def _outside(window: Window, free: Sequence[Stretch]) -> Iterator[Window]:
    if not free:
        yield window
        return
    for each in minus([window.stretch], free):
        yield Window(window.service, each.start, each.end, window.share, window.incident, window.alert)


def bad_minutes(windows: Sequence[Window], weighed: bool) -> float:
    """Overlaps count once; where shares are weighed, each instant counts the largest share of those that overlap."""
    if not weighed or all(each.share >= 1 for each in windows):
        return minutes(merged(each.stretch for each in windows))
    edges = sorted({edge for each in windows for edge in each.stretch})
    return sum(
        (end - start) / MINUTE * max((each.share for each in windows if each.start <= start and end <= each.end), default=0.0)
        for start, end in pairwise(edges)
    )


def used_by_day(facts: Facts, windows: Sequence[Window]) -> list[tuple[date, float]]:
    """Minutes of the budget that were gone at the end of each day that has begun."""
    month, weighed = facts.month, facts.config.month.availability.partial
    free = {name: [*maintained(facts), *maintained(facts, name)] for name in {each.service for each in windows}}
    outside = [piece for each in windows if counts(facts, each.service) for piece in _outside(each, free[each.service])]
    if not weighed:
        outside = [Window(PLATFORM, start, end) for start, end in merged(each.stretch for each in outside)]
    ends = [(day, midnight(day + DAY, ZoneInfo(month.zone))) for day in begun(month)]
    return [(day, bad_minutes(_until(outside, end), weighed)) for day, end in ends]


def _until(windows: Sequence[Window], end: datetime) -> list[Window]:
    return [Window(each.service, each.start, min(each.end, end), each.share) for each in windows if each.start < end]


def begun(month: Month) -> list[date]:
    """Its days that have begun."""
    return [day for day in month.days() if midnight(day, ZoneInfo(month.zone)) < month.until]


def over(month: Month) -> list[date]:
    """Its days that are over."""
    return [day for day in month.days() if midnight(day + DAY, ZoneInfo(month.zone)) <= month.until]


@dataclass(frozen=True, slots=True)
class Requests:
    """What one service was asked in the days of the month that have figures, and the days that have none."""

    service: str
    total: float
    failed: float
    days: int
    missing: tuple[date, ...]

    @property
    def share(self) -> float | None:
        """Of requests that went well."""
        return 1 - self.failed / self.total if self.total else None


def requests(facts: Facts, service: str) -> Requests:
    """From the metrics of that service; a day without figures is missing, and never a day without requests."""
    month, read = facts.month, {each.day: each.body for each in newest(facts, "availability", service)}
    known = [read[day] for day in over(month) if day in read and read[day].get("total") is not None]
    missing = tuple(day for day in over(month) if day not in read or read[day].get("total") is None)
    return Requests(
        service, sum(float(each["total"]) for each in known), sum(float(each.get("failed") or 0) for each in known),
        len(known), missing,
    )
