"""Posts: what Slack should show. A card, the log in its thread, or a notice; the courier makes Slack match."""

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

post = sa.Table(
    "post",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),       # card:142, log:142, seal:2026-11-22; also Slack's metadata key
    sa.Column("kind", sa.Text, nullable=False),                    # card, log, notice
    sa.Column("group_id", BigId, index=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("body", sa.Text),                                    # a notice's own text; cards and logs are drawn from rows
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("sent_revision", sa.Integer, nullable=False),
    sa.Column("first_due_at", Utc, nullable=False),
    sa.Column("due_at", Utc),                                      # null: Slack shows the newest revision
    sa.Column("ts", sa.Text),
    sa.Column("sent_at", Utc),
    sa.Column("late_s", sa.Integer),
    sa.Column("failure", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Index("ix_post_channel_due_at", "channel", "due_at"),
)

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False),           # the delivery run that holds the channel
    sa.Column("busy", sa.Boolean, nullable=False),
)
