"""One step of a run: look before, ask, write down, act, look until it is seen to have worked; or find out what became of it.

Each move ends in rows and says in how many seconds the next is due: 0 at once, None when somebody must do something first.
So any process can make the next move, however the last one ended.
"""

from datetime import datetime

from bot.errors import Refused
from bot.services.alert.response import lasting
from bot.services.leave import approvals
from bot.services.run import runs
from bot.services.run.doing import Doer
from bot.services.run.jobs import NOW, Bench, Job, Stuck, change
from bot.services.run.looking import Eyes
from bot.store import approvals as questions
from bot.store import runs as rows
from runbooks.actions import Look
from runbooks.model import Step as Told

NOT_SEEN_IN_TIME = "not seen to have worked within {limit}: {said}"
STOPPED = "stopped by a person while its outcome was in doubt"
WITNESSED = "a person says that it happened"


class Stepper:
    """Makes the moves of a step. `next` raises Stuck when the step has failed."""

    def __init__(self, bench: Bench) -> None:
        self._desk, self._bench, self._eyes = bench.desk, bench, Eyes(bench)
        self._doer = Doer(bench, self._eyes)

    def next(self, job: Job) -> float | None:
        moves = {
            "pending": self._prepare, "asking": self._answered, "ready": self._doer.begin, "started": self._doer.find_out,
            "acted": self._look, "in doubt": self._wait, "stopped": self._stop, "witnessed": self._believe,
        }
        return moves[job.step.state](job)

    # --- before ---

    def _prepare(self, job: Job) -> float | None:
        """Looks at the world, says what would happen, and asks whoever must say yes."""
        task = self._bench.task(job, job.step)
        before, plan, question = self._eyes.before(job, task)
        with self._desk.begin("run: prepare") as connection:
            wanted = approvals.demands(self._desk, connection, job.run, job.step.number, task.use, task.action)
            change(connection, job.step, "asking" if wanted else "ready", given=task.given, before=before, plan=plan, said=None)
            if not wanted:
                return NOW
            try:
                asked = approvals.ask(self._desk, connection, question, wanted, job.now)
            except Refused as refusal:
                raise Stuck(str(refusal), final=True) from refusal
            rows.change(connection, job.run.id, [rows.RUNNING], state=rows.ASKING)
            runs.show(connection, job.run, job.now, urgency=1)
            return NOW if asked.state == questions.APPROVED else _until(asked.expires_at, job.now)

    def _answered(self, job: Job) -> float | None:
        """Goes on when the question is answered."""
        with self._desk.begin("run: answered") as connection:
            asked = questions.newest(connection, job.run.id, job.step.number)
            state = approvals.state_of(self._desk, connection, asked, job.now) if asked else questions.VOID
            if asked and state == questions.OPEN:
                return _until(asked.expires_at, job.now)
            if state in (questions.APPROVED, questions.VOID):
                rows.change(connection, job.run.id, [rows.ASKING], state=rows.RUNNING)
                change(connection, job.step, "ready" if state == questions.APPROVED else "pending")
                return NOW
        raise Stuck(approvals.ending(self._desk, asked, state) if asked else state, final=True)

    # --- after ---

    def _look(self, job: Job) -> float | None:
        """Looks whether it worked, until it is seen or its time is over."""
        task = self._bench.task(job, job.step)
        if isinstance(task.use, Told) and task.use.verify == "none" and task.action.mutates:
            return self._done(job, Look("done", job.step.said or ""))
        look = self._eyes.seen(job, task, job.step.before or {}, job.step.outputs or {})
        if look.seen == "done":
            return self._done(job, look)
        if look.seen == "failed":
            raise Stuck(look.said)
        deadline = job.step.deadline or job.now
        if job.now >= deadline:
            raise Stuck(NOT_SEEN_IN_TIME.format(limit=lasting(task.use.timeout), said=look.said))
        seen = {**(job.step.outputs or {}), **look.outputs}        # what one look found, the next one may need
        if look.said != job.step.said or seen != job.step.outputs:
            with self._desk.begin("run: look") as connection:
                change(connection, job.step, "acted", outputs=seen, said=look.said)
                runs.show(connection, job.run, job.now, urgency=3)
        return min(look.again_s or task.action.poll_s, _until(deadline, job.now))

    def _done(self, job: Job, look: Look) -> float:
        step = job.step
        with self._desk.begin("run: done") as connection:
            outputs = {**(step.outputs or {}), **look.outputs}
            change(connection, job.step, "done", outputs=outputs, said=look.said or step.said, ended_at=job.now)
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

    def _believe(self, job: Job) -> float | None:
        """Where the world shows nothing a person's word counts; the runbook's proofs come all the same."""
        return self._done(job, Look("done", WITNESSED))

    def _stop(self, _job: Job) -> float | None:
        raise Stuck(STOPPED, stop=True)


def _until(at: datetime, now: datetime) -> float:
    return max(0.1, (at - now).total_seconds())
