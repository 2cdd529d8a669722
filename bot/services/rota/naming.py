"""What people mean when they name a person, a coverage, a role or a shift; raises Refused with the nearest there is."""

import difflib
import re
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.store import shifts
from bot.store.shifts import Shift

NOBODY = "Nobody of vigie.yaml is called \"{given}\". {hint}It knows {people}."
NO_COVERAGE = "There is no coverage \"{given}\". {hint}vigie.yaml has {names}."
NO_ROLE = "\"{given}\" is no role: say primary or secondary."
NO_SHIFT = "There is no shift {given}. `{command} shift` lists yours with their numbers."
CHANGED = "Shift {id} was changed meanwhile. `{command} shift` lists yours as they are now."
OF_OLD = "Shift {id} is of {coverage} as it was: vigie.yaml cuts its days otherwise by now, so nobody has to stand it."
DID_YOU_MEAN = "Did you mean {name}? "

ROLES = ("primary", "secondary")
LONGEST_NAME = 4


def person(config: Config, words: Sequence[str], own: str) -> tuple[str, tuple[str, ...]]:
    """The person whom the first words name (`me` is oneself), and the words that follow; the longest name counts."""
    if words and words[0].lower() == "me":
        return own, tuple(words[1:])
    for length in range(min(LONGEST_NAME, len(words)), 0, -1):
        if found := config.person_named(" ".join(words[:length])):
            return found[0], tuple(words[length:])
    given = words[0] if words else ""
    hint = _hint(given.lstrip("@").lower(), config.people)
    raise Refused(NOBODY.format(given=given[:40], hint=hint, people=", ".join(config.people)))


def coverage(config: Config, name: str) -> str:
    if name.lower() in config.coverages:
        return name.lower()
    names = ", ".join(config.coverages) or "none"
    raise Refused(NO_COVERAGE.format(given=name[:40], hint=_hint(name.lower(), config.coverages), names=names))


def role(name: str) -> str:
    """primary, however much of it was typed."""
    found = next((each for each in ROLES if name and each.startswith(name.lower())), None)
    if found is None:
        raise Refused(NO_ROLE.format(given=name[:40]))
    return found


def shift(connection: sa.Connection, config: Config, given: str) -> Shift:
    """The published shift of that number that still holds."""
    digits = re.fullmatch(r"(?:shift|#)?(\d{1,12})", given.lower())
    found = shifts.by_id(connection, int(digits[1])) if digits else None
    if found is None:
        raise Refused(NO_SHIFT.format(given=given[:40], command=config.command))
    if found.superseded_at is not None:
        raise Refused(CHANGED.format(id=found.id, command=config.command))
    if found.coverage not in config.coverages or found.team not in config.teams:
        raise Refused(OF_OLD.format(id=found.id, coverage=found.coverage))
    return found


def _hint(given: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(given, list(known), n=1)
    return DID_YOU_MEAN.format(name=near[0]) if near else ""
