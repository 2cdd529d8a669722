"""Incidents: what hurt whom and for how long, how it was classified, what is owed to the regulator."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata

KINDS = ("outage", "degraded", "bank_api_down", "security")

incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # outage, degraded, bank_api_down, security
    sa.Column("channel", sa.Text, nullable=False),                 # where it is talked about
    sa.Column("began_at", Utc, nullable=False),                    # occurrence, or the earliest trace of it
    sa.Column("detected_at", Utc, nullable=False),
    sa.Column("found_by", sa.Text, nullable=False),                # monitoring systems, clients, third-party provider ...
    sa.Column("aware_at", Utc),                                    # set once; each change is an entry of the journal
    sa.Column("aware_by", sa.Text),
    sa.Column("ended_at", Utc),                                    # regular activity is recovered
    sa.Column("cause", sa.Text),                                   # the root cause, as a tag
    sa.Column("third_party", sa.Text),
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("declared_by", sa.Text, nullable=False),
    sa.Column("declared_at", Utc, nullable=False),
    sa.Index("ix_incident_began_at", "began_at"),
)

incident_alert = sa.Table(
    "incident_alert",
    metadata,
    sa.Column("incident_id", BigId, primary_key=True),
    sa.Column("alert_id", BigId, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Index("ix_incident_alert_alert_id", "alert_id"),
)

impact = sa.Table(
    "impact",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("start", Utc, nullable=False),
    sa.Column("end", Utc),                                         # null: it lasts
    sa.Column("share", sa.Float, nullable=False),                  # of requests that failed: 1 is an outage
    sa.Column("said_by", sa.Text, nullable=False),
    sa.Column("said_at", Utc, nullable=False),
    sa.Column("withdrawn_at", Utc),                                # said anew by another row
)

classification = sa.Table(
    "classification",
    metadata,
    sa.Column("id", BigId, primary_key=True),                      # the newest counts; the others are its history
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("answers", sa.Text, nullable=False),                 # JSON: the worksheet as it was filled in
    sa.Column("major", sa.Boolean, nullable=False),
    sa.Column("reasons", sa.Text, nullable=False),                 # JSON: which criteria were met, in words
    sa.Column("rules", sa.Text, nullable=False),                   # the text that was applied: 2024/1772
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("incident_id", BigId, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),                    # initial, intermediate, final, clients, bank_api
    sa.Column("opened_at", Utc, nullable=False),                   # since when it is owed
    sa.Column("due_at", Utc),
    sa.Column("told", sa.Text, nullable=False),                    # JSON: which of its reminders were told
    sa.Column("remind_at", Utc),                                   # when the next reminder is due
    sa.Column("sent_at", Utc),
    sa.Column("sent_by", sa.Text),
    sa.Column("reference", sa.Text),                               # of the authority
    sa.Column("delay_reason", sa.Text),                            # told before the limit (2025/301 art. 5(3))
    sa.Column("ended_at", Utc),                                    # no longer owed: classified anew as not major
    sa.UniqueConstraint("incident_id", "kind", "due_at", name="uq_notice_incident_kind_due"),
    sa.Index("ix_notice_remind_at", "remind_at"),
)


@dataclass(frozen=True, slots=True)
class Incident:
    """What a person declared to be one; times are UTC."""

    id: int
    title: str
    service: str
    kind: str
    channel: str
    began_at: datetime
    detected_at: datetime
    found_by: str
    aware_at: datetime | None
    aware_by: str | None
    ended_at: datetime | None
    cause: str | None
    third_party: str | None
    drill: bool
    declared_by: str
    declared_at: datetime

    @property
    def name(self) -> str:
        """How people call it: incident 3."""
        return f"incident {self.id}"

    @property
    def ref(self) -> str:
        """How a button names it."""
        return f"incident{self.id}"


@dataclass(frozen=True, slots=True)
class Impact:
    """A stretch in which a service did not do its work; end None: it lasts."""

    id: int
    incident_id: int
    service: str
    start: datetime
    end: datetime | None
    share: float
    said_by: str
    said_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Classification:
    """One filled-in worksheet; `answers` and `reasons` are JSON."""

    id: int
    incident_id: int
    at: datetime
    by: str
    organisation: str
    answers: str
    major: bool
    reasons: str
    rules: str


def add(connection: sa.Connection, **values: Any) -> Incident:
    made = connection.execute(incident.insert().values(values).returning(incident))
    return Incident(**made.one()._mapping)


def by_id(connection: sa.Connection, incident_id: int) -> Incident | None:
    row = connection.execute(sa.select(incident).where(incident.c.id == incident_id)).one_or_none()
    return Incident(**row._mapping) if row else None


def hold(connection: sa.Connection, incident_id: int) -> Incident:
    """As it is now; whoever else would change what is owed for it waits until this transaction is over."""
    query = sa.select(incident).where(incident.c.id == incident_id).with_for_update()
    return Incident(**connection.execute(query).one()._mapping)


def change(connection: sa.Connection, seen: Incident, **values: Any) -> bool:
    """Changes it if what is changed is as it was seen; false if somebody was first."""
    same = [incident.c[name].is_not_distinct_from(getattr(seen, name)) for name in values]
    return connection.execute(sa.update(incident).where(incident.c.id == seen.id, *same).values(**values)).rowcount == 1


def newest(connection: sa.Connection, most: int = 20) -> list[Incident]:
    """The newest, newest first."""
    query = sa.select(incident).order_by(incident.c.id.desc()).limit(most)
    return [Incident(**row._mapping) for row in connection.execute(query)]


def between(connection: sa.Connection, start: datetime, end: datetime) -> list[Incident]:
    """Those that began in [start, end), oldest first."""
    query = sa.select(incident).where(incident.c.began_at >= start, incident.c.began_at < end)
    return [Incident(**row._mapping) for row in connection.execute(query.order_by(incident.c.began_at, incident.c.id))]


def still_open(connection: sa.Connection) -> list[Incident]:
    """Those that are not over, oldest first."""
    query = sa.select(incident).where(incident.c.ended_at.is_(None)).order_by(incident.c.began_at, incident.c.id)
    return [Incident(**row._mapping) for row in connection.execute(query)]


def of_alert(connection: sa.Connection, alert_ids: Iterable[int], still: bool = False) -> Incident | None:
    """The newest incident that has one of these alerts; with `still`, one that is not over."""
    query = sa.select(incident).join(incident_alert, incident_alert.c.incident_id == incident.c.id)
    query = query.where(incident_alert.c.alert_id.in_(list(alert_ids))).order_by(incident.c.id.desc()).limit(1)
    row = connection.execute(query.where(incident.c.ended_at.is_(None)) if still else query).first()
    return Incident(**row._mapping) if row else None


# --- its alerts -----------------------------------------------------------------------------------------------------------


def add_alerts(connection: sa.Connection, incident_id: int, alert_ids: Iterable[int], at: datetime) -> list[int]:
    """Those that were not there yet."""
    known = set(alerts_of(connection, incident_id))
    new = [each for each in dict.fromkeys(alert_ids) if each not in known]
    if new:
        connection.execute(incident_alert.insert(), [{"incident_id": incident_id, "alert_id": each, "at": at} for each in new])
    return new


def alerts_of(connection: sa.Connection, incident_id: int) -> list[int]:
    """The numbers of its alerts, in order."""
    query = sa.select(incident_alert.c.alert_id).where(incident_alert.c.incident_id == incident_id)
    return list(connection.execute(query.order_by(incident_alert.c.alert_id)).scalars())


# --- impact ---------------------------------------------------------------------------------------------------------------


def add_impact(connection: sa.Connection, **values: Any) -> int:
    return int(connection.execute(impact.insert().values(values).returning(impact.c.id)).scalar_one())


def impacts(connection: sa.Connection, incident_id: int) -> list[Impact]:
    """Those that hold, by service and start; withdrawn ones are left out."""
    query = sa.select(impact).where(impact.c.incident_id == incident_id, impact.c.withdrawn_at.is_(None))
    return [Impact(**row._mapping) for row in connection.execute(query.order_by(impact.c.service, impact.c.start, impact.c.id))]


def withdraw_impacts(connection: sa.Connection, impact_ids: Iterable[int], now: datetime) -> None:
    """They were said anew: kept, and not counted."""
    mine = (impact.c.id.in_(list(impact_ids)), impact.c.withdrawn_at.is_(None))
    connection.execute(sa.update(impact).where(*mine).values(withdrawn_at=now))


# --- classification -------------------------------------------------------------------------------------------------------


def add_classification(connection: sa.Connection, **values: Any) -> Classification:
    made = connection.execute(classification.insert().values(values).returning(classification))
    return Classification(**made.one()._mapping)


def classifications(connection: sa.Connection, incident_id: int) -> list[Classification]:
    """Its history, oldest first; the last one counts."""
    query = sa.select(classification).where(classification.c.incident_id == incident_id).order_by(classification.c.id)
    return [Classification(**row._mapping) for row in connection.execute(query)]
