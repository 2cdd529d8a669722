"""My shifts, and what belongs to them."""

import re

from bot.errors import Refused
from bot.services.alert import response
from bot.services.leave import blackout
from bot.services.rota import board, moments, naming, telling
from bot.services.shift import absences, publishing, swapping
from bot.services.slack import forms
from bot.services.worktime import interventions, lawful, statements
from bot.store.statements import of_month
from commands import Call, command

WHAT = (
    "\"{given}\" is nothing that can be done with shifts. Say `{command} shift`, `{command} shift drop 12`, "
    "or `{command} shift publish <reason>`."
)
HOW_TO = (
    "`{command} swap <number> @colleague` offers one of them, `{command} shift drop <number>` to whoever takes it, until a day "
    "before it; `{command} away` says that you cannot."
)
WHICH = "Which shift? `{command} shift drop 12`; `{command} shift` lists yours with their numbers."
DROPPED = "Swap {number}: {slot} is offered to {who}. It stays yours until somebody takes it."
GIVE_WHAT = "Give what to whom? The button of the message that tells of the gap knows; or `{command} override`."
GIVEN = "{who} has {count} now: {slots}."
PUBLISHED = "The programme of {side} is published anew from {since} on: {count} shifts changed, and whoever has them is told."
MOST_REMARKS = 10
WORKED_WHAT = "After the times say at most the alert's number: `{command} shift worked 02:10-02:55 142`. \"{given}\" is none."
CONFIRM_WHAT = (
    "Which intervention? The message that asked you names it: `{command} shift confirm 3`. "
    "What nobody asked you about: `{command} shift worked 02:10-02:55 142`."
)
WRITTEN = "Written down and confirmed: you worked {when} (intervention {number}). It counts as working time."
CONFIRMED = "Confirmed: you worked {when}. It counts as working time."
NO_STATEMENT = (
    "{who} has no statement of {month}: it is given on the first working day after a month with time on call. "
    "`{command} shift statement 2026-10` shows that of another month."
)
NOT_YOUR_STATEMENT = "The statement of {who} is for {who}, and for a rota_admin of {side}."
REMARKS = "The working-time rules remark:"


@command(
    "shift",
    usage="[mine | drop <shift> | worked 02:10-02:55 [alert] | confirm <number> | statement [month] | publish <reason>]",
    help="your next shifts; what you worked on call; publish your company's roster",
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
    return "\n".join([mine, HOW_TO.format(command=call.desk.config.command)]) if "\n" in mine else mine


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
    blackout.require_awake(call.desk, call.actor, "shift give", "write")
    slots, findings = absences.give(call.desk, call.actor, int(found[1]), words[0])
    said = GIVEN.format(who=config.people[words[0]].name, count="1 shift" if len(slots) == 1 else f"{len(slots)} shifts",
                        slots="; ".join(telling.slot(config, call.actor.key, each) for each in slots))
    return "\n".join([said, *([REMARKS] if findings else []), *(lawful.line(config, each) for each in findings)])


def _publish(call: Call, words: tuple[str, ...]) -> str:
    """What vigie.yaml plans now instead of what was published; `waive=...` waives what the law lets be waived."""
    blackout.require_awake(call.desk, call.actor, "shift publish", "write")
    config, (plain, given) = call.desk.config, forms.sort_out(words)
    made = publishing.publish(call.desk, call.actor.organisation, call.actor, " ".join(plain) or None, given.get("waive"))
    side = config.organisations[call.actor.organisation]
    remarks = [REMARKS, *(lawful.line(config, each) for each in made.findings[:MOST_REMARKS])] if made.findings else []
    itself = lawful.itself(config, call.actor.organisation)
    head = PUBLISHED.format(side=side.name, since=moments.shown(made.since, side.timezone), count=len(made.differences))
    return "\n".join([head, *map(str, made.nights), *remarks, *([itself] if itself and remarks else [])])


def _worked(call: Call, words: tuple[str, ...]) -> str:
    """02:10-02:55, of today or last night; 30/11 02:10-02:55; with the alert's number behind it."""
    config, now = call.desk.config, call.desk.clock.now()
    zone = config.organisations[call.actor.organisation].timezone
    start, end, left = moments.worked(words, zone, now)
    number = left[0].lstrip("#") if left else ""
    if left and not re.fullmatch(r"\d{1,12}", number):
        raise Refused(WORKED_WHAT.format(command=config.command, given=" ".join(left)[:40]))
    alert = response.find(call.desk, number).id if number else None
    made = interventions.declare(call.desk, call.actor, start, end, alert)
    return WRITTEN.format(when=moments.between(start, end, zone), number=made.id)


def _confirm(call: Call, words: tuple[str, ...]) -> str:
    number = call.ref or next(iter(words), None)
    if number is None:
        raise Refused(CONFIRM_WHAT.format(command=call.desk.config.command))
    made = interventions.confirm(call.desk, call.actor, number)
    zone = telling.zone_of(call.desk.config, call.actor.key)
    return CONFIRMED.format(when=moments.between(made.start, made.end or made.last_act_at, zone))


def _statement(call: Call, words: tuple[str, ...]) -> str:
    """One's own, of a month; without one, of the last. A rota_admin may read those of the own company's people."""
    config = call.desk.config
    month = words[0] if words else statements.last_month(config, call.actor.organisation, call.desk.clock.now())
    person = naming.person(config, words[1:], call.actor.key)[0] if words[1:] else call.actor.key
    side = config.people[person].organisation
    if person != call.actor.key and (side != call.actor.organisation or "rota_admin" not in call.actor.roles):
        raise Refused(NOT_YOUR_STATEMENT.format(who=config.people[person].name, side=config.organisations[side].name))
    with call.desk.read() as connection:
        found = of_month(connection, month, person)
    if not found:
        raise Refused(NO_STATEMENT.format(who=config.people[person].name, month=month[:20], command=config.command))
    return statements.shown(config, found[0])


DO = {
    "mine": _mine, "drop": _drop, "give": _give, "publish": _publish, "worked": _worked, "confirm": _confirm,
    "statement": _statement,
}
