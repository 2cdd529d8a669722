"""Tells somebody something about their shifts: one direct message a reason, in Slack when their blackout is over."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.services.leave import duty
from bot.services.rota import moments
from bot.services.rota.roster import Slot
from bot.store import cards, shifts

Offer = tuple[str, str, str]            # what the button says, the command it calls, its value

ROLE_OF = "{role} of {coverage}, {when} ({place})"
ON_CALL = ", on call"


def tell(
    connection: sa.Connection, config: Config, person: str, key: str, said: str, now: datetime, offers: Sequence[Offer] = (),
    due_at: datetime | None = None,
) -> bool:
    """Once for each key, and never in their blackout; false when there is nobody to tell: unknown, or gone."""
    found = config.people.get(person)
    if found is None or person in shifts.leavers(connection):
        return False
    at = max(due_at or now, now)
    said = said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")     # words of people are no markup
    cards.add_direct(connection, key, found.slack, said, now, duty.asleep(config, person, at) or at, offers)
    return True


def zone_of(config: Config, person: str) -> str:
    """The clocks by which somebody lives: those of their organisation."""
    return config.organisations[config.people[person].organisation].timezone


def slot(config: Config, person: str, given: Slot | shifts.Shift) -> str:
    """primary of platform, Mon 30 Nov 20:00–00:00 (Paris time), on call; by the clocks of that person."""
    return span(config, person, given.role, given.coverage, given.start, given.end, given.mode)


def span(
    config: Config, person: str, role: str, coverage: str, start: datetime, end: datetime, mode: str = "active"
) -> str:
    zone = zone_of(config, person)
    when = moments.between(start, end, zone)
    said = ROLE_OF.format(role=role, coverage=coverage, when=when, place=moments.place_of(zone))
    return said + (ON_CALL if mode == "on_call" else "")


def names(config: Config, people: Iterable[str]) -> str:
    """Léa, Omar or Inès."""
    every = [config.people[each].name for each in people if each in config.people]
    return " or ".join(part for part in (", ".join(every[:-1]), *every[-1:]) if part)


def name(config: Config, key: str | None) -> str:
    return config.people[key].name if key in config.people else (key or "")


def at(config: Config, person: str, instant: datetime) -> str:
    """Mon 30 Nov 20:00 by the clocks of that person."""
    return moments.shown(instant, zone_of(config, person))
