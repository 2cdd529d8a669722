"""What must be true of coverages: days that are cut whole, among teams that exist, take turns, and are awake."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import pairwise

from bot.config.duties import duties, in_blackout, known_zone
from bot.config.models import UNKNOWN_SERVICE, Person
from bot.config.nights import Boundary, Coverage
from bot.config.remarks import Book, Place, Remark, Saying, hint

USER_GROUP = re.compile(r"S[A-Z0-9]{5,20}")
WILD = set("*?[")

NO_WEEKDAY = Saying(
    "nothing says who has the duty on weekdays", "Add `weekday:`; other days are weekdays unless they are written."
)
EMPTY_DAY = Saying("on this day nobody would have the duty", "Give it at least one boundary, or take the day away.")
SAME_TIME = Saying("two teams begin at {at}", "One team has the duty at a time: give one of them another time, or take it away.")
NO_PRIMARY = Saying(
    '"{team}" has the duty, and no rotation says who of it is primary',
    "Add to `rotations`: {{team: {team}, coverage: {coverage}, role: primary, people: [...], starts: ...}}.",
)
NO_SECONDARY = Saying(
    '"{team}" is to be two, and no rotation says who is secondary',
    "Add a rotation of `role: secondary`, or say `people: 1`.",
    warning=True,
)
ASLEEP = Saying(
    '"{team}" would have the duty while {organisation} is in blackout ({hours}), as on {day}',
    "Cut the day so that a team of another company has these hours.",
)
NO_SERVICE = Saying('no service is called like "{name}"', "{hint}", warning=True)
HIDDEN = Saying(
    "this coverage takes no service: those above it take them all", "Move it up, or make the others narrower.", warning=True
)
UNCOVERED = Saying('no coverage takes the service "{name}"', "Add it to the `services` of one.", warning=True)
GROUP_FORM = Saying(
    '"{given}" is not the id of a Slack user group', "S and capitals, as in S0ASTREINT: Copy group ID, in the group's menu."
)
GROUP_TWICE = Saying(
    'the coverages "{first}" and "{name}" keep the same user group', "One a group, or each empties it of the other's people."
)
FALLBACK_SLEEPS = Saying(
    '"{name}" is in blackout {hours}, and then nobody is left to call', "Name somebody of a company that is awake then.",
    warning=True,
)
LEAVES = Saying('"{name}" leaves on {ends}', "Name somebody who stays, before that day.", warning=True)
ORDER = Saying(
    "`{later}` is before `{earlier}`, so that nobody is called in that order", "Give it the same time or a later one.",
    warning=True,
)
AT_ONCE = Saying("this would call everybody without a pause", "As in 10m.")
STEPS = ("secondary_after", "lead_after", "other_side_after", "fallback_after")


def coverages(book: Book) -> Iterator[Remark]:
    kept: dict[str, str] = {}
    for name, each in book.config.coverages.items():
        place = ("coverages", name)
        yield from known_zone(each.timezone, *place, "timezone")
        yield from _days(book, each, place)
        yield from _rotations(book, name, each)
        yield from _blackouts(book, name)
        yield from _fallback(book, each, place)
        yield from _paging(each, place)
        if each.user_group is not None and not USER_GROUP.fullmatch(each.user_group):
            yield GROUP_FORM.at(*place, "user_group", given=each.user_group)
        elif each.user_group and kept.setdefault(each.user_group, name) != name:
            yield GROUP_TWICE.at(*place, "user_group", first=kept[each.user_group], name=name)


def _plans(coverage: Coverage) -> Iterator[tuple[Place, tuple[Boundary, ...]]]:
    yield from ((("days", kind), plan) for kind, plan in coverage.days.items())
    yield from ((("dates", str(day)), plan) for day, plan in coverage.dates.items())


def _days(book: Book, coverage: Coverage, place: Place) -> Iterator[Remark]:
    if "weekday" not in coverage.days:
        yield NO_WEEKDAY.at(*place, "days")
    for where, plan in _plans(coverage):
        if not plan:
            yield EMPTY_DAY.at(*place, *where)
        times = [each.at for each in plan]
        for index, each in enumerate(plan):
            yield from book.known("teams", each.team, *place, *where, index, "team")
            if each.at in times[:index]:
                yield SAME_TIME.at(*place, *where, index, "at", at=each.at)


def _rotations(book: Book, name: str, coverage: Coverage) -> Iterator[Remark]:
    """Told once a team, where it first has the duty."""
    have: set[tuple[str, str]] = {(each.team, each.role) for each in book.config.rotations.values() if each.coverage == name}
    for where, plan in _plans(coverage):
        for index, each in enumerate(plan):
            for role, words in (("primary", NO_PRIMARY), ("secondary", NO_SECONDARY))[: each.people]:
                if each.team in book.config.teams and (each.team, role) not in have:
                    have.add((each.team, role))
                    yield words.at("coverages", name, *where, index, team=each.team, coverage=name)


def _blackouts(book: Book, name: str) -> Iterator[Remark]:
    """Each boundary once, with the first day on which it goes wrong: an ordinary one, or one on which clocks change."""
    told: set[Place] = set()
    for duty in duties(book.config, name):
        team = book.config.teams.get(duty.boundary.team)
        organisation = book.config.organisations.get(team.organisation) if team else None
        if organisation is None or duty.place in told or not in_blackout(organisation, duty):
            continue
        told.add(duty.place)
        yield ASLEEP.at(*duty.place, team=duty.boundary.team, organisation=organisation.name, hours=organisation.blackout,
                        day=f"{duty.start:%A %d %B %Y}")


def _fallback(book: Book, coverage: Coverage, place: Place) -> Iterator[Remark]:
    here: Place = (*place, "fallback")
    yield from book.known("people", coverage.fallback, *here)
    person = book.config.people.get(coverage.fallback)
    if person is None:
        return
    yield from leaving(coverage.fallback, person, here)
    organisation = book.config.organisations.get(person.organisation)
    if organisation and organisation.blackout:
        yield FALLBACK_SLEEPS.at(*here, name=coverage.fallback, hours=organisation.blackout)


def leaving(key: str, person: Person, place: Place) -> Iterator[Remark]:
    """Somebody who is named in person should be one who stays."""
    if person.ends is not None:
        yield LEAVES.at(*place, name=key, ends=person.ends)


def _paging(coverage: Coverage, place: Place) -> Iterator[Remark]:
    paging = coverage.paging
    for earlier, later in pairwise(STEPS):
        if getattr(paging, later) < getattr(paging, earlier):
            yield ORDER.at(*place, "paging", later, later=later, earlier=earlier)
    if not paging.again_every:
        yield AT_ONCE.at(*place, "paging", "again_every")


def covered(book: Book) -> Iterator[Remark]:
    """Services and coverages, each against the other; the first coverage that names a service takes it."""
    services = set(book.config.services)
    left = {*services, UNKNOWN_SERVICE}
    for name, each in book.config.coverages.items():
        for index, pattern in enumerate(each.services):
            if not WILD & {*pattern}:
                yield from book.known("services", pattern, "coverages", name, "services", index, also=(UNKNOWN_SERVICE,))
            elif pattern != "*" and not any(fnmatchcase(one, pattern) for one in services):
                yield NO_SERVICE.at("coverages", name, "services", index, name=pattern, hint=hint(pattern, services))
        taken = {one for one in left if any(fnmatchcase(one, pattern) for pattern in each.services)}
        if not taken:
            yield HIDDEN.at("coverages", name)
        left -= taken
    for one in sorted(left - {UNKNOWN_SERVICE}) if book.config.coverages else ():
        yield UNCOVERED.at("services", one, name=one)
