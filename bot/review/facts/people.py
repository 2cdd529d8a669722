"""Duty and its price: who was on, who was called, what was worked, how duty was passed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Slot:
    """One role of a coverage for a stretch of the month (UTC); person None: nobody had it."""

    coverage: str
    organisation: str
    team: str
    role: str                               # primary, secondary
    mode: str                               # active, on_call
    person: str | None
    start: datetime
    end: datetime
    reachable: bool = True                  # False: somebody had it, and no way to reach them was known


@dataclass(frozen=True, slots=True)
class Page:
    """One attempt to reach one person by one medium."""

    person: str
    organisation: str
    group: int | None
    level: int
    role: str
    medium: str                             # mention, direct, or the scheme of a contact: sms, voice ...
    at: datetime
    state: str                              # due, sent, seen, failed, doubtful, held_back


@dataclass(frozen=True, slots=True)
class Intervention:
    """One stretch of somebody's work while on call; end None: still at it."""

    person: str
    organisation: str
    alert: int | None
    start: datetime
    end: datetime | None
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Handoff:
    """One passing of duty."""

    coverage: str
    boundary: datetime
    direction: str
    from_team: str
    to_team: str
    state: str                              # planned, draft, submitted, queried, accepted, missed
    outgoing: str | None
    incoming: str | None
    accepted_by: str | None
    accepted_at: datetime | None
    by_synthesis: bool                      # accepted by naming the top risk
    carried: int = 0                        # actions that it carried on
    oldest_carried_days: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the journal that the review counts by itself: rule breached, rule waived, rest moved, glass broken ..."""

    id: int
    at: datetime
    actor: str
    organisation: str
    kind: str
    object: str
    outcome: str
    details: Mapping[str, Any]
