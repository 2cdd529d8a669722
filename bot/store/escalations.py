"""Escalations and page attempts: who is told next, and what became of each try to reach somebody. Rows in pages.py."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.pages import ANSWERED, ENDED, RUNNING, escalation, page_attempt

SLACK = ("mention", "direct")                   # media whose post tells whether it was sent
CONTACT = "contact"                             # a medium that is not known before its address is
DUE, SENT, SEEN, FAILED, DOUBTFUL, HELD_BACK = "due", "sent", "seen", "failed", "doubtful", "held_back"
UNREAD = (DUE, SENT, DOUBTFUL)


@dataclass(frozen=True, slots=True)
class Escalation:
    """One reason for which people are called until somebody answers."""

    id: int
    key: str
    group_id: int | None
    alert_id: int | None
    run_id: int | None
    coverage: str | None
    channel: str
    why: str
    policy: str
    level: int
    state: str
    begun_at: datetime
    due_at: datetime | None
    answered_by: str | None
    relieves: str | None
    reminded_at: datetime | None
    held_until: datetime | None
    nobody_since: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to reach one person by one medium."""

    id: int
    key: str
    escalation_id: int
    level: int
    group_id: int | None
    person: str
    role: str
    medium: str
    contact: int | None
    said: str
    state: str
    at: datetime
    due_at: datetime | None
    sent_at: datetime | None
    seen_at: datetime | None
    tries: int
    why: str | None


def add(connection: sa.Connection, **values: Any) -> Escalation:
    made = connection.execute(escalation.insert().values(values).returning(escalation))
    return Escalation(**made.one()._mapping)


def by_key(connection: sa.Connection, key: str) -> Escalation | None:
    return next(iter(_find(connection, escalation.c.key == key)), None)


def by_id(connection: sa.Connection, number: int) -> Escalation | None:
    return next(iter(_find(connection, escalation.c.id == number)), None)


def due(connection: sa.Connection, now: datetime, most: int = 200) -> list[Escalation]:
    """Those for which time has something to do, the longest due first."""
    query = sa.select(escalation).where(escalation.c.due_at <= now, escalation.c.state != ENDED)
    return _read(connection, query.order_by(escalation.c.due_at, escalation.c.id).limit(most))


def of_group(connection: sa.Connection, group_id: int) -> list[Escalation]:
    """All about a group that are not over, oldest first."""
    return _find(connection, escalation.c.group_id == group_id, escalation.c.state != ENDED)


def running(connection: sa.Connection, most: int = 50) -> list[Escalation]:
    """Those that call people, oldest first."""
    return _find(connection, escalation.c.state == RUNNING)[:most]


def standing(connection: sa.Connection) -> dict[str, int]:
    """How many are in each state that is not the end."""
    query = sa.select(escalation.c.state, sa.func.count()).where(escalation.c.state != ENDED).group_by(escalation.c.state)
    return {RUNNING: 0, ANSWERED: 0} | {row.state: row[1] for row in connection.execute(query)}


def with_nobody(connection: sa.Connection) -> list[Escalation]:
    """Those for which nobody can be called."""
    return _find(connection, escalation.c.nobody_since.is_not(None), escalation.c.state == RUNNING)


def move(connection: sa.Connection, seen: Escalation, **values: Any) -> bool:
    """Changes it if it is still as it was seen; false if another process was first."""
    due_at = escalation.c.due_at
    same = (due_at.is_(None) if seen.due_at is None else due_at == seen.due_at)
    mine = (escalation.c.id == seen.id, escalation.c.state == seen.state, escalation.c.level == seen.level, same)
    return connection.execute(sa.update(escalation).where(*mine).values(**values)).rowcount == 1


def look(connection: sa.Connection, group_id: int, now: datetime) -> None:
    """Somebody took the group: its escalations are to be looked at now, and nobody is to be relieved."""
    mine = (escalation.c.group_id == group_id, escalation.c.state == RUNNING)
    connection.execute(sa.update(escalation).where(*mine).values(due_at=now, relieves=None))


def ask(connection: sa.Connection, seen: Escalation, relieves: str, why: str, now: datetime) -> bool:
    """It calls on at once, also when it was answered or held back; false if another level was called meanwhile."""
    mine = (escalation.c.id == seen.id, escalation.c.state == seen.state, escalation.c.level == seen.level)
    values = {"state": RUNNING, "relieves": relieves, "why": why, "due_at": now, "ended_at": None, "nobody_since": None}
    return connection.execute(sa.update(escalation).where(*mine).values(**values, held_until=None)).rowcount == 1


def relieved(connection: sa.Connection, group_id: int) -> str | None:
    """Who asked for the next level about the group, while nobody has answered."""
    mine = (escalation.c.group_id == group_id, escalation.c.state == RUNNING, escalation.c.relieves.is_not(None))
    return next((each.relieves for each in _find(connection, *mine)), None)


def answered(connection: sa.Connection, group_id: int, person: str) -> Escalation | None:
    """The newest about the group that is over because that person answered it."""
    mine = (escalation.c.group_id == group_id, escalation.c.state == ENDED, escalation.c.answered_by == person)
    return next(reversed(_find(connection, *mine)), None)


def release(connection: sa.Connection, group_ids: Iterable[int], now: datetime) -> None:
    """What held these back is over."""
    mine = (escalation.c.group_id.in_(list(group_ids)), escalation.c.state == RUNNING, escalation.c.held_until.is_not(None))
    connection.execute(sa.update(escalation).where(*mine).values(due_at=now))


def hurry(connection: sa.Connection, number: int, level: int, now: datetime) -> bool:
    """The next is called at once, unless somebody else was meanwhile."""
    mine = (escalation.c.id == number, escalation.c.level == level, escalation.c.state == RUNNING, escalation.c.due_at > now,
            escalation.c.held_until.is_(None))
    return connection.execute(sa.update(escalation).where(*mine).values(due_at=now)).rowcount == 1


def _find(connection: sa.Connection, *about: sa.ColumnElement[bool]) -> list[Escalation]:
    return _read(connection, sa.select(escalation).where(*about).order_by(escalation.c.id))


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[Escalation]:
    return [Escalation(**row._mapping) for row in connection.execute(query)]


# --- attempts ---------------------------------------------------------------------------------------------------------------


def add_attempts(connection: sa.Connection, records: Sequence[dict[str, Any]]) -> None:
    """Each to be sent now. The keys are unique: nobody is called twice for one level by one medium."""
    if records:
        connection.execute(page_attempt.insert(), [
            {"state": DUE, "sent_at": None, "seen_at": None, "tries": 0, "why": None, **each} for each in records
        ])


def attempts(connection: sa.Connection, *about: sa.ColumnElement[bool], most: int = 500) -> list[Attempt]:
    """Attempts of which this holds, oldest first."""
    query = sa.select(page_attempt).where(*about).order_by(page_attempt.c.id).limit(most)
    return [Attempt(**row._mapping) for row in connection.execute(query)]


def attempt(connection: sa.Connection, number: int) -> Attempt | None:
    return next(iter(attempts(connection, page_attempt.c.id == number)), None)


def of_escalation(connection: sa.Connection, number: int) -> list[Attempt]:
    return attempts(connection, page_attempt.c.escalation_id == number)


def about_group(connection: sa.Connection, group_id: int) -> list[Attempt]:
    return attempts(connection, page_attempt.c.group_id == group_id)


def posted(connection: sa.Connection, most: int = 100) -> list[Attempt]:
    """Attempts by Slack of which it is not known yet whether Slack shows them."""
    waiting = (page_attempt.c.medium.in_(SLACK), page_attempt.c.due_at.is_not(None), page_attempt.c.state.in_((DUE, FAILED)))
    return attempts(connection, *waiting, most=most)        # each leaves the list within the hour


def to_ring(connection: sa.Connection, now: datetime, most: int) -> list[Attempt]:
    """Attempts by another way than Slack that are due."""
    waiting = (page_attempt.c.medium.not_in(SLACK), page_attempt.c.due_at <= now, page_attempt.c.state.in_((DUE, DOUBTFUL)))
    return attempts(connection, *waiting, most=most)


def change(connection: sa.Connection, seen: Attempt, **values: Any) -> bool:
    """Changes one that is as it was seen; false if another process was first, or the person has seen it."""
    mine = (page_attempt.c.id == seen.id, page_attempt.c.state == seen.state, page_attempt.c.tries == seen.tries)
    return connection.execute(sa.update(page_attempt).where(*mine).values(**values)).rowcount == 1


def seen(connection: sa.Connection, group_id: int, person: str, now: datetime) -> bool:
    """The person did something about the group: what was sent to them was read, what was not yet sent need not be."""
    mine = (page_attempt.c.group_id == group_id, page_attempt.c.person == person, page_attempt.c.state.in_(UNREAD))
    read = sa.update(page_attempt).where(*mine).values(state=SEEN, seen_at=now, due_at=None)
    return connection.execute(read).rowcount > 0


def unread(connection: sa.Connection, group_id: int, person: str) -> bool:
    """Whether something was sent to the person about the group that they have not reacted to."""
    mine = (page_attempt.c.group_id == group_id, page_attempt.c.person == person, page_attempt.c.state.in_(UNREAD))
    return connection.execute(sa.select(page_attempt.c.id).where(*mine).limit(1)).first() is not None
