"""What is owed to an authority or to clients about an incident: when, which reminders were told, when it was sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.cards import post
from bot.store.incidents import notice

KINDS = ("initial", "intermediate", "final", "clients", "bank_api")


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing owed; `told` is JSON: which reminders were told, and when."""

    id: int
    incident_id: int
    kind: str
    opened_at: datetime
    due_at: datetime | None
    told: str
    remind_at: datetime | None
    sent_at: datetime | None
    sent_by: str | None
    reference: str | None
    delay_reason: str | None
    ended_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.sent_at is None and self.ended_at is None


def add(
    connection: sa.Connection, incident_id: int, kind: str, now: datetime, due_at: datetime | None, remind_at: datetime | None
) -> Notice:
    """A new one, or the one of that kind and limit that is there."""
    limit = notice.c.due_at.is_(None) if due_at is None else notice.c.due_at == due_at
    same = (notice.c.incident_id == incident_id, notice.c.kind == kind, limit)
    row = connection.execute(sa.select(notice).where(*same).order_by(notice.c.id.desc())).first()
    if row is not None and row.sent_at is None:
        again = sa.update(notice).where(notice.c.id == row.id).values(ended_at=None, remind_at=remind_at)
        return Notice(**connection.execute(again.returning(notice)).one()._mapping)
    values = {"incident_id": incident_id, "kind": kind, "opened_at": now, "due_at": due_at, "told": "{}", "remind_at": remind_at}
    return Notice(**connection.execute(notice.insert().values(values).returning(notice)).one()._mapping)


def of_incident(connection: sa.Connection, incident_id: int) -> list[Notice]:
    """All that was ever owed, oldest first."""
    return _find(connection, notice.c.incident_id == incident_id)


def still_open(connection: sa.Connection, incident_id: int, kind: str | None = None) -> list[Notice]:
    """What is neither sent nor over."""
    about = [notice.c.kind == kind] if kind else []
    return _find(connection, notice.c.incident_id == incident_id, notice.c.sent_at.is_(None), notice.c.ended_at.is_(None), *about)


def due(connection: sa.Connection, now: datetime, most: int = 100) -> list[Notice]:
    """Those of which people are to be reminded now."""
    mine = (notice.c.remind_at <= now, notice.c.sent_at.is_(None), notice.c.ended_at.is_(None))
    query = sa.select(notice).where(*mine).order_by(notice.c.remind_at, notice.c.id).limit(most)
    return [Notice(**row._mapping) for row in connection.execute(query)]


def move(connection: sa.Connection, seen: Notice, **values: Any) -> bool:
    """Changes it if it is as it was seen; false if somebody was first."""
    mine = (notice.c.id == seen.id, notice.c.told == seen.told, notice.c.sent_at.is_(None), notice.c.ended_at.is_(None))
    return connection.execute(sa.update(notice).where(*mine).values(**values)).rowcount == 1


def recall(connection: sa.Connection, notice_id: int) -> int:
    """Its reminders that Slack has not taken yet have lost their sense."""
    unsent = (post.c.key.like(f"notice:{notice_id}:%"), post.c.ts.is_(None), post.c.due_at.is_not(None))
    return connection.execute(sa.update(post).where(*unsent).values(due_at=None)).rowcount


def _find(connection: sa.Connection, *about: sa.ColumnElement[bool]) -> list[Notice]:
    return [Notice(**row._mapping) for row in connection.execute(sa.select(notice).where(*about).order_by(notice.c.id))]
