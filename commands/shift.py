"""My shifts, and what belongs to them."""

import re

from bot.errors import Refused
from bot.services.rota import absences, board, lawful, publishing, swapping, telling
from bot.services.slack import forms
from commands import Call, command

WHAT = (
    "\"{given}\" is nothing that can be done with shifts. Say `{command} shift`, `{command} shift drop 12`, "
    "or `{command} shift publish <reason>`."
)
HOW_TO = "`{command} swap <number> @colleague` offers one of them; `{command} shift drop <number>` to whoever takes it."
WHICH = "Which shift? `{command} shift drop 12`; `{command} shift` lists yours with their numbers."
DROPPED = "Swap {number}: {slot} is offered to {who}. It stays yours until somebody takes it."
GIVE_WHAT = "Give what to whom? The button of the message that tells of the gap knows; or `{command} override`."
GIVEN = "{who} has {count} now: {slots}."
PUBLISHED = "The programme of {side} is published anew: {count} shifts changed, and whoever has them is told."
MOST_REMARKS = 10
REMARKS = "The working-time rules remark:"


@command(
    "shift",
    usage="[mine | drop <number> | publish <reason>]",
    help="your next shifts; give one away; publish your company's roster",
    example="shift",
    level="read",
    button="My shifts",
    group="who is on",
)
def shift(call: Call) -> str:
    said = call.words[0].lower() if call.words else "mine"
    doing = DO.get(said)
    if doing is None:
        raise Refused(WHAT.format(given=said[:40], command=call.desk.config.command))
    return doing(call, call.words[1:])


def _mine(call: Call, words: tuple[str, ...]) -> str:
    mine = board.of_person(call.desk, call.actor, call.actor.key)
    return "\n".join([mine, HOW_TO.format(command=call.desk.config.command)])


def _drop(call: Call, words: tuple[str, ...]) -> str:
    number = call.ref or next(iter(words), None)
    if number is None:
        raise Refused(WHICH.format(command=call.desk.config.command))
    made, given, asked = swapping.offer(call.desk, call.actor, number, None, None)
    config = call.desk.config
    slot = telling.slot(config, call.actor.key, given)
    return DROPPED.format(number=made.id, slot=slot, who=telling.names(config, asked))


def _give(call: Call, words: tuple[str, ...]) -> str:
    """A lead's button: give to Omar what an absence left open."""
    config = call.desk.config
    found = re.fullmatch(r"absence(\d{1,12})", call.ref or "")
    if not found or not words or words[0] not in config.people:
        raise Refused(GIVE_WHAT.format(command=config.command))
    slots, findings = absences.give(call.desk, call.actor, int(found[1]), words[0])
    said = GIVEN.format(who=config.people[words[0]].name, count="1 shift" if len(slots) == 1 else f"{len(slots)} shifts",
                        slots="; ".join(telling.slot(config, call.actor.key, each) for each in slots))
    return "\n".join([said, *([REMARKS] if findings else []), *(lawful.line(config, each) for each in findings)])


def _publish(call: Call, words: tuple[str, ...]) -> str:
    """What vigie.yaml plans now instead of what was published; `waive=...` waives what the law lets be waived."""
    config, (plain, given) = call.desk.config, forms.sort_out(words)
    made = publishing.publish(call.desk, call.actor.organisation, call.actor, " ".join(plain) or None, given.get("waive"))
    side = config.organisations[call.actor.organisation]
    remarks = [REMARKS, *(lawful.line(config, each) for each in made.findings[:MOST_REMARKS])] if made.findings else []
    itself = lawful.itself(config, call.actor.organisation)
    head = PUBLISHED.format(side=side.name, count=len(made.differences))
    return "\n".join([head, *map(str, made.nights), *remarks, *([itself] if itself and remarks else [])])


DO = {"mine": _mine, "drop": _drop, "give": _give, "publish": _publish}
