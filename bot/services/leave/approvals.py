"""Approvals as a run asks for them: whose yes a step needs, who is asked, whether exactly this was approved."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.desk import VIGIE, Desk
from bot.services.leave import signers
from bot.services.leave.signers import Asker, Demand
from bot.services.leave.signing import asker_of, note, plain_times, settle, show
from bot.services.leave.signing import ending as ending
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.approvals import APPROVED, EXPIRED, OPEN, REJECTED, REVOKED, USED, VOID, Approval
from bot.store.runs import Run
from runbooks.actions import Action
from runbooks.model import Step, Use, digest

PATIENCE = timedelta(minutes=15)
NO = (REJECTED, REVOKED, EXPIRED)       # answers after which the same step of the same run is not asked for again


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
    asker = asker_of(desk, connection, run)
    first = asker.important and _first(desk, connection, run, number)
    return signers.demands(desk.config, asker, use, action, first, desk.clock.now())


def ask(desk: Desk, connection: sa.Connection, question: Question, wanted: Sequence[Demand], now: datetime) -> Approval:
    """Asks those who may say yes and are awake; raises Refused when there is nobody, with what may still be done.

    A yes counts for further tries of exactly the same step until it expires; a no is final for this run.
    """
    run, last = question.run, _last(connection, question)
    if last is not None and last.state in NO:
        raise Refused(ending(desk, last, last.state))
    if last is not None and last.digest == question.digest and last.expires_at > now and _still(connection, last):
        return questions.get(connection, last.id)
    asker = asker_of(desk, connection, run)
    placed = [_placed(desk, each, asker, now) for each in wanted]
    asked = list(dict.fromkeys(key for each in placed for key in each.who))
    until = now + _patience(question.use)
    wanted_of = [asdict(each) for each in placed]
    made = questions.ask(connection, run.id, question.number, question.digest, wanted_of, asked, now, until)
    note(desk, connection, run, made, VIGIE, "approval asked", now, asked=asked, uses=question.use.uses, target=question.target,
         plan=question.plan, until=until.isoformat(), why=[each.why for each in placed],
         instead_of=last.id if last is not None else None)
    for each in placed:
        _beforehand(desk, connection, run, made, each, now)
    settle(desk, connection, run, made, asker, now)
    return questions.get(connection, made.id)


def state_of(desk: Desk, connection: sa.Connection, approval: Approval, now: datetime) -> str:
    """open, approved, rejected, expired, revoked, used or void; writes down that it expired.

    A yes that nothing followed in its time is void: it is asked for anew.
    """
    if approval.expires_at > now or approval.state not in (OPEN, APPROVED):
        return approval.state
    state = EXPIRED if approval.state == OPEN else VOID
    questions.hold(connection, approval.run_id)
    if not questions.change(connection, approval.id, [approval.state], state=state, ended_at=now):
        return questions.get(connection, approval.id).state
    run = rows.get(connection, approval.run_id)
    note(desk, connection, run, approval, VIGIE, "approval expired", now, "failed")
    show(connection, run, approval, now)
    return state


def covers(connection: sa.Connection, question: Question, now: datetime | None = None) -> bool:
    """Whether the step may begin: nothing was asked for it, or exactly this was approved; that approval is then used up.

    It is part of the transaction in which the step begins, so nobody can take back a yes that it rests on.
    """
    asked = questions.newest(connection, question.run.id, question.number)
    if asked is None or asked.state in (VOID, USED):        # it was not asked for again: nothing is asked for it now
        return True
    if asked.digest != question.digest or (now is not None and asked.expires_at <= now):
        return False
    used = questions.change(connection, asked.id, [APPROVED], state=USED)
    if used and now is not None:
        show(connection, question.run, asked, now)      # nothing can be revoked any more, so its button goes
    return used


def _last(connection: sa.Connection, question: Question) -> Approval | None:
    """What was asked last about this step, held."""
    questions.hold(connection, question.run.id)
    return questions.newest(connection, question.run.id, question.number)


def _first(desk: Desk, connection: sa.Connection, run: Run, number: int) -> bool:
    """Whether no other step of the run has changed anything."""
    begun = (each for each in rows.steps(connection, run.id) if each.begun_at is not None and each.number != number)
    actions = (desk.catalogue.actions.get(each.uses) for each in begun)
    return not any(each is None or each.mutates for each in actions)


def _placed(desk: Desk, demand: Demand, asker: Asker, now: datetime) -> Demand:
    try:
        return signers.placed(desk.config, demand, asker, now)
    except Refused as refusal:
        raise Refused(plain_times(str(refusal))) from refusal       # it will stand in a row, where no markup belongs


def _patience(use: Use) -> timedelta:
    return use.approve.expires if isinstance(use, Step) and use.approve is not None else PATIENCE


def _still(connection: sa.Connection, last: Approval) -> bool:
    """Whether the question (or its answer) stands: for a further try of the same step the yes is taken up again."""
    return last.state in (OPEN, APPROVED) or questions.change(connection, last.id, [USED], state=APPROVED)


def _beforehand(desk: Desk, connection: sa.Connection, run: Run, asked: Approval, demand: Demand, now: datetime) -> None:
    """What somebody in blackout signed until a day counts as signed now."""
    if demand.signer is None or demand.who:
        return
    organisation = desk.config.people[demand.signer].organisation
    questions.sign(connection, asked.id, demand.signer, organisation, now, demand.standing)
    note(desk, connection, run, asked, VIGIE, "approval signed", now, by=demand.signer, standing=demand.standing)
