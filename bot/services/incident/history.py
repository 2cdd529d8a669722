"""What was known of incidents at an instant: what people have said of them since is taken back, by the journal."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.journal import journal

Sent = tuple[int, str, datetime | None]      # incident, kind of report, its limit
Before = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


BEFORE: Mapping[str, Before] = {            # what a change says of how it was before; a journal leaves out what there was not
    "incident cause": lambda told: {"cause": told.get("cause_before")},
    "incident third party": lambda told: {"third_party": told.get("third_party_before")},
    "incident aware changed": lambda told: {"aware_at": _instant(told.get("before"))},
    "incident ended": lambda _told: {"ended_at": None},
}


def as_of(connection: sa.Connection, numbers: Iterable[int], at: datetime) -> dict[int, dict[str, Any]]:
    """By incident: the columns that were changed after then, with what they held then."""
    row, objects = journal.c, [f"incident:{each}" for each in numbers]
    query = sa.select(row.object, row.kind, row.details).where(row.object.in_(objects), row.kind.in_(list(BEFORE)), row.at > at)
    found: dict[int, dict[str, Any]] = {}
    for each in connection.execute(query.order_by(row.id.desc())):       # the first change since then is read last, and counts
        found.setdefault(int(each.object.rpartition(":")[2]), {}).update(BEFORE[each.kind](json.loads(each.details)))
    return found


def unsent(connection: sa.Connection, numbers: Iterable[int], at: datetime) -> set[Sent]:
    """Reports that were said to be sent only after then, though they may have been sent before."""
    row, objects = journal.c, [f"incident:{each}" for each in numbers]
    query = sa.select(row.object, row.details).where(row.object.in_(objects), row.kind == "notice sent", row.at > at)
    found = ((int(each.object.rpartition(":")[2]), json.loads(each.details)) for each in connection.execute(query))
    return {(number, told["notice"], _instant(told.get("due"))) for number, told in found}
