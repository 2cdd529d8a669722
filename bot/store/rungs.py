"""How far runbooks are trusted, who proposed to trust them further, and the switches that stop automation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.approvals import proposal, rung, switch
from bot.store.db import Utc


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a runbook stands on the ladder, since when, and who put it there."""

    runbook: str
    rung: str
    at: datetime
    by: str
    second: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """One person wants a runbook trusted further; another one must say so too."""

    id: int
    runbook: str
    version: str
    rung: str
    by: str
    organisation: str
    at: datetime
    reason: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Switch:
    """Automation was stopped for everything, one service or one runbook."""

    scope: str
    by: str
    at: datetime
    reason: str | None


def get(connection: sa.Connection, runbook: str) -> Rung | None:
    row = connection.execute(sa.select(rung).where(rung.c.runbook == runbook)).one_or_none()
    return Rung(**row._mapping) if row else None


def put(
    connection: sa.Connection, runbook: str, to: str, now: datetime, by: str, second: str | None = None, reason: str | None = None
) -> None:
    """The runbook stands there from now on."""
    query = sa.text(
        'INSERT INTO rung (runbook, rung, at, "by", second, reason) VALUES (:runbook, :rung, :at, :by, :second, :reason) '
        'ON CONFLICT (runbook) DO UPDATE SET rung = excluded.rung, at = excluded.at, "by" = excluded."by", '
        'second = excluded.second, reason = excluded.reason'
    ).bindparams(sa.bindparam("at", type_=Utc))
    given = {"runbook": runbook, "rung": to, "at": now, "by": by, "second": second, "reason": reason}
    connection.execute(query, given)


# --- proposals ---


def propose(connection: sa.Connection, **values: Any) -> Proposal:
    """A new proposal; an older one for the same runbook is void."""
    end_proposals(connection, values["runbook"], values["at"])
    made = connection.execute(proposal.insert().values(**values).returning(proposal.c.id)).scalar_one()
    return Proposal(**connection.execute(sa.select(proposal).where(proposal.c.id == made)).one()._mapping)


def open_proposal(connection: sa.Connection, runbook: str, since: datetime) -> Proposal | None:
    """What waits for a second signature, unless it is older than that."""
    query = sa.select(proposal).where(proposal.c.runbook == runbook, proposal.c.ended_at.is_(None), proposal.c.at >= since)
    row = connection.execute(query.order_by(proposal.c.id.desc()).limit(1)).one_or_none()
    return Proposal(**row._mapping) if row else None


def end_proposals(connection: sa.Connection, runbook: str, now: datetime) -> bool:
    """Nothing is proposed for the runbook any more; false if nothing was."""
    mine = (proposal.c.runbook == runbook, proposal.c.ended_at.is_(None))
    return connection.execute(sa.update(proposal).where(*mine).values(ended_at=now)).rowcount > 0


# --- switches ---


def stop(connection: sa.Connection, scope: str, by: str, now: datetime, reason: str | None) -> bool:
    """Switches automation off; false if it was off already."""
    query = sa.text(
        'INSERT INTO switch (scope, "by", at, reason) VALUES (:scope, :by, :at, :reason) ON CONFLICT (scope) DO NOTHING'
    ).bindparams(sa.bindparam("at", type_=Utc))
    return connection.execute(query, {"scope": scope, "by": by, "at": now, "reason": reason}).rowcount == 1


def resume(connection: sa.Connection, scope: str) -> bool:
    """Switches automation on again; false if it was not off."""
    return connection.execute(sa.delete(switch).where(switch.c.scope == scope)).rowcount == 1


def switches(connection: sa.Connection, *scopes: str) -> list[Switch]:
    """What is switched off, of these scopes if some are named; the oldest first."""
    query = sa.select(switch).order_by(switch.c.at, switch.c.scope)
    if scopes:
        query = query.where(switch.c.scope.in_(scopes))
    return [Switch(**row._mapping) for row in connection.execute(query)]
