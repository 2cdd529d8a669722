"""Sundays and public holidays that were worked, counted by the calendar year, and the premium that an agreement sets."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from bot.labour import Case, Figures
from bot.labour.arithmetic.days import Stretch
from bot.labour.arithmetic.stretches import by_day, outline, work_of

SUNDAY = 6
EXCEPTIONAL = "premium +{percent} % (number {count} of the Sundays and holidays of the year)"
HABITUAL = "premium +{percent} %: habitual from number {habitual}, this is number {count} of the year"


@dataclass(frozen=True, slots=True)
class Premium:
    """What a Sunday or holiday earns; `count` is its number in the calendar year, in which a holiday on a Sunday counts once."""

    day: date
    count: int
    percent: float
    habitual: bool
    says: str


def sundays(case: Case) -> dict[date, Stretch]:
    """The Sundays with work on them, from its first start to its last end. On call without being called is no work."""
    return {day: span for day, span in _worked(case) if day.weekday() == SUNDAY}


def sunday_premiums(case: Case, figures: Figures) -> dict[date, Premium]:
    """By day; none where no agreement sets any. It counts what the case holds, so give it the year from 1 January on.

    `figures`: those of R04.
    """
    if figures["premium"] is None:
        return {}
    numbered: dict[date, int] = {}
    counts: Counter[int] = Counter()
    for day, _ in _worked(case):
        if day.weekday() == SUNDAY or day in case.employer.holidays:
            counts[day.year] += 1
            numbered[day] = counts[day.year]
    return {day: _premium(day, count, figures) for day, count in numbered.items()}


def _premium(day: date, count: int, figures: Figures) -> Premium:
    since = figures["habitual_from"]
    habitual = since is not None and count >= since
    percent = figures["habitual_premium" if habitual else "premium"] or 0
    says = (HABITUAL if habitual else EXCEPTIONAL).format(percent=percent, count=count, habitual=since)
    return Premium(day, count, percent, habitual, says)


def _worked(case: Case) -> Iterator[tuple[date, Stretch]]:
    return ((day, outline(pieces)) for day, pieces in sorted(by_day(work_of(case), case.employer.zone).items()))
