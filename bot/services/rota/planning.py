"""Which team has the duty when, and whose turn it is in a team: vigie.yaml's policy as stretches of UTC; pure.

A boundary is one instant for both sides of it: when clocks show that time for the first time, or the instant at which they
skip it. So there is no gap and no overlap between teams, on the nights when clocks change too.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.calendars import public_holidays
from bot.config import Config
from bot.config.nights import Boundary, Coverage, DayClass, Rotation
from bot.services.leave.hours import instant

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)
SATURDAY, SUNDAY = 5, 6
OWN = "own"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One team has the duty of a coverage from `start` to `end` (UTC)."""

    coverage: str
    team: str
    organisation: str
    mode: str                   # active, on_call
    people: int                 # 1: a primary; 2: a secondary too
    respond_within: timedelta
    start: datetime
    end: datetime

    @property
    def roles(self) -> tuple[str, ...]:
        return ("primary", "secondary")[: self.people]


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody's turn in a rotation (UTC)."""

    person: str
    start: datetime
    end: datetime


def coverage_of(config: Config, service: str) -> str | None:
    """The coverage that a service belongs to: the first of vigie.yaml that names it."""
    return next(
        (name for name, each in config.coverages.items() if any(fnmatchcase(service, one) for one in each.services)), None
    )


def zone_of(config: Config, coverage: Coverage) -> ZoneInfo:
    return ZoneInfo(coverage.timezone or _owner(config)[1])


def teams_of(config: Config, coverage: str) -> list[str]:
    """The teams that have a part of a coverage's days, in the order of vigie.yaml."""
    found = config.coverages[coverage]
    named = {each.team for cut in (*found.days.values(), *found.dates.values()) for each in cut}
    return [each for each in config.teams if each in named]


def stretches(config: Config, coverage: str, start: datetime, end: datetime) -> list[Stretch]:
    """How [start, end) is cut among teams: a partition of it, in order."""
    found = config.coverages[coverage]
    cuts = list(_boundaries(config, found, start, end))
    pieces = (
        _stretch(config, coverage, each, max(begin, start), min(stop, end)) for (begin, each), (stop, _) in pairwise(cuts)
    )
    return [each for each in pieces if each.start < each.end]


def stretch_at(config: Config, coverage: str, at: datetime) -> Stretch:
    """Which team has the duty at an instant; whole, from its boundary to the next one."""
    found = config.coverages[coverage]
    for (begin, each), (stop, _) in pairwise(_boundaries(config, found, at, at + DAY)):
        if begin <= at < stop:
            return _stretch(config, coverage, each, begin, stop)
    raise AssertionError(f"the days of {coverage} are cut so that nobody has {at}")


def passings(config: Config, coverage: str, start: datetime, end: datetime) -> list[tuple[Stretch, Stretch]]:
    """Where the duty passes from one team to another in [start, end): the last stretch before, the first after."""
    whole = stretches(config, coverage, start - 2 * DAY, end + 2 * DAY)
    return [(before, after) for before, after in pairwise(whole) if before.team != after.team and start <= after.start < end]


def turns(config: Config, coverage: str, team: str, role: str, start: datetime, end: datetime) -> list[Turn]:
    """Whose turns fill [start, end), in order; none when no rotation has that role."""
    rotation = next(
        (each for each in config.rotations.values() if (each.coverage, each.team, each.role) == (coverage, team, role)), None
    )
    if rotation is None:
        return []
    whole = _turns(rotation, zone_of(config, config.coverages[coverage]), start, end)
    clipped = (replace(each, start=max(each.start, start), end=min(each.end, end)) for each in whole)
    return [each for each in clipped if each.start < each.end]


def _turns(rotation: Rotation, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Turn]:
    """Counted in days of the calendar, not in seconds: a turn over a clock change lasts an hour more or less."""
    changes_at = time.fromisoformat(rotation.changes_at)
    number = (start.astimezone(zone).date() - rotation.starts).days // rotation.days - 1
    begin = _change(rotation, number, changes_at, zone)
    while begin < end:
        stop = _change(rotation, number + 1, changes_at, zone)
        yield Turn(rotation.people[number % len(rotation.people)], begin, stop)
        number, begin = number + 1, stop


def _change(rotation: Rotation, number: int, at: time, zone: ZoneInfo) -> datetime:
    return instant(rotation.starts + number * rotation.days * DAY, at, zone)


# --- days -----------------------------------------------------------------------------------------------------------------


def _boundaries(config: Config, coverage: Coverage, start: datetime, end: datetime) -> Iterator[tuple[datetime, Boundary]]:
    """All boundaries from before `start` to after `end`."""
    zone = zone_of(config, coverage)
    day, last = start.astimezone(zone).date() - 2 * DAY, end.astimezone(zone).date() + 2 * DAY
    while day <= last:
        for each in sorted(plan_of(config, coverage, day), key=lambda one: one.at):
            yield instant(day, time.fromisoformat(each.at), zone), each
        day += DAY


def plan_of(config: Config, coverage: Coverage, day: date) -> tuple[Boundary, ...]:
    """How that day is cut: a date of its own goes before a holiday, that before its eve, that before the day of the week."""
    if day in coverage.dates:
        return coverage.dates[day]
    return next(coverage.days[each] for each in _classes(config, day) if each in coverage.days)


def _classes(config: Config, day: date) -> Iterator[DayClass]:
    if is_holiday(config, day):
        yield "holiday"
    if is_holiday(config, day + DAY):
        yield "holiday_eve"
    if day.weekday() == SUNDAY:
        yield "sunday"
    if day.weekday() == SATURDAY:
        yield "saturday"
    yield "weekday"


def is_holiday(config: Config, day: date) -> bool:
    """A public holiday where the platform's owner is."""
    calendar = _owner(config)[0]
    return calendar is not None and day in public_holidays(calendar, day.year)


def _owner(config: Config) -> tuple[str | None, str]:
    """The owner's calendar of holidays and its zone."""
    own = next(each for each in config.organisations.values() if each.kind == OWN)
    return (own.labour.holidays if own.labour else None), own.timezone


def _stretch(config: Config, coverage: str, each: Boundary, start: datetime, end: datetime) -> Stretch:
    team = config.teams[each.team]
    return Stretch(coverage, each.team, team.organisation, each.mode, each.people, each.respond_within, start, end)
