"""R15: nothing of ours in an employer's blackout, and no planned work in the rest that it has posted."""

from collections.abc import Iterator

from bot.labour import EVERYBODY, Case, Figures, Remark, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import Hours, Stretch
from bot.labour.arithmetic.stretches import AT_WORK, merged, of_kinds, work_of

IN_BLACKOUT = "{span} lies in the blackout of {employer}, {hours}"
GIVE_AWAY = "give these hours to people of another organisation; only break-glass reaches its one approver"
IN_REST = "planned work {span} lies in the posted rest of {employer}, {hours}{clocks}"
OUTSIDE = "plan work outside of {rest}; on call is allowed there"


@rule("R15", "blackout and posted rest", EVERYBODY)        # no waiver: breaking the glass reaches one person, it plans nobody
def blackout(case: Case, figures: Figures) -> Iterator[Remark]:
    employer = case.employer
    # What was planned may not touch it at all; of what was, only work did: nobody on call was reached.
    spans = merged(case.spans) if case.view == "planned" else work_of(case)
    if employer.blackout:
        for each in _parts(case, spans, employer.blackout):
            message = IN_BLACKOUT.format(
                span=wording.from_to(case, *each), employer=employer.name, hours=employer.blackout
            )
            yield Remark("hard", *each, message, GIVE_AWAY)
    if employer.posted_rest and case.view == "planned":
        yield from _posted(case, figures, employer.posted_rest)


def _parts(case: Case, spans: list[Stretch], hours: str) -> Iterator[Stretch]:
    for each in spans:
        for _, window in Hours.parse(hours).touching(each.start, each.end, case.employer.zone):
            yield each.within(window)


def _posted(case: Case, figures: Figures, hours: str) -> Iterator[Remark]:
    """The rest ends when it is posted to end, and is never shorter than the law's: it opens earlier when clocks take an hour."""
    zone, least = case.employer.zone, figures.hours("posted_rest_h")
    for each in of_kinds(case, AT_WORK):
        for _, window in Hours.parse(hours).touching(each.start, each.end + least, zone):
            rest = Stretch(min(window.start, window.end - least), window.end)
            part = each.within(rest)
            if part.start < part.end:
                message = IN_REST.format(
                    span=wording.from_to(case, *part), employer=case.employer.name, hours=hours,
                    clocks=wording.clocks(case, *rest),
                )
                yield Remark("hard", *part, message, OUTSIDE.format(rest=wording.from_to(case, *rest)))
