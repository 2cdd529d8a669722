"""What must be done and outlives a shift: kept from handoff to handoff until somebody says that it is done."""

import re
from datetime import date

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services.alert.response import called, clock_time
from bot.services.desk import Actor, Desk
from bot.services.leave import authority
from bot.services.ledger import journal
from bot.store import handoffs
from bot.store.handoffs import Action

LONGEST = 300
DAY = re.compile(r"\d{4}-\d\d-\d\d")

NO_TEXT = "What is to be done? `{command} handoff action <text> [@owner] [2026-12-01]`."
TOO_LONG = "An action holds at most {most} characters, this one has {length}."
NO_DAY = "due is a day as in 2026-12-01; \"{given}\" is none."
NOBODY = "owner \"{given}\" is nobody of vigie.yaml; it knows {people}."
UNKNOWN = "There is no action {given} that is not done: {known}."
NOTHING_OPEN, DONE = "none is open", "{who} did it at {at}."


def add(desk: Desk, coverage: str, actor: Actor, text: str, owner: str | None = None, due: str | None = None) -> Action:
    """Something to do, of somebody or of whoever is on."""
    text, now = mask_text(text.strip()), desk.clock.now()
    authority.require(desk.config, actor, "handoff action", "write")
    if not text:
        raise Refused(NO_TEXT.format(command=desk.config.command))
    if len(text) > LONGEST:
        raise Refused(TOO_LONG.format(most=LONGEST, length=len(text)))
    key, day = _owner(desk, owner), _day(due)
    with desk.begin("handoff: action") as connection:
        given = {"text": text, "owner": key, "due": day, "made_by": actor.key, "made_at": now}
        number = handoffs.add_action(connection, coverage=coverage, **given)
        _record(desk, connection, coverage, actor, "action added", number, text=text, to=key, due=day)
        made = handoffs.action_by_id(connection, number)
    assert made is not None
    return made


def close(desk: Desk, coverage: str, actor: Actor, given: str) -> Action:
    """It is done."""
    authority.require(desk.config, actor, "handoff done", "write")
    number = int(given.lstrip("#")) if re.fullmatch(r"#?\d{1,12}", given) else 0
    with desk.begin("handoff: done") as connection:
        known = handoffs.action_by_id(connection, number)
        if known is not None and known.closed_at is not None:
            raise Refused(DONE.format(who=called(desk, known.closed_by), at=clock_time(known.closed_at)))
        if known is None or not handoffs.close_action(connection, number, actor.key, desk.clock.now()):
            left = ", ".join(str(each.id) for each in handoffs.actions(connection, coverage)) or NOTHING_OPEN
            raise Refused(UNKNOWN.format(given=given[:20] or "of that name", known=left))
        _record(desk, connection, known.coverage, actor, "action done", number, text=known.text)
        return known


def _owner(desk: Desk, given: str | None) -> str | None:
    if not given:
        return None
    found = desk.config.person_named(given)
    if found is None:
        raise Refused(NOBODY.format(given=given[:40], people=", ".join(desk.config.people)))
    return found[0]


def _day(given: str | None) -> str | None:
    if not given:
        return None
    try:
        return date.fromisoformat(given if DAY.fullmatch(given) else "").isoformat()
    except ValueError:
        raise Refused(NO_DAY.format(given=given[:20])) from None


def _record(
    desk: Desk, connection: sa.Connection, coverage: str, actor: Actor, kind: str, number: int, **details: str | None
) -> None:
    """With the journal's line, the notes that nobody has accepted yet are made anew at once."""
    now = desk.clock.now()
    journal.record(connection, actor=actor, kind=kind, object=f"action:{number}", outcome="done", at=now, **details)
    handoffs.look_again(connection, coverage, now)
