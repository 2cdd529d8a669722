"""What /metrics asks the rows: how many runs, steps and questions stand where, and what the journal has told since."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bot.store.approvals import OPEN, approval
from bot.store.journal import Entry, journal, seal
from bot.store.runs import ASKING, UNDER_WAY, run, step

DOUBT = "in doubt"


def under_way(connection: sa.Connection) -> dict[str, int]:
    """Runs that have not ended, by state."""
    query = sa.select(run.c.state, sa.func.count()).where(run.c.state.in_(UNDER_WAY)).group_by(run.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def in_doubt(connection: sa.Connection) -> int:
    """Steps of which only a person can say what became of them."""
    theirs = (step.c.run_id == run.c.id, step.c.state == DOUBT, run.c.state.in_(UNDER_WAY))
    return int(connection.execute(sa.select(sa.func.count()).select_from(run.join(step, sa.and_(*theirs)))).scalar_one())


def questions(connection: sa.Connection, now: datetime) -> int:
    """Approvals that somebody could still give."""
    theirs = (approval.c.run_id == run.c.id, approval.c.state == OPEN, approval.c.expires_at > now, run.c.state == ASKING)
    return int(connection.execute(sa.select(sa.func.count()).select_from(run.join(approval, sa.and_(*theirs)))).scalar_one())


def glass(connection: sa.Connection) -> int:
    """Runs that broke the glass and that nobody has reviewed."""
    query = sa.select(sa.func.count()).select_from(run).where(run.c.glass.is_not(None), run.c.reviewed_by.is_(None))
    return int(connection.execute(query).scalar_one())


def sealed_to(connection: sa.Connection) -> int:
    """The newest entry of the journal before which none can appear any more."""
    return connection.execute(sa.select(seal.c.to_id).order_by(seal.c.id.desc()).limit(1)).scalar_one_or_none() or 0


def told(connection: sa.Connection, after: int, last: int, kinds: Collection[str]) -> list[Entry]:
    """The journal's entries of these kinds within that stretch, in order."""
    query = sa.select(journal).where(journal.c.id > after, journal.c.id <= last, journal.c.kind.in_(tuple(kinds)))
    return [Entry(*row) for row in connection.execute(query.order_by(journal.c.id))]
