"""Which handoff is meant: the one that a button names, else the one that is this person's turn."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.desk import Actor, Desk
from bot.services.handoff import upcoming
from bot.store import handoffs
from bot.store.handoffs import Handoff

NAMED = re.compile(r"handoff(\d{1,12})")
AROUND = timedelta(days=3)

NO_COVERAGE = "There is nothing to hand over: vigie.yaml has no `coverages`."
UNKNOWN = "There is no such handoff any more. `{command} handoff` shows the one that is next."
NONE = {
    "note": "{side} hands nothing over in the next days. `{command} handoff` shows which handoff is next.",
    "accept": "Nothing waits for {side}'s acceptance. `{command} handoff` shows which handoff is next.",
    "query": "{side} has taken nothing over lately, so there is nobody to ask.",
    "answer": "Nobody has asked {side} anything about a handoff.",
}

Fits = Callable[[Handoff], bool]


def find(desk: Desk, actor: Actor, verb: str, ref: str | None) -> Handoff:
    """The handoff that `ref` names, or that fits the verb and the person; raises Refused."""
    named = NAMED.fullmatch(ref or "")
    with desk.read() as connection:
        found = handoffs.by_id(connection, int(named[1])) if named else _fitting(desk, connection, actor, verb)
    if found is not None and upcoming.is_known(desk.config, found):
        return found
    if not desk.config.coverages:
        raise Refused(NO_COVERAGE)
    if named:
        raise Refused(UNKNOWN.format(command=desk.config.command))
    side = desk.config.organisations[actor.organisation].name
    raise Refused(NONE.get(verb, UNKNOWN).format(side=side, command=desk.config.command))


def _fitting(desk: Desk, connection: sa.Connection, actor: Actor, verb: str) -> Handoff | None:
    now, every = desk.clock.now(), list(_every(desk, connection))
    passed = [each for each in reversed(every) if each.boundary <= now]
    ahead = [each for each in every if each.boundary > now]
    mine, theirs = _of(desk.config, actor, "from_team"), _of(desk.config, actor, "to_team")
    if verb == "note":
        return next(filter(mine, ahead), None)
    if verb in ("accept", "query"):
        return next(filter(theirs, passed), None) or next(filter(theirs, ahead), None)
    if verb == "answer":
        asked = (each for each in (*passed, *ahead) if mine(each) and handoffs.questions(connection, each.id))
        return next(asked, None)
    waiting = (each for each in passed[:1] if each.state != "accepted")
    kept = (each for each in ahead if each.state != "planned")
    return next(waiting, None) or next(kept, None) or next(iter((*passed, *ahead)), None)


def _every(desk: Desk, connection: sa.Connection) -> Iterator[Handoff]:
    """Those around now, by their boundaries."""
    since = desk.clock.now() - AROUND
    found = (each for name in desk.config.coverages for each in handoffs.since(connection, name, since))
    yield from sorted(found, key=lambda each: each.boundary)


def _of(config: Config, actor: Actor, side: str) -> Fits:
    """Whether the actor's company is on this side of a handoff."""
    def fits(found: Handoff) -> bool:
        team = config.teams.get(getattr(found, side))
        return team is not None and team.organisation == actor.organisation

    return fits
