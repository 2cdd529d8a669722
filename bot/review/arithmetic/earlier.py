"""Earlier months: where they began, how long they really were, what came in them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.review.arithmetic.once import once
from bot.review.facts import Echo, Facts, Month

DAY_MINUTES, DAY = 24 * 60, timedelta(days=1)
BEFORE = (1, 2, 3)              # the months with which a volume is compared


def start_of_last(facts: Facts) -> datetime:
    """When the month before this one began."""
    return _month(facts, 1).start


def days_of(month: Month) -> float:
    """Days of 24 h, so far: October has one hour more than its days tell, March one less."""
    return _days(month.start, month.until)


def earlier_days(facts: Facts, steps: int = 1) -> float:
    return _month(facts, steps).minutes / DAY_MINUTES


def begun_in(facts: Facts, steps: int = 0) -> datetime | None:
    """When Vigie began, if that was after the first day of the month so many before this one."""
    month, began = _month(facts, steps) if steps else facts.month, facts.trail.began
    return began if began and month.start + DAY < began < month.end else None


def known_days(month: Month, since: datetime) -> float:
    """Of a month of which nothing older is known."""
    return _days(since, month.until)


def _days(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds() / 60 / DAY_MINUTES)


@once
def last_month(facts: Facts) -> Sequence[Echo]:
    """The groups of the month before."""
    since = start_of_last(facts)
    return [each for each in facts.earlier if each.opened_at >= since]


def three_months(facts: Facts) -> float | None:
    """Groups a day in the three months before, of those that are known; None: none is. A month of which none came counts."""
    known = [steps for steps in BEFORE if facts.month.previous(steps) in facts.volumes]
    days = sum(earlier_days(facts, steps) for steps in known)
    return sum(facts.volumes[facts.month.previous(steps)] for steps in known) / days if days else None


def _month(facts: Facts, steps: int) -> Month:
    return Month.of(facts.month.previous(steps), facts.month.zone, None)
