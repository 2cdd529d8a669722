"""Who may be reached at an instant, and who is called first."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.config import Config
from bot.services.leave import hours

SIDES = ("own", "partner")              # in this order they have the duty
CALLED = ("engineer", "lead")           # in this order they are called


def in_blackout(config: Config, organisation: str, at: datetime) -> datetime | None:
    """When the blackout ends in which that organisation's people are at this instant, in UTC; None: they may be reached."""
    found = config.organisations.get(organisation)
    return hours.until(found.blackout, found.timezone, at) if found and found.blackout else None


def awake(config: Config, at: datetime) -> list[str]:
    """Everybody who may be reached, in the order of vigie.yaml."""
    return [key for key, person in config.people.items() if in_blackout(config, person.organisation, at) is None]


def side_on_duty(config: Config, at: datetime) -> str | None:
    """The organisation whose people are called: the platform's owner, or the partner while the owner is in blackout."""
    return next((name for name in _sides(config) if in_blackout(config, name, at) is None and _called(config, name)), None)


def on_call(config: Config, at: datetime) -> Sequence[str]:
    """Who is called, in this order; never anybody in blackout. A rota will say it better."""
    side = side_on_duty(config, at)
    return _called(config, side) if side else []


def _sides(config: Config) -> Iterator[str]:
    for kind in SIDES:
        yield from (name for name, organisation in config.organisations.items() if organisation.kind == kind)


def _called(config: Config, organisation: str) -> list[str]:
    people = {key: person for key, person in config.people.items() if person.organisation == organisation}
    return list(dict.fromkeys(key for role in CALLED for key, person in people.items() if role in person.roles))
