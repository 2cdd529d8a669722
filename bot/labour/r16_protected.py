"""R16: people who may not work at night, or not be on call; the rule knows that they may not, never why."""

from collections.abc import Iterator

from bot.labour import EVERYBODY, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import Hours
from bot.labour.arithmetic.nights import night_of
from bot.labour.arithmetic.stretches import by_hours, merged, of_kinds, outline

AT_NIGHT = "{span} is night, and this person may not have nights"
ON_CALL = "on call {span}, and this person may not be on call"
GIVE_AWAY = "give it to somebody else"


@rule("R16", "protected persons", EVERYBODY)
def protected(case: Case, figures: Figures) -> Iterator[Remark]:
    minor = case.worker.regime == "under-18"
    if minor or "no_night" in case.worker.flags:
        night = Hours.parse(figures["night.under-18"]) if minor else night_of(case, figures)
        for pieces in by_hours(merged(case.spans), night, case.employer.zone).values():
            span = outline(pieces)
            yield Remark("hard", *span, AT_NIGHT.format(span=wording.from_to(case, *span)), GIVE_AWAY)
    if "no_on_call" in case.worker.flags:
        for span in of_kinds(case, {"on_call", "intervention"}):
            yield Remark("hard", *span, ON_CALL.format(span=wording.from_to(case, *span)), GIVE_AWAY)
