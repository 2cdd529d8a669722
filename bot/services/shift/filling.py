"""Programmes fill up by themselves: each team's turns are published 60 days ahead, at a certain date, once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.labour import Finding
from bot.labour.checking import change_nights
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.services.rota import moments, office, planning, roster, telling
from bot.services.rota.roster import Slot
from bot.services.shift.differing import ROTATION
from bot.services.slack.drawing import escape
from bot.services.worktime import lawful
from bot.services.worktime.timesheets import FIRST_PROGRAMME
from bot.store import programmes, shifts
from bot.store.programmes import Programme

AHEAD, NOTICE = timedelta(days=60), timedelta(days=15)
MOST_TOLD, LONGEST_REASON = 8, 500

NO_TURNS = "nobody takes turns"
LATE = "published late: nothing was published while Vigie did not run"
FORBIDS = "{rule} forbids {person}: {message}"

FIRST = "📅 The first programme of {team} for {coverage} is published, until {until}."
NOBODY_THEN = "⚠ Nobody has {slot}: {why}"
CLOCKS = "🕒 Published until {until}: {nights}."
MORE = "… and {count} more."


def fill(desk: Desk) -> int:
    """Publishes each team's turns up to 60 days ahead; how many programmes moved. Safe to repeat, and in two processes."""
    now, config = desk.clock.now(), desk.config
    with desk.read() as connection:
        short = [
            (coverage, team) for coverage in config.coverages for team in planning.teams_of(config, coverage)
            if _is_short(programmes.get(connection, coverage, team), now)
        ]
    return sum(_fill(desk, coverage, team, now) for coverage, team in short)


def _is_short(found: Programme, now: datetime) -> bool:
    return found.published_until is None or found.published_until < now + AHEAD


def _fill(desk: Desk, coverage: str, team: str, now: datetime) -> bool:
    config = desk.config
    end = planning.stretch_at(config, coverage, now + AHEAD).end
    with desk.begin("publish") as connection:
        found = programmes.get(connection, coverage, team)
        if not _is_short(found, now) or not programmes.publish(connection, found, end):
            return False
        running = planning.stretch_at(config, coverage, now).start
        begin = max(found.published_until or running, running)
        slots = [each for each in roster.plan(config, coverage, begin, end) if each.team == team]
        forbidden = _forbidden(connection, config, config.teams[team].organisation, slots, now)
        first = found.published_until is None
        shifts.add(connection, [_row(config, each, now, forbidden.get(each), first) for each in slots])
        _note(connection, found, begin, end, slots, forbidden, now)
        _tell_lead(connection, config, found, begin, end, forbidden, now)
    return True


def _forbidden(
    connection: sa.Connection, config: Config, organisation: str, slots: Sequence[Slot], now: datetime
) -> dict[Slot, Finding]:
    """The planned slots that a hard finding forbids to whoever has the turn."""
    if not slots:
        return {}
    found = lawful.hard(lawful.examine(connection, config, organisation, slots[0].start, slots[-1].end, now))
    forbidden: dict[Slot, Finding] = {}
    for person in sorted({each.person for each in found}):
        mine = [each for each in slots if each.person == person]
        forbidden |= lawful.sift(connection, config, person, mine, now)
    return forbidden


def _row(config: Config, slot: Slot, now: datetime, finding: Finding | None, first: bool) -> dict[str, Any]:
    person = None if finding else slot.person
    late = LATE if slot.start < now + NOTICE else None
    why = _why(config, finding) if finding else NO_TURNS if person is None else FIRST_PROGRAMME if first else late
    return {
        "coverage": slot.coverage, "organisation": slot.organisation, "team": slot.team, "role": slot.role, "mode": slot.mode,
        "person": person, "start": slot.start, "end": slot.end, "source": ROTATION, "version": 1, "published_at": now,
        "published_by": VIGIE.key, "reason": why,
    }


def _why(config: Config, finding: Finding) -> str:
    return FORBIDS.format(rule=finding.rule, person=config.people[finding.person].name, message=finding.message)


def _note(
    connection: sa.Connection, found: Programme, begin: datetime, end: datetime, slots: Sequence[Slot],
    forbidden: dict[Slot, Finding], now: datetime,
) -> None:
    nobody = [f"{slot.role} {slot.start.isoformat()}: {finding.rule} {finding.person}" for slot, finding in forbidden.items()]
    journal.record(
        connection, actor=VIGIE, kind="programme published", object=f"coverage:{found.coverage}", outcome="done", at=now,
        team=found.team, start=begin.isoformat(), end=end.isoformat(), shifts=len(slots), version=found.version + 1,
        nobody=nobody or None,
    )


def _tell_lead(
    connection: sa.Connection, config: Config, found: Programme, begin: datetime, end: datetime,
    forbidden: dict[Slot, Finding], now: datetime,
) -> None:
    """Only what is not as every day: a first programme, slots that nobody may have, nights in which clocks change."""
    team = config.teams[found.team]
    until = moments.shown(end, config.organisations[team.organisation].timezone)
    lines = [
        NOBODY_THEN.format(slot=telling.slot(config, team.lead, slot), why=escape(_why(config, finding), LONGEST_REASON))
        for slot, finding in forbidden.items()
    ]
    lines = lines[:MOST_TOLD] + ([MORE.format(count=len(lines) - MOST_TOLD)] if len(lines) > MOST_TOLD else [])
    if nights := change_nights(planning.zone_of(config, config.coverages[found.coverage]), begin, end):
        lines.append(CLOCKS.format(until=until, nights="; ".join(str(each) for each in nights)))
    if found.published_until is None:
        lines.insert(0, FIRST.format(team=found.team, coverage=found.coverage, until=until))
    if lines:
        key = f"programme:{found.coverage}:{found.team}:{found.version + 1}"
        office.tell_lead(connection, config, found.team, key, "\n".join(lines), now)
