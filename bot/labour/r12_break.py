"""R12: who works so many hours of a day has a break, or somebody beside who covers it."""

from collections.abc import Iterator
from datetime import timedelta

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import NONE, Stretch
from bot.labour.arithmetic.stretches import AT_WORK, by_day, grouped, merged, of_kinds, outline, total

NO_BREAK = "{hours} of work in one day without a break: {span}"
LAWFUL = "plan a break of {pause} before {until}, or a second person to cover it"


@rule("R12", "break", TIMED)
def pause(case: Case, figures: Figures) -> Iterator[Remark]:
    """A break is due as soon as a shift reaches the hours; a gap in the plan or somebody beside makes room for it."""
    regime, zone = case.worker.regime, case.employer.zone
    after, length = figures.hours("break_after_h", regime), timedelta(minutes=figures.of("break_min", regime))
    covered = by_day(merged(each for each in case.spans if each.covered and each.kind in AT_WORK), zone)
    for day, pieces in by_day(of_kinds(case, AT_WORK), zone).items():
        if max((each.length for each in covered.get(day, ())), default=NONE) >= length:
            continue
        for shift in grouped(pieces, figures.hours("shift_gap_h")):
            unbroken = grouped(shift, length)[0]
            if total(unbroken) >= after:
                yield _remark(case, unbroken, after, length)


def _remark(case: Case, unbroken: list[Stretch], after: timedelta, length: timedelta) -> Remark:
    span = outline(unbroken)
    message = NO_BREAK.format(hours=wording.hours(total(unbroken)), span=wording.from_to(case, *span))
    lawful = LAWFUL.format(pause=wording.hours(length), until=wording.hour(case, span.start + after))
    return Remark("warn", *span, message, lawful)
