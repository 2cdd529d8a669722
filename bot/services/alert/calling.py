"""Calls a person, once for each reason: whoever has the alert, else the first who is on call; never anybody in blackout."""

from datetime import datetime

import sqlalchemy as sa

from bot.services.alert.response import headline
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.slack.drawing import escape
from bot.store import alerts, cards
from bot.store.alerts import Alert
from bot.store.runs import Run

NOBODY = "‼ *Nobody can be called* about {what}: everybody is in blackout, or nobody is on call. {why}"
LONGEST_WHY = 600


def key_for(members: list[Alert], about: str = "") -> str:
    """The key of a call about a group: one for each reason and each time that the fault came back."""
    times = 1 + sum(each.relapses for each in members)
    return f"page:{members[0].group_id}:{about}{times}"


def call(desk: Desk, connection: sa.Connection, alert: Alert, why: str, now: datetime, key: str) -> bool:
    """Calls in the thread of the alert's card; false if somebody was called for this very reason before."""
    if cards.by_key(connection, key) is not None:
        return False
    whom = _whom(desk, connection, alert.acked_by, alert.service, now)
    _call(desk, connection, key, _channel(desk, connection, alert), alert.group_id, whom, _why(alert, why), now)
    alerts.call(connection, alert.id, now)
    _note(connection, f"alert:{alert.id}", whom, why, now)
    return True


def call_about_run(desk: Desk, connection: sa.Connection, run: Run, why: str, now: datetime, key: str) -> bool:
    """Calls whoever asked for the run if they may be reached, else the first who is on call."""
    if cards.by_key(connection, key) is not None:
        return False
    whom = _whom(desk, connection, run.actor, run.service, now)
    _call(desk, connection, key, run.channel, run.group_id, whom, why, now)
    if run.alert_id is not None:
        alerts.call(connection, run.alert_id, now)
    _note(connection, f"alert:{run.alert_id}" if run.alert_id is not None else f"run:{run.id}", whom, why, now, run=run.id)
    return True


def _whom(desk: Desk, connection: sa.Connection, first: str | None, service: str, now: datetime) -> str | None:
    person = desk.config.people.get(first or "")
    if first and person and duty.in_blackout(desk.config, person.organisation, now) is None:
        return first
    return next(iter(duty.on_call(connection, desk.config, now, service)), None)


def _call(
    desk: Desk, connection: sa.Connection, key: str, channel: str, group_id: int | None, whom: str | None, why: str,
    now: datetime,
) -> None:
    """With nobody to be called it is said loudly, where others will read it."""
    cards.add_page(connection, key, channel, group_id, [whom] if whom else [], why, now)
    if whom is not None:
        return
    said = NOBODY.format(what=escape(key.split(":")[1]), why=escape(why, LONGEST_WHY))
    review = desk.config.review_channel
    for name in dict.fromkeys([channel, *([desk.config.channels[review]] if review else [])]):
        cards.add_notice(connection, f"nobody:{key}:{name}", name, said, now)


def _why(alert: Alert, why: str) -> str:
    return f"{alert.name} {headline(alert)}: {why}"[:LONGEST_WHY]


def _channel(desk: Desk, connection: sa.Connection, alert: Alert) -> str:
    card = cards.by_key(connection, f"card:{alert.group_id}")
    return card.channel if card else desk.config.channel_of(alert.service)


def _note(
    connection: sa.Connection, about: str, whom: str | None, why: str, now: datetime, run: int | None = None
) -> None:
    outcome: journal.Outcome = "done" if whom else "failed"
    journal.record(connection, actor=VIGIE, kind="person called", object=about, outcome=outcome, at=now, who=whom, why=why,
                   run=run)
