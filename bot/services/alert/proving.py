"""The end of probation: an alert closes by itself when all its observers say OK, and its runbook's proofs say so too."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert import response
from bot.services.call import calling
from bot.services.desk import VIGIE, Desk
from bot.services.leave.mandates import PROOF, Wish
from bot.services.ledger import journal
from bot.services.run import runs
from bot.store import alerts, evidence, groups, observations
from bot.store import runs as rows
from bot.store.alerts import Alert
from bot.store.runs import Run
from runbooks.model import Runbook

AGAIN_AFTER = timedelta(minutes=5)
MOST_PROOFS = 6                 # after one recovery; then a person closes it
LONGEST_PROOF = 600

QUIET = "stayed quiet"
PROVEN = "stayed quiet, and is proven well"
SILENT = "{observers} send{s} no data: silence is not OK"
SILENT_CALL = "it seems to have recovered, but {why}. It stays open until it speaks again, or somebody closes it"
UNPROVEN = "not proven well by \"{title}\": {why}"
UNPROVEN_CALL = "its source says OK, and it is {why} It stays open; Vigie looks again every few minutes"
CANNOT = "the proofs could not begin: {why}"
STOPPED = "the proofs were cancelled by {who}."
GIVEN_UP = "{why} Looked {count} times: a person must close it."


def end_probation(desk: Desk, connection: sa.Connection, alert: Alert, now: datetime) -> bool:
    """Whether something changed for an alert whose quiet time seems to be over; its group closes as one."""
    members = _open(connection, alert.group_id)
    mine = next((each for each in members if each.id == alert.id), None)
    if mine is None or mine.state != "recovered" or mine.due_at is None or mine.due_at > now:
        return False
    quiet_at = _quiet_at(desk, members)
    if quiet_at is None or quiet_at > now:      # another one of the group holds it open: the last to recover decides
        _put_off(connection, [mine], quiet_at)
        return False
    if silent := observations.silent(connection, [each.id for each in members]):
        return _stays_open_in_silence(desk, connection, members, sorted({row.observer for row in silent}), now)
    runbook = _prover(desk, members)
    if runbook is None:
        return close(connection, members, None, now)
    return _prove(desk, connection, members, runbook, now)


def _open(connection: sa.Connection, group_id: int) -> list[Alert]:
    return [each for each in groups.hold_members(connection, group_id) if each.state != "closed"]


def _quiet_at(desk: Desk, members: Sequence[Alert]) -> datetime | None:
    """When the quiet time after the last recovery is over; None while one of them still fires."""
    if any(each.state != "recovered" for each in members):
        return None
    return max(each.recovered_at + desk.probation(each.runbook) for each in members if each.recovered_at)


def _put_off(connection: sa.Connection, members: Sequence[Alert], until: datetime | None, **values: str) -> None:
    for each in members:
        alerts.change(connection, each.id, ["recovered"], due_at=until, **values)


def _prover(desk: Desk, members: Sequence[Alert]) -> Runbook | None:
    """The runbook that can tell whether all is well."""
    known = (desk.catalogue.runbook(each.runbook) for each in members if each.runbook)
    return next((each for each in known if each and each.verify), None)


def _stays_open_in_silence(
    desk: Desk, connection: sa.Connection, members: Sequence[Alert], observers: Sequence[str], now: datetime
) -> bool:
    why = SILENT.format(observers=", ".join(observers), s="" if len(observers) > 1 else "s")
    _put_off(connection, members, None, proof=why)
    _note(connection, members[0], "alert not proven", now, "failed", reason=why)
    calling.call(desk, connection, members[0], SILENT_CALL.format(why=why), now, calling.key_for(list(members), "silent"))
    return True


# --- proofs ---


def _prove(desk: Desk, connection: sa.Connection, members: Sequence[Alert], runbook: Runbook, now: datetime) -> bool:
    """Starts the proofs; while they are under way nothing is due."""
    looked = evidence.proofs(connection, members[0].group_id, _recovered_at(members))
    if any(each.state in rows.UNDER_WAY for each in looked) or len(looked) >= MOST_PROOFS:
        _put_off(connection, members, None)
        return False
    asked = next(each for each in members if each.runbook == runbook.name)
    try:
        with connection.begin_nested():
            runs.start_within(desk, connection, Wish(runbook, VIGIE, asked, mode="automatic", purpose=PROOF))
    except Refused as refusal:
        _unproven(desk, connection, members, runbook.title, CANNOT.format(why=refusal), now, None)
        return True
    _put_off(connection, members, None)
    return True


def _recovered_at(members: Sequence[Alert]) -> datetime:
    return max(each.recovered_at for each in members if each.recovered_at)


def proven(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """The proofs say that all is well: the group closes, unless the fault is back meanwhile."""
    members = _open(connection, run.group_id or 0)
    if not _is_about(members, run):
        return
    if silent := observations.silent(connection, [each.id for each in members]):
        _stays_open_in_silence(desk, connection, members, sorted({row.observer for row in silent}), now)
    else:
        close(connection, members, run.said, now)


def not_proven(desk: Desk, connection: sa.Connection, run: Run, now: datetime) -> None:
    """The proofs say no, or nothing: the group stays open, a person is called, and Vigie looks again."""
    members = _open(connection, run.group_id or 0)
    if not _is_about(members, run):
        return
    if run.cancelled_by:
        why = STOPPED.format(who=response.called(desk, run.cancelled_by))
        _put_off(connection, members, now + AGAIN_AFTER, proof=why)
        return
    looked = len(evidence.proofs(connection, members[0].group_id, _recovered_at(members)))
    again = now + AGAIN_AFTER if looked < MOST_PROOFS else None
    why = run.said or ""
    _unproven(desk, connection, members, run.title, why if again else GIVEN_UP.format(why=why, count=looked), now, again)


def _is_about(members: Sequence[Alert], run: Run) -> bool:
    """Whether the proofs are about how it is now: all has recovered, and not since they began."""
    recovered = [each.recovered_at for each in members if each.state == "recovered" and each.recovered_at]
    return bool(members) and len(recovered) == len(members) and max(recovered) <= run.begun_at


def _unproven(
    desk: Desk, connection: sa.Connection, members: Sequence[Alert], title: str, said: str, now: datetime, again: datetime | None
) -> None:
    why = UNPROVEN.format(title=title, why=said)[:LONGEST_PROOF]
    _put_off(connection, members, again, proof=why)
    _note(connection, members[0], "alert not proven", now, "failed", reason=why)
    calling.call(desk, connection, members[0], UNPROVEN_CALL.format(why=why), now, calling.key_for(list(members), "proof"))
    response.show(connection, members[:1], now, urgency=1)


# --- the end ---


def close(connection: sa.Connection, members: Sequence[Alert], proof: str | None, now: datetime) -> bool:
    """Vigie closes what has recovered; each with how it ended."""
    for each in members:
        ending = "fixed" if _held(connection, each) else "healed"
        if alerts.change(connection, each.id, ["recovered"], state="closed", closed_at=now, closed_by=VIGIE.key, updated_at=now,
                         due_at=None, ending=ending, proof=proof):
            _note(connection, each, "alert closed", now, reason=PROVEN if proof else QUIET, proof=proof, ending=ending)
    groups.close(connection, members[0].group_id, now)
    response.show(connection, members[:1], now, urgency=2)
    return True


def _held(connection: sa.Connection, alert: Alert) -> bool:
    """Whether the run that seemed to fix it did."""
    run = rows.by_id(connection, alert.fixed_by) if alert.fixed_by else None
    return run is not None and run.relapsed_at is None


def _note(
    connection: sa.Connection, alert: Alert, kind: str, now: datetime, outcome: journal.Outcome = "done", **details: str | None
) -> None:
    journal.record(connection, actor=VIGIE, kind=kind, object=f"alert:{alert.id}", outcome=outcome, at=now, **details)
