"""Handoffs: who passed the duty to whom at which boundary, with which note, and who accepted it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.cards import post
from bot.store.db import BigId, Utc, metadata

STATES = ("planned", "draft", "submitted", "queried", "accepted", "missed")
OPEN = ("planned", "draft", "submitted", "queried")

handoff = sa.Table(
    "handoff",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("coverage", sa.Text, nullable=False),
    sa.Column("boundary", Utc, nullable=False),
    sa.Column("from_team", sa.Text, nullable=False),
    sa.Column("to_team", sa.Text, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),               # to_partner, to_own, within
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("outgoing", sa.Text),                                # the primary who hands over; null: nobody
    sa.Column("incoming", sa.Text),                                # the primary who takes over
    sa.Column("line", sa.Text),                                    # the outgoing person's one line
    sa.Column("if_then", sa.Text, nullable=False),                 # JSON: at most three
    sa.Column("raised", sa.Text),                                  # red or amber, if the outgoing person raised it
    sa.Column("submitted_by", sa.Text),                            # null in state submitted: not reviewed
    sa.Column("submitted_at", Utc),
    sa.Column("accepted_by", sa.Text),
    sa.Column("accepted_at", Utc),
    sa.Column("synthesis", sa.Text),                               # the top risk, as the incoming person named it
    sa.Column("note", sa.Text),                                    # JSON: the note as it was accepted or missed
    sa.Column("digest", sa.Text),                                  # SHA-256 of `note`
    sa.Column("missed_reason", sa.Text),
    sa.Column("done", sa.Text, nullable=False),                    # JSON: the steps of the protocol that were taken
    sa.Column("due_at", Utc),                                      # when the next step is
    sa.UniqueConstraint("coverage", "boundary", name="uq_handoff_coverage_boundary"),
    sa.Index("ix_handoff_due_at", "due_at"),
)

question = sa.Table(
    "question",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("handoff_id", BigId, nullable=False, index=True),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", Utc, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("answered_by", sa.Text),
    sa.Column("answered_at", Utc),
    sa.Column("answer", sa.Text),
)

action = sa.Table(
    "action",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("coverage", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("due", sa.Text),                                     # a day: 2026-12-01
    sa.Column("carried", sa.Integer, nullable=False),              # over how many handoffs
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("closed_at", Utc),
    sa.Column("closed_by", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Handoff:
    """One passing of duty."""

    id: int
    coverage: str
    boundary: datetime
    from_team: str
    to_team: str
    direction: str
    channel: str
    state: str
    outgoing: str | None
    incoming: str | None
    line: str | None
    if_then: str
    raised: str | None
    submitted_by: str | None
    submitted_at: datetime | None
    accepted_by: str | None
    accepted_at: datetime | None
    synthesis: str | None
    note: str | None
    digest: str | None
    missed_reason: str | None
    done: str
    due_at: datetime | None


def by_id(connection: sa.Connection, handoff_id: int) -> Handoff | None:
    row = connection.execute(sa.select(handoff).where(handoff.c.id == handoff_id)).one_or_none()
    return Handoff(**row._mapping) if row else None


def change(connection: sa.Connection, handoff_id: int, states: tuple[str, ...], **values: Any) -> bool:
    """Moves it if it is in one of these states; false if somebody was first."""
    mine = (handoff.c.id == handoff_id, handoff.c.state.in_(states))
    return connection.execute(sa.update(handoff).where(*mine).values(**values)).rowcount == 1


def pending(connection: sa.Connection, coverage: str, at: datetime) -> Handoff | None:
    """The handoff by which whoever is on duty at an instant came to it, as long as nobody has accepted it."""
    query = sa.select(handoff).where(handoff.c.coverage == coverage, handoff.c.boundary <= at)
    row = connection.execute(query.order_by(handoff.c.boundary.desc()).limit(1)).one_or_none()
    return Handoff(**row._mapping) if row and row.state != "accepted" else None


@dataclass(frozen=True, slots=True)
class Question:
    """What the incoming side wants to know of the outgoing one."""

    id: int
    handoff_id: int
    asked_by: str
    asked_at: datetime
    text: str
    answered_by: str | None
    answered_at: datetime | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do that outlives a shift: carried on until somebody closes it."""

    id: int
    coverage: str
    text: str
    owner: str | None
    due: str | None
    carried: int
    made_by: str
    made_at: datetime
    closed_at: datetime | None
    closed_by: str | None


# --- handoffs -------------------------------------------------------------------------------------------------------------


def plan(connection: sa.Connection, **values: Any) -> int | None:
    """A new row in state planned; None if there is one for that coverage and boundary already."""
    row = {"state": "planned", "if_then": "[]", "done": "{}", **values}
    try:
        with connection.begin_nested():
            return int(connection.execute(handoff.insert().values(row).returning(handoff.c.id)).scalar_one())
    except sa.exc.IntegrityError:
        return None


def forget(connection: sa.Connection, handoff_id: int) -> bool:
    """Drops one that was only planned: the days are cut otherwise by now."""
    mine = (handoff.c.id == handoff_id, handoff.c.state == "planned")
    return connection.execute(sa.delete(handoff).where(*mine)).rowcount == 1


def move(connection: sa.Connection, seen: Handoff, **values: Any) -> bool:
    """Moves it if it is as it was seen; false if somebody was first."""
    mine = (handoff.c.id == seen.id, handoff.c.state == seen.state, handoff.c.done == seen.done, handoff.c.due_at == seen.due_at)
    return connection.execute(sa.update(handoff).where(*mine).values(**values)).rowcount == 1


def due(connection: sa.Connection, now: datetime, most: int = 50) -> list[int]:
    """Those with a step to take, the oldest boundary first."""
    query = sa.select(handoff.c.id).where(handoff.c.due_at <= now).order_by(handoff.c.boundary, handoff.c.id).limit(most)
    return list(connection.execute(query).scalars())


def since(connection: sa.Connection, coverage: str, at: datetime) -> list[Handoff]:
    """Those whose boundary is at or after an instant, in order."""
    query = sa.select(handoff).where(handoff.c.coverage == coverage, handoff.c.boundary >= at)
    return [Handoff(**row._mapping) for row in connection.execute(query.order_by(handoff.c.boundary))]


def before(connection: sa.Connection, coverage: str, at: datetime) -> Handoff | None:
    """The last one whose boundary is before an instant."""
    query = sa.select(handoff).where(handoff.c.coverage == coverage, handoff.c.boundary < at)
    row = connection.execute(query.order_by(handoff.c.boundary.desc()).limit(1)).one_or_none()
    return Handoff(**row._mapping) if row else None


def look_again(connection: sa.Connection, coverage: str, now: datetime) -> None:
    """The notes that are kept are to be made anew at once."""
    live = handoff.c.state.in_(("draft", "submitted", "queried", "missed"))
    kept = (handoff.c.coverage == coverage, handoff.c.due_at > now, live)
    connection.execute(sa.update(handoff).where(*kept).values(due_at=now))


def recall(connection: sa.Connection, handoff_id: int, *steps: str) -> int:
    """What was to be told, of all steps or of these, and that Slack has not taken yet: it has lost its sense."""
    about = [post.c.key.like(f"tell:{handoff_id}:{each}:%") for each in steps or ("%",)]
    unsent = (sa.or_(*about), post.c.ts.is_(None), post.c.due_at.is_not(None))
    return connection.execute(sa.update(post).where(*unsent).values(due_at=None)).rowcount


# --- questions ------------------------------------------------------------------------------------------------------------


def ask(connection: sa.Connection, handoff_id: int, by: str, at: datetime, text: str) -> int:
    query = question.insert().values(handoff_id=handoff_id, asked_by=by, asked_at=at, text=text)
    return int(connection.execute(query.returning(question.c.id)).scalar_one())


def answer(connection: sa.Connection, question_id: int, by: str, at: datetime, text: str) -> bool:
    """False if somebody has answered it already."""
    mine = (question.c.id == question_id, question.c.answered_at.is_(None))
    given = {"answered_by": by, "answered_at": at, "answer": text}
    return connection.execute(sa.update(question).where(*mine).values(**given)).rowcount == 1


def questions(connection: sa.Connection, handoff_id: int) -> list[Question]:
    query = sa.select(question).where(question.c.handoff_id == handoff_id).order_by(question.c.id)
    return [Question(**row._mapping) for row in connection.execute(query)]


# --- actions --------------------------------------------------------------------------------------------------------------


def add_action(connection: sa.Connection, **values: Any) -> int:
    query = action.insert().values(carried=0, **values).returning(action.c.id)
    return int(connection.execute(query).scalar_one())


def actions(connection: sa.Connection, coverage: str) -> list[Action]:
    """Those of a coverage that are not done, oldest first."""
    query = sa.select(action).where(action.c.coverage == coverage, action.c.closed_at.is_(None)).order_by(action.c.id)
    return [Action(**row._mapping) for row in connection.execute(query)]


def action_by_id(connection: sa.Connection, action_id: int) -> Action | None:
    row = connection.execute(sa.select(action).where(action.c.id == action_id)).one_or_none()
    return Action(**row._mapping) if row else None


def close_action(connection: sa.Connection, action_id: int, by: str, at: datetime) -> bool:
    """False if somebody has closed it already."""
    mine = (action.c.id == action_id, action.c.closed_at.is_(None))
    return connection.execute(sa.update(action).where(*mine).values(closed_at=at, closed_by=by)).rowcount == 1


def carry(connection: sa.Connection, coverage: str, boundary: datetime) -> int:
    """What is not done goes over this boundary; returns how many."""
    mine = (action.c.coverage == coverage, action.c.closed_at.is_(None), action.c.made_at < boundary)
    return connection.execute(sa.update(action).where(*mine).values(carried=action.c.carried + 1)).rowcount
