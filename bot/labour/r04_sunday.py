"""R04: work on a Sunday needs a ground in law; with one, the premium of an agreement is told."""

from collections.abc import Iterator

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.premiums import sunday_premiums, sundays

NO_GROUND = "work on a Sunday, {span}, and {employer} names no ground for it"
NAME_GROUND = "name what allows it (sunday_basis: {grounds}), plan on call instead, or leave the Sunday free"
GROUNDED = "work on a Sunday, {span}, on the ground of {basis}{premium}"
LAWFUL = "as it stands, on that ground; the weekly rest is then given on another day"


@rule("R04", "Sunday", TIMED)
def sunday(case: Case, figures: Figures) -> Iterator[Remark]:
    basis, premiums = case.employer.sunday_basis, sunday_premiums(case, figures)
    for day, span in sundays(case).items():
        when = wording.from_to(case, *span)
        if basis is None:
            message = NO_GROUND.format(span=when, employer=case.employer.name)
            yield Remark("hard", *span, message, NAME_GROUND.format(grounds=figures["grounds"]))
        else:
            premium = f"; {premiums[day].says}" if day in premiums else ""
            yield Remark("warn", *span, GROUNDED.format(span=when, basis=basis, premium=premium), LAWFUL)
