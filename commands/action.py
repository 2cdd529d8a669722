"""What was agreed in the reviews: see it, say that it is done, drop it, put it off, give it to somebody."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.errors import Refused
from bot.services.leave import hours
from bot.services.review import decisions
from bot.services.rota import telling
from bot.store import decisions as rows
from bot.store.decisions import Decision
from commands import Call, Field, Fields, Subject, command

NONE, HEAD = "Nothing that was agreed is still to be done.", "Still to be done:"
LINE = "• {id} {text} · {who}{due}{saving} · review of {month}"
DUE, LATE, SAVING = ", due {day}", ", was due {day}, {days} late", ", saves {saving}"
DAY, DAYS = "1 day", "{count} days"
DONE = "Action {id} is done. The next review shows whether it worked."
DROPPED, LATER, OWNER = "Action {id} is dropped.", "Action {id} is due {day} now.", "{who} has action {id} now."
WHICH = "`{command} action {given}` is nothing. Say list, done, drop, later or owner, and the number of the action."
NO_NUMBER = "Which action? `{command} action {verb} <n>`; `{command} action list` has their numbers."

LABELS = {
    "done": ("What was done", True), "drop": ("Why it is dropped", False), "later": ("Until which day", False),
    "owner": ("Who has it", False),
}
YES = {"done": "Done", "drop": "Drop", "later": "Put off", "owner": "Give"}


@dataclass(frozen=True, slots=True)
class Said:
    verb: str
    number: str
    rest: str


def parse(call: Call) -> Said:
    """action done 7 raised to 600 s; from a button, action done about action7; raises Refused."""
    words = [each.removeprefix("said=") for each in call.words] or ["list"]
    verb = words.pop(0).lower()
    if verb != "list" and verb not in LABELS:
        raise Refused(WHICH.format(command=call.desk.config.command, given=verb[:20]))
    number = call.ref.removeprefix("action") if call.ref else words.pop(0) if words else ""
    if verb != "list" and not number:
        raise Refused(NO_NUMBER.format(command=call.desk.config.command, verb=verb))
    return Said(verb, number, " ".join(words))


def form(call: Call) -> Fields | None:
    said = parse(call)
    if said.verb == "list" or said.rest or (said.verb == "done" and call.way != "button"):
        return None
    label, optional = LABELS[said.verb]
    if said.verb == "owner":
        people = tuple((key, each.name) for key, each in call.desk.config.people.items())
        return (Field("said", label, "choice", options=people, named=True),)
    hint = "2026-12-01" if said.verb == "later" else ""
    return (Field("said", label, "word", optional=optional, hint=hint, named=True),)


def subject(call: Call) -> Subject:
    said = parse(call)
    found = decisions.find(call.desk, said.number)
    return Subject(f"action {found.id}", found.text, f"action{found.id}", (said.verb,), YES[said.verb])


@command(
    "action",
    usage="list|done <n> [what was done]|drop <n> <why>|later <n> <day>|owner <n> <person>",
    help="see what was agreed, say what became of it",
    example="action done 7 threshold raised to 600 s",
    level="write",
    button="Action…",
    form=form,
    subject=subject,
    group="looking back",
)
def action(call: Call) -> str:
    said = parse(call)
    return DEEDS[said.verb](call, said)


def _list(call: Call, _said: Said) -> str:
    with call.desk.read() as connection:
        left = rows.still_open(connection)
    return "\n".join([HEAD, *(_line(call, each) for each in left)]) if left else NONE


def _line(call: Call, each: Decision) -> str:
    config = call.desk.config
    who = telling.name(config, each.owner) or config.organisations[each.side].name
    return LINE.format(
        id=each.id, text=each.text, who=who, due=_due(call, each), month=each.month,
        saving=SAVING.format(saving=each.saving) if each.saving else "",
    )


def _due(call: Call, each: Decision) -> str:
    if not each.due:
        return ""
    today = hours.local_date(telling.zone_of(call.desk.config, call.actor.key), call.desk.clock.now())
    days = (today - date.fromisoformat(each.due)).days
    return LATE.format(day=each.due, days=DAY if days == 1 else DAYS.format(count=days)) if days > 0 else DUE.format(day=each.due)


def _done(call: Call, said: Said) -> str:
    found = decisions.find(call.desk, said.number)
    return DONE.format(id=decisions.end(call.desk, call.actor, found, "done", said.rest).id)


def _drop(call: Call, said: Said) -> str:
    found = decisions.find(call.desk, said.number)
    return DROPPED.format(id=decisions.end(call.desk, call.actor, found, "dropped", said.rest).id)


def _later(call: Call, said: Said) -> str:
    moved = decisions.put_off(call.desk, call.actor, decisions.find(call.desk, said.number), said.rest)
    return LATER.format(id=moved.id, day=moved.due)


def _owner(call: Call, said: Said) -> str:
    moved = decisions.give(call.desk, call.actor, decisions.find(call.desk, said.number), said.rest)
    return OWNER.format(id=moved.id, who=telling.name(call.desk.config, moved.owner))


DEEDS: Mapping[str, Callable[[Call, Said], str]] = {
    "list": _list, "done": _done, "drop": _drop, "later": _later, "owner": _owner,
}
