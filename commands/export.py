"""Files of incidents, in the thread: pre-filled reports, timeline, post-mortem; larger lists come from the command line."""

from bot.errors import Refused
from bot.services.incident import exporting, filling, ground, papers
from bot.services.incident.deeds import DEEDS, POST_MORTEM, TIMELINE
from bot.services.incident.filling import HUMAN
from bot.services.incident.questions import Said
from bot.store.incidents import Incident
from commands import Call, Subject, command
from commands.incident import REF

WHICH = "Say `{command} export incident 3`, or `export incident 3 final`; a month's lists: `{command} export dora|pci`."
BY_HAND = (
    "The lists of a month are many files, some with every account's rights, and belong in no channel. Whoever looks after "
    "Vigie writes them: `vigie export {what} {month} --out DIR`."
)
FILED = (
    "{kind} of {name} is in the thread of its card, as CSV and JSON: {filled} of {all} fields filled in, {human} for people. "
    "Check every value before you send it."
)
INCIDENT, MONTHLY = "incident", ("dora", "pci")
THIS_MONTH = "2026-10"


def subject(call: Call) -> Subject:
    return Subject()


def _meant(call: Call, words: list[str]) -> Incident:
    if call.ref is not None and not REF.fullmatch(call.ref) and not words:
        return ground.of_alert(call.desk, call.alert().id)
    named = words.pop(0) if words and ground.REF.fullmatch(words[0]) else call.ref
    return ground.find(call.desk, named)


@command(
    "export",
    usage="incident <number> [initial|intermediate|final] | timeline|post-mortem <number> | dora | pci",
    help="files of an incident: the report as far as Vigie knows it, timeline, post-mortem; lists for assessors",
    example="export incident 3",
    level="read",
    subject=subject,
    group="looking back",
)
def export(call: Call) -> str:
    words, config = [each.lower() for each in call.words], call.desk.config
    what = words.pop(0) if words else INCIDENT if call.ref else ""
    if what in MONTHLY:
        raise Refused(BY_HAND.format(what=what, month=words[0] if words else THIS_MONTH))
    if what in (TIMELINE, POST_MORTEM):
        return DEEDS[what](call.desk, call.actor, _meant(call, words), Said(what, None, (), {}))
    if what != INCIDENT:
        raise Refused(WHICH.format(command=config.command))
    it = _meant(call, words)
    if words and words[0] not in filling.TYPES:
        raise Refused(WHICH.format(command=config.command))
    return _file(call, it, words[0] if words else None)


def _file(call: Call, it: Incident, kind: str | None) -> str:
    desk, now = call.desk, call.desk.clock.now()
    ground.may_write(desk, call.actor, "export")
    with desk.begin("incident export") as connection:
        kind = kind or exporting.kind_owed(connection, it)
        filled = exporting.report(connection, desk.config, it, kind, now)
        what = filling.TYPES[kind].capitalize()
        for ending, text in (("csv", exporting.report_csv(filled)), ("json", exporting.as_json(it, kind, filled))):
            name = f"{it.ref}-{kind}.{ending}"
            papers.post(connection, it, call.actor, f"{what} ({ending})", name, text, f"{what} of {it.name}, pre-filled", now)
    human = sum(each.source == HUMAN for each in filled)
    return FILED.format(kind=what, name=it.name, filled=len(filled) - human, all=len(filled), human=human)
