"""What people on call worked: recorded from their acts, asked about once, confirmed or corrected; then the rest rules run."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.labour.checking import earliest_start
from bot.services import singly
from bot.services.alert.response import lasting
from bot.services.desk import VIGIE, Actor, Desk
from bot.services.leave.hours import instant, local_date
from bot.services.ledger import journal
from bot.services.rota import moments, office, roster, telling
from bot.services.worktime import breaches, lawful
from bot.store import interventions
from bot.store.interventions import Act, Intervention

ASK = (
    "✍ You worked {when} ({place}){alert} outside of your working hours: that is working time. Is it right? If not: "
    "`{command} shift worked {example}` says how it was."
)
ON, RIGHT = " on #{alert}", "It is right"
REST = (
    "🛏 {who} worked until {end} ({place}) while on call: the daily rest of {rest} begins anew, "
    "work may start at {earliest} or later. "
)
YOU, YOURS = "You", "Your lead is told too, and moves what you would have before that."
THEIRS = "What they have before that is to be moved: `{command} override` gives it to somebody else."
NO_SUCH = "There is no intervention {given} of yours."
STILL, BEFORE = "It is not over yet: Vigie asks when it is.", "It was confirmed before: {when}."
BACKWARDS = "It must end after it began, and not in the future."
TOO_LONG = "{length} at a stretch is more than an intervention: at most {most:g} h. Say each part by itself."
TOO_OLD = "Too long ago: a month is settled {days} days after its beginning. Ask a rota_admin to write it down elsewhere."
OVERLAPS = "You have confirmed {when} already."

DAY = timedelta(days=1)
QUIET = timedelta(minutes=30)               # a later act begins another intervention
WAKES = time(7)
SHORTEST = timedelta(minutes=1)
LOOK_BACK = timedelta(hours=24)
LONGEST, OLDEST = timedelta(hours=16), timedelta(days=62)


def act(desk: Desk) -> int:
    """Reads the journal for acts outside of active shifts, and ends what has been quiet; safe to repeat."""
    if not desk.config.coverages:
        return 0
    now = desk.clock.now()
    with desk.read() as connection:
        new = _new_acts(connection, desk.config, now)
        silent = interventions.silent(connection, now - QUIET)
    moved = singly.each("intervention", new, lambda one: _record(desk, one, now))
    return moved + singly.each("intervention", silent, lambda one: _close(desk, one, now))


def begin(connection: sa.Connection, config: Config, person: str, alert_id: int | None, now: datetime) -> None:
    """Somebody was called out of their rest (break-glass): their working time begins now, unless it has."""
    if interventions.near(connection, person, now, now, QUIET) is None:
        interventions.begin(connection, person, config.people[person].organisation, alert_id, now, "glass")


def confirm(desk: Desk, actor: Actor, number: str | None) -> Intervention:
    """The person says that it was so. Raises Refused."""
    now = desk.clock.now()
    with desk.begin("confirm intervention") as connection:
        found = _mine(connection, actor, number)
        if not interventions.confirm(connection, found.id, now):
            raise Refused(STILL if found.end is None else BEFORE.format(when=_when(desk.config, found)))
        _note(connection, actor, "intervention confirmed", found, now)
        _tell_rest(connection, desk.config, found, now)
    return found


def declare(desk: Desk, actor: Actor, start: datetime, end: datetime, alert_id: int | None) -> Intervention:
    """What somebody worked, as they say: it corrects what Vigie saw, or stands by itself. Raises Refused."""
    now, config = desk.clock.now(), desk.config
    _is_possible(start, end, now)
    with desk.begin("declare intervention") as connection:
        known = interventions.near(connection, actor.key, start, end, timedelta(0))
        if known and known.confirmed_at:
            raise Refused(OVERLAPS.format(when=_when(config, known)))
        if known:
            interventions.confirm(connection, known.id, now, start, end)
            number = known.id
        else:
            organisation = config.people[actor.key].organisation
            number = interventions.begin(connection, actor.key, organisation, alert_id, start, "declared", end, now)
        made = interventions.by_id(connection, number)
        assert made is not None, "it was written just now"
        _note(connection, actor, "intervention declared", made, now, was=known.start.isoformat() if known else None)
        _tell_rest(connection, config, made, now)
        breaches.look(connection, config, made.organisation, made.start - DAY, end + DAY, now)
    return made


# --- from acts --------------------------------------------------------------------------------------------------------------


def _new_acts(connection: sa.Connection, config: Config, now: datetime) -> list[Act]:
    """Acts that are in no intervention yet, of people who had no active shift then."""
    people = [key for key, each in config.people.items() if each.regime != "none"]
    every = interventions.acts(connection, people, now - LOOK_BACK)
    known = {each: interventions.known_to(connection, each) for each in {one.person for one in every}}
    fresh = [each for each in every if each.at > (known[each.person] or now - LOOK_BACK)]
    return [each for each in fresh if _is_call(connection, config, each)]


def _is_call(connection: sa.Connection, config: Config, each: Act) -> bool:
    """On call; or in no shift at all and outside of the office's hours: nobody knows of other work."""
    slots = roster.of_person(connection, config, each.person, each.at, each.at + timedelta(microseconds=1))
    modes = {slot.mode for slot in slots}
    if "active" in modes:
        return False
    return "on_call" in modes or not office.is_open(config, config.people[each.person].organisation, each.at)


def _record(desk: Desk, each: Act, now: datetime) -> bool:
    """Extends what goes on, or begins anew; another process may have been quicker."""
    organisation = desk.config.people[each.person].organisation
    try:
        with desk.begin("intervention") as connection:
            going_on = interventions.near(connection, each.person, each.at, each.at, QUIET)
            if going_on and interventions.extend(connection, going_on, each.at):
                return True
            if going_on and (going_on.confirmed_at is None or (going_on.end or each.at) >= each.at):
                return False
            interventions.begin(connection, each.person, organisation, each.alert_id, each.at)
            journal.record(connection, actor=VIGIE, kind="intervention began", object=f"person:{each.person}", outcome="done",
                           at=now, about=each.object, since=each.at.isoformat())
    except sa.exc.IntegrityError:       # person and start are there: the other process wrote it
        return False
    return True


def _close(desk: Desk, known: Intervention, now: datetime) -> bool:
    end = max(known.last_act_at, known.start + SHORTEST)
    with desk.begin("intervention") as connection:
        if not interventions.close(connection, known, end, now):
            return False
        made = interventions.by_id(connection, known.id) or known
        _note(connection, VIGIE, "intervention ended", made, now, who=known.person)
        _ask(connection, desk.config, made, now)
        _tell_rest(connection, desk.config, made, now)
        breaches.look(connection, desk.config, made.organisation, made.start - DAY, made.end or now, now)
    return True


def _ask(connection: sa.Connection, config: Config, made: Intervention, now: datetime) -> None:
    if made.person not in config.people or made.end is None:
        return
    zone = telling.zone_of(config, made.person)
    local = (moments.shown(each, zone)[-5:] for each in (made.start, made.end))
    alert = ON.format(alert=made.alert_id) if made.alert_id else ""
    said = ASK.format(
        when=moments.between(made.start, made.end, zone), place=moments.place_of(zone), alert=alert, command=config.command,
        example="-".join(local),
    )
    telling.tell(connection, config, made.person, f"worked:{made.id}", said, now,
                 [(RIGHT, "shift:confirm", str(made.id))], _when_to_ask(connection, config, made, now))


def _when_to_ask(connection: sa.Connection, config: Config, made: Intervention, now: datetime) -> datetime:
    """Within the shift if it still goes on at seven, for who sleeps again on call is not woken for this; else in office hours."""
    place = ZoneInfo(telling.zone_of(config, made.person))
    awake = max(now, instant(local_date(place.key, now), WAKES, place))
    on_then = any(roster.of_person(connection, config, made.person, awake, awake + timedelta(microseconds=1)))
    return awake if on_then else office.opens(config, made.organisation, now)


# --- the rest rules ---------------------------------------------------------------------------------------------------------


def _tell_rest(connection: sa.Connection, config: Config, made: Intervention, now: datetime) -> None:
    """When the call has broken the daily rest, the person and the lead know when work may start again."""
    moved = rest_moved(connection, config, made, now)
    if moved is None or made.end is None:
        return
    earliest, rest = moved
    for person in dict.fromkeys([made.person, *_leads(connection, config, made)]):
        zone = telling.zone_of(config, person)
        own = person == made.person
        said = REST.format(who=YOU if own else telling.name(config, made.person), end=moments.shown(made.end, zone),
                           place=moments.place_of(zone), rest=f"{rest.total_seconds() / 3600:g} h",
                           earliest=moments.shown(earliest, zone))
        said += YOURS if own else THEIRS.format(command=config.command)
        telling.tell(connection, config, person, f"rest:{made.id}:{int(earliest.timestamp())}:{person}", said, now)
    journal.record(connection, actor=VIGIE, kind="rest moved", object=f"person:{made.person}", outcome="done", at=now,
                   intervention=made.id, earliest=earliest.isoformat())


def rest_moved(
    connection: sa.Connection, config: Config, made: Intervention, now: datetime
) -> tuple[datetime, timedelta] | None:
    """When the person may start again because of this call, and the rest that is due; None: it moved nothing."""
    profile = lawful.profile_of(config, made.organisation) if made.person in config.people else None
    if profile is None or made.end is None or "R01" not in profile.figures:
        return None
    figures, until = profile.figures["R01"], made.end + timedelta(seconds=1)
    case = lawful.case(connection, config, made.person, made.start - timedelta(days=2), until, max(now, until), "actual")
    earliest, rest = earliest_start(case, figures), figures.hours("min_rest_h")
    return (earliest, rest) if earliest == made.end + rest else None


def _leads(connection: sa.Connection, config: Config, made: Intervention) -> Iterable[str]:
    slots = roster.of_person(connection, config, made.person, made.start, made.start + timedelta(days=1))
    own = [name for name, each in config.teams.items() if each.organisation == made.organisation]
    return (config.teams[each].lead for each in [slot.team for slot in slots] or own)


# --- what is checked before -------------------------------------------------------------------------------------------------


def _mine(connection: sa.Connection, actor: Actor, given: str | None) -> Intervention:
    digits = (given or "").lstrip("#")
    found = interventions.by_id(connection, int(digits)) if digits.isascii() and digits.isdigit() and len(digits) < 13 else None
    if found is None or found.person != actor.key:
        raise Refused(NO_SUCH.format(given=(given or "")[:40]))
    return found


def _is_possible(start: datetime, end: datetime, now: datetime) -> None:
    if not start < end <= now:
        raise Refused(BACKWARDS)
    if end - start > LONGEST:
        raise Refused(TOO_LONG.format(length=lasting(end - start), most=LONGEST.total_seconds() / 3600))
    if now - start > OLDEST:
        raise Refused(TOO_OLD.format(days=OLDEST.days))


def _when(config: Config, made: Intervention) -> str:
    zone = telling.zone_of(config, made.person)
    return moments.between(made.start, made.end or made.last_act_at, zone)


def _note(connection: sa.Connection, actor: Actor, kind: str, made: Intervention, now: datetime, **more: str | None) -> None:
    end = made.end.isoformat() if made.end else None
    journal.record(connection, actor=actor, kind=kind, object=f"intervention:{made.id}", outcome="done", at=now,
                   start=made.start.isoformat(), end=end, **more)
