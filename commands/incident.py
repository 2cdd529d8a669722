"""Incidents: declare one about an alert, say whom it hurts, what caused it, when it was over; what is owed; its papers."""

import re

from bot.errors import Refused
from bot.services.alert import response
from bot.services.incident import deeds, ground, questions
from bot.services.incident.questions import Said
from bot.services.slack.forms import sort_out
from bot.store.alerts import Alert
from bot.store.incidents import KINDS, Incident
from commands import Call, Fields, Subject, command

WHICH = "`{command} incident {given}` is nothing. Name an alert to declare one (`142`), or say {known}."
WHICH_ALERT = "Which alert is it about? `{command} incident 142`; `{command} status` lists what is open."
ABOUT = "{headline}\nAll alerts that share its card belong to it."
YES_BUTTON = {"declare": "Declare", "end": "It is over"}
SAY_SO = "Say so"

DECLARE, LIST, ADD = "declare", "list", "add"
VERBS = (LIST, *deeds.DEEDS, ADD)
NUMBER, REF = re.compile(r"#?\d{1,12}"), re.compile(r"incident\d{1,12}")


def parse(call: Call) -> Said:
    """From a card or its thread the incident is known; else the word after the verb names it. Raises Refused."""
    given, values = sort_out(call.words)
    if given and NUMBER.fullmatch(given[0]):
        return Said(DECLARE, given[0].lstrip("#"), given[1:], values)
    verb = given[0].lower() if given else DECLARE if call.ref else LIST
    if call.ref and (verb in KINDS or verb == DECLARE):
        return Said(DECLARE, None, given, values)
    if verb not in VERBS:
        raise Refused(WHICH.format(command=call.desk.config.command, given=verb[:20], known=", ".join(VERBS)))
    left = given[1:]
    named = left[0] if left and _names_one(call, left[0]) else None
    return Said(verb, named, left[1:] if named else left, values)


def _names_one(call: Call, word: str) -> bool:
    """In an alert's thread the incident is known: a number there is no incident's, but for what joins another."""
    bare_number = call.ref is None or (call.words[:1] == (ADD,) and not REF.fullmatch(call.ref))
    return REF.fullmatch(word) is not None or (bare_number and NUMBER.fullmatch(word) is not None)


def found(call: Call, said: Said) -> Incident:
    """The incident that is meant: by its number, its card's button, or the alert in whose thread it is said."""
    if said.number is None and call.ref and not REF.fullmatch(call.ref):
        return ground.of_alert(call.desk, call.alert().id)
    return ground.find(call.desk, said.number or call.ref, said.verb)


def form(call: Call) -> Fields:
    """What is still to be said."""
    said = parse(call)
    if said.verb == DECLARE:
        return questions.of_declaring(call.desk, _alert(call, said.number), said)
    return questions.of_verb(call.desk, found(call, said), said) if said.verb in questions.FORMS else ()


def subject(call: Call) -> Subject:
    said = parse(call)
    kept = tuple(f"{name}={value}" for name, value in said.values.items())
    if said.verb == DECLARE:
        alert = _alert(call, said.number)
        about = ABOUT.format(headline=response.headline(alert))
        return Subject(alert.name, about, str(alert.id), (*said.words[:1], *kept), YES_BUTTON[DECLARE])
    it = found(call, said)
    return Subject(it.name, it.title, it.ref, (said.verb, *said.words, *kept), YES_BUTTON.get(said.verb, SAY_SO))


def _alert(call: Call, number: str | None) -> Alert:
    ref = number or call.ref
    if ref is None:
        raise Refused(WHICH_ALERT.format(command=call.desk.config.command))
    return response.find(call.desk, ref)


@command(
    "incident",
    usage="<alert> [kind] [title] | list | show|impact|cause|end|timeline|post-mortem|third-party|notice|add|aware <incident>",
    help="declare an incident about an alert; say whom it hurts, why, when it was over; what is owed; its timeline",
    example="incident 142 outage",
    level="read",
    button="Incident…",
    form=form,
    subject=subject,
)
def incident(call: Call) -> str:
    said, desk, actor = parse(call), call.desk, call.actor
    if said.verb == LIST:
        return deeds.every(desk)
    if said.verb == DECLARE:
        return deeds.declare(desk, actor, _alert(call, said.number), said)
    if said.verb == ADD:
        it = ground.find(desk, said.number or call.ref, ADD)
        own = None if call.ref and REF.fullmatch(call.ref) else call.ref
        return deeds.add(desk, actor, it, _alert(call, own or (said.words[0] if said.words else None)))
    return deeds.DEEDS[said.verb](desk, actor, found(call, said), said)
