"""What a review asks of the journal of a month: what was told and done, how much of it, and the seals over it."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.journal import Line, Seal, journal, lines, seal
from bot.store.months import by_numbers, numbers, stream, within


def told(
    connection: sa.Connection, kinds: Collection[str], start: datetime, until: datetime, *about: sa.ColumnElement[bool]
) -> Iterator[sa.Row[Any]]:
    """Entries of the journal of these kinds from `start` up to `until`, in order."""
    query = sa.select(journal).where(*_between(connection, start, until), journal.c.kind.in_(tuple(kinds)), *about)
    return stream(connection, query.order_by(journal.c.id))


def acts(
    connection: sa.Connection, kinds: Collection[str], events: Collection[str], start: datetime, until: datetime
) -> Iterator[sa.Row[Any]]:
    """What people did about alerts in that time, and events whoever brought them about; in order.

    Object, instant, actor, organisation, kind.
    """
    row = journal.c
    person = sa.and_(row.actor != "vigie", row.actor.not_like("observer:%"))
    query = sa.select(row.object, row.at, row.actor, row.organisation, row.kind).where(
        *_between(connection, start, until), row.outcome == "done",
        sa.or_(row.kind.in_(tuple(events)), sa.and_(row.kind.in_(tuple(kinds)), person)),
    )
    return stream(connection, query.order_by(row.id))


def _between(connection: sa.Connection, start: datetime, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """From `start` up to `until`. By their numbers: whoever asks for their order would else read from the very first entry."""
    row = journal.c
    return within(row.id, numbers(connection, row.at, start, until)), row.at >= start, row.at <= until


def entries_of(connection: sa.Connection, alerts: Iterable[int], until: datetime) -> list[sa.Row[Any]]:
    """All that the journal has of these alerts up to then, in order."""
    row = journal.c
    query = sa.select(journal).where(row.at <= until, row.outcome == "done")
    found = by_numbers(connection, query, row.object, [f"alert:{each}" for each in sorted(alerts)])
    return sorted(found, key=lambda each: each.id)


def openings(connection: sa.Connection, alerts: Iterable[int], kind: str, until: datetime) -> Iterator[sa.Row[Any]]:
    """What was written down when these alerts were opened: object, details."""
    row = journal.c
    query = sa.select(row.object, row.details).where(row.kind == kind, row.at <= until)
    return by_numbers(connection, query, row.object, [f"alert:{each}" for each in sorted(alerts)])


def kinds(connection: sa.Connection, start: datetime, until: datetime) -> list[sa.Row[Any]]:
    """How many entries there are of each kind and outcome in [start, until)."""
    row = journal.c
    query = sa.select(row.kind, row.outcome, sa.func.count().label("entries")).where(row.at >= start, row.at < until)
    return list(connection.execute(query.group_by(row.kind, row.outcome).order_by(row.kind, row.outcome)))


def sealed(connection: sa.Connection, start: datetime, until: datetime) -> Iterator[Line | Seal]:
    """The seals made in that time, each behind the entries that it covers; before them all the last seal before."""
    row, range_ = seal.c, numbers(connection, seal.c.sealed_at, start, until)
    before = sa.select(sa.func.max(row.id)).where(row.id < range_[1], row.sealed_at < start).scalar_subquery()
    mine = (row.id >= sa.func.coalesce(before, 0), row.sealed_at <= until, row.id < range_[1])
    entries: Iterator[Line] = iter(())
    entry = None
    for number, each in enumerate(stream(connection, sa.select(seal).where(*mine).order_by(row.id))):
        found = Seal(*tuple(each))
        if number == 0:
            first = found.to_id + 1 if found.sealed_at < start else found.from_id
            entries = map(Line._make, stream(connection, lines(connection).where(journal.c.id >= first)))
            entry = next(entries, None)
        while entry is not None and entry.id <= found.to_id:
            yield entry
            entry = next(entries, None)
        yield found
