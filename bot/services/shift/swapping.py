"""Swaps: somebody gives a shift to a colleague, for one of theirs or for nothing; both move in one transaction."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.services import singly
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.ledger import journal
from bot.services.rota import naming, telling
from bot.services.shift import candidates, changing, offers
from bot.services.shift.changing import Change
from bot.services.worktime import lawful
from bot.store import shifts, swaps
from bot.store.shifts import Shift
from bot.store.swaps import Swap

NOT_YOURS = "Shift {id} is {who}'s: only they may give it away. A rota_admin can `{command} override` it."
NOBODYS = "Nobody has shift {id}: it is a gap, not something to swap."
TOO_LATE = "Shift {id} begins within a day: that is too late for a swap. Ask {who} to change it."
THEIRS = "Shift {id} is {who}'s, not {taker}'s: a shift is swapped with whoever has it."
YOURSELF = "That is you: a swap needs somebody else."
OFFERED_ALREADY = "Shift {id} is offered already: swap {number}. `{command} swap cancel {number}` takes that back."
NO_SWAP = "There is no swap {given}. `{command} swap` lists those that concern you."
NOT_FOR_YOU = "Swap {number} is for {who}."
OTHERS = "Swap {number} is of another company's people."
ENDED = "Swap {number} is {state} already{by}."
MOVED = "Swap {number} is void: its shift was changed meanwhile."
NOT_YOUR_OFFER = "Swap {number} is {who}'s: only they may take it back."
NOBODY_CAN = "Nobody could take shift {id} by the working-time rules; ask {who} to change it."

OFFER = "🔁 {who} asks you to take {slot}{in_return}. Answer until {until}.{remarks}"
FOR_ANYBODY = "🔁 {who} gives away {slot}. Whoever takes it first has it, until {until}.{remarks}"
REMARKS = "\nThe working-time rules remark:\n{lines}"
TAKEN = "Swap {number} is done: {who} has {slot}{in_return}."
REFUSED, CANCELLED = "Swap {number}: {who} cannot take {slot}. It stays yours.", "Swap {number}: {who} took the offer back."
EXPIRED = "Swap {number} has expired: nobody took {slot}. It stays with {who}."
VOID = "Swap {number} is void: {slot} was changed meanwhile, or somebody of it has left."
TAKE, NO = "Take it", "No"

NOTICE = timedelta(days=1)


def offer(desk: Desk, actor: Actor, shift_id: str, taker: str | None, return_id: str | None) -> tuple[Swap, Shift, list[str]]:
    """Offers a shift; whom it is offered to is asked by direct message. Raises Refused."""
    now, config = desk.clock.now(), desk.config
    with desk.begin("swap") as connection:
        shifts.one_by_one(connection)
        given = _mine(connection, config, actor, shift_id, now)
        back = naming.shift(connection, config, return_id) if return_id else None
        taker = _taker(connection, config, actor, given, taker, back)
        asked = _candidates(connection, config, actor, given, taker, back, now)
        number = swaps.add(connection, given.id, back.id if back else None, actor.key, taker, now, given.start - NOTICE)
        made = _known(swaps.by_id(connection, number))
        for person, findings in asked.items():
            _ask(connection, config, made, given, back, person, findings, now)
        _note(connection, actor, "swap offered", made, now, to=taker, back=made.return_id)
    return made, given, list(asked)


def take(desk: Desk, actor: Actor, number: str) -> str:
    """Takes an offer: both shifts move at once, if the rules allow it. Raises Refused."""
    now, config = desk.clock.now(), desk.config
    with desk.begin("swap") as connection:
        shifts.one_by_one(connection)
        made = _open(connection, config, number)
        given, back = offers.shifts_of(connection, made)
        _may_take(config, made, actor, now)
        if given.superseded_at or (back and (back.superseded_at or back.person != actor.key)):
            raise Refused(MOVED.format(number=made.id))
        changing.of_own(config, connection, given.organisation, actor.key, given)
        if back:
            changing.of_own(config, connection, given.organisation, made.requester, back)
        changes = _changes(made, given, back, actor.key)
        findings = changing.examine(connection, config, changes, now)
        lawful.require(connection, config, findings, actor, None, now)
        kept = json.dumps([f"{each.rule} {each.person}: {each.message}" for each in findings], ensure_ascii=False)
        _end(connection, config, made, "taken", now, actor.key, kept, actor.key)
        changing.put(desk, connection, changes, actor, now, findings)
        _note(connection, actor, "swap taken", made, now, of=made.requester)
    return TAKEN.format(number=made.id, who=actor.name, slot=telling.slot(config, actor.key, given),
                        in_return=offers.in_return(config, actor.key, back))


def refuse(desk: Desk, actor: Actor, number: str) -> Swap:
    """The one who was asked says no; the requester is told."""
    now, config = desk.clock.now(), desk.config
    with desk.begin("swap") as connection:
        made = _open(connection, config, number)
        if made.taker != actor.key:
            raise Refused(NOT_FOR_YOU.format(number=made.id, who=telling.name(config, made.taker) or "whoever takes it"))
        given, _ = offers.shifts_of(connection, made)
        _end(connection, config, made, "refused", now, actor.key)
        said = REFUSED.format(number=made.id, who=actor.name, slot=telling.slot(config, made.requester, given))
        telling.tell(connection, config, made.requester, f"swap:{made.id}:refused", said, now)
        _note(connection, actor, "swap refused", made, now)
    return made


def cancel(desk: Desk, actor: Actor, number: str) -> Swap:
    """The requester takes it back; whoever was asked by name is told."""
    now, config = desk.clock.now(), desk.config
    with desk.begin("swap") as connection:
        made = _open(connection, config, number)
        if made.requester != actor.key:
            raise Refused(NOT_YOUR_OFFER.format(number=made.id, who=telling.name(config, made.requester)))
        _end(connection, config, made, "cancelled", now, actor.key)
        if made.taker:
            said = CANCELLED.format(number=made.id, who=actor.name)
            telling.tell(connection, config, made.taker, f"swap:{made.id}:cancelled", said, now)
        _note(connection, actor, "swap cancelled", made, now)
    return made


def act(desk: Desk) -> int:
    """What time and other changes do to open offers; returns how many ended. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        gone, moved = shifts.leavers(connection), {each.id for each in swaps.moved(connection)}
        waiting = [
            (each, "void" if each.id in moved or not gone.isdisjoint({each.requester, each.taker}) else "expired")
            for each in swaps.open_ones(connection)
            if each.id in moved or each.expires_at <= now or not gone.isdisjoint({each.requester, each.taker})
        ]
    return singly.each("swap", waiting, lambda one: _in_one(desk, *one, now))


def _in_one(desk: Desk, made: Swap, state: str, now: datetime) -> bool:
    with desk.begin("swap") as connection:
        return _give_up(desk.config, connection, made, state, now)


# --- what is checked before -------------------------------------------------------------------------------------------------


def _mine(connection: sa.Connection, config: Config, actor: Actor, given: str, now: datetime) -> Shift:
    found = naming.shift(connection, config, given)
    if found.person is None:
        raise Refused(NOBODYS.format(id=found.id))
    if found.person != actor.key:
        raise Refused(NOT_YOURS.format(id=found.id, who=telling.name(config, found.person), command=config.command))
    if found.start - NOTICE <= now:
        raise Refused(TOO_LATE.format(id=found.id, who=_lead(config, found)))
    if known := swaps.of_shift(connection, found.id):
        raise Refused(OFFERED_ALREADY.format(id=found.id, number=known.id, command=config.command))
    return found


def _taker(
    connection: sa.Connection, config: Config, actor: Actor, given: Shift, taker: str | None, back: Shift | None
) -> str | None:
    if back is not None:
        if taker and back.person != taker:
            who = telling.name(config, back.person) or "nobody"
            raise Refused(THEIRS.format(id=back.id, who=who, taker=telling.name(config, taker)))
        taker = back.person
    if taker == actor.key:
        raise Refused(YOURSELF)
    if taker:
        changing.of_own(config, connection, given.organisation, taker, given)
    return taker


def _candidates(
    connection: sa.Connection, config: Config, actor: Actor, given: Shift, taker: str | None, back: Shift | None, now: datetime
) -> dict[str, list[Finding]]:
    """Who is asked, with what the rules remark of it; raises Refused when the rules forbid it to everybody."""
    if taker:
        findings = changing.examine(connection, config, _changes(None, given, back, taker), now)
        return {taker: lawful.require(connection, config, findings, actor, None, now)}
    found = candidates.able(connection, config, [_give(given, None)], now)
    if not found:
        raise Refused(NOBODY_CAN.format(id=given.id, who=_lead(config, given)))
    return found


def _may_take(config: Config, made: Swap, actor: Actor, now: datetime) -> None:
    if made.expires_at <= now:      # no tick has ended it yet
        raise Refused(ENDED.format(number=made.id, state="expired", by=""))
    if made.requester not in config.people or config.people[made.requester].organisation != actor.organisation:
        raise Refused(OTHERS.format(number=made.id))
    if made.requester == actor.key:
        raise Refused(YOURSELF)
    if made.taker not in (None, actor.key):
        raise Refused(NOT_FOR_YOU.format(number=made.id, who=telling.name(config, made.taker)))


def _open(connection: sa.Connection, config: Config, given: str) -> Swap:
    digits = given.lower().removeprefix("swap").lstrip("#")
    made = swaps.by_id(connection, int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 13 else None
    if made is None:
        raise Refused(NO_SWAP.format(given=given[:40], command=config.command))
    if made.state != swaps.OPEN:
        raise Refused(_ended(config, made))
    return made


def _ended(config: Config, made: Swap) -> str:
    by = f" by {telling.name(config, made.ended_by)}" if made.ended_by in config.people else ""
    return ENDED.format(number=made.id, state=made.state, by=by)


# --- doing it ---------------------------------------------------------------------------------------------------------------


def _changes(made: Swap | None, given: Shift, back: Shift | None, taker: str) -> list[Change]:
    reason = f"swap {made.id}" if made else "swap"
    there = [_give(given, taker, reason)]
    return [*there, _give(back, made.requester if made else given.person, reason)] if back else there


def _give(given: Shift, person: str | None, reason: str | None = None) -> Change:
    return Change(given.coverage, given.role, given.start, given.end, person, "swap", reason)


def _end(
    connection: sa.Connection, config: Config, made: Swap, state: str, now: datetime, by: str, findings: str | None = None,
    taker: str | None = None,
) -> None:
    """Raises Refused if somebody was quicker."""
    if not swaps.end(connection, made.id, state, now, by, findings, taker):
        raise Refused(_ended(config, _known(swaps.by_id(connection, made.id))))


def _give_up(config: Config, connection: sa.Connection, made: Swap, state: str, now: datetime) -> bool:
    if not swaps.end(connection, made.id, state, now, VIGIE.key):
        return False
    given, _ = offers.shifts_of(connection, made)
    words = VOID if state == "void" else EXPIRED
    for person in filter(None, (made.requester, made.taker)):
        if person in config.people:
            slot, who = telling.slot(config, person, given), telling.name(config, made.requester)
            said = words.format(number=made.id, slot=slot, who=who)
            telling.tell(connection, config, person, f"swap:{made.id}:{state}:{person}", said, now)
    _note(connection, VIGIE, f"swap {state}", made, now)
    return True


def _ask(
    connection: sa.Connection, config: Config, made: Swap, given: Shift, back: Shift | None, person: str,
    findings: Sequence[Finding], now: datetime,
) -> None:
    remarks = REMARKS.format(lines="\n".join(lawful.line(config, each) for each in findings)) if findings else ""
    said = (OFFER if made.taker else FOR_ANYBODY).format(
        who=telling.name(config, made.requester), slot=telling.slot(config, person, given), remarks=remarks,
        in_return=offers.in_return(config, person, back), until=telling.at(config, person, made.expires_at),
    )
    answers = [(TAKE, "swap:take", str(made.id))] + ([(NO, "swap:refuse", str(made.id))] if made.taker else [])
    telling.tell(connection, config, person, f"swap:{made.id}:offer:{person}", said, now, answers)


def _note(connection: sa.Connection, actor: Actor, kind: str, made: Swap, now: datetime, **details: object) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"swap:{made.id}", outcome="done", at=now, shift=made.shift_id,
                   **details)


def _known(made: Swap | None) -> Swap:
    assert made is not None, "swaps are never deleted"
    return made


def _lead(config: Config, given: Shift) -> str:
    return telling.name(config, config.teams[given.team].lead)
