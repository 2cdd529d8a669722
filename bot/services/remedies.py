"""What a card says of remedies: the runbook that fits, a run under way, what fixed it, who was called, what Vigie may do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.config import Config
from bot.services import runcards
from bot.services.desk import Desk
from bot.services.drawing import escape, person
from bot.services.mandates import FIX
from bot.services.response import clock_time
from bot.services.runcards import RunView
from bot.store import runs
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook

RUNBOOK = "Runbook: \"{title}\" · {count} step{s} · {rung}{may}"
RUNGS = {"manual": "run by a person", "click": "one click", "automatic": "runs by itself"}
MAY, NOBODY_MAY = " · may run: {who}", " · nobody may run it now"
UNDER_WAY = {
    runs.WAITING: "Run {id} \"{title}\" waits for its turn · started by {who}",
    runs.RUNNING: "Runbook \"{title}\" running (step {at} of {all}: {step}) · started by {who} · run {id}",
    runs.ASKING: "✋ Run {id} \"{title}\" waits for approval of step {at} of {all}: {step}",
    runs.IN_DOUBT: "⚠ Run {id} \"{title}\" is in doubt at step {at}: somebody must say in the thread what happened",
    runs.UNDOING: "↩ Run {id} \"{title}\" takes back what it did",
}
FIXED = "\"{title}\" fixed it (run {id}). {said}"
NOT_FIXED = "\"{title}\" did not fix it (run {id}): {said}"
CHECKED, NOT_PROVEN = "Checked: {proof}", "Not closed: {proof}"
GOOD = "Ran automatically since {since}, {good} of {all} good."
STOPPED = "⏸ Automation is stopped for {scope} by {who} since {at}{reason}."
EVERYTHING = "everything"
CALLED = "{who} was called {at}"
NOBODY_CALLED = "nobody was paged"


@dataclass(frozen=True, slots=True)
class Remedies:
    """All that a card tells of remedies; what is not known is left out."""

    runbook: Runbook | None = None
    rung: str = "manual"
    may: tuple[str, ...] | None = None          # who may run it now; None: not asked
    under_way: RunView | None = None
    last: Run | None = None                     # the newest run that is over
    record: tuple[datetime, int, int] | None = None     # automatic since, good, all
    stopped: Mapping[str, Any] | None = None    # the switch that stops Vigie here
    called: tuple[tuple[str, datetime], ...] = ()
    like: tuple[str, ...] = ()


def look(desk: Desk, connection: sa.Connection, members: Sequence[Alert], head: Alert) -> Remedies:
    """What the rows say of remedies for these alerts."""
    runbook = desk.catalogue.runbook(head.runbook) if head.runbook else None
    tried = runs.find(connection, runs.run.c.group_id == head.group_id, runs.run.c.purpose == FIX, most=5)
    under_way = next((each for each in tried if each.state in runs.UNDER_WAY), None)
    last = next((each for each in tried if each.state in runs.ENDED), None)
    return Remedies(
        runbook=runbook, under_way=runcards.view(desk, connection, under_way.id) if under_way else None, last=last,
    )


def lines(config: Config, remedies: Remedies, head: Alert) -> Iterable[str]:
    """Under who has it: what is done, or could be done, about it."""
    if remedies.under_way:
        yield _running(config, remedies.under_way)
    elif remedies.runbook and head.state in ("firing", "acked"):
        yield _offered(remedies)
    if remedies.last and not remedies.under_way:
        yield from _ended(remedies.last, head)
    if head.proof:
        words = CHECKED if head.state == "closed" else NOT_PROVEN
        yield words.format(proof=escape(head.proof, 500))
    if head.state == "closed" and remedies.record:
        since, good, tries = remedies.record
        yield GOOD.format(since=f"{since.day} {since:%b}", good=good, all=tries)
    if remedies.stopped:
        yield _stopped(config, remedies.stopped)


def _running(config: Config, shown: RunView) -> str:
    run, step = shown.run, shown.step
    return UNDER_WAY[run.state].format(
        id=run.id, title=escape(run.title), who=person(config, run.actor), at=run.position + 1, all=len(shown.steps),
        step=escape(step.title) if step else "",
    )


def _offered(remedies: Remedies) -> str:
    runbook = remedies.runbook
    assert runbook is not None
    may = "" if remedies.may is None else MAY.format(who=", ".join(remedies.may)) if remedies.may else NOBODY_MAY
    count = len(runbook.steps)
    return RUNBOOK.format(
        title=escape(runbook.title), count=count, s="" if count == 1 else "s", rung=RUNGS[remedies.rung], may=may,
    )


def _ended(run: Run, head: Alert) -> Iterable[str]:
    fixed = head.fixed_by == run.id
    if fixed or run.state == runs.FAILED:
        words = FIXED if fixed else NOT_FIXED
        yield words.format(title=escape(run.title), id=run.id, said=escape(run.said or "", 400)).rstrip()


def _stopped(config: Config, switch: Mapping[str, Any]) -> str:
    scope = str(switch["scope"]).rpartition(":")[2]
    reason = f": {escape(switch['reason'], 200)}" if switch["reason"] else ""
    return STOPPED.format(
        scope=escape(scope), who=person(config, switch["by"]), at=clock_time(switch["at"]), reason=reason,
    )


def calling(config: Config, remedies: Remedies) -> str:
    """Who was called for it, or that nobody was."""
    told = [CALLED.format(who=person(config, key), at=clock_time(at)) for key, at in remedies.called]
    return ", ".join(told) or NOBODY_CALLED
