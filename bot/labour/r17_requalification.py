"""R17: on call with so little freedom that a judge may call it work: very fast to answer, or called very often."""

from collections.abc import Iterator
from datetime import date, timedelta

from bot.labour import EVERYBODY, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import NONE, Stretch
from bot.labour.arithmetic.stretches import merged, of_kinds, outline

FAST = "{given} to be at it when called, and under {least} a judge may take on call for work: {count} times, {span}"
SLOWER = "give at least {least}, or plan and pay it as work"
OFTEN = "called {count} times in one night, more than {most}: {span}"
FEWER = "plan such nights as work, or find out what wakes people"
HALF_A_DAY = timedelta(hours=12)


@rule("R17", "requalification", EVERYBODY - {"executive"})
def requalification(case: Case, figures: Figures) -> Iterator[Remark]:
    yield from _fast(case, timedelta(minutes=figures["min_response_min"]))
    for calls in _nights(case):
        if len(calls) > figures["max_interventions_per_night"]:
            span = outline(calls)
            message = OFTEN.format(
                count=len(calls), most=figures["max_interventions_per_night"], span=wording.from_to(case, *span)
            )
            yield Remark("warn", *span, message, FEWER)


def _fast(case: Case, least: timedelta) -> Iterator[Remark]:
    """Once for all of the time that is asked about: the response time is that of a team, not of a night."""
    asked = Stretch(case.start, case.end)
    hurried = [
        each for each in case.spans if each.kind == "on_call" and each.respond_within is not None
        and each.respond_within < least and Stretch(each.start, each.end).within(asked).length > NONE
    ]
    for given in sorted({each.respond_within for each in hurried if each.respond_within is not None}):
        times = merged(each for each in hurried if each.respond_within == given)
        span = outline(times)
        message = FAST.format(
            given=wording.hours(given), least=wording.hours(least), count=len(times), span=wording.from_to(case, *span)
        )
        yield Remark("warn", *span, message, SLOWER.format(least=wording.hours(least)))


def _nights(case: Case) -> Iterator[list[Stretch]]:
    """The calls from noon to noon."""
    nights: dict[date, list[Stretch]] = {}
    for each in of_kinds(case, {"intervention"}):
        wall = each.start.astimezone(case.employer.zone).replace(tzinfo=None)
        nights.setdefault((wall - HALF_A_DAY).date(), []).append(each)
    yield from nights.values()
