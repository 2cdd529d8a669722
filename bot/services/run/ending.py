"""The end of a run: its last words, its target given free, and all who must know of it."""

from bot.services.desk import Desk
from bot.services.leave.mandates import FIX, PROOF
from bot.services.ledger import journal
from bot.services.run import aftermath, runs
from bot.services.run.jobs import Job
from bot.services.run.sound import LONGEST_SAID
from bot.store import approvals as questions
from bot.store import groups
from bot.store import runs as rows
from bot.store.runs import Run
from runbooks.model import Step as Told

WENT_WELL = "All {count} steps done and seen to have worked."
PROVEN = "Checked: {said}."
CANCELLED_SAID = "Cancelled by {who}."
LEFT = "Step {number} \"{title}\" was {state}, and nobody looks at it any more: {said}"
LEFT_STATES = {"in doubt": "in doubt", "acted": "under way"}
STEP_FAILED = "Step {number} \"{title}\": {said}"
CHECK_FAILED = "Not proven: {title}: {said}"


@groups.closes
def end(desk: Desk, run: Run, state: str, said: str) -> None:
    """Once, whoever comes first."""
    now = desk.clock.now()
    with desk.begin("run: end") as connection:
        if not rows.change(connection, run.id, rows.UNDER_WAY, state=state, said=said[:LONGEST_SAID], ended_at=now, due_at=None):
            return
        ended = rows.get(connection, run.id)
        rows.unlock(connection, ended, now)
        questions.close_open(connection, ended.id, questions.VOID, now)
        outcome: journal.Outcome = "done" if state == rows.SUCCEEDED else "failed"
        runs.note(connection, ended, runs.actor_of(desk, ended), f"run {state}", now, outcome, said=said)
        aftermath.ended(desk, connection, ended, now)
        runs.show(connection, ended, now, urgency=1)


def well(job: Job) -> str:
    checks = [each for each in job.steps if job.run.purpose == PROOF or each.number >= len(job.runbook.steps)]
    proofs = " · ".join(each.said or each.title for each in checks if each.state == "done")
    done = sum(each.state == "done" for each in job.steps) - len(checks)
    words = [WENT_WELL.format(count=done)] if job.run.purpose == FIX else []
    return " ".join([*words, PROVEN.format(said=proofs)] if proofs else words)


def failure(job: Job, said: str) -> str:
    words = STEP_FAILED if isinstance(job.use(job.step), Told) else CHECK_FAILED
    return words.format(number=job.step.number + 1, title=job.step.title, said=said)


def cancelled(desk: Desk, job: Job) -> str:
    """By whom, and what was under way: it is kept as it is."""
    said = [CANCELLED_SAID.format(who=_who(desk, job.run))]
    for each in job.steps:
        if each.state in LEFT_STATES:
            state = LEFT_STATES[each.state]
            said.append(LEFT.format(number=each.number + 1, title=each.title, state=state, said=each.said))
    return " ".join(said)


def _who(desk: Desk, run: Run) -> str:
    person = desk.config.people.get(run.cancelled_by or "")
    return person.name if person else run.cancelled_by or ""
