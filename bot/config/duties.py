"""When teams have the duty, by vigie.yaml alone: weeks of a coverage, ordinary ones and those in which clocks change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from bot.config.mandate_rules import is_hours
from bot.config.models import Config, Organisation
from bot.config.nights import Boundary, Coverage, DayClass
from bot.config.remarks import Place, Remark, Saying, hint
from bot.labour.arithmetic.days import DAY, Hours, instant

YEAR = 2027                                         # any: every zone that changes its clocks does so in it
ORDINARY = (date(YEAR, 1, 17), date(YEAR, 7, 18))   # the Sunday of a week in winter, and of one in summer
NOON = time(12)

TIMEZONE = Saying('no time zone is called "{name}"', "{hint}")

# A holiday lies before its eve's morrow, and Sunday is the day on which clocks may change.
WEEK: tuple[DayClass, ...] = (
    "weekday", "holiday_eve", "holiday", "weekday", "weekday", "saturday", "sunday", "weekday", "weekday",
)
SUNDAY = WEEK.index("sunday")


@dataclass(frozen=True, slots=True)
class Duty:
    """A team has the duty, by the boundary that stands at `place`."""

    boundary: Boundary
    place: Place
    start: datetime
    end: datetime

    def meets(self, hours: str, zone: ZoneInfo) -> bool:
        """Whether any of it lies in those hours of the day."""
        return any(Hours.parse(hours).touching(self.start, self.end, zone))


def owner(config: Config) -> Organisation | None:
    """Whose zone and holidays count where a coverage does not say otherwise."""
    return next((each for each in config.organisations.values() if each.kind == "own"), None)


@cache
def zones() -> frozenset[str]:
    """The names of all of them, read from the disk once."""
    return frozenset(available_timezones())


def zone_named(name: str | None) -> ZoneInfo | None:
    """None when there is no such zone: that is told where it is written."""
    return ZoneInfo(name) if name in zones() else None


def known_zone(name: str | None, *place: str | int) -> Iterator[Remark]:
    """A remark unless there is such a zone."""
    if name is not None and name not in zones():
        yield TIMEZONE.at(*place, name=name, hint=hint(name, zones()))


def in_blackout(organisation: Organisation, duty: Duty) -> bool:
    zone, hours = zone_named(organisation.timezone), organisation.blackout
    return zone is not None and hours is not None and is_hours(hours) and duty.meets(hours, zone)


def zone_of(config: Config, name: str) -> ZoneInfo | None:
    """In which a coverage's days are cut."""
    own = owner(config)
    return zone_named(config.coverages[name].timezone or (own.timezone if own else None))


def duties(config: Config, name: str) -> Iterator[Duty]:
    """Of an ordinary week first, in winter and in summer; then where clocks change; then of the days that are cut otherwise."""
    coverage, zone = config.coverages[name], zone_of(config, name)
    if zone is None or not coverage.days.get("weekday"):
        return
    places = {zone, *(zone_named(each.timezone) or zone for each in config.organisations.values())}
    for sunday in (*ORDINARY, *sorted({day for each in places for day in changes(each)})):
        days = [(sunday + (number - SUNDAY) * DAY, *_plan(coverage, each)) for number, each in enumerate(WEEK)]
        yield from _walk(days, zone, ("coverages", name))
    for day, plan in coverage.dates.items():
        around = [(day + step * DAY, *_plan(coverage, "weekday")) for step in (-1, 1)]
        yield from _walk([around[0], (day, ("dates", str(day)), plan), around[1]], zone, ("coverages", name))


def stretches(worked: Iterable[Duty]) -> Iterator[tuple[datetime, datetime]]:
    """A team's duties, those of one mode that follow each other without a break taken as one: a day may be cut at midnight."""
    last: Duty | None = None
    for each in worked:
        if last and last.end == each.start and last.boundary.mode == each.boundary.mode:
            last = replace(each, start=last.start)
            continue
        if last:
            yield last.start, last.end
        last = each
    if last:
        yield last.start, last.end


@cache
def changes(zone: ZoneInfo) -> tuple[date, ...]:
    """The days of a year on which the zone's clocks change."""
    days = [date(YEAR, 1, 1) + number * DAY for number in range(366)]
    offsets = {day: datetime.combine(day, NOON, zone).utcoffset() for day in days}
    return tuple(day for before, day in pairwise(days) if offsets[before] != offsets[day])


def _plan(coverage: Coverage, wanted: DayClass) -> tuple[Place, tuple[Boundary, ...]]:
    """How a day of that kind is cut, and where that is written."""
    kind = wanted if coverage.days.get(wanted) else "weekday"
    return ("days", kind), coverage.days[kind]


def _walk(days: list[tuple[date, Place, tuple[Boundary, ...]]], zone: ZoneInfo, place: Place) -> Iterator[Duty]:
    cuts = [
        (instant(day, time.fromisoformat(each.at), zone), each, (*place, *where, index))
        for day, where, plan in days for index, each in sorted(enumerate(plan), key=lambda one: one[1].at)
    ]
    for (start, boundary, where), (end, _, _) in pairwise(cuts):
        yield Duty(boundary, where, start, end)


def minutes(hours: str) -> timedelta:
    """How long those hours are on an ordinary day."""
    first, last = (timedelta(hours=each.hour, minutes=each.minute) for each in Hours.parse(hours))
    return last - first if last > first else DAY + last - first
