"""Handoffs: who passed the duty to whom at which boundary, with which note, and who accepted it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

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
