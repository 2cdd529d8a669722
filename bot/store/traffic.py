"""What passed the doors: attempts at effects, Slack deliveries already taken, and what had to be dropped."""

from datetime import datetime

import sqlalchemy as sa

from bot.store.db import Utc, as_rows, metadata, rows

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


def forget_attempt(connection: sa.Connection, key: str) -> None:
    """Its outcome is known."""
    connection.execute(sa.delete(attempt).where(attempt.c.key == key))


def count_drop(connection: sa.Connection, endpoint: str, reason: str, count: int, at: datetime) -> None:
    """So many deliveries were refused for good."""
    given = {"endpoint": endpoint, "reason": reason}
    row = dropped.c
    query = sa.update(dropped).where(row.endpoint == endpoint, row.reason == reason)
    if connection.execute(query.values(count=row.count + count, last_at=at)).rowcount == 0:
        connection.execute(dropped.insert().values(**given, count=count, last_at=at))


def drops(connection: sa.Connection) -> dict[str, int]:
    """How many deliveries were refused for good, by reason."""
    query = sa.select(dropped.c.reason, sa.func.sum(dropped.c.count)).group_by(dropped.c.reason)
    return {reason: int(count) for reason, count in connection.execute(query.order_by(dropped.c.reason))}


def came_before(connection: sa.Connection, key: str) -> bool:
    """Whether this Slack delivery was dealt with already."""
    return connection.execute(sa.select(inbound.c.key).where(inbound.c.key == key)).first() is not None


def remember(connection: sa.Connection, key: str, at: datetime) -> None:
    """This Slack delivery is dealt with; said twice, it changes nothing."""
    given = rows(connection.dialect.name, {"key": "text", "at": "timestamptz"})
    query = f"INSERT INTO inbound (key, at) SELECT key, at FROM ({given}) AS new WHERE true ON CONFLICT (key) DO NOTHING"
    connection.execute(sa.text(query), as_rows([{"key": key, "at": at}]))


def forget_inbound(connection: sa.Connection, before: datetime) -> None:
    """Slack sends nothing again after so long."""
    connection.execute(sa.delete(inbound).where(inbound.c.at < before))
