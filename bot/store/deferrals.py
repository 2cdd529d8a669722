"""What was kept from somebody in blackout: written once, told when it is over, counted for the review."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.pages import deferred

MENTION, DIRECT, ASSIGNMENT = "mention", "direct", "assignment"


@dataclass(frozen=True, slots=True)
class Deferred:
    """One thing that waits for the end of somebody's blackout, or has waited."""

    id: int
    key: str
    kind: str                   # mention, direct, assignment
    person: str
    organisation: str
    alert_id: int | None
    by: str                     # who wanted it: a person's key, or vigie
    said: str
    at: datetime
    deferred_until: datetime
    told_at: datetime | None    # told, or taken back


def add(
    connection: sa.Connection, key: str, kind: str, person: str, organisation: str, alert_id: int | None, by: str, said: str,
    at: datetime, until: datetime,
) -> bool:
    """Keeps it until then; false, and nothing is changed, when the same key was kept before."""
    if connection.execute(sa.select(deferred.c.id).where(deferred.c.key == key)).first():
        return False
    connection.execute(deferred.insert().values(
        key=key, kind=kind, person=person, organisation=organisation, alert_id=alert_id, by=by, said=said, at=at,
        deferred_until=until,
    ))
    return True


def waiting(connection: sa.Connection, now: datetime) -> list[Deferred]:
    """What nobody was told yet and could be by now, oldest first."""
    query = sa.select(deferred).where(deferred.c.told_at.is_(None), deferred.c.deferred_until <= now)
    return [Deferred(**row._mapping) for row in connection.execute(query.order_by(deferred.c.at, deferred.c.id))]


def take(connection: sa.Connection, ids: Iterable[int], now: datetime) -> list[Deferred]:
    """Those of them that still waited: they are told by whoever asks, and by nobody else."""
    query = sa.update(deferred).where(deferred.c.id.in_(list(ids)), deferred.c.told_at.is_(None)).values(told_at=now)
    taken = list(connection.execute(query.returning(deferred.c.id)).scalars())
    rows = connection.execute(sa.select(deferred).where(deferred.c.id.in_(taken)).order_by(deferred.c.at, deferred.c.id))
    return [Deferred(**row._mapping) for row in rows]


def assignments(connection: sa.Connection, alert_ids: Sequence[int]) -> list[Deferred]:
    """To whom these alerts will be given when a blackout ends, the newest wish last."""
    query = sa.select(deferred).where(
        deferred.c.alert_id.in_(list(alert_ids)), deferred.c.kind == ASSIGNMENT, deferred.c.told_at.is_(None)
    )
    return [Deferred(**row._mapping) for row in connection.execute(query.order_by(deferred.c.id))]


def times_given(connection: sa.Connection, alert_id: int) -> int:
    """How often that alert was to be given to somebody in blackout."""
    query = sa.select(sa.func.count()).where(deferred.c.alert_id == alert_id, deferred.c.kind == ASSIGNMENT)
    return int(connection.execute(query).scalar_one())


def counts(connection: sa.Connection, since: datetime | None = None) -> dict[tuple[str, ...], int]:
    """How much was kept from whose people, by (organisation, kind)."""
    which = (deferred.c.organisation, deferred.c.kind)
    query = sa.select(*which, sa.func.count()).group_by(*which)
    if since is not None:
        query = query.where(deferred.c.at >= since)
    return {(organisation, kind): int(count) for organisation, kind, count in connection.execute(query)}
