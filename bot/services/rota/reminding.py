"""Reminds people of their turns a day before, of each shift an hour before: in waking hours, never in their blackout, once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.services import singly
from bot.services.alert.response import lasting
from bot.services.desk import VIGIE, Desk
from bot.services.leave import hours
from bot.services.ledger import journal as ledger
from bot.services.rota import roster, telling
from bot.services.rota.roster import Slot
from bot.store import cards, journal

DAY_BEFORE = "📅 In {length}: {slot}. You cannot? `{command} away` says so, and your lead is told."
HOUR_BEFORE = "⏰ Soon: {slot}."
LATE = "⏰ Late, Vigie was down. In {length}: {slot}."
A_DAY, HOURS = "a day", "{count} hours"

KINDS = (("day", timedelta(hours=24)), ("hour", timedelta(hours=1)))
WAKING = (time(8), time(22))            # a day before is early enough to be told in these hours
BEFORE_BLACKOUT = timedelta(hours=1)
AHEAD, FORGET = timedelta(hours=36), timedelta(hours=6)
LONGEST = timedelta(days=2)             # a stint is told with its end
LATE_AFTER = timedelta(minutes=5)
SKIPPED = "reminder skipped"


@dataclass(frozen=True, slots=True)
class Reminder:
    """What is due about somebody's shift."""

    kind: str               # day, hour
    slot: Slot
    due_at: datetime

    @property
    def key(self) -> str:
        slot = self.slot
        return f"remind:{self.kind}:{slot.coverage}:{slot.role}:{int(slot.start.timestamp())}:{slot.person}"


def act(desk: Desk) -> int:
    """Says what is due, each once whoever runs; what has lost its sense is skipped and journalled. Safe to repeat."""
    now = desk.clock.now()
    with desk.read() as connection:
        due = [each for each in reminders(connection, desk.config, now) if each.due_at <= now and _is_new(connection, each)]
    return singly.each("reminder", due, lambda one: _say(desk, one, now))


def reminders(connection: sa.Connection, config: Config, now: datetime) -> list[Reminder]:
    """About every shift that begins within a day and a half, or began a little while ago."""
    found: list[Reminder] = []
    for coverage in config.coverages:
        whole = list(stints(roster.slots(connection, config, coverage, now - FORGET - LONGEST, now + AHEAD + LONGEST)))
        near = (each for each in whole if now - FORGET < each.start < now + AHEAD)
        found += [each for slot in near for each in _of(config, slot, whole)]
    return found


def stints(slots: Iterable[Slot]) -> Iterator[Slot]:
    """Slots of one person and role that follow each other are one stint, whatever their modes."""
    whole: dict[str, Slot] = {}
    for each in slots:
        last = whole.get(each.role)
        if last and last.person == each.person and last.end == each.start:
            whole[each.role] = replace(last, end=each.end)
            continue
        if last and last.person:
            yield last
        whole[each.role] = each
    yield from (each for each in whole.values() if each.person)


def _of(config: Config, slot: Slot, whole: Iterable[Slot]) -> Iterator[Reminder]:
    """An hour before each stint; the day before only the first of a turn, for who is on every day knows."""
    day_before = slot.start - KINDS[0][1]
    goes_on = any((each.role, each.person) == (slot.role, slot.person) and day_before < each.end <= slot.start for each in whole)
    for kind, length in KINDS[1:] if goes_on else KINDS:
        yield Reminder(kind, slot, _awake(config, slot, slot.start - length, kind))


def _awake(config: Config, slot: Slot, at: datetime, kind: str) -> datetime:
    """Moved to before the blackout, or to before the night: nobody is woken for a reminder."""
    side = config.organisations[slot.organisation]
    if side.blackout and hours.until(side.blackout, side.timezone, at):
        spans = hours.spans(side.blackout, side.timezone, at - hours.DAY, at + timedelta(seconds=1))
        at = next(start for start, end in spans if start <= at < end) - BEFORE_BLACKOUT
    if kind == "hour":
        return at
    place, (opens, closes) = ZoneInfo(side.timezone), WAKING
    local = at.astimezone(place)
    if opens <= local.time() < closes:
        return at
    day = local.date() if local.time() >= closes else local.date() - hours.DAY
    return hours.instant(day, closes, place) - BEFORE_BLACKOUT


def _is_new(connection: sa.Connection, each: Reminder) -> bool:
    return cards.by_key(connection, each.key) is None and not journal.about(connection, [each.key], 1)


def _say(desk: Desk, each: Reminder, now: datetime) -> bool:
    """Whether it was said now; another process may have been quicker."""
    config, slot, over = desk.config, each.slot, _is_over(each, now)
    person = slot.person or ""
    try:
        with desk.begin("remind of shift") as connection:
            if not _is_new(connection, each) or _learned_later(each):
                return False
            if over:
                ledger.record(connection, actor=VIGIE, kind=SKIPPED, object=each.key, outcome="done", at=now, who=person)
                return False
            late = now - each.due_at > LATE_AFTER and each.kind == "hour"
            words = LATE if late else DAY_BEFORE if each.kind == "day" else HOUR_BEFORE
            said = words.format(slot=telling.slot(config, person, slot), command=config.command, length=_length(slot.start - now))
            return telling.tell(connection, config, person, each.key, said, now)
    except sa.exc.IntegrityError:       # the key is there: the other process said it
        return False


def _length(left: timedelta) -> str:
    """A day, 21 hours, 40 min: what is really left, for a reminder may be moved or late."""
    hours = round(left / KINDS[1][1])
    if hours == KINDS[0][1] // KINDS[1][1]:
        return A_DAY
    return HOURS.format(count=hours) if hours > 1 else lasting(left)


def _is_over(each: Reminder, now: datetime) -> bool:
    """A shift that has begun needs no reminder; nor does one the day before when it begins within the hour."""
    return now >= each.slot.start or (each.kind == "day" and now >= each.slot.start - KINDS[1][1])


def _learned_later(each: Reminder) -> bool:
    """Who was given the shift after the reminder would have been due was told of it then."""
    return each.slot.shift is not None and each.slot.shift.published_at > each.due_at
