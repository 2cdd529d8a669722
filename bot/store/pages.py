"""Who was called for what: escalations, each attempt to reach a person, silences, what waits for the end of a blackout."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

RUNNING, ANSWERED, ENDED = "running", "answered", "ended"

escalation = sa.Table(
    "escalation",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),        # that of the first page: one escalation for each reason
    sa.Column("group_id", BigId, index=True),
    sa.Column("alert_id", BigId),
    sa.Column("run_id", BigId),
    sa.Column("coverage", sa.Text),                                # null: no coverage has the service
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),                  # JSON: how it escalates, as it was when it began
    sa.Column("level", sa.Integer, nullable=False),                # the last step that was called; -1: none yet
    sa.Column("state", sa.Text, nullable=False),                   # running, answered, ended
    sa.Column("begun_at", Utc, nullable=False),
    sa.Column("due_at", Utc),                                      # when it goes on; of an answered one, when the lease ends
    sa.Column("answered_by", sa.Text),
    sa.Column("relieves", sa.Text),                                # who asked for the next level: theirs is no answer
    sa.Column("reminded_at", Utc),
    sa.Column("held_until", Utc),                                  # silenced, snoozed, or a run is at it; null: it goes on
    sa.Column("nobody_since", Utc),                                # nobody can be called since then
    sa.Column("ended_at", Utc),
    sa.Index("ix_escalation_due_at", "due_at"),
)

page_attempt = sa.Table(
    "page_attempt",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),        # <key of the post>/<person>/<medium>: nobody twice a level
    sa.Column("escalation_id", BigId, index=True),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("group_id", BigId),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),                    # primary, secondary, lead, other side, fallback, owner
    sa.Column("medium", sa.Text, nullable=False),                  # mention, direct, or the scheme of a contact: sms, voice ...
    sa.Column("contact", sa.Integer),                              # which of the person's contacts; null: Slack
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),                   # due, sent, seen, failed, doubtful, held_back
    sa.Column("at", Utc, nullable=False),
    sa.Column("due_at", Utc),                                      # when it is to be sent, or may be sent again
    sa.Column("sent_at", Utc),
    sa.Column("seen_at", Utc),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("why", sa.Text),                                     # of one that failed or was held back
    sa.Index("ix_page_attempt_due_at", "due_at"),
    sa.Index("ix_page_attempt_person_at", "person", "at"),
)

deferred = sa.Table(
    "deferred",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),                    # mention, assignment, direct, reminder
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("alert_id", BigId),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("deferred_until", Utc, nullable=False),
    sa.Column("told_at", Utc),                                     # null: it waits
    sa.Index("ix_deferred_until", "deferred_until"),
    sa.Index("ix_deferred_alert_id", "alert_id"),
)

silence = sa.Table(
    "silence",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("until", Utc, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("second", sa.Text),                                  # who agreed that important alerts are silent too
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", sa.Text),
    sa.Index("ix_silence_service_until", "service", "until"),
)


@dataclass(frozen=True, slots=True)
class Silence:
    """One service calls nobody until then; its important alerts do unless a second person agreed."""

    id: int
    service: str
    start: datetime
    until: datetime
    by: str
    second: str | None
    reason: str
    ended_at: datetime | None
    ended_by: str | None


def silences(connection: sa.Connection, at: datetime) -> list[Silence]:
    """Those that hold at an instant, the first to end first."""
    query = sa.select(silence).where(silence.c.start <= at, silence.c.until > at, silence.c.ended_at.is_(None))
    return [Silence(**row._mapping) for row in connection.execute(query.order_by(silence.c.until, silence.c.id))]


def silence_by_id(connection: sa.Connection, silence_id: int) -> Silence | None:
    row = connection.execute(sa.select(silence).where(silence.c.id == silence_id)).one_or_none()
    return Silence(**row._mapping) if row else None


def add_silence(connection: sa.Connection, **values: Any) -> int:
    """Its number."""
    made = connection.execute(silence.insert().values(values).returning(silence.c.id))
    return int(made.scalar_one())


def change_silence(connection: sa.Connection, silence_id: int, *still: sa.ColumnElement[bool], **values: Any) -> bool:
    """Changes one that has not ended; false if it has, or is not as `still` says."""
    mine = (silence.c.id == silence_id, silence.c.ended_at.is_(None), *still)
    return connection.execute(sa.update(silence).where(*mine).values(**values)).rowcount == 1


def run_out(connection: sa.Connection, now: datetime) -> list[Silence]:
    """Silences whose time is over and whose end nobody has told yet."""
    query = sa.select(silence).where(silence.c.until <= now, silence.c.ended_at.is_(None)).order_by(silence.c.until)
    return [Silence(**row._mapping) for row in connection.execute(query)]
