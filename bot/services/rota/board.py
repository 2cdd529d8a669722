"""Who is on, as people read it: now, this week, one person's shifts. Of the other company only whether it is covered."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import Actor, Desk
from bot.services.leave import duty, hours
from bot.services.rota import moments, planning, roster, telling
from bot.services.rota.planning import Stretch
from bot.services.rota.roster import Slot

NO_ROTA = "vigie.yaml has no coverages: nobody takes turns yet."
ZONE = "Times are {place}."
NOW = "*{coverage}*: {side} has the duty until {until}{mode}."
PERSON = "• {role} {who}{until}"
UNTIL = ", until {until}"
NEXT = "• next {side}{who}, from {at}"
HAS_IT, GAP = "{who}", "⚠ nobody{why}"
WHY = {"away": " ({was} is away)", "left": " ({was} has left)", "in_blackout": " (blackout)", "nobody": ""}
COVERED, NOT_COVERED = "covered", "⚠ not covered"
ON_CALL = ", on call"
IN_BLACKOUT = "🌙 {side} is in blackout until {until}: nobody there is reached."
BLACKOUT = "🌙 {side}: blackout {hours} ({place}), the next begins {at}."
REACHABLE = "{side} has no blackout."
DAY_HEAD, DAY_LINE, PART = "*{coverage}*, seven days", "• {day}: {parts}", "{start} {side} {who}"
HEAD_OF = "*Shifts of {who}*, {days} days ahead"
SHIFT_LINE = "• {number}{slot}{source}"
TURN, ONE_OF = "• {role} of {coverage}, {hours} ({place}){mode}: {days}", "{number}{day}{source}"
NUMBER = "`{id}` "
MORE = "… and later ones."
NONE_OF = "{who} has no shift in the next {days} days."
SOURCES = {"swap": " (swapped)", "override": " (changed)"}
OTHERS = (
    "Each company keeps its own roster: of {side} you see who is on duty now and whether it is covered (`{command} oncall`)."
)
ON_DUTY_NOW = "{who} is on duty now: {role} of {coverage}. "

WEEK, AHEAD = timedelta(days=7), timedelta(days=28)
LONGEST = timedelta(days=2)      # a shift that is asked for is told whole, not from now on
MOST_LINES = 30


def now(desk: Desk, reader: Actor) -> str:
    """Who is on, until when, who is next; how each company's blackout stands."""
    at, zone = desk.clock.now(), _zone(desk.config, reader)
    with desk.read() as connection:
        lines = [line for each in desk.config.coverages for line in _now(connection, desk.config, each, reader, at, zone)]
    if not lines:
        return NO_ROTA
    quiet = [line for each in desk.config.organisations if (line := _blackout(desk.config, each, at, zone))]
    return "\n".join([*lines, *quiet, ZONE.format(place=moments.place_of(zone))])


def week(desk: Desk, reader: Actor) -> str:
    """Seven days of each coverage, day by day."""
    zone, today = _zone(desk.config, reader), hours.local_date(_zone(desk.config, reader), desk.clock.now())
    start = hours.instant(today, time(), ZoneInfo(zone))
    end = hours.instant(today + WEEK, time(), ZoneInfo(zone))
    lines: list[str] = []
    with desk.read() as connection:
        for coverage in desk.config.coverages:
            lines.append(DAY_HEAD.format(coverage=coverage))
            lines += _days(desk.config, roster.slots(connection, desk.config, coverage, start, end), reader, zone)
    return "\n".join([*lines, ZONE.format(place=moments.place_of(zone))]) if lines else NO_ROTA


def of_person(desk: Desk, reader: Actor, person: str) -> str:
    """Somebody's shifts by their own clocks; only colleagues see them."""
    at, found = desk.clock.now(), desk.config.people[person]
    with desk.read() as connection:
        if found.organisation != reader.organisation:
            return _of_another(connection, desk.config, person, at)
        slots = ahead(connection, desk.config, person, at)
    if not slots:
        return NONE_OF.format(who=found.name, days=AHEAD.days)
    head, lines = HEAD_OF.format(who=found.name, days=AHEAD.days), list(_turns(desk.config, person, slots))
    return "\n".join([head, *lines[:MOST_LINES], *([MORE] if len(lines) > MOST_LINES else [])])


def ahead(connection: sa.Connection, config: Config, person: str, at: datetime) -> list[Slot]:
    """What somebody has from now on; what touches is told whole."""
    slots = roster.of_person(connection, config, person, at - LONGEST, at + AHEAD + LONGEST)
    return [each for each in slots if at < each.end and each.start < at + AHEAD]


def line(config: Config, person: str, slot: Slot) -> str:
    number, source = _marks(slot)
    return SHIFT_LINE.format(number=number, slot=telling.slot(config, person, slot), source=source)


def _marks(slot: Slot) -> tuple[str, str]:
    """The number by which it is swapped, and whether it came to whom by a change."""
    if slot.shift is None:
        return "", ""
    return NUMBER.format(id=slot.shift.id), SOURCES.get(slot.shift.source, "")


def _turns(config: Config, person: str, slots: Iterable[Slot]) -> Iterator[str]:
    """The days of one turn that have the same hours share a line: nobody reads sixty."""
    zone = telling.zone_of(config, person)
    for (coverage, role), turn in groupby(slots, key=lambda each: (each.coverage, each.role)):
        alike: dict[tuple[str, str], list[Slot]] = {}
        for each in turn:
            mode = ON_CALL if each.mode == "on_call" else ""
            alike.setdefault((moments.of_day(each.start, each.end, zone), mode), []).append(each)
        for (hours_of_day, mode), days in alike.items():
            yield TURN.format(role=role, coverage=coverage, hours=hours_of_day, place=moments.place_of(zone), mode=mode,
                              days=" · ".join(_day_of(each, zone) for each in days))


def _day_of(slot: Slot, zone: str) -> str:
    number, source = _marks(slot)
    return ONE_OF.format(number=number, day=f"{slot.start.astimezone(ZoneInfo(zone)):%a %d %b}", source=source)


# --- now --------------------------------------------------------------------------------------------------------------------


def _now(
    connection: sa.Connection, config: Config, coverage: str, reader: Actor, at: datetime, zone: str
) -> Iterator[str]:
    stretch = planning.stretch_at(config, coverage, at)
    until = until_passing(config, stretch)
    mode = ON_CALL if stretch.mode == "on_call" else ""
    yield NOW.format(coverage=coverage, side=_side(config, stretch.organisation), until=moments.shown(until, zone),
                     mode=mode)
    for each in roster.at(connection, config, coverage, at):
        ends = UNTIL.format(until=moments.shown(each.end, zone)) if each.end < until else ""
        yield PERSON.format(role=each.role, who=_named(config, each, reader), until=ends)
    first = next((each for each in roster.at(connection, config, coverage, until) if each.role == "primary"), None)
    if first:
        who = f": {config.people[first.person].name}" if first.person and _own(first, reader) else ""
        yield NEXT.format(side=_side(config, first.organisation), who=who, at=moments.shown(until, zone))


def until_passing(config: Config, stretch: Stretch) -> datetime:
    """When the duty passes to another team, at most a week ahead."""
    passing = planning.passings(config, stretch.coverage, stretch.start + planning.MOMENT, stretch.start + WEEK)
    return passing[0][1].start if passing else stretch.end


def _blackout(config: Config, organisation: str, at: datetime, zone: str) -> str:
    found = config.organisations[organisation]
    if found.blackout is None:
        return REACHABLE.format(side=found.name)
    if until := duty.in_blackout(config, organisation, at):
        return IN_BLACKOUT.format(side=found.name, until=moments.shown(until, zone))
    begins = next((start for start, _ in hours.spans(found.blackout, found.timezone, at, at + 2 * hours.DAY) if start > at), at)
    return BLACKOUT.format(
        side=found.name, hours=found.blackout, place=moments.place_of(found.timezone), at=moments.shown(begins, zone)
    )


def _of_another(connection: sa.Connection, config: Config, person: str, at: datetime) -> str:
    """Of the other company's people only what is needed to reach who is on duty."""
    found = config.people[person]
    on = next((each for name in config.coverages for each in roster.at(connection, config, name, at) if each.person == person),
              None)
    said = ON_DUTY_NOW.format(who=found.name, role=on.role, coverage=on.coverage) if on else ""
    return said + OTHERS.format(side=_side(config, found.organisation), command=config.command)


# --- the week ---------------------------------------------------------------------------------------------------------------


def _days(config: Config, slots: Iterable[Slot], reader: Actor, zone: str) -> Iterator[str]:
    place = ZoneInfo(zone)
    for day, of_day in groupby(slots, key=lambda each: each.start.astimezone(place).date()):
        told = [
            (start, _side(config, organisation), _together(config, list(some), reader))
            for (start, organisation), some in groupby(of_day, key=lambda each: (each.start, each.organisation))
        ]
        firsts = [next(alike) for _, alike in groupby(told, key=lambda each: each[1:])]     # what goes on is told once
        parts = [PART.format(start=f"{start.astimezone(place):%H:%M}", side=side, who=who) for start, side, who in firsts]
        yield DAY_LINE.format(day=f"{day:%a %d %b}", parts=" · ".join(parts))


def _together(config: Config, slots: list[Slot], reader: Actor) -> str:
    if all(_own(each, reader) for each in slots):
        return ", ".join(_named(config, each, reader) for each in slots)
    return COVERED if all(each.person for each in slots) else NOT_COVERED


def _named(config: Config, slot: Slot, reader: Actor) -> str:
    """The person; to the other company never why there is none."""
    if slot.person:
        return HAS_IT.format(who=config.people[slot.person].name)
    if not _own(slot, reader):
        return NOT_COVERED
    was = config.people[slot.was].name if slot.was in config.people else ""
    return GAP.format(why=WHY.get(slot.missing or "nobody", "").format(was=was))


def _own(slot: Slot, reader: Actor) -> bool:
    return slot.organisation == reader.organisation


def _side(config: Config, organisation: str) -> str:
    return config.organisations[organisation].name


def _zone(config: Config, reader: Actor) -> str:
    found = config.organisations.get(reader.organisation)
    return found.timezone if found else "UTC"
