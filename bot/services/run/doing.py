"""The call of a step: written down, then made, once; and when no answer came, what became of it."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.desk import Desk
from bot.services.leave import approvals, mandates
from bot.services.run import aftermath, brakes, runs, sound
from bot.services.run.jobs import NOW, Bench, Job, Stuck, Task, change, meaning, told
from bot.services.run.looking import Eyes
from bot.services.run.sound import LONGEST_SAID
from bot.store import runs as rows
from bot.store.runs import Run
from runbooks.actions import Failed, Look, Outcome

MOST_IN_THREAD = 1_500
LARGEST_FILE = 2_000_000
MOST_TRIES = 10             # of one call: it may be the call itself that ends us each time

NOBODY_KNOWS = "{said}; nothing shows whether it happened"
INTERRUPTED = "interrupted while it was under way"
TOO_OFTEN = "interrupted {count} times while it was under way"
CHANGED_SINCE = "the world has changed since it was approved: now it would {plan}"


class Doer:
    """Lets a step begin, and finds out what became of one whose answer is lost. Raises Stuck when the step has failed."""

    def __init__(self, bench: Bench, eyes: Eyes) -> None:
        self._desk, self._bench, self._eyes = bench.desk, bench, eyes

    def begin(self, job: Job) -> float | None:
        """Writes down what is about to be done, with the world as it is; then does it, once."""
        task = self._bench.task(job, job.step)
        before, plan, question = self._eyes.before(job, task)
        at, tries = self._desk.clock.now(), job.step.tries + 1
        with self._desk.begin("run: begin") as connection:
            if not self._goes_on(connection, job):
                return NOW
            if not approvals.covers(connection, question, at):
                change(connection, job.step, "pending", said=CHANGED_SINCE.format(plan=plan))
                return NOW
            if task.action.mutates:
                _allowed(self._desk, connection, job.run, question.target, at)
                runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step begun", at,
                          step=job.step.number + 1, uses=task.use.uses, plan=plan)
            deadline = at + task.action.lasts(task.params) + task.use.timeout
            change(connection, job.step, "started", before=before, plan=plan, begun_at=at, deadline=deadline, tries=tries,
                   said=None)
            runs.show(connection, job.run, at, urgency=2)
        return self._act(job.begun(at, tries), task, before)

    def _goes_on(self, connection: sa.Connection, job: Job) -> bool:
        """Whether nobody has cancelled or ended the run meanwhile; nobody can before the step has begun."""
        run = rows.hold(connection, job.run.id)
        return (run.state, run.position, run.cancelled_by) == (rows.RUNNING, job.run.position, None)

    def _act(self, job: Job, task: Task, before: dict[str, Any]) -> float | None:
        try:
            return self._call(job, task, before)
        except Stuck as stuck:
            stuck.job = job
            raise

    def _call(self, job: Job, task: Task, before: dict[str, Any]) -> float | None:
        """The one place from which a step changes the world."""
        with told(unsent=True):
            world = self._bench.world(job, task, before, acting=task.action.mutates)
        self._desk.kill("act: before")
        if task.action.mutates:
            self._bench.still(job.step, job.step.begun_at or job.now, task.action)
        try:
            outcome = sound.outcome(task.action.act(world, task.params, before))
            self._desk.kill("act: after")
        except Exception as error:  # around a runbook step: what is not certainly undone is found out by looking
            return self._not_acted(job, task, error)
        self._keep(job, task, outcome)
        return NOW

    def _not_acted(self, job: Job, task: Task, error: Exception) -> float | None:
        means = meaning(error)
        if isinstance(means, Failed):
            raise Stuck(str(means), means.again, unsent=True) from error
        if task.repeatable:
            raise Stuck(str(means), again=True) from error
        with self._desk.begin("run: no answer") as connection:
            change(connection, job.step, "started", outputs=job.step.outputs or {}, said=sound.sentence(means))
        return NOW

    def find_out(self, job: Job) -> float | None:
        """It was begun, and no answer is written down: we died, or the line was cut. Look first; then again what may be."""
        task, before, outputs = self._bench.task(job, job.step), job.step.before or {}, job.step.outputs or {}
        if task.action.mutates:
            look = self._eyes.seen(job, task, before, outputs)
            if look.seen in ("done", "under way"):
                self._keep(job, task, Outcome(look.said, {**outputs, **look.outputs}))
                return NOW
            if not task.repeatable:
                return self._doubt(job, task, look)
        return self._once_more(job, task, before)

    def _once_more(self, job: Job, task: Task, before: dict[str, Any]) -> float | None:
        """Doing it twice is as good as once; each time it is written down first, as the first time."""
        at, tries = self._desk.clock.now(), job.step.tries + (job.step.said is None)     # nothing was said: we were interrupted
        if tries > MOST_TRIES:
            raise Stuck(TOO_OFTEN.format(count=tries), final=True)
        perhaps = {"outputs": job.step.outputs or {}} if task.action.mutates else {}
        with self._desk.begin("run: once more") as connection:
            if not self._goes_on(connection, job):
                raise Stuck(job.step.said or INTERRUPTED, final=True)
            change(connection, job.step, "started", begun_at=at, tries=tries, said=None, **perhaps)
        return self._act(job.begun(at, tries), task, before)

    def _doubt(self, job: Job, task: Task, look: Look) -> float | None:
        """Nothing shows that it happened: when it had time enough to show, only a person can say."""
        begun = job.step.begun_at or job.now
        if look.seen == "not seen" and job.now < begun + timedelta(seconds=task.action.settle_s):
            return task.action.poll_s
        with self._desk.begin("run: in doubt") as connection:
            said = NOBODY_KNOWS.format(said=job.step.said or INTERRUPTED)
            change(connection, job.step, "in doubt", outputs=job.step.outputs or {}, said=f"{said}. {look.said}"[:LONGEST_SAID])
            rows.change(connection, job.run.id, [rows.RUNNING], state=rows.IN_DOUBT)
            runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step in doubt", job.now, "failed",
                      step=job.step.number + 1, said=look.said)
            aftermath.in_doubt(self._desk, connection, job.run, job.step, look.said, job.now)
            runs.show(connection, job.run, job.now, urgency=1)
        return None

    def _keep(self, job: Job, task: Task, outcome: Outcome) -> None:
        """What the call answered; long output and pictures become files."""
        with self._desk.begin("run: acted") as connection:
            change(connection, job.step, "acted", outputs=dict(outcome.outputs), log=outcome.log[:MOST_IN_THREAD] or None,
                         said=outcome.said)
            if len(outcome.log) > MOST_IN_THREAD:
                name = f"run{job.run.id}-{task.step.name}.txt"
                runs.attach(connection, job.run, name, f"All that {task.step.title} printed", outcome.log.encode(), job.now)
            for each in outcome.files:
                if len(each.content) <= LARGEST_FILE:
                    runs.attach(connection, job.run, each.name, each.alt, each.content, job.now)


def _allowed(desk: Desk, connection: sa.Connection, run: Run, target: str, now: datetime) -> None:
    """Raises Stuck when the run's mandate was withdrawn or ends short of the target, or automation was stopped."""
    try:
        mandates.holds(desk, connection, run, target, now)
        brakes.look(desk, connection, run)
    except Refused as refusal:
        raise Stuck(str(refusal), stop=True) from refusal
