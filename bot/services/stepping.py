"""One step of a run: look before, ask, write down, act, look until it is seen to have worked; or find out what became of it.

Each move ends in rows and says in how many seconds the next is due: 0 at once, None when somebody must do something first.
So any process can make the next move, however the last one ended.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.errors import Refused
from bot.masking import mask, mask_text
from bot.services import aftermath, approvals, brakes, mandates, runs
from bot.services.approvals import Question
from bot.services.desk import Desk
from bot.services.jobs import Bench, Job, Overtaken, Stuck, Task, meaning, told
from bot.services.response import lasting
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.runs import Run
from runbooks.actions import Failed, Look, Outcome
from runbooks.model import Step as Told
from runbooks.model import Use

log = structlog.get_logger()

NOW = 0.0
LONGEST_SAID, LONGEST_LOG, MOST_IN_THREAD = 600, 200_000, 1_500
LARGEST_FILE = 2_000_000
TRIES_AT_LEAST = 3          # for what was certainly not done: throttled, or an idempotent call without an answer
AGAIN_AFTER_S = 5.0

NOT_SEEN_IN_TIME = "not seen to have worked within {limit}: {said}"
NOBODY_KNOWS = "{said}; nothing shows whether it happened"
INTERRUPTED = "interrupted while it was under way"
STOPPED = "stopped by a person while its outcome was in doubt"
DECIDED = "a person says that it happened"
CHANGED_SINCE = "the world has changed since it was approved: now it would {plan}"


class Stepper:
    """Makes the moves of a step. `next` raises Stuck when the step has failed."""

    def __init__(self, bench: Bench) -> None:
        self._desk, self._bench = bench.desk, bench

    def next(self, job: Job) -> float | None:
        moves = {
            "pending": self._prepare, "asking": self._answered, "ready": self._begin, "started": self._find_out,
            "acted": self._look, "in doubt": self._wait, "stopped": self._stop,
        }
        return moves[job.step.state](job)

    # --- before ---

    def _prepare(self, job: Job) -> float | None:
        """Looks at the world, says what would happen, and asks whoever must say yes."""
        task = self._bench.task(job, job.step)
        before, plan, question = self._look_before(job, task)
        with self._desk.begin("run: prepare") as connection:
            wanted = approvals.demands(self._desk, connection, job.run, job.step.number, task.use, task.action)
            self._change(connection, job, "asking" if wanted else "ready", given=task.given, before=before,
                         plan=mask_text(plan), said=None)
            if not wanted:
                return NOW
            try:
                asked = approvals.ask(self._desk, connection, question, wanted, job.now)
            except Refused as refusal:
                raise Stuck(str(refusal)) from refusal
            rows.change(connection, job.run.id, [rows.RUNNING], state=rows.ASKING)
            runs.show(connection, job.run, job.now, urgency=1)
            return NOW if asked.state == questions.APPROVED else _until(asked.expires_at, job.now)

    def _look_before(self, job: Job, task: Task) -> tuple[dict[str, Any], str, Question]:
        with told():
            world = self._bench.world(job, task, {}, acting=False)
            before = dict(task.action.before(world, task.params))
            plan = task.action.plan(task.params, before)
            question = Question(job.run, task.step.number, task.use, task.given, task.action.target(task.params), plan)
        return before, plan, question

    def _answered(self, job: Job) -> float | None:
        """Goes on when the question is answered."""
        with self._desk.begin("run: answered") as connection:
            asked = questions.newest(connection, job.run.id, job.step.number)
            state = approvals.state_of(self._desk, connection, asked, job.now) if asked else questions.VOID
            if asked and state == questions.OPEN:
                return _until(asked.expires_at, job.now)
            rows.change(connection, job.run.id, [rows.ASKING], state=rows.RUNNING)
            self._change(connection, job, "ready" if state == questions.APPROVED else "pending")
        if asked and state not in (questions.APPROVED, questions.VOID):
            raise Stuck(approvals.ending(self._desk, asked, state))
        return NOW

    # --- the act ---

    def _begin(self, job: Job) -> float | None:
        """Writes down what is about to be done, with the world as it is; then does it, once."""
        task = self._bench.task(job, job.step)
        before, plan, question = self._look_before(job, task)
        with self._desk.begin("run: begin") as connection:
            if not approvals.covers(connection, question, job.now):
                self._change(connection, job, "pending", said=CHANGED_SINCE.format(plan=mask_text(plan)))
                return NOW
            if task.action.mutates:
                _allowed(self._desk, connection, job.run, question.target, job.now)
            self._change(connection, job, "started", before=before, plan=mask_text(plan), begun_at=job.now, outputs=None,
                         deadline=job.now + task.use.timeout, tries=job.step.tries + 1, said=None)
            if task.action.mutates:
                runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step begun", job.now,
                          step=job.step.number + 1, uses=task.use.uses, plan=plan)
            runs.show(connection, job.run, job.now, urgency=2)
        return self._act(job.begun(), task, before)

    def _act(self, job: Job, task: Task, before: dict[str, Any]) -> float | None:
        try:
            world = self._bench.world(job, task, before, acting=task.action.mutates)
            self._desk.kill("act: before")
            outcome = task.action.act(world, task.params, before)
            self._desk.kill("act: after")
        except Exception as error:  # around a runbook step: what is not certainly undone is found out by looking
            return self._not_acted(job, task, error)
        self._keep(job, task, outcome)
        return NOW

    def _not_acted(self, job: Job, task: Task, error: Exception) -> float | None:
        means = meaning(error)
        if isinstance(means, Failed):
            raise Stuck(str(means), means.again) from error
        if task.repeatable:
            raise Stuck(str(means), again=True, sent=True) from error
        with self._desk.begin("run: no answer") as connection:
            self._change(connection, job, "started", said=str(means))
        return NOW

    def _find_out(self, job: Job) -> float | None:
        """It was begun, and no answer is written down: we died, or the line was cut. Look first; then again what may be."""
        task, before = self._bench.task(job, job.step), job.step.before or {}
        if not task.action.mutates:
            return self._act(job, task, before)
        look = self._seen(job, task, before, {})
        if look.seen in ("done", "under way"):
            self._keep(job, task, Outcome(look.said, look.outputs))
            return NOW
        if task.repeatable:
            return self._act(job, task, before)
        begun = job.step.begun_at or job.now
        if look.seen == "not seen" and job.now < begun + timedelta(seconds=task.action.settle_s):
            return task.action.poll_s
        with self._desk.begin("run: in doubt") as connection:
            said = NOBODY_KNOWS.format(said=job.step.said or INTERRUPTED)
            self._change(connection, job, "in doubt", said=f"{said}. {look.said}"[:LONGEST_SAID])
            rows.change(connection, job.run.id, [rows.RUNNING], state=rows.IN_DOUBT)
            runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step in doubt", job.now, "failed",
                      step=job.step.number + 1, said=look.said)
            aftermath.in_doubt(self._desk, connection, job.run, job.step, look.said, job.now)
            runs.show(connection, job.run, job.now, urgency=1)
        return None

    def _keep(self, job: Job, task: Task, outcome: Outcome) -> None:
        """What the call answered, masked and bounded; long output and pictures become files."""
        with self._desk.begin("run: acted") as connection:
            printed = mask_text(outcome.log)[:LONGEST_LOG]
            self._change(connection, job, "acted", outputs=mask(dict(outcome.outputs)), log=printed[:MOST_IN_THREAD] or None,
                         said=mask_text(outcome.said)[:LONGEST_SAID])
            if len(printed) > MOST_IN_THREAD:
                name = f"run{job.run.id}-{task.step.name}.txt"
                runs.attach(connection, job.run, name, f"All that {task.step.title} printed", printed.encode(), job.now)
            for each in outcome.files:
                if len(each.content) <= LARGEST_FILE:
                    runs.attach(connection, job.run, each.name, mask_text(each.alt), each.content, job.now)

    # --- after ---

    def _look(self, job: Job) -> float | None:
        """Looks whether it worked, until it is seen or its time is over."""
        task = self._bench.task(job, job.step)
        if isinstance(task.use, Told) and task.use.verify == "none" and task.action.mutates:
            return self._done(job, Look("done", job.step.said or ""))
        look = self._seen(job, task, job.step.before or {}, job.step.outputs or {})
        if look.seen == "done":
            return self._done(job, look)
        if look.seen == "failed":
            raise Stuck(look.said)
        deadline = job.step.deadline or job.now
        if job.now >= deadline:
            raise Stuck(NOT_SEEN_IN_TIME.format(limit=lasting(task.use.timeout), said=look.said))
        seen = {**(job.step.outputs or {}), **mask(dict(look.outputs))}        # what one look found, the next one may need
        if look.said != job.step.said or seen != job.step.outputs:
            with self._desk.begin("run: look") as connection:
                self._change(connection, job, "acted", outputs=seen, said=mask_text(look.said)[:LONGEST_SAID])
                runs.show(connection, job.run, job.now, urgency=3)
        return min(look.again_s or task.action.poll_s, _until(deadline, job.now))

    def _seen(self, job: Job, task: Task, before: dict[str, Any], outputs: dict[str, Any]) -> Look:
        """What the world shows; an answer that does not come is "not seen" yet."""
        try:
            look = task.action.look(self._bench.world(job, task, before, acting=False), task.params, before, outputs)
            if look.seen == "done" and isinstance(task.use, Told) and isinstance(task.use.verify, Use):
                return self._proven(job, task.use.verify, look)
            return look
        except Exception as error:  # around a runbook step: a look that fails changes nothing, the next one may work
            means = meaning(error)
            return Look("not seen", str(means))

    def _proven(self, job: Job, verify: Use, look: Look) -> Look:
        """By another action, as the runbook wants it."""
        task = self._bench.task(job, job.step, verify)
        world = self._bench.world(job, task, {}, acting=False)
        outcome = task.action.act(world, task.params, {})
        other = task.action.look(world, task.params, {}, outcome.outputs)
        return Look(other.seen, other.said, {**look.outputs, **other.outputs})

    def _done(self, job: Job, look: Look) -> float:
        step = job.step
        with self._desk.begin("run: done") as connection:
            outputs = {**(step.outputs or {}), **mask(dict(look.outputs))}
            self._change(connection, job, "done", outputs=outputs, said=mask_text(look.said)[:LONGEST_SAID] or step.said,
                         ended_at=job.now)
            use = job.use(step)
            ends = isinstance(use, Told) and use.end
            following = len(job.runbook.steps) if ends else step.number + 1
            rows.change(connection, job.run.id, [rows.RUNNING], position=following)
            runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step done", job.now, step=step.number + 1,
                      uses=step.uses, said=look.said)
            runs.show(connection, job.run, job.now, urgency=2)
        return NOW

    def _wait(self, _job: Job) -> float | None:
        """A person decides."""
        return None

    def _stop(self, _job: Job) -> float | None:
        raise Stuck(STOPPED)

    # --- what all moves share ---

    def _change(self, connection: sa.Connection, job: Job, state: str, **values: Any) -> None:
        if not rows.change_step(connection, job.run.id, job.step.number, [job.step.state], state=state, **values):
            raise Overtaken(f"run {job.run.id}, step {job.step.number + 1} is no longer {job.step.state}")


def _allowed(desk: Desk, connection: sa.Connection, run: Run, target: str, now: datetime) -> None:
    """Raises Stuck when the run's mandate was withdrawn or ends short of the target, or automation was stopped."""
    try:
        mandates.holds(desk, connection, run, target, now)
        brakes.look(desk, connection, run, now)
    except Refused as refusal:
        raise Stuck(str(refusal)) from refusal


def _until(at: datetime, now: datetime) -> float:
    return max(0.1, (at - now).total_seconds())
