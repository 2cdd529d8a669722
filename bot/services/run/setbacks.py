"""A step that did not work: tried again while that is safe, else what the runbook says of a failure."""

from datetime import timedelta

import sqlalchemy as sa

from bot.services.run import ending, runs
from bot.services.run.jobs import NOW, Bench, Job, Overtaken, Stuck
from bot.services.run.sound import sentence
from bot.store import runs as rows
from bot.store.runs import Run, Step
from runbooks.model import Step as Told

TRIES_AT_LEAST = 3          # for what was certainly not done: throttled, or an idempotent call without an answer
AGAIN_AFTER_S = 5.0
UNBEGUN = ("pending", "asking", "ready")


class Setbacks:
    """Meets what went wrong; like every move it ends in rows and says in how many seconds the next is due."""

    def __init__(self, bench: Bench) -> None:
        self._desk, self._bench = bench.desk, bench

    def meet(self, job: Job, stuck: Stuck) -> float | None:
        """Once more, or the failure of the step: then the run goes on elsewhere, turns back, or ends."""
        said = sentence(stuck.said)
        with self._desk.begin("run: stuck") as connection:
            run, step = self._held(connection, job)
            rows.change(connection, run.id, [rows.ASKING, rows.IN_DOUBT], state=rows.RUNNING)
            perhaps = step.outputs is not None or (step.state not in UNBEGUN and not stuck.unsent)
            if run.cancelled_by is None and self._may_try_again(job, stuck, step):
                return self._try_again(connection, job, step, perhaps, said)
            self._fail(connection, job, step, perhaps, said)
            if run.cancelled_by is not None or (not stuck.stop and self._jump(connection, job)):
                return NOW
            if isinstance(job.use(step), Told):
                rows.change(connection, run.id, [rows.RUNNING], state=rows.UNDOING, said=ending.failure(job, said))
                return NOW
        ending.end(self._desk, job.run, rows.FAILED, ending.failure(job, said))
        return None

    def _held(self, connection: sa.Connection, job: Job) -> tuple[Run, Step]:
        """Both as they are now; raises Overtaken when it is not the step that failed: another process carries the run on."""
        run, step = rows.hold(connection, job.run.id), rows.step_of(connection, job.run.id, job.step.number)
        same = (run.position, step.state, step.begun_at) == (job.run.position, job.step.state, job.step.begun_at)
        if not same or run.state not in (rows.RUNNING, rows.ASKING, rows.IN_DOUBT):
            raise Overtaken(f"run {run.id}, step {step.number + 1} is {step.state}")
        return run, step

    def _may_try_again(self, job: Job, stuck: Stuck, step: Step) -> bool:
        """Nothing was changed, or changing it twice is as good as once; and it was not tried often enough."""
        attempts = job.retry(step).attempts
        most = max(attempts, TRIES_AT_LEAST) if stuck.again else attempts
        if stuck.final or step.tries + (step.state in UNBEGUN) >= most:
            return False
        if stuck.again or stuck.unsent or step.state in UNBEGUN:
            return True
        try:
            return self._bench.task(job, step).repeatable
        except Stuck:
            return False

    def _try_again(self, connection: sa.Connection, job: Job, step: Step, perhaps: bool, said: str) -> float:
        """What was perhaps done keeps the world it began in: a new look would take a half-done change for the old state."""
        pause = max(job.retry(step).every.total_seconds(), AGAIN_AFTER_S)
        if perhaps and step.state not in UNBEGUN:
            until = job.now + timedelta(seconds=pause) + job.use(step).timeout
            anew = {"state": "started", "tries": step.tries + 1, "outputs": step.outputs or {}, "deadline": until}
        else:
            anew = {"state": "pending", "tries": step.tries + (step.state in UNBEGUN)}
        rows.change_step(connection, job.run.id, step.number, [step.state], said=said, **anew)
        return pause

    def _fail(self, connection: sa.Connection, job: Job, step: Step, perhaps: bool, said: str) -> None:
        known = {"outputs": step.outputs or {}} if perhaps else {}      # the way back must know
        rows.change_step(connection, job.run.id, step.number, [step.state], state="failed", said=said, ended_at=job.now, **known)
        runs.note(connection, job.run, runs.actor_of(self._desk, job.run), "step failed", job.now, "failed",
                  step=step.number + 1, uses=step.uses, said=said)

    def _jump(self, connection: sa.Connection, job: Job) -> bool:
        """Whether the runbook goes on elsewhere; only ever forward."""
        use = job.use(job.step)
        jump = use.on_failure if isinstance(use, Told) else "abort"
        ways = {f"step:{each.name}": each.number for each in job.steps} | {"continue": job.step.number + 1}
        number = ways.get(jump, 0)
        if number <= job.step.number:
            return False
        return rows.change(connection, job.run.id, [rows.RUNNING], position=number)
