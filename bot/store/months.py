"""What a review asks of the rows of a month: few statements, each read as it comes, none over more than it needs.

Numbers of rows grow with time: a stretch of time is a range of them, found by bisection, and no index is kept for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import traffic
from bot.store.alerts import alert, signal
from bot.store.approvals import approval, signature
from bot.store.groups import alert_group
from bot.store.notes import note
from bot.store.observations import observation
from bot.store.pages import page_attempt, silence
from bot.store.runs import run, step
from bot.store.verdicts import verdict

SLACK = timedelta(hours=1)          # a row may be numbered before another and tell of a later instant; never by so much
UNDONE = "undone"
FETCHED, ASKED = 2_000, 500         # rows in one go; numbers in one question

MEMBER = (
    "id", "group_id", "fingerprint", "severity", "important", "recognised", "service", "title", "labels", "opened_at",
    "updated_at", "signals", "relapses", "recovered_at", "closed_at", "closed_by", "runbook", "called_at", "fixed_by", "ending",
)
Range = tuple[int, int]             # numbers, the second not among them


def numbers(connection: sa.Connection, moment: sa.Column[Any], start: datetime, end: datetime) -> Range:
    """The smallest range of a table's numbers that holds every row of [start, end]; a few others may be among them."""
    number = moment.table.c.id
    about = _first(connection, moment, start - SLACK), _first(connection, moment, end + SLACK)
    query = sa.select(number).where(within(number, about), moment >= start, moment <= end).limit(1)
    first = connection.execute(query.order_by(number)).scalar_one_or_none()
    last = connection.execute(query.order_by(number.desc())).scalar_one_or_none()
    return (about[0], about[0]) if first is None or last is None else (first, last + 1)


def _first(connection: sa.Connection, moment: sa.Column[Any], at: datetime) -> int:
    """The lowest number from which on rows tell of that instant or later."""
    table = moment.table
    number = table.c.id
    newest = connection.execute(sa.select(sa.func.max(number))).scalar_one()
    low, high = 0, (newest or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(sa.select(number, moment).where(number >= middle).order_by(number).limit(1)).one_or_none()
        if found is None or found[1] >= at:
            high = middle
        else:
            low = found[0] + 1
    return int(low)


def within(column: sa.ColumnElement[Any], numbers: Range) -> sa.ColumnElement[bool]:
    return sa.and_(column >= numbers[0], column < numbers[1])


def stream(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    """Read as it comes: a month may be larger than what we may hold."""
    with connection.execute(query.execution_options(yield_per=FETCHED)) as found:      # closed too when nobody reads on
        yield from found


def by_numbers(connection: sa.Connection, query: sa.Select[Any], column: sa.Column[Any], wanted: Iterable[Any]) -> Iterator[Any]:
    known = list(wanted)
    for first in range(0, len(known), ASKED):
        yield from connection.execute(query.where(column.in_(known[first:first + ASKED])))


# --- alerts and their groups ----------------------------------------------------------------------------------------------


def members(connection: sa.Connection, groups: Range) -> Iterator[sa.Row[Any]]:
    """The alerts of these groups, group by group, the founder first."""
    mine = within(alert.c.group_id, groups), within(alert_group.c.id, groups)       # of both: neither is read from its beginning
    return stream(connection, _members().where(*mine).order_by(alert.c.group_id, alert.c.id))


def members_of(connection: sa.Connection, groups: Iterable[int]) -> list[sa.Row[Any]]:
    """The same of some groups."""
    found = by_numbers(connection, _members(), alert.c.group_id, sorted(groups))
    return sorted(found, key=lambda each: (each.group_id, each.id))


def alerts_of(connection: sa.Connection, numbers: Iterable[int]) -> Iterator[sa.Row[Any]]:
    """Number, service and labels of some alerts."""
    row = alert.c
    return by_numbers(connection, sa.select(row.id, row.service, row.labels), row.id, sorted(numbers))


def _members() -> sa.Select[Any]:
    joined = alert.join(alert_group, alert_group.c.id == alert.c.group_id)
    return sa.select(*(alert.c[name] for name in MEMBER), alert_group.c.symptom).select_from(joined)


def spanning(connection: sa.Connection, start: datetime, closed_since: datetime) -> list[int]:
    """Groups opened before `start` that were closed since then, or are still open."""
    closed = sa.select(alert_group.c.id).where(alert_group.c.closed_at >= closed_since, alert_group.c.opened_at < start)
    still = connection.execute(sa.select(alert.c.group_id, alert.c.opened_at).where(alert.c.state != "closed"))
    return sorted({*connection.execute(closed).scalars(), *(row.group_id for row in still if row.opened_at < start)})


def unknown(connection: sa.Connection, alerts: Range, service: str) -> list[int]:
    """Those of these alerts that no runbook knows, of a service that nobody knows."""
    query = sa.select(alert.c.id).where(within(alert.c.id, alerts), alert.c.service == service, alert.c.recognised.is_(False))
    return list(connection.execute(query).scalars())


def moved_since(connection: sa.Connection, alerts: Range, at: datetime) -> list[tuple[int, str]]:
    """Those of these alerts whose rows tell of a later instant, each with its fingerprint."""
    later = sa.and_(alert.c.updated_at > at, sa.or_(alert.c.closed_at.is_(None), alert.c.closed_at > at))
    query = sa.select(alert.c.id, alert.c.fingerprint).where(within(alert.c.id, alerts), alert.c.opened_at <= at, later)
    return [(row.id, row.fingerprint) for row in connection.execute(query)]


def signals_by(connection: sa.Connection, alerts: Sequence[tuple[int, str]], at: datetime) -> list[sa.Row[Any]]:
    """What each of these alerts (with its fingerprint) had been told by then: number, source, endpoint, signals."""
    row, found = signal.c, list[sa.Row[Any]]()
    query = sa.select(row.alert_id, row.source, row.endpoint, sa.func.count().label("signals")).where(row.received_at <= at)
    query = query.group_by(row.alert_id, row.source, row.endpoint).order_by(row.alert_id, row.source, row.endpoint)
    for first in range(0, len(alerts), ASKED):
        some = alerts[first:first + ASKED]
        mine = (row.fingerprint.in_([each for _, each in some]), row.alert_id.in_([each for each, _ in some]))
        found += connection.execute(query.where(*mine)).all()
    return found


def followers(connection: sa.Connection, fingerprints: Iterable[str], start: datetime, until: datetime) -> list[int]:
    """Groups founded by alerts of these fingerprints from `start` up to `until`."""
    row = alert.c
    query = sa.select(row.group_id).where(row.opened_at >= start, row.opened_at <= until, row.group_id == row.id)
    return [each.group_id for each in by_numbers(connection, query, row.fingerprint, sorted(fingerprints))]


def observers(connection: sa.Connection, alerts: Range) -> Iterator[sa.Row[Any]]:
    """Who has observed these alerts: number, source, endpoint."""
    row = observation.c
    query = sa.select(row.alert_id, row.source, row.endpoint).where(within(row.alert_id, alerts))
    return stream(connection, query.order_by(row.alert_id, row.source))


def observers_of(connection: sa.Connection, alerts: Iterable[int]) -> Iterator[sa.Row[Any]]:
    row = observation.c
    query = sa.select(row.alert_id, row.source, row.endpoint).order_by(row.alert_id, row.source)
    return by_numbers(connection, query, row.alert_id, sorted(alerts))


# --- what was done about them ---------------------------------------------------------------------------------------------


def notes(connection: sa.Connection, alerts: Range, until: datetime) -> Iterator[sa.Row[Any]]:
    """What people wrote on these alerts: number, instant, actor."""
    row = note.c
    query = sa.select(row.alert_id, row.at, row.actor).where(within(row.alert_id, alerts), row.at <= until)
    return stream(connection, query.order_by(row.id))


def notes_of(connection: sa.Connection, alerts: Iterable[int], until: datetime) -> list[sa.Row[Any]]:
    row = note.c
    query = sa.select(row.alert_id, row.at, row.actor).where(row.at <= until).order_by(row.id)
    return list(by_numbers(connection, query, row.alert_id, sorted(alerts)))


def runs(connection: sa.Connection, start: datetime, until: datetime) -> list[sa.Row[Any]]:
    """Runs begun in that time, and whether steps of theirs were taken back."""
    back = (step.c.run_id == run.c.id, step.c.state == UNDONE, step.c.ended_at <= until)
    undone = sa.select(step.c.run_id).where(*back).exists()
    names = ("id", "runbook", "title", "service", "purpose", "mode", "state", "actor", "organisation", "alert_id", "group_id",
             "begun_at", "ended_at", "relapsed_at", "glass")
    range_ = numbers(connection, run.c.begun_at, start, until)
    query = sa.select(*(run.c[name] for name in names), undone.label("undone")).where(
        within(run.c.id, range_), run.c.begun_at >= start, run.c.begun_at <= until
    )
    return list(connection.execute(query.order_by(run.c.id)))


def approved(connection: sa.Connection, start: datetime, until: datetime) -> list[sa.Row[Any]]:
    """When a person first said yes to a run in that time, by group; what was said beforehand is no act."""
    row = signature.c
    query = sa.select(run.c.group_id, sa.func.min(row.at).label("at")).join(approval, approval.c.id == row.approval_id)
    query = query.join(run, run.c.id == approval.c.run_id).where(row.at >= start, row.at <= until, row.standing.is_(None))
    return list(connection.execute(query.where(run.c.group_id.is_not(None)).group_by(run.c.group_id)))


def attempts(connection: sa.Connection, start: datetime, until: datetime) -> list[sa.Row[Any]]:
    """Attempts to reach somebody in that time."""
    row, range_ = page_attempt.c, numbers(connection, page_attempt.c.at, start, until)
    query = sa.select(row.person, row.group_id, row.level, row.role, row.medium, row.at, row.state, row.sent_at, row.seen_at)
    return list(connection.execute(query.where(within(row.id, range_), row.at >= start, row.at <= until).order_by(row.id)))


def verdicts(connection: sa.Connection, groups: Range, until: datetime) -> list[sa.Row[Any]]:
    """What people said that these groups were worth, oldest first."""
    query = sa.select(verdict).where(within(verdict.c.group_id, groups), verdict.c.at <= until)
    return list(connection.execute(query.order_by(verdict.c.id)))


def verdicts_of(connection: sa.Connection, groups: Iterable[int], until: datetime) -> list[sa.Row[Any]]:
    query = sa.select(verdict).where(verdict.c.at <= until).order_by(verdict.c.id)
    return list(by_numbers(connection, query, verdict.c.group_id, sorted(groups)))


def silences(connection: sa.Connection, start: datetime, until: datetime) -> list[sa.Row[Any]]:
    """Silences that held at some time from `start` up to `until`."""
    query = sa.select(silence).where(silence.c.start <= until, silence.c.until > start)
    return list(connection.execute(query.order_by(silence.c.id)))


# --- sources --------------------------------------------------------------------------------------------------------------


def received(connection: sa.Connection, start: datetime, until: datetime) -> Iterator[Any]:
    """The signals of that time, in order: endpoint, observer, organisation, source, fingerprint, instant."""
    row, range_ = signal.c, numbers(connection, signal.c.received_at, start, until)
    query = sa.select(row.endpoint, row.observer, row.organisation, row.source, row.fingerprint, row.received_at).where(
        within(row.id, range_), row.received_at >= start, row.received_at < until
    )
    return stream(connection, query.order_by(row.id))


def dropped(connection: sa.Connection, until: datetime) -> dict[str, int]:
    """How many deliveries each endpoint has refused for good since counting began."""
    row = traffic.dropped.c
    query = sa.select(row.endpoint, sa.func.sum(row.count)).where(row.last_at <= until).group_by(row.endpoint)
    return {each[0]: int(each[1]) for each in connection.execute(query)}


def masked(connection: sa.Connection, start: datetime, until: datetime, mark: str) -> Iterator[sa.Row[Any]]:
    """Bodies of that time in which something is masked: endpoint, body."""
    row, range_ = signal.c, numbers(connection, signal.c.received_at, start, until)
    query = sa.select(row.endpoint, row.body).where(
        within(row.id, range_), row.received_at >= start, row.received_at < until, row.body.contains(mark)
    )
    return stream(connection, query)
