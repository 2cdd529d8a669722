"""What follows when a run has ended or needs somebody: the alert learns of it, trust is lost or gained, a person is called."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.services.alert import proving
from bot.services.alert.response import TROUBLE
from bot.services.call import calling
from bot.services.desk import VIGIE, Desk
from bot.services.leave.mandates import PROOF
from bot.services.run import brakes, ladder
from bot.store import alerts, groups
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.runs import Run, Step

FAILED = "Vigie ran \"{title}\", and it did not work (run {run}). {said}"
IN_DOUBT = "run {run}, step {number} \"{title}\": nobody knows whether it happened. {said}"
RUN_FAILED = "run {run} failed"
RUN_RELAPSED = "run {run} did not hold"


def ended(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """The run is over; `run.state` and `run.said` tell how."""
    if run.purpose == PROOF:
        if run.group_id is not None:
            (proving.proven if run.state == rows.SUCCEEDED else proving.not_proven)(desk, connection, run, now)
    elif run.state == rows.SUCCEEDED:
        _fixed(desk, connection, run, now)
    elif run.state == rows.FAILED:
        _failed(desk, connection, run, now)


def relapsed(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> bool:
    """What the run had seemed to fix is back; whether its runbook lost trust by that."""
    return _lose_trust(desk, connection, run, RUN_RELAPSED.format(run=run.id), now)


def in_doubt(desk: Desk, connection: sa.Connection, run: Run, step: Step, said: str, now: datetime) -> None:
    """Nobody can read from the world what became of a step: a person must decide."""
    why = IN_DOUBT.format(run=run.id, number=step.number + 1, title=step.title, said=said)
    # Each attempt that is in doubt is a question of its own.
    key = f"doubt:{run.id}:{step.number + 1}" + (f"-{step.tries}" if step.tries > 1 else "")
    calling.call_about_run(desk, connection, run, why, now, key)


def _fixed(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """Its alerts know it, and somebody looks if they go on; what healed before the first change healed alone."""
    changed_at = brakes.first_change(desk, connection, run.id)
    if run.group_id is None or changed_at is None:
        return
    for each in groups.hold_members(connection, run.group_id):
        if each.state == "closed" or (each.recovered_at and each.recovered_at < changed_at):
            continue
        watched = each.state in TROUBLE and each.snoozed_until is None
        due = {"due_at": now + desk.probation(each.runbook)} if watched else {}
        alerts.change(connection, each.id, (*TROUBLE, "recovered"), fixed_by=run.id, **due)


def _failed(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """A person looks at what Vigie could not mend; whoever started a run by hand looks already."""
    begun = any(each.begun_at for each in rows.steps(connection, run.id) if each.number == run.position)
    if begun:
        _lose_trust(desk, connection, run, RUN_FAILED.format(run=run.id), now)
    if run.actor != VIGIE.key or run.group_id is None:
        return
    members = alerts.of_group(connection, run.group_id)
    if _needs_somebody(members, begun):
        head = next((each for each in members if each.id == run.alert_id), members[0])
        why = FAILED.format(title=run.title, run=run.id, said=run.said or "")
        calling.call(desk, connection, head, why, now, calling.key_for(members, f"run{run.id}-"))


def _needs_somebody(members: Sequence[Alert], begun: bool) -> bool:
    """What is closed does not; what healed before Vigie did anything does not either."""
    states = {each.state for each in members} - {"closed"}
    return bool(states) and (begun or not states <= {"recovered"})


def _lose_trust(desk: Desk, connection: sa.Connection, run: Run, why: str, now: datetime) -> bool:
    """Said on the run's own message too."""
    told = ladder.fell(desk, connection, run.runbook, why, now)
    if told is None:
        return False
    rows.change(connection, run.id, rows.ENDED, said=f"{run.said or ''} {told}".strip())
    return True
