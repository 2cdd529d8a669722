"""What is open, what was missed, what could not be taken or posted."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.services.alert.arrivals import fingerprint
from bot.services.alert.response import called, clock_time, headline, lasting
from bot.services.call import retelling
from bot.services.desk import Actor, Desk
from bot.services.review import setbacks
from bot.services.run import underway
from bot.sources import unreadable_key
from bot.store import alerts, cards, observations, traffic
from bot.store.alerts import Alert

FACES = {"firing": "🔴 firing", "acked": "👀 acknowledged", "recovered": "🟢 recovered", "closed": "✅ closed"}
NOTHING_OPEN = "Nothing is open."
OPEN = "*{count} open*: {states}"
ALERT_LINE = "{face} *{name}* {severity}{important} · {what} · {seen}since {at} ({ago}) · {who}"
MORE = "… and {count} more."
UNSEEN = "*Recovered while nobody looked*"
UNSEEN_LINE = "{face} *{name}* {what} · {at}{fixed}"
BY_RUN = " · fixed by run {run}"
MARK_SEEN = "`{command} ack {id}` marks one as seen."
DROPPED = "*Refused at the door*: {reasons}"
UNREADABLE = "*Could not be read*: {count}, each shown as an alert of its own"
BACKLOG = "*Slack*: {count} posts wait, the oldest since {at}"
NO_BACKLOG, LATER = "*Slack*: nothing waits", ", {count} for a later hour"
REFUSES = "{channel} takes no posts ({why}, {posts} waiting)"
IMPORTANT = " · important"
SEEN_BY = "{observers} · "
NOBODY, NOBODY_LOOKED, FIXED_BY = "nobody has it", "nobody looked", "fixed by run {run}"
HAS_IT = "{who} has it"
GIVEN_TO = "assigned to {who}"
SNOOZED = "quiet until {at}"

MOST_OPEN, MOST_UNSEEN = 15, 5
LONGEST_TITLE = 90
UNSEEN_FOR = timedelta(hours=24)


def status(desk: Desk) -> dict[str, Any]:
    """All for machines: the newest alerts and all that is open, counts by state, what was refused or not read."""
    with desk.read() as connection:
        known = {each.id: each for each in [*alerts.recent(connection), *alerts.open_ones(connection)]}
        observed = observations.by_alert(connection, known)
        return {
            "alerts": [_for_machines(each, observed.get(each.id, [])) for _, each in sorted(known.items())],
            "counts": alerts.counts(connection),
            "dropped": traffic.drops(connection),
            "unreadable": _unreadable(desk, connection),
        }


def _for_machines(alert: Alert, observed: Iterable[Any]) -> dict[str, Any]:
    rows = list(observed)
    return {
        "id": alert.id,
        "name": alert.labels.get("name", alert.title),
        "state": alert.state,
        "sources": sorted({row.source for row in rows}),
        "endpoints": sorted({row.endpoint for row in rows}),
        "observers": sorted({row.observer for row in rows}),
        "service": alert.service,
        "severity": alert.severity,
        "fingerprint": alert.fingerprint,
        "opened_at": _iso(alert.opened_at),
        "updated_at": _iso(alert.updated_at),
        "acked_by": alert.acked_by,
        "closed_at": _iso(alert.closed_at),
        "closed_by": alert.closed_by,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def text(desk: Desk, actor: Actor | None = None) -> str:
    """All for people, short enough for one message; what waits for the actor comes first."""
    now = desk.clock.now()
    with desk.read() as connection:
        opened, counts = alerts.open_ones(connection), alerts.counts(connection)
        lines = [*underway.lines(desk, connection, actor), *_open(desk, connection, opened, counts, now)]
        lines += [*retelling.status(desk, connection), *_unseen(desk, connection, opened, now)]
        return "\n".join([*lines, *setbacks.status(desk, connection), *_doors(desk, connection), *_slack(desk, connection)])


def _open(
    desk: Desk, connection: sa.Connection, opened: list[Alert], counts: Mapping[str, int], now: datetime
) -> Iterable[str]:
    total = sum(count for state, count in counts.items() if state != "closed")
    if total == 0:
        yield NOTHING_OPEN
        return
    states = [f"{counts[state]} {FACES[state]}" for state in ("firing", "acked", "recovered") if counts[state]]
    yield OPEN.format(count=total, states=" · ".join(states))
    first = sorted(opened, key=_urgency)[:MOST_OPEN]
    observed = observations.by_alert(connection, [each.id for each in first])
    yield from (_line(desk, each, observed.get(each.id, []), now) for each in first)
    if total > MOST_OPEN:
        yield MORE.format(count=total - MOST_OPEN)


def _urgency(alert: Alert) -> tuple[int, int, int]:
    return alerts.STATES.index(alert.state), alerts.SEVERITIES.index(alert.severity), alert.id


def _line(desk: Desk, alert: Alert, observed: Iterable[Any], now: datetime) -> str:
    observers = ", ".join(sorted(row.observer for row in observed))
    return ALERT_LINE.format(
        face=FACES[alert.state], name=alert.name, severity=alert.severity, what=short(headline(alert)),
        important=IMPORTANT if alert.important else "", at=clock_time(alert.since),
        ago=lasting(now - alert.since), who=whose(desk, alert), seen=SEEN_BY.format(observers=observers) if observers else "",
    )


def whose(desk: Desk, alert: Alert) -> str:
    """Who has it, if anybody has; else what became of it."""
    words = [HAS_IT.format(who=called(desk, alert.acked_by))] if alert.acked_by else []
    words += [GIVEN_TO.format(who=called(desk, alert.assigned_to))] if alert.assigned_to else []
    words += [SNOOZED.format(at=clock_time(alert.snoozed_until))] if alert.snoozed_until else []
    if not words and alert.state == "recovered" and alert.fixed_by:
        return FIXED_BY.format(run=alert.fixed_by)
    return ", ".join(words) or (NOBODY_LOOKED if alert.state == "recovered" and alert.seen_by is None else NOBODY)


def _unseen(desk: Desk, connection: sa.Connection, opened: list[Alert], now: datetime) -> Iterable[str]:
    """What healed, or was closed by time, before any person looked at it."""
    missed = [each for each in opened if each.state == "recovered" and each.seen_by is None]
    missed += alerts.closed_unseen(connection, now - UNSEEN_FOR)
    if not missed:
        return
    yield UNSEEN
    for each in missed[:MOST_UNSEEN]:
        at = clock_time(each.closed_at or each.recovered_at)
        yield UNSEEN_LINE.format(
            face=FACES[each.state], name=each.name, what=short(headline(each)), at=at,
            fixed=BY_RUN.format(run=each.fixed_by) if each.fixed_by else "",
        )
    if len(missed) > MOST_UNSEEN:
        yield MORE.format(count=len(missed) - MOST_UNSEEN)
    yield MARK_SEEN.format(command=desk.config.command, id=missed[0].id)


def _unreadable(desk: Desk, connection: sa.Connection) -> int:
    """How many deliveries made no sense; each endpoint has one fingerprint for them."""
    endpoints = desk.config.endpoints.items()
    return alerts.told(connection, [fingerprint(each.organisation, unreadable_key(name)) for name, each in endpoints])


def _doors(desk: Desk, connection: sa.Connection) -> Iterable[str]:
    if reasons := traffic.drops(connection):
        yield DROPPED.format(reasons=", ".join(f"{reason.replace('_', ' ')} {count}" for reason, count in reasons.items()))
    if count := _unreadable(desk, connection):
        yield UNREADABLE.format(count=count)


def _slack(desk: Desk, connection: sa.Connection) -> Iterable[str]:
    count, oldest = cards.backlog(connection, desk.clock.now())
    later = cards.backlog(connection)[0] - count
    said = BACKLOG.format(count=count, at=clock_time(oldest)) if oldest else NO_BACKLOG
    yield said + (LATER.format(count=later) if later else "")
    names = {channel: f"#{name}" for name, channel in desk.config.channels.items()}
    for row in cards.failures(connection):
        yield REFUSES.format(channel=names.get(row.channel, row.channel), why=short(row.failure), posts=row.posts)


def short(said: str, most: int = LONGEST_TITLE) -> str:
    """In one line, no longer than that."""
    line = " ".join(said.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
