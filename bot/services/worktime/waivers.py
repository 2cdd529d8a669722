"""Findings that the law lets be waived: by a lead or rota admin of the person's company, by name, for a written reason."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.masking import mask_text
from bot.services.desk import Actor
from bot.services.ledger import journal
from bot.services.rota import office
from bot.store import programmes
from bot.store.db import instant

MAY_WAIVE = frozenset({"rota_admin", "lead"})
SHORTEST_REASON, LONGEST_REASON = 10, 300

WAIVED = "{message} (waived by {who}: {reason})"
NOT_YOURS = "Only a lead or rota admin of {side} may waive {rules}."
OWED = (
    "⚖ {by} waived {rule} for {who} ({evidence}). What goes with it: a rest of the same length is owed to them, and the labour "
    "inspectorate is told where the law asks for it. ({source})"
)
SAY_WHY = "Say why {rules} must be waived, in at least {least} characters: it is kept, and the journal names you."


def give(
    connection: sa.Connection, config: Config, findings: Sequence[Finding], actor: Actor, now: datetime, reason: str
) -> None:
    """Keeps each in a row and in the journal; raises Refused for everybody else, and without a reason."""
    rules, reason = ", ".join(sorted({each.rule for each in findings})), mask_text(reason.strip())[:LONGEST_REASON]
    for each in findings:
        organisation = config.people[each.person].organisation
        if actor.organisation != organisation or MAY_WAIVE.isdisjoint(actor.roles):
            raise Refused(NOT_YOURS.format(side=config.organisations[organisation].name, rules=rules))
    if len(reason) < SHORTEST_REASON:
        raise Refused(SAY_WHY.format(rules=rules, least=SHORTEST_REASON))
    programmes.add_waivers(connection, [
        {"rule": each.rule, "profile": _profile_name(config, each.person), "person": each.person,
         "organisation": actor.organisation, "start": each.start, "end": each.end, "evidence": each.message,
         "waived_by": actor.key, "waived_at": now, "reason": reason}
        for each in findings
    ])
    for each in findings:
        journal.record(
            connection, actor=actor, kind="rule waived", object=f"person:{each.person}", outcome="done", at=now, rule=each.rule,
            waiver=each.waiver, evidence=each.message, start=each.start.isoformat(), end=each.end.isoformat(), reason=reason,
        )
        _tell_what_is_owed(connection, config, each, actor, now)


def _tell_what_is_owed(connection: sa.Connection, config: Config, found: Finding, actor: Actor, now: datetime) -> None:
    """Urgent works put rest off, they do not end it: the lead has this to do, and only the own company reads it."""
    organisation = config.people[found.person].organisation
    team = next((name for name, each in config.teams.items() if each.organisation == organisation), None)
    if team is not None:
        said = OWED.format(by=actor.name, rule=found.rule, who=config.people[found.person].name, evidence=found.message,
                           source=found.source)
        office.tell_lead(connection, config, team, f"owed:{found.rule}:{found.person}:{int(found.start.timestamp())}", said, now)


def _profile_name(config: Config, person: str) -> str:
    found = config.organisations[config.people[person].organisation].labour
    return found.profile if found else ""


def told(
    connection: sa.Connection, config: Config, organisation: str, found: Sequence[Finding], start: datetime, end: datetime
) -> Iterator[Finding]:
    """What somebody waived is told with their name, and no longer forbidden."""
    given = programmes.waived(connection, organisation, start, end)
    for each in found:
        waiver = next((one for one in given if _is_about(one, each)), None) if each.severity == "hard" else None
        if waiver is None:
            yield each
            continue
        who = config.people[waiver.waived_by].name if waiver.waived_by in config.people else waiver.waived_by
        said = WAIVED.format(message=each.message, who=who, reason=waiver.reason)
        yield replace(each, severity="warn", message=said, waiver=None)


def _is_about(waiver: sa.Row[Any], found: Finding) -> bool:
    start, end = instant(waiver.start), instant(waiver.end)
    return (waiver.rule, waiver.person) == (found.rule, found.person) and start <= found.start and found.end <= end
