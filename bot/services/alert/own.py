"""Vigie's own alerts: what it must say loudly of itself goes the way of every other alert."""

from dataclasses import dataclass

import sqlalchemy as sa

from bot.services.alert.arrivals import fingerprint
from bot.services.alert.folding import Arrival
from bot.services.alert.intake import take
from bot.services.alert.triage import Verdict
from bot.services.desk import Desk
from bot.sources import FIRING, RECOVERED, Signal
from bot.store import alerts

SOURCE, SERVICE = "vigie", "vigie"
WHY = "Vigie says so of itself"


@dataclass(frozen=True, slots=True)
class Own:
    """One thing that Vigie may have to say of itself."""

    name: str               # nobody-reachable
    title: str
    summary: str = ""
    severity: str = "critical"


def number(desk: Desk, connection: sa.Connection, name: str) -> int | None:
    """The alert's number while it fires."""
    mine = (alerts.alert.c.fingerprint == fingerprint(_owner(desk), name), alerts.alert.c.state.in_(("firing", "acked")))
    return connection.execute(sa.select(alerts.alert.c.id).where(*mine)).scalar_one_or_none()


def say(desk: Desk, what: Own, firing: bool) -> None:
    """Opens it, or says that it is over; said twice in a minute it is said once."""
    now, state = desk.clock.now(), FIRING if firing else RECOVERED
    signal = Signal(
        key=what.name, state=state, severity=what.severity, name=what.name, title=what.title, summary=what.summary,
        observer="Vigie", at=now, service=SERVICE,
    )
    verdict = Verdict(what.severity, True, desk.config.channel_of(SERVICE), (WHY,))
    take(desk, [Arrival(
        delivery=f"{SOURCE}:{what.name}:{state}:{now:%Y%m%d%H%M}", fingerprint=fingerprint(_owner(desk), what.name),
        signal=signal, source=SOURCE, endpoint=SOURCE, organisation=_owner(desk), service=SERVICE, verdict=verdict,
        received_at=now, body="{}",
    )])


def _owner(desk: Desk) -> str:
    """The company that owns the platform."""
    own = (key for key, each in desk.config.organisations.items() if each.kind == "own")
    return next(own, next(iter(desk.config.organisations)))
