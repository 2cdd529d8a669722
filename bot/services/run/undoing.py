"""The way back: steps that were (perhaps) done are undone, the last one first, each seen to be as it was before."""

from dataclasses import replace

import structlog

from bot.services.ledger import journal
from bot.services.run import runs, sound
from bot.services.run.jobs import AWAY, BROKE, NOW, Bench, Job, Overtaken, Stuck, Task, change, meaning, told
from bot.store import runs as rows
from bot.store.runs import Step
from runbooks.actions import Failed, Look, Outcome
from runbooks.model import Step as Told
from runbooks.model import Use

log = structlog.get_logger()

BACK = ("undone", "kept", "not undone")
TRIES = 3
AGAIN_AFTER_S = 10.0

NO_WAY_BACK = "no way back: {why}"
KEPT = "kept as it is, as the runbook says"
NOT_UNDONE = "could not be undone: {why}"
NOT_IN_TIME = "not yet as it was before: {said}"
INTERRUPTED = "interrupted while it was being undone"


class Undoer:
    """Undoes a run, one move at a time. What may be undone only once is called once, and looked at after that."""

    def __init__(self, bench: Bench) -> None:
        self._desk, self._bench = bench.desk, bench

    def next(self, job: Job) -> float | None:
        """Seconds until the next move; None when there is nothing left to undo."""
        step = next((each for each in reversed(job.steps) if self._changed(each)), None)
        if step is None:
            return None
        try:
            return self._move(job, step, self._bench.task(job, step))
        except Stuck as stuck:
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=stuck.said))
        except (Overtaken, *AWAY):
            raise
        except Exception as fault:  # around a runbook step: what breaks each time must not hold up the rest
            log.exception("a way back broke", run=job.run.id, step=step.number)
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=BROKE.format(error=type(fault).__name__)))

    def _changed(self, step: Step) -> bool:
        """Whether it (perhaps) changed something, and nobody has looked after that yet."""
        action = self._desk.catalogue.actions.get(step.uses)
        return step.outputs is not None and step.state not in BACK and (action is None or action.mutates)

    def _move(self, job: Job, step: Step, task: Task) -> float | None:
        if isinstance(task.use, Told) and task.use.undo == "none":
            why = NO_WAY_BACK.format(why=task.action.no_undo) if task.action.no_undo else KEPT
            if step.state == "done":
                return self._finish(job, step, "kept", why)
            return self._finish(job, step, "not undone", f"{step.said}; {why}" if step.said else why)
        if step.state == "returning":
            return self._see(job, step, task)
        return self._call(job, step, task) if step.state == "undoing" else self._turn(job, step, task)

    def _turn(self, job: Job, step: Step, task: Task) -> float:
        until = self._desk.clock.now() + task.use.timeout
        with self._desk.begin("run: undo") as connection:
            change(connection, step, "undoing", tries=0, deadline=until, said=step.said or INTERRUPTED)
            runs.show(connection, job.run, job.now, urgency=2)
        return NOW

    def _call(self, job: Job, step: Step, task: Task) -> float | None:
        """Written down, then done; where nobody answers it is done again, if that is as good as once."""
        way = self._other(job, step, task) or task
        if step.said is None and not way.repeatable:        # written down, and no answer: we were interrupted
            return self._answered(job, step, "returning", INTERRUPTED)
        if step.tries >= TRIES:
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=step.said or INTERRUPTED))
        try:
            outcome = self._undo(job, step, task, way)
        except Stuck as stuck:      # nothing was sent
            return self._answered(job, step, "undoing", stuck.said)
        except Overtaken:
            raise
        except Exception as error:  # around a runbook step: the rest of the way back must be gone all the same
            means = meaning(error)
            again = way.repeatable or isinstance(means, Failed)
            return self._answered(job, step, "undoing" if again else "returning", str(means))
        return self._answered(job, step, "returning", outcome.said, outcome if way is not task else None)

    def _undo(self, job: Job, step: Step, task: Task, way: Task) -> Outcome:
        """The one place from which a way back changes the world; raises Stuck when nothing was sent."""
        before = step.before or {}
        with told(unsent=True):
            if way is not task:
                before = sound.state(way.action.before(self._bench.world(job, way, {}, acting=False), way.params))
            world = self._bench.world(job, way, before, acting=True)
        at, begun = self._desk.clock.now(), replace(step, tries=step.tries + 1)
        with self._desk.begin("run: undo") as connection:
            kept = {"way_back": {"before": before}} if way is not task else {}
            change(connection, step, "undoing", tries=begun.tries, said=None, **kept)
        self._desk.kill("undo: before")
        self._bench.still(begun, at, way.action)
        act = way.action.act(world, way.params, before) if way is not task else way.action.undo(
            world, way.params, before, step.outputs or {})
        self._desk.kill("undo: after")
        return sound.outcome(act)

    def _answered(self, job: Job, step: Step, state: str, said: str, of_another: Outcome | None = None) -> float:
        with self._desk.begin("run: undo") as connection:
            kept = rows.step_of(connection, job.run.id, step.number).way_back or {}
            values = {"way_back": {**kept, "outputs": dict(of_another.outputs)}} if of_another is not None else {}
            change(connection, step, state, tries=step.tries + 1, said=sound.sentence(said), **values)
        return NOW if state == "returning" else AGAIN_AFTER_S

    def _see(self, job: Job, step: Step, task: Task) -> float | None:
        try:
            look = sound.look(self._undone(job, step, task))
        except Stuck:
            raise
        except Exception as error:  # around a runbook step: a look that fails changes nothing
            look = Look("not seen", str(meaning(error)))
        if look.seen == "done":
            return self._finish(job, step, "undone", step.said)
        if look.seen == "failed" or job.now >= (step.deadline or job.now):
            return self._finish(job, step, "not undone", NOT_UNDONE.format(why=NOT_IN_TIME.format(said=look.said)))
        return look.again_s or task.action.poll_s

    def _undone(self, job: Job, step: Step, task: Task) -> Look:
        other = self._other(job, step, task)
        if other is not None:
            kept = step.way_back or {}
            world = self._bench.world(job, other, {}, acting=False)
            return other.action.look(world, other.params, kept.get("before", {}), kept.get("outputs", {}))
        before = step.before or {}
        world = self._bench.world(job, task, before, acting=False)
        return task.action.undone(world, task.params, before, step.outputs or {})

    def _other(self, job: Job, step: Step, task: Task) -> Task | None:
        """The action that the runbook names as the way back."""
        named = isinstance(task.use, Told) and isinstance(task.use.undo, Use)
        return self._bench.task(job, step, task.use.undo) if named else None  # type: ignore[attr-defined]

    def _finish(self, job: Job, step: Step, state: str, said: str | None) -> float:
        with self._desk.begin("run: undo") as connection:
            change(connection, step, state, said=said)
            if state != "kept":
                outcome: journal.Outcome = "done" if state == "undone" else "failed"
                runs.note(connection, job.run, runs.actor_of(self._desk, job.run), f"step {state}", job.now, outcome,
                          step=step.number + 1, uses=step.uses, said=said)
            runs.show(connection, job.run, job.now, urgency=2)
        return NOW
