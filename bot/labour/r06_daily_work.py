"""R06: at most so many hours of work in a civil day."""

from collections.abc import Iterator

from bot.labour import Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.stretches import by_day, outline, total, work_of

LONG = "{hours} of work in one day, {most} allowed: {span}{clocks}"
LAWFUL = "take {over} out of that day, or two people"


@rule("R06", "daily work", {"hours", "under-18"})
def daily_work(case: Case, figures: Figures) -> Iterator[Remark]:
    most = figures.hours("max_day_h", case.worker.regime)
    for pieces in by_day(work_of(case), case.employer.zone).values():
        hours, span = total(pieces), outline(pieces)
        if hours > most:
            message = LONG.format(
                hours=wording.hours(hours), most=wording.hours(most), span=wording.from_to(case, *span),
                clocks=wording.clocks(case, *span),
            )
            yield Remark("hard", *span, message, LAWFUL.format(over=wording.hours(hours - most)))
