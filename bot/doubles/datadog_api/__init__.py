"""Datadog's API on loopback: one `Account` an organisation, with monitors, downtimes, metrics, logs and events that live."""

from bot.doubles.datadog_api.account import Account
from bot.doubles.datadog_api.door import Faults, Limit

__all__ = ["Account", "Faults", "Limit"]
