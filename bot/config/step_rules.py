"""What must be true of the steps together: names, ways forward and back, signatures that somebody can give."""

from collections.abc import Iterator
from typing import get_args

from bot.config.models import Config, Person, Role
from bot.config.remarks import Draft, Remark, Saying, hint
from runbooks.model import Approve, Runbook, Step

NAME_TWICE = Saying('two steps are called "{name}"', "Give each its own name: `on_failure` and outputs go by it.")
JUMP = Saying('no step is called "{name}"', "{hint}")
BACKWARDS = Saying(
    'on failure it would go back to "{name}", and round for ever', "Jump to a later step; to try again, write `retry`."
)
UNREACHABLE = Saying(
    'no way leads to the step "{name}"', "The step above ends the run: write `on_failure: step:{name}` where it is meant."
)
NO_WAY_BACK = Saying(
    "{uses} cannot be undone ({why}), and the step does not say that you know",
    "Write `undo: none`, or name another action as its `undo`.",
)
TWICE = Saying("{uses} must not be done twice, whatever the step says", "Take `idempotent: true` away.")
ROLE = Saying('"{name}" is not a role', "{hint}")
NOBODY_SIGNS = Saying(
    "nobody could sign this: {side} has nobody with the role {roles}", "Give somebody the role, or name another."
)
TOO_FEW_SIGN = Saying("{count} signatures are wanted, and only {have} people could sign", "Write `count: {have}` at most.")

SIDES = {"any": "vigie.yaml", "own": "the platform's owner", "partner": "the partner", "other": "vigie.yaml"}
ROLES = get_args(Role)


def names(draft: Draft) -> Iterator[Remark]:
    runbook, seen = draft.runbook, set[str]()
    places: list[tuple[str, int, str]] = [("steps", index, each.name) for index, each in enumerate(runbook.steps)]
    places += [("verify", index, each.name) for index, each in enumerate(runbook.verify)]
    for section, index, name in places:
        if name in seen:
            yield NAME_TWICE.at(section, index, "name", name=name)
        seen.add(name)


def ways(draft: Draft) -> Iterator[Remark]:
    """Every jump leads forward to a step, and some way leads to each."""
    runbook = draft.runbook
    numbers = {step.name: index for index, step in reversed(list(enumerate(runbook.steps)))}
    for index, step in enumerate(runbook.steps):
        goal = _goal(step)
        if goal is not None and goal not in numbers:
            yield JUMP.at("steps", index, "on_failure", name=goal, hint=hint(goal, numbers))
        elif goal is not None and numbers[goal] <= index:
            yield BACKWARDS.at("steps", index, "on_failure", name=goal)
    reached = _reached(runbook, numbers)
    for index, step in enumerate(runbook.steps):
        if index not in reached:
            yield UNREACHABLE.at("steps", index, name=step.name)


def _goal(step: Step) -> str | None:
    return step.on_failure.removeprefix("step:") if step.on_failure.startswith("step:") else None


def _reached(runbook: Runbook, numbers: dict[str, int]) -> set[int]:
    """The steps that some way leads to; all jumps lead forward, so one look suffices."""
    reached = {0}
    for index, step in enumerate(runbook.steps):
        if index in reached:
            goal = numbers.get(_goal(step) or "")
            onward = not step.end or step.on_failure == "continue"
            reached |= ({index + 1} if onward else set()) | ({goal} if goal is not None else set())
    return reached


def ways_back(draft: Draft) -> Iterator[Remark]:
    """What cannot be undone, or must not be done twice, is known to the one who writes it."""
    for index, step in enumerate(draft.runbook.steps):
        action = draft.actions.get(step.uses)
        if action is None or not action.mutates:
            continue
        if action.no_undo and step.undo == "auto":
            yield NO_WAY_BACK.at("steps", index, uses=step.uses, why=action.no_undo)
        if step.idempotent and not action.idempotent:
            yield TWICE.at("steps", index, "idempotent", uses=step.uses)


def signatures(draft: Draft) -> Iterator[Remark]:
    for index, step in enumerate(draft.runbook.steps):
        if step.approve is not None and draft.config is not None:
            for remark in _signature(step.approve, draft.config):
                yield Remark(("steps", index, "approve", *remark.place), remark.what, remark.right, remark.warning)


def _signature(approve: Approve, config: Config) -> Iterator[Remark]:
    unknown = [name for name in approve.by if name not in ROLES]
    yield from (ROLE.at("by", name=name, hint=hint(name, ROLES)) for name in unknown)
    if unknown:
        return
    able = [person for person in config.people.values() if _on(approve.side, person, config) and {*person.roles} & {*approve.by}]
    if not able:
        yield NOBODY_SIGNS.at("by", side=SIDES[approve.side], roles=" or ".join(approve.by))
    elif len(able) < approve.count:
        yield TOO_FEW_SIGN.at("count", count=approve.count, have=len(able))


def _on(side: str, person: Person, config: Config) -> bool:
    organisation = config.organisations.get(person.organisation)
    return side in ("any", "other") or (organisation is not None and organisation.kind == side)
