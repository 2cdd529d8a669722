"""What somebody who calls the next level is told of people who may not be called now, and when nobody is left."""

from collections.abc import Collection, Iterator
from datetime import datetime

import sqlalchemy as sa

from bot.services.alert.response import called, clock_time
from bot.services.call.placing import Ladder
from bot.services.desk import Desk
from bot.services.leave import blackout, duty
from bot.services.leave.clauses import listed
from bot.services.slack import hush
from bot.store.alerts import Alert
from bot.store.escalations import Escalation
from bot.store.pages import RUNNING

NOBODY_LEFT = "Nobody else can be called about {name} now. {called}{again}{asleep}{else_}"
CALLED, CALLED_AT, NONE_CALLED = "Called: {who}.", "{who} {at}", "Nobody was called yet."
AGAIN = " Everybody is called again at {at}."
ASLEEP, SLEEPERS = " In blackout, so nobody calls them: {people}.", "{who} ({side}) until {at}"
GIVE_IT = " To give it to somebody: `{command} assign {id} <person>`."
GLASS = " If it cannot wait: `{command} break-glass {id} <runbook> <reason>`{reaches}."
REACHES = ", which reaches {who}"


def nobody_left(desk: Desk, connection: sa.Connection, here: Ladder, current: Escalation, head: Alert, now: datetime) -> str:
    """Who was called and when, who may not be called and until when, and what is possible all the same."""
    first = {each.person: each.at for each in reversed(here.before)}
    in_order = sorted(first.items(), key=lambda one: one[1])
    told = [CALLED_AT.format(who=called(desk, key), at=clock_time(at)) for key, at in in_order]
    again = AGAIN.format(at=clock_time(current.due_at)) if told and current.state == RUNNING else ""
    asleep = sleepers(desk, connection, head, now)
    given = {"command": desk.config.command, "id": head.id}
    return NOBODY_LEFT.format(
        name=head.name, called=CALLED.format(who=", ".join(told)) if told else NONE_CALLED, again=again, asleep=asleep,
        else_=GIVE_IT.format(**given) + (GLASS.format(**given, reaches=_reaches(desk, now)) if asleep else ""),
    )


def sleepers(
    desk: Desk, connection: sa.Connection, head: Alert, now: datetime, roles: Collection[str] | None = None
) -> str:
    """Who has a place in the order (in those roles, if some are named), and is in blackout; nothing: nobody."""
    found = [each.person for each in duty.standing(connection, desk.config, now, head.service)
             if (roles is None or each.role in roles) and hush.asleep(desk.config, each.person, now) is not None]
    return ASLEEP.format(people="; ".join(_by_side(desk, found, now))) if found else ""


def _by_side(desk: Desk, people: Collection[str], now: datetime) -> Iterator[str]:
    config = desk.config
    for side in dict.fromkeys(config.people[each].organisation for each in people):
        theirs = [each for each in people if config.people[each].organisation == side]
        yield SLEEPERS.format(who=listed([called(desk, each) for each in theirs], "and"), side=config.organisations[side].name,
                              at=clock_time(hush.asleep(config, theirs[0], now)))


def _reaches(desk: Desk, now: datetime) -> str:
    who = [called(desk, each) for each in blackout.reached_through_glass(desk.config, now)]
    return REACHES.format(who=listed(who, "and")) if who else ""
