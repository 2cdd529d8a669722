"""FAMILY: working-time rules. One file, one rule; pure arithmetic over spans, with parameters from a country's profile.

An aid to checking: the employer stays responsible. What the rules do not know is work outside of Vigie, second jobs, leave
and medical advice. What rules share lies in `arithmetic`, the figures in `profiles`, the way in is `checking`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal["work", "on_call", "intervention", "handoff"]
Regime = Literal["hours", "forfait-jours", "executive", "under-18", "none"]
Flag = Literal["no_night", "no_on_call"]
Severity = Literal["hard", "warn"]
View = Literal["planned", "actual"]

# Executives (cadres dirigeants) are outside of what the law says of hours, rest, Sundays and holidays.
EMPLOYEES: frozenset[Regime] = frozenset({"hours", "forfait-jours", "executive", "under-18"})
TIMED: frozenset[Regime] = EMPLOYEES - {"executive"}
EVERYBODY: frozenset[Regime] = EMPLOYEES | {"none"}

BREACH = "breach: {message}"            # what has happened cannot be blocked any more


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
    confirmed: bool = True                  # an intervention whose start and end the person has confirmed

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
    night_worker: bool = False              # known to be one; `examine` also finds it out from the spans (R10)


@dataclass(frozen=True, slots=True)
class Figures:
    """One rule's figures of a profile, with where they come from."""

    values: Mapping[str, Any]
    source: str
    confidence: str
    checked_on: date | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def of(self, name: str, regime: Regime) -> Any:
        """The figure, in the form that it has for a regime (`max_day_h.under-18`)."""
        return self.values.get(f"{name}.{regime}", self.values[name])

    def hours(self, name: str, regime: Regime = "hours") -> timedelta:
        return timedelta(hours=self.of(name, regime))


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
class Remark:
    """What a rule's check has to say: when, the evidence, and what would be lawful."""

    severity: Severity
    start: datetime
    end: datetime
    message: str
    lawful: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with its rule, its person and the articles behind it."""

    rule: str
    severity: Severity
    person: str
    start: datetime
    end: datetime
    message: str
    lawful: str
    source: str
    waiver: str | None = None               # the name of the waiver that the law knows for it: urgent_works


Check = Callable[[Case, Figures], Iterable[Remark]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A member of the family."""

    name: str                               # R01
    title: str
    regimes: frozenset[Regime]
    check: Check
    waiver: str | None = None

    def findings(self, case: Case, figures: Figures) -> Iterator[Finding]:
        """What there is to say of [case.start, case.end): of that time alone, and never to whom the rule does not apply."""
        if case.worker.regime not in self.regimes:
            return
        for each in self.check(case, figures):
            if each.start < case.end and each.end > case.start:
                yield self._finding(case, figures, each)

    def _finding(self, case: Case, figures: Figures, said: Remark) -> Finding:
        hard = said.severity == "hard"
        message = BREACH.format(message=said.message) if hard and case.view == "actual" else said.message
        return Finding(
            self.name, said.severity, case.worker.key, said.start, said.end, message, said.lawful, figures.source,
            self.waiver if hard else None,
        )


def rule(name: str, title: str, regimes: Iterable[Regime], waiver: str | None = None) -> Callable[[Check], Rule]:
    """Makes a rule out of a function of a case and the rule's figures."""

    def make(check: Check) -> Rule:
        return Rule(name, title, frozenset(regimes), check, waiver)

    return make
