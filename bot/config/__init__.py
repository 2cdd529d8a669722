"""vigie.yaml: what it may say (models), what must be true of it (rules), and how it is read (reading)."""

from bot.config.doors import KNOWN_SOURCES
from bot.config.models import (
    Config,
    Endpoint,
    Organisation,
    Person,
    Probation,
    Role,
    Rule,
    Service,
    Severity,
    Topic,
    When,
)
from bot.config.reading import Fault, Misconfigured, Reading, load_config, read_config

__all__ = [
    "KNOWN_SOURCES",
    "Config",
    "Endpoint",
    "Fault",
    "Misconfigured",
    "Organisation",
    "Person",
    "Probation",
    "Reading",
    "Role",
    "Rule",
    "Service",
    "Severity",
    "Topic",
    "When",
    "load_config",
    "read_config",
]
