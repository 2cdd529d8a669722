"""R10: who works at night often enough is a night worker by law, and that needs an agreement or an authorisation."""

from collections.abc import Iterator

from bot.labour import Case, Figures, Remark, Severity, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import NONE, Stretch, midnight
from bot.labour.arithmetic.nights import Sum, most_in_a_year, patterns
from bot.labour.arithmetic.stretches import outline

BY_WEEK = "night worker by the usual week: {count} nights with {hours} or more of night work, {span}"
BY_YEAR = "night worker by the year: {hours} of night work in twelve months, {most} make one ({first} to {last})"
SOON = "{hours} of night work in twelve months, {most} make a night worker ({first} to {last})"
NO_GROUND = "; {employer} names no ground for night work ({needed})"
NAME_GROUND = "name it (night_basis), or keep below {nights} such nights a week and {most} a year"
LAWFUL = "as it stands, on the ground of {basis}; health is followed up, and the limits of night workers hold (R11)"
KEEP_BELOW = "as it stands; {left} are left before that"


@rule("R10", "night worker", {"hours", "forfait-jours"})
def night_worker(case: Case, figures: Figures) -> Iterator[Remark]:
    asked = Stretch(case.start, case.end)
    pattern = next((each for each in patterns(case, figures) if outline(each.nights).within(asked).length > NONE), None)
    most, limit = most_in_a_year(case, figures), figures.hours("hours_12m")
    if pattern:
        span = outline(pattern.nights)
        said = BY_WEEK.format(
            count=len(pattern.nights), hours=wording.hours(figures.hours("hours")), span=wording.from_to(case, *span)
        )
        yield _status(case, figures, span, said)
    if most.hours >= limit:
        yield _status(case, figures, _span(case, most), _of_year(BY_YEAR, most, figures))
    elif most.hours >= limit * figures["warn_ratio"]:
        left = KEEP_BELOW.format(left=wording.hours(limit - most.hours))
        yield Remark("warn", *_span(case, most), _of_year(SOON, most, figures), left)


def _status(case: Case, figures: Figures, span: Stretch, said: str) -> Remark:
    basis = case.employer.night_basis
    severity: Severity = "warn" if basis else "hard"
    ground = "" if basis else NO_GROUND.format(employer=case.employer.name, needed=figures["basis"])
    lawful = (LAWFUL if basis else NAME_GROUND).format(
        basis=basis, nights=figures["per_week"], most=wording.hours(figures.hours("hours_12m"))
    )
    return Remark(severity, *span, said + ground, lawful)


def _of_year(words: str, most: Sum, figures: Figures) -> str:
    return words.format(
        hours=wording.hours(most.hours), most=wording.hours(figures.hours("hours_12m")), first=wording.in_year(most.first),
        last=wording.in_year(most.last),
    )


def _span(case: Case, most: Sum) -> Stretch:
    """Up to the end of what is asked about: the sum still stands on each of its days."""
    return Stretch(midnight(most.first, case.employer.zone), case.end)
