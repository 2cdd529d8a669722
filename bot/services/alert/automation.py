"""What Vigie does about alerts by itself: decides what is undecided, starts what it may, calls a person where it may not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.config.catalogue import Claim, Entry
from bot.errors import Refused
from bot.services.alert import response
from bot.services.alert.triage import Case, Decision, Facts, decide
from bot.services.call import calling
from bot.services.desk import VIGIE, Desk
from bot.services.leave.mandates import Wish
from bot.services.ledger import journal
from bot.services.run import aftermath, brakes, ladder, runs
from bot.store import alerts, evidence, groups, observations
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook

MOST_AT_ONCE = 50
LATELY = timedelta(days=2)          # no probation is longer than a day

UNDER_WAY = "run {run} is under way for it already"
DONE_BEFORE = "run {run} had done it before this observer spoke"
CAME_BACK = "run {run} had seemed to fix it"
NO_LONGER_KNOWN = "runbook {name} recognised it, and is not in the catalogue any more"


def act(desk: Desk) -> int:
    """Decides about alerts that nobody has decided about yet; returns how many. Safe to repeat, and for several at once."""
    now = desk.clock.now()
    with desk.read() as connection:
        waiting = alerts.undecided(connection, MOST_AT_ONCE)
        relapsed = evidence.relapsed_lately(connection, now - LATELY)
    for run in relapsed:
        _relapse(desk, run, now)
    return sum(_decide(desk, each, now) for each in waiting)


def _relapse(desk: Desk, run: Run, now: datetime) -> None:
    """Trust is lost at once; told on the run's own message."""
    with desk.begin("relapse") as connection:
        if aftermath.relapsed(desk, connection, run, now):
            runs.show(connection, rows.get(connection, run.id), now, urgency=2)


@dataclass(frozen=True, slots=True)
class Look:
    """An undecided alert with what is known of it."""

    alert: Alert
    members: list[Alert]
    entry: Entry | None
    last: Run | None                # the newest attempt to fix it with that runbook


def _decide(desk: Desk, alert_id: int, now: datetime) -> bool:
    with desk.begin("decide") as connection:
        alert = groups.hold_undecided(connection, alert_id)
        if alert is None:
            return False
        look = _look(desk, connection, alert)
        decision, run, values = _judge(desk, connection, look, now)
        alerts.change(connection, alert.id, ["firing"], decision=decision.what, decided_at=now, proof=None, **values)
        journal.record(connection, actor=VIGIE, kind="alert decided", object=f"alert:{alert.id}", outcome="done", at=now,
                       what=decision.what, why=list(decision.reasons), run=run.id if run else None)
        if decision.pages and not _called(look):
            calling.call(desk, connection, alert, decision.call, now, calling.key_for(look.members))
        response.show(connection, [alert], now, urgency=1)
    return True


def _look(desk: Desk, connection: sa.Connection, alert: Alert) -> Look:
    entry = desk.catalogue.entries.get(alert.runbook) if alert.runbook else None
    last = evidence.newest_fix(connection, alert.group_id, entry.runbook.name) if entry else None
    return Look(alert, alerts.of_group(connection, alert.group_id), entry, last)


def _called(look: Look) -> bool:
    """Whether somebody was called for this group already; what came back is a new reason."""
    return look.alert.relapses == 0 and any(each.called_at for each in look.members)


def _judge(
    desk: Desk, connection: sa.Connection, look: Look, now: datetime
) -> tuple[Decision, Run | None, dict[str, Any]]:
    """What to do, the run that does it, and what else the alert is to know of."""
    alert, entry, last = look.alert, look.entry, look.last
    if entry is None:
        gone = (NO_LONGER_KNOWN.format(name=alert.runbook),) if alert.runbook else ()
        return decide(Facts(None, alert.important, brakes=gone)), None, {}
    if last and last.state in rows.UNDER_WAY:
        return Decision("run", False, (UNDER_WAY.format(run=last.id),)), last, {}
    if last and last.state == rows.SUCCEEDED and last.relapsed_at is None:
        if _spoke_at(alert) <= (last.ended_at or now):
            waits = {"fixed_by": last.id, "due_at": now + desk.probation(alert.runbook)}
            return Decision("run", False, (DONE_BEFORE.format(run=last.id),)), last, waits
        evidence.mark_relapsed(connection, last.id, now)
        last = rows.get(connection, last.id)
    facts = _facts(desk, connection, alert, entry, last, now)
    return *_start(desk, connection, alert, entry.runbook, facts), {}


def _spoke_at(alert: Alert) -> datetime:
    """When the word came that is to be decided about."""
    return alert.updated_at if alert.relapses else alert.since


def _facts(
    desk: Desk, connection: sa.Connection, alert: Alert, entry: Entry, last: Run | None, now: datetime
) -> Facts:
    runbook = entry.runbook
    rung = ladder.rung(connection, runbook)
    facts = Facts(
        str(_claim(desk, connection, alert, entry)), alert.important, rung, ladder.since(desk, connection, runbook),
        came_back=CAME_BACK.format(run=last.id) if last and last.relapsed_at else None,
    )
    if rung != "automatic":
        return facts
    try:
        target = runs.target_of(runbook, runs.resolve(runbook, {}, alert), alert)
    except Refused as refusal:
        return replace(facts, brakes=(str(refusal),))
    return replace(facts, brakes=brakes.against(desk, connection, runbook, alert.service, target, now))


def _claim(desk: Desk, connection: sa.Connection, alert: Alert, entry: Entry) -> Claim:
    """Where the runbook says that it recognises the alert: the very condition that holds, as triage named it."""
    for row in observations.by_alert(connection, [alert.id]).get(alert.id, ()):
        name = alert.labels.get("name", alert.title)
        claim = desk.catalogue.claims(Case(row.source, alert.service, alert.severity, name, alert.labels))
        if claim and claim.runbook.name == entry.runbook.name:
            return claim
    return Claim(entry.runbook, entry.file, entry.line)


def _start(
    desk: Desk, connection: sa.Connection, alert: Alert, runbook: Runbook, facts: Facts
) -> tuple[Decision, Run | None]:
    """Starts the run if that is the decision; a refusal is one more reason for another decision."""
    decision = decide(facts)
    if decision.what not in ("run", "approve"):
        return decision, None
    try:
        with connection.begin_nested():
            return decision, runs.start_within(desk, connection, Wish(runbook, VIGIE, alert, mode="automatic"))
    except Refused as refusal:
        return decide(replace(facts, brakes=(str(refusal),))), None
