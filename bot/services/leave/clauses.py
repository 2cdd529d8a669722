"""What a clause of a mandate allows, and what of a wish it does not; pure, so that every refusal can name the nearest one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo

from bot.config.powers import Bound, Clause
from bot.services.leave import hours
from runbooks.model import length

RUNBOOKS = "for {names}"
SERVICES = "for {names}, not {given}"
TARGETS = "on {names}, not {given}"
BETWEEN = "with {name} between {low:g} and {high:g}, not {given}"
AT_LEAST = "with {name} at least {low:g}, not {given}"
AT_MOST = "with {name} at most {high:g}, not {given}"
AMONG = "with {name} {choices}, not {given}"
HOURS = "{hours} (now it is {now} in {zone})"
STRETCH = "between {first} and {last}"
SEVERITIES = "for {names} alerts, not {given} ones"
NO_ALERT = "for {names} alerts, and no alert is named"


@dataclass(frozen=True, slots=True)
class Deed:
    """What a clause is asked about."""

    runbook: str
    service: str
    at: datetime
    zone: str                                       # of the mandate's organisation
    severity: str | None = None                     # of the alert
    parameters: Mapping[str, Any] = field(default_factory=dict)
    lock: str = ""                                  # what the run is about
    changes: Sequence[str] = ()                     # what its steps change, as far as known


Aspect = Callable[[Clause, Deed], Iterator[str]]


def missing(clause: Clause, deed: Deed, aspects: "Sequence[Aspect] | None" = None) -> list[str]:
    """What the clause allows instead, each as the end of "only ..."; empty: it allows the deed."""
    return [each for aspect in aspects or WHOLE for each in aspect(clause, deed)]


def runbooks(clause: Clause, deed: Deed) -> Iterator[str]:
    if not _any(clause.runbooks, deed.runbook):
        yield RUNBOOKS.format(names=listed(clause.runbooks))


def services(clause: Clause, deed: Deed) -> Iterator[str]:
    if clause.services and deed.service not in clause.services:
        yield SERVICES.format(names=listed(clause.services), given=deed.service)


def targets(clause: Clause, deed: Deed) -> Iterator[str]:
    """The run is about a target of the clause, or each thing is one that its steps change."""
    if not clause.targets or _any(clause.targets, deed.lock):
        return
    beyond = [each for each in deed.changes if not _any(clause.targets, each)]
    if beyond:
        yield TARGETS.format(names=listed(clause.targets), given=listed(beyond))


def parameters(clause: Clause, deed: Deed) -> Iterator[str]:
    for name, bound in clause.parameters.items():
        if name in deed.parameters:
            yield from _bound(name, bound, deed.parameters[name])


def daytime(clause: Clause, deed: Deed) -> Iterator[str]:
    if clause.hours and not any(hours.until(each, deed.zone, deed.at) for each in clause.hours):
        stretches = [STRETCH.format(first=each[:5], last=each[6:]) for each in clause.hours]
        now = deed.at.astimezone(ZoneInfo(deed.zone))
        yield HOURS.format(hours=listed(stretches), now=f"{now:%H:%M}", zone=deed.zone)


def severities(clause: Clause, deed: Deed) -> Iterator[str]:
    if not clause.severities or deed.severity in clause.severities:
        return
    words = SEVERITIES if deed.severity else NO_ALERT
    yield words.format(names=listed(clause.severities), given=deed.severity)


WHOLE: tuple[Aspect, ...] = (runbooks, services, targets, parameters, daytime, severities)
TOUCH: tuple[Aspect, ...] = (runbooks, services, daytime)      # to end a run, or to say what became of a step


def _any(patterns: Sequence[str], given: str) -> bool:
    return any(fnmatchcase(given, each) for each in patterns)


def _bound(name: str, bound: Bound, given: Any) -> Iterator[str]:
    if bound.among and str(given) not in map(str, bound.among):
        yield AMONG.format(name=name, choices=listed([str(each) for each in bound.among]), given=given)
    low, high, value = bound.minimum, bound.maximum, _number(given)
    fits = value is not None and (low is None or value >= low) and (high is None or value <= high)
    if (low is not None or high is not None) and not fits:
        words = AT_MOST if low is None else AT_LEAST if high is None else BETWEEN
        yield words.format(name=name, low=low, high=high, given=given)


def _number(given: Any) -> float | None:
    """A number, a length in seconds; None cannot be compared, so it is out of bounds."""
    if isinstance(given, bool):
        return None
    with suppress(ValueError, TypeError):
        return float(given)
    with suppress(ValueError):
        return length(given).total_seconds()
    return None


def listed(names: Sequence[str], last: str = "or") -> str:
    """Alice, Bruno or Paul."""
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
