"""The brakes of automation: switches for one runbook, one service or everything; limits by the hour; trust that was lost."""

from datetime import datetime

import sqlalchemy as sa

from bot.services.desk import Desk
from bot.store.runs import Run


def look(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """Before each step that changes something: raises Refused when Vigie acts by itself and was told to stop meanwhile."""
