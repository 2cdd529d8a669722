"""What people are told of a calling: who was called before and when, who is called next; and the short text of a ring."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bot.config import Config
from bot.masking import mask_text
from bot.services.alert.response import clock_time, lasting
from bot.services.call.levels import EVERYBODY, Level, Policy, role_at
from bot.services.leave.duty import Callee
from bot.services.slack.drawing import bare, escape, person
from bot.store.alerts import Alert
from bot.store.escalations import Attempt

WHO = "{who} ({company}, {role})"
BEFORE = "Called before: {who}."
CALLED = "{who} {at}"
NEXT, AGAIN = "Next: {who} at {at}.", "Everybody is called again at {at}."
STOPS = "Acknowledge it, and nobody else is called."
KEPT = "It is {who}'s until you acknowledge it: then it is yours, and nobody else is called."
LATE = "This call is {length} late: it was due at {at}."
HANDOFF = "Nobody has accepted the handoff of {at} yet: primary and secondary are both called."
LEFT = "{who} had it, {why}: it is nobody's now."
RING = "Vigie #{number} {service}: {title}. Answer in Slack: {command} ack {number}"
RING_AGAIN = "(again: the first may not have come) "
RING_RUN = "Vigie {run} {service}: a step is in doubt. Answer in Slack, in its thread."

LATE_AFTER = timedelta(minutes=1)
LONGEST_RING = 160


def called(config: Config, who: Callee) -> str:
    """Léa (Padok, primary)"""
    known = config.people.get(who.person)
    company = config.organisations[known.organisation].name if known else "?"
    return WHO.format(who=person(config, who.person), company=escape(company), role=who.role)


def everybody(config: Config, people: Iterable[Callee]) -> str:
    return ", ".join(called(config, each) for each in people)


def under(
    config: Config, rules: Policy, before: Sequence[Attempt], upcoming: Level | None, at: datetime, late: str,
    owner: str | None = None,
) -> str:
    """The lines under a call: safe, and with times that each reader sees in the own zone."""
    earlier = {each.person: each for each in reversed(before)}      # the first call of each counts
    told = [CALLED.format(who=called(config, Callee(each.person, each.role)), at=clock_time(each.at))
            for each in sorted(earlier.values(), key=lambda each: each.id)]
    lines = [late] if late else []
    lines += [escape(each) for each in rules.told]
    lines += [BEFORE.format(who=", ".join(told))] if told else []
    stops = KEPT.format(who=person(config, owner)) if owner else STOPS
    return " ".join([*lines, coming(config, rules, upcoming, at), stops])


def coming(config: Config, rules: Policy, upcoming: Level | None, at: datetime) -> str:
    """Who is called next, and when; asked anew then, so it is a promise of now."""
    if upcoming is None or role_at(rules, upcoming.number) == EVERYBODY:
        return AGAIN.format(at=clock_time(at))
    return NEXT.format(who=everybody(config, upcoming.people), at=clock_time(at))


def late(due: datetime | None, now: datetime) -> str:
    """Nothing, unless it should have been said a while ago."""
    if due is None or now - due < LATE_AFTER:
        return ""
    return LATE.format(length=lasting(now - due), at=clock_time(due))


def ring(config: Config, alert: Alert) -> str:
    """At most 160 characters, masked: which alert, of what, how to answer."""
    given = {"number": alert.id, "service": bare(alert.service, 30), "command": config.command}
    room = LONGEST_RING - len(RING_AGAIN) - len(RING.format(title="", **given))
    title = bare(mask_text(alert.title), max(1, room))
    return RING.format(title=title, **given)[:LONGEST_RING]


def ring_about_run(name: str, service: str) -> str:
    return RING_RUN.format(run=name, service=bare(service, 30))[:LONGEST_RING]
