"""Vigie's own alerts: what it must say loudly of itself, or of the rota, goes the way of every other alert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert.folding import Arrival
from bot.services.alert.intake import take
from bot.services.alert.triage import Verdict
from bot.services.desk import Desk
from bot.signals import FIRING, RECOVERED, Signal
from bot.store import alerts, observations
from bot.store.alerts import Alert

SOURCE, OBSERVER, SERVICE = "vigie", "Vigie", "vigie"
WHOSE = "whose"                         # the label that names who is to be called first
WHY = "Vigie says so of itself"


@dataclass(frozen=True, slots=True)
class Own:
    """One thing that Vigie may have to say. Without more, it is about Vigie itself, and of the platform's owner."""

    name: str
    title: str
    summary: str = ""
    severity: str = "critical"
    fingerprint: str = ""               # nobody-reachable; without one, the name
    occasion: str = ""                  # two processes that speak of one occasion say one word; without one, of one minute
    organisation: str = ""
    service: str = SERVICE
    channel: str = ""                   # of Slack; without one, the service's
    labels: Mapping[str, str] = field(default_factory=dict)
    why: str = WHY


def number(connection: sa.Connection, fingerprint: str) -> int | None:
    """The alert's number while it fires."""
    mine = (alerts.alert.c.fingerprint == fingerprint, alerts.alert.c.state.in_(("firing", "acked")))
    return connection.execute(sa.select(alerts.alert.c.id).where(*mine)).scalar_one_or_none()


def whose(connection: sa.Connection, alert: Alert) -> str | None:
    """Who is to be called first about one of Vigie's own alerts; None: whoever has the duty."""
    seen = observations.by_alert(connection, [alert.id]).get(alert.id, ())
    return alert.labels.get(WHOSE) if any(row.source == SOURCE for row in seen) else None


def say(desk: Desk, things: Sequence[Own], firing: bool) -> None:
    """Opens these alerts, or says that they are over."""
    if things:
        now = desk.clock.now()
        take(desk, [_arrival(desk.config, each, FIRING if firing else RECOVERED, now) for each in things])


def _arrival(config: Config, what: Own, state: str, now: datetime) -> Arrival:
    fingerprint, occasion = what.fingerprint or what.name, what.occasion or f"{now:%Y%m%d%H%M}"
    signal = Signal(
        key=fingerprint, state=state, severity=what.severity, name=what.name, title=what.title, summary=what.summary,
        observer=OBSERVER, at=now, service=what.service, labels=what.labels,
    )
    verdict = Verdict(what.severity, True, what.channel or config.channel_of(what.service), (what.why,))
    return Arrival(
        delivery=f"{fingerprint}:{occasion}:{state}", fingerprint=fingerprint, signal=signal, source=SOURCE, endpoint=SOURCE,
        organisation=what.organisation or _owner(config), service=what.service, verdict=verdict, received_at=now, body="{}",
    )


def _owner(config: Config) -> str:
    """The company that owns the platform."""
    own = (key for key, each in config.organisations.items() if each.kind == "own")
    return next(own, next(iter(config.organisations)))
