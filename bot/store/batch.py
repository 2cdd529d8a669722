"""The statements of the intake: each takes a whole batch as one JSON parameter, whatever its size.

They go straight to the driver, within SQLAlchemy's transaction: they run thousands of times a second.
"""

import re
from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from bot.store.db import as_rows, rows, stamp

Record = Mapping[str, Any]

_COLON = re.compile(r":([a-z]+)")

TIMES = {"sqlite": "text", "postgresql": "timestamptz"}

SIGNAL = {
    "delivery": "text", "received_at": "timestamptz", "at": "timestamptz", "source": "text", "endpoint": "text",
    "organisation": "text", "observer": "text", "fingerprint": "text", "state": "text", "severity": "text",
    "title": "text", "body": "text", "alert_id": "bigint",
}
ALERT = {
    "fingerprint": "text", "state": "text", "severity": "text", "important": "boolean", "recognised": "boolean",
    "service": "text", "organisation": "text", "title": "text", "summary": "text", "labels": "text", "link": "text",
    "since": "timestamptz", "opened_at": "timestamptz", "updated_at": "timestamptz", "signals": "integer",
    "relapses": "integer", "recovered_at": "timestamptz", "due_at": "timestamptz", "runbook": "text", "decision": "text",
}
CHANGED = {
    "id": "bigint", "state": "text", "severity": "text", "important": "boolean", "updated_at": "timestamptz",
    "signals": "integer", "relapses": "integer", "acked_by": "text", "acked_at": "timestamptz",
    "snoozed_until": "timestamptz", "recovered_at": "timestamptz", "due_at": "timestamptz", "runbook": "text",
    "recognised": "boolean", "decision": "text", "fixed_by": "bigint",
}
OBSERVATION = {
    "alert_id": "bigint", "observer": "text", "source": "text", "endpoint": "text", "organisation": "text",
    "state": "text", "at": "timestamptz",
}
GROUP = {"id": "bigint", "service": "text", "channel": "text", "opened_at": "timestamptz", "symptom": "text"}
JOURNAL = {
    "at": "timestamptz", "actor": "text", "organisation": "text", "kind": "text", "object": "text", "outcome": "text",
    "origin": "text", "details": "text",
}
POST = {
    "key": "text", "kind": "text", "group_id": "bigint", "channel": "text", "due_at": "timestamptz", "urgency": "integer",
}


class Answer(list[Any]):
    """The rows that came back, by name; and how many were written."""

    written = 0


@cache
def _row(*names: str) -> Any:
    return namedtuple("Row", names)


def _ask(connection: Connection, query: str, given: Mapping[str, str]) -> Answer:
    driver, dialect = connection.connection.driver_connection, connection.dialect
    assert driver is not None
    try:
        cursor = driver.cursor()
        cursor.execute(query if dialect.name == "sqlite" else _COLON.sub(r"%(\1)s", query), given)
        answer = Answer()
        if cursor.description:
            row = _row(*(each[0] for each in cursor.description))
            answer.extend(row(*each) for each in cursor.fetchall())
        answer.written = cursor.rowcount
        cursor.close()
    except dialect.loaded_dbapi.OperationalError as error:      # as SQLAlchemy would say it
        raise sa.exc.OperationalError(query, None, error) from error
    return answer


def _insert(
    connection: Connection, table: str, columns: Mapping[str, str], records: Sequence[Record], ending: str = ""
) -> Answer:
    given = rows(connection.dialect.name, columns)
    return _ask(connection, f"INSERT INTO {table} ({', '.join(columns)}) {given} {ending}", as_rows(records))


def _among(connection: Connection, column: str, kind: str) -> str:
    """Whether the column is one of those given; as an array PostgreSQL looks them up one by one, not through the table."""
    name = column.rpartition(".")[2]
    given = rows(connection.dialect.name, {name: kind})
    return f"{column} IN ({given})" if connection.dialect.name == "sqlite" else f"{column} = ANY (ARRAY({given}))"


def known_deliveries(connection: Connection, deliveries: Iterable[str]) -> set[str]:
    """Which of these have been taken before."""
    query = f"SELECT delivery FROM signal WHERE {_among(connection, 'delivery', 'text')}"
    return {row.delivery for row in _ask(connection, query, as_rows({"delivery": each} for each in deliveries))}


def lock_open(connection: Connection, fingerprints: Sequence[str]) -> Answer:
    """The open alerts with these fingerprints, held until the commit; in one order, so that two writers cannot deadlock."""
    hold = "" if connection.dialect.name == "sqlite" else " FOR UPDATE OF alert"
    query = f"""SELECT alert.id, alert.fingerprint, alert.state, alert.severity, alert.important, alert.signals,
                       alert.relapses, alert.acked_by, alert.acked_at, alert.snoozed_until, alert.recovered_at,
                       alert.due_at, alert.runbook, alert.decision, alert.fixed_by, alert.group_id, alert_group.channel
                FROM alert JOIN alert_group ON alert_group.id = alert.group_id
                WHERE alert.state <> 'closed' AND {_among(connection, 'alert.fingerprint', 'text')}
                ORDER BY alert.fingerprint{hold}"""
    return _ask(connection, query, as_rows({"fingerprint": each} for each in fingerprints))


def observations(connection: Connection, alert_ids: Sequence[int]) -> Answer:
    """Who observed what of these alerts."""
    query = f"SELECT alert_id, observer, state, at FROM observation WHERE {_among(connection, 'alert_id', 'bigint')}"
    return _ask(connection, query, as_rows({"alert_id": each} for each in alert_ids))


def last_words(connection: Connection, fingerprints: Sequence[str], since: datetime) -> Answer:
    """The newest firing and the newest recovery of each observer since `since`: old news must not open an alert again."""
    query = f"""SELECT fingerprint, observer, state, max(at) AS at FROM signal
                WHERE {_among(connection, 'fingerprint', 'text')} AND at > CAST(:since AS {TIMES[connection.dialect.name]})
                GROUP BY fingerprint, observer, state"""
    words = {**as_rows({"fingerprint": each} for each in fingerprints), "since": stamp(since)}
    return _ask(connection, query, words)


def add_signals(connection: Connection, records: Sequence[Record]) -> int:
    """How many went in; fewer than given: another writer took one of them in this instant."""
    return _insert(connection, "signal", SIGNAL, records, "ON CONFLICT (delivery) DO NOTHING").written


def open_alerts(connection: Connection, records: Sequence[Record]) -> dict[str, int]:
    """New alerts' ids by fingerprint; one is missing if another writer opened it in this instant."""
    ending = "ON CONFLICT (fingerprint) WHERE state <> 'closed' DO NOTHING RETURNING id, fingerprint"
    opened = {row.fingerprint: row.id for row in _insert(connection, "alert", ALERT, records, ending)}
    grouping = f"UPDATE alert SET group_id = id WHERE {_among(connection, 'id', 'bigint')}"
    _ask(connection, grouping, as_rows({"id": each} for each in opened.values()))
    return opened


def change_alerts(connection: Connection, records: Sequence[Record]) -> None:
    """Writes what the signals changed."""
    values = ", ".join(f"{name} = new.{name}" for name in CHANGED if name != "id")
    given = rows(connection.dialect.name, CHANGED)
    _ask(connection, f"UPDATE alert SET {values} FROM ({given}) AS new WHERE alert.id = new.id", as_rows(records))


def observe(connection: Connection, records: Sequence[Record]) -> None:
    """What each observer says now."""
    ending = "ON CONFLICT (alert_id, observer) DO UPDATE SET state = excluded.state, at = excluded.at"
    _insert(connection, "observation", OBSERVATION, records, ending)


def open_groups(connection: Connection, records: Sequence[Record]) -> int:
    """A group bears the number of the alert that founded it; fewer than given: another writer opened one in this instant."""
    return _insert(connection, "alert_group", GROUP, records, "ON CONFLICT DO NOTHING").written


def lock_symptoms(connection: Connection, symptoms: Iterable[tuple[str, str]]) -> Answer:
    """The open groups of these services and symptoms, held until the commit so that none closes meanwhile."""
    given = rows(connection.dialect.name, {"service": "text", "symptom": "text"})
    hold = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"
    query = f"""SELECT id, service, symptom, channel FROM alert_group
                WHERE closed_at IS NULL AND symptom IS NOT NULL AND (service, symptom) IN ({given}) ORDER BY id{hold}"""
    return _ask(connection, query, as_rows({"service": service, "symptom": symptom} for service, symptom in symptoms))


def join_groups(connection: Connection, records: Sequence[Record]) -> None:
    """These alerts stand in groups that others founded."""
    given = rows(connection.dialect.name, {"id": "bigint", "group_id": "bigint"})
    query = f"UPDATE alert SET group_id = new.group_id FROM ({given}) AS new WHERE alert.id = new.id"
    _ask(connection, query, as_rows(records))


def mark_relapsed(connection: Connection, run_ids: Iterable[int], at: datetime) -> None:
    """These runs had seemed to fix what is back."""
    kind = TIMES[connection.dialect.name]
    query = f"""UPDATE run SET relapsed_at = CAST(:at AS {kind})
                WHERE relapsed_at IS NULL AND {_among(connection, 'id', 'bigint')}"""
    _ask(connection, query, {**as_rows({"id": each} for each in run_ids), "at": stamp(at)})


def add_entries(connection: Connection, records: Sequence[Record]) -> None:
    """Journal entries of a whole batch."""
    _insert(connection, "journal", JOURNAL, records)


def bump_posts(connection: Connection, records: Sequence[Record]) -> None:
    """One more revision for each post; the earliest due time and the highest urgency win."""
    dialect = connection.dialect.name
    names = ", ".join(POST)
    given = rows(dialect, POST)
    query = f"""INSERT INTO post ({names}, revision, sent_revision, first_due_at, tries)
                SELECT {names}, 1, 0, due_at, 0 FROM ({given}) AS new WHERE true
                ON CONFLICT (key) DO UPDATE SET revision = post.revision + 1,
                    due_at = CASE WHEN post.due_at IS NULL OR excluded.due_at < post.due_at
                             THEN excluded.due_at ELSE post.due_at END,
                    urgency = CASE WHEN post.due_at IS NULL OR excluded.urgency < post.urgency
                              THEN excluded.urgency ELSE post.urgency END"""
    _ask(connection, query, as_rows(records))
