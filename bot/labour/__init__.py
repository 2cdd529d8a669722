"""FAMILY: working-time rules. One file, one rule; pure arithmetic over spans, with parameters from a country's profile.

An aid to checking: the employer stays responsible. What the rules do not know is work outside of Vigie, second jobs, leave
and medical advice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal["work", "on_call", "intervention", "handoff"]
Regime = Literal["hours", "forfait-jours", "executive", "under-18", "none"]
Flag = Literal["no_night", "no_on_call"]
Severity = Literal["hard", "warn"]
View = Literal["planned", "actual"]

EMPLOYEES: frozenset[Regime] = frozenset({"hours", "forfait-jours", "executive", "under-18"})


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of somebody's time, in UTC. Everything but `on_call` is work; being on call without being called is rest."""

    start: datetime
    end: datetime
    kind: Kind = "work"
    published_at: datetime | None = None    # since when the person knows of it, at a certain date; None: not to be asked
    respond_within: timedelta | None = None     # how fast somebody on call must be at it
    covered: bool = False                   # a second person works beside, so that a break can be taken
    reason: str | None = None               # why it was published late

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def is_work(self) -> bool:
        return self.kind != "on_call"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A collective or company agreement that replaces one figure of the profile."""

    rule: str
    parameter: str
    value: Any
    title: str


@dataclass(frozen=True, slots=True)
class Employer:
    """What the rules ask of an organisation. `holidays` are the public holidays of its place, with their names."""

    name: str
    zone: ZoneInfo
    holidays: Mapping[date, str] = field(default_factory=dict)
    blackout: str | None = None             # 00:00-08:00, hours of its zone
    posted_rest: str | None = None          # 21:00-08:00
    night: str | None = None                # its own night, within what the law allows
    sunday_basis: str | None = None
    may1_basis: str | None = None
    night_basis: str | None = None
    agreements: tuple[Agreement, ...] = ()


@dataclass(frozen=True, slots=True)
class Worker:
    """What the rules may know of a person: no reasons, no names but the key of vigie.yaml."""

    key: str
    regime: Regime = "hours"
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Figures:
    """One rule's figures of a profile, with where they come from."""

    values: Mapping[str, Any]
    source: str
    confidence: str
    checked_on: date | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@dataclass(frozen=True, slots=True)
class Case:
    """One person's time, as planned or as it was: what every rule looks at.

    `spans` are sorted and may reach back before `start` and beyond `end`; findings are wanted for what touches [start, end).
    """

    worker: Worker
    employer: Employer
    spans: Sequence[Span]
    start: datetime
    end: datetime
    view: View = "planned"
    statements: Mapping[str, datetime] = field(default_factory=dict)    # month 2026-10: when its statement was given
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has to say: about whom and when, the evidence, and what would be lawful."""

    rule: str
    severity: Severity
    person: str
    start: datetime
    end: datetime
    message: str
    lawful: str
    source: str
    waiver: str | None = None               # the name of the waiver that the law knows for it: urgent_works


Check = Callable[[Case, Figures], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A member of the family."""

    name: str                               # R01
    title: str
    regimes: frozenset[Regime]
    check: Check
    waiver: str | None = None


def rule(name: str, title: str, regimes: Iterable[Regime], waiver: str | None = None) -> Callable[[Check], Rule]:
    """Makes a rule out of a function of a case and the rule's figures."""

    def make(check: Check) -> Rule:
        return Rule(name, title, frozenset(regimes), check, waiver)

    return make
