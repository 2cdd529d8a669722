"""Groups of alerts, runs, silences and sources, as a month saw them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Ending = Literal["healed", "fixed", "person", "open"]


@dataclass(slots=True)
class Group:
    """The review's unit: alerts that shared a card; one that came back within 30 min of its end is still the same.

    Instants are UTC; what happened after the month's `as_of` is not known here. Not frozen: a month makes a hundred thousand,
    and to freeze them takes as long as to make them; whoever gathers may change one, sections only read.
    """

    id: int
    alert: int                              # the number of its first alert: people say #142
    service: str
    title: str
    pattern: str                            # what its repeats have in common: source, rule and labels, without digits and ids
    fingerprint: str                        # of its first alert, exactly
    sources: tuple[str, ...]                # cloudwatch, datadog ...
    severity: str                           # the worst
    important: bool
    recognised: bool                        # a rule, service or runbook matched when it opened
    opened_at: datetime
    runbook: str | None = None              # the one that recognises it
    symptom: str | None = None
    side: str | None = None                 # the organisation on duty when it opened
    signals: int = 1                        # notifications that it is made of
    alerts: int = 1
    relapses: int = 0
    cycles: int = 1                         # the most times that it opened within any 60 min
    reopened: bool = False                  # the same had ended earlier in the month, more than 30 min before
    called_at: datetime | None = None       # when the first person was called
    level: int = 0                          # how many levels were called: 0 none, 1 the first
    escalated: Literal["timeout", "manual"] | None = None       # how it came to a second level
    acked_at: datetime | None = None        # the first acknowledgement by a person
    acked_by: str | None = None
    acked_side: str | None = None           # the organisation of that person
    engaged_at: datetime | None = None      # the first run begun or comment written by a person
    resolved_at: datetime | None = None     # recovered for good, or closed by a person while it still fired
    closed_at: datetime | None = None
    closed_by: str | None = None
    closed_side: str | None = None          # the organisation on duty then
    ending: Ending = "open"                 # person: acted on before it ended, or closed by one; fixed: by Vigie alone
    fixed_by: int | None = None             # the run that is proven to have fixed it
    touched: bool = False                   # a person acted on it before it ended
    silenced: bool = False                  # a silence kept it from calling anybody
    verdict: str | None = None              # the newest: useful, noise, duplicate, missing-runbook, needs-fix
    verdict_by: str | None = None


@dataclass(slots=True)
class Echo:
    """What a month asks of the groups of the months before it; made by the hundred thousand, as a Group is."""

    alert: int                              # the number of its first alert
    service: str
    severity: str                           # the worst
    sources: tuple[str, ...]
    pattern: str
    opened_at: datetime
    alerts: int = 1                         # groups that it stands for


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a runbook."""

    id: int
    runbook: str
    title: str
    service: str
    purpose: str                            # fix, proof
    mode: str                               # manual, click, automatic
    state: str
    actor: str
    organisation: str
    group: int | None
    begun_at: datetime
    ended_at: datetime | None = None
    relapsed_at: datetime | None = None
    undone: bool = False                    # its steps were taken back
    glass: str | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """A service called nobody from `start` to `end`; None: it holds still."""

    id: int
    service: str
    by: str
    reason: str
    start: datetime
    end: datetime | None
    suppressed: int = 0                     # groups of the month that it kept quiet


@dataclass(frozen=True, slots=True)
class Source:
    """What came through one endpoint in the month."""

    endpoint: str
    source: str
    organisation: str
    observer: str
    signals: int
    groups: int
    last_at: datetime | None
    longest_silence_s: float | None         # between two signals, or between the month's ends and them
    dropped: int = 0                        # refused for good, since counting began
    unreadable: int = 0
