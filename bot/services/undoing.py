"""The way back: steps that were done are undone, the last one first, each seen to be as it was before."""

from bot.masking import mask_text
from bot.services import journal, runs
from bot.services.jobs import Bench, Job, Stuck, Task, meaning
from bot.services.stepping import LONGEST_SAID, NOW
from bot.store import runs as rows
from bot.store.runs import Step
from runbooks.actions import Look, Outcome
from runbooks.model import Step as Told
from runbooks.model import Use

TOUCHED = ("acted", "done", "failed", "undoing", "returning")
TRIES = 3
AGAIN_AFTER_S = 10.0

NO_WAY_BACK = "no way back: {why}"
KEPT = "kept as it is, as the runbook says"
NOT_UNDONE = "could not be undone: {why}"
NOT_IN_TIME = "not yet as it was before: {said}"


class Undoer:
    """Undoes a run, one move at a time. An undo is safe to repeat, so a crash in between needs no person."""

    def __init__(self, bench: Bench) -> None:
        self._desk, self._bench = bench.desk, bench

    def next(self, job: Job) -> float | None:
        """Seconds until the next move; None when there is nothing left to undo."""
        step = next((each for each in reversed(job.steps) if each.state in TOUCHED and each.outputs is not None), None)
        if step is None:
            return None
        try:
            task = self._bench.task(job, step)
        except Stuck as stuck:
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=stuck.said))
        if not task.action.mutates:
            return self._finish(job, step, "kept", step.said)
        if isinstance(task.use, Told) and task.use.undo == "none":
            why = NO_WAY_BACK.format(why=task.action.no_undo) if task.action.no_undo else KEPT
            return self._finish(job, step, "kept", why)
        if step.state == "returning":
            return self._see(job, step, task)
        return self._call(job, step, task) if step.state == "undoing" else self._turn(job, step, task)

    def _turn(self, job: Job, step: Step, task: Task) -> float:
        with self._desk.begin("run: undo") as connection:
            rows.change_step(connection, job.run.id, step.number, [step.state], state="undoing", tries=0,
                             deadline=job.now + task.use.timeout)
            runs.show(connection, job.run, job.now, urgency=2)
        return NOW

    def _call(self, job: Job, step: Step, task: Task) -> float | None:
        if step.tries >= TRIES:
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=step.said))
        try:
            self._desk.kill("undo: before")
            said, state = self._undo(job, step, task).said, "returning"
            self._desk.kill("undo: after")
        except Exception as error:  # around a runbook step: the rest of the way back must be gone all the same
            said, state = str(meaning(error)), "undoing"
        with self._desk.begin("run: undo") as connection:
            rows.change_step(connection, job.run.id, step.number, ["undoing"], state=state, tries=step.tries + 1,
                             said=mask_text(said)[:LONGEST_SAID])
        return NOW if state == "returning" else AGAIN_AFTER_S

    def _undo(self, job: Job, step: Step, task: Task) -> Outcome:
        other = self._other(job, step, task)
        if other is not None:
            world = self._bench.world(job, other, {}, acting=True)
            return other.action.act(world, other.params, other.action.before(world, other.params))
        before = step.before or {}
        return task.action.undo(self._bench.world(job, task, before, acting=True), task.params, before, step.outputs or {})

    def _see(self, job: Job, step: Step, task: Task) -> float | None:
        try:
            look = self._undone(job, step, task)
        except Exception as error:  # around a runbook step: a look that fails changes nothing
            look = Look("not seen", str(meaning(error)))
        if look.seen == "done":
            return self._finish(job, step, "undone", step.said)
        if look.seen == "failed" or job.now >= (step.deadline or job.now):
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=NOT_IN_TIME.format(said=look.said)))
        return task.action.poll_s

    def _undone(self, job: Job, step: Step, task: Task) -> Look:
        other = self._other(job, step, task)
        if other is not None:
            return other.action.look(self._bench.world(job, other, {}, acting=False), other.params, {}, {})
        before = step.before or {}
        world = self._bench.world(job, task, before, acting=False)
        return task.action.undone(world, task.params, before, step.outputs or {})

    def _other(self, job: Job, step: Step, task: Task) -> Task | None:
        """The action that the runbook names as the way back."""
        named = isinstance(task.use, Told) and isinstance(task.use.undo, Use)
        return self._bench.task(job, step, task.use.undo) if named else None  # type: ignore[attr-defined]

    def _finish(self, job: Job, step: Step, state: str, said: str | None) -> float:
        with self._desk.begin("run: undo") as connection:
            rows.change_step(connection, job.run.id, step.number, [step.state], state=state, said=said)
            if state != "kept":
                outcome: journal.Outcome = "done" if state == "undone" else "failed"
                runs.note(connection, job.run, runs.actor_of(self._desk, job.run), f"step {state}", job.now, outcome,
                          step=step.number + 1, uses=step.uses, said=said)
            runs.show(connection, job.run, job.now, urgency=2)
        return NOW
