"""Who else could take a shift: colleagues who are there, free, and allowed to by the working-time rules."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.labour import Finding
from bot.services.leave import authority
from bot.services.rota import roster
from bot.services.shift import changing
from bot.services.shift.changing import Change
from bot.services.worktime import lawful
from bot.store import shifts


def able(connection: sa.Connection, config: Config, changes: Sequence[Change], now: datetime) -> dict[str, list[Finding]]:
    """Who of the company could take all of this lawfully, with what the rules remark of it."""
    moved = changing.moves(connection, config, changes)
    first = changes[0]
    sides = {each.organisation for each in changing.slots_of(connection, config, first)}
    busy = {
        slot.person for each in changes
        for slot in roster.slots(connection, config, each.coverage, each.start, each.end) if slot.person
    }
    gone = shifts.leavers(connection)
    away = {each.person for one in changes for each in shifts.absences(connection, one.start, one.end)}
    found: dict[str, list[Finding]] = {}
    for key, person in config.people.items():
        if person.organisation not in sides or key in busy | gone | away | moved.losses.keys():
            continue
        if not authority.may(person.roles, "act") or not roster.employed(config, key, first.start):
            continue
        findings = changing.examine(connection, config, [changing.to(each, key) for each in changes], now)
        if not lawful.hard(findings):
            found[key] = findings
    return found
