"""Shifts as a calendar (ICS): of a person, a team or a coverage. Whoever reads it subscribes to it, or imports it anew."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from icalendar import Calendar, Event

from bot.config import Config
from bot.errors import Refused
from bot.services.rota import roster
from bot.services.rota.roster import Slot

PAST, AHEAD = timedelta(days=31), timedelta(days=62)
UID = "{coverage}-{role}-{start:%Y%m%dT%H%MZ}@vigie"     # not the number of a row: a shift that changes hands stays one event
PRODUCT = "-//Vigie//rota//EN"
REFRESH = timedelta(hours=4)

TITLE = "{coverage}: {who} ({role}, {mode})"
NOBODY = "nobody"
TEXT = "{team}, {role}, {mode}. Published {published:%Y-%m-%d %H:%M} UTC."
PLANNED = "{team}, {role}, {mode}. Planned in vigie.yaml, not published yet."

NOT_KNOWN = '"{name}" is no {what} of vigie.yaml; there are {known}.'


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose calendar; None stands for anybody, any team, any coverage."""

    person: str | None = None
    team: str | None = None
    coverage: str | None = None

    @property
    def name(self) -> str:
        return " ".join(each for each in (self.person, self.team, self.coverage) if each) or "rota"


def wanted(config: Config, person: str | None, team: str | None, coverage: str | None) -> Wanted:
    """Raises Refused for a name that vigie.yaml does not know."""
    found = config.person_named(person) if person else None
    for name, what, known in (
        (person if found is None else None, "person", config.people), (team, "team", config.teams),
        (coverage, "coverage", config.coverages),
    ):
        if name and name not in known:
            raise Refused(NOT_KNOWN.format(name=name, what=what, known=", ".join(known) or NOBODY))
    return Wanted(found[0] if found else None, team or None, coverage or None)


def export(connection: sa.Connection, config: Config, given: Wanted, now: datetime) -> bytes:
    """The last month and what is published; what is not published yet is tentative."""
    names = [given.coverage] if given.coverage else list(config.coverages)
    slots = [slot for name in names for slot in roster.slots(connection, config, name, now - PAST, now + AHEAD)]
    known = [each for each in slots if each.shift or each.start > now - timedelta(days=1)]
    return feed(config, given, known, now)


def feed(config: Config, given: Wanted, slots: Sequence[Slot], now: datetime) -> bytes:
    """A calendar of these slots; pure. UID: the role and the begin of the shift; SEQUENCE: how often it was published anew."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Vigie: {given.name}")
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    for pieces in _events(each for each in slots if _is_wanted(given, each)):
        calendar.add_component(_event(config, pieces, now))
    text: bytes = calendar.to_ical()
    return text


def _is_wanted(given: Wanted, slot: Slot) -> bool:
    return (given.person in (None, slot.person)) and (given.team in (None, slot.team))


def _events(slots: Iterable[Slot]) -> list[list[Slot]]:
    """The pieces of one shift that somebody has, or that nobody has, are one event."""
    found: dict[tuple[str, str | None], list[Slot]] = defaultdict(list)
    for each in sorted(slots, key=lambda one: (one.start, one.coverage, one.role)):
        found[_uid(each), each.person].append(each)
    whole: dict[str, list[Slot]] = {}
    for (uid, _), pieces in found.items():      # a shift is one event: what somebody has of it goes before what nobody has
        if uid not in whole or pieces[0].person is not None:
            whole[uid] = pieces
    return sorted(whole.values(), key=lambda each: each[0].start)


def _uid(slot: Slot) -> str:
    return UID.format(coverage=slot.coverage, role=slot.role, start=(slot.shift or slot).start)


def _event(config: Config, pieces: Sequence[Slot], now: datetime) -> Event:
    slot, shift = pieces[0], pieces[0].shift
    who = config.people[slot.person].name if slot.person in config.people else NOBODY
    words = {"role": slot.role, "mode": slot.mode.replace("_", " "), "team": slot.team}
    event = Event()
    event.add("uid", _uid(slot))
    event.add("sequence", shift.version if shift else 0)
    event.add("dtstamp", shift.published_at if shift else now)
    event.add("dtstart", slot.start)
    event.add("dtend", pieces[-1].end)
    event.add("summary", TITLE.format(coverage=slot.coverage, who=who, **words))
    event.add("description", TEXT.format(published=shift.published_at, **words) if shift else PLANNED.format(**words))
    event.add("status", "CONFIRMED" if shift else "TENTATIVE")
    event.add("transp", "OPAQUE" if slot.mode == "active" else "TRANSPARENT")
    return event
