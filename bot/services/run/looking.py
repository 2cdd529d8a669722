"""What a step sees of the world: before it begins, and once it has begun. Looking changes nothing."""

from typing import Any

from bot.services.leave.approvals import Question
from bot.services.run import sound
from bot.services.run.jobs import Bench, Job, Stuck, Task, meaning, told
from runbooks.actions import Look
from runbooks.model import Step as Told
from runbooks.model import Use

LONGEST_PLAN = 20_000


class Eyes:
    """Looks on behalf of a step."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def before(self, job: Job, task: Task) -> tuple[dict[str, Any], str, Question]:
        """The world as it is, what the step would do, and exactly what a person would say yes to; raises Stuck."""
        with told():
            world = self._bench.world(job, task, {}, acting=False)
            before = sound.state(task.action.before(world, task.params))
            plan = sound.sentence(task.action.plan(task.params, before), LONGEST_PLAN)
            question = Question(job.run, task.step.number, task.use, task.given, task.action.target(task.params), plan)
        return before, plan, question

    def seen(self, job: Job, task: Task, before: dict[str, Any], outputs: dict[str, Any]) -> Look:
        """What the world shows; an answer that does not come is "not seen" yet."""
        try:
            world = self._bench.world(job, task, before, acting=False)
            look = sound.look(task.action.look(world, task.params, before, outputs))
            if look.seen == "done" and isinstance(task.use, Told) and isinstance(task.use.verify, Use):
                return self._proven(job, task.use.verify, look)
            return look
        except Stuck:
            raise
        except Exception as error:  # around a runbook step: a look that fails changes nothing, the next one may work
            return Look("not seen", sound.sentence(meaning(error)))

    def _proven(self, job: Job, verify: Use, look: Look) -> Look:
        """By another action, as the runbook wants it."""
        task = self._bench.task(job, job.step, verify)
        world = self._bench.world(job, task, {}, acting=False)
        outcome = sound.outcome(task.action.act(world, task.params, {}))
        other = sound.look(task.action.look(world, task.params, {}, outcome.outputs))
        return Look(other.seen, other.said, {**look.outputs, **other.outputs})
