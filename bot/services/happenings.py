"""What the journal has told since the last look, as far as it is counted: decisions, endings, approvals. Each entry once."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.services.alert.folding import OPENED
from bot.services.desk import VIGIE
from bot.store import approvals, figures, runs
from bot.store.journal import Entry

MOST_ENTRIES = 100_000      # of the journal, in one look; what is left is told with the next
PERSON, NOBODY = "person", "nobody"


@dataclass(frozen=True, slots=True)
class Decided:
    """Vigie decided about an alert."""

    decision: str


@dataclass(frozen=True, slots=True)
class Closed:
    """An alert was closed: healed or fixed by Vigie, else by a person."""

    ending: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A run is over."""

    state: str
    mode: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A person said yes, so long after the question."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Called:
    """A person was called, or nobody could be."""

    role: str


@dataclass(frozen=True, slots=True)
class Rung:
    """A person was rung beside Slack: done, or failed."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Missing:
    """The auditor found an alert that was forgotten."""


Happening = Decided | Closed | Ended | Approved | Called | Rung | Missing
Reading = Callable[[sa.Connection, Entry, dict[str, Any]], Happening | None]


class Happenings:
    """Reads what is sealed: before its seal, an older entry may still appear. What was there at the first look is not told."""

    def __init__(self) -> None:
        self._read_to: int | None = None

    def since_last(self, connection: sa.Connection) -> list[Happening]:
        """In the order of the journal; when the database falls silent meanwhile, all of it is told the next time."""
        sealed = figures.sealed_to(connection)
        begin = sealed if self._read_to is None else self._read_to
        end = min(sealed, begin + MOST_ENTRIES)
        entries = figures.told(connection, begin, end, READ)
        read = [READ[each.kind](connection, each, json.loads(each.details)) for each in entries]
        self._read_to = end
        return [each for each in read if each is not None]


def _opened(_connection: sa.Connection, _entry: Entry, told: dict[str, Any]) -> Happening | None:
    """What is neither recognised nor important is only shown: that is decided as it opens."""
    return Decided(told["decision"]) if "decision" in told else None


def _decided(_connection: sa.Connection, _entry: Entry, told: dict[str, Any]) -> Happening:
    return Decided(told["what"])


def _closed(_connection: sa.Connection, entry: Entry, told: dict[str, Any]) -> Happening:
    return Closed(told["ending"] if entry.actor == VIGIE.key else PERSON)


def _ended(connection: sa.Connection, entry: Entry, told: dict[str, Any]) -> Happening | None:
    """That somebody wants it cancelled is an entry of the same kind, which says nothing of how it ended."""
    run = runs.by_id(connection, told["run"])
    return Ended(run.state, run.mode, run.purpose) if run and "said" in told else None


def _approved(connection: sa.Connection, entry: Entry, told: dict[str, Any]) -> Happening | None:
    """What was given beforehand made nobody wait."""
    asked = approvals.get(connection, told["approval"])
    return None if "standing" in told else Approved((entry.at - asked.asked_at).total_seconds())


def _called(_connection: sa.Connection, entry: Entry, told: dict[str, Any]) -> Happening:
    """Older entries do not say as what."""
    return Called(told.get("role", "primary") if told.get("who") else NOBODY)


def _rung(_connection: sa.Connection, entry: Entry, _told: dict[str, Any]) -> Happening:
    return Rung(entry.outcome)


def _missing(_connection: sa.Connection, _entry: Entry, _told: dict[str, Any]) -> Happening:
    return Missing()


READ: dict[str, Reading] = {
    OPENED: _opened, "alert decided": _decided, "alert closed": _closed, "approval signed": _approved,
    "person called": _called, "person rung": _rung, "call missing": _missing,
    **{f"run {state}": _ended for state in runs.ENDED},
}
