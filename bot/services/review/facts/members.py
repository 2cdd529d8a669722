"""Alerts as their rows say that they were at one instant."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bot.services.review.facts.histories import History
from bot.store.alerts import SEVERITIES


class Member(NamedTuple):
    """One alert as it was known at one instant; the order is that of `months.MEMBER`."""

    id: int
    group_id: int
    fingerprint: str
    severity: str
    important: bool
    recognised: bool
    service: str
    title: str
    labels: str
    opened_at: datetime
    updated_at: datetime
    signals: int
    relapses: int
    recovered_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    runbook: str | None
    called_at: datetime | None
    fixed_by: int | None
    ending: str | None
    symptom: str | None


def members(
    rows: Iterable[sa.Row[tuple[object, ...]]], as_of: datetime, changed: Mapping[int, History]
) -> Iterator[Member]:
    """What came later than `as_of` was not yet so."""
    for member in map(Member._make, rows):
        if member.called_at is not None and member.called_at > as_of:
            member = member._replace(called_at=None)
        yield _before(member, changed[member.id]) if member.id in changed else member


def _before(alert: Member, then: History) -> Member:
    """The alert as it was, when its row tells of what came later."""
    return alert._replace(
        severity=then.severity or alert.severity, signals=then.signals, relapses=then.relapses, recovered_at=then.recovered_at,
        closed_at=then.closed_at, closed_by=then.closed_by, ending=then.ending,
        fixed_by=alert.fixed_by if then.closed_at else None,
    )


def worst(severities: Iterable[str]) -> str:
    return min(severities, key=SEVERITIES.index)
