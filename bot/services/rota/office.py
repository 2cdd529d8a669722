"""Working hours: when a company's people may be told what can wait; never in their blackout."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.calendars import public_holidays
from bot.config import Config
from bot.services.leave import duty
from bot.services.leave.hours import DAY, instant, local_date
from bot.services.rota import telling

OPENS, CLOSES = time(8), time(18)
SATURDAY = 5
FAR = timedelta(days=14)            # no office stays closed for longer


def opens(config: Config, organisation: str, at: datetime) -> datetime:
    """`at` itself within the working hours of an organisation; else the instant at which the next ones begin, in UTC."""
    zone = ZoneInfo(config.organisations[organisation].timezone)
    day = local_date(zone.key, at)
    while day <= local_date(zone.key, at + FAR):
        if _works(config, organisation, day):
            start = max(at, instant(day, OPENS, zone))
            start = duty.in_blackout(config, organisation, start) or start
            if start < instant(day, CLOSES, zone):
                return start
        day += DAY
    return duty.in_blackout(config, organisation, at) or at


def is_open(config: Config, organisation: str, at: datetime) -> bool:
    return opens(config, organisation, at) == at


def working_days(config: Config, organisation: str, since: datetime, now: datetime) -> int:
    """How many working days have begun there after the day of `since`."""
    zone = config.organisations[organisation].timezone
    first, last = local_date(zone, since), local_date(zone, now)
    return sum(_works(config, organisation, first + n * DAY) for n in range(1, (last - first).days + 1))


def _works(config: Config, organisation: str, day: date) -> bool:
    labour = config.organisations[organisation].labour
    return day.weekday() < SATURDAY and (labour is None or day not in public_holidays(labour.holidays, day.year))


def tell_lead(connection: sa.Connection, config: Config, team: str, key: str, said: str, now: datetime) -> None:
    """Once for each key, in the working hours of the company; whoever stands in for a lead who has left."""
    found = config.teams[team]
    due_at = opens(config, found.organisation, now)
    colleagues = {name: each for name, each in config.people.items() if each.organisation == found.organisation}
    admins = [name for name, each in colleagues.items() if "rota_admin" in each.roles]
    for person in dict.fromkeys((found.lead, found.contact or found.lead, *admins)):
        if telling.tell(connection, config, person, key, said, now, due_at=due_at):
            return
