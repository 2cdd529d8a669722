"""Power follows the duty: who may only look in their blackout, which side may change something, whom broken glass reaches."""

from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.services.alert.response import clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import duty
from bot.services.leave.authority import Level
from bot.services.leave.clauses import listed
from bot.services.ledger import journal
from bot.services.rota import planning
from bot.services.worktime import interventions

ONLY_LOOK = (
    "You are in {own}'s blackout until {at}: you may look, and only {side} may `{verb}`. On duty: {who}."
)
GLASS = " If it cannot wait, they can break the glass: `{command} break-glass <alert> <runbook> <reason>`."
NEVER_GLASS = (                     # no runbook does these
    "override", "swap", "shift", "away", "handoff", "review", "verdict", "decide", "action", "incident", "classify",
)
NO_DUTY = "Only {side}'s people on duty may run what changes {service} until {at}. On duty: {who}."
NOBODY, OTHERS = "nobody", "whoever is on duty"
UNTIL = "{who} until {at}"
BROKEN_GLASS = "reached in the blackout through broken glass"
MOST_NAMED = 2


def require_awake(desk: Desk, actor: Actor, verb: str, level: Level) -> None:
    """Raises Refused, naming who is on duty, when somebody would act in their own blackout; where there is a rota."""
    config, now = desk.config, desk.clock.now()
    until = duty.in_blackout(config, actor.organisation, now) if level != "read" and config.coverages else None
    if until is None:
        return
    side = duty.side_on_duty(config, now)
    with desk.read() as connection:
        who = on_duty(connection, config, now)
    words = ONLY_LOOK if verb in NEVER_GLASS else ONLY_LOOK + GLASS
    raise Refused(words.format(
        own=config.organisations[actor.organisation].name, at=clock_time(until), verb=verb, who=who, command=config.command,
        side=config.organisations[side].name if side else OTHERS,
    ))


def require_duty(
    config: Config, connection: sa.Connection, organisation: str, service: str, now: datetime, instead: str = ""
) -> None:
    """Raises Refused when a partner would change something while another company has the duty of that service."""
    coverage = planning.coverage_of(config, service)
    side = duty.side_on_duty(config, now, service) if coverage else None
    if coverage is None or side is None or side == organisation:
        return
    who, end = on_duty(connection, config, now, service), planning.stretch_at(config, coverage, now).end
    told = NO_DUTY.format(side=config.organisations[side].name, service=service, at=clock_time(end), who=who)
    raise Refused(f"{told}{instead}")


def on_duty(connection: sa.Connection, config: Config, now: datetime, service: str | None = None) -> str:
    """Who is called now, and until when: Omar until 08:00; or Léa and Omar until 08:00."""
    found = duty.callees(connection, config, now, service)
    names = [config.people[each.person].name for each in found if each.role in ("primary", "secondary")] or [
        config.people[each.person].name for each in found[:1]
    ]
    if not names:
        return NOBODY
    who, coverage = listed(names[:MOST_NAMED], "and"), duty.coverage_of(config, service)
    return UNTIL.format(who=who, at=clock_time(planning.stretch_at(config, coverage, now).end)) if coverage else who


def reached_through_glass(config: Config, now: datetime) -> list[str]:
    """The people, one of each organisation in blackout that names one, whom broken glass reaches all the same."""
    asleep = (each for key, each in config.organisations.items() if duty.in_blackout(config, key, now) is not None)
    return [each.break_glass for each in asleep if each.break_glass in config.people]


def worked(config: Config, connection: sa.Connection, actor: Actor, alert_id: int | None, now: datetime) -> None:
    """Whoever was reached in their blackout and acts is at work from then on: the rules of rest count from its end."""
    if duty.asleep(config, actor.key, now) is None:
        return
    interventions.begin(connection, config, actor.key, alert_id, now)
    journal.record(connection, actor=actor, kind="intervention begun", object=f"person:{actor.key}", outcome="done", at=now,
                   alert=alert_id, why=BROKEN_GLASS)
