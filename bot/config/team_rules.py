"""What must be true of teams and rotations: people of one company, two at a time, who can be reached and may be planned."""

import math
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import combinations
from zoneinfo import ZoneInfo

from bot.config.coverage_rules import leaving
from bot.config.doors import is_reference
from bot.config.duties import Duty, duties, stretches, zone_named, zone_of
from bot.config.mandate_rules import is_hours
from bot.config.models import Config, Person
from bot.config.nights import Rotation
from bot.config.remarks import Book, Place, Remark, Saying
from bot.labour.arithmetic.days import DAY, Hours, instant

LAW_NIGHT = "21:00-06:00"       # where an employer has not its own
FURTHEST = 3_660                # days: two rotations that meet later than in ten years meet never

OTHER_COMPANY = Saying('"{name}" is of "{organisation}", not of "{wanted}"', "Name somebody of the team's own company.")
NO_ADMIN = Saying(
    'nobody of "{organisation}" may change its shifts', "Give one of its people `roles: [engineer, rota_admin]`.", warning=True
)
CONTACT_VALUE = Saying(
    "this is not a reference to a way of reaching somebody; it may be the address or number itself (not shown)",
    "Put it into an environment variable and write that variable's name here, as in VIGIE_CONTACT_LEA, or an ARN of Secrets "
    "Manager or Parameter Store.",
)
HEARTBEAT = Saying(
    "this is not a reference to an address; it may be the address itself (not shown)",
    "Put it into an environment variable and write that variable's name here, as in VIGIE_HEARTBEAT.",
)
NO_CONTACT = Saying(
    '"{name}" is called at home, and only Slack can do it', "Give them `contacts`, as in [VIGIE_CONTACT_{variable}].",
    warning=True,
)
DATES = Saying("the last day, {ends}, is before the first, {starts}", "Exchange the two days.")
ROTATION_TWICE = Saying(
    '"{first}" and "{name}" both say who is {role} of "{team}" for "{coverage}"', "Keep one: everybody's turns stand in it."
)
IDLE = Saying(
    '"{team}" never has the duty of "{coverage}"', "Give it hours in its `days`, or take the rotation away.", warning=True
)
SAME_PERSON = Saying(
    'from {day} on, "{name}" would be both primary and secondary', "Give the same people in another order, or begin a turn later."
)
AMID_NIGHT = Saying(
    'turns change at {at}, inside a night of "{team}" ({hours}): who begins it does not end it',
    'Write `changes_at: "{better}"`, and the same in its other rotation.', warning=True,
)
NO_NIGHT = Saying('"{name}" may not work at night, and the team has the duty on {day}', "Put them into a team of the day.")
NO_ON_CALL = Saying('"{name}" may not be on call, and the team is so on {day}', "Put them into a team that is not.")


def teams(book: Book) -> Iterator[Remark]:
    config = book.config
    for name, team in config.teams.items():
        place = ("teams", name)
        yield from book.known("organisations", team.organisation, *place, "organisation")
        yield from book.known("channels", team.channel, *place, "channel")
        for key, given in (("lead", team.lead), ("contact", team.contact)):
            yield from book.known("people", given, *place, key)
            yield from _of(book, given, team.organisation, (*place, key))
            if given in config.people:
                yield from leaving(given, config.people[given], (*place, key))
    for organisation in sorted({each.organisation for each in config.teams.values()} & {*config.organisations}):
        if not any(each.organisation == organisation and "rota_admin" in each.roles for each in config.people.values()):
            yield NO_ADMIN.at("organisations", organisation, organisation=organisation)


def _of(book: Book, name: str | None, organisation: str, place: Place) -> Iterator[Remark]:
    """The person must be of that company: each plans its own people only."""
    person = book.config.people.get(name) if name else None
    if person is not None and person.organisation != organisation and organisation in book.config.organisations:
        yield OTHER_COMPANY.at(*place, name=name, organisation=person.organisation, wanted=organisation)


def people(book: Book) -> Iterator[Remark]:
    config = book.config
    for key, person in config.people.items():
        for index, reference in enumerate(person.contacts):
            if not is_reference(reference):
                yield CONTACT_VALUE.at("people", key, "contacts", index)
        if person.starts and person.ends and person.ends < person.starts:
            yield DATES.at("people", key, "ends", starts=person.starts, ends=person.ends)
    for key in sorted(_called_at_home(config) & {*config.people}):
        if not config.people[key].contacts:
            yield NO_CONTACT.at("people", key, name=key, variable=key.upper().replace("-", "_"))
    if config.heartbeat is not None and not is_reference(config.heartbeat):
        yield HEARTBEAT.at("heartbeat")


def _called_at_home(config: Config) -> set[str]:
    """Whoever takes turns in a team that is on call, and whoever is called after them."""
    plans = [plan for each in config.coverages.values() for plan in (*each.days.values(), *each.dates.values())]
    at_home = {boundary.team for plan in plans for boundary in plan if boundary.mode == "on_call"}
    called = {person for each in config.rotations.values() if each.team in at_home for person in each.people}
    called |= {team.lead for name, team in config.teams.items() if name in at_home}
    called |= {each.fallback for each in config.coverages.values()}
    return called | {each.break_glass for each in config.organisations.values() if each.break_glass}


def rotations(book: Book) -> Iterator[Remark]:
    config = book.config
    worked = {name: list(duties(config, name)) for name in config.coverages}
    for name, each in config.rotations.items():
        place = ("rotations", name)
        yield from book.known("teams", each.team, *place, "team")
        yield from book.known("coverages", each.coverage, *place, "coverage")
        team = config.teams.get(each.team)
        for index, person in enumerate(each.people):
            yield from book.known("people", person, *place, "people", index)
            if team is not None:
                yield from _of(book, person, team.organisation, (*place, "people", index))
        when = [duty for duty in worked.get(each.coverage, ()) if duty.boundary.team == each.team]
        if team is not None and worked.get(each.coverage) and not when:
            yield IDLE.at(*place, team=each.team, coverage=each.coverage)
        yield from _protected(config, each, when, place)
        yield from _amid_night(config, each, when, place)
    for (first, one), (name, other) in combinations(config.rotations.items(), 2):
        if (one.coverage, one.team) == (other.coverage, other.team):
            yield from _pair(first, one, name, other)


def _protected(config: Config, rotation: Rotation, when: list[Duty], place: Place) -> Iterator[Remark]:
    """Who may not be planned for nights or on call has no turns in which they would be."""
    for index, key in enumerate(rotation.people):
        person = config.people.get(key)
        if person is None:
            continue
        night = _night(config, person)
        if night and ("no_night" in person.flags or person.regime == "under-18"):
            found = next((duty for duty in when if duty.meets(*night)), None)
            if found:
                yield NO_NIGHT.at(*place, "people", index, name=key, day=_named(found))
        if "no_on_call" in person.flags and (found := next((each for each in when if each.boundary.mode == "on_call"), None)):
            yield NO_ON_CALL.at(*place, "people", index, name=key, day=_named(found))


def _amid_night(config: Config, rotation: Rotation, when: list[Duty], place: Place) -> Iterator[Remark]:
    """Turns that change in the night, while the team goes on: it works, and costs two people their sleep."""
    person, zone = config.people.get(rotation.people[0]), zone_of(config, rotation.coverage) if when else None
    night = _night(config, person) if person else None
    if night is None or zone is None or len({*rotation.people}) == 1:
        return
    hours, in_zone = night
    for start, end in stretches(when):
        changes = (at for at in _changes(rotation, start, end, zone) if start < at < end)
        if any(next(Hours.parse(hours).touching(at, at, in_zone), None) for at in changes):
            first, last = (f"{each.astimezone(zone):%H:%M}" for each in (start, end))
            shown, better = (f"{first}-{last}", first) if end - start < DAY else (hours, hours[6:])
            yield AMID_NIGHT.at(*place, at=rotation.changes_at, team=rotation.team, hours=shown, better=better)
            return


def _changes(rotation: Rotation, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When turns may change in that time: on which days of the week is what an ordinary week can tell."""
    day, at = start.astimezone(zone).date(), time.fromisoformat(rotation.changes_at)
    while day <= end.astimezone(zone).date():
        if (day - rotation.starts).days % math.gcd(rotation.days, 7) == 0:
            yield instant(day, at, zone)
        day += DAY


def _night(config: Config, person: Person) -> tuple[str, ZoneInfo] | None:
    """The night of their employer, in its zone."""
    organisation = config.organisations.get(person.organisation)
    zone = zone_named(organisation.timezone) if organisation else None
    own = organisation.labour.night if organisation and organisation.labour else None
    return (own if own and is_hours(own) else LAW_NIGHT, zone) if zone else None


def _named(duty: Duty) -> str:
    return f"{duty.place[-2]} from {duty.boundary.at}"


def _pair(first: str, one: Rotation, name: str, other: Rotation) -> Iterator[Remark]:
    if one.role == other.role:
        yield ROTATION_TWICE.at(
            "rotations", name, first=first, name=name, role=one.role, team=one.team, coverage=one.coverage)
    elif clash := _same_at_once(one, other):
        yield SAME_PERSON.at("rotations", name, "people", day=clash[0], name=clash[1])


def _same_at_once(one: Rotation, other: Rotation) -> tuple[date, str] | None:
    """The first day on which both give the same person, in a whole cycle of the two; days are those of the calendar."""
    begin = max(one.starts, other.starts)
    cycle = min(math.lcm(len(one.people) * one.days, len(other.people) * other.days), FURTHEST)
    for number in range(cycle + 1):
        for at in sorted({one.changes_at, other.changes_at}):
            instant = datetime.combine(begin + number * DAY, time.fromisoformat(at))
            if (person := _turn(one, instant)) == _turn(other, instant):
                return instant.date(), person
    return None


def _turn(rotation: Rotation, at: datetime) -> str:
    since = at - datetime.combine(rotation.starts, time.fromisoformat(rotation.changes_at))
    return rotation.people[since // (rotation.days * DAY) % len(rotation.people)]
