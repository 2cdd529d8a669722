"""Volume: how many groups opened, by what they were and when, a day of the time that really passed."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain

from bot.review import N_
from bot.review.arithmetic.earlier import days_of, earlier_days, last_month, start_of_last
from bot.review.arithmetic.once import once
from bot.review.arithmetic.windows import Window, blackout, night
from bot.review.facts import Echo, Facts, Group

SEVERITY, SOURCE, SERVICE, SIDE = N_("severity"), N_("source"), N_("service"), N_("side on duty")
NIGHT, BLACKOUT = N_("night, 21:00-06:00"), N_("blackout, {hours}")
AT_NIGHT, IN_BLACKOUT, IN_DUTY = N_("Alerts at night"), N_("Alerts in the blackout"), N_("Alerts in the duty of {side}")
IN, OUT, NOBODY = N_("in it"), N_("outside"), N_("nobody")
EARLIER, NOW, LATER, LASTS = N_("before the month"), N_("in the month"), N_("after the month"), N_("still open")
TOGETHER = " + "

Cells = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Trait:
    """What groups are told apart by: each has exactly one value of it.

    `then`: the same of an earlier group. `kept` names a figure and its title, by value: sides and hours of earlier groups are
    not read again, so what these were a month ago is known from that month's figures.
    """

    title: str
    of: Callable[[Group], str]
    then: Callable[[Echo], str] | None = None
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """One value of one trait: how many groups of the month have it, and what that is a day."""

    trait: str
    value: str
    count: int
    a_day: float | None
    before_a_day: float | None              # in the month before


def traits(facts: Facts) -> tuple[Trait, ...]:
    """Night and blackout are two traits: both are shown, never mixed."""
    sides = {
        key: (f"volume_{key}".replace("-", "_"), IN_DUTY.format(side=each.name))
        for key, each in facts.config.organisations.items()
    }
    dark, away = night(facts.config, None, facts.month), blackout(facts.config)
    plain = (
        Trait(SEVERITY, _severity, _severity), Trait(SOURCE, _sources, _sources), Trait(SERVICE, _service, _service),
        Trait(SIDE, lambda group: group.side or NOBODY, kept=sides),
        Trait(NIGHT, _within(dark, facts), kept={IN: ("volume_night", AT_NIGHT)}),
    )
    if away is None:
        return plain
    hours = f"{away.hours.first:%H:%M}-{away.hours.last:%H:%M}"
    return (*plain, Trait(BLACKOUT.format(hours=hours), _within(away, facts), kept={IN: ("volume_blackout", IN_BLACKOUT)}))


def _severity(each: Group | Echo) -> str:
    return each.severity


def _sources(each: Group | Echo) -> str:
    return _together(each.sources)


@cache
def _together(sources: tuple[str, ...]) -> str:
    return TOGETHER.join(sorted(set(sources))) or NOBODY


def _service(each: Group | Echo) -> str:
    return each.service


def cells(facts: Facts) -> Cells:
    """All traits at once: each group is in one cell."""
    return Counter(zip(*(map(trait.of, facts.groups) for trait in traits(facts)), strict=True))


def lines(facts: Facts, counted: Cells) -> list[Line]:
    """Trait by trait; of each, the most frequent value first."""
    days, made = days_of(facts.month), []
    for place, trait in enumerate(traits(facts)):
        now = _values(counted, place)
        then = _counted(facts, trait.then, now) if trait.then else _remembered(facts, trait)
        for value, count in _ranked(now, then):
            made.append(Line(trait.title, value, count, count / days if days else None, then.get(value)))
    return made


def kept(facts: Facts, counted: Cells) -> list[tuple[str, str, int]]:
    """Name, title and count of what the next month will want to know of this one."""
    return [
        (name, title, _values(counted, place)[value])
        for place, trait in enumerate(traits(facts)) for value, (name, title) in trait.kept.items()
    ]


def _values(counted: Cells, place: int) -> Counter[str]:
    found = Counter[str]()
    for values, count in counted.items():
        found[values[place]] += count
    return found


def _counted(facts: Facts, of: Callable[[Echo], str], now: Iterable[str]) -> dict[str, float]:
    """Groups a day in the month before, by value; with any, what has none had 0."""
    before, days = last_month(facts), earlier_days(facts)
    found = Counter[str](dict.fromkeys(now, 0) if before else {})
    for each in before:
        found[of(each)] += each.alerts
    return {value: count / days for value, count in found.items()}


def _remembered(facts: Facts, trait: Trait) -> dict[str, float]:
    """The same, of what that month's review said."""
    before, days = facts.before or {}, earlier_days(facts)
    said = {value: before[name].value for value, (name, _) in trait.kept.items() if name in before}
    found = {value: count / days for value, count in said.items() if count is not None}
    whole = before["volume"].value if "volume" in before else None
    if whole is not None and IN in found:
        found[OUT] = whole / days - found[IN]
    return found


@once
def flow(facts: Facts) -> Counter[tuple[str, str]]:
    """Groups that were open in the month: whether they opened before or in it, ended in or after it, or last."""
    return Counter(
        (opened, _ended(each, facts)) for opened, groups in ((EARLIER, facts.carried), (NOW, facts.groups)) for each in groups
    )


@once
def open_at_end(facts: Facts) -> Sequence[Group]:
    """The stock: opened in the month or before, and not ended when it was over; of an open month, when it was reviewed."""
    return [each for each in chain(facts.carried, facts.groups) if _ended(each, facts) != NOW]


def _ended(group: Group, facts: Facts) -> str:
    if group.ending == "open" or group.closed_at is None:
        return LASTS
    return NOW if group.closed_at < facts.month.end else LATER


def _ranked(counted: Mapping[str, int], then: Iterable[str]) -> list[tuple[str, int]]:
    """Values that were there only the month before come last, with 0."""
    values = dict.fromkeys(chain(counted, then))
    return sorted(((value, counted.get(value, 0)) for value in values), key=lambda each: (-each[1], each[0]))


def _within(window: Window, facts: Facts) -> Callable[[Group], str]:
    """Whether a group opened in such hours; looked up, for a month has many groups and few nights."""
    edges = [edge for _, each in window.hours.touching(start_of_last(facts), facts.month.end, window.zone) for edge in each]
    return lambda group: IN if bisect_right(edges, group.opened_at) % 2 else OUT
