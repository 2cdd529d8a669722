"""Whole months of a platform's past, written by the database itself; and the journal's seals over them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.services.ledger.sealing import GENESIS, digest, hash_of, line, listed, root_of
from bot.store.db import create_engine, stamp
from bot.store.journal import Entry, Seal, journal, seal

SERIES = {
    "sqlite": "WITH RECURSIVE past(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM past WHERE n < {last})",
    "postgresql": "WITH past(n) AS (SELECT generate_series(0, {last}))",
}
AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', '{start}', ({step} * past.n + {later}) || ' seconds') || '000'",
    "postgresql": "CAST('{start}+00' AS timestamptz) + ({step} * past.n + {later}) * interval '1 second'",
}
CHECKS, TAKEN, FIXED = 5_000, 3, 7      # different alerts; each third is taken by a person, each seventh fixed by Vigie
ACKED_S, OVER_S, CLOSED_S = 240, 900, 1_800
SEALED, READ = 20, 2_000                # entries of a seal, as a busy minute makes them; entries read at once

LETTERS = "abcdefghijklmnopqrst"         # digits are no part of what alerts have in common: names of checks differ by letters
NAME = " || ".join(
    ["'check-'", *(f"substr('{LETTERS}', past.n % {{checks}} / {part} % {len(LETTERS)} + 1, 1)" for part in (1, 20, 400))]
)
LABELS = f"""'{{{{"name": "' || {NAME} || '", "cluster": "prod", "instance": "i-' || (past.n % 300) || '"}}}}'"""
ENDING = f"CASE WHEN past.n % {TAKEN} = 0 THEN 'person' WHEN past.n % {FIXED} = 0 THEN 'fixed' ELSE 'healed' END"
PERSON = "CASE WHEN past.n % 2 = 0 THEN 'alice' ELSE 'lea' END"
CLOSER = f"CASE WHEN past.n % {TAKEN} = 0 THEN {PERSON} ELSE 'vigie' END"
SERVICE = "CASE past.n % 4 WHEN 0 THEN 'pay-api' WHEN 1 THEN 'ledger' WHEN 2 THEN 'bank-sync' ELSE 'unknown' END"
ROWS = (
    f"""INSERT INTO alert (id, fingerprint, group_id, state, severity, important, recognised, service, organisation, title,
            summary, labels, since, opened_at, updated_at, signals, relapses, recovered_at, closed_at, closed_by, ending)
        {{series}} SELECT {{base}} + past.n, 'print-' || (past.n % {{checks}}), {{base}} + past.n, 'closed', 'high', false, false,
            {SERVICE}, 'bridge', {NAME} || ' is slow', 'p95 stood at 2.4 s', {LABELS}, {{opened}}, {{opened}}, {{closed}},
            {{signals}}, 0, {{over}}, {{closed}}, {CLOSER}, {ENDING} FROM past""",
    """INSERT INTO alert_group (id, service, channel, opened_at, closed_at)
       {series} SELECT {base} + past.n, 'ledger', 'C0ALERTS01', {opened}, {closed} FROM past""",
    """INSERT INTO observation (alert_id, observer, source, endpoint, organisation, state, at)
       {series} SELECT {base} + past.n, 'Scripts', 'generic', 'bridge-generic', 'bridge', 'recovered', {over} FROM past""",
    """INSERT INTO signal (delivery, received_at, at, source, endpoint, organisation, observer, fingerprint, state, severity,
           title, body, alert_id)
       {series} SELECT 'past:' || ({base} + past.n) || ':' || turn.n, CASE turn.n WHEN 1 THEN {opened} ELSE {over} END, {opened},
           'generic', 'bridge-generic', 'bridge', 'Scripts', 'print-' || (past.n % {checks}), 'firing', 'high', 'past',
           '{{"key": "past", "summary": "p95 stood at 2.4 s, more than the 1 s that was promised"}}', {base} + past.n
       FROM past CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2) AS turn ORDER BY past.n, turn.n""",
    f"""INSERT INTO journal (at, actor, organisation, kind, object, outcome, origin, details)
        {{series}} SELECT CASE turn.n WHEN 1 THEN {{opened}} WHEN 2 THEN {{acked}} ELSE {{closed}} END,
            CASE turn.n WHEN 1 THEN 'observer:Scripts' WHEN 2 THEN
                CASE WHEN past.n % {TAKEN} = 0 THEN {PERSON} ELSE 'observer:Scripts' END ELSE {CLOSER} END, 'bridge',
            CASE turn.n WHEN 1 THEN 'alert opened' WHEN 2 THEN
                CASE WHEN past.n % {TAKEN} = 0 THEN 'alert acked' ELSE 'alert recovered' END ELSE 'alert closed' END,
            'alert:' || ({{base}} + past.n), 'done', 'webhook bridge-generic',
            '{{{{"severity":"high","title":"check is slow","why":["no rule of vigie.yaml matches it","not important"]}}}}'
        FROM past CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3) AS turn ORDER BY 1""",
)


@dataclass(frozen=True, slots=True)
class Past:
    """A month of so many alerts, evenly over it."""

    start: datetime
    end: datetime
    alerts: int


def store(url: str, month: Past, base: int) -> None:
    """Alerts, signals, observations, groups and three entries of the journal each; sealed."""
    engine = create_engine(url)
    step = ((month.end - month.start).total_seconds() - 2 * CLOSED_S) / month.alerts        # all of it over within it
    at = AT[engine.dialect.name]
    times = {
        name: at.format(start=stamp(month.start), step=f"{step:.3f}", later=later)
        for name, later in (("opened", 0), ("acked", ACKED_S), ("over", OVER_S), ("closed", CLOSED_S))
    }
    series = SERIES[engine.dialect.name].format(last=month.alerts - 1)
    with engine.begin() as connection:
        for statement in ROWS:
            made = statement.format(series=series, base=base, checks=CHECKS, signals=2, **times)
            connection.exec_driver_sql(made.replace("%", "%%") if engine.dialect.name == "postgresql" else made)
        _seal(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE")
    engine.dispose()


def _seal(connection: sa.Connection) -> None:
    """Each thousand entries as if they had been sealed in their time."""
    last = connection.execute(sa.select(seal.c.id, seal.c.to_id, seal.c.hash).order_by(seal.c.id.desc()).limit(1)).one_or_none()
    number, reached, previous = tuple(last) if last else (0, 0, GENESIS)
    while found := _next(connection, reached):
        made = []
        for first in range(0, len(found), SEALED):
            forged = _forged(number + 1, reached + 1, found[first:first + SEALED], previous)
            number, reached, previous = forged.id, forged.to_id, forged.hash
            made.append({name: getattr(forged, name) for name in Seal.__slots__})
        connection.execute(sa.insert(seal), made)


def _next(connection: sa.Connection, reached: int) -> list[Entry]:
    query = sa.select(journal).where(journal.c.id > reached).order_by(journal.c.id).limit(READ)
    return [Entry(*tuple(row)) for row in connection.execute(query)]


def _forged(number: int, first: int, found: list[Entry], previous: str) -> Seal:
    leaves = listed((each.id, digest(line(each))) for each in found)
    sealed_at = max(each.at for each in found) + timedelta(seconds=1)
    given = {
        "id": number, "from_id": first, "to_id": found[-1].id, "count": len(found), "leaves": leaves, "root": root_of(leaves),
        "previous": previous, "sealed_at": sealed_at, "key_id": None, "signature": None,
    }
    return Seal(**given, hash=hash_of(Seal(**given, hash="")))
