"""Swaps: somebody gives a shift away, for another one or for nothing. State moves by guarded updates."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.shifts import shift, swap

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Swap:
    """An offer; taker None: whoever takes it."""

    id: int
    shift_id: int
    return_id: int | None
    requester: str
    taker: str | None
    state: str                  # open, taken, refused, cancelled, expired, void
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    findings: str | None


def add(
    connection: sa.Connection, shift_id: int, return_id: int | None, requester: str, taker: str | None, now: datetime,
    expires_at: datetime,
) -> int:
    given = {"shift_id": shift_id, "return_id": return_id, "requester": requester, "taker": taker, "state": OPEN}
    query = swap.insert().values(**given, asked_at=now, expires_at=expires_at).returning(swap.c.id)
    return int(connection.execute(query).scalar_one())


def by_id(connection: sa.Connection, number: int) -> Swap | None:
    row = connection.execute(sa.select(swap).where(swap.c.id == number)).one_or_none()
    return Swap(**row._mapping) if row else None


def open_ones(connection: sa.Connection) -> list[Swap]:
    """Offers that nobody has answered yet, oldest first."""
    query = sa.select(swap).where(swap.c.state == OPEN).order_by(swap.c.id)
    return [Swap(**row._mapping) for row in connection.execute(query)]


def of_shift(connection: sa.Connection, shift_id: int) -> Swap | None:
    """The open offer of a shift, if any."""
    query = sa.select(swap).where(swap.c.shift_id == shift_id, swap.c.state == OPEN).order_by(swap.c.id).limit(1)
    row = connection.execute(query).one_or_none()
    return Swap(**row._mapping) if row else None


def moved(connection: sa.Connection) -> list[Swap]:
    """Open offers of which a shift holds no longer."""
    given, asked = shift.alias("given"), shift.alias("asked")
    query = (
        sa.select(swap).join(given, given.c.id == swap.c.shift_id).outerjoin(asked, asked.c.id == swap.c.return_id)
        .where(swap.c.state == OPEN, sa.or_(given.c.superseded_at.is_not(None), asked.c.superseded_at.is_not(None)))
    )
    return [Swap(**row._mapping) for row in connection.execute(query.order_by(swap.c.id))]


def end(
    connection: sa.Connection, number: int, state: str, now: datetime, by: str, findings: str | None = None,
    taker: str | None = None,
) -> bool:
    """Whether it was open until now."""
    given = {"state": state, "ended_at": now, "ended_by": by, "findings": findings} | ({"taker": taker} if taker else {})
    return connection.execute(sa.update(swap).where(swap.c.id == number, swap.c.state == OPEN).values(given)).rowcount == 1
