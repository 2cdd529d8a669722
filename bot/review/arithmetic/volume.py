"""Volume: how many groups opened, by what they were and when, a day of the time that really passed."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from bot.review import N_
from bot.review.arithmetic.earlier import days_of, earlier_days, last_month, start_of
from bot.review.arithmetic.windows import Window, blackout, night
from bot.review.facts import Facts, Group

SEVERITY, SOURCE, SERVICE, SIDE = N_("severity"), N_("source"), N_("service"), N_("side on duty")
NIGHT, BLACKOUT = N_("night, 21:00-06:00"), N_("blackout, {hours}")
IN, OUT, NOBODY = N_("in it"), N_("outside"), N_("nobody")
EARLIER, NOW, LATER, LASTS = N_("before the month"), N_("in the month"), N_("after the month"), N_("still open")
TOGETHER = " + "

Trait = Callable[[Group], str]


@dataclass(frozen=True, slots=True)
class Line:
    """One value of one trait: how many groups of the month have it, and what that is a day."""

    trait: str
    value: str
    count: int
    a_day: float | None
    before_a_day: float | None              # in the month before


def traits(facts: Facts) -> dict[str, Trait]:
    """What groups are told apart by; each group has exactly one value of each."""
    dark, away = night(facts.config, None, facts.month), blackout(facts.config)
    found: dict[str, Trait] = {
        SEVERITY: lambda group: group.severity,
        SOURCE: lambda group: TOGETHER.join(sorted(set(group.sources))) or NOBODY,
        SERVICE: lambda group: group.service,
        SIDE: lambda group: group.side or NOBODY,
        NIGHT: _within(dark, facts),
    }
    if away is not None:
        hours = f"{away.hours.first:%H:%M}-{away.hours.last:%H:%M}"
        found[BLACKOUT.format(hours=hours)] = _within(away, facts)
    return found


def lines(facts: Facts) -> list[Line]:
    """Trait by trait; of each, the most frequent value first."""
    days, before = days_of(facts.month), last_month(facts)
    earlier = earlier_days(facts) if before else None
    made = []
    for trait, of in traits(facts).items():
        then = Counter(map(of, before))
        for value, count in _ranked(Counter(map(of, facts.groups)), then):
            made.append(Line(trait, value, count, count / days if days else None, then[value] / earlier if earlier else None))
    return made


def cells(facts: Facts) -> list[tuple[tuple[str, ...], int]]:
    """All traits at once: each group is in one cell."""
    known = tuple(traits(facts).values())
    counted = Counter(tuple(of(each) for of in known) for each in facts.groups)
    return sorted(counted.items(), key=lambda each: (-each[1], each[0]))


def flow(facts: Facts) -> list[tuple[str, str]]:
    """Of every group that was open in the month: whether it opened before or in it, ended in or after it, or lasts."""
    return [
        (opened, _ended(each, facts)) for opened, groups in ((EARLIER, facts.carried), (NOW, facts.groups)) for each in groups
    ]


def open_at_end(facts: Facts) -> list[Group]:
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


def _within(window: Window, facts: Facts) -> Trait:
    """Whether a group opened in such hours; looked up, for a month has many groups and few nights."""
    edges = [edge for _, each in window.hours.touching(start_of(facts), facts.month.end, window.zone) for edge in each]
    return lambda group: IN if bisect_right(edges, group.opened_at) % 2 else OUT
