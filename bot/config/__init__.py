"""vigie.yaml and the runbooks: what they may say (models), what must be true of them (rules), how they are read (reading)."""

from bot.config.catalogue import Catalogue, Claim, Entry, actions_of, stale
from bot.config.documents import Fault, Misconfigured
from bot.config.doors import KNOWN_SOURCES, secrets_of
from bot.config.mandate_rules import unmatched
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
from bot.config.month_rules import unmatched as unmatched_pools
from bot.config.powers import Aws, Clause, DatadogAccount, Mandate, Symptom
from bot.config.reading import Reading, load_config, read_config
from bot.config.runbooks import Shelf, load_catalogue, read_catalogue
from runbooks.model import Severity, When

__all__ = [
    "KNOWN_SOURCES",
    "Aws",
    "Catalogue",
    "Claim",
    "Clause",
    "Config",
    "DatadogAccount",
    "Endpoint",
    "Entry",
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
    "Shelf",
    "Symptom",
    "Topic",
    "When",
    "actions_of",
    "load_catalogue",
    "load_config",
    "read_catalogue",
    "read_config",
    "secrets_of",
    "stale",
    "unmatched",
    "unmatched_pools",
]
