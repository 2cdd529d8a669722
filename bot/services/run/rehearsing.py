"""What a runbook would do now, step by step: steps that only look do look, the others say what they would change."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask, mask_text
from bot.services.desk import Desk
from bot.services.leave import approvals, mandates, signers
from bot.services.leave.mandates import FIX, Wish
from bot.services.run import reach, runs
from bot.services.run.jobs import Bench, Job, Stuck, Task, told
from bot.services.slack.drawing import deed
from bot.store.runs import WAITING, Run, Step
from runbooks.references import references

NO_WORLD = "Nothing can be looked at here: ask where `vigie serve` or `vigie worker` runs."
HEAD = "\"{title}\" on {target}: what it would do now. Nothing was changed."
LOOKS, WOULD = "{number} · {title}: {said}", "{number} · {title}: would {plan}{yes}"
DEPENDS = "{number} · {title}: depends on step {on}"
CANNOT = "{number} · {title}: cannot be said: {why}"
NEEDS = " (after the yes of {whose})"
LONGEST_LINE = 300


def plan(desk: Desk, wish: Wish) -> list[str]:
    """One line a step; raises Refused where starting it would."""
    if desk.worlds is None:
        raise Refused(NO_WORLD)
    now, parameters = desk.clock.now(), runs.resolve(wish.runbook, wish.given or {}, wish.alert)
    target = runs.target_of(wish.runbook, parameters, wish.alert)
    with desk.read() as connection:
        leave = mandates.leave(desk, connection, wish, parameters, target, now)
        run = replace(_imagined(desk, wish, parameters, target), mandate=leave.clause)
        steps = tuple(_step(number, each.name, each.caption, each.uses) for number, each in enumerate(wish.runbook.steps))
        job = Job(run, wish.runbook, steps, wish.alert, now)
        return [HEAD.format(title=wish.runbook.title, target=target), *_lines(desk, connection, Bench(desk, desk.worlds), job)]


def _lines(desk: Desk, connection: sa.Connection, bench: Bench, job: Job) -> Iterator[str]:
    """The straight way: what a failure would lead to is not played through."""
    for number in range(len(reach.straight(job.runbook))):
        step = job.steps[number]
        words = {"number": number + 1, "title": step.title}
        unknown = _depends(job, number)
        if unknown is not None:
            yield DEPENDS.format(on=unknown + 1, **words)
            continue
        try:
            task = bench.task(job, step)
            said, outputs = _look(bench, job, task)
        except Stuck as stuck:
            yield CANNOT.format(why=mask_text(stuck.said)[:LONGEST_LINE], **words)
            continue
        job = replace(job, steps=(*job.steps[:number], replace(step, outputs=outputs), *job.steps[number + 1:]))
        if not task.action.mutates:
            yield LOOKS.format(said=mask_text(said)[:LONGEST_LINE], **words)
            continue
        wanted = approvals.demands(desk, connection, job.run, number, task.use, task.action)
        whose = " and of ".join(dict.fromkeys(signers.whose(desk.config, each, job.run.organisation) for each in wanted))
        yes = NEEDS.format(whose=whose) if whose else ""
        yield WOULD.format(plan=mask_text(deed(said))[:LONGEST_LINE], yes=yes, **words)


def _depends(job: Job, number: int) -> int | None:
    """The earlier step whose outputs this one needs and that are not known."""
    names = [each.split(".")[1] for each in references(job.runbook.steps[number].with_) if each.startswith("steps.")]
    return next((each.number for each in job.steps[:number] if each.name in names and each.outputs is None), None)


def _look(bench: Bench, job: Job, task: Task) -> tuple[str, dict[str, Any] | None]:
    """What the step would change; of one that only looks what it sees, for the steps that build on it."""
    with told():
        world = bench.world(job, task, {}, acting=False)
        before = dict(task.action.before(world, task.params))
        if task.action.mutates:
            return task.action.plan(task.params, before), None
        outcome = task.action.act(world, task.params, before)
        look = task.action.look(world, task.params, before, outcome.outputs)
        return look.said or outcome.said, mask({**outcome.outputs, **look.outputs})
    raise AssertionError("told() raises on")


def _imagined(desk: Desk, wish: Wish, parameters: dict[str, Any], target: str) -> Run:
    """A run that stands in no row."""
    alert, actor, runbook, now = wish.alert, wish.actor, wish.runbook, desk.clock.now()
    return Run(
        id=0, runbook=runbook.name, title=runbook.title, version=runbook.version, definition={}, parameters=parameters,
        purpose=FIX, mode=wish.mode, alert_id=alert.id if alert else None, group_id=alert.group_id if alert else None,
        service=reach.service_of(runbook, alert), target=target, channel="", state=WAITING, actor=actor.key,
        organisation=actor.organisation, origin=actor.origin, mandate=None, mandate_version=None,
        config_version=desk.config.version, glass=wish.glass, reviewed_by=None, position=0, begun_at=now, ended_at=None,
        said=None, cancelled_by=None, relapsed_at=None, due_at=None, busy=False, leg=0,
    )


def _step(number: int, name: str, title: str, uses: str) -> Step:
    return Step(run_id=0, number=number, name=name, title=title, uses=uses, state="pending", tries=0, given=None, before=None,
                plan=None, outputs=None, said=None, log=None, begun_at=None, ended_at=None, deadline=None)
