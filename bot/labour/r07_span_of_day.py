"""R07: at most so many hours from the first start to the last end of work in a civil day."""

from collections.abc import Iterator

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.stretches import by_day, outline, work_of

LONG = "{length} from the first start to the last end of work in one day, {most} allowed: {span}{clocks}"
LAWFUL = "end by {latest}, or start {later} later"


@rule("R07", "span of the day", TIMED)
def span_of_day(case: Case, figures: Figures) -> Iterator[Remark]:
    most = figures.hours("max_span_h")
    for pieces in by_day(work_of(case), case.employer.zone).values():
        span = outline(pieces)
        if span.length > most:
            message = LONG.format(
                length=wording.hours(span.length), most=wording.hours(most), span=wording.from_to(case, *span),
                clocks=wording.clocks(case, *span),
            )
            lawful = LAWFUL.format(latest=wording.hour(case, span.start + most), later=wording.hours(span.length - most))
            yield Remark("hard" if case.view == "planned" else "warn", *span, message, lawful)
