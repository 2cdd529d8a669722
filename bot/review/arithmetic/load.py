"""What nights cost people: their interruptions, work on call, shifts and rests, put together once for whoever asks."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.review.arithmetic.calls import Interruption, interruptions
from bot.review.arithmetic.stretches import Stretch, clipped, merged, minutes
from bot.review.arithmetic.windows import Window, blackout, night
from bot.review.facts import Facts, Group, Slot, Told

REST, WAIVED, GLASS, HELD = "rest moved", "rule waived", "glass broken", "held back"
MANY = 2                                # incidents in a shift: more are too many
PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Call:
    """An interruption in the night that began on that day; `resting`: the person was not at work."""

    night: date
    what: Interruption
    resting: bool


@dataclass(frozen=True, slots=True)
class Shift:
    """One person's unbroken stretch of one role, and how many groups they were called about in it."""

    person: str
    organisation: str
    role: str
    start: datetime
    end: datetime
    incidents: int

    @property
    def is_busy(self) -> bool:
        return self.incidents > MANY


@dataclass(frozen=True, slots=True)
class Tally:
    """The nights of one person, or of several together."""

    duty: int                               # nights on duty, each person's own
    calls: Sequence[Call]
    minutes: float
    night_minutes: float
    blackout_minutes: float
    busy: int
    told: Counter[str]

    @property
    def by_night(self) -> Counter[date]:
        return Counter(each.night for each in self.calls)

    @property
    def worst(self) -> tuple[date, int] | None:
        """The first of those nights in which there were most."""
        return min(self.by_night.items(), key=lambda each: (-each[1], each[0]), default=None)


@dataclass(frozen=True, slots=True)
class Load:
    """The month's nights."""

    facts: Facts
    nights: Sequence[date]                  # by the day on which they begin, as far as the month has come
    blackout: Window | None
    interruptions: Sequence[Interruption]   # of the month, by day too
    calls: Sequence[Call]                   # of them, at night
    worked: Mapping[str, list[Stretch]]     # by person
    shifts: Sequence[Shift]
    duty: Mapping[str, int]                 # nights on duty, by person
    alerts: Mapping[int, int]               # by group, the number that people say
    groups_at_night: Sequence[Group]        # about which somebody was called at night
    everybody: frozenset[str]               # who had duty, or was called, or worked, or is told of

    def people(self, organisation: str) -> list[str]:
        """Who of it is among everybody: those that are known in the order of vigie.yaml, then those who have left it."""
        known, there = self.facts.config.people, self.everybody
        side = {each.person: each.organisation for each in self.facts.interventions}
        side |= {each.person: each.organisation for each in self.facts.pages}
        gone = sorted(person for person, its in side.items() if its == organisation and person not in known)
        return [key for key, each in known.items() if each.organisation == organisation and key in there] + gone

    def side_of(self, told: Told) -> str:
        found = self.facts.config.people.get(whom(told) or told.actor)
        return found.organisation if found else told.organisation

    def tally(self, people: Collection[str]) -> Tally:
        """What these people's nights come to."""
        worked = {person: self.worked[person] for person in people if person in self.worked}
        asleep = self.blackout
        return Tally(
            sum(self.duty.get(person, 0) for person in people),
            [each for each in self.calls if each.what.person in people],
            sum(minutes(each) for each in worked.values()),
            sum(self.night_of(person).minutes(each) for person, each in worked.items()),
            sum(asleep.minutes(each) for each in worked.values()) if asleep else 0.0,
            sum(each.is_busy for each in self.shifts if each.person in people),
            Counter(each.kind for each in self.facts.told if whom(each) in people),
        )

    def night_of(self, person: str) -> Window:
        found = self.facts.config.people.get(person)
        return night(self.facts.config, found.organisation if found else None, self.facts.month)


def load(facts: Facts) -> Load:
    """Puts it together."""
    month, torn = facts.month, interruptions(facts.pages)
    at_work, shifts = _by_person(each for each in facts.slots if each.mode == "active"), list(_shifts(facts, torn))
    calls = []
    for each in torn:
        found = night(facts.config, each.organisation, month).day_of(each.at)
        if found is not None:
            calls.append(Call(found, each, not _holds(at_work.get(each.person, ()), each.at)))
    groups = {each.id: each for each in (*facts.carried, *facts.groups)}
    about = dict.fromkeys(group for each in calls for group in each.what.groups)
    days = night(facts.config, None, month).days(month.start, month.until)
    return Load(
        facts, sorted({*days, *(each.night for each in calls)}), blackout(facts.config), torn, calls, _worked(facts), shifts,
        _duty(facts), {each.id: each.alert for each in groups.values()}, [groups[each] for each in about if each in groups],
        _everybody(facts),
    )


def whom(told: Told) -> str | None:
    """The person that an entry is about."""
    if told.object.startswith(PERSON):
        return told.object.removeprefix(PERSON)
    who = told.details.get("who")
    return str(who) if who else None


def _everybody(facts: Facts) -> frozenset[str]:
    told = {person for each in facts.told if (person := whom(each))}
    called, worked = {each.person for each in facts.pages}, {each.person for each in facts.interventions}
    return frozenset(called | worked | told | {each.person for each in facts.slots if each.person})


def _worked(facts: Facts) -> dict[str, list[Stretch]]:
    """Each person's work on call in the month; two at once are one stretch."""
    found: dict[str, list[Stretch]] = defaultdict(list)
    for each in facts.interventions:
        found[each.person].append(Stretch(each.start, each.end or facts.month.until))
    return {person: clipped(each, facts.month.start, facts.month.until) for person, each in found.items()}


def _duty(facts: Facts) -> dict[str, int]:
    month, sides = facts.month, {each.person: each.organisation for each in facts.slots if each.person}
    return {
        person: len(night(facts.config, sides[person], month).days_of(clipped(each, month.start, month.until)))
        for person, each in _by_person(facts.slots).items()
    }


def _by_person(slots: Iterable[Slot]) -> dict[str, list[Stretch]]:
    found: dict[str, list[Stretch]] = defaultdict(list)
    for each in slots:
        if each.person:
            found[each.person].append(Stretch(each.start, each.end))
    return {person: merged(each) for person, each in found.items()}


def _holds(stretches: Sequence[Stretch], at: datetime) -> bool:
    place = bisect_right(stretches, at, key=lambda each: each.end)
    return place < len(stretches) and stretches[place].start <= at


def _shifts(facts: Facts, torn: Sequence[Interruption]) -> Iterator[Shift]:
    """Slots that touch, of one person in one role of one coverage and mode, are one shift."""
    about: dict[str, list[Interruption]] = defaultdict(list)
    for each in torn:
        about[each.person].append(each)
    found: dict[tuple[str, str, str, str, str], list[Stretch]] = defaultdict(list)
    for slot in facts.slots:
        if slot.person:
            found[slot.person, slot.organisation, slot.coverage, slot.role, slot.mode].append(Stretch(slot.start, slot.end))
    for (person, organisation, _, role, _), stretches in found.items():
        mine = about[person]
        for start, end in (each for each in merged(stretches) if each.start < facts.month.until):
            first, last = (bisect_left(mine, at, key=lambda each: each.at) for at in (start, end))
            groups = {group for each in mine[first:last] for group in each.groups}
            yield Shift(person, organisation, role, start, end, len(groups))
