"""Repeats: groups of one pattern, how often they came, since when, and the work that they made."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.review.arithmetic.earlier import start_of_last
from bot.review.arithmetic.lists import in_order
from bot.review.arithmetic.once import once
from bot.review.arithmetic.windows import night
from bot.review.facts import Facts, Group, Intervention

OFTEN = 3                   # so often in a month, it is a repeat to speak of; also in the month before, it is chronic
TOP = 10
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Repeat:
    """The groups of one pattern in the month."""

    pattern: str
    groups: tuple[Group, ...]               # the newest last
    before: int                             # groups of it in the month before
    known_since: datetime                   # of the last six months: the newest of the first month that had it
    work_min: float                         # of people
    nights: int                             # of them, how many called somebody at night

    @property
    def count(self) -> int:
        return len(self.groups)

    @property
    def newest(self) -> Group:
        return self.groups[-1]

    @property
    def chronic(self) -> bool:
        return self.count >= OFTEN and self.before > 0


@once
def repeats(facts: Facts) -> Sequence[Repeat]:
    """Every pattern of the month, those that came most often first."""
    found: dict[str, list[Group]] = defaultdict(list)
    for each in in_order(facts.groups):
        found[each.pattern].append(each)
    before, seen = _earlier(facts)
    worked, called = _worked(facts), _called_at_night(facts)
    made = [
        Repeat(
            pattern, tuple(groups), before[pattern], min(seen.get(pattern, groups[0].opened_at), groups[0].opened_at),
            sum(_work_min(each, worked) for each in groups), sum(each.id in called for each in groups),
        )
        for pattern, groups in found.items()
    ]
    return sorted(made, key=lambda each: (-each.count, each.pattern))


def often(found: Sequence[Repeat]) -> list[Repeat]:
    """Those that came at least three times, as many as are worth a meeting's time."""
    return [each for each in found if each.count >= OFTEN][:TOP]


def _earlier(facts: Facts) -> tuple[Counter[str], dict[str, datetime]]:
    """Of each pattern: how many groups the month before had, and when the first of the last six months opened."""
    since = start_of_last(facts)
    counted, seen = Counter[str](), dict[str, datetime]()
    for each in facts.earlier:
        if each.opened_at >= since:
            counted[each.pattern] += each.alerts
        known = seen.get(each.pattern)
        if known is None or each.opened_at < known:
            seen[each.pattern] = each.opened_at
    return counted, seen


def _called_at_night(facts: Facts) -> set[int]:
    dark = night(facts.config, None, facts.month)
    return {each.id for each in facts.groups if each.called_at is not None and dark.day_of(each.called_at) is not None}


def _worked(facts: Facts) -> dict[int, float]:
    """Minutes of interventions, by the alert that they were about."""
    found: dict[int, float] = defaultdict(float)
    for each in facts.interventions:
        if each.alert is not None:
            found[each.alert] += _minutes(each, facts.month.as_of)
    return found


def _minutes(work: Intervention, now: datetime) -> float:
    return ((work.end or now) - work.start).total_seconds() / MINUTE


def _work_min(group: Group, worked: Mapping[int, float]) -> float:
    """As people said it; where they said nothing, from taking it to its end."""
    if group.alert in worked:
        return worked[group.alert]
    end = group.resolved_at or group.closed_at
    return max(0.0, (end - group.acked_at).total_seconds() / MINUTE) if group.acked_at and end else 0.0
