"""Approvals that runs ask for, and who signed; rungs of runbooks, switches, and mandates that both sides confirmed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.cards import post
from bot.store.db import BigId, Utc, metadata
from bot.store.runs import Run, run
from bot.store.runs import find as find_runs

OPEN, APPROVED, REJECTED, EXPIRED, REVOKED, VOID = "open", "approved", "rejected", "expired", "revoked", "void"
USED = "used"                           # what it allowed has begun: nobody can take it back any more

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
    sa.Column("ended_by", sa.Text),                            # who rejected it, or took a yes back
    sa.Column("reason", sa.Text),
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
    ended_by: str | None
    reason: str | None


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
    found = find(connection, approval.c.run_id == run_id, *([] if number is None else [approval.c.number == number]), most=1)
    return found[0] if found else None


def hold(connection: sa.Connection, run_id: int) -> Approval | None:
    """The run's newest question, which nobody else can answer, and no run can end, before this transaction does."""
    # Always first the run, then its questions: nobody waits in a circle.
    connection.execute(sa.select(run.c.id).where(run.c.id == run_id).with_for_update())
    found = find(connection, approval.c.run_id == run_id, most=1, held=True)
    return found[0] if found else None


def find(connection: sa.Connection, *where: sa.ColumnElement[bool], most: int = 50, held: bool = False) -> list[Approval]:
    """Questions that fit, newest first."""
    query = sa.select(approval).where(*where).order_by(approval.c.id.desc()).limit(most)
    return [_approval(row) for row in connection.execute(query.with_for_update() if held else query)]


def change(connection: sa.Connection, approval_id: int, states: Sequence[str], **values: Any) -> bool:
    """The one way in which a question's state moves."""
    query = sa.update(approval).where(approval.c.id == approval_id, approval.c.state.in_(tuple(states)))
    return connection.execute(query.values(**values)).rowcount == 1


def close_open(connection: sa.Connection, run_id: int, state: str, now: datetime) -> None:
    """Questions of the run that nobody needs to answer any more; Slack is to show it."""
    query = sa.update(approval).where(approval.c.run_id == run_id, approval.c.state.in_((OPEN, APPROVED)))
    closed = connection.execute(query.values(state=state, ended_at=now).returning(approval.c.id)).scalars().all()
    draw_again(connection, closed, now)


def use_up(connection: sa.Connection, run_id: int, now: datetime) -> None:
    """What was approved is not approved a second time: whoever wants it again asks again."""
    query = sa.update(approval).where(approval.c.run_id == run_id, approval.c.state == USED)
    connection.execute(query.values(state=VOID, ended_at=now))


def draw_again(connection: sa.Connection, approval_ids: Sequence[int], now: datetime) -> None:
    """What Slack shows of these questions is no longer true."""
    shown = [f"approval:{each}" for each in approval_ids]
    newer = {"revision": post.c.revision + 1, "due_at": sa.func.coalesce(post.c.due_at, now), "urgency": 1}
    connection.execute(sa.update(post).where(post.c.key.in_(shown)).values(**newer))


def sign(
    connection: sa.Connection, approval_id: int, person: str, organisation: str, now: datetime, standing: str | None = None
) -> None:
    """Raises IntegrityError when that person has signed already."""
    connection.execute(signature.insert().values(
        approval_id=approval_id, person=person, organisation=organisation, at=now, standing=standing,
    ))


def signatures(connection: sa.Connection, approval_id: int) -> list[sa.Row[Any]]:
    """Who said yes, in order."""
    query = sa.select(signature).where(signature.c.approval_id == approval_id).order_by(signature.c.at)
    return list(connection.execute(query))


# --- mandates that were confirmed -----------------------------------------------------------------------------------------


def confirmations(connection: sa.Connection, mandate: str) -> list[sa.Row[Any]]:
    """Who confirmed which version of that mandate, oldest first."""
    query = sa.select(confirmation).where(confirmation.c.mandate == mandate).order_by(confirmation.c.at)
    return list(connection.execute(query))


def confirm(
    connection: sa.Connection, mandate: str, version: str, organisation: str, person: str, now: datetime
) -> bool:
    """Whether it is new that this side confirms this version."""
    given = {"mandate": mandate, "version": version, "organisation": organisation, "person": person, "at": now}
    query = sa.text(
        "INSERT INTO confirmation (mandate, version, organisation, person, at) "
        "VALUES (:mandate, :version, :organisation, :person, :at) ON CONFLICT DO NOTHING"
    ).bindparams(sa.bindparam("at", type_=Utc))
    return connection.execute(query, given).rowcount == 1


def withdraw(connection: sa.Connection, mandate: str, organisation: str) -> bool:
    """Whether this side had confirmed any version of it, which now counts no more."""
    mine = (confirmation.c.mandate == mandate, confirmation.c.organisation == organisation)
    return connection.execute(sa.delete(confirmation).where(*mine)).rowcount > 0


# --- runs that broke the glass --------------------------------------------------------------------------------------------


def review(connection: sa.Connection, run_id: int, person: str) -> bool:
    """Whether this person is the first who reviewed the run."""
    query = sa.update(run).where(run.c.id == run_id, run.c.glass.is_not(None), run.c.reviewed_by.is_(None))
    return connection.execute(query.values(reviewed_by=person)).rowcount == 1


def unreviewed(connection: sa.Connection) -> list[Run]:
    """Runs that broke the glass and that nobody has reviewed, newest first."""
    return find_runs(connection, run.c.glass.is_not(None), run.c.reviewed_by.is_(None))
