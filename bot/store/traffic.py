"""What passed the doors: attempts at effects, Slack deliveries already taken, and what had to be dropped."""

import sqlalchemy as sa

from bot.store.db import Utc, metadata

attempt = sa.Table(
    "attempt",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", Utc, nullable=False),
)

inbound = sa.Table(
    "inbound",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("at", Utc, nullable=False, index=True),
)

dropped = sa.Table(
    "dropped",
    metadata,
    sa.Column("endpoint", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("last_at", Utc, nullable=False),
)
