"""People's time as the working-time rules look at it: shifts, turns and interventions become spans."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.calendars import public_holidays
from bot.config import Config
from bot.labour import Agreement, Employer, Kind, Span, View, Worker
from bot.services.rota import roster
from bot.services.rota.roster import Slot
from bot.store import programmes

# What was published counts for as long as the rules look back (twelve months of night work), and so does what is planned from
# now on; what was only planned, and of which nobody knows whether it was worked, no further than the longest run of days that
# they count.
LOOK_BACK, PLAN_BACK, LOOK_AHEAD = timedelta(weeks=53), timedelta(days=28), timedelta(days=8)

# The first programme that Vigie publishes was known from elsewhere, nobody can say since when: notice is not asked of it.
FIRST_PROGRAMME = "first programme"

KINDS: Mapping[str, Kind] = {"active": "work", "on_call": "on_call"}


def employer(config: Config, organisation: str, start: datetime, end: datetime) -> Employer:
    """What the rules ask of an organisation, with the public holidays of these years."""
    found = config.organisations[organisation]
    zone, labour = ZoneInfo(found.timezone), found.labour
    if labour is None:
        return Employer(found.name, zone, blackout=found.blackout)
    years = range((start - LOOK_BACK).year, (end + LOOK_AHEAD).year + 1)
    holidays = {day: name for year in years for day, name in public_holidays(labour.holidays, year).items()}
    return Employer(
        found.name, zone, holidays, found.blackout, labour.posted_rest, labour.night, labour.sunday_basis, labour.may1_basis,
        labour.night_basis, agreements(config, organisation),
    )


def agreements(config: Config, organisation: str) -> tuple[Agreement, ...]:
    labour = config.organisations[organisation].labour
    given = labour.agreements if labour else ()
    return tuple(Agreement(each.rule, each.parameter, each.value, each.title) for each in given)


def worker(config: Config, person: str) -> Worker:
    found = config.people[person]
    return Worker(person, found.regime, frozenset(found.flags))


def everybody(
    connection: sa.Connection, config: Config, start: datetime, end: datetime, now: datetime, view: View = "planned"
) -> dict[str, list[Span]]:
    """Everybody's spans by their key, for rules that are asked about [start, end): they reach back and beyond."""
    since, until = start - LOOK_BACK, end + LOOK_AHEAD if view == "planned" else min(end, now)
    planned_since = min(start - PLAN_BACK, max(since, now))
    spans: dict[str, list[Span]] = defaultdict(list)
    for coverage in config.coverages:
        known_since = programmes.first_start(connection, coverage) or start
        slots = roster.slots(connection, config, coverage, min(max(since, known_since), planned_since), until)
        counted = [each for each in slots if _counts(each, planned_since, view)]
        beside = _Beside(counted)
        for each in counted:
            spans[_holder(each) or ""].append(replace(span(each), covered=beside.covers(each)))
    spans.pop("", None)
    for call in programmes.interventions(connection, since, until):
        spans[call.person].append(
            Span(call.start, call.end or max(now, call.start), "intervention", confirmed=call.confirmed_at is not None)
        )
    return {person: sorted(each, key=lambda one: (one.start, one.end)) for person, each in spans.items()}


def span(slot: Slot, published_at: datetime | None = None, reason: str | None = None) -> Span:
    """A slot as somebody's time; known since it was published, or since `published_at`."""
    known, why = published_at, reason
    if known is None and slot.shift is not None and slot.shift.reason != FIRST_PROGRAMME:
        known, why = slot.shift.published_at, slot.shift.reason
    return Span(slot.start, slot.end, KINDS[slot.mode], known, slot.respond_within, reason=why)


def gained(
    person: str, slots: Iterable[Slot], others: Sequence[tuple[str | None, Slot]], now: datetime, reason: str | None
) -> list[Span]:
    """What somebody is given now. `others` have slots at these times too; the last who is named for one has it."""
    return [replace(span(each, now, reason), covered=_is_beside(person, each, others)) for each in slots]


def _is_beside(person: str, slot: Slot, others: Sequence[tuple[str | None, Slot]]) -> bool:
    beside = [
        who for who, each in others
        if each.coverage == slot.coverage and each.role != slot.role and each.start < slot.end and each.end > slot.start
    ]
    return bool(beside) and beside[-1] not in (None, person)


def without(spans: Iterable[Span], losses: Iterable[Slot]) -> list[Span]:
    """The same time less these slots; calls that were answered stay."""
    found = list(spans)
    for loss in losses:
        found = [piece for each in found for piece in _less(each, loss)]
    return found


def _less(each: Span, loss: Slot) -> Iterator[Span]:
    if each.kind != KINDS[loss.mode] or each.end <= loss.start or each.start >= loss.end:
        yield each
        return
    if each.start < loss.start:
        yield replace(each, end=loss.start)
    if each.end > loss.end:
        yield replace(each, start=loss.end)


def _counts(slot: Slot, planned_since: datetime, view: View) -> bool:
    """What was is what was published; the plan may be any turn that is not too long ago."""
    return slot.shift is not None or (view == "planned" and slot.start >= planned_since)


def _holder(slot: Slot) -> str | None:
    """Whoever is planned in the own blackout keeps the slot here, so that the rules can forbid it."""
    return slot.was if slot.missing == roster.IN_BLACKOUT else slot.person


class _Beside:
    """Who else is on at the same time, by coverage and role."""

    def __init__(self, slots: Sequence[Slot]) -> None:
        self._by_start: dict[datetime, list[Slot]] = defaultdict(list)
        for each in slots:
            self._by_start[each.start].append(each)

    def covers(self, slot: Slot) -> bool:
        """Somebody else is on from the same instant, at least as long: slots of one stretch are cut alike."""
        others = self._by_start[slot.start]
        return any(each.end >= slot.end and each.role != slot.role and each.person not in (None, slot.person) for each in others)
