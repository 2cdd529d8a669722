"""R18: how much of nights, weekends and weeks on call one person carries; no law sets a figure, health does."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date

from bot.labour import EVERYBODY, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import DAY, WEEK, Hours, Stretch, midnight, monday_of, runs, whole_week
from bot.labour.arithmetic.premiums import SUNDAY
from bot.labour.arithmetic.stretches import by_day, by_hours, merged, of_kinds

WEEKS = "on call {count} weeks in a row, {days}; at most {most} is advised"
NIGHTS = "{count} nights within 28 days, {days}; at most {most} are advised"
WEEKENDS = "{count} weekends within 28 days, {days}; at most {most} are advised"
SHARE = "share them among more people"
WINDOW = 28
SATURDAY = SUNDAY - 1


@rule("R18", "fairness and load", EVERYBODY)
def load(case: Case, figures: Figures) -> Iterator[Remark]:
    zone, on_duty = case.employer.zone, merged(case.spans)
    yield from _weeks(case, figures)
    nights = sorted(by_hours(on_duty, Hours.parse(figures["night"]), zone))
    yield from _most(case, nights, NIGHTS, figures["max_nights_per_28d"])
    weekends = {monday_of(day) + SATURDAY * DAY for day in by_day(on_duty, zone) if day.weekday() >= SATURDAY}
    yield from _most(case, sorted(weekends), WEEKENDS, figures["max_weekends_per_28d"])


def _weeks(case: Case, figures: Figures) -> Iterator[Remark]:
    """A week counts when it has several days on call: a turn that ends on Monday morning does not begin another week."""
    days: dict[date, int] = {}
    for day in by_day(of_kinds(case, {"on_call"}), case.employer.zone):
        days[monday_of(day)] = days.get(monday_of(day), 0) + 1
    mondays = sorted(monday for monday, count in days.items() if count >= figures["oncall_week_days"])
    for first, last in runs(mondays, WEEK):
        count = (last - first) // WEEK + 1
        if count > figures["max_consecutive_oncall_weeks"]:
            span = whole_week(first, case.employer.zone, count)
            message = WEEKS.format(count=count, days=wording.days(case, span), most=figures["max_consecutive_oncall_weeks"])
            yield Remark("warn", *span, message, SHARE)


def _most(case: Case, days: list[date], words: str, most: int) -> Iterator[Remark]:
    """The fullest 28 days that reach into what is asked about, if they are too full."""
    windows = [_window(case, days[index : bisect_right(days, first + (WINDOW - 1) * DAY)]) for index, first in enumerate(days)]
    touching = [(span, count) for span, count in windows if span.start < case.end and span.end > case.start]
    span, count = max(touching, key=lambda each: each[1], default=(None, 0))
    if span and count > most:
        message = words.format(count=count, days=wording.days(case, span), most=most)
        yield Remark("warn", *span, message, SHARE)


def _window(case: Case, days: list[date]) -> tuple[Stretch, int]:
    zone = case.employer.zone
    return Stretch(midnight(days[0], zone), midnight(days[-1] + DAY, zone)), len(days)
