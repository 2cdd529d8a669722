"""What past runs tell: whether a runbook can be trusted, whether an alert was proven well, what was done for a group."""

import json
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store import runs
from bot.store.approvals import rung
from bot.store.runs import ENDED, FAILED, SUCCEEDED, Run, run, step

FIX, PROOF = "fix", "proof"
TAKEN_BACK = ("undone", "not undone")


@dataclass(frozen=True, slots=True)
class Past:
    """A run that was to fix something, and is over."""

    id: int
    actor: str
    version: str
    state: str
    begun_at: datetime
    relapsed_at: datetime | None
    proven: bool            # its runbook ends with proofs
    begun: bool             # the step at which it ended had begun
    taken_back: bool

    @property
    def good(self) -> bool:
        return self.state == SUCCEEDED and self.relapsed_at is None

    @property
    def bad(self) -> bool:
        """It did no good. One that was refused before its next step began says nothing of its runbook."""
        return self.relapsed_at is not None or (self.state == FAILED and self.begun)


def of_runbook(connection: sa.Connection, runbook: str, most: int = 200) -> list[Past]:
    """Its runs that are over, newest first."""
    last = step.alias()
    way_back = sa.select(step.c.run_id).where(step.c.run_id == run.c.id, step.c.state.in_(TAKEN_BACK)).exists()
    columns = (run.c.id, run.c.actor, run.c.version, run.c.state, run.c.begun_at, run.c.relapsed_at, run.c.definition)
    query = (
        sa.select(*columns, last.c.begun_at.is_not(None).label("begun"), way_back.label("taken_back"))
        .outerjoin(last, sa.and_(last.c.run_id == run.c.id, last.c.number == run.c.position))
        .where(run.c.runbook == runbook, run.c.purpose == FIX, run.c.state.in_(ENDED))
        .order_by(run.c.begun_at.desc(), run.c.id.desc())
        .limit(most)
    )
    return [
        Past(row.id, row.actor, row.version, row.state, row.begun_at, row.relapsed_at,
             bool(json.loads(row.definition).get("verify")), bool(row.begun), bool(row.taken_back))
        for row in connection.execute(query)
    ]


def automatic_since(connection: sa.Connection, runbook: str, target: str, since: datetime) -> int:
    """How often it was started by itself for that target."""
    mine = (run.c.runbook == runbook, run.c.begun_at > since, run.c.target == target)
    query = sa.select(sa.func.count()).select_from(run).where(*mine, run.c.purpose == FIX, run.c.mode == "automatic")
    return int(connection.execute(query).scalar_one())


def newest_fix(connection: sa.Connection, group_id: int, runbook: str) -> Run | None:
    """The last attempt to fix what the group's alerts tell of with this runbook."""
    mine = (run.c.group_id == group_id, run.c.runbook == runbook, run.c.purpose == FIX)
    return next(iter(runs.find(connection, *mine, most=1)), None)


def proofs(connection: sa.Connection, group_id: int, since: datetime) -> list[Run]:
    """The proofs begun since then, newest first."""
    return runs.find(connection, run.c.group_id == group_id, run.c.purpose == PROOF, run.c.begun_at >= since)


def mark_relapsed(connection: sa.Connection, run_id: int, now: datetime) -> None:
    """What it had seemed to fix is back."""
    connection.execute(sa.update(run).where(run.c.id == run_id, run.c.relapsed_at.is_(None)).values(relapsed_at=now))


def relapsed_lately(connection: sa.Connection, since: datetime) -> list[Run]:
    """Runs begun since then whose fault is back, and whose runbook is trusted as if it were not."""
    query = (
        sa.select(run.c.id)
        .join(rung, rung.c.runbook == run.c.runbook)
        .where(run.c.begun_at >= since, run.c.relapsed_at > rung.c.at, rung.c.rung != "manual")
        .order_by(run.c.id)
    )
    return [runs.get(connection, each) for each in connection.execute(query).scalars().all()]
