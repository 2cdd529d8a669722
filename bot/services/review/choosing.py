"""Which month is meant, and as of when it is looked at."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.errors import Refused
from bot.review.facts import Month
from bot.review.facts.month import NoMonth

NOT_A_MONTH = "\"{text}\" is no month: write year and month, as {example}."
IN_FUTURE = "{month} has not begun: the newest month that can be looked at is {newest}."

LATEST = 3                              # so many months are made up for at most


def own(config: Config) -> str:
    """The organisation that owns the platform."""
    mine = (key for key, each in config.organisations.items() if each.kind == "own")
    return next(mine, next(iter(config.organisations)))


def month_of(config: Config, text: str | None, now: datetime) -> Month:
    """The month that was asked for, by the owner's clocks; None: the last that is over. Raises Refused."""
    current = month_at(config, now)
    if text is None or not text.strip():
        return named(config, current.previous(), now)
    try:
        found = named(config, text.strip(), now)
    except NoMonth as problem:
        raise Refused(NOT_A_MONTH.format(text=text.strip()[:40], example=current.previous())) from problem
    if found.start > now:
        raise Refused(IN_FUTURE.format(month=found.name, newest=current.name))
    return found


def last_months(config: Config, now: datetime) -> list[Month]:
    """The months that are over and may still be sealed, oldest first."""
    last = month_of(config, None, now)
    return [month_of(config, last.previous(steps), now) for steps in range(LATEST - 1, -1, -1)]


def month_at(config: Config, at: datetime) -> Month:
    """The month that the owner's calendar shows at an instant."""
    zone = ZoneInfo(config.organisations[own(config)].timezone)
    return named(config, f"{at.astimezone(zone):%Y-%m}", at)


def named(config: Config, name: str, now: datetime) -> Month:
    """A month as of now, or as of its cut-off when that is past. Raises NoMonth."""
    owner = config.organisations[own(config)]
    calendar = owner.labour.holidays if owner.labour else None
    whole = Month.of(name, owner.timezone, calendar)
    return Month.of(name, owner.timezone, calendar, min(now, whole.cut_off))
