"""Swap a shift with a colleague."""

from bot.errors import Refused
from bot.services.rota import naming, telling
from bot.services.shift import offers, swapping
from commands import Call, Field, Subject, command

OFFERED = "Swap {number}: {slot} is offered to {who}, until {until}. It stays yours until somebody takes it."
SAID_NO, TAKEN_BACK = "Swap {number}: you said no; it stays with {who}.", "Swap {number} is taken back; the shift stays yours."
WHICH = "Which swap? `{command} swap {verb} 7`; `{command} swap` lists those that concern you."
WHAT = "After the shift say whom, and for which shift: `{command} swap 12 @omar for 15`. \"{given}\" is neither."
FOR = "for"


@command(
    "swap",
    usage="<shift> [@taker] [for <shift>] | take|refuse|cancel <swap>",
    help="offer one of your shifts to a colleague, or answer an offer",
    example="swap 12 @omar for 15",
    level="read",
    button="Swap…",
    form=(
        Field("taker", "To whom; nobody named: whoever takes it first", "person", optional=True),
        Field("for", "For which of their shifts: its number", "word", optional=True, hint="Nothing: a gift", named=True),
    ),
    group="who is on",
    subject=lambda call: Subject(f"shift {call.ref or ''}".strip(), ref=call.ref, said=call.args),
)
def swap(call: Call) -> str:
    words = call.words
    if words[:1] and words[0].lower() in ("take", "refuse", "cancel"):
        return _answer(call, words[0].lower(), call.ref or next(iter(words[1:]), None))
    shift, rest = (call.ref, words) if call.ref else (words[0] if words else None, words[1:])
    if shift is None or shift.lower() in ("mine", "list"):
        return offers.lines(call.desk, call.actor)
    taker, back = _whom(call, rest)
    made, given, asked = swapping.offer(call.desk, call.actor, shift, taker, back)
    config = call.desk.config
    return OFFERED.format(
        number=made.id, slot=telling.slot(config, call.actor.key, given), who=telling.names(config, asked),
        until=telling.at(config, call.actor.key, made.expires_at),
    )


def _answer(call: Call, verb: str, number: str | None) -> str:
    if number is None:
        raise Refused(WHICH.format(command=call.desk.config.command, verb=verb))
    if verb == "take":
        return swapping.take(call.desk, call.actor, number)
    if verb == "refuse":
        made = swapping.refuse(call.desk, call.actor, number)
        return SAID_NO.format(number=made.id, who=telling.name(call.desk.config, made.requester))
    return TAKEN_BACK.format(number=swapping.cancel(call.desk, call.actor, number).id)


def _whom(call: Call, rest: tuple[str, ...]) -> tuple[str | None, str | None]:
    """@omar for 15, each of them or neither; a form says for=15."""
    taker, left = None, tuple(rest)
    if left and left[0].lower() != FOR and not left[0].lower().startswith("for="):
        taker, left = naming.person(call.desk.config, left, call.actor.key)
    if not left:
        return taker, None
    if left[0].lower().startswith("for="):
        return taker, left[0][len("for="):]
    if left[0].lower() == FOR and len(left) > 1:
        return taker, left[-1]
    raise Refused(WHAT.format(command=call.desk.config.command, given=" ".join(left)[:40]))
