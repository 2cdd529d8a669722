"""When a blackout is over: what was held back is told to each person in one message, and what is theirs from now on is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa

from bot.config import Config
from bot.services.alert import assigning
from bot.services.alert.response import called, clock_time, headline, lasting
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.slack.drawing import escape
from bot.store import alerts, cards, deferrals, shifts
from bot.store.alerts import Alert
from bot.store.deferrals import ASSIGNMENT, MENTION, Deferred

HEAD = "{side}'s blackout is over. Vigie kept this from you meanwhile:"
LATE = "⏱ Told {length} late: Vigie was not there before."
GIVEN = "• {name} {title} · {by} gave it to you at {at}: it is yours now"
GIVEN_CLOSED = "• {name} {title} · {by} gave it to you at {at}; it was closed before it was yours"
NAMED = "• {name} {title} · you were called {times} {at} · {state}"
ONCE, SEVERAL = "at", "{count} times since"
STATES = {
    "firing": "still firing, nobody has it", "acked": "still open, {who} has it", "recovered": "recovered, not closed yet",
    "closed": "closed by {who} {at}",
}
OTHER = "• {at} {said}"
UNSAID = "you were named in a message"
MORE = "… and {count} more: `{command} status` lists what is open."

LATE_AFTER = timedelta(minutes=5)
MOST_LINES = 25


def tell(desk: Desk) -> int:
    """Tells what may be told by now; returns how many people were told. Each thing once, whoever ticks; safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        waiting = sorted(deferrals.waiting(connection, now), key=lambda each: each.person)
        gone = shifts.leavers(connection) if waiting else frozenset()
    told = 0
    for person, rows in groupby(waiting, key=lambda each: each.person):
        if duty.asleep(desk.config, person, now) is None:
            told += _tell(desk, person, [each.id for each in rows], person not in gone, now)
    return told


def _tell(desk: Desk, person: str, ids: Sequence[int], is_there: bool, now: datetime) -> bool:
    with desk.begin("morning") as connection:
        kept = deferrals.take(connection, ids, now)
        known = desk.config.people.get(person) if is_there else None
        wishes = [each for each in kept if each.kind == ASSIGNMENT and known]
        theirs = {each.id for each in wishes if assigning.hand_over(connection, each, now)}
        lines = list(_lines(desk, connection, kept, theirs))
        if known is None or not lines:
            return False
        until = max(each.deferred_until for each in kept)
        said = _message(desk.config, person, lines, now - min(each.deferred_until for each in kept))
        cards.add_direct(connection, f"morning:{person}:{until:%Y-%m-%dT%H:%M}:{kept[0].id}", known.slack, said, now)
        journal.record(connection, actor=VIGIE, kind="held back told", object=f"person:{person}", outcome="done", at=now,
                       count=len(kept))
    return True


def _message(config: Config, person: str, lines: Sequence[str], late: timedelta) -> str:
    side = config.organisations[config.people[person].organisation].name
    more = [MORE.format(count=len(lines) - MOST_LINES, command=config.command)] if len(lines) > MOST_LINES else []
    said = [HEAD.format(side=escape(side)), *lines[:MOST_LINES], *more]
    return "\n".join([*said, *([LATE.format(length=lasting(late))] if late > LATE_AFTER else [])])


def _lines(desk: Desk, connection: sa.Connection, kept: Sequence[Deferred], theirs: Iterable[int]) -> Iterator[str]:
    """What is theirs, then each alert about which they were called, then what belongs to no alert.

    A direct message that was only put off comes by itself: it has neither an alert nor words here.
    """
    for each in kept:
        if each.kind == ASSIGNMENT and (alert := _alert(connection, each)):
            words = GIVEN if each.id in theirs else GIVEN_CLOSED
            yield words.format(**_of(alert), by=escape(called(desk, each.by)), at=clock_time(each.at))
    named: dict[int, list[Deferred]] = {}
    for each in kept:
        if each.kind != ASSIGNMENT and each.alert_id is not None:
            named.setdefault(each.alert_id, []).append(each)
    for number, those in named.items():
        if alert := alerts.by_id(connection, number):
            times = ONCE if len(those) == 1 else SEVERAL.format(count=len(those))
            yield NAMED.format(**_of(alert), times=times, at=clock_time(those[0].at), state=_state(desk, alert))
    for each in kept:
        if each.alert_id is None and (each.kind == MENTION or each.said):
            yield OTHER.format(at=clock_time(each.at), said=each.said or UNSAID)


def _alert(connection: sa.Connection, kept: Deferred) -> Alert | None:
    return alerts.by_id(connection, kept.alert_id) if kept.alert_id is not None else None


def _of(alert: Alert) -> dict[str, str]:
    return {"name": alert.name, "title": escape(headline(alert))}


def _state(desk: Desk, alert: Alert) -> str:
    who = called(desk, alert.closed_by if alert.state == "closed" else alert.acked_by)
    return STATES[alert.state].format(who=escape(who), at=clock_time(alert.closed_at))
