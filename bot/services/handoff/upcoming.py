"""Which handoffs there will be, days ahead; and between whom: asked anew at each step, so that a swap counts."""

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.services import singly
from bot.services.desk import VIGIE, Desk
from bot.services.handoff import protocol
from bot.services.handoff.protocol import Times
from bot.services.ledger import journal
from bot.services.rota import planning, roster
from bot.services.rota.planning import MOMENT, Stretch
from bot.store import handoffs
from bot.store.handoffs import Handoff

AHEAD, BACK = timedelta(days=2), timedelta(days=14)
AROUND = timedelta(days=7)              # how far away the passings before and after are looked for
DIRECTIONS = {("own", "partner"): protocol.TO_PARTNER, ("partner", "own"): protocol.TO_OWN}


@dataclass(frozen=True, slots=True)
class Sides:
    """Who hands over, and who takes over; nobody is named who cannot have it."""

    outgoing: str | None
    incoming: str | None
    secondary: str | None       # of the incoming side, when that is somebody else
    lead: str                   # of the incoming team
    standby: str                # the outgoing team's lead


def plan(desk: Desk) -> int:
    """A row for each passing in the next days, and for those missed while nothing ran; returns for how many coverages."""
    now = desk.clock.now()
    return singly.each("handoff plan", desk.config.coverages, lambda one: _plan(desk, one, now))


def _plan(desk: Desk, coverage: str, now: datetime) -> int:
    with desk.read() as connection:
        known = handoffs.since(connection, coverage, now - BACK)
    last = known[-1].boundary if known else now
    ahead = planning.passings(desk.config, coverage, min(last, now), now + AHEAD)
    there = {each.boundary for each in known}
    wanted = [pair for pair in ahead if pair[1].start not in there and (pair[1].start >= now or pair[1].start > last)]
    gone = [each for each in known if _is_gone(each, ahead, now)]
    if not wanted and not gone:
        return 0
    with desk.begin("handoff: plan") as connection:
        for each in gone:
            if handoffs.forget(connection, each.id):
                _note(connection, "handoff dropped", each.id, now, boundary=each.boundary.isoformat())
        return sum(_add(desk, connection, before, after, now) for before, after in wanted)


def _is_gone(known: Handoff, ahead: list[tuple[Stretch, Stretch]], now: datetime) -> bool:
    """It was planned, and the days are cut otherwise by now."""
    if known.state != "planned" or not now <= known.boundary < now + AHEAD:
        return False
    return (known.boundary, known.from_team, known.to_team) not in {(b.start, a.team, b.team) for a, b in ahead}


def _add(desk: Desk, connection: sa.Connection, before: Stretch, after: Stretch, now: datetime) -> bool:
    config, team = desk.config, desk.config.teams[after.team]
    made = handoffs.plan(
        connection, coverage=after.coverage, boundary=after.start, from_team=before.team, to_team=after.team,
        direction=_direction(config, before, after), channel=config.channels[team.channel or config.default_channel],
        due_at=now,
    )
    if made is not None:
        _note(connection, "handoff planned", made, now, boundary=after.start.isoformat(), to=after.team)
    return made is not None


def _direction(config: Config, before: Stretch, after: Stretch) -> str:
    giver, taker = (config.organisations[each.organisation].kind for each in (before, after))
    return DIRECTIONS.get((giver, taker), protocol.WITHIN)


def is_known(config: Config, found: Handoff) -> bool:
    """Whether vigie.yaml still has what it is about."""
    return found.coverage in config.coverages and {found.from_team, found.to_team} <= set(config.teams)


def drop(connection: sa.Connection, found: Handoff, now: datetime) -> bool:
    """It goes on no more: vigie.yaml no longer has its coverage or one of its teams."""
    dropped = handoffs.move(connection, found, due_at=None)
    if dropped:
        _note(connection, "handoff dropped", found.id, now, boundary=found.boundary.isoformat())
    return dropped


def times(config: Config, found: Handoff) -> Times:
    """Between which instants a handoff lies."""
    at = found.boundary
    passes = planning.passings(config, found.coverage, at - AROUND, at + AROUND)
    begun = max((after.start for _, after in passes if after.start < at), default=at - AROUND)
    over = min((after.start for _, after in passes if after.start > at), default=at + AROUND)
    active = [each.end for each in planning.stretches(config, found.coverage, begun, at) if each.mode == "active"]
    return Times(found.direction, begun, active[-1] if active else None, at, over)


def sides(connection: sa.Connection, config: Config, found: Handoff) -> Sides:
    """The primaries right before and at the boundary; where nobody is, the secondary, else the lead."""
    outgoing, _ = _on(connection, config, found.coverage, found.boundary - MOMENT)
    incoming, second = _on(connection, config, found.coverage, found.boundary)
    taker, giver = config.teams[found.to_team], config.teams[found.from_team]
    return Sides(outgoing or giver.lead, incoming or taker.lead, second, taker.lead, giver.lead)


def _on(connection: sa.Connection, config: Config, coverage: str, at: datetime) -> tuple[str | None, str | None]:
    """Who is first on at an instant, and who second."""
    slots = sorted(roster.at(connection, config, coverage, at), key=lambda each: each.role)
    people = list(dict.fromkeys(each.person for each in slots if each.person))
    return next(itertools.chain(people, [None])), people[1] if len(people) > 1 else None


def _note(connection: sa.Connection, kind: str, handoff_id: int, now: datetime, **details: str) -> None:
    journal.record(connection, actor=VIGIE, kind=kind, object=f"handoff:{handoff_id}", outcome="done", at=now, **details)
