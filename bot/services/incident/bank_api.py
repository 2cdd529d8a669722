"""A bank's interface is down: evidence for the authority (2018/389 art. 33(3)), and who is asked to tell it, in working hours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.config.matching import means
from bot.services.desk import Desk
from bot.services.incident import ground
from bot.services.rota import office, telling
from bot.store import alerts, cards, incidents, notes, observations
from bot.store.alerts import Alert
from bot.store.incidents import Incident, incident_alert
from runbooks.model import When

KIND = "bank_api_down"
TOLD = (
    "🏦 {count} of a bank's interface since {since}, and no incident for {them}: {alerts}. The authority wants to know of "
    "problems without delay. `{command} incident {first}` declares one, with what Vigie has seen of it."
)
ONE, SEVERAL = "1 alert", "{count} alerts"
LATENCY = ("latency", "latency_ms", "latency_s", "duration_ms", "response_time")
LOOK_BACK, DAY, MOST_NAMED = timedelta(days=4), timedelta(days=1), 8


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert as a condition of vigie.yaml looks at it."""

    source: str
    service: str
    severity: str
    name: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen of one outage: facts that a form of the authority asks for."""

    failures: int
    first_at: datetime | None
    last_at: datetime | None
    recovered_at: datetime | None
    latency: str | None
    alerts: tuple[int, ...]
    notes: tuple[str, ...]


def is_about(config: Config, connection: sa.Connection, alert: Alert) -> bool:
    """Whether vigie.yaml says that it tells of a bank's interface; without a condition none does."""
    known = ground.regulator(config)
    if known is None or known.bank_api == When():
        return False
    seen = observations.by_alert(connection, [alert.id]).get(alert.id, ()) if known.bank_api.source else ()
    sources = [row.source for row in seen] or [""]
    names = (alert.labels.get("name") or alert.labels.get("alertname") or alert.title, alert.title)
    return any(
        means(known.bank_api, Seen(source, alert.service, alert.severity, name, alert.labels))
        for source in sources for name in names
    )


def evidence(connection: sa.Connection, incident: Incident) -> Evidence:
    """Counted from the signals of its alerts."""
    members = [found for each in incidents.alerts_of(connection, incident.id) if (found := alerts.by_id(connection, each))]
    row = alerts.signal.c
    failing = (row.alert_id.in_([each.id for each in members]), row.state == "firing")
    query = sa.select(sa.func.count(), sa.func.min(row.at), sa.func.max(row.at)).where(*failing)
    count, first, last = connection.execute(query).one()
    written = [each.text for one in members for each in notes.of_alert(connection, one.id)]
    recovered = [each.recovered_at for each in members]
    return Evidence(
        int(count), first, last, max(filter(None, recovered)) if recovered and all(recovered) else None, _latency(members),
        tuple(each.id for each in members), tuple(written),
    )


def as_document(found: Evidence) -> dict[str, Any]:
    """For the file that goes with the report."""
    return {
        "failures": found.failures, "first": _iso(found.first_at), "last": _iso(found.last_at),
        "recovered": _iso(found.recovered_at), "latency": found.latency, "alerts": list(found.alerts), "notes": list(found.notes),
        "rule": "2018/389 art. 33(1): unavailability may be presumed after five consecutive requests unanswered within 30 s",
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None


def _latency(members: Iterable[Alert]) -> str | None:
    """As a label says it; nobody guesses."""
    return next((each.labels[name] for each in members for name in LATENCY if each.labels.get(name)), None)


# --- what nobody has declared -----------------------------------------------------------------------------------------------


def act(desk: Desk) -> bool:
    """Once a working day: which alerts of a bank's interface no incident has. Safe to repeat."""
    config, now = desk.config, desk.clock.now()
    known = ground.regulator(config)
    if known is None or known.bank_api == When() or not office.is_open(config, ground.own(config), now):
        return False
    key = f"bank-api:{now:%Y-%m-%d}"
    with desk.read() as connection:
        if cards.by_key(connection, key) is not None:
            return False
        left = list(_undeclared(connection, config, now))
    if not left:
        return False
    with desk.begin("bank api") as connection:
        return telling.tell(connection, config, known.compliance, key, _said(config, left), now)


def _undeclared(connection: sa.Connection, config: Config, now: datetime) -> Iterator[Alert]:
    """Of the last days, weekends between them: each is told on every working day until it is four days old."""
    row, known = alerts.alert.c, ground.regulator(config)
    declared = sa.select(incident_alert.c.alert_id).where(incident_alert.c.alert_id == row.id).exists()
    query = sa.select(alerts.alert).where(row.opened_at >= now - LOOK_BACK, row.opened_at <= now, ~declared)
    if known and known.bank_api.service:
        query = query.where(row.service.in_(known.bank_api.service))
    for each in map(alerts.read, connection.execute(query.order_by(row.id))):
        if is_about(config, connection, each):
            yield each


def _said(config: Config, left: Sequence[Alert]) -> str:
    count = ONE if len(left) == 1 else SEVERAL.format(count=len(left))
    names = ", ".join(each.name for each in left[:MOST_NAMED]) + ("…" if len(left) > MOST_NAMED else "")
    return TOLD.format(count=count, since=ground.when(config, left[0].opened_at), them="it" if len(left) == 1 else "them",
                       alerts=names, command=config.command, first=left[0].id)
