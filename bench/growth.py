"""Does intake slow down as the database fills? The same storm beside ever more alerts of the past."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import events
from bench.databases import Database
from bench.scale import Scale
from bench.stage import Stage, house
from bench.storm import summary
from bot.store.db import create_engine, stamp

SIGNALS_EACH = 2
SERIES = {
    "sqlite": "WITH RECURSIVE past(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM past WHERE n < {many})",
    "postgresql": "WITH past(n) AS (SELECT generate_series(1, {many}))",
}
# Closed alerts as a storm leaves them; the journal is left alone, since it would have to be sealed.
PAST = (
    """INSERT INTO alert (id, fingerprint, group_id, state, severity, important, recognised, service, organisation, title,
           summary, labels, since, opened_at, updated_at, signals, relapses, closed_at, closed_by)
       {series} SELECT {base} + n, 'past-' || ({base} + n), {base} + n, 'closed', 'high', false, false, 'ledger', 'bridge',
           'past ' || n, 'p95 stood at 2.4 s', '{{}}', {at}, {at}, {at}, {signals}, 0, {at}, 'vigie' FROM past""",
    """INSERT INTO alert_group (id, service, channel, opened_at, closed_at)
       {series} SELECT {base} + n, 'ledger', 'C0ALERTS01', {at}, {at} FROM past""",
    """INSERT INTO observation (alert_id, observer, source, endpoint, organisation, state, at)
       {series} SELECT {base} + n, 'Scripts', 'generic', 'bridge-generic', 'bridge', 'recovered', {at} FROM past""",
    """INSERT INTO post (key, kind, group_id, channel, revision, sent_revision, first_due_at, urgency, ts, tries)
       {series} SELECT 'card:' || ({base} + n), 'card', {base} + n, 'C0ALERTS01', 2, 2, {at}, 2, 'past.' || n, 0 FROM past""",
    """INSERT INTO signal (delivery, received_at, at, source, endpoint, organisation, observer, fingerprint, state, severity,
           title, body, alert_id)
       {series} SELECT 'past:' || ({base} + past.n) || ':' || turn.n, {at}, {at}, 'generic', 'bridge-generic', 'bridge',
           'Scripts', 'past-' || ({base} + past.n), 'firing', 'high', 'past', '{{"key": "past"}}', {base} + past.n
       FROM past CROSS JOIN (SELECT 1 AS n UNION ALL SELECT 2) AS turn""",
)


def run(stage: Stage, database: Database, scale: Scale) -> dict[str, Any]:
    """One database that grows; at each step a new process and a storm of new alerts."""
    url, steps, stored = database.fresh(), [], 0
    for step, more in enumerate(scale.stored):
        stored += more
        store_past(url, more, base=1_000_000 * step)
        with house(stage, database, url) as home:
            stage.send(home.orders(events.warming()))
            before = home.app.usage().cpu
            answers = stage.send(home.orders(events.storm(f"growth-{step}", scale.events, scale.alerts)))
            weight = home.app.usage()
        cpu = (weight.cpu - before) / len(answers) * 1000
        steps.append({"stored": stored, **asdict(summary(answers)), "resident_mb": weight.resident, "cpu_ms": cpu})
    return {"steps": steps}


def store_past(url: str, many: int, base: int) -> None:
    """`many` closed alerts of an hour ago with all that belongs to them, written by the database itself."""
    if not many:
        return
    engine = create_engine(url)
    at = f"'{stamp(datetime.now(UTC) - timedelta(hours=1))}'"
    at = at if engine.dialect.name == "sqlite" else f"CAST({at} AS timestamptz)"
    series = SERIES[engine.dialect.name].format(many=many)
    with engine.begin() as connection:
        for statement in PAST:
            made = statement.format(series=series, base=base, at=at, signals=SIGNALS_EACH)
            connection.exec_driver_sql(made)
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()
