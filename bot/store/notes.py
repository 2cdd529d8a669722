"""What people wrote on alerts."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

note = sa.Table(
    "note",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("alert_id", BigId, nullable=False, index=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
)


def add(connection: sa.Connection, alert_id: int, at: datetime, actor: str, text: str) -> None:
    connection.execute(note.insert().values(alert_id=alert_id, at=at, actor=actor, text=text))


def of_alert(connection: sa.Connection, alert_id: int) -> list[sa.Row[Any]]:
    """What people wrote, oldest first."""
    return list(connection.execute(sa.select(note).where(note.c.alert_id == alert_id).order_by(note.c.id)))
