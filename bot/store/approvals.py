"""Approvals that runs ask for, and who signed; rungs of runbooks, switches, and mandates that both sides confirmed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

OPEN, APPROVED, REJECTED, EXPIRED, REVOKED, VOID = "open", "approved", "rejected", "expired", "revoked", "void"

approval = sa.Table(
    "approval",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("run_id", BigId, nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),           # the step
    sa.Column("digest", sa.Text, nullable=False),              # of exactly what will run: action, parameters, target, plan
    sa.Column("wants", sa.Text, nullable=False),               # whose yes, as JSON: each a demand of its own
    sa.Column("asked", sa.Text, nullable=False),               # the people who were asked, as JSON
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_at", Utc, nullable=False),
    sa.Column("expires_at", Utc, nullable=False),
    sa.Column("ended_at", Utc),
)

signature = sa.Table(
    "signature",
    metadata,
    sa.Column("approval_id", BigId, primary_key=True),
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("standing", sa.Text),                            # the standing approval that counted as it
)

rung = sa.Table(
    "rung",
    metadata,
    sa.Column("runbook", sa.Text, primary_key=True),
    sa.Column("rung", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("second", sa.Text),
    sa.Column("reason", sa.Text),
)

proposal = sa.Table(
    "proposal",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("runbook", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("rung", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("ended_at", Utc),
)

switch = sa.Table(
    "switch",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),             # everything, service:pay-api, runbook:queue-backlog
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("reason", sa.Text),
)

confirmation = sa.Table(
    "confirmation",
    metadata,
    sa.Column("mandate", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),           # the hash of what was confirmed
    sa.Column("organisation", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Approval:
    """One question to people: may exactly this be done?"""

    id: int
    run_id: int
    number: int
    digest: str
    wants: list[dict[str, Any]]
    asked: list[str]
    state: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None


def _approval(row: sa.Row[Any]) -> Approval:
    given = dict(row._mapping)
    return Approval(**{**given, "wants": json.loads(given["wants"]), "asked": json.loads(given["asked"])})


def ask(
    connection: sa.Connection, run_id: int, number: int, digest: str, wants: Sequence[dict[str, Any]], asked: Sequence[str],
    now: datetime, expires_at: datetime,
) -> Approval:
    """A new question; an older one about the same step is void."""
    close_open(connection, run_id, VOID, now)
    query = approval.insert().values(
        run_id=run_id, number=number, digest=digest, wants=json.dumps(list(wants)), asked=json.dumps(list(asked)), state=OPEN,
        asked_at=now, expires_at=expires_at,
    )
    return get(connection, int(connection.execute(query.returning(approval.c.id)).scalar_one()))


def get(connection: sa.Connection, approval_id: int) -> Approval:
    return _approval(connection.execute(sa.select(approval).where(approval.c.id == approval_id)).one())


def newest(connection: sa.Connection, run_id: int, number: int | None = None) -> Approval | None:
    """The run's newest question, about that step if one is named."""
    query = sa.select(approval).where(approval.c.run_id == run_id).order_by(approval.c.id.desc()).limit(1)
    row = connection.execute(query if number is None else query.where(approval.c.number == number)).one_or_none()
    return _approval(row) if row else None


def change(connection: sa.Connection, approval_id: int, states: Sequence[str], **values: Any) -> bool:
    """The one way in which a question's state moves."""
    query = sa.update(approval).where(approval.c.id == approval_id, approval.c.state.in_(tuple(states)))
    return connection.execute(query.values(**values)).rowcount == 1


def close_open(connection: sa.Connection, run_id: int, state: str, now: datetime) -> None:
    """Questions of the run that nobody needs to answer any more."""
    query = sa.update(approval).where(approval.c.run_id == run_id, approval.c.state.in_((OPEN, APPROVED)))
    connection.execute(query.values(state=state, ended_at=now))


def sign(
    connection: sa.Connection, approval_id: int, person: str, organisation: str, now: datetime, standing: str | None = None
) -> None:
    connection.execute(signature.insert().values(
        approval_id=approval_id, person=person, organisation=organisation, at=now, standing=standing,
    ))


def signatures(connection: sa.Connection, approval_id: int) -> list[sa.Row[Any]]:
    """Who said yes, in order."""
    query = sa.select(signature).where(signature.c.approval_id == approval_id).order_by(signature.c.at)
    return list(connection.execute(query))
