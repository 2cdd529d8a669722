"""Monthly statements: given once, never changed, never deleted."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.shifts import intervention, shift, statement


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody was given about a month; `body` is JSON, `digest` its hash."""

    person: str
    month: str
    organisation: str
    given_at: datetime
    body: str
    digest: str


def give(
    connection: sa.Connection, person: str, month: str, organisation: str, now: datetime, body: str, digest: str
) -> None:
    """Raises IntegrityError when this one was given before."""
    connection.execute(statement.insert().values(
        person=person, month=month, organisation=organisation, given_at=now, body=body, digest=digest
    ))


def without(connection: sa.Connection, month: str, organisation: str, start: datetime, end: datetime) -> list[str]:
    """Whoever of an organisation was on call or called in [start, end), and has no statement of that month yet."""
    held, call = shift.c, intervention.c
    given = sa.select(statement.c.person).where(statement.c.month == month)
    on_call = sa.select(held.person).where(
        held.organisation == organisation, held.mode == "on_call", held.person.not_in(given), held.superseded_at.is_(None),
        held.start < end, held.end > start,
    )
    called = sa.select(call.person).where(
        call.organisation == organisation, call.person.not_in(given), call.start < end,
        sa.or_(call.end.is_(None), call.end > start),
    )
    return sorted(connection.execute(sa.union(on_call, called)).scalars())


def of_month(connection: sa.Connection, month: str, person: str | None = None) -> list[Statement]:
    """Those of a month, sorted by person; or that of one person."""
    query = sa.select(statement).where(statement.c.month == month).order_by(statement.c.person)
    if person is not None:
        query = query.where(statement.c.person == person)
    return [Statement(**row._mapping) for row in connection.execute(query)]
