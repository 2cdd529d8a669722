"""Approvals: whose yes a step needs, who is asked, who said it; bound to exactly what will run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.services.desk import Desk
from bot.store import approvals
from bot.store.approvals import Approval
from bot.store.runs import Run
from runbooks.actions import Action
from runbooks.model import Use, digest


@dataclass(frozen=True, slots=True)
class Demand:
    """Whose yes is wanted, how many, and why."""

    roles: tuple[str, ...]
    side: str                           # any, own, partner, other, or an organisation's key
    count: int
    why: str
    standing: str | None = None         # the clause's standing approval, if it has one


@dataclass(frozen=True, slots=True)
class Question:
    """Exactly what would be done."""

    run: Run
    number: int
    use: Use
    given: dict[str, Any]
    target: str
    plan: str

    @property
    def digest(self) -> str:
        return digest({"run": self.run.id, "step": self.number, "uses": self.use.uses, "given": self.given,
                       "target": self.target, "plan": self.plan})


def demands(desk: Desk, connection: sa.Connection, run: Run, number: int, use: Use, action: Action[Any]) -> list[Demand]:
    """Whose yes this step needs; none: it may begin."""
    return []


def ask(desk: Desk, connection: sa.Connection, question: Question, wanted: Sequence[Demand], now: datetime) -> Approval:
    """Asks those who may say yes and are awake; raises Refused when there is nobody, with what may still be done."""
    raise NotImplementedError


def state_of(desk: Desk, connection: sa.Connection, approval: Approval, now: datetime) -> str:
    """open, approved, rejected, expired, revoked or void; writes down that it expired."""
    return approval.state if approval.expires_at > now or approval.state != approvals.OPEN else approvals.EXPIRED


def ending(desk: Desk, asked: Approval, state: str) -> str:
    """Why there is no yes, in a sentence."""
    return state


def covers(connection: sa.Connection, question: Question) -> bool:
    """Whether nothing was asked for this step, or what was approved is exactly this."""
    asked = approvals.newest(connection, question.run.id, question.number)
    return asked is None or (asked.state == approvals.APPROVED and asked.digest == question.digest)
