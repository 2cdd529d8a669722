"""The rota as rows for machines and as a table for people: who has which role of a coverage when, every minute of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.leave.hours import DAY, instant
from bot.services.rota import planning, roster
from bot.services.rota.roster import Slot
from bot.services.rota.sweeping import cut

LONGEST = timedelta(days=731)

NO_DAY = '--{name} {given}: that is no day. Write it as 2026-10-25.'
BACKWARDS = (
    "--to {to} is not after --from {start}: the range goes from 00:00 of the first day to 00:00 of the last; for one day "
    "say --to {right}."
)
TOO_LONG = "{start} to {to} is {days} days: two years at most."
NO_COVERAGE = '"{name}" is no coverage of vigie.yaml; there are {known}.'
NONE_AT_ALL = "vigie.yaml says nothing of a rota yet: write `teams`, `coverages` and `rotations`, as the example does."

GAP = "— {why}"
WHY = {
    roster.NOBODY: "nobody", roster.AWAY: "{who} is away", roster.LEFT: "{who} has left", roster.IN_BLACKOUT: "{who}: blackout",
}
CHANGES = "clocks change: {length}"
ROLES = ("primary", "secondary")


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of a coverage's time as a person reads it, in local time."""

    day: str
    hours: str
    team: str
    mode: str
    primary: str
    secondary: str
    note: str                   # how long it really lasts, when clocks change in it
    gap: bool


def day_of(name: str, given: str) -> date:
    """Raises Refused with an example."""
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise Refused(NO_DAY.format(name=name, given=given)) from error


def coverages(config: Config, name: str | None) -> list[str]:
    """The one of that name, or all; raises Refused naming those there are."""
    if not config.coverages:
        raise Refused(NONE_AT_ALL)
    if name is not None and name not in config.coverages:
        raise Refused(NO_COVERAGE.format(name=name, known=", ".join(config.coverages)))
    return [name] if name else list(config.coverages)


def span(zone: ZoneInfo, first: date, last: date) -> tuple[datetime, datetime]:
    """From 00:00 of the first day to 00:00 of the last, in UTC; raises Refused."""
    if last <= first:
        raise Refused(BACKWARDS.format(start=first, to=last, right=first + DAY))
    if last - first > LONGEST:
        raise Refused(TOO_LONG.format(start=first, to=last, days=(last - first).days))
    return instant(first, time(), zone), instant(last, time(), zone)


def slots(connection: sa.Connection, config: Config, names: Iterable[str], first: date, last: date) -> list[Slot]:
    """Every role of these coverages, days of each coverage's own zone."""
    found = [
        slot for name in names
        for slot in roster.slots(connection, config, name, *span(planning.zone_of(config, config.coverages[name]), first, last))
    ]
    return sorted(found, key=lambda each: (each.start, each.coverage, each.role))


def for_machines(given: Iterable[Slot]) -> list[dict[str, str | None]]:
    return [
        {"coverage": each.coverage, "organisation": each.organisation, "team": each.team, "person": each.person,
         "role": each.role, "mode": each.mode, "start": each.start.isoformat(), "end": each.end.isoformat()}
        for each in given
    ]


def table(config: Config, coverage: str, given: Sequence[Slot]) -> Iterator[Line]:
    """One line wherever somebody changes."""
    zone = planning.zone_of(config, config.coverages[coverage])
    mine = [each for each in given if each.coverage == coverage]
    for start, end, (primary, secondary) in cut(*([each for each in mine if each.role == role] for role in ROLES)):
        held = primary or secondary
        if held is not None:
            yield _line(config, zone, start, end, held, {"primary": primary, "secondary": secondary})


def _line(
    config: Config, zone: ZoneInfo, start: datetime, end: datetime, held: Slot, roles: Mapping[str, Slot | None]
) -> Line:
    first, last = start.astimezone(zone), end.astimezone(zone)
    wall = last.replace(tzinfo=None) - first.replace(tzinfo=None)
    until = f"{last:%H:%M}" if last.date() == first.date() or (last.time() == time() and wall <= DAY) else f"{last:%a %d %H:%M}"
    note = CHANGES.format(length=_length(end - start)) if first.utcoffset() != last.utcoffset() else ""
    return Line(
        f"{first:%a %d %b %Y}", f"{first:%H:%M}–{until}", held.team, held.mode.replace("_", " "),
        _who(config, roles["primary"]), _who(config, roles["secondary"]), note,
        any(each is not None and each.person is None for each in roles.values()),
    )


def _who(config: Config, slot: Slot | None) -> str:
    if slot is None:
        return ""
    if slot.person:
        return _name(config, slot.person)
    return GAP.format(why=WHY[slot.missing or roster.NOBODY].format(who=_name(config, slot.was or "")))


def _name(config: Config, person: str) -> str:
    return config.people[person].name if person in config.people else person


def _length(elapsed: timedelta) -> str:
    minutes = int(elapsed.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60:02}" if minutes % 60 else f"{minutes // 60} h"
