"""The note of a handoff, made from what the rows say now: who is on next, the state, and all that is asked elsewhere."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.response import called, lasting
from bot.services.desk import Desk
from bot.services.handoff import past, standing
from bot.services.handoff.note import Asked, Note, Turn, state_of
from bot.services.handoff.protocol import Times, line_due
from bot.services.leave import duty
from bot.services.rota import planning, roster
from bot.store import handoffs
from bot.store.handoffs import Handoff

LOCAL = "%a %d %b %H:%M"
PREVIOUS = {
    "accepted": "the one before was accepted by {who}",
    "missed": "the one before was accepted by nobody",
}


def gather(desk: Desk, connection: sa.Connection, found: Handoff, times: Times, now: datetime) -> Note:
    """All of it, as it is now."""
    config, where = desk.config, standing.Place(desk, connection, found, times, now)
    opened, running = standing.opened(where), standing.running(where)
    coming, watch = standing.coming(where), past.watch(where)
    zone = planning.zone_of(config, config.coverages[found.coverage])
    dark, dark_until = _dark(config, found)
    return Note(
        coverage=found.coverage, giver=_side(config, found.from_team, found), taker=_side(config, found.to_team, found),
        direction=found.direction, boundary=found.boundary, local=found.boundary.astimezone(zone).strftime(LOCAL),
        ends=times.over_at, length=lasting(times.over_at - times.passes_at), clocks=_clocks(config, found, times),
        previous=_previous(desk, connection, found), turns=tuple(_turns(connection, config, found)), dark=dark,
        dark_until=dark_until, opened=opened, running=running, coming=coming, watch=watch, closed=past.closed(where),
        actions=standing.actions(where), computed=state_of(opened, running, coming, watch), raised=found.raised or "",
        lead=called(desk, config.teams[found.to_team].lead), line_due=line_due(times),
        overdue=now > line_due(times) and not found.line,
        line=found.line or "", line_by=called(desk, found.submitted_by) if found.submitted_by else "",
        if_then=tuple(json.loads(found.if_then)), questions=tuple(_asked(desk, connection, found)), at=now,
    )


def _side(config: Config, team: str, found: Handoff) -> str:
    """The company; between two teams of one company, the team."""
    names = {config.teams[each].organisation for each in (found.from_team, found.to_team)}
    return team if len(names) == 1 else config.organisations[config.teams[team].organisation].name


def _clocks(config: Config, found: Handoff, times: Times) -> str:
    """Whether clocks go back or forward in the shift that begins."""
    zone = planning.zone_of(config, config.coverages[found.coverage])
    begin, end = (each.astimezone(zone).utcoffset() or timedelta() for each in (times.passes_at, times.over_at))
    return "" if begin == end else "back" if end < begin else "forward"


def _previous(desk: Desk, connection: sa.Connection, found: Handoff) -> str:
    before = handoffs.before(connection, found.coverage, found.boundary)
    told = PREVIOUS.get(before.state, "") if before else ""
    return told.format(who=called(desk, before.accepted_by)) if before else ""


def _turns(connection: sa.Connection, config: Config, found: Handoff) -> Iterator[Turn]:
    """Who is on right after the boundary."""
    for slot in sorted(roster.at(connection, config, found.coverage, found.boundary), key=lambda each: each.role):
        person = config.people.get(slot.person or "")
        name = person.name if person else "nobody"
        yield Turn(name=name, role=slot.role, until=slot.end, ways=len(person.contacts) if person else 0)


def _dark(config: Config, found: Handoff) -> tuple[str, datetime | None]:
    """Whose people may not be reached once the duty has passed."""
    giver = config.teams[found.from_team].organisation
    until = duty.in_blackout(config, giver, found.boundary)
    return (config.organisations[giver].name, until) if until else ("", None)


def _asked(desk: Desk, connection: sa.Connection, found: Handoff) -> Iterator[Asked]:
    for each in handoffs.questions(connection, found.id):
        answered = called(desk, each.answered_by) if each.answered_by else ""
        yield Asked(id=each.id, by=called(desk, each.asked_by), text=each.text, answer=each.answer or "", answered_by=answered)
