"""A run at hand: its step with the action and the parameters filled in, what the step may see of the world, and its errors."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError

from bot.errors import Misbuilt, Unavailable
from bot.masking import hide
from bot.services.desk import Desk
from bot.services.run import runs
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.runs import Run, Step
from runbooks import faults
from runbooks.actions import Action, Errand, Failed, Params, Unsure, World, Worlds
from runbooks.model import Retry, Runbook, Use
from runbooks.model import Step as Told
from runbooks.references import Unknown, fill

log = structlog.get_logger()

AWAY = (OperationalError, InterfaceError)       # of the database: it comes back, and nothing is decided meanwhile
NOW = 0.0               # the next move is due at once

NO_ACTION = "this Vigie has no action {name}"
BAD_PARAMETERS = "its parameters do not fit: {what}"
BROKE = "a fault of Vigie's own ({error})"
TOO_LATE = "not sent: too long after it was written down that it begins"
OVERTAKEN = "run {run}, step {step} is no longer {state}"
LATEST_S = 20.0


class Stuck(Exception):
    """The step did not work. `again`: the very same may work later, safely. `unsent`: its call certainly changed nothing.

    `final`: it is not tried again, whatever the runbook says. `stop`: nor does the run go on elsewhere, somebody has stopped it.
    `job` is the job as the step's beginning was written down.
    """

    def __init__(
        self, said: str, again: bool = False, unsent: bool = False, final: bool = False, stop: bool = False,
    ) -> None:
        super().__init__(said)
        self.said, self.again, self.unsent, self.final, self.stop = said, again, unsent, final or stop, stop
        self.job: Job | None = None


class Overtaken(Exception):
    """Somebody else moved the step in this instant: the next leg sees how it stands."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run with all that a move needs."""

    run: Run
    runbook: Runbook
    steps: tuple[Step, ...]
    alert: Alert | None
    now: datetime

    @property
    def step(self) -> Step:
        return self.steps[self.run.position]

    def use(self, step: Step) -> Use:
        use: Use = runs.uses_of(self.runbook, self.run.purpose)[step.number]
        return use

    def retry(self, step: Step) -> Retry:
        use = self.use(step)
        return use.retry if isinstance(use, Told) else Retry()

    def begun(self, at: datetime, tries: int) -> "Job":
        """The same once it is written down that the step's call begins."""
        begun = replace(self.step, state="started", begun_at=at, tries=tries, said=None)
        return replace(self, steps=tuple(begun if each is self.step else each for each in self.steps))


@dataclass(frozen=True, slots=True)
class Task:
    """A step with its action and parameters at hand."""

    step: Step
    use: Use
    action: Action[Any]
    params: Params
    given: dict[str, Any]

    @property
    def repeatable(self) -> bool:
        """Whether doing it twice is as good as once."""
        return self.action.idempotent and not (isinstance(self.use, Told) and self.use.idempotent is False)


class Bench:
    """What is at hand for the steps of all runs: their actions, and worlds under the right role."""

    def __init__(self, desk: Desk, worlds: Worlds) -> None:
        self.desk, self.worlds = desk, worlds

    def task(self, job: Job, step: Step, other: Use | None = None) -> Task:
        """The step's action (or another one in its place) with its parameters filled in; raises Stuck."""
        use = other or job.use(step)
        action = self.desk.catalogue.actions.get(use.uses)
        if action is None:
            raise Stuck(NO_ACTION.format(name=use.uses))
        try:
            kept = step.given if other is None and step.state != "pending" else None
            given = kept if kept is not None else fill(use.with_, self._values(job, step))
            return Task(step, use, action, action.params.model_validate(self._revealed(job, given)), given)
        except Unknown as fault:
            raise Stuck(str(fault)) from fault
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise Stuck(BAD_PARAMETERS.format(what=what)) from fault
        except (Misbuilt, Unavailable) as fault:
            raise Stuck(str(fault), again=isinstance(fault, Unavailable)) from fault

    def _values(self, job: Job, step: Step) -> dict[str, Any]:
        """What `${{ }}` may name: parameters, the alert, what earlier steps found."""
        values = runs.values_of(job.run.parameters, job.alert)
        for each in job.steps[: step.number + 1]:
            values |= {f"steps.{each.name}.outputs.{name}": value for name, value in (each.outputs or {}).items()}
        return values

    def _revealed(self, job: Job, given: Any) -> Any:
        """With the run's own secrets themselves, which stand in no row; what only looks like one stays what it is."""
        named = {job.run.parameters.get(name) for name, each in job.runbook.parameters.items() if each.secret}
        return self._with_secrets(given, named) if named else given

    def _with_secrets(self, given: Any, named: set[Any]) -> Any:
        if isinstance(given, dict):
            return {name: self._with_secrets(each, named) for name, each in given.items()}
        if isinstance(given, list):
            return [self._with_secrets(each, named) for each in given]
        if not isinstance(given, str) or given not in named:
            return given
        secret = self.worlds.secret(given.removeprefix(runs.SECRET))
        hide(secret)
        return secret

    def world(self, job: Job, task: Task, before: dict[str, Any], acting: bool) -> World:
        """What the action is given: clients that may look, or do exactly what this step needs."""
        run, action, now = job.run, task.action, self.desk.clock.now()
        errand = Errand(run.id, task.step.number, run.actor, run.organisation, run.alert_id, now, acting, reads=action.reads)
        if acting:
            on = tuple(action.resources(task.params, before, self.worlds.place))
            until = now + timedelta(seconds=fresh_s(action))
            errand = replace(errand, actions=action.writes, resources=on, until=until)
        return self.worlds.world(errand)

    def still(self, step: Step, since: datetime, action: Action[Any]) -> None:
        """Right before a call: raises Overtaken when the step is not ours any more, Stuck when its intent is too old.

        We may have slept, and somebody else may look already what became of it: nothing may happen behind their back.
        """
        with self.desk.read() as connection:
            now = rows.step_of(connection, step.run_id, step.number)
        if (now.state, now.begun_at, now.tries) != (step.state, step.begun_at, step.tries):
            raise Overtaken(OVERTAKEN.format(run=step.run_id, step=step.number + 1, state=step.state))
        if self.desk.clock.now() > since + timedelta(seconds=fresh_s(action)):
            raise Stuck(TOO_LATE, again=True, unsent=True)


def fresh_s(action: Action[Any]) -> float:
    """How long after it was written down a call may be sent; long before somebody is asked what became of it."""
    return min(LATEST_S, action.settle_s / 2)


def change(connection: sa.Connection, step: Step, state: str, **values: Any) -> None:
    """Moves the step on from the state in which it was found; raises Overtaken when it is no longer in it."""
    if not rows.change_step(connection, step.run_id, step.number, [step.state], state=state, **values):
        raise Overtaken(OVERTAKEN.format(run=step.run_id, step=step.number + 1, state=step.state))


class told:
    """Errors of actions in our words, as Stuck: of what only looked, or was not sent."""

    def __init__(self, unsent: bool = False) -> None:
        self._unsent = unsent

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, Stuck):
            means = meaning(error)
            again = not isinstance(means, Failed) or means.again       # it only looked
            raise Stuck(str(means), again, unsent=self._unsent) from error


def meaning(error: Exception) -> Failed | Unsure:
    """What an error says of the world: nothing was changed, or nobody knows."""
    if isinstance(error, (Failed, Unsure, *faults.KNOWN)):
        return faults.told(error)
    if isinstance(error, Unavailable):
        return Failed(str(error), again=True)
    log.error("an action broke", exc_info=error)
    return Unsure(BROKE.format(error=type(error).__name__))
