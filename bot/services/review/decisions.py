"""What both sides agreed to do: who has it and until when; carried from review to review until it is done or dropped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.masking import mask_text
from bot.review.arithmetic.patterns import pattern
from bot.review.forms import wording
from bot.services import singly
from bot.services.alert import response
from bot.services.alert.response import clock_time
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, hours
from bot.services.leave.clauses import listed
from bot.services.ledger import journal
from bot.services.review import choosing, posting, signers
from bot.services.rota import naming, office, telling
from bot.store import alerts, cards, reviews
from bot.store.reviews import Decision

KINDS: Mapping[str, str] = {
    "fix": "Fix: take away the cause", "tune": "Tune the alert: threshold, window, who is called",
    "automate": "Automate: let a runbook do it", "delete": "Delete the alert", "cut": "Cut what costs more than it gives",
    "other": "Something else",
}
LONGEST, LONGEST_SAVING = 300, 80
DAY = re.compile(r"\d{4}-\d\d-\d\d")
ALERT = re.compile(r"#?\d{1,12}")

NO_TEXT = "What was decided? `{command} decide <text> owner=@lea due=2026-12-01 about=142 kind=tune`."
TOO_LONG = "A decision holds at most {most} characters, this one has {length}: the rest belongs into a ticket."
NO_DAY = "due is a day as in 2026-12-01; \"{given}\" is none."
PAST = "due {given} is over: say a day from today on."
NO_KIND = "kind \"{given}\" is nothing; say one of: {known}."
NO_ABOUT = "about \"{given}\" is neither an alert nor a service: say 142, or one of {known}."
SAVING_TOO_LONG = "saving holds at most {most} characters: \"2900 USD a month\"."
UNKNOWN = "There is no action {given} that is still open: {known}."
NONE_OPEN, ENDED = "none is", "Action {id} was {state} by {who} at {at}."
NOT_ITS = "Action {id} is of {side}: {who} may say what became of it."
NO_REASON = "Say why it is dropped: `{command} action drop {id} <why>`."
REMIND = "📌 Due today, agreed in the review of {month}: {text} (action {id}).{over}"
REMIND_LATE = "📌 Due, agreed in the review of {month}: {text} (action {id}).{over}"
OVER = " It was due on {day}; Vigie could not say so then."
DONE_LABEL, LATER_LABEL = "Done…", "Later…"
STATES = {"done": "done", "dropped": "dropped"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A decision as it was said."""

    text: str
    owner: str | None = None
    due: str | None = None
    about: str | None = None
    kind: str | None = None
    saving: str | None = None
    month: str | None = None                # the review in which it was decided; without it, the last that is over


def decide(desk: Desk, actor: Actor, wanted: Wanted) -> Decision:
    """Writes it down, for the side of whoever has it; raises Refused."""
    authority.require(desk.config, actor, "decide", "write")
    config, now = desk.config, desk.clock.now()
    owner = naming.person(config, (wanted.owner,), actor.key)[0] if wanted.owner else None
    values = {
        "text": _text(desk, wanted.text), "owner": owner, "kind": _kind(wanted.kind), "due": _day(config, actor, wanted.due, now),
        "side": config.people[owner].organisation if owner else actor.organisation, "saving": _saving(wanted.saving),
    }
    month, about = choosing.month_of(config, wanted.month, now).name, _about(desk, wanted.about)
    with desk.begin("decide") as connection:
        number = reviews.add_decision(connection, **values, **about, month=month, made_by=actor.key, made_at=now)
        told = {name: each for name, each in {**values, **about}.items() if name != "kind"}
        _record(connection, actor, "decision made", number, now, **told, month=month, action=values["kind"])
        posting.redraw_newest(connection, config, month, now)
        made = reviews.decision_by_id(connection, number)
    assert made is not None
    return made


def _text(desk: Desk, given: str) -> str:
    text = mask_text(" ".join(given.split()))
    if not text:
        raise Refused(NO_TEXT.format(command=desk.config.command))
    if len(text) > LONGEST:
        raise Refused(TOO_LONG.format(most=LONGEST, length=len(text)))
    return text


def _kind(given: str | None) -> str:
    word = (given or "other").lower()
    if word not in KINDS:
        raise Refused(NO_KIND.format(given=word[:20], known=", ".join(KINDS)))
    return word


def _saving(given: str | None) -> str | None:
    text = mask_text(" ".join((given or "").split()))
    if len(text) > LONGEST_SAVING:
        raise Refused(SAVING_TOO_LONG.format(most=LONGEST_SAVING))
    return text or None


def _day(config: Config, actor: Actor, given: str | None, now: datetime) -> str | None:
    if not given:
        return None
    try:
        day = date.fromisoformat(given if DAY.fullmatch(given) else "")
    except ValueError:
        raise Refused(NO_DAY.format(given=given[:20])) from None
    if day < hours.local_date(telling.zone_of(config, actor.key), now):
        raise Refused(PAST.format(given=given))
    return day.isoformat()


def _about(desk: Desk, given: str | None) -> dict[str, str | None]:
    """The service, and of an alert the pattern that its repeats have in common."""
    if not given:
        return {"service": None, "pattern": None}
    if given in desk.config.services:
        return {"service": given, "pattern": None}
    if not ALERT.fullmatch(given):
        raise Refused(NO_ABOUT.format(given=given[:40], known=", ".join(desk.config.services)))
    alert = response.find(desk, given)
    with desk.read() as connection:
        founder = alerts.of_group(connection, alert.group_id)[0]
        seen = alerts.observed(connection, [founder.id]).get(founder.id, [])
    source = min((each.source for each in seen), default="")
    return {"service": alert.service, "pattern": pattern(source, founder.labels)}


# --- what becomes of it -------------------------------------------------------------------------------------------------------


def find(desk: Desk, given: str) -> Decision:
    """The open decision of that number; raises Refused with those that are open."""
    number = int(given.lstrip("#")) if re.fullmatch(r"#?\d{1,12}", given) else 0
    with desk.read() as connection:
        known, left = reviews.decision_by_id(connection, number), reviews.open_decisions(connection)
    if known is not None and known.state == "open":
        return known
    raise Refused(_ended(desk, known) if known else UNKNOWN.format(
        given=given[:20] or "of that name", known=", ".join(str(each.id) for each in left) or NONE_OPEN,
    ))


def end(desk: Desk, actor: Actor, found: Decision, state: str, said: str) -> Decision:
    """It is done, or dropped for a reason; raises Refused when somebody was first."""
    _require_its(desk.config, actor, found)
    said = mask_text(" ".join(said.split()))[:LONGEST]
    if state == "dropped" and not said:
        raise Refused(NO_REASON.format(command=desk.config.command, id=found.id))
    now = desk.clock.now()
    values = {"state": state, "ended_at": now, "ended_by": actor.key, "said": said or None}
    return _change(desk, actor, found, f"decision {state}", values, said=said or None)


def put_off(desk: Desk, actor: Actor, found: Decision, day: str) -> Decision:
    """It is due later."""
    _require_its(desk.config, actor, found)
    due = _day(desk.config, actor, day or "?", desk.clock.now())
    return _change(desk, actor, found, reviews.MOVED, {"due": due}, due=due, was={"due": found.due})


def give(desk: Desk, actor: Actor, found: Decision, person: str) -> Decision:
    """Somebody else has it, and their side with them."""
    _require_its(desk.config, actor, found)
    owner = naming.person(desk.config, (person,), actor.key)[0]
    side = desk.config.people[owner].organisation
    was = {"owner": found.owner, "side": found.side}
    return _change(desk, actor, found, reviews.MOVED, {"owner": owner, "side": side}, to=owner, side=side, was=was)


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
        if not reviews.change_decision(connection, found.id, **values):
            raise Refused(_ended(desk, reviews.decision_by_id(connection, found.id) or found))
        _record(connection, actor, kind, found.id, now, text=found.text, **details)
        posting.redraw_newest(connection, desk.config, found.month, now)
        moved = reviews.decision_by_id(connection, found.id)
    assert moved is not None
    return moved


def _ended(desk: Desk, known: Decision) -> str:
    who = telling.name(desk.config, known.ended_by)
    return ENDED.format(id=known.id, state=STATES.get(known.state, known.state), who=who, at=clock_time(known.ended_at))


def _record(connection: sa.Connection, actor: Actor, kind: str, number: int, now: datetime, **details: object) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"decision:{number}", outcome="done", at=now, **details)


# --- reminders -------------------------------------------------------------------------------------------------------------


def act(desk: Desk) -> int:
    """Reminds each owner on the day that was agreed, once for each day; in working hours, never in a blackout. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        due = [each for each in reviews.open_decisions(connection) if _is_due(connection, desk.config, each, now)]
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
                _record(connection, VIGIE, "decision reminded", each.id, now, who=told, due=each.due)
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
