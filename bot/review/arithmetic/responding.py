"""Times of response: to the first acknowledgement, to the first step, to the end; whom each counts, whom it leaves out."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from bot.review import N_, Definition
from bot.review.arithmetic.endings import took_s
from bot.review.arithmetic.lists import in_order
from bot.review.arithmetic.numbers import Spread, spread
from bot.review.facts import Group

SOURCE = "rota.md 6.3"
SMALL = N_(" Of fewer than five alerts no percentile is printed: the list is.")

ACK = N_("From the opening of an alert to its first acknowledgement by a person; Vigie's own is none. Alerts that nobody took "
         "are left out and counted. One that the other side took counts, and is listed.")
ENGAGE = N_("From the opening of an alert to the first runbook that a person began, or the first comment. Alerts without either "
            "are left out and counted.")
RESOLVE = N_("From the opening of an alert to its recovery for good, or to its closing by a person while it still fired. Alerts "
             "that are still open are left out and counted; one that was closed because nothing more was heard of it has no "
             "resolution.")

NOT_TAKEN = {
    "healed": N_("healed alone before anybody took it"), "fixed": N_("fixed by Vigie before anybody took it"),
    "person": N_("ended by people without being taken"), "open": N_("still open, and nobody took it"),
}
NO_STEP = {
    "healed": N_("healed alone, no step was begun"), "fixed": N_("fixed by Vigie, no person began a step"),
    "person": N_("ended by people, no step was begun"), "open": N_("still open, no step was begun"),
}
STILL_OPEN, NO_RECOVERY = N_("still open"), N_("closed without a recovery: nothing more was heard of it")

EDGES = (60, 300, 900, 3_600, 14_400)
BUCKETS = (N_("under 1 min"), N_("1 to 5 min"), N_("5 to 15 min"), N_("15 to 60 min"), N_("1 to 4 h"), N_("over 4 h"))


@dataclass(frozen=True, slots=True)
class Measure:
    """One time of response."""

    title: str
    of: Callable[[Group], float | None]         # in seconds; None: it is left out
    reason: Callable[[Group], str]              # why it is left out
    definitions: tuple[Definition, Definition, Definition]      # mean, median, 90th percentile
    counted: tuple[str, str]                    # name and title of the list of those that count
    others: tuple[str, str]                     # of those that do not
    none: str                                   # why there is no value


class Timed(NamedTuple):
    group: Group
    seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A measure, taken of a month."""

    measure: Measure
    timed: list[Timed]                          # those that count, the slowest first
    out: list[Group]                            # those that do not
    spread: Spread                              # of those that count

    @property
    def left_out(self) -> dict[str, int]:
        """How many do not, by reason; the most frequent first."""
        counted = Counter(map(self.measure.reason, self.out))
        return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))


def take(measure: Measure, groups: Iterable[Group]) -> Taken:
    timed, out = list[Timed](), list[Group]()
    for each in sorted(groups, key=attrgetter("id")):
        seconds = measure.of(each)
        if seconds is None:
            out.append(each)
        else:
            timed.append(Timed(each, seconds))
    timed.sort(key=attrgetter("seconds"), reverse=True)         # of equals the one with the lower number stays first
    return Taken(measure, timed, in_order(out), spread([each.seconds for each in timed]))


def by(found: Sequence[Timed], trait: Callable[[Group], str | None]) -> list[tuple[str | None, Spread]]:
    """The spread of each value of a trait, in the order of its values."""
    split: dict[str | None, list[float]] = defaultdict(list)
    for each in found:
        split[trait(each.group)].append(each.seconds)
    return [(value, spread(split[value])) for value in sorted(split, key=lambda each: each or "")]


def per_bucket(found: Sequence[Timed]) -> list[int]:
    """How many took how long, in the order of `BUCKETS`."""
    counted = Counter(bisect_right(EDGES, each.seconds) for each in found)
    return [counted[place] for place in range(len(BUCKETS))]


def _since_opening(group: Group, at: datetime | None) -> float | None:
    return (at - group.opened_at).total_seconds() if at else None


def _definitions(name: str, title: str, text: str) -> tuple[Definition, Definition, Definition]:
    made = [
        Definition(f"{name}_{kind}_s", f"{title}, {called}", text + SMALL, "seconds", source=SOURCE, better="less")
        for kind, called in (("mean", N_("mean")), ("median", N_("median")), ("p90", N_("90th percentile")))
    ]
    return made[0], made[1], made[2]


MTTA = Measure(
    N_("Time to acknowledge"), lambda group: _since_opening(group, group.acked_at), lambda group: NOT_TAKEN[group.ending],
    _definitions("mtta", N_("Time to acknowledge"), ACK), ("acknowledged", N_("Taken by a person, the slowest first")),
    ("never-acknowledged", N_("Never taken by a person")), N_("no alert was taken by a person"),
)
ENGAGED = Measure(
    N_("Time to the first step"), lambda group: _since_opening(group, group.engaged_at), lambda group: NO_STEP[group.ending],
    _definitions("engage", N_("Time to the first step"), ENGAGE), ("engaged", N_("With a step or a comment, the slowest first")),
    ("never-engaged", N_("Without a step or a comment")), N_("no person began a step or wrote a comment"),
)
MTTR = Measure(
    N_("Time to resolve"), took_s, lambda group: STILL_OPEN if group.ending == "open" else NO_RECOVERY,
    _definitions("mttr", N_("Time to resolve"), RESOLVE), ("resolved", N_("Resolved, the slowest first")),
    ("unresolved", N_("Not resolved, the oldest first")), N_("no alert was resolved"),
)
MEASURES = (MTTA, ENGAGED, MTTR)
