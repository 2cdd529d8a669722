"""Classifies an incident by the worksheet: what the facts say already, the result with its reasons, its history."""

import fnmatch
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from bot.errors import Refused
from bot.review.arithmetic.dora import RULES, Answers, Result, classify
from bot.services.desk import Actor, Desk
from bot.services.incident import clocks, ground, impact, worksheet
from bot.services.leave import duty
from bot.store import incidents, notices
from bot.store.incidents import Classification, Incident

OWN_FIRST = (
    "{side} classifies, as long as its people may be reached: ask {who}. What the partner knows belongs on the alert: "
    "`{command} note`."
)
MAJOR, NOT_MAJOR = "MAJOR", "not major"
VERDICT, BECAUSE = "{name} is {verdict} by {rules}.", "• {reason}"
TOLD_AS_MAJOR = "It was reported as major: tell {authority} that it is reclassified, with the reasons above."
LINE = "{at}: {verdict}, by {who}. {reasons}"
NEVER = "{name} was never classified: `{command} classify {id}`."
NOT_LEGAL = "An aid to judgement, no legal advice: whoever reports decides."


def suggested(desk: Desk, connection: sa.Connection, incident: Incident, now: datetime) -> Answers:
    """What was answered last; upon it what the facts say: how long it lasts, how long critical services were down."""
    regulator = ground.regulator(desk.config)
    impacts = incidents.impacts(connection, incident.id)
    services = {incident.service, *(each.service for each in impacts)}
    patterns = regulator.critical if regulator else ("*",)
    critical = {each for each in services if any(fnmatch.fnmatchcase(each, one) for one in patterns)}
    until = incident.ended_at or now
    history = incidents.classifications(connection, incident.id)
    last = worksheet.load(json.loads(history[-1].answers)) if history else Answers()
    return replace(
        last, critical=last.critical if history else bool(critical),
        duration_h=(until - incident.began_at).total_seconds() / worksheet.HOUR_S,
        downtime_h=impact.down_s(impacts, until, critical) / worksheet.HOUR_S if impacts else last.downtime_h,
    )


def may(desk: Desk, actor: Actor) -> None:
    """The owner's people; the partner's only while nobody of the owner may be reached. Raises Refused."""
    ground.may_write(desk, actor, "classify")
    config, own = desk.config, ground.own(desk.config)
    if config.organisations[actor.organisation].kind == "own" or duty.in_blackout(config, own, desk.clock.now()) is not None:
        return
    known = ground.regulator(config)
    person = config.people.get(known.compliance) if known else None
    raise Refused(OWN_FIRST.format(side=ground.own_name(config), who=person.name if person else ground.WHOEVER,
                                   command=config.command))


def keep(desk: Desk, incident: Incident, actor: Actor, answers: Answers) -> Classification:
    """One more row of its history; what is owed follows from it."""
    may(desk, actor)
    now, result = desk.clock.now(), classify(answers)
    with desk.begin("classify") as connection:
        incident = incidents.hold(connection, incident.id)      # two who classify at once: one is after the other
        made = incidents.add_classification(
            connection, incident_id=incident.id, at=now, by=actor.key, organisation=actor.organisation,
            answers=json.dumps(worksheet.dump(answers), sort_keys=True), major=result.major,
            reasons=json.dumps(result.reasons, ensure_ascii=False), rules=RULES,
        )
        ground.note(connection, actor, incident, "incident classified", now, major=result.major, reasons=list(result.reasons),
                    rules=RULES, classification=made.id, estimated=answers.estimated)
        clocks.renew(connection, desk.config, incident, now)
        ground.show(connection, incident, now)
    return made


def told(desk: Desk, incident: Incident, result: Result) -> Iterator[str]:
    """The result and its reasons, line by line."""
    verdict = MAJOR if result.major else NOT_MAJOR
    yield VERDICT.format(name=incident.name.capitalize(), verdict=verdict, rules=RULES)
    yield from (BECAUSE.format(reason=each) for each in result.reasons)
    known = ground.regulator(desk.config)
    with desk.read() as connection:
        sent = [each for each in notices.of_incident(connection, incident.id) if each.kind in clocks.REPORTS and each.sent_at]
    if sent and not result.major:
        yield TOLD_AS_MAJOR.format(authority=known.authority if known else "the authority")
    yield NOT_LEGAL


def history(desk: Desk, incident: Incident) -> list[str]:
    """Each classification with who, when and why, oldest first."""
    with desk.read() as connection:
        known: Sequence[Classification] = incidents.classifications(connection, incident.id)
    if not known:
        return [NEVER.format(name=incident.name.capitalize(), command=desk.config.command, id=incident.id)]
    return [
        LINE.format(at=ground.when(desk.config, each.at), verdict=MAJOR if each.major else NOT_MAJOR,
                    who=desk.config.people[each.by].name if each.by in desk.config.people else each.by,
                    reasons="; ".join(json.loads(each.reasons)))
        for each in known
    ]
