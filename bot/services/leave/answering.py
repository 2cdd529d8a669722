"""What people say to a question: yes, no, or that they take their yes back. One verb, one transaction."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import blackout, contracts, duty, mandates, signers
from bot.services.leave.clauses import listed
from bot.services.leave.signers import Asker
from bot.services.leave.signing import asker_of, ending, note, settle, show, wants
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.approvals import APPROVED, EXPIRED, OPEN, REJECTED, REVOKED, USED, Approval
from bot.store.runs import Run

LONGEST_REASON = 300

NO_RUN = "There is no run {id}. `{command} runbooks` lists what runs and what ran."
ASKS_NOTHING = "Run {id} asks for no approval."
REPLACED = "What you saw is no longer asked: run {id} asks anew, for something else. Look at the newest question in its thread."
ENDED = "Step {number} of run {id} was decided: {how}."
BY_SIGNERS = "approved by {who}"
BEGUN = "Step {number} of run {id} has begun: too late to {verb}. `{command} cancel {id}` keeps later steps from beginning."
OWN_RUN = "You asked for run {id}: somebody else must approve it. {who}"
NOT_YOURS = "Step {number} of run {id} needs the yes of {whose}. {who}"
ASKED_ARE = "Asked: {names}."
STANDS_FOR_THEM = "An approval given beforehand stands for them."
IN_BLACKOUT = "{side} is in blackout until {at}: until then your yes or no does not count. {who}"
SIGNED_ALREADY = "You approved step {number} of run {id} already; more people are needed."
NOT_SIGNED = "You did not approve step {number} of run {id}: only who did can take it back. `{command} reject {id}` says no."


def approve(desk: Desk, run_id: int, actor: Actor, asked_id: int | None = None) -> Approval:
    """Says yes to what the run asks now (to the question that was seen, if it is named); raises Refused."""
    now = desk.clock.now()
    with desk.begin("approval: sign") as connection:
        run, asked = _question(desk, connection, run_id, [OPEN], "approve", now, asked_id)
        asker = asker_of(desk, connection, run)
        _may_answer(desk, run, asked, asker, actor, now)
        if any(each.person == actor.key for each in questions.signatures(connection, asked.id)):
            raise Refused(SIGNED_ALREADY.format(number=asked.number + 1, id=run.id))
        questions.sign(connection, asked.id, actor.key, actor.organisation, now)
        blackout.worked(desk.config, connection, actor, run.alert_id, now)
        note(desk, connection, run, asked, actor, "approval signed", now)
        settle(desk, connection, run, asked, asker, now)
        return questions.get(connection, asked.id)


def reject(desk: Desk, run_id: int, actor: Actor, reason: str = "") -> Approval:
    """Says no: the step does not begin. Counts until it has."""
    now = desk.clock.now()
    with desk.begin("approval: reject") as connection:
        run, asked = _question(desk, connection, run_id, [OPEN, APPROVED], "reject it", now)
        _may_answer(desk, run, asked, asker_of(desk, connection, run), actor, now)
        blackout.worked(desk.config, connection, actor, run.alert_id, now)
        return _end(desk, connection, run, asked, actor, REJECTED, now, mask_text(reason.strip())[:LONGEST_REASON] or None)


def revoke(desk: Desk, run_id: int, actor: Actor) -> Approval:
    """Takes one's own yes back, until the step begins."""
    now = desk.clock.now()
    with desk.begin("approval: revoke") as connection:
        run, asked = _question(desk, connection, run_id, [OPEN, APPROVED], "take it back", now)
        if all(each.person != actor.key for each in questions.signatures(connection, asked.id)):
            raise Refused(NOT_SIGNED.format(number=asked.number + 1, id=run.id, command=desk.config.command))
        return _end(desk, connection, run, asked, actor, REVOKED, now, None)


def waiting(desk: Desk, connection: sa.Connection, actor: Actor, now: datetime) -> list[Approval]:
    """Open questions that the actor may answer, newest first."""
    table = questions.approval.c
    return [each for each in questions.find(connection, table.state == OPEN, table.expires_at > now)
            if actor.key in may_answer(desk, connection, each, now)
            and all(row.person != actor.key for row in questions.signatures(connection, each.id))]


def may_answer(desk: Desk, connection: sa.Connection, asked: Approval, now: datetime) -> list[str]:
    """The people who may say yes or no to it now."""
    asker = asker_of(desk, connection, rows.get(connection, asked.run_id))
    through = blackout.reached_through_glass(desk.config, now) if asker.glass else ()
    return [key for key in _able(desk, asked, asker) if key in through or duty.asleep(desk.config, key, now) is None]


def _end(
    desk: Desk, connection: sa.Connection, run: Run, asked: Approval, actor: Actor, state: str, now: datetime, reason: str | None
) -> Approval:
    questions.change(connection, asked.id, [OPEN, APPROVED], state=state, ended_at=now, ended_by=actor.key, reason=reason)
    note(desk, connection, run, asked, actor, f"approval {state}", now, reason=reason)
    rows.wake(connection, run.id, now)
    show(connection, run, asked, now)
    return questions.get(connection, asked.id)


def _question(
    desk: Desk, connection: sa.Connection, run_id: int, states: Sequence[str], verb: str, now: datetime,
    asked_id: int | None = None,
) -> tuple[Run, Approval]:
    """The run and what it asks now, held until this transaction ends; raises Refused when it cannot be answered any more."""
    run, asked = rows.by_id(connection, run_id), questions.hold(connection, run_id)
    if run is None:
        raise Refused(NO_RUN.format(id=run_id, command=desk.config.command))
    if asked is None:
        raise Refused(ASKS_NOTHING.format(id=run_id))
    if asked_id is not None and asked.id != asked_id:
        raise Refused(REPLACED.format(id=run_id))
    if asked.state == USED:
        raise Refused(BEGUN.format(number=asked.number + 1, id=run_id, verb=verb, command=desk.config.command))
    late = asked.expires_at <= now and asked.state == OPEN
    if late or asked.state not in states:
        how = ending(desk, asked, EXPIRED if late else asked.state)
        if asked.state == APPROVED:
            who = [called(desk, each.person) for each in questions.signatures(connection, asked.id)]
            how = BY_SIGNERS.format(who=listed(who, "and"))
        raise Refused(ENDED.format(number=asked.number + 1, id=run_id, how=how))
    return run, asked


def _able(desk: Desk, asked: Approval, asker: Asker) -> list[str]:
    """Everybody whose yes one of the demands would take, awake or not."""
    every = [key for each in wants(asked) for key in signers.able(desk.config, each, asker)]
    return [key for key in dict.fromkeys(every) if key != asker.actor]


def _may_answer(desk: Desk, run: Run, asked: Approval, asker: Asker, actor: Actor, now: datetime) -> None:
    """Raises Refused unless the actor is one of those whose answer counts, and awake."""
    person = desk.config.people.get(actor.key)
    if person is None:
        raise Refused(mandates.OUTSIDER.format(verb="approve", who=contracts.grantors(desk.config)))
    who = ASKED_ARE.format(names=listed([called(desk, key) for key in asked.asked])) if asked.asked else STANDS_FOR_THEM
    if actor.key == run.actor:
        raise Refused(OWN_RUN.format(id=run.id, who=who))
    if actor.key not in _able(desk, asked, asker):
        whose = " and of ".join(dict.fromkeys(signers.whose(desk.config, each, asker.organisation) for each in wants(asked)))
        raise Refused(NOT_YOURS.format(number=asked.number + 1, id=run.id, whose=whose, who=who))
    until = duty.in_blackout(desk.config, person.organisation, now)
    if until is not None and not (asker.glass and actor.key in blackout.reached_through_glass(desk.config, now)):
        side = desk.config.organisations[person.organisation].name
        raise Refused(IN_BLACKOUT.format(side=side, at=clock_time(until), who=who))
