"""R05: public holidays; those that nobody may work without a ground, and the others, which are told."""

from collections.abc import Iterator
from datetime import date

from bot.labour import TIMED, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import Stretch
from bot.labour.arithmetic.stretches import by_day, outline, work_of

COMPULSORY = "work on {name}, a compulsory day off: {span}, and {employer} names no ground for it"
NAME_GROUND = "name why the work cannot be interrupted (may1_basis), plan on call instead, or leave the day free"
GROUNDED = "work on {name}: {span}, on the ground that it cannot be interrupted ({basis})"
DOUBLE = "as it stands, on that ground; the day is paid double"
PROTECTED = "work on {name}: {span}, of somebody under 18"
NOT_THEM = "give the day to an adult"
HOLIDAY = "work on {name}, a public holiday: {span}"
RECOVER = "as it stands; see whether an agreement wants the day recovered, or a premium paid"


@rule("R05", "public holidays", TIMED)
def public_holidays(case: Case, figures: Figures) -> Iterator[Remark]:
    for day, pieces in by_day(work_of(case), case.employer.zone).items():
        compulsory = f"{day:%m-%d}" in figures["compulsory"]
        if compulsory or day in case.employer.holidays:
            yield _remark(case, day, outline(pieces), compulsory)


def _remark(case: Case, day: date, span: Stretch, compulsory: bool) -> Remark:
    basis = case.employer.may1_basis
    words = {
        "name": case.employer.holidays.get(day, wording.on(day)), "span": wording.from_to(case, *span),
        "employer": case.employer.name, "basis": basis,
    }
    if case.worker.regime == "under-18":
        return Remark("hard", *span, PROTECTED.format(**words), NOT_THEM)
    if compulsory and basis is None:
        return Remark("hard", *span, COMPULSORY.format(**words), NAME_GROUND)
    if compulsory:
        return Remark("warn", *span, GROUNDED.format(**words), DOUBLE)
    return Remark("warn", *span, HOLIDAY.format(**words), RECOVER)
