"""vigie.yaml and the runbooks: what they may say (models), what must be true of them (rules), how they are read (reading)."""

from bot.config.documents import Fault, Misconfigured
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
    Topic,
)
from bot.config.powers import Aws, Clause, DatadogAccount, Mandate, Symptom
from bot.config.reading import Reading, load_config, read_config
from runbooks.model import Severity, When

__all__ = [
    "KNOWN_SOURCES",
    "Aws",
    "Clause",
    "Config",
    "DatadogAccount",
    "Endpoint",
    "Fault",
    "Mandate",
    "Misconfigured",
    "Organisation",
    "Person",
    "Probation",
    "Reading",
    "Role",
    "Rule",
    "Service",
    "Severity",
    "Symptom",
    "Topic",
    "When",
    "load_config",
    "read_config",
]
