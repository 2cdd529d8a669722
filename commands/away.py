"""Be away, or sick: nobody asks why."""

from bot.services.rota import moments, naming, telling
from bot.services.rota.roster import Slot
from bot.services.shift import absences
from bot.store.shifts import Absence
from commands import Call, Field, Fields, Subject, command

AWAY = "{who} away {when} ({place}), absence {number}. {gap} No reason is asked or kept. `{command} away back {number}` ends it."
YOU, THEY = "You are", "{who} is"
OF_YOU, OF_THEM = "you", "them"
NO_GAP, GAP = "No shift is touched.", "{count} left without {whom}; {lead} is told."
ONE_SHIFT, SHIFTS = "One shift is", "{count} shifts are"
BACK = "Welcome back: absence {number} is over. What was given to others meanwhile stays theirs; `{command} shift` lists yours."
HINT = "A day, or a day and a time: tomorrow, 30/11, 30/11 18:00; {place}"
TO_HINT = "A day alone is included, as a whole; {place}"
TOGETHER = ("of", "from", "to", "until")


def form(call: Call) -> Fields:
    if call.words:
        return ()
    place = moments.place_of(telling.zone_of(call.desk.config, call.actor.key))
    return (
        Field("from", "From", "word", hint=HINT.format(place=place)), Field("to", "To", "word", hint=TO_HINT.format(place=place)),
    )


@command(
    "away",
    usage="[@person] <from> <to> | sick | back [number]",
    help="say that you, or a colleague, cannot have shifts; nobody asks why",
    example="away 30/11 4/12",
    level="read",
    button="Away…",
    form=form,
    group="who is on",
    subject=lambda call: Subject(),
)
def away(call: Call) -> str:
    words, config = tuple(each for each in call.words if each.lower() not in TOGETHER), call.desk.config
    first = words[0].lower() if words else ""
    if first == "back":
        made = absences.back(call.desk, call.actor, next(iter(words[1:]), None))
        return BACK.format(number=made.id, command=config.command)
    if first == "sick":
        return _said(call, *absences.sick(call.desk, call.actor))
    person = call.actor.key
    if words and (words[0].startswith("@") or config.person_named(words[0])):
        person, words = naming.person(config, words, call.actor.key)
    zone = config.organisations[config.people[person].organisation].timezone
    start, end, _ = moments.span(_split(words), zone, call.desk.clock.now())
    return _said(call, *absences.away(call.desk, call.actor, person, start, end))


def _split(words: tuple[str, ...]) -> tuple[str, ...]:
    """A field of the form holds several words; one day alone is that whole day."""
    parts = tuple(part for word in words for part in word.split())
    return parts * 2 if len(parts) == 1 and not moments.is_time(parts[0]) else parts


def _said(call: Call, made: Absence, slots: list[Slot]) -> str:
    config = call.desk.config
    zone = telling.zone_of(config, made.person)
    mine = made.person == call.actor.key
    who = YOU if mine else THEY.format(who=config.people[made.person].name)
    count = ONE_SHIFT if len(slots) == 1 else SHIFTS.format(count=len(slots))
    leads = telling.names(config, dict.fromkeys(config.teams[each.team].lead for each in slots))
    gap = GAP.format(count=count, lead=leads, whom=OF_YOU if mine else OF_THEM) if slots else NO_GAP
    return AWAY.format(
        who=who, when=moments.between(made.start, made.end, zone), place=moments.place_of(zone), number=made.id, gap=gap,
        command=config.command,
    )
