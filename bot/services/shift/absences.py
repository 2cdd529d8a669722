"""Somebody is away, or sick: never why. Whoever decides is told at once of the gap, and who could take it lawfully."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.services.desk import Actor, Desk
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.rota import moments, roster, telling
from bot.services.rota.roster import Slot
from bot.services.shift import candidates, changing
from bot.services.shift.changing import Change
from bot.services.worktime import lawful
from bot.store import absences, shifts
from bot.store.shifts import Absence

NOT_THEIRS = "Only {who}, or a lead or rota_admin of {side}, may say so of {who}."
OVER = "That time is over."
LONGEST = "At most {days} days at once; you asked for {asked}."
AGAIN = "{who} is away then already: {when} (absence {number})."
NO_ABSENCE = "There is no absence {given}. {known}"
YOURS, NONE_OF_YOURS = "Yours: {numbers}.", "You have none."
BACK_ALREADY = "Absence {number} was taken back already."
GAP = "🕳 {who} cannot take {slots}. {who_else}"
WHO_COULD, NOBODY_COULD = "Who could, by the working-time rules: {names}.", "By the working-time rules nobody of {side} could."
SEVERAL = "these shifts ({count}):\n{lines}\nand it is yours to find somebody"
FIRST_NOW = "☝ {who} is away: you are called first now, until {until}. You have {slot}."
FILLED = "Absence {number} leaves no gap any more."
GIVE = "Give to {who}"
MOST_LINES, MOST_BUTTONS = 8, 4
LONGEST_ABSENCE, SICK = timedelta(days=370), timedelta(hours=24)


def away(desk: Desk, actor: Actor, person: str, start: datetime, end: datetime) -> tuple[Absence, list[Slot]]:
    """Writes it down and tells of the gap it leaves; returns both. Raises Refused."""
    now = desk.clock.now()
    with desk.begin("away") as connection:
        shifts.one_by_one(connection)
        _may(desk.config, actor, person, desk.config.people[person].organisation)
        _fits(connection, desk.config, person, start, end, now)
        open_slots = roster.of_person(connection, desk.config, person, max(start, now), end)
        organisation = desk.config.people[person].organisation
        number = absences.add(connection, person, organisation, start, end, actor.key, now)
        journal.record(connection, actor=actor, kind="away", object=f"absence:{number}", outcome="done", at=now, who=person,
                       start=start.isoformat(), end=end.isoformat(), shifts=len(open_slots))
        made = _known(absences.by_id(connection, number))
        if open_slots:
            _tell_leads(desk.config, connection, made, open_slots, actor, now)
            _tell_seconds(desk.config, connection, made, open_slots, now)
    return made, open_slots


def sick(desk: Desk, actor: Actor) -> tuple[Absence, list[Slot]]:
    """From now for a day: nobody who is ill reckons with times. Longer is said with `away`, shorter with `back`."""
    now = desk.clock.now()
    return away(desk, actor, actor.key, now, now + SICK)


def back(desk: Desk, actor: Actor, given: str | None) -> Absence:
    """Takes an absence back; what was given away meanwhile stays given. Raises Refused."""
    now = desk.clock.now()
    with desk.begin("away") as connection:
        found = _meant(connection, actor, given, now)
        _may(desk.config, actor, found.person, found.organisation)
        if not absences.take_back(connection, found.id, now):
            raise Refused(BACK_ALREADY.format(number=found.id))
        journal.record(connection, actor=actor, kind="back", object=f"absence:{found.id}", outcome="done", at=now,
                       who=found.person)
    return found


def give(desk: Desk, actor: Actor, number: int, person: str) -> tuple[list[Slot], list[Finding]]:
    """Gives all that an absence leaves open to one colleague. Raises Refused."""
    now, config = desk.clock.now(), desk.config
    with desk.begin("override") as connection:
        shifts.one_by_one(connection)
        found = absences.by_id(connection, number)
        if found is None or found.ended_at is not None:
            raise Refused(BACK_ALREADY.format(number=number))
        slots = left_open(connection, config, found, now)
        if not slots:
            raise Refused(FILLED.format(number=number))
        changes = [_change(each, person) for each in slots]
        for each in changes:
            changing.allow(config, connection, actor, each, now)
        findings = changing.examine(connection, config, changes, now)
        told = lawful.require(connection, config, findings, actor, None, now)
        changing.put(desk, connection, changes, actor, now, findings)
    return slots, told


def left_open(connection: sa.Connection, config: Config, absence: Absence, now: datetime) -> list[Slot]:
    """The slots that nobody has because of this absence."""
    every = (
        each for name in config.coverages
        for each in roster.slots(connection, config, name, max(absence.start, now), absence.end)
    )
    return [each for each in every if each.missing == roster.AWAY and each.was == absence.person]


# --- what is checked before -------------------------------------------------------------------------------------------------


def _may(config: Config, actor: Actor, person: str, organisation: str) -> None:
    """Raises Refused for everybody but that person, and those who decide in their company; vigie.yaml may have lost both."""
    decides = actor.organisation == organisation and not {"lead", "rota_admin"}.isdisjoint(actor.roles)
    if actor.key != person and not decides:
        known = config.organisations.get(organisation)
        raise Refused(NOT_THEIRS.format(who=telling.name(config, person), side=known.name if known else organisation))


def _fits(
    connection: sa.Connection, config: Config, person: str, start: datetime, end: datetime, now: datetime
) -> None:
    zone = telling.zone_of(config, person)
    if end <= now:
        raise Refused(OVER)
    if end - start > LONGEST_ABSENCE:
        raise Refused(LONGEST.format(days=LONGEST_ABSENCE.days, asked=(end - start).days))
    for each in absences.of_person(connection, person, now):
        if each.start <= start and end <= each.end:
            when = moments.between(each.start, each.end, zone)
            raise Refused(AGAIN.format(who=config.people[person].name, when=when, number=each.id))


def _meant(connection: sa.Connection, actor: Actor, given: str | None, now: datetime) -> Absence:
    """The absence of that number; without one, the only one that somebody has."""
    own = absences.of_person(connection, actor.key, now)
    if given is None and len(own) == 1:
        return own[0]
    digits = re.fullmatch(r"(?:absence|#)?(\d{1,12})", (given or "").lower())
    found = absences.by_id(connection, int(digits[1])) if digits else None
    if found is None:
        known = YOURS.format(numbers=", ".join(str(each.id) for each in own)) if own else NONE_OF_YOURS
        raise Refused(NO_ABSENCE.format(given=(given or "of yours")[:40], known=known))
    return found


# --- who is told ------------------------------------------------------------------------------------------------------------


def _tell_leads(
    config: Config, connection: sa.Connection, made: Absence, slots: Sequence[Slot], actor: Actor, now: datetime
) -> None:
    """The leads of the teams that have a gap now, with a button for each who could fill all of it."""
    able = candidates.able(connection, config, [_change(each, None) for each in slots], now)
    for lead in dict.fromkeys(config.teams[each.team].lead for each in slots):
        if lead in (actor.key, made.person):
            continue
        mine = [each for each in slots if config.teams[each.team].lead == lead]
        who, side = telling.name(config, made.person), config.organisations[made.organisation].name
        who_else = WHO_COULD.format(names=telling.names(config, able)) if able else NOBODY_COULD.format(side=side)
        said = GAP.format(who=who, slots=_listed(config, lead, mine), who_else=who_else)
        answers = [(GIVE.format(who=telling.name(config, each)), f"shift:give:{each}", f"absence{made.id}")
                   for each in list(able)[:MOST_BUTTONS]]
        telling.tell(connection, config, lead, f"away:{made.id}:{lead}", said, now, answers)


def _tell_seconds(
    config: Config, connection: sa.Connection, made: Absence, slots: Sequence[Slot], now: datetime
) -> None:
    """Whoever is on beside somebody who falls out of a running shift is called first from now on."""
    for slot in slots:
        if slot.role != "primary" or not slot.start <= now < slot.end:
            continue
        for each in roster.at(connection, config, slot.coverage, now):
            if each.person and each.person != made.person and duty.asleep(config, each.person, now) is None:
                until = telling.at(config, each.person, min(each.end, made.end))
                said = FIRST_NOW.format(who=telling.name(config, made.person), until=until,
                                        slot=telling.slot(config, each.person, each))
                telling.tell(connection, config, each.person, f"first:{made.id}:{each.person}", said, now)


def _listed(config: Config, reader: str, slots: Sequence[Slot]) -> str:
    if len(slots) == 1:
        return telling.slot(config, reader, slots[0])
    lines = [f"• {telling.slot(config, reader, each)}" for each in slots[:MOST_LINES]]
    more = [f"… and {len(slots) - MOST_LINES} more"] if len(slots) > MOST_LINES else []
    return SEVERAL.format(count=len(slots), lines="\n".join([*lines, *more]))


def _change(slot: Slot, person: str | None) -> Change:
    return Change(slot.coverage, slot.role, slot.start, slot.end, person, "override")


def _known(made: Absence | None) -> Absence:
    assert made is not None, "absences are never deleted"
    return made
