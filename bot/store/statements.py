"""Monthly statements: given once, never changed, never deleted."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.shifts import statement


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


def given_to(connection: sa.Connection, month: str) -> frozenset[str]:
    """Who has the statement of that month."""
    return frozenset(connection.execute(sa.select(statement.c.person).where(statement.c.month == month)).scalars())


def of_month(
    connection: sa.Connection, month: str, person: str | None = None, organisation: str | None = None
) -> list[Statement]:
    """Those of a month, sorted by person; of one person, or of one organisation."""
    query = sa.select(statement).where(statement.c.month == month).order_by(statement.c.person)
    if person is not None:
        query = query.where(statement.c.person == person)
    if organisation is not None:
        query = query.where(statement.c.organisation == organisation)
    return [Statement(**row._mapping) for row in connection.execute(query)]
