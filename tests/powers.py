"""A mandate for the small platform of story.py, its leads who confirm it, and runs that wait for a yes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services.desk import Actor, Desk
from bot.services.leave import contracts
from bot.store import approvals, runs
from bot.store.approvals import Approval
from bot.store.journal import journal
from bot.store.runs import Run
from runbooks.model import Runbook
from tests.fakes import ManualClock
from tests.story import CONFIG, INES, PAUL, desk_on
from tests.workshop import Workshop, runbook, workshop

NIGHT = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)       # 03:14 in Paris: Bridge is in blackout until 08:00
DAY = NIGHT + timedelta(hours=10)
EVE = Actor("T0EVIL0001/U0EVE00001", "Eve", "unknown", frozenset(), "U0EVE00001", "slack C0ALERTS01")
OMAR = Actor("omar", "Omar", "padok", frozenset({"engineer"}), "U0OMAR0001", "slack C0ALERTS01")

CLAUSE: dict[str, Any] = {"name": "§1 make it smaller", "runbooks": "smaller"}


def agreed(*clauses: dict[str, Any], **changed: Any) -> Config:
    """The small platform with a mandate `nights` of these clauses, and Omar at Padok."""
    nights = {
        "title": "Padok at night", "organisation": "padok", "starts": "2026-11-01", "ends": "2026-12-31",
        "clauses": list(clauses or (CLAUSE,)), **changed,
    }
    told = CONFIG.model_dump(mode="json")
    omar = {"name": "Omar", "slack": "U0OMAR0001", "organisation": "padok", "roles": ["engineer"]}
    return Config.model_validate({**told, "people": {**told["people"], "omar": omar}, "mandates": {"nights": nights}})


def confirmed(desk: Desk) -> None:
    """Leads of both sides confirm the mandate as it stands."""
    for lead in (PAUL, INES):
        contracts.confirm(desk, "nights", lead)


def shop_at(
    engine: sa.Engine, at: datetime, config: Config | None = None, *books: Runbook, confirm: bool = True
) -> Workshop:
    """A workshop at that instant, its mandate confirmed."""
    shop = workshop(desk_on(engine, ManualClock(at), config=config or agreed()), *books)
    if confirm:
        confirmed(shop.desk)
    return shop


def asking(**changed: Any) -> Runbook:
    """One step that changes the number of machines, after somebody's yes."""
    approve = changed.pop("approve", True)
    step = {"name": "resize", "uses": "test.resize", "with": {"size": "${{ params.size }}"}, "approve": approve}
    return runbook(steps=[{**step, **changed.pop("step", {})}], verify=[], **changed)


def until_asked(shop: Workshop, run: Run) -> Approval:
    """Moves the run until it asks; returns the question."""
    for _ in range(10):
        if shop.look(run.id).state == runs.ASKING:
            break
        shop.execution.move(run.id)
    return question(shop, run)


def question(shop: Workshop, run: Run) -> Approval:
    with shop.desk.read() as connection:
        found = approvals.newest(connection, run.id)
    assert found is not None
    return found


def signers_of(shop: Workshop, asked: Approval) -> list[tuple[str, str | None]]:
    with shop.desk.read() as connection:
        return [(each.person, each.standing) for each in approvals.signatures(connection, asked.id)]


def written(shop: Workshop, kind: str) -> list[dict[str, Any]]:
    """The details of the journal's entries of that kind."""
    with shop.desk.read() as connection:
        rows = connection.execute(sa.select(journal).where(journal.c.kind == kind).order_by(journal.c.id)).all()
    return [{"actor": each.actor, "outcome": each.outcome, **json.loads(each.details)} for each in rows]
