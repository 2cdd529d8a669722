"""Signals, the alerts they make, who observed what, groups, and what people wrote on them."""

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
    sa.Index("ix_signal_alert_id", "alert_id"),
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
    sa.Index("uq_alert_open_fingerprint", "fingerprint", unique=True,
             sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'")),
    sa.Index("ix_alert_state", "state"),
    sa.Index("ix_alert_due_at", "due_at"),
    sa.Index("ix_alert_group_id", "group_id"),
    sa.Index("ix_alert_opened_at", "opened_at"),
)

observation = sa.Table(
    "observation",
    metadata,
    sa.Column("alert_id", BigId, primary_key=True),
    sa.Column("observer", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

alert_group = sa.Table(
    "alert_group",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("opened_at", Utc, nullable=False),
    sa.Column("closed_at", Utc),
)

note = sa.Table(
    "note",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("alert_id", BigId, nullable=False, index=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)
