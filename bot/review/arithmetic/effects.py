"""Decisions and what came of them: alerts fewer a month, sleep given back, how late they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bot.review import N_
from bot.review.arithmetic.plain import several, signed
from bot.review.facts import Decision, Facts, Month

ENOUGH_DAYS = 7             # looked at for less, an effect cannot be told from chance
DAY_MINUTES = 24 * 60

FEWER = N_("{change} alerts a month ✔")
NO_FEWER = N_("{change} alerts a month: it did not help")
SAME = N_("as many alerts as before: it did not help")
NONE_BEFORE = N_("nothing to compare: no alerts of its kind before")
TOO_EARLY = N_("too early to say: {days}")
NOT_MEASURED = N_("done; it names no alert and no service, so no effect can be measured")
NO_DAYS = N_("done; no days before it are known, so no effect can be measured")
LATE = N_("not done, {days} late")
DUE = N_("not done yet, due {due}")
NO_DUE = N_("not done; no day was agreed")
DROPPED = N_("dropped: {why}")
UNSAID = N_("no reason given")


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of a decision; None: it cannot be measured, and `said` says why."""

    said: str
    before_a_day: float | None = None
    after_a_day: float | None = None
    change_a_month: float | None = None
    sleep_back_min: float | None = None     # a month

    @property
    def worked(self) -> bool:
        return self.change_a_month is not None and round(self.change_a_month) < 0


def effect(decision: Decision, month: Month) -> Effect:
    """Measured over as many days before as are known, and at least a week after it was done."""
    if decision.state == "dropped":
        return Effect(DROPPED.format(why=decision.said or UNSAID))
    if decision.state == "open":
        return Effect(_waiting(decision, month))
    if not decision.pattern and not decision.service:
        return Effect(NOT_MEASURED)
    if not decision.days_before:
        return Effect(NO_DAYS)
    if decision.days_after < ENOUGH_DAYS:
        return Effect(TOO_EARLY.format(days=several(int(decision.days_after), N_("day"), N_("days"))))
    return _measured(decision, month.minutes / DAY_MINUTES)


def late_days(decision: Decision, month: Month) -> int:
    """How many days an open decision is over its day; 0: it is not."""
    if decision.state != "open" or decision.due is None:
        return 0
    return max(0, (_today(month) - decision.due).days)


def overdue(facts: Facts) -> list[Decision]:
    """The most late first."""
    late = [each for each in facts.decisions if late_days(each, facts.month)]
    return sorted(late, key=lambda each: (-late_days(each, facts.month), each.id))


def checked(facts: Facts) -> list[Decision]:
    """Decisions of earlier reviews: what is open, and what was done or dropped."""
    return _by_id(each for each in facts.decisions if each.month < facts.month.name)


def new(facts: Facts) -> list[Decision]:
    """Decided in this review."""
    return _by_id(each for each in facts.decisions if each.month >= facts.month.name)


def age_days(decision: Decision, month: Month) -> float:
    return (month.as_of - decision.made_at).total_seconds() / 60 / DAY_MINUTES


def _by_id(decisions: Iterable[Decision]) -> list[Decision]:
    return sorted(decisions, key=lambda each: each.id)


def _today(month: Month) -> date:
    return month.local(month.as_of).date()


def _waiting(decision: Decision, month: Month) -> str:
    if decision.due is None:
        return NO_DUE
    if late := late_days(decision, month):
        return LATE.format(days=several(late, N_("day"), N_("days")))
    return DUE.format(due=f"{decision.due:%d %b}".lstrip("0"))


def _measured(decision: Decision, days: float) -> Effect:
    before, after = decision.groups_before / decision.days_before, decision.groups_after / decision.days_after
    slept = decision.sleep_before_min / decision.days_before - decision.sleep_after_min / decision.days_after
    change = (after - before) * days
    return Effect(_in_words(before, change), before, after, change, slept * days)


def _in_words(before: float, change: float) -> str:
    if not before:
        return NONE_BEFORE
    said = FEWER if round(change) < 0 else NO_FEWER if round(change) > 0 else SAME
    return said.format(change=signed(change))
