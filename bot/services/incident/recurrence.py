"""Incidents of six months that recur, from the rows; and what they would be judged together (2024/1772 art. 8(2))."""

import json
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.review.arithmetic.dora import Answers, Result, classify, together
from bot.review.arithmetic.patterns import pattern
from bot.review.arithmetic.recurrence import Happened, Recurrence, recurring, since
from bot.services.incident import clocks, ground, impact, worksheet
from bot.store import alerts, incidents, observations
from bot.store.incidents import Incident

MINUTE_S = 60


def all_of(connection: sa.Connection, config: Config, until: datetime) -> list[tuple[Recurrence, Result]]:
    """Each recurrence of the six months before `until`, with its verdict as one incident; none for a microenterprise."""
    if config.month.regulator and config.month.regulator.microenterprise:
        return []
    start = since(until, config.organisations[ground.own(config)].timezone)
    found = {each.id: each for each in incidents.between(connection, start, until) if not each.drill}
    happened = [_happened(connection, each, until) for each in found.values()]
    return [
        (one, classify(together(_answers(connection, found, each) for each in one.incidents)))
        for one in recurring(happened, start, until)
    ]


def of(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> list[Recurrence]:
    """Those to which this one belongs."""
    return [one for one, _ in all_of(connection, config, now) if incident.id in one.incidents]


def _happened(connection: sa.Connection, each: Incident, until: datetime) -> Happened:
    members = [found for number in incidents.alerts_of(connection, each.id) if (found := alerts.by_id(connection, number))]
    seen = observations.by_alert(connection, [one.id for one in members])
    patterns = dict.fromkeys(pattern(next((row.source for row in seen.get(one.id, ())), ""), one.labels) for one in members)
    down = impact.down_s(incidents.impacts(connection, each.id), each.ended_at or until)
    major = clocks.major_since(incidents.classifications(connection, each.id)) is not None
    return Happened(each.id, each.service, each.began_at, each.ended_at, each.cause, tuple(patterns), major, down / MINUTE_S)


def _answers(connection: sa.Connection, known: Mapping[int, Incident], number: int) -> Answers:
    history = incidents.classifications(connection, number)
    if history:
        return worksheet.load(json.loads(history[-1].answers))
    it = known[number]
    hours = (it.ended_at - it.began_at).total_seconds() / worksheet.HOUR_S if it.ended_at else None
    return Answers(duration_h=hours)
