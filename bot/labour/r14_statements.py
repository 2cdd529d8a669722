"""R14: each month with on-call time has its statement, and each call its confirmed start and end."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.labour import TIMED, Case, Figures, Remark, Severity, Span, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import Stretch, midnight
from bot.labour.arithmetic.stretches import by_day, merged, total

MISSING = "on call {hours} in {month}, and no statement was given"
GIVE = "give the statement of {month} by {due} (on-call hours, calls, what they are paid)"
OPEN = "{hours} of calls in {month} without a confirmed start and end"
CONFIRM = "have the person confirm when each began and ended by {due}"
MONTH = "%Y-%m"


@rule("R14", "monthly statement", TIMED)
def statements(case: Case, figures: Figures) -> Iterator[Remark]:
    if case.now is None:
        return
    for month, hours in _by_month(case, [each for each in case.spans if each.kind == "on_call"]).items():
        if month not in case.statements:
            yield from _late(case, figures, month, MISSING, GIVE, hours)
    unconfirmed = [each for each in case.spans if each.kind == "intervention" and not each.confirmed]
    for month, hours in _by_month(case, unconfirmed).items():
        yield from _late(case, figures, month, OPEN, CONFIRM, hours)


def _by_month(case: Case, spans: list[Span]) -> dict[str, timedelta]:
    months: dict[str, timedelta] = {}
    for day, pieces in by_day(merged(spans), case.employer.zone).items():
        key = day.strftime(MONTH)
        months[key] = months.get(key, timedelta(0)) + total(pieces)
    return months


def _late(case: Case, figures: Figures, month: str, words: str, right: str, hours: timedelta) -> Iterator[Remark]:
    """Nothing before the month is over; told until the statement is due; a breach from then on."""
    span = _month(case, month)
    due = span.end + timedelta(days=figures["due_days"])
    if case.now is None or case.now < span.end:
        return
    severity: Severity = "hard" if case.now >= due else "warn"
    by = wording.on((due - timedelta(seconds=1)).astimezone(case.employer.zone).date())
    yield Remark(
        severity, *span, words.format(hours=wording.hours(hours), month=month), right.format(month=month, due=by)
    )


def _month(case: Case, month: str) -> Stretch:
    first = date.fromisoformat(f"{month}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    return Stretch(midnight(first, case.employer.zone), midnight(after, case.employer.zone))
