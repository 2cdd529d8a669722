"""R03: at most so many days of work in a civil week; more of them in a row across weeks may be lawful, and are told."""

from collections.abc import Iterable, Iterator
from datetime import date

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import DAY, Stretch, midnight, monday_of, runs, whole_week
from bot.labour.arithmetic.stretches import by_day, work_of

WEEK_FULL = "work on {count} days of the week {week}, {most} allowed"
LEAVE_FREE = "leave {count} of them free, from 00:00 to 24:00"
IN_A_ROW = "work on {count} days in a row, {days}"
STILL_LAWFUL = "as it stands, while each civil week has its rest; a free day after at most {most} days is kinder"


@rule("R03", "days worked", TIMED)
def days_worked(case: Case, figures: Figures) -> Iterator[Remark]:
    days = sorted(by_day(work_of(case), case.employer.zone))
    yield from _full_weeks(case, days, figures["max_days_week"])
    for first, last in runs(days):
        count, span = (last - first).days + 1, _whole(case, first, last)
        if count >= figures["warn_consecutive"]:
            message = IN_A_ROW.format(count=count, days=wording.days(case, span))
            yield Remark("warn", *span, message, STILL_LAWFUL.format(most=figures["warn_consecutive"] - 1))


def _full_weeks(case: Case, days: Iterable[date], most: int) -> Iterator[Remark]:
    weeks: dict[date, int] = {}
    for day in days:
        weeks[monday_of(day)] = weeks.get(monday_of(day), 0) + 1
    for monday, count in weeks.items():
        if count > most:
            week = whole_week(monday, case.employer.zone)
            message = WEEK_FULL.format(count=count, week=wording.days(case, week), most=most)
            yield Remark("hard", *week, message, LEAVE_FREE.format(count=count - most))


def _whole(case: Case, first: date, last: date) -> Stretch:
    zone = case.employer.zone
    return Stretch(midnight(first, zone), midnight(last + DAY, zone))
