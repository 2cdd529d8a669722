"""Who cannot have shifts, as it is written: somebody is away, is back, has left."""

from datetime import datetime

import sqlalchemy as sa

from bot.store.db import instant
from bot.store.shifts import Absence, absence, leaver


def add(
    connection: sa.Connection, person: str, organisation: str, start: datetime, end: datetime, said_by: str, now: datetime
) -> int:
    """Somebody is away; returns the number of the absence."""
    given = {"person": person, "organisation": organisation, "start": start, "end": end, "said_by": said_by, "said_at": now}
    return int(connection.execute(absence.insert().values(given).returning(absence.c.id)).scalar_one())


def by_id(connection: sa.Connection, number: int) -> Absence | None:
    row = connection.execute(sa.select(absence).where(absence.c.id == number)).one_or_none()
    return Absence(**row._mapping) if row else None


def of_person(connection: sa.Connection, person: str, now: datetime) -> list[Absence]:
    """Somebody's absences that are not over, sorted by start."""
    query = sa.select(absence).where(absence.c.person == person, absence.c.end > now, absence.c.ended_at.is_(None))
    return [Absence(**row._mapping) for row in connection.execute(query.order_by(absence.c.start, absence.c.id))]


def take_back(connection: sa.Connection, number: int, now: datetime) -> bool:
    """Whether it held until now."""
    query = sa.update(absence).where(absence.c.id == number, absence.c.ended_at.is_(None))
    return connection.execute(query.values(ended_at=now)).rowcount == 1


def add_leaver(connection: sa.Connection, person: str, now: datetime) -> bool:
    """Somebody has left; false if that was known."""
    if left_at(connection, person) is not None:
        return False
    connection.execute(leaver.insert().values(person=person, at=now))
    return True


def left_at(connection: sa.Connection, person: str) -> datetime | None:
    found = connection.execute(sa.select(leaver.c.at).where(leaver.c.person == person)).scalar_one_or_none()
    return instant(found) if found is not None else None


def welcome_back(connection: sa.Connection, person: str) -> bool:
    """Slack has them again; whether they had left."""
    return connection.execute(sa.delete(leaver).where(leaver.c.person == person)).rowcount == 1
