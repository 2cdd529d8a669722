"""What people agreed about alerts: verdicts, decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """One side's verdict on one group."""

    group: int
    verdict: str
    by: str
    organisation: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """Something both sides agreed to do: who, until when, about what; carried until it is done or dropped."""

    id: int
    month: str                              # the review in which it was decided
    text: str
    kind: str                               # fix, tune, automate, delete, cut, other
    owner: str | None
    side: str                               # the organisation that has it
    due: date | None
    made_by: str
    made_at: datetime
    service: str | None = None
    pattern: str | None = None              # of the groups that it is about
    saving: str | None = None               # "2900 USD a month": as it was expected
    state: str = "open"                     # open, done, dropped; as of the month's `as_of`
    ended_at: datetime | None = None
    ended_by: str | None = None
    said: str | None = None                 # why it was dropped, or what was done
    days_before: float = 0                  # days looked at before it was done, and after
    groups_before: int = 0                  # groups of its pattern (or service) in those days
    days_after: float = 0
    groups_after: int = 0
    sleep_before_min: float = 0             # minutes of work in blackout or night about such groups
    sleep_after_min: float = 0
    alerts: Sequence[int] = field(default_factory=tuple)       # the newest few that it is about
