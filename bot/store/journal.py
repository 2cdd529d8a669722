"""The journal and its seals: rows are only ever added."""

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Index("ix_journal_object", "object"),
    sa.Index("ix_journal_at", "at"),
)

seal = sa.Table(
    "seal",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),   # its place in the chain: 1, 2, 3 ...
    sa.Column("from_id", BigId, nullable=False),
    sa.Column("to_id", BigId, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("leaves", sa.Text, nullable=False),              # [[entry id, digest], ...]: names the entry that changed
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("sealed_at", Utc, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("signature", sa.Text),
    sa.UniqueConstraint("previous"),                               # two sealers cannot fork the chain
)
