"""R11: a night worker works less: by the shift, by the day, and by the mean of weeks."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.labour import Case, Figures, Remark, Severity, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import Stretch
from bot.labour.arithmetic.nights import night_of
from bot.labour.arithmetic.stretches import by_day, by_hours, grouped, outline, total, work_of
from bot.labour.arithmetic.sums import heaviest

NIGHT_LONG = "{hours} of work in one night, {most} allowed to a night worker: {span}{clocks}"
DAY_LONG = "{hours} of work in one day, {most} allowed to a night worker: {span}{clocks}"
LAWFUL = "end by {latest} ({over} less), or two people"
MANY = "{mean} of work a week over {weeks} weeks, {most} allowed to a night worker: {span}"
TAKE_OUT = "take {over} out of these weeks"


@rule("R11", "night worker's hours", {"hours", "forfait-jours"})
def night_work(case: Case, figures: Figures) -> Iterator[Remark]:
    if case.worker.night_worker:
        yield from _long_shifts(case, figures)
        yield from _mean(case, figures)


def _long_shifts(case: Case, figures: Figures) -> Iterator[Remark]:
    """Shifts that touch the night, then the days of which those have not spoken yet."""
    most, zone, work = figures.hours("night_max_day_h"), case.employer.zone, work_of(case)
    told: set[date] = set()
    for shift in grouped(work, figures.hours("shift_gap_h")):
        if total(shift) > most and by_hours(shift, night_of(case, figures), zone):
            told.update(by_day(shift, zone))
            yield _remark(case, NIGHT_LONG, shift, most)
    for day, pieces in by_day(work, zone).items():
        if total(pieces) > most and day not in told:
            yield _remark(case, DAY_LONG, pieces, most)


def _remark(case: Case, words: str, pieces: list[Stretch], most: timedelta) -> Remark:
    hours, span = total(pieces), outline(pieces)
    message = words.format(
        hours=wording.hours(hours), most=wording.hours(most), span=wording.from_to(case, *span),
        clocks=wording.clocks(case, *span),
    )
    over = hours - most
    lawful = LAWFUL.format(over=wording.hours(over), latest=wording.hour(case, span.end - over))
    return Remark(_severity(case), *span, message, lawful)


def _mean(case: Case, figures: Figures) -> Iterator[Remark]:
    most, found = figures.hours("night_avg_h"), heaviest(case, figures["weeks"])
    if found and found.hours > most:
        message = MANY.format(
            mean=wording.hours(found.hours), weeks=found.weeks, most=wording.hours(most), span=wording.days(case, found.span)
        )
        over = wording.hours((found.hours - most) * found.weeks)
        yield Remark(_severity(case), *found.span, message, TAKE_OUT.format(over=over))


def _severity(case: Case) -> Severity:
    """Whether these limits hold for people paid by the day is disputed: they are only told."""
    return "warn" if case.worker.regime == "forfait-jours" else "hard"
