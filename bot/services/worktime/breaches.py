"""What the working-time rules find of what was: nothing can be blocked any more, so the lead follows it up."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import VIGIE, Desk
from bot.services.leave import hours
from bot.services.ledger import journal as ledger
from bot.services.rota import office
from bot.services.worktime import lawful
from bot.store import cards, journal

BREACH = "⚖ To follow up, the working-time rules find of what was:\n{line}"

STATEMENTS = "R14"                      # has its own day
LOOKED = "hours examined"
AT, BACK = time(9), timedelta(days=2)   # once a day: somebody may have begun too early after a call


def act(desk: Desk) -> int:
    """Once a day looks at the last two days of each employer; how many looks. Safe to repeat."""
    now, looks = desk.clock.now(), 0
    for organisation, side in desk.config.organisations.items():
        today = hours.local_date(side.timezone, now)
        if side.labour is None or not desk.config.coverages or now < hours.instant(today, AT, ZoneInfo(side.timezone)):
            continue
        about = f"organisation:{organisation}:{today}"
        with desk.read() as connection:
            if journal.about(connection, [about], 1):
                continue
        with desk.begin("examine hours") as connection:
            found = look(connection, desk.config, organisation, now - BACK, now, now)
            ledger.record(connection, actor=VIGIE, kind=LOOKED, object=about, outcome="done", at=now, breaches=found)
        looks += 1
    return looks


def look(connection: sa.Connection, config: Config, organisation: str, start: datetime, end: datetime, now: datetime) -> int:
    """Journals what is new of [start, end), and tells the lead in office hours; how much was new."""
    found = lawful.hard(lawful.examine(connection, config, organisation, start, min(end, now), now, "actual"))
    teams = [name for name, team in config.teams.items() if team.organisation == organisation]
    new = 0
    for each in found:
        key = f"breach:{each.rule}:{each.person}:{int(each.start.timestamp())}"
        if each.rule == STATEMENTS or cards.by_key(connection, key) is not None or not teams:
            continue
        ledger.record(connection, actor=VIGIE, kind="rule breached", object=f"person:{each.person}", outcome="done", at=now,
                      rule=each.rule, evidence=each.message, start=each.start.isoformat(), end=each.end.isoformat())
        office.tell_lead(connection, config, teams[0], key, BREACH.format(line=lawful.line(config, each)), now)
        new += 1
    return new
