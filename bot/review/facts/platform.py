"""Incidents, agreed maintenance, and what was read from clouds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Impact:
    """A stretch in which a service did not do its work; `share` of requests that failed: 1 is an outage."""

    service: str
    start: datetime
    end: datetime | None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A stretch that both sides had agreed not to count."""

    services: tuple[str, ...]
    start: datetime
    end: datetime
    reason: str
    agreed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing owed to an authority or to clients about an incident."""

    kind: str                               # initial, intermediate, final, clients, bank_api
    due_at: datetime | None
    sent_at: datetime | None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that hurt users or could have; declared by a person. Instants are UTC."""

    id: int
    title: str
    service: str
    kind: str                               # outage, degraded, bank_api_down, security
    began_at: datetime
    detected_at: datetime
    declared_by: str
    aware_at: datetime | None = None
    ended_at: datetime | None = None
    cause: str | None = None                # the root cause, as a tag
    third_party: str | None = None
    drill: bool = False
    impacts: Sequence[Impact] = field(default_factory=tuple)
    alerts: Sequence[int] = field(default_factory=tuple)
    major: bool | None = None               # None: nobody has classified it
    reasons: Sequence[str] = field(default_factory=tuple)
    classified_at: datetime | None = None
    notices: Sequence[Notice] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Measure:
    """What was read from outside for one day: cost, capacity, availability. `body` is as its collector wrote it."""

    kind: str                               # cost, capacity, availability
    subject: str                            # an account, a pool of vigie.yaml, a service
    day: date
    read_at: datetime
    body: Mapping[str, Any]
