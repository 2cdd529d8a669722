"""Invented months: signals that arrive, and whole months of rows as a platform leaves them."""

from datetime import datetime
from typing import Any

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.services.alert.arrivals import arrivals
from bot.services.alert.folding import Arrival
from bot.sources import Delivery, Signal


def arrival(config: Config, key: str, state: str, at: datetime, endpoint: str = "bridge-generic", **more: Any) -> Arrival:
    """One signal as it comes in through one of the example's doors."""
    delivery = Delivery(endpoint, config.endpoints[endpoint], b"{}", {}, at)
    plain: dict[str, Any] = {
        "key": key, "state": state, "severity": "high", "name": key, "title": key, "summary": "", "observer": "Scripts", "at": at,
    }
    signal = Signal(**(plain | more))
    return arrivals(config, Catalogue(), delivery, f"{key}:{state}:{at.timestamp()}", "{}", [signal])[0]
