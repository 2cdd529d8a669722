"""Signals and the alerts they make."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

STATES = ("firing", "acked", "recovered", "closed")
SEVERITIES = ("critical", "high", "warning", "info")

signal = sa.Table(
    "signal",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("delivery", sa.Text, nullable=False, unique=True),
    sa.Column("received_at", Utc, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("observer", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("alert_id", BigId),
    sa.Index("ix_signal_fingerprint_at", "fingerprint", "at"),
)

alert = sa.Table(
    "alert",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("group_id", BigId),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("important", sa.Boolean, nullable=False),
    sa.Column("recognised", sa.Boolean, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("labels", sa.Text, nullable=False),
    sa.Column("link", sa.Text),
    sa.Column("since", Utc, nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("updated_at", Utc, nullable=False),
    sa.Column("signals", sa.Integer, nullable=False),
    sa.Column("relapses", sa.Integer, nullable=False),
    sa.Column("acked_by", sa.Text),
    sa.Column("acked_at", Utc),
    sa.Column("assigned_to", sa.Text),
    sa.Column("snoozed_until", Utc),
    sa.Column("recovered_at", Utc),
    sa.Column("closed_at", Utc),
    sa.Column("closed_by", sa.Text),
    sa.Column("close_reason", sa.Text),
    sa.Column("seen_by", sa.Text),
    sa.Column("due_at", Utc),
    sa.Column("runbook", sa.Text),                      # the runbook that recognises it
    sa.Column("decision", sa.Text),                     # run, approve, offer, page, show; null: nobody has decided yet
    sa.Column("decided_at", Utc),
    sa.Column("called_at", Utc),                        # when a person was called; null: nobody was
    sa.Column("fixed_by", BigId),                       # the run that fixed it
    sa.Column("ending", sa.Text),                       # healed, fixed, person
    sa.Column("proof", sa.Text),                        # what was checked before it was closed, or why it was not
    sa.Index("ix_alert_undecided", "id", sqlite_where=sa.text("decision IS NULL AND state = 'firing'"),
             postgresql_where=sa.text("decision IS NULL AND state = 'firing'")),
    sa.Index("uq_alert_open_fingerprint", "fingerprint", unique=True,
             sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'")),
    sa.Index("ix_alert_state", "state"),
    sa.Index("ix_alert_due_at", "due_at"),
    sa.Index("ix_alert_group_id", "group_id"),
    sa.Index("ix_alert_opened_at", "opened_at"),
)

@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as its row says; times are UTC."""

    id: int
    fingerprint: str
    group_id: int
    state: str
    severity: str
    important: bool
    recognised: bool
    service: str
    organisation: str
    title: str
    summary: str
    labels: dict[str, str]
    link: str | None
    since: datetime
    opened_at: datetime
    updated_at: datetime
    signals: int
    relapses: int
    acked_by: str | None
    acked_at: datetime | None
    assigned_to: str | None
    snoozed_until: datetime | None
    recovered_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None
    seen_by: str | None
    due_at: datetime | None
    runbook: str | None = None
    decision: str | None = None
    decided_at: datetime | None = None
    called_at: datetime | None = None
    fixed_by: int | None = None
    ending: str | None = None
    proof: str | None = None

    @property
    def name(self) -> str:
        """How people call it: #142."""
        return f"#{self.id}"


def read(row: sa.Row[Any]) -> Alert:
    fields = dict(row._mapping)
    return Alert(**{**fields, "labels": json.loads(fields["labels"])})


def by_id(connection: sa.Connection, alert_id: int) -> Alert | None:
    row = connection.execute(sa.select(alert).where(alert.c.id == alert_id)).one_or_none()
    return read(row) if row else None


def of_group(connection: sa.Connection, group_id: int) -> list[Alert]:
    """The members of a group, oldest first."""
    return [read(row) for row in connection.execute(sa.select(alert).where(alert.c.group_id == group_id).order_by(alert.c.id))]


def open_ones(connection: sa.Connection, most: int = 200) -> list[Alert]:
    """All that is not closed, oldest first."""
    query = sa.select(alert).where(alert.c.state != "closed").order_by(alert.c.id).limit(most)
    return [read(row) for row in connection.execute(query)]


def closed_unseen(connection: sa.Connection, since: datetime, most: int = 50) -> list[Alert]:
    """Closed since then, and no person ever looked at them."""
    query = (
        sa.select(alert)
        .where(alert.c.state == "closed", alert.c.closed_at >= since, alert.c.seen_by.is_(None))
        .order_by(alert.c.id)
        .limit(most)
    )
    return [read(row) for row in connection.execute(query)]


def recent(connection: sa.Connection, most: int = 500) -> list[Alert]:
    """The newest alerts of any state, newest first."""
    return [read(row) for row in connection.execute(sa.select(alert).order_by(alert.c.id.desc()).limit(most))]


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many alerts are in each state."""
    found = dict.fromkeys(STATES, 0)
    for state, count in connection.execute(sa.select(alert.c.state, sa.func.count()).group_by(alert.c.state)):
        found[state] = count
    return found


def nearest_ids(connection: sa.Connection, most: int = 500) -> list[int]:
    """Numbers of the newest alerts, to guess which one was meant."""
    return list(connection.execute(sa.select(alert.c.id).order_by(alert.c.id.desc()).limit(most)).scalars())


def undecided(connection: sa.Connection, most: int) -> list[int]:
    """Firing alerts about which nobody has decided yet, the important first."""
    query = sa.select(alert.c.id).where(alert.c.decision.is_(None), alert.c.state == "firing")
    return list(connection.execute(query.order_by(alert.c.important.desc(), alert.c.id).limit(most)).scalars())


def due(connection: sa.Connection, now: datetime, most: int = 100) -> list[Alert]:
    """Alerts for which time alone has something to do."""
    query = sa.select(alert).where(alert.c.due_at <= now, alert.c.state != "closed").order_by(alert.c.due_at).limit(most)
    return [read(row) for row in connection.execute(query)]


def change(connection: sa.Connection, alert_id: int, states: Iterable[str], **values: Any) -> bool:
    """The one way in which a state moves: false if the alert is not in one of `states` any more."""
    query = sa.update(alert).where(alert.c.id == alert_id, alert.c.state.in_(tuple(states))).values(**values)
    return connection.execute(query).rowcount == 1


def call(connection: sa.Connection, alert_id: int, now: datetime) -> None:
    """A person was called for it; the first time counts."""
    mine = (alert.c.id == alert_id, alert.c.called_at.is_(None))
    connection.execute(sa.update(alert).where(*mine).values(called_at=now))


def told(connection: sa.Connection, fingerprints: Iterable[str]) -> int:
    """How many signals had one of these fingerprints."""
    query = sa.select(sa.func.count()).select_from(signal).where(signal.c.fingerprint.in_(tuple(fingerprints)))
    return int(connection.execute(query).scalar_one())


def closed_before(connection: sa.Connection, at: datetime, most: int) -> list[sa.Row[Any]]:
    """The newest alerts that were closed before then: what is needed to compare them, no more."""
    fields = ("id", "fingerprint", "service", "title", "runbook", "fixed_by", "ending", "close_reason", "closed_by", "closed_at")
    query = sa.select(*(alert.c[name] for name in fields)).where(alert.c.state == "closed", alert.c.closed_at < at)
    return list(connection.execute(query.order_by(alert.c.id.desc()).limit(most)))
