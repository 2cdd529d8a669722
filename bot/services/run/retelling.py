"""A run told in words, with all that its message leaves out: what each step was given, found, changed and printed."""

from collections.abc import Iterable

from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import Desk
from bot.services.slack.drawing import deed
from bot.services.slack.runcards import SIGNS, WORDS, thing, took
from bot.store import runs
from bot.store.runs import Run, Step

HEAD = "*{name}* \"{title}\" on {target}: *{state}* · asked by {who} at {at}{mandate}"
SAID, CANCELLED = "{said}", "{who} cancels it."
MANDATE = " · mandate {clause}"
WITH = "with {values}"
STEP = "{number} {sign} *{title}* · `{uses}`{state}{took}{tries}"
PLAN, FOUND, SAW, PRINTED = "    did: {plan}", "    before: {values}", "    {said}", "    printed: {log}"
FILES = "Files are in its thread."
TRIES = " · {count} tries"

LONGEST_PART, LONGEST_LOG = 200, 300


def text(desk: Desk, run: Run) -> str:
    """Shorter the more steps there are: a reply has an end."""
    with desk.read() as connection:
        current, steps = runs.get(connection, run.id), runs.steps(connection, run.id)
        has_files = runs.file(connection, run.id, 0) is not None
    lines = [*_head(desk, current)]
    lines += [line for step in steps for line in _step(step, brief=len(steps) > 10)]
    return "\n".join([*lines, FILES] if has_files else lines)


def _head(desk: Desk, run: Run) -> Iterable[str]:
    yield HEAD.format(
        name=run.name.capitalize(), title=run.title, target=thing(run), state=run.state, who=called(desk, run.actor),
        at=clock_time(run.begun_at), mandate=MANDATE.format(clause=run.mandate) if run.mandate else "",
    )
    if run.parameters:
        yield WITH.format(values=_values(run.parameters))
    if run.said:
        yield SAID.format(said=run.said)
    if run.cancelled_by and run.state in runs.UNDER_WAY:
        yield CANCELLED.format(who=called(desk, run.cancelled_by))


def _step(step: Step, brief: bool) -> Iterable[str]:
    length = took((step.ended_at - step.begun_at).total_seconds()) if step.begun_at and step.ended_at else ""
    lasted = f" · {length}" if length else ""
    state = f" · {WORDS[step.state].replace('*', '')}" if step.state in WORDS else ""
    yield STEP.format(
        number=step.number + 1, sign=SIGNS.get(step.state, "·"), title=step.title, uses=step.uses, state=state, took=lasted,
        tries=TRIES.format(count=step.tries) if step.tries > 1 else "",
    )
    if step.plan and step.begun_at:
        yield PLAN.format(plan=_short(deed(step.plan)))
    if step.before and not brief:
        yield FOUND.format(values=_values(step.before))
    if step.said and step.state != "pending":
        yield SAW.format(said=_short(step.said))
    if step.log and not brief:
        yield PRINTED.format(log=_tail(step.log))


def _values(given: dict[str, object]) -> str:
    return _short(mask_text(", ".join(f"{name} = {value}" for name, value in given.items())))


def _short(said: str) -> str:
    line = " ".join(said.split())
    return line if len(line) <= LONGEST_PART else f"{line[: LONGEST_PART - 1]}…"


def _tail(log: str) -> str:
    line = " ".join(log.split())
    return line if len(line) <= LONGEST_LOG else f"…{line[-LONGEST_LOG:]}"
