"""Who may run what: the partner's people within the mandate that both sides confirmed, others within their roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from bot.services import authority
from bot.services.desk import VIGIE, Actor, Desk
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook

Mode = Literal["manual", "click", "automatic"]

FIX, PROOF = "fix", "proof"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to run."""

    runbook: Runbook
    actor: Actor
    alert: Alert | None = None
    given: Mapping[str, Any] | None = None
    mode: Mode = "manual"
    purpose: str = FIX
    glass: str | None = None        # why the mandate is broken


@dataclass(frozen=True, slots=True)
class Leave:
    """By what right a run is started: the clause and the confirmed version of its mandate; none for own people."""

    clause: str | None = None
    version: str | None = None


def leave(
    desk: Desk, connection: sa.Connection, wish: Wish, parameters: Mapping[str, Any], target: str, now: datetime
) -> Leave:
    """By what right the actor may run this now; raises Refused, naming the clause and who can grant it."""
    if wish.actor.key != VIGIE.key:
        authority.require(desk.config, wish.actor, "run", "act")
    return Leave()


def may_touch(desk: Desk, connection: sa.Connection, run: Run, actor: Actor, verb: str, now: datetime) -> None:
    """Raises Refused unless the actor may cancel or decide this run."""
    authority.require(desk.config, actor, verb, "act")
