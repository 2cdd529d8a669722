"""What asking for an approval and answering share: who asks, what is wanted, when enough have signed, what is written down."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.alert.response import called, lasting
from bot.services.desk import Actor, Desk
from bot.services.leave import mandates, signers
from bot.services.leave.signers import Asker, Demand
from bot.services.ledger import journal
from bot.services.run import runs
from bot.store import alerts, cards
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.approvals import APPROVED, EXPIRED, OPEN, REJECTED, REVOKED, Approval
from bot.store.runs import Run

NOBODY_IN_TIME = "nobody approved it within {length}"
NOT_ALL_IN_TIME = "not everybody approved it within {length}"
REJECTED_BY = "{who} rejected it{reason}"
REVOKED_BY = "{who} took the approval back"
NO_LONGER = "it is no longer asked for"

_TIME = re.compile(r"<!date\^\d+\^\{time\}\|([^<>|]*)>")


def plain_times(text: str) -> str:
    """The sentence with its times in UTC, for a row or a notice: there each sign is text."""
    return _TIME.sub(lambda found: found[1], text)


def asker_of(desk: Desk, connection: sa.Connection, run: Run) -> Asker:
    """Who asks for what this run does, and by what clause."""
    alert = alerts.by_id(connection, run.alert_id) if run.mode == "automatic" and run.alert_id is not None else None
    important = alert is not None and alert.important
    asker = mandates.asker(desk.config, run.actor, run.organisation, run.mandate, run.glass is not None, important)
    return replace(asker, instead=mandates.instead_of(desk.config, run.actor, run.runbook, run.alert_id, run.glass))


def wants(asked: Approval) -> list[Demand]:
    """Whose yes the question wants."""
    return [Demand(**{**each, "roles": tuple(each["roles"]), "who": tuple(each["who"])}) for each in asked.wants]


def settle(desk: Desk, connection: sa.Connection, run: Run, asked: Approval, asker: Asker, now: datetime) -> None:
    """Approved once all have signed; then the run goes on."""
    signatures = questions.signatures(connection, asked.id)
    if all(signers.signed(desk.config, each, asker, signatures) for each in wants(asked)):
        questions.change(connection, asked.id, [OPEN], state=APPROVED, ended_at=now)
        rows.wake(connection, run.id, now)
    show(connection, run, asked, now)


def ending(desk: Desk, asked: Approval, state: str) -> str:
    """Why there is no yes, in a sentence."""
    if state == EXPIRED:
        several = sum(each.count for each in wants(asked)) > 1
        return (NOT_ALL_IN_TIME if several else NOBODY_IN_TIME).format(length=lasting(asked.expires_at - asked.asked_at))
    if state == REJECTED:
        return REJECTED_BY.format(who=called(desk, asked.ended_by), reason=f": {asked.reason}" if asked.reason else "")
    return REVOKED_BY.format(who=called(desk, asked.ended_by)) if state == REVOKED and asked.ended_by else NO_LONGER


def note(
    desk: Desk, connection: sa.Connection, run: Run, question: Approval, actor: Actor, kind: str, now: datetime,
    outcome: journal.Outcome = "done", **details: Any,
) -> None:
    """The journal's line about an approval, with all that it is bound to."""
    runs.note(connection, run, actor, kind, now, outcome, approval=question.id, step=question.number + 1,
              digest=question.digest, runbook=run.runbook, version=run.version, mandate=run.mandate,
              mandate_version=run.mandate_version, config=desk.config.version, **details)


def show(connection: sa.Connection, run: Run, asked: Approval, now: datetime) -> None:
    """The question, and the run's message, are to be drawn anew."""
    cards.show_ask(connection, asked.id, run.channel, run.group_id, now)
    runs.show(connection, run, now, urgency=1)
