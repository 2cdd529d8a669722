"""Reminds of what is owed: whoever has the duty and whoever reports, each once a step, nobody in their blackout.

What falls into somebody's blackout goes to the side on duty, which is told so, and to that person at its end.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa

from bot.config import Config
from bot.services import singly
from bot.services.alert.response import lasting
from bot.services.desk import VIGIE, Desk
from bot.services.incident import ground
from bot.services.leave import duty
from bot.services.ledger import journal
from bot.services.rota import office, telling
from bot.store import incidents, notices
from bot.store.incidents import Incident
from bot.store.notices import Notice
from runbooks.model import written

NAMES = {
    "initial": "the initial notification", "intermediate": "the intermediate report", "final": "the final report",
    "clients": "a word to the clients whose interests are affected (DORA art. 19(3))",
    "bank_api": "a report that a bank's interface was down (2018/389 art. 33(3))",
}
OWED = "📮 {what} of {name} ({title}) is owed to {whom}: {due}."
DUE = "by {at}, in {left}"
LATE, SAY_WHY = "late since {at}, {left} ago", "Say why it is late: `{command} incident notice {id} {kind} delay=…`."
WITHOUT_DELAY = "without delay"
HOW = (
    "`{command} export incident {id}` fills in what Vigie knows; when it is sent: "
    "`{command} incident notice {id} {kind} <reference>`."
)
ASLEEP = "{who} is in {side}'s blackout until {until} and is told then."
TOO_LATE_FOR = (
    "The limit comes before that: what the mandate says for this case counts; "
    "{glass} is the one of {side} whom broken glass reaches."
)
CLIENTS, AUTHORITY = "the clients", "the authority"

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, OVER, AGAIN = "owed", "late", "again"
BEFORE: dict[str, tuple[timedelta, ...]] = {
    "initial": (2 * HOUR, HOUR, HOUR / 4), "intermediate": (DAY, 4 * HOUR, HOUR), "final": (7 * DAY, DAY, 4 * HOUR),
}
BY_DAY = frozenset({"clients", "bank_api"})     # never at night, whoever is awake
WAITING = frozenset({"final"})                  # until its last hours a task of working hours
PRESSING = 4 * HOUR


def act(desk: Desk) -> int:
    """Says what is due, each once whoever runs. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        due = notices.due(connection, now)
    return singly.each("report owed", due, lambda one: _remind(desk, one, now))


def steps(owed: Notice) -> list[tuple[str, datetime]]:
    """What is to be said when, in order; without a limit there are two words of it, a day apart."""
    if owed.due_at is None:
        return []
    before = [(f"{written(each)} before", owed.due_at - each) for each in BEFORE.get(owed.kind, ())]
    return [*before, (OVER, owed.due_at)]


def _remind(desk: Desk, owed: Notice, now: datetime) -> bool:
    config = desk.config
    told = json.loads(owed.told)
    said, next_at = _what(config, owed, told, now)
    after = json.dumps(told | {each: now.isoformat() for each in said}, sort_keys=True)
    with desk.begin("report owed") as connection:
        if not notices.move(connection, owed, told=after, remind_at=next_at):
            return False        # another process said it, or it was sent meanwhile
        incident = incidents.by_id(connection, owed.incident_id)
        if incident is None or not said:
            return False
        _tell(config, connection, incident, owed, said[-1], now)
    return True


def _what(config: Config, owed: Notice, told: dict[str, str], now: datetime) -> tuple[list[str], datetime | None]:
    """The steps that are due and were not told, of which only the last is said; and when the next one is."""
    if owed.due_at is None:
        step = AGAIN if FIRST in told else FIRST
        return [step], office.opens(config, ground.own(config), now + DAY) if step == FIRST else None
    left = [(name, at) for name, at in steps(owed) if name not in told]
    due = [] if FIRST in told else [FIRST]
    return due + [name for name, at in left if at <= now], min((at for _, at in left if at > now), default=None)


def _tell(config: Config, connection: sa.Connection, incident: Incident, owed: Notice, step: str, now: datetime) -> None:
    pressing = owed.due_at is not None and owed.due_at - now <= PRESSING
    by_day = owed.kind in BY_DAY or (owed.kind in WAITING and not pressing)
    reporters = list(_reporters(config, pressing))
    sleepers = [each for each in reporters if duty.asleep(config, each, now)]
    others = [] if by_day else [each for each in _on_duty(connection, config, incident, now) if each not in reporters]
    for person in (*reporters, *others):
        at = office.opens(config, ground.own(config), now) if by_day else duty.asleep(config, person, now) or now
        # One message at the end of a blackout, however many steps fell into it.
        key = f"{step}:{person}" if person not in sleepers else f"asleep:{person}:{int(at.timestamp())}"
        about = _about(config, sleepers, owed, now) if person in others else ()
        said = " ".join([_said(config, incident, owed, at), *about])
        telling.tell(connection, config, person, f"notice:{owed.id}:{key}", said, now, _offers(incident, owed), due_at=at)
    journal.record(connection, actor=VIGIE, kind="notice told", object=f"incident:{incident.id}", outcome="done", at=now,
                   notice=owed.kind, step=step, who=[*reporters, *others], asleep=sleepers or None)


def _reporters(config: Config, pressing: bool) -> Iterator[str]:
    """Whoever reports; the second contact when it is pressing; without a regulator in vigie.yaml the owner's first lead."""
    known = ground.regulator(config)
    if known is None:
        own = ground.own(config)
        leads = (key for key, each in config.people.items() if each.organisation == own and "lead" in each.roles)
        yield from islice(leads, 1)
        return
    yield known.compliance
    if pressing and known.second_contact:
        yield known.second_contact


def _on_duty(connection: sa.Connection, config: Config, incident: Incident, now: datetime) -> Sequence[str]:
    """The first who would be called about the service; nobody in blackout is among them."""
    return duty.on_call(connection, config, now, incident.service)[:1]


def _said(config: Config, incident: Incident, owed: Notice, now: datetime) -> str:
    """As it is when it is read."""
    what, known = NAMES[owed.kind], ground.regulator(config)
    head = OWED.format(
        what=what[0].upper() + what[1:], name=incident.name, title=incident.title, due=limit(config, owed, now),
        whom=CLIENTS if owed.kind == "clients" else known.authority if known else AUTHORITY,
    )
    words = [HOW, *([SAY_WHY] if owed.due_at is not None and owed.due_at <= now else [])]
    return " ".join([head, *(each.format(command=config.command, id=incident.id, kind=owed.kind) for each in words)])


def limit(config: Config, owed: Notice, now: datetime) -> str:
    """by Sun 22 Nov 06:14 (Paris time), in 3 h 10; or since when it is late."""
    if owed.due_at is None:
        return WITHOUT_DELAY
    words = DUE if owed.due_at > now else LATE
    return words.format(at=ground.when(config, owed.due_at), left=lasting(abs(owed.due_at - now)))


def _about(config: Config, sleepers: Sequence[str], owed: Notice, now: datetime) -> Iterator[str]:
    for person in sleepers:
        until = duty.asleep(config, person, now)
        side = config.organisations[config.people[person].organisation]
        if until is None:
            continue
        yield ASLEEP.format(who=telling.name(config, person), side=side.name, until=ground.when(config, until))
        if owed.due_at is not None and owed.due_at < until:
            yield TOO_LATE_FOR.format(glass=telling.name(config, side.break_glass) or "nobody", side=side.name)


def _offers(incident: Incident, owed: Notice) -> tuple[tuple[str, str, str], ...]:
    return (("It is sent…", f"incident:notice:{owed.kind}", incident.ref), ("Pre-filled report", "export:incident", incident.ref))
