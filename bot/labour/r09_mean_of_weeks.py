"""R09: the mean of the weeks, over any weeks in a row."""

from collections.abc import Iterator

from bot.labour import Case, Figures, Remark, Severity, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.sums import Mean, heaviest

MANY = "{mean} of work a week over {weeks} weeks, {most} allowed: {span}"
CLOSE = "{mean} of work a week over {weeks} weeks, close to the {most} that are allowed: {span}"
LAWFUL = "take {over} out of these weeks"
ROOM = "as it stands; {left} are left in these weeks"


@rule("R09", "mean of weeks", {"hours"})
def mean_of_weeks(case: Case, figures: Figures) -> Iterator[Remark]:
    found = heaviest(case, figures["weeks"])
    if found and found.hours > figures.hours("max_avg_h"):
        yield _remark(case, figures, found, "hard")
    elif found and found.hours >= figures.hours("warn_avg_h"):
        yield _remark(case, figures, found, "warn")


def _remark(case: Case, figures: Figures, mean: Mean, severity: Severity) -> Remark:
    most = figures.hours("max_avg_h")
    message = (MANY if severity == "hard" else CLOSE).format(
        mean=wording.hours(mean.hours), weeks=mean.weeks, most=wording.hours(most), span=wording.days(case, mean.span)
    )
    apart = wording.hours(abs(mean.hours - most) * mean.weeks)
    return Remark(severity, *mean.span, message, (LAWFUL if severity == "hard" else ROOM).format(over=apart, left=apart))
