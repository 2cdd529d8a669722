"""A stage for the tests of incidents: the example's people and rota, a regulator, alerts that arrive, a clock to move."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.config.months import Month, Regulator
from bot.store import incidents, notices
from bot.store.incidents import Incident
from bot.store.notices import Notice
from tests.config_stage import example
from tests.duty_stage import Life, life, paris
from tests.story import arrive, signal

REGULATOR: dict[str, Any] = {
    "entity": "Bridge SAS", "lei": "969500ABCDEFGHIJKL12", "compliance": "marie", "second_contact": "paul", "clients": 200_000,
    "transactions_a_day": 50_000, "critical": ["pay-api", "ledger"], "bank_api": {"service": ["bank-sync"]},
}


def config(**changed: Any) -> Config:
    """The example with a regulator to whom marie reports; `changed` changes what is said of that."""
    regulator = Regulator.model_validate(REGULATOR | changed)
    return example().model_copy(update={"month": Month(regulator=regulator)})


def reporting(engine: sa.Engine, now: str = "2026-11-24 10:00", **changed: Any) -> Life:
    """Tuesday morning: Bridge has the duty, unless told otherwise."""
    return life(engine, now, config(**changed), published_days=0)


def fires(here: Life, key: str = "pay-api/5xx", minutes_ago: float = 0, **more: Any) -> int:
    """An alert; returns its number."""
    now = here.clock.now()
    since = (now - timedelta(minutes=minutes_ago) - paris("2026-11-22 03:14")).total_seconds()
    name = more.pop("name", key.replace("/", "-"))
    before = _newest(here)
    arrive(here.desk, signal(at=since, key=key, name=name, labels={"name": name, **more.pop("labels", {})}, **more))
    assert _newest(here) > before
    return _newest(here)


def _newest(here: Life) -> int:
    with here.desk.read() as connection:
        return int(connection.execute(sa.text("SELECT coalesce(max(id), 0) FROM alert")).scalar_one())


def incident(here: Life, number: int = 1) -> Incident:
    with here.desk.read() as connection:
        found = incidents.by_id(connection, number)
    assert found is not None
    return found


def owed(here: Life, number: int = 1) -> list[Notice]:
    """What is neither sent nor over."""
    with here.desk.read() as connection:
        return notices.still_open(connection, number)


def due(here: Life, kind: str, number: int = 1) -> Any:
    return next(each.due_at for each in owed(here, number) if each.kind == kind)


MAJOR = "gate=critical clients=12% downtime=3h estimated"
MINOR = "gate=critical clients=1% downtime=1h actual"
