"""Classify an incident: major or not, by the articles; the result is shown with its reasons before it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.errors import Refused
from bot.review.arithmetic.dora import Answers
from bot.review.arithmetic.dora import classify as judge
from bot.services.incident import classifying, clocks, ground, reminding, showing, worksheet
from bot.services.slack.forms import sort_out
from bot.store import notices
from bot.store.incidents import Incident
from commands import Call, Field, Fields, Subject, command
from commands.incident import REF

ESTIMATED, ACTUAL, HISTORY, TRY = "estimated", "actual", "history", "try"
SHEET = {f"worksheet-{ESTIMATED}": "The figures are estimates", f"worksheet-{ACTUAL}": "The figures are actual"}
KNOWN = frozenset({*SHEET, ESTIMATED, ACTUAL, HISTORY, TRY})
KEPT, TRIED = "Kept in its history.", "Nothing was kept: without `try` it is."
OWED, NOTHING = "Owed: {all}.", "Nothing is owed to the authority."
ENDED_ALL = "What was owed as major is no longer."
WHAT = "\"{given}\" says nothing here: name=value for {known}; then estimated or actual. Without anything the worksheet opens."
ABOUT = (
    "Articles 6, 8 and 9 of 2024/1772. Leave empty what nobody knows yet; what is not ticked is no.\n"
    "The result comes next, with its reasons; nothing is kept before you say so."
)
LABELS = {
    "gate": "What it affects (art. 6): without one of these it is not major",
    "clients": "Clients affected (over 10 %, or over 100,000)", "counterparts": "Financial counterparts (over 30 %)",
    "transactions": "Transactions of a day (over 10 %)", "amount": "Amount of a day's transactions (over 10 %)",
    "relevant": "Relevant clients or counterparts?", "reputation": "Reputation", "duration": "Duration (over 24 h)",
    "downtime": "Downtime of critical services (over 2 h)", "states": "Member states with impact (2 or more)", "data": "Data",
    "costs": "Costs and losses in EUR, so far or likely (over 100,000)",
}
HINTS = {"clients": "12000, 8%, or both", "counterparts": "8%", "transactions": "8%", "amount": "8%", "duration": "26h or 1h30m",
         "downtime": "26h or 1h30m", "costs": "120000"}
NEXT, KEEP, KEEP_IT, YES = "Show the result; the figures are …", "Keep this classification?", "yes, keep it", "yes"


@dataclass(frozen=True, slots=True)
class Said:
    """Which incident, what was answered, and how sure the figures are."""

    incident: Incident
    given: Mapping[str, str]
    plain: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """The worksheet came back."""
        return any(each in SHEET for each in self.plain)

    @property
    def sure(self) -> str | None:
        known = (*SHEET, ESTIMATED, ACTUAL)
        return next((each.removeprefix("worksheet-") for each in self.plain if each in known), None)


def parse(call: Call) -> Said:
    said = [each for each in call.words if each.lower() in KNOWN]       # none of them is a part of an answer
    words, given = sort_out([each for each in call.words if each.lower() not in KNOWN])
    plain = [each.lower() for each in (*words, *said)]
    if call.ref is not None:
        by_button = REF.fullmatch(call.ref)
        found = ground.find(call.desk, call.ref, "show") if by_button else ground.of_alert(call.desk, call.alert().id)
    else:
        found = ground.find(call.desk, plain.pop(0) if words else None)
    if strange := [each for each in plain if each not in KNOWN]:
        raise Refused(WHAT.format(given=strange[0][:40], known=", ".join(worksheet.QUESTIONS)))
    return Said(found, {name: each for name, each in given.items() if name != "keep"}, tuple(plain))


def form(call: Call) -> Fields:
    """The worksheet; when it came back, whether to keep what follows from it."""
    said = parse(call)
    if {HISTORY, TRY} & set(said.plain) or (said.sure and not said.whole):
        return ()
    answers = _answers(call, said)
    if said.whole:
        return (Field("keep", KEEP, "choice", options=((YES, KEEP_IT),), initial=YES, named=True),)
    known = worksheet.spoken(answers)
    asked = (_field(name, known.get(name)) for name in worksheet.QUESTIONS)
    return (*asked, Field("sure", NEXT, "choice", options=tuple(SHEET.items()), leads_on=True))


def _field(name: str, initial: str | None) -> Field:
    if name in worksheet.TICKS:
        options = tuple((answer, shown) for answer, _, shown in worksheet.TICKS[name])
        return Field(name, LABELS[name], "checks", optional=True, options=options, initial=initial, named=True)
    if name == "relevant":
        options = (("yes", "yes"), ("no", "no"))
        return Field(name, LABELS[name], "choice", optional=True, options=options, initial=initial, named=True)
    return Field(name, LABELS[name], "word", optional=True, initial=initial, hint=HINTS.get(name, ""), named=True)


def subject(call: Call) -> Subject:
    said = parse(call)
    if not said.whole:
        return Subject(said.incident.name, ABOUT, said.incident.ref)
    classifying.may(call.desk, call.actor)
    result = "\n".join(classifying.told(call.desk, said.incident, judge(_answers(call, said))))
    kept = (*said.plain, *(f"{name}={value}" for name, value in said.given.items()))
    return Subject(said.incident.name, result, said.incident.ref, kept, "Keep it")


def _answers(call: Call, said: Said) -> Answers:
    with call.desk.read() as connection:
        known = classifying.suggested(call.desk, connection, said.incident, call.desk.clock.now())
    answers = worksheet.read(said.given, known, ground.regulator(call.desk.config), whole=said.whole)
    return replace(answers, estimated=said.sure != ACTUAL)


@command(
    "classify",
    usage="<incident> [name=value …] [estimated|actual|try|history]",
    help="classify an incident as major or not, with reasons; what is owed to the authority follows from it",
    example="classify 3",
    level="read",
    button="Classify…",
    form=form,
    subject=subject,
    group="looking back",
)
def classify(call: Call) -> str:
    said = parse(call)
    desk, found = call.desk, said.incident
    if HISTORY in said.plain:
        return "\n".join(classifying.history(desk, found))
    answers = _answers(call, said)
    told = list(classifying.told(desk, found, judge(answers)))
    if TRY in said.plain:
        return "\n".join([*told, TRIED])
    with desk.read() as connection:
        before = [each for each in notices.still_open(connection, found.id) if each.kind in clocks.REPORTS]
    classifying.keep(desk, found, call.actor, answers)
    return "\n".join([*told, KEPT, _owed(call, found, bool(before))])


def _owed(call: Call, found: Incident, before: bool) -> str:
    config, now = call.desk.config, call.desk.clock.now()
    with call.desk.read() as connection:
        left = [each for each in notices.still_open(connection, found.id) if each.kind != "bank_api"]
    said = [f"{showing.NAMES[each.kind]} {reminding.limit(config, each, now)}" for each in left]
    return OWED.format(all="; ".join(said)) if said else ENDED_ALL if before else NOTHING
