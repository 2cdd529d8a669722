"""R08: at most so many hours of work in a civil week, whatever the other weeks are."""

from collections.abc import Iterator

from bot.labour import Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import whole_week
from bot.labour.arithmetic.sums import weekly_work

LONG = "{hours} of work in the week {week}, {most} allowed{clocks}"
LAWFUL = "take {over} out of that week"


@rule("R08", "weekly work", {"hours"})
def weekly_work_of(case: Case, figures: Figures) -> Iterator[Remark]:
    most = figures.hours("max_week_h")
    for monday, hours in weekly_work(case).items():
        if hours > most:
            week = whole_week(monday, case.employer.zone)
            message = LONG.format(
                hours=wording.hours(hours), week=wording.days(case, week), most=wording.hours(most),
                clocks=wording.clocks(case, *week),
            )
            yield Remark("hard", *week, message, LAWFUL.format(over=wording.hours(hours - most)))
