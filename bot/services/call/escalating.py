"""Whoever cannot solve an alert calls the next level now, without waiting for the timer; who answers takes it over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.errors import Refused, Unavailable
from bot.masking import mask_text
from bot.services.alert import response
from bot.services.alert.response import OPEN, TROUBLE, UNWRITTEN, called, clock_time
from bot.services.call import calling, exhausted, levels, need, placing
from bot.services.call.calling import Reason
from bot.services.call.levels import Level
from bot.services.call.placing import Ladder
from bot.services.desk import Actor, Desk
from bot.services.leave.clauses import listed
from bot.services.ledger import journal
from bot.store import escalations, groups
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import RUNNING

KIND = "alert escalated"
LONGEST_REASON = 2_000
ANSWER_WITHIN = timedelta(minutes=1)        # nobody who was called a moment ago is passed over

ASKS, ASKS_BECAUSE = "{who} ({company}) asks for help.", "{who} ({company}) asks for help: {reason}"
TOO_LONG = "A reason holds at most 2,000 characters, this one has {length}."
RECOVERED = "{name} has recovered: nobody needs to be called. If it comes back, Vigie decides about it anew."
JUST_CALLED = "{who} {was} called about {name} at {at}. If nobody answers by {until}, say it again: it calls the next level."
BUSY = "somebody is being called about it in this very instant"


@dataclass(frozen=True, slots=True)
class Escalated:
    """Who is called now, when the next would be, who has it until they answer, and who was left out for being asleep."""

    alert: Alert
    level: Level
    owner: str | None
    left_out: str


def escalate(desk: Desk, alert: Alert, actor: Actor, reason: str = "") -> Escalated:
    """Calls the next level at once; raises Refused when all is over, when somebody was called just now, or nobody is left."""
    why, now = mask_text(reason.strip()), desk.clock.now()
    if len(why) > LONGEST_REASON:
        raise Refused(TOO_LONG.format(length=len(why)))
    with desk.begin("call on") as connection:
        members = groups.hold_members(connection, alert.group_id)
        head = _head(desk, connection, alert, members, actor, why)
        owner = need.owner_of(desk.config, [each for each in members if each.state in TROUBLE], now)
        current = _calling(desk, connection, head, owner, now)
        here = placing.ladder(desk, connection, current, now)
        if recent := _just_called(desk, here, current, head, actor, now):
            raise Refused(recent + _unwritten(desk, head, why))
        level = here.after(current.level, {actor.key, owner or actor.key})
        if level is None or level.number >= len(here.rules.steps):
            raise Refused(exhausted.nobody_left(desk, connection, here, current, head, now) + _unwritten(desk, head, why))
        calling.lapse(connection, calling.of_sleepers(desk.config, members, now), calling.ASLEEP, now)
        _write_down(connection, head, actor, level, why, now)
        _call(desk, connection, current, level, owner or actor.key, _asks(desk, actor, why), now)
        passed = {role for role, _ in here.rules.steps[current.level + 1:level.number + 1]}
        return Escalated(head, level, owner, exhausted.sleepers(desk, connection, head, now, passed))


def _head(
    desk: Desk, connection: sa.Connection, alert: Alert, members: Sequence[Alert], actor: Actor, why: str
) -> Alert:
    """The alert that is meant, or another of its card if that one is over; raises Refused when all are."""
    still = sorted(members, key=lambda each: (each.state not in TROUBLE, each.state not in OPEN, each.id != alert.id))
    if not still or still[0].state not in OPEN:
        raise Refused(response.why_not(desk, connection, alert, actor, why))
    return still[0]


def _calling(desk: Desk, connection: sa.Connection, head: Alert, owner: str | None, now: datetime) -> Escalation:
    """What calls people about it, or did until its owner answered; else it begins. Raises Refused when there is no need."""
    about = "trouble" if head.state in TROUBLE else "recovered"
    over = escalations.answered(connection, head.group_id, owner) if owner else None
    known = [*([over] if over else []), *escalations.of_group(connection, head.group_id)]
    if fitting := [each for each in known if levels.load(each.policy).about == about]:
        return fitting[-1]
    if about == "recovered":
        raise Refused(RECOVERED.format(name=head.name))
    key, channel = f"page:{head.group_id}:hand{int(now.timestamp())}", calling.channel_of(desk, connection, head)
    return calling.add(desk, connection, Reason(key, head, None, channel, head.group_id, "", "trouble", owner), now)


def _just_called(desk: Desk, here: Ladder, current: Escalation, head: Alert, actor: Actor, now: datetime) -> str:
    """What is said when the next level was called in this moment, by the timer or by somebody else: it is that very one."""
    at = here.before[-1].at if here.before else None
    if at is None or now - at >= ANSWER_WITHIN:
        return ""
    people = [each.person for each in here.before if each.at == at]
    answered = current.state != RUNNING or (current.relieves is None and head.acked_at is not None and head.acked_at >= at)
    if answered or actor.key in people:
        return ""
    who, was = listed([called(desk, each) for each in people], "and"), "were" if len(people) > 1 else "was"
    return JUST_CALLED.format(who=who, was=was, name=head.name, at=clock_time(at), until=clock_time(at + ANSWER_WITHIN))


def _unwritten(desk: Desk, head: Alert, why: str) -> str:
    return UNWRITTEN.format(id=head.id, command=desk.config.command) if why else ""


def _asks(desk: Desk, actor: Actor, why: str) -> str:
    company = desk.config.organisations[actor.organisation].name
    return (ASKS_BECAUSE if why else ASKS).format(who=actor.name, company=company, reason=why)


def _call(
    desk: Desk, connection: sa.Connection, current: Escalation, level: Level, relieves: str, why: str, now: datetime
) -> None:
    """The calling goes on from there, also one that was answered, and says who asks for help."""
    asked = escalations.ask(connection, current, relieves, why, now)
    fresh = escalations.by_id(connection, current.id)
    if not asked or fresh is None or not placing.climb(
        desk, connection, fresh, placing.ladder(desk, connection, fresh, now), level, now
    ):
        raise Unavailable(BUSY)


def _write_down(connection: sa.Connection, head: Alert, actor: Actor, level: Level, why: str, now: datetime) -> None:
    told = {"reason": why} if why else {}
    journal.record(connection, actor=actor, kind=KIND, object=f"alert:{head.id}", outcome="done", at=now,
                   who=[each.person for each in level.people], level=level.number + 1, **told)
    escalations.seen(connection, head.group_id, actor.key, now)
    response.show(connection, [head], now, urgency=0)
