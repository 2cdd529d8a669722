"""The door: somebody is to be called, once for each reason. What follows until somebody answers is escalation.py's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.config.nights import Paging
from bot.services.alert import own
from bot.services.call import levels, placing, silences
from bot.services.call.levels import NONE_YET, About
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.store import alerts, cards, escalations
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import ANSWERED, ENDED, RUNNING
from bot.store.runs import Run

LONGEST_WHY = 600
ASLEEP = "is in blackout"


def key_for(members: list[Alert], about: str = "") -> str:
    """The key of a call about a group: one for each reason and each time that the fault came back."""
    times = 1 + sum(each.relapses for each in members)
    return f"page:{members[0].group_id}:{about}{times}"


def call(desk: Desk, connection: sa.Connection, alert: Alert, why: str, now: datetime, key: str) -> bool:
    """Calls in the thread of the alert's card; false if somebody was called for this very reason before.

    Whoever has it is called first, and that is their reminder; else whose it is, as the lead's whose team has a gap. Who
    sleeps has it no longer.
    """
    about: About = "recovered" if alert.state == "recovered" else "trouble"
    first = alert.acked_by or own.whose(connection, alert)
    owner = first if first and placing.may_be_called(desk, connection, first, now) else None
    reason = Reason(key, alert, None, channel_of(desk, connection, alert), alert.group_id, why[:LONGEST_WHY], about, owner)
    begun = begin(desk, connection, reason, now)
    if begun is None:
        return False
    if alert.acked_by and owner is None and about == "trouble":
        lapse(connection, alerts.of_group(connection, alert.group_id), ASLEEP, now)
    return True


def call_about_run(desk: Desk, connection: sa.Connection, run: Run, why: str, now: datetime, key: str) -> bool:
    """Calls whoever asked for the run if they may be reached, else the first who is on call."""
    alert = alerts.by_id(connection, run.alert_id) if run.alert_id is not None else None
    first = run.actor if run.actor in desk.config.people else None
    if first and not placing.may_be_called(desk, connection, first, now):
        first = None
    reason = Reason(key, alert, run, run.channel, run.group_id, why, "doubt", first)
    return begin(desk, connection, reason, now) is not None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is called, and where it is said."""

    key: str
    alert: Alert | None
    run: Run | None
    channel: str
    group_id: int | None
    why: str
    about: About
    first: str | None
    not_before: datetime | None = None      # it is snoozed until then

    @property
    def service(self) -> str:
        return self.alert.service if self.alert else self.run.service if self.run else ""

    @property
    def important(self) -> bool:
        return self.alert is not None and self.alert.important


def begin(desk: Desk, connection: sa.Connection, reason: Reason, now: datetime) -> Escalation | None:
    """The first call of an escalation, unless it is silenced or snoozed; None if it has begun before."""
    if escalations.by_key(connection, reason.key) or cards.by_key(connection, reason.key):
        return None
    begun = add(desk, connection, reason, now)
    silence = silences.covering(connection, reason.service, reason.important, now) if reason.about != "doubt" else None
    if silence is not None:
        hold(connection, begun, silence.until, f"silence {silence.id}", now)
    elif reason.not_before is not None:
        hold(connection, begun, reason.not_before, "snoozed", now)
    else:
        placing.go_on(desk, connection, begun, now)
        _remind_the_owner(connection, reason, begun, now)
    if reason.about == "trouble" and reason.group_id is not None:
        _take_over(connection, begun, reason.group_id, now)
    return begun


def _take_over(connection: sa.Connection, begun: Escalation, group_id: int, now: datetime) -> None:
    """One calling at a time for a fault. A new reason does not begin the ladder anew: a flapping alert must not stay low."""
    for old in escalations.of_group(connection, group_id):
        if old.id == begun.id or levels.load(old.policy).about != "trouble":
            continue
        escalations.move(connection, old, state=ENDED, ended_at=now, due_at=None, held_until=None, nobody_since=None)
        new = escalations.by_id(connection, begun.id)
        goes_on = new is not None and (new.state == RUNNING or old.relieves is not None) and new.held_until is None
        if old.state == RUNNING and new and goes_on and old.level >= new.level:
            due_at = max(now, min(each for each in (old.due_at, new.due_at) if each))
            escalations.move(connection, new, level=old.level, due_at=due_at, state=RUNNING, relieves=old.relieves)


def add(desk: Desk, connection: sa.Connection, reason: Reason, now: datetime) -> Escalation:
    """The escalation's row, with its policy as it is now; nobody is called yet."""
    coverage = duty.coverage_of(desk.config, reason.service) if reason.service else None
    paging = desk.config.coverages[coverage].paging if coverage else Paging()
    callees = duty.callees(connection, desk.config, now, reason.service)
    rules = levels.policy(paging, reason.about, reason.first, callees)
    return escalations.add(
        connection, key=reason.key, group_id=reason.group_id, alert_id=reason.alert.id if reason.alert else None,
        run_id=reason.run.id if reason.run else None, coverage=coverage, channel=reason.channel, why=reason.why,
        policy=rules.dump(), level=NONE_YET, state=RUNNING, begun_at=now, due_at=now,
    )


def _remind_the_owner(connection: sa.Connection, reason: Reason, begun: Escalation, now: datetime) -> None:
    """A call to whoever has the fault is their reminder: the duty is called if they are silent, and it is important."""
    if reason.about != "trouble" or reason.first is None or reason.alert is None or reason.alert.acked_by is None:
        return
    called = escalations.by_id(connection, begun.id) or begun
    reminder = timedelta(seconds=levels.load(begun.policy).reminder_s)
    left = {"state": ANSWERED, "due_at": now + reminder} if reason.important else {
        "state": ENDED, "due_at": None, "ended_at": now}
    escalations.move(connection, called, answered_by=reason.first, reminded_at=now, **left)


def hold(connection: sa.Connection, calling: Escalation, until: datetime, why: str, now: datetime) -> bool:
    """Nobody is called before then; written down once."""
    if not escalations.move(connection, calling, held_until=until, due_at=until):
        return False
    if calling.held_until is None:
        about = f"alert:{calling.alert_id}" if calling.alert_id else f"run:{calling.run_id}"
        journal.record(connection, actor=VIGIE, kind="call held back", object=about, outcome="done", at=now,
                       why=why, until=until.isoformat())
    return True


def of_sleepers(config: Config, members: list[Alert], now: datetime) -> list[Alert]:
    """Those whose owner sleeps meanwhile."""
    return [each for each in members if each.state == "acked" and duty.asleep(config, each.acked_by or "", now) is not None]


def lapse(connection: sa.Connection, members: list[Alert], why: str, now: datetime) -> None:
    """Nobody has these any more: whoever had them cannot, or does not answer."""
    for each in members:
        if each.state == "acked" and alerts.change(
            connection, each.id, ["acked"], state="firing", acked_by=None, acked_at=None, updated_at=now
        ):
            journal.record(connection, actor=VIGIE, kind="ack lapsed", object=f"alert:{each.id}", outcome="done", at=now,
                           who=each.acked_by, cause=why)
    if members:
        cards.bump(connection, members[0].group_id, now, urgency=1)


def channel_of(desk: Desk, connection: sa.Connection, alert: Alert) -> str:
    card = cards.by_key(connection, f"card:{alert.group_id}")
    return card.channel if card else desk.config.channel_of(alert.service)


