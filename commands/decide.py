"""Write down what both sides agreed to do: who has it, until when, about what."""

from collections.abc import Mapping
from dataclasses import replace

from bot.services.review import deciding, proposing
from bot.services.review.deciding import Wanted
from bot.services.rota import telling
from bot.services.slack import forms
from commands import Call, Field, Fields, Subject, command
from commands.review import named

MADE = "Action {id}, of {who}{due}: {text}. {kept}"
DUE = ", due {day}"
MEASURED = "The next review shows whether it worked."
NO_OWNER = "Nobody has it yet: `{command} action owner {id} <person>`."
NO_DAY = "It has no day yet: `{command} action later {id} <day>`."
CARRIED = "It stays in the review until `{command} action done {id}`."
ABOUT = "It is carried from review to review until it is done; what it is about decides how its effect is measured."
KINDS = tuple(deciding.KINDS.items())


PROPOSAL, PROPOSED = "What the review proposes", "{action}: {title} ({count}×, last #{alert})"


def form(call: Call) -> Fields | None:
    """What is still to be said: a button of a review knows the month, one of a proposal the rest too."""
    text, given = _said(call)
    if text and call.way != "button":
        return None
    month, _ = named(call.ref)
    proposed = _proposals(call, month) if month else ()
    kind = given.get("kind") or (None if proposed else "fix")
    return (
        *proposed,
        Field("text", "What was decided", "text", bool(proposed), initial=text or None, named=True),
        Field("kind", "What kind of action", "choice", bool(proposed), options=KINDS, initial=kind, named=True),
        Field("owner", "Who has it", "choice", optional=True, options=_people(call), named=True),
        Field("due", "Until which day", "word", optional=True, hint="2026-12-01", named=True),
        Field("about", "What it is about", "word", optional=True, initial=given.get("about"), named=True,
              hint="An alert (142) or a service: so that the next review can show whether it worked"),
        Field("saving", "What it should save", "word", optional=True, hint="2900 USD a month", named=True),
    )


def _proposals(call: Call, month: str) -> Fields:
    """What the review proposes and nobody has decided about: chosen, it fills in what is left empty."""
    with call.desk.read() as connection:
        found = proposing.open_ones(connection, month)
    options = tuple((str(each.alert), _proposed(each)) for each in found)
    return (Field("proposal", PROPOSAL, "choice", True, options=options, named=True),) if options else ()


def _proposed(each: proposing.Proposed) -> str:
    return PROPOSED.format(action=each.action.capitalize(), title=each.title, count=each.count, alert=each.alert)


def _people(call: Call) -> tuple[tuple[str, str], ...]:
    config = call.desk.config
    return tuple((key, f"{each.name} ({config.organisations[each.organisation].name})") for key, each in config.people.items())


def _said(call: Call) -> tuple[str, Mapping[str, str]]:
    """Words before the first name=value are the decision, or text=."""
    plain, given = forms.sort_out(call.words)
    return " ".join(plain) or given.get("text", ""), given


def subject(call: Call) -> Subject:
    return Subject("", ABOUT, call.ref, (), "Decide")


def _filled(call: Call, month: str, wanted: Wanted, alert: str) -> Wanted:
    """With what the proposal says where nothing else was said."""
    with call.desk.read() as connection:
        found = next((each for each in proposing.open_ones(connection, month) if str(each.alert) == alert), None)
    if found is None:
        return wanted
    text = wanted.text or f"{found.action.capitalize()}: {found.title}"
    return replace(wanted, text=text, about=wanted.about or alert, kind=wanted.kind or found.action)


@command(
    "decide",
    usage="<text> [owner=…] [due=…] [about=<alert or service>] [kind=fix|tune|automate|delete|cut|other] [saving=…]",
    help="write down what both sides agreed to do",
    example="decide raise the queue-age threshold owner=@lea due=2026-12-01 about=142 kind=tune",
    level="write",
    button="Decide…",
    form=form,
    subject=subject,
    group="looking back",
)
def decide(call: Call) -> str:
    text, given = _said(call)
    month, _ = named(call.ref)
    config = call.desk.config
    wanted = Wanted(
        text, given.get("owner"), given.get("due"), given.get("about"), given.get("kind"), given.get("saving"),
        month or given.get("month"),
    )
    if month and given.get("proposal"):
        wanted = _filled(call, month, wanted, given["proposal"])
    made = deciding.decide(call.desk, call.actor, wanted)
    who = telling.name(config, made.owner) or config.organisations[made.side].name
    open_ends = [*([] if made.owner else [NO_OWNER]), *([] if made.due else [NO_DAY])]
    kept = [*([MEASURED] if made.pattern or made.service else []), *open_ends, CARRIED]
    told = " ".join(kept).format(command=config.command, id=made.id)
    return MADE.format(id=made.id, who=who, due=DUE.format(day=made.due) if made.due else "", text=made.text, kept=told)
