"""A small platform to tell test stories about: its configuration, a desk, and signals that arrive."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.ports import KillPoint, survive
from bot.services.alert.arrivals import arrivals
from bot.services.alert.folding import Arrival
from bot.services.alert.intake import take
from bot.services.desk import Actor, Desk
from bot.sources import Delivery, Signal
from tests.fakes import CountingIds, ManualClock

T0 = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)

CONFIG = Config.model_validate(
    {
        "workspace": "T0BRIDGE01",
        "default_channel": "alerts",
        "review_channel": "review",
        "organisations": {
            "bridge": {"name": "Bridge", "kind": "own", "blackout": "00:00-08:00"},
            "padok": {"name": "Padok", "kind": "partner"},
        },
        "people": {
            "alice": {"name": "Alice", "slack": "U0ALICE001", "organisation": "bridge", "roles": ["engineer"]},
            "paul": {"name": "Paul", "slack": "U0PAUL0001", "organisation": "bridge", "roles": ["lead", "approver"]},
            "marie": {"name": "Marie", "slack": "U0MARIE001", "organisation": "bridge", "roles": ["manager"]},
            "lea": {"name": "Léa", "slack": "U0LEA00001", "organisation": "padok", "roles": ["engineer"]},
            "ines": {"name": "Inès", "slack": "U0INES0001", "organisation": "padok", "roles": ["lead"]},
        },
        "channels": {"alerts": "C0ALERTS01", "payments": "C0PAYMNT01", "review": "C0REVIEW01"},
        "services": {
            "pay-api": {"channel": "payments"}, "pay-db": {"channel": "payments"},
            "ledger": {}, "bank-sync": {}, "edge": {}, "batch-worker": {},
        },
        "endpoints": {
            "bridge-generic": {"source": "generic", "organisation": "bridge", "secrets": ["VIGIE_SECRET_BRIDGE_GENERIC"]},
            "padok-datadog": {"source": "datadog", "organisation": "padok", "secrets": ["VIGIE_SECRET_PADOK_DATADOG"]},
        },
        "rules": [
            {"name": "payments down", "when": {"service": ["pay-api"], "severity": ["critical"]}, "important": True, "line": 7},
        ],
    }
)

ALICE = Actor("alice", "Alice", "bridge", frozenset({"engineer"}), "U0ALICE001", "slack C0ALERTS01")
PAUL = Actor("paul", "Paul", "bridge", frozenset({"lead", "approver"}), "U0PAUL0001", "slack C0ALERTS01")
MARIE = Actor("marie", "Marie", "bridge", frozenset({"manager"}), "U0MARIE001", "slack C0ALERTS01")
LEA = Actor("lea", "Léa", "padok", frozenset({"engineer"}), "U0LEA00001", "slack C0ALERTS01")
INES = Actor("ines", "Inès", "padok", frozenset({"lead"}), "U0INES0001", "slack C0ALERTS01")


def desk_on(engine: sa.Engine, clock: ManualClock | None = None, kill: KillPoint = survive, config: Config = CONFIG) -> Desk:
    return Desk(engine, config, clock or ManualClock(T0), CountingIds(), kill)


def signal(state: str = "firing", at: float = 0, key: str = "pay-api/5xx", **fields: Any) -> Signal:
    """One word about pay-api; `at` is seconds after 02:14."""
    given = {
        "severity": "high", "name": "pay-api-5xx", "title": "5xx above 5 % (12.4 %)", "observer": "CloudWatch",
        "summary": "threshold crossed", **fields,
    }
    return Signal(key=key, state=state, at=T0 + timedelta(seconds=at), **given)


def arrive(desk: Desk, *signals: Signal, endpoint: str = "bridge-generic", delivery: str | None = None) -> list[Arrival]:
    """One delivery with these signals, taken in now."""
    given = Delivery(endpoint, desk.config.endpoints[endpoint], b"{}", {}, desk.clock.now())
    made = [
        each for one in signals
        for each in arrivals(desk.config, desk.catalogue, given, delivery or desk.ids.new(), "{}", [one])
    ]
    take(desk, made)
    return made
