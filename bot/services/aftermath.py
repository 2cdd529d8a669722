"""What follows when a run has ended or needs somebody: the alert learns of it, trust is lost or gained, a person is called."""

from datetime import datetime

import sqlalchemy as sa

from bot.services.desk import Desk
from bot.store.runs import Run, Step


def ended(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """The run is over; `run.state` and `run.said` tell how."""


def in_doubt(desk: Desk, connection: sa.Connection, run: Run, step: Step, said: str, now: datetime) -> None:
    """Nobody can read from the world what became of a step: a person must decide."""
