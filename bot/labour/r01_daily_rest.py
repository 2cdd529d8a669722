"""R01: enough hours in a row free of work between two working days; a call before they are complete begins them anew."""

from collections.abc import Iterator

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import DAY, SECOND, Stretch, local_day
from bot.labour.arithmetic.rests import Rest, longest, rests, working_days

SHORT = "{rest} of rest between two working days, {needed} needed: {span}{clocks}"
CALLED = "called in the rest, which is at most {rest} in a row, {needed} needed: {span}{clocks}"
START_LATER = "start at {earliest} or later, or give that work to somebody else"
LONG = "{length} from the first to the last work leave less than {needed} of rest within 24 h: {span}{clocks}"
END_EARLIER = "end by {latest}, or two people"


@rule("R01", "daily rest", TIMED, waiver="urgent_works")
def daily_rest(case: Case, figures: Figures) -> Iterator[Remark]:
    needed = figures.hours("min_rest_h")
    for each in rests(case, figures):
        if longest(each.pieces) < needed:
            yield _short(case, figures, each)
    for day in working_days(case, figures):
        if day.length > DAY - needed and _overnight(case, day):
            yield _long(case, figures, day)


def _short(case: Case, figures: Figures, rest: Rest) -> Remark:
    """It is told of both working days, so that either may be changed."""
    needed = figures.hours("min_rest_h")
    start, end = rest.before.end, rest.after.start
    message = (CALLED if rest.calls else SHORT).format(
        rest=wording.hours(longest(rest.pieces)), needed=wording.hours(needed), span=wording.from_to(case, start, end),
        clocks=wording.clocks(case, start, end),
    )
    earliest = max([start, *(each.end for each in rest.calls)]) + needed
    return Remark(
        "hard", rest.before.start, rest.after.end, message, START_LATER.format(earliest=wording.instant(case, earliest))
    )


def _long(case: Case, figures: Figures, day: Stretch) -> Remark:
    needed = figures.hours("min_rest_h")
    message = LONG.format(
        length=wording.hours(day.length), needed=wording.hours(needed), span=wording.from_to(case, *day),
        clocks=wording.clocks(case, *day),
    )
    return Remark("hard", *day, message, END_EARLIER.format(latest=wording.instant(case, day.start + DAY - needed)))


def _overnight(case: Case, day: Stretch) -> bool:
    """Within one civil day it is the span of the day (R07) that speaks."""
    return local_day(day.start, case.employer.zone) != local_day(day.end - SECOND, case.employer.zone)
