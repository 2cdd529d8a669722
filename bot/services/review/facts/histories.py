"""Alerts that moved on after the instant that counts: how they were then, from the journal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.alert.folding import OPENED, RECOVERED_NOW, RELAPSED, WORSENED
from bot.services.desk import VIGIE
from bot.store import months, testimony

CLOSED = "alert closed"


@dataclass(slots=True)
class History:
    """One alert's state at the end of what is known of it."""

    signals: int = 0
    told: list[tuple[int, str, str]] = field(default_factory=list)      # its number, a source, an endpoint
    severity: str | None = None
    relapses: int = 0
    recovered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    ending: str | None = None

    def happened(self, entry: Any) -> None:
        if entry.kind == RECOVERED_NOW:
            self.recovered_at = entry.at
        elif entry.kind == RELAPSED:
            self.recovered_at, self.relapses = None, self.relapses + 1
        elif entry.kind in (OPENED, WORSENED):
            self.severity = json.loads(entry.details).get("severity", self.severity)
        elif entry.kind == CLOSED:
            told = json.loads(entry.details).get("ending", "person")
            self.closed_at, self.closed_by, self.ending = entry.at, entry.actor, told if entry.actor == VIGIE.key else "person"


def of(connection: sa.Connection, moved: Sequence[tuple[int, str]], as_of: datetime) -> dict[int, History]:
    """The histories of these alerts, each given with its fingerprint."""
    found = {number: History() for number, _ in moved}
    for row in months.signals_by(connection, moved, as_of):
        found[row.alert_id].signals += row.signals
        found[row.alert_id].told.append((row.alert_id, row.source, row.endpoint))
    for entry in testimony.entries_of(connection, found, as_of):
        found[int(entry.object.removeprefix("alert:"))].happened(entry)
    return found
