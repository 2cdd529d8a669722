"""How reports stood against their limits, what an incident cost in minutes, what recurs: from a month's facts. Pure."""

from collections.abc import Iterator
from datetime import datetime

from bot.review import N_, Facts
from bot.review.arithmetic.recurrence import Happened, Recurrence, recurring, since
from bot.review.facts import Incident, Notice

REPORTS = ("initial", "intermediate", "final")
MET, MISSED, SENT_LATE, OPEN = N_("in time"), N_("not sent"), N_("late"), N_("not due yet")
MINUTE_S = 60

Limit = tuple[Incident, Notice, str]


def is_micro(facts: Facts) -> bool:
    return bool(facts.config.month.regulator and facts.config.month.regulator.microenterprise)


def recurrences(facts: Facts) -> list[Recurrence]:
    """Of the six months up to the month's end, as far as it has come."""
    return [] if is_micro(facts) else recurring(_happened(facts), _half_a_year(facts), facts.month.until)


def _half_a_year(facts: Facts) -> datetime:
    """Its beginning: months are those of clocks, whatever day it is in UTC when one ends."""
    return since(facts.month.end, facts.month.zone)


def limits(facts: Facts) -> Iterator[Limit]:
    """Reports whose limit lies in the month, and how they stood when the month was looked at."""
    for incident in facts.incidents:
        for each in incident.notices:
            if not incident.drill and each.kind in REPORTS and each.due_at and facts.month.has(each.due_at):
                yield incident, each, _state(each, each.due_at, facts.month.as_of)


def _state(each: Notice, due_at: datetime, as_of: datetime) -> str:
    if each.sent_at is not None:
        return MET if each.sent_at <= due_at else SENT_LATE
    return MISSED if due_at <= as_of else OPEN


def bank_told(incident: Incident) -> datetime | None:
    return next((each.sent_at for each in incident.notices if each.kind == "bank_api" and each.sent_at), None)


def _happened(facts: Facts) -> Iterator[Happened]:
    patterns = {each.alert: each.pattern for each in facts.earlier} | {each.alert: each.pattern for each in facts.groups}
    for each in facts.incidents:
        if not each.drill:
            mine = tuple(dict.fromkeys(patterns[one] for one in each.alerts if one in patterns))
            yield Happened(each.id, each.service, each.began_at, each.ended_at, each.cause, mine, bool(each.major),
                           downtime_min(each, facts.month.until))


def downtime_min(incident: Incident, until: datetime) -> float:
    """Minutes in which at least one service was hurt; what overlaps counts once."""
    total, last = 0.0, None
    for each in sorted(incident.impacts, key=lambda one: one.start):
        end = min(each.end or until, until)
        begin = each.start if last is None else max(each.start, last)
        total += max(0.0, (end - begin).total_seconds() / MINUTE_S)
        last = end if last is None else max(last, end)
    return total
