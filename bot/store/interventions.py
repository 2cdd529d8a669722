"""Working time of people on call, as their acts show it or as they say it; and the acts that the journal has of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.journal import journal
from bot.store.shifts import intervention

ABOUT = ("alert:%", "run:%")                # acts on these are work


@dataclass(frozen=True, slots=True)
class Intervention:
    """One stretch of somebody's work outside of active shifts; end None: still at it."""

    id: int
    person: str
    organisation: str
    alert_id: int | None
    start: datetime
    end: datetime | None
    last_act_at: datetime
    source: str                 # acts, declared, glass
    confirmed_at: datetime | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody did something about an alert or a run."""

    person: str
    at: datetime
    object: str

    @property
    def alert_id(self) -> int | None:
        kind, _, number = self.object.partition(":")
        return int(number) if kind == "alert" and number.isdigit() else None


def acts(connection: sa.Connection, people: Collection[str], since: datetime) -> list[Act]:
    """What these people have done since then, oldest first; not what was refused to them."""
    row = journal.c
    query = sa.select(row.actor, row.at, row.object).where(
        row.at > since, row.actor.in_(people), row.outcome == "done", sa.or_(*(row.object.like(each) for each in ABOUT))
    )
    return [Act(each.actor, each.at, each.object) for each in connection.execute(query.order_by(row.at, row.id))]


def known_to(connection: sa.Connection, person: str) -> datetime | None:
    """Until when somebody's acts are in interventions."""
    return connection.execute(
        sa.select(intervention.c.last_act_at).where(intervention.c.person == person)
        .order_by(intervention.c.last_act_at.desc()).limit(1)
    ).scalar_one_or_none()


def by_id(connection: sa.Connection, number: int) -> Intervention | None:
    row = connection.execute(sa.select(intervention).where(intervention.c.id == number)).one_or_none()
    return Intervention(**row._mapping) if row else None


def near(connection: sa.Connection, person: str, start: datetime, end: datetime, quiet: timedelta) -> Intervention | None:
    """Somebody's newest intervention that touches [start, end], or ended but a little while before."""
    row = intervention.c
    ended = sa.or_(row.end.is_(None) & (row.last_act_at >= start - quiet), row.end >= start - quiet)
    query = sa.select(intervention).where(row.person == person, row.start <= end, ended).order_by(row.start.desc()).limit(1)
    found = connection.execute(query).one_or_none()
    return Intervention(**found._mapping) if found else None


def begin(
    connection: sa.Connection, person: str, organisation: str, alert_id: int | None, start: datetime, source: str = "acts",
    end: datetime | None = None, confirmed_at: datetime | None = None,
) -> int:
    """Raises IntegrityError when this person's intervention of that start is known."""
    given: dict[str, Any] = {
        "person": person, "organisation": organisation, "alert_id": alert_id, "start": start, "end": end,
        "last_act_at": end or start, "source": source, "confirmed_at": confirmed_at, "asked_at": confirmed_at,
    }
    return int(connection.execute(intervention.insert().values(given).returning(intervention.c.id)).scalar_one())


def extend(connection: sa.Connection, known: Intervention, at: datetime) -> bool:
    """Another act; what had ended but a little while ago lasts until then."""
    mine = (intervention.c.id == known.id, intervention.c.last_act_at < at, intervention.c.confirmed_at.is_(None))
    values: dict[str, Any] = {"last_act_at": at} | ({"end": at} if known.end else {})
    return connection.execute(sa.update(intervention).where(*mine).values(values)).rowcount == 1


def silent(connection: sa.Connection, since: datetime) -> list[Intervention]:
    """Those still going on without an act since then."""
    query = sa.select(intervention).where(intervention.c.end.is_(None), intervention.c.last_act_at <= since)
    return [Intervention(**row._mapping) for row in connection.execute(query.order_by(intervention.c.id))]


def close(connection: sa.Connection, known: Intervention, end: datetime, now: datetime) -> bool:
    """Whether it went on until now without another act; the person is asked about it."""
    mine = (intervention.c.id == known.id, intervention.c.end.is_(None), intervention.c.last_act_at == known.last_act_at)
    return connection.execute(sa.update(intervention).where(*mine).values(end=end, asked_at=now)).rowcount == 1


def confirm(
    connection: sa.Connection, number: int, now: datetime, start: datetime | None = None, end: datetime | None = None
) -> bool:
    """The person says that it was so, or how it was; false when it is not over, or was confirmed before."""
    corrected: dict[str, Any] = {"start": start, "end": end, "last_act_at": end, "source": "declared"} if start and end else {}
    mine = [intervention.c.id == number, intervention.c.confirmed_at.is_(None)]
    mine += [] if corrected else [intervention.c.end.is_not(None)]
    query = sa.update(intervention).where(*mine)
    return connection.execute(query.values(confirmed_at=now, asked_at=now, **corrected)).rowcount == 1


def of_person(connection: sa.Connection, person: str, start: datetime, end: datetime) -> list[Intervention]:
    """Somebody's that touch [start, end), sorted by start."""
    row = intervention.c
    query = sa.select(intervention).where(row.person == person, row.start < end, sa.or_(row.end.is_(None), row.end > start))
    return [Intervention(**each._mapping) for each in connection.execute(query.order_by(row.start, row.id))]
