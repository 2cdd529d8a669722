"""The journal of a month as evidence: how many entries of which kind, and whether its seals still hold."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa

from bot.review.facts import Month, Trail
from bot.services.ledger.faults import HEAD_GONE, TRUNCATED, Fault, Head
from bot.services.ledger.inspection import Inspection
from bot.store import echoes, journal, months, reviews, testimony
from bot.store.journal import Line, Seal

REFUSED, NONE = "refused", "none"
MARK = "***"                            # in a card number as it is kept: 411111******1111
_CARD = re.compile(r"\d{6}\*{3,9}\d{4}(?!\d)")


def trail(connection: sa.Connection, month: Month) -> Trail:
    """Reads what was sealed from the month's beginning until what is known; what came before was looked at a month ago."""
    counts = testimony.kinds(connection, month.start, month.until)
    kinds: Counter[str] = Counter()
    for row in counts:
        kinds[row.kind] += row.entries
    return replace(
        _look(connection, month), entries=kinds.total(), kinds=dict(sorted(kinds.items())), masked=_masked(connection, month),
        refused=sum(row.entries for row in counts if row.outcome == REFUSED), began=_began(connection),
    )


def _began(connection: sa.Connection) -> datetime | None:
    return min((at for at in (journal.first_at(connection), echoes.oldest(connection)) if at), default=None)


def _look(connection: sa.Connection, month: Month) -> Trail:
    """Each entry against the seal over it, each seal against the one before it; page by page, however long."""
    inspection, days = Inspection(), set[date]()
    head: Seal | None = None
    for told in testimony.sealed(connection, month.start, month.as_of):
        if isinstance(told, Line):
            inspection.entry(told)
            continue
        if head is None and told.sealed_at < month.start:
            inspection.go_on(told)
        else:
            inspection.seal(told)
            days |= {month.local(told.sealed_at).date()} if month.has(told.sealed_at) else set()
        head = told
    inspection.finish()
    bad = inspection.faults[0] if inspection.faults else _cut_off(connection, month, head)
    return Trail(
        ok=bad is None if inspection.seals or bad else None,
        head=head.hash if head else None, sealed_to=head.to_id if head else 0,
        first_bad=bad.id if bad else None, why=str(bad) if bad else None, seals=inspection.seals, days_sealed=len(days),
    )


def _cut_off(connection: sa.Connection, month: Month, last: Seal | None) -> Fault | None:
    """Each sealed review names the seal that was the last one then: where that is gone, so is all that came after it."""
    known = reviews.newest_head(connection, month.as_of)
    if known is None or journal.has_seal(connection, known):
        return None
    words = HEAD_GONE.format(head=Head(known), last=Head(last.hash, last.id) if last else NONE)
    return Fault(TRUNCATED, last.to_id + 1 if last else 1, words)


def _masked(connection: sa.Connection, month: Month) -> dict[str, int]:
    """Card numbers that came in and were masked, by endpoint."""
    found: Counter[str] = Counter()
    for row in months.masked(connection, month.start, month.until, MARK):
        found[row.endpoint] += len(_CARD.findall(row.body))
    return {endpoint: count for endpoint, count in sorted(found.items()) if count}
