"""Silences: one service calls nobody for a while. They end by themselves, and then what still fires calls again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.errors import Refused
from bot.masking import mask_text
from bot.services import singly
from bot.services.alert.response import called, clock_time, lasting
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave import authority, duty
from bot.services.ledger import journal
from bot.services.slack.drawing import escape, person
from bot.store import alerts, cards, escalations, groups, pages
from bot.store.alerts import Alert
from bot.store.pages import Silence

LONGEST = timedelta(hours=12)
LONGEST_REASON = 300

WILD = "A silence is about one service: name it, without * or ?. {known}"
UNKNOWN = "vigie.yaml knows no service \"{service}\". {known}"
KNOWN = "It knows {names}."
TOO_LONG = "A silence lasts at most 12 h, you asked for {asked}. It can be started again when it ends."
TOO_SHORT = "For how long? Say 30m, 2h or 1h30, at most 12 h."
NO_REASON = "Say why: whoever comes on duty next reads it."
NO_SILENCE = "There is no silence {id}. {holding}"
HOLDING, NONE_HOLDS = "These hold: {names}.", "None holds now."
OVER = "Silence {id} of {service} ended at {at}."
OWN = "You started silence {id}: a second person must agree that important alerts are silent too."
AGREED = "{who} has agreed to silence {id} already."
ASLEEP = "Somebody in blackout cannot agree: it would not be their duty."

STARTED = (
    "🔇 Silence {id}: {service} calls nobody until {until}, by {who}: {reason}. Important alerts still call somebody, until a "
    "second person agrees: `{command} silence agree {id}`."
)
BOTH = "🔇 Silence {id} of {service}: important alerts are silent too until {until}; {who} agreed."
ENDED, BY_ITSELF = "🔊 Silence {id} of {service} was ended by {who}.", "🔊 Silence {id} of {service} is over."
FIRES, QUIET = " Still firing: {names}.", " Nothing of it fires."
ON_CARD, IMPORTANT_CALLS = "🔇 Silenced until {at} by {who}{second}: {reason}.", " (important alerts still call)"
SECONDED = " and {who}"
AGREE = "Agree…"


@dataclass(frozen=True, slots=True)
class Ending:
    """By whom a silence ends, and when."""

    by: Actor
    at: datetime


def covering(connection: sa.Connection, service: str, important: bool, now: datetime) -> Silence | None:
    """The silence that keeps such an alert from calling: of several the one that ends last."""
    holding = [each for each in of_service(connection, service, now) if each.second or not important]
    return holding[-1] if holding else None


def of_service(connection: sa.Connection, service: str, now: datetime) -> list[Silence]:
    """Those that hold now, the first to end first."""
    return [each for each in pages.silences(connection, now) if each.service == service]


# --- what people do ---------------------------------------------------------------------------------------------------------


def start(desk: Desk, service: str, length: timedelta, reason: str, actor: Actor) -> Silence:
    """From now on; raises Refused. Several may overlap."""
    _check(desk, service, length, reason)
    now, written = desk.clock.now(), mask_text(reason.strip())[:LONGEST_REASON]
    with desk.begin("silence") as connection:
        made = pages.add_silence(
            connection, service=service, start=now, until=now + length, by=actor.key, reason=written,
        )
        silence = _get(connection, made, now)
        _note(connection, actor, "silence started", silence, now, until=silence.until.isoformat(), reason=written)
        said = STARTED.format(id=made, service=escape(service), until=clock_time(silence.until), reason=escape(written, 300),
                              who=person(desk.config, actor.key), command=desk.config.command)
        _tell(desk, connection, silence, f"silence:{made}", said, now, offers=[(AGREE, "silence:agree", str(made))])
    return silence


def _check(desk: Desk, service: str, length: timedelta, reason: str) -> None:
    known = KNOWN.format(names=", ".join(desk.config.services))
    if any(sign in service for sign in "*?["):
        raise Refused(WILD.format(known=known))
    if service not in desk.config.services:
        raise Refused(UNKNOWN.format(service=service[:40], known=known))
    if length <= timedelta(0):
        raise Refused(TOO_SHORT)
    if length > LONGEST:
        raise Refused(TOO_LONG.format(asked=lasting(length)))
    if not reason.strip():
        raise Refused(NO_REASON)


def agree(desk: Desk, silence_id: int, actor: Actor) -> Silence:
    """A second person, awake, of either company: important alerts are silent too."""
    now = desk.clock.now()
    authority.require(desk.config, actor, "silence agree", "act")
    with desk.begin("silence") as connection:
        silence = _holding(desk, connection, silence_id, now)
        if silence.by == actor.key:
            raise Refused(OWN.format(id=silence.id))
        if duty.asleep(desk.config, actor.key, now) is not None:
            raise Refused(ASLEEP)
        if not pages.change_silence(connection, silence_id, pages.silence.c.second.is_(None), second=actor.key):
            raise Refused(AGREED.format(who=called(desk, silence.second), id=silence.id))
        _note(connection, actor, "silence agreed", silence, now)
        said = BOTH.format(id=silence.id, service=escape(silence.service), until=clock_time(silence.until),
                           who=person(desk.config, actor.key))
        _tell(desk, connection, silence, f"silence:{silence.id}:agreed", said, now)
        return _get(connection, silence_id, now)


def end(desk: Desk, silence_id: int, actor: Actor) -> Silence:
    """Before its time; what still fires calls at once."""
    now = desk.clock.now()
    with desk.begin("silence") as connection:
        silence = _holding(desk, connection, silence_id, now)
        _end(desk, connection, silence, Ending(actor, now), now)
    return silence


def find(desk: Desk, silence_id: int) -> Silence:
    """One that holds; raises Refused with those that do."""
    with desk.read() as connection:
        return _holding(desk, connection, silence_id, desk.clock.now())


def act(desk: Desk) -> int:
    """Ends those whose time is over; returns how many. Safe to repeat, and for several at once."""
    now = desk.clock.now()
    with desk.read() as connection:
        over = pages.run_out(connection, now)
    return singly.each("silence", over, lambda one: _run_out(desk, one, now))


def _run_out(desk: Desk, silence: Silence, now: datetime) -> bool:
    with desk.begin("silence") as connection:
        _end(desk, connection, silence, Ending(VIGIE, silence.until), now)
    return True


def _end(desk: Desk, connection: sa.Connection, silence: Silence, ending: Ending, now: datetime) -> None:
    if not pages.change_silence(connection, silence.id, ended_at=ending.at, ended_by=ending.by.key):
        return
    _note(connection, ending.by, "silence ended", silence, now)
    firing = [each for each in alerts.open_ones(connection, 500) if each.service == silence.service and each.state == "firing"]
    escalations.release(connection, _groups(connection, silence.service), now)
    words = BY_ITSELF if ending.by.key == VIGIE.key else ENDED
    said = words.format(id=silence.id, service=escape(silence.service), who=person(desk.config, ending.by.key)) + _fires(firing)
    _tell(desk, connection, silence, f"silence:{silence.id}:ended", said, now)


def _fires(firing: Sequence[Alert]) -> str:
    return FIRES.format(names=", ".join(each.name for each in firing[:10])) if firing else QUIET


def _holding(desk: Desk, connection: sa.Connection, silence_id: int, now: datetime) -> Silence:
    silence = _get(connection, silence_id, now)
    ended = silence.ended_at or (silence.until if silence.until <= now else None)
    if ended:
        raise Refused(OVER.format(id=silence.id, service=silence.service, at=clock_time(ended)))
    return silence


def _get(connection: sa.Connection, silence_id: int, now: datetime) -> Silence:
    if found := pages.silence_by_id(connection, silence_id):
        return found
    holding = pages.silences(connection, now)
    names = ", ".join(f"{each.id} ({each.service})" for each in holding)
    raise Refused(NO_SILENCE.format(id=silence_id, holding=HOLDING.format(names=names) if holding else NONE_HOLDS))


def _groups(connection: sa.Connection, service: str) -> list[int]:
    return [number for number, _ in groups.open_ones(connection, alerts.alert.c.service == service)]


def _tell(
    desk: Desk, connection: sa.Connection, silence: Silence, key: str, said: str, now: datetime,
    offers: Sequence[tuple[str, str, str]] = (),
) -> None:
    """In the service's channel, with buttons where there is something to answer; and its cards show it."""
    channel = desk.config.channel_of(silence.service)
    if offers:
        cards.add_direct(connection, key, channel, said, now, offers=offers)
    else:
        cards.add_notice(connection, key, channel, said, now)
    for group_id in _groups(connection, silence.service):
        cards.bump(connection, group_id, now, urgency=2)


def _note(connection: sa.Connection, actor: Actor, kind: str, silence: Silence, now: datetime, **details: str) -> None:
    journal.record(connection, actor=actor, kind=kind, object=f"silence:{silence.id}", outcome="done", at=now,
                   service=silence.service, **details)


# --- how it is told ---------------------------------------------------------------------------------------------------------


def on_card(desk: Desk, connection: sa.Connection, head: Alert) -> str:
    """What a card says of the silence that holds for it; nothing without one."""
    holding = of_service(connection, head.service, desk.clock.now())
    if not holding or head.state == "closed":
        return ""
    chosen = covering(connection, head.service, head.important, desk.clock.now()) or holding[-1]
    second = SECONDED.format(who=person(desk.config, chosen.second)) if chosen.second else ""
    second = second or (IMPORTANT_CALLS if head.important else "")
    return ON_CARD.format(at=clock_time(chosen.until), who=person(desk.config, chosen.by), second=second,
                          reason=escape(chosen.reason, 200))
