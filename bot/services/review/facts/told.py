"""What the journal tells of a month that no other row holds: breaches, waivers, broken glass, what was held back, trust."""

import json
from collections.abc import Iterator

import sqlalchemy as sa

from bot.review.facts import Month, Told
from bot.store import testimony

KINDS = (
    "rule breached", "rule waived", "rest moved", "held back", "held back told", "glass broken", "glass called", "glass reviewed",
    "promotion proposed", "runbook promoted", "runbook demoted", "automation stopped", "automation resumed",
    "coverage gap found", "coverage gap ended", "mandate confirmed", "mandate withdrawn", "approval expired", "approval rejected",
    "person left", "person returned", "statement given", "ack lapsed", "call missing", "vigie started", "vigie stopped",
)


def told(connection: sa.Connection, month: Month) -> Iterator[Told]:
    """Entries of these kinds, in order."""
    for row in testimony.told(connection, KINDS, month.start, month.until):
        if month.has(row.at):
            yield Told(row.id, row.at, row.actor, row.organisation, row.kind, row.object, row.outcome, json.loads(row.details))
