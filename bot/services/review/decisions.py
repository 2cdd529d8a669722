"""What becomes of a decision: carried from review to review until it is done or dropped, and said on the day it is due."""

from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.masking import mask_text
from bot.review.forms import wording
from bot.services import singly
from bot.services.alert.response import clock_time
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, hours
from bot.services.leave.clauses import listed
from bot.services.review import deciding, posting, signers
from bot.services.rota import naming, office, telling
from bot.store import cards
from bot.store import decisions as rows
from bot.store.decisions import Decision

UNKNOWN = "There is no action {given} that is still open: {known}."
NONE_OPEN, ENDED = "none is", "Action {id} was {state} by {who} at {at}."
NOT_ITS = "Action {id} is of {side}: {who} may say what became of it."
NO_REASON = "Say why it is dropped: `{command} action drop {id} <why>`."
REMIND = "📌 Due today, agreed in the review of {month}: {text} (action {id}).{over}"
REMIND_LATE = "📌 Due, agreed in the review of {month}: {text} (action {id}).{over}"
OVER = " It was due on {day}; Vigie could not say so then."
DONE_LABEL, LATER_LABEL = "Done…", "Later…"


def find(desk: Desk, given: str) -> Decision:
    """The open decision of that number; raises Refused with those that are open."""
    number = int(given.lstrip("#")) if deciding.NUMBER.fullmatch(given) else 0
    with desk.read() as connection:
        known, left = rows.by_id(connection, number), rows.still_open(connection)
    if known is not None and known.state == "open":
        return known
    raise Refused(_ended(desk, known) if known else UNKNOWN.format(
        given=given[:20] or "of that name", known=", ".join(str(each.id) for each in left) or NONE_OPEN,
    ))


def end(desk: Desk, actor: Actor, found: Decision, state: str, said: str) -> Decision:
    """It is done, or dropped for a reason; raises Refused when somebody was first."""
    _require_its(desk.config, actor, found)
    said = mask_text(" ".join(said.split()))[:deciding.LONGEST]
    if state == "dropped" and not said:
        raise Refused(NO_REASON.format(command=desk.config.command, id=found.id))
    now = desk.clock.now()
    values = {"state": state, "ended_at": now, "ended_by": actor.key, "said": said or None}
    return _change(desk, actor, found, f"decision {state}", values, said=said or None)


def put_off(desk: Desk, actor: Actor, found: Decision, day: str) -> Decision:
    """It is due later."""
    _require_its(desk.config, actor, found)
    due = deciding.day(desk.config, actor, day or "?", desk.clock.now())
    return _change(desk, actor, found, rows.MOVED, {"due": due}, due=due, was={"due": found.due})


def give(desk: Desk, actor: Actor, found: Decision, person: str) -> Decision:
    """Somebody else has it, and their side with them."""
    _require_its(desk.config, actor, found)
    owner = naming.person(desk.config, (person,), actor.key)[0]
    side = desk.config.people[owner].organisation
    was = {"owner": found.owner, "side": found.side}
    return _change(desk, actor, found, rows.MOVED, {"owner": owner, "side": side}, to=owner, side=side, was=was)


def _require_its(config: Config, actor: Actor, found: Decision) -> None:
    """Whoever has it or has written it down, or speaks for the side that has it; raises Refused with their names."""
    authority.require(config, actor, "action", "write")
    able = dict.fromkeys((*([found.owner] if found.owner else []), *signers.of(config, found.side), found.made_by))
    if actor.key not in able:
        who, side = listed([telling.name(config, each) for each in able]), config.organisations.get(found.side)
        raise Refused(NOT_ITS.format(id=found.id, side=side.name if side else found.side, who=who))


def _change(
    desk: Desk, actor: Actor, found: Decision, kind: str, values: Mapping[str, object], **details: object
) -> Decision:
    now = desk.clock.now()
    with desk.begin("action") as connection:
        if not rows.change(connection, found.id, **values):
            raise Refused(_ended(desk, rows.by_id(connection, found.id) or found))
        deciding.record(connection, actor, kind, found.id, now, text=found.text, **details)
        posting.redraw_newest(connection, desk.config, found.month, now)
        moved = rows.by_id(connection, found.id)
    assert moved is not None
    return moved


def _ended(desk: Desk, known: Decision) -> str:
    who = telling.name(desk.config, known.ended_by)
    return ENDED.format(id=known.id, state=known.state, who=who, at=clock_time(known.ended_at))


# --- reminders -------------------------------------------------------------------------------------------------------------


def act(desk: Desk) -> int:
    """Reminds each owner on the day that was agreed, once for each day; in working hours, never in a blackout. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        due = [each for each in rows.still_open(connection) if _is_due(connection, desk.config, each, now)]
    return singly.each("decision", due, lambda found: _remind(desk, found, now))


def _is_due(connection: sa.Connection, config: Config, each: Decision, now: datetime) -> bool:
    side = config.organisations.get(each.side)
    if side is None or not each.due or hours.local_date(side.timezone, now).isoformat() < each.due:
        return False
    return office.is_open(config, each.side, now) and cards.by_key(connection, _key(each)) is None


def _remind(desk: Desk, each: Decision, now: datetime) -> bool:
    """Tells whoever has it; where nobody has, or they are gone, one who speaks for the side."""
    offers = ((DONE_LABEL, "action:done", f"action{each.id}"), (LATER_LABEL, "action:later", f"action{each.id}"))
    said = _reminder(desk.config, each, now)
    able = [*((each.owner,) if each.owner else ()), *signers.of(desk.config, each.side)]
    try:
        with desk.begin("remind of action") as connection:
            told = next((who for who in able if telling.tell(connection, desk.config, who, _key(each), said, now, offers)), None)
            if told:
                deciding.record(connection, VIGIE, "decision reminded", each.id, now, who=told, due=each.due)
    except sa.exc.IntegrityError:           # another process said it
        return False
    return told is not None


def _reminder(config: Config, each: Decision, now: datetime) -> str:
    due = date.fromisoformat(each.due or "")
    late = hours.local_date(config.organisations[each.side].timezone, now) > due
    over = OVER.format(day=f"{due:%a} {due.day} {due:%b}") if late else ""
    return (REMIND_LATE if late else REMIND).format(month=wording.month(each.month), text=each.text, id=each.id, over=over)


def _key(each: Decision) -> str:
    return f"decision:{each.id}:{each.due}"
