"""Runs as Slack shows them: one message a run, edited in place, and the file with all that a step printed. Only looks at rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.services.alert.response import clock_time, lasting
from bot.services.desk import VIGIE, Desk
from bot.services.leave.mandates import PROOF
from bot.services.run.runs import uses_of
from bot.services.slack.drawing import Drawing, File, button, confirm, context, deed, escape, person, sections
from bot.store import runs
from bot.store.cards import Post
from bot.store.runs import Run, Step
from runbooks.model import Runbook
from runbooks.model import Step as Told

HEAD = "*{name}* · *{title}* on {target} · asked by {who}{how}{mandate}"
PROOF_HEAD = "*{name}* · is {target} well? The proofs of *{title}* · asked by {who}"
BY_HOW = {"automatic": " (automatic)", "click": " (one click)"}
MANDATE = ", mandate {clause}"
GIVEN = "with {values}"
GLASS, REVIEWED, UNREVIEWED = "🔨 Glass broken: {why}.", " Reviewed by {who}.", " Nobody has reviewed it yet."

STATES = {
    runs.WAITING: "⏸ *Waits* for its turn on {target}.",
    runs.RUNNING: "⏳ *Under way*, step {at} of {all}.",
    runs.ASKING: "✋ *Waits for approval* of step {at}.",
    runs.IN_DOUBT: "⚠ *In doubt*: nobody knows whether step {at} \"{title}\" happened. Somebody must say so.",
    runs.UNDOING: "↩ *Taking back* what was done. {said}",
    runs.SUCCEEDED: "✅ *Went well* {when}. {said}",
    runs.FAILED: "❌ *Failed* {when}. {said}",
    runs.CANCELLED: "⏹ *Cancelled* {when}. {said}",
}
ENDING = "⏹ {who} cancels it: no further step begins."
PLAIN = "{name} \"{title}\" on {target}: {state}"

SIGNS = {
    "pending": "·", "ready": "·", "asking": "✋", "started": "⏳", "acted": "⏳", "done": "✔", "failed": "✖", "stopped": "✖",
    "in doubt": "⚠", "undoing": "↩", "returning": "↩", "undone": "↩", "kept": "✔", "not undone": "⚠",
}
WORDS = {
    "asking": "waits for approval", "in doubt": "in doubt", "failed": "failed", "undoing": "being undone",
    "returning": "being undone", "undone": "undone", "kept": "kept", "not undone": "*not undone*",
}
NOT_DONE = "not done"
SINCE = "since {at}, at most {limit}"
NO_WAY_BACK, WAY_BACK = "no way back", "can be undone"
LEFT_OUT = "… and {count} more: `{command} steps {id}` has them all."

CANCEL, DETAILS, REVIEW = "Cancel…", "Details", "Reviewed…"
HAPPENED, AGAIN, STOP = "It happened, go on", "Run it again…", "Stop here"
AGAIN_TITLE, AGAIN_YES = "Run it a second time?", "Run it again"
AGAIN_TEXT = "If it did happen the first time, it happens twice: {plan}"
STOP_TITLE, STOP_YES = "Stop here?", "Stop here"
STOP_TEXT = "No further step begins. What was done before is taken back where the runbook says so."

COMMENT = "{alt} ({name})"
TITLE = "run{run}-{number} {name}"

LONGEST_SAID, LONGEST_TITLE, LONGEST_ENDING = 200, 80, 400
MOST_LINES, LONGEST_LINES, LONGEST_VALUES = 30, 4_000, 600


@dataclass(frozen=True, slots=True)
class RunView:
    """All that a run's message needs of the rows."""

    config: Config
    catalogue: Catalogue
    run: Run
    steps: tuple[Step, ...]

    @property
    def runbook(self) -> Runbook:
        return Runbook.model_validate(self.run.definition)

    @property
    def step(self) -> Step | None:
        """The step that is next or under way."""
        return self.steps[self.run.position] if self.run.position < len(self.steps) else None


def view(desk: Desk, connection: sa.Connection, run_id: int) -> RunView:
    return RunView(desk.config, desk.catalogue, runs.get(connection, run_id), tuple(runs.steps(connection, run_id)))


def draw_run(shown: RunView) -> Drawing:
    """Who wants what where; one line a step; how it stands; what one can do."""
    run = shown.run
    lines = [head(shown.config, run), *_glass(shown)]
    steps = _bounded([step_line(shown, each) for each in shown.steps], shown)
    blocks = [*sections(lines), *sections([*steps, *_state(shown)])]
    if given := values(run.parameters):
        blocks.insert(1, context(GIVEN.format(values=given)))
    blocks.append({"type": "actions", "block_id": f"run:{run.id}", "elements": list(_buttons(shown))})
    state = PLAIN.format(name=run.name.capitalize(), title=escape(run.title), target=on(run), state=run.state)
    return Drawing(state, blocks)


def head(config: Config, run: Run) -> str:
    mandate = MANDATE.format(clause=escape(run.mandate, LONGEST_TITLE)) if run.mandate else ""
    how = "" if run.actor != VIGIE.key and run.mode == "automatic" else BY_HOW.get(run.mode, "")
    words = PROOF_HEAD if run.purpose == PROOF else HEAD
    return words.format(
        name=run.name.capitalize(), title=escape(run.title, LONGEST_TITLE), target=on(run), who=person(config, run.actor),
        how=how, mandate=mandate,
    )


def on(run: Run) -> str:
    """What it works on, harmless."""
    return escape(thing(run), LONGEST_TITLE)


def thing(run: Run) -> str:
    """What it works on: the service, and the very thing where the lock names one."""
    named = run.target.partition(":")[2] if run.target.startswith("service:") else run.target
    return named if named == run.service else f"{run.service} ({named})"


def values(given: Mapping[str, Any], between: str = " = ") -> str:
    """size = 14, cluster = payments; a secret is only its name."""
    shown: list[str] = []
    for name, value in given.items():
        if sum(map(len, shown)) > LONGEST_VALUES:
            return ", ".join([*shown, "…"])
        shown.append(f"{escape(name, 40)}{between}{escape(str(value), 80)}")
    return ", ".join(shown)


def _glass(shown: RunView) -> Iterable[str]:
    run = shown.run
    if run.glass:
        who = person(shown.config, run.reviewed_by)
        yield GLASS.format(why=escape(run.glass, LONGEST_SAID)) + (REVIEWED.format(who=who) if run.reviewed_by else UNREVIEWED)


def step_line(shown: RunView, step: Step) -> str:
    """2 ✔ restart the oldest task · 8a1… runs · 48 s · no way back"""
    title = escape(step.title, LONGEST_TITLE)
    left_out = NOT_DONE if step.state in ("pending", "ready") and shown.run.ended_at is not None else ""
    words = [f"{step.number + 1} {SIGNS.get(step.state, '·')} {title}", WORDS.get(step.state, left_out)]
    if step.state != "pending" and step.said:
        words.append(escape(step.said, LONGEST_SAID))
    return " · ".join(each for each in [*words, _time(step), _undo(shown, step)] if each)


def _time(step: Step) -> str:
    if step.begun_at is None:
        return ""
    if step.ended_at is not None:
        return took((step.ended_at - step.begun_at).total_seconds())
    if step.state not in ("started", "acted") or step.deadline is None:
        return ""
    return SINCE.format(at=clock_time(step.begun_at), limit=lasting(step.deadline - step.begun_at))


def took(seconds: float) -> str:
    """0.4 s, 48 s, 3 min; nothing for what took no time."""
    if seconds < 0.05:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{int(seconds)} s"
    return f"{int(seconds // 60)} min" if seconds % 60 < 1 else f"{int(seconds // 60)} min {int(seconds % 60)}"


def _undo(shown: RunView, step: Step) -> str:
    """Whether what a step did can be taken back; of those that only look nothing is said."""
    action = shown.catalogue.actions.get(step.uses)
    if step.state != "done" or action is None or not action.mutates:
        return ""
    use = uses_of(shown.runbook, shown.run.purpose)[step.number]
    named = isinstance(use, Told) and use.undo not in ("auto", "none")
    return WAY_BACK if named or (not action.no_undo and getattr(use, "undo", "auto") != "none") else NO_WAY_BACK


def _bounded(lines: list[str], shown: RunView) -> list[str]:
    """As many as a message holds, around the one where it stands."""
    at, first, end = shown.run.position, 0, len(lines)
    while end - first > MOST_LINES or (end - first > 1 and sum(map(len, lines[first:end])) > LONGEST_LINES):
        first, end = (first + 1, end) if at - first > end - 1 - at else (first, end - 1)
    kept = lines[first:end]
    if len(kept) == len(lines):
        return kept
    return [*kept, LEFT_OUT.format(count=len(lines) - len(kept), command=shown.config.command, id=shown.run.id)]


def _state(shown: RunView) -> Iterable[str]:
    run, step = shown.run, shown.step
    said = run.said if run.state in (*runs.ENDED, runs.UNDOING) else step.said if step else ""
    yield STATES[run.state].format(
        target=on(run), at=run.position + 1, all=len(shown.steps), said=escape(said or "", LONGEST_ENDING),
        when=clock_time(run.ended_at), title=escape(step.title) if step else "",
    ).rstrip()
    if run.cancelled_by and run.state in runs.UNDER_WAY:
        yield ENDING.format(who=person(shown.config, run.cancelled_by))


def _buttons(shown: RunView) -> Iterable[dict[str, Any]]:
    run = shown.run
    if run.state == runs.IN_DOUBT:
        yield from outcomes(run, shown.step)
    yield button(DETAILS, "steps", reference(run))
    if run.state in runs.UNDER_WAY and run.state != runs.IN_DOUBT and run.cancelled_by is None:
        yield button(CANCEL, "cancel", reference(run))
    if run.glass and not run.reviewed_by and run.state in runs.ENDED:
        yield button(REVIEW, "reviewed", reference(run))


def outcomes(run: Run, step: Step | None) -> Iterable[dict[str, Any]]:
    """What a person may say of a step whose outcome nobody could read."""
    again = confirm(AGAIN_TITLE, AGAIN_TEXT.format(plan=deed(step.plan or "") if step else ""), AGAIN_YES, danger=True)
    yield button(HAPPENED, "outcome:happened", reference(run))
    yield button(AGAIN, "outcome:again", reference(run), asking=again)
    yield button(STOP, "outcome:stop", reference(run), "danger", confirm(STOP_TITLE, STOP_TEXT, STOP_YES, danger=True))


def reference(run: Run) -> str:
    """How a button names a run, so that it is no alert's number."""
    return f"run{run.id}"


def draw_file(connection: sa.Connection, post: Post) -> Drawing:
    """A file that a step made, with what it shows in words."""
    _, run_id, number = post.key.split(":")
    row = runs.file(connection, int(run_id), int(number))
    if row is None:
        raise LookupError(post.key)
    name = row.name.removeprefix(f"run{run_id}-")
    title = TITLE.format(run=run_id, number=int(number) + 1, name=name)
    comment = COMMENT.format(alt=escape(row.alt, 300), name=f"run {run_id}")
    return Drawing(comment, file=File(row.name, title, row.alt, bytes(row.content)))


