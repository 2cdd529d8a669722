"""Give somebody a part of the rota."""

from collections.abc import Sequence

from bot.errors import Refused
from bot.services.rota import moments, naming, telling
from bot.services.shift import changing
from bot.services.shift.changing import Change
from bot.services.slack import forms
from bot.services.worktime import lawful
from commands import Call, Field, Fields, Subject, command

DONE = "{who} has {slot}."
REMARKS = "The working-time rules remark:"
HOW = "Say it so: `{command} override {coverage} primary tomorrow 20:00 tomorrow 23:00 @colleague <reason>`."
WHY = "Say why, for those whose shifts it moves: `reason=...`, or the last words."
NO_ROTA = "vigie.yaml has no coverages: there is nothing to change."
ROLES = (("primary", "primary"), ("secondary", "secondary"))
HINT = "For instance tomorrow 20:00, 30/11 20:00 or 2026-11-30 20:00; {place}"
TO_HINT = "The same, or a time alone: the next 23:00 after it; {place}"


def form(call: Call) -> Fields:
    config = call.desk.config
    if call.words:
        return ()
    own = tuple((key, each.name) for key, each in config.people.items() if each.organisation == call.actor.organisation)
    coverages, place = tuple((each, each) for each in config.coverages), moments.place_of(telling.zone_of(config, call.actor.key))
    only = coverages[0][0] if len(coverages) == 1 else None
    return (
        Field("coverage", "Which coverage", "choice", options=coverages, initial=only, named=True),
        Field("role", "Which role", "choice", options=ROLES, initial="primary", named=True),
        Field("from", "From", "word", hint=HINT.format(place=place), named=True),
        Field("to", "To", "word", hint=TO_HINT.format(place=place), named=True),
        Field("person", "Who has it then", "choice", options=own, named=True),
        Field("reason", "Why, for those whose shifts it moves", "word", named=True),
    )


@command(
    "override",
    usage="<coverage> <role> <from> <to> <person> <reason>",
    help="give a part of your company's rota to somebody else of it",
    example="override platform primary tomorrow 20:00 tomorrow 23:00 @bruno dentist",
    level="write",
    button="Change shifts…",
    form=form,
    group="who is on",
    subject=lambda call: Subject(),
    roles=("rota_admin", "lead"),
)
def override(call: Call) -> str:
    wanted, waived = _read(call)
    findings = changing.override(call.desk, call.actor, wanted, waived)
    config, person = call.desk.config, wanted.person or ""
    slot = telling.span(config, person, wanted.role, wanted.coverage, wanted.start, wanted.end)
    remarks = [REMARKS, *(lawful.line(config, each) for each in findings)] if findings else []
    return "\n".join([DONE.format(who=config.people[person].name, slot=slot), *remarks])


def _read(call: Call) -> tuple[Change, str | None]:
    """What is wanted, said in order or as name=value."""
    config = call.desk.config
    plain, given = forms.sort_out(call.words)
    if not config.coverages:
        raise Refused(NO_ROTA)
    words = [*_of(given, "coverage", "role"), *plain, *_of(given, "from", "to", "person")]
    if len(config.coverages) == 1 and words and words[0].lower() not in config.coverages and _is_role(words[0]):
        words.insert(0, next(iter(config.coverages)))
    if len(words) < len(("coverage", "role", "from", "to", "person")):
        raise Refused(HOW.format(command=config.command, coverage=next(iter(config.coverages))))
    coverage, role = naming.coverage(config, words[0]), naming.role(words[1])
    zone = config.organisations[call.actor.organisation].timezone
    start, end, left = moments.span(words[2:], zone, call.desk.clock.now())
    person, why = naming.person(config, left, call.actor.key)
    reason = " ".join(given.get("reason", "").split() or why)
    if not reason:
        raise Refused(WHY)
    return Change(coverage, role, start, end, person, "override", reason), given.get("waive")


def _of(given: dict[str, str], *names: str) -> Sequence[str]:
    return [word for name in names if name in given for word in given[name].split()]


def _is_role(word: str) -> bool:
    return any(each.startswith(word.lower()) for each in naming.ROLES)
