"""Somebody leaves: rights end at once, their shifts become a gap that is told, their swaps are void."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.desk import VIGIE, Desk
from bot.services.ledger import journal
from bot.services.rota import planning, roster, telling
from bot.services.shift import candidates, changing, swapping
from bot.services.shift.changing import Change
from bot.store import absences, shifts
from bot.store.shifts import Shift

OPEN = "🕳 {who} has left: {count} of {team} nobody has now, from {first} on. {who_else} `{command} override` gives them away."
ONE, SEVERAL = "one shift", "{count} shifts"
WHO_COULD, NOBODY_COULD = "Who could take the first, by the working-time rules: {names}.", "Nobody could take the first."
SOURCE = "leaver"


def deactivated(desk: Desk, team_id: str | None, user_id: str) -> bool:
    """Slack no longer has that user; whether it is somebody of ours, and news. Safe to repeat."""
    person = _person(desk.config, team_id, user_id)
    return person is not None and left(desk, person)


def reactivated(desk: Desk, team_id: str | None, user_id: str) -> bool:
    """Slack has that user again: rights return, shifts do not."""
    person, now = _person(desk.config, team_id, user_id), desk.clock.now()
    if person is None:
        return False
    with desk.begin("return") as connection:
        came = absences.welcome_back(connection, person)
        if came:
            journal.record(connection, actor=VIGIE, kind="person returned", object=f"person:{person}", outcome="done", at=now)
    return came


def left(desk: Desk, person: str) -> bool:
    """From now on they have no rights and no shifts; whether that is news. Safe to repeat."""
    now = desk.clock.now()
    try:
        with desk.begin("leave") as connection:
            if not absences.add_leaver(connection, person, now):
                return False
            journal.record(connection, actor=VIGIE, kind="person left", object=f"person:{person}", outcome="done", at=now)
            _open_shifts(desk, connection, person, _running(shifts.ahead(connection, now), person), now)
    except sa.exc.IntegrityError:       # another process was quicker
        return False
    swapping.act(desk)
    return True


def act(desk: Desk) -> int:
    """Opens published shifts of who is no longer in vigie.yaml, or is past their last day then; how many. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        gone, ahead = shifts.leavers(connection), shifts.ahead(connection, now)
    stale = [each for each in ahead if each.person and (each.person in gone or not _stays(desk.config, each))]
    return sum(_open_stale(desk, person, stale, now) for person in sorted({each.person for each in stale if each.person}))


def _open_stale(desk: Desk, person: str, stale: Sequence[Shift], now: datetime) -> int:
    try:
        with desk.begin("leave") as connection:
            mine = [each for each in _running(shifts.ahead(connection, now), person) if each in stale]
            _open_shifts(desk, connection, person, mine, now)
    except Refused:         # another process was quicker
        return 0
    return len(mine)


def _stays(config: Config, shift: Shift) -> bool:
    return roster.employed(config, shift.person or "", shift.start)


def _person(config: Config, team_id: str | None, user_id: str) -> str | None:
    found = config.person(team_id, user_id) or config.person(config.workspace, user_id)
    return found[0] if found else None


def _running(ahead: Sequence[Shift], person: str) -> list[Shift]:
    return [each for each in ahead if each.person == person]


def _open_shifts(desk: Desk, connection: sa.Connection, person: str, mine: Sequence[Shift], now: datetime) -> None:
    """They hold no longer; where the day is still cut so, nobody has them, and the lead is told."""
    config = desk.config
    covered = [each for each in mine if _is_covered(config, each)]
    shifts.supersede(connection, [each.id for each in mine if each not in covered], now)
    changing.put(desk, connection, [_nobody(each, now) for each in covered], VIGIE, now, tell=False)
    for team in dict.fromkeys(each.team for each in covered):
        _tell_lead(config, connection, person, team, [each for each in covered if each.team == team], now)


def _is_covered(config: Config, shift: Shift) -> bool:
    """Whether vigie.yaml still has that coverage, cut like that."""
    known = shift.coverage in config.coverages and shift.team in config.teams
    return known and any(
        shift.role in each.roles and each.team == shift.team
        for each in planning.stretches(config, shift.coverage, shift.start, shift.end)
    )


def _nobody(shift: Shift, now: datetime) -> Change:
    return Change(shift.coverage, shift.role, max(shift.start, now), shift.end, None, SOURCE)


def _tell_lead(
    config: Config, connection: sa.Connection, person: str, team: str, mine: Sequence[Shift], now: datetime
) -> None:
    lead, first = config.teams[team].lead, mine[0]
    able = candidates.able(connection, config, [_nobody(first, now)], now)
    who_else = WHO_COULD.format(names=telling.names(config, able)) if able else NOBODY_COULD
    count = ONE if len(mine) == 1 else SEVERAL.format(count=len(mine))
    said = OPEN.format(who=telling.name(config, person), count=count, team=team, first=telling.slot(config, lead, first),
                       who_else=who_else, command=config.command)
    telling.tell(connection, config, lead, f"left:{person}:{team}:{first.id}", said, now)
