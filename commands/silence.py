"""Let a service call nobody for a while."""

from bot.errors import Refused
from bot.services.alert.response import clock_time
from bot.services.call import silences
from commands import Call, Field, Fields, Subject, command
from commands.snooze import read_length

SILENT = (
    "Silence {id}: {service} calls nobody until {until}. Important alerts still call somebody, until somebody else says "
    "`{command} silence agree {id}`. `{command} silence end {id}` ends it."
)
AGREED = "Silence {id}: important alerts of {service} are silent too until {until}."
ENDED = "Silence {id} of {service} has ended; what still fires calls again."
WHICH = "Which silence? `{command} status` lists those that hold: `{command} silence {verb} 3`."
ABOUT, ABOUT_ONE = "{service} calls nobody for a while.", "Silence {id}: {service} until {until:%H:%M} UTC. {reason}"
HINT = "At most 12 h: 30m, 2h, 1h30"
AGREE, END = "agree", "end"


def _number(call: Call) -> int:
    """Which silence is meant: what a button names, or the word after the verb."""
    given = (call.words[1] if len(call.words) > 1 else call.ref or "").lstrip("#")
    if not given.isdecimal() or len(given) > 12:
        raise Refused(WHICH.format(command=call.desk.config.command, verb=call.words[0]))
    return int(given)


def _about_one(call: Call) -> bool:
    return bool(call.words) and call.words[0].lower() in (AGREE, END)


def _what(call: Call) -> tuple[str, str]:
    """The service, and the rest of what was said: on a card or in its thread the alert's, else the first word."""
    if call.ref is not None and not (call.words and call.words[0] in call.desk.config.services):
        return call.alert().service, " ".join(call.words)
    return (call.words[0] if call.words else ""), " ".join(call.words[1:])


def form(call: Call) -> Fields:
    """What is missing."""
    if _about_one(call):
        return ()
    service, rest = _what(call)
    length, reason = read_length(rest)
    services = tuple((name, name) for name in call.desk.config.services)
    missing = [] if service else [Field("service", "Which service", "choice", options=services)]
    missing += [] if length else [Field("duration", "For how long", "duration", hint=HINT)]
    missing += [] if length and reason else [Field("reason", "Why: whoever comes on duty next reads it")]
    return tuple(missing)


def subject(call: Call) -> Subject:
    if _about_one(call):
        found = silences.find(call.desk, _number(call))
        about = ABOUT_ONE.format(id=found.id, service=found.service, until=found.until, reason=found.reason)
        return Subject(str(found.id), about, None, (call.words[0].lower(), str(found.id)))
    service, rest = _what(call)
    return Subject(service, ABOUT.format(service=service) if service else "", None, tuple(filter(None, (service, rest))))


@command(
    "silence",
    usage="<service> <duration> <reason> | agree <number> | end <number>",
    help="let a service call nobody for at most 12 hours; important alerts only if a second person agrees",
    example="silence ledger 2h planned migration",
    button="Silence…",
    form=form,
    subject=subject,
    group="this alert",
)
def silence(call: Call) -> str:
    desk = call.desk
    if _about_one(call):
        verb = call.words[0].lower()
        done, words = (silences.agree, AGREED) if verb == AGREE else (silences.end, ENDED)
        made = done(desk, _number(call), call.actor)
        return words.format(id=made.id, service=made.service, until=clock_time(made.until))
    service, rest = _what(call)
    length, reason = read_length(rest)
    made = silences.start(desk, service, length, reason, call.actor)
    return SILENT.format(id=made.id, service=service, until=clock_time(made.until), command=desk.config.command)
