"""Alerts as their rows say that they were at one instant, group by group."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.review.facts import histories
from bot.store.alerts import SEVERITIES


@dataclass(slots=True)
class Member:
    """One alert as it was known at one instant."""

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
    rows: Iterable[sa.Row[Any]], as_of: datetime, changed: Mapping[int, histories.History]
) -> Iterator[list[Member]]:
    """Group by group, each with those of its alerts that were known by then."""
    group: list[Member] = []
    for row in rows:
        if group and group[0].group_id != row.group_id:
            yield group
            group = []
        if row.opened_at <= as_of and (group or row.id == row.group_id):
            group.append(_member(row, as_of, changed.get(row.id)))
    if group:
        yield group


def _member(row: sa.Row[Any], as_of: datetime, then: histories.History | None) -> Member:
    (number, group, print_, severity, important, recognised, service, title, labels, opened_at, _, signals, relapses,
     recovered_at, closed_at, closed_by, runbook, called_at, fixed_by, ending, symptom) = tuple(row)
    if called_at is not None and called_at > as_of:
        called_at = None
    member = Member(
        number, group, print_, severity, bool(important), bool(recognised), service, title, labels, opened_at, signals, relapses,
        recovered_at, closed_at, closed_by, runbook, called_at, fixed_by, ending, symptom,
    )
    if then is not None:
        then.tell(member)
    return member


def worst(severities: Iterable[str]) -> str:
    return min(severities, key=SEVERITIES.index)
