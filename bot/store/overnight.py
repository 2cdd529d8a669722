"""What a handoff note asks of the rows: trouble, what waits, what came back again and again, what was closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import runs
from bot.store.alerts import SEVERITIES, Alert, alert, read
from bot.store.journal import journal
from bot.store.observations import observation
from bot.store.runs import Run
from bot.store.shifts import intervention

MOST = 500          # alerts that are looked at; what is beyond is counted as more

_worst_first = (
    alert.c.important.desc(), sa.case({name: rank for rank, name in enumerate(SEVERITIES)}, value=alert.c.severity, else_=9),
    alert.c.id,
)


def in_trouble(connection: sa.Connection) -> list[Alert]:
    """Alerts that fire, taken or not, the worst first."""
    return _alerts(connection, sa.select(alert).where(alert.c.state.in_(("firing", "acked"))).order_by(*_worst_first))


def waiting(connection: sa.Connection, until: datetime) -> list[Alert]:
    """Alerts whose snooze or probation ends before an instant, the first to end first."""
    ends = sa.func.coalesce(alert.c.snoozed_until, alert.c.due_at)
    asleep = sa.and_(alert.c.state.in_(("firing", "acked")), alert.c.snoozed_until < until)
    healing = sa.and_(alert.c.state == "recovered", alert.c.due_at < until)
    return _alerts(connection, sa.select(alert).where(sa.or_(asleep, healing)).order_by(ends, alert.c.id))


def closed(connection: sa.Connection, start: datetime, end: datetime) -> list[Alert]:
    """Alerts that were closed in [start, end), the worst first."""
    between = (alert.c.state == "closed", alert.c.closed_at >= start, alert.c.closed_at < end)
    return _alerts(connection, sa.select(alert).where(*between).order_by(*_worst_first))


def recovered(connection: sa.Connection, since: datetime) -> dict[int, int]:
    """How often each alert recovered since then."""
    count = sa.func.count()
    query = sa.select(journal.c.object, count).where(journal.c.at >= since, journal.c.kind == "alert recovered")
    found = connection.execute(query.group_by(journal.c.object).order_by(count.desc()).limit(MOST))
    return {int(about.rpartition(":")[2]): times for about, times in found}


def by_ids(connection: sa.Connection, ids: Sequence[int]) -> list[Alert]:
    return _alerts(connection, sa.select(alert).where(alert.c.id.in_(ids)).order_by(alert.c.id))


def repeats(connection: sa.Connection, since: datetime, least: int) -> list[tuple[Alert, int]]:
    """Fingerprints that fired at least so often since then, each by its newest alert; the most frequent first."""
    times = sa.func.count() + sa.func.sum(alert.c.relapses)
    query = sa.select(sa.func.max(alert.c.id), times).where(alert.c.opened_at >= since).group_by(alert.c.fingerprint)
    found = {number: int(count) for number, count in connection.execute(query.having(times >= least).limit(MOST))}
    newest = by_ids(connection, list(found))
    return sorted(((each, found[each.id]) for each in newest), key=lambda one: -one[1])


def silent_observers(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Observers of alerts that are not closed whose last word was that they have no data: each once, since when."""
    open_ones = alert.join(observation, observation.c.alert_id == alert.c.id)
    since, service = sa.func.min(observation.c.at).label("at"), sa.func.min(alert.c.service).label("service")
    query = (
        sa.select(observation.c.observer, since, service)
        .select_from(open_ones)
        .where(alert.c.state != "closed", observation.c.state == "no data")
        .group_by(observation.c.observer)
        .order_by(observation.c.observer)
    )
    return list(connection.execute(query))


def left_changed(connection: sa.Connection, since: datetime) -> list[tuple[Run, str]]:
    """Runs that ended since then and left something that could not be undone, with what that is."""
    steps = runs.run.join(runs.step, runs.step.c.run_id == runs.run.c.id)
    query = sa.select(runs.run.c.id, runs.step.c.title).select_from(steps)
    ended = (runs.step.c.state == "not undone", runs.run.c.ended_at >= since)
    return [(runs.get(connection, run_id), title) for run_id, title in connection.execute(query.where(*ended).limit(MOST))]


def at_work(connection: sa.Connection, person: str, since: datetime) -> bool:
    """Whether somebody is in an intervention that began after an instant."""
    mine = (intervention.c.person == person, intervention.c.end.is_(None), intervention.c.start >= since)
    return connection.execute(sa.select(intervention.c.id).where(*mine)).first() is not None


def _alerts(connection: sa.Connection, query: sa.Select[Any]) -> list[Alert]:
    return [read(row) for row in connection.execute(query.limit(MOST))]
