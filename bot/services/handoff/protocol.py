"""Which step of a handoff is when, and whom it reaches: the table of the protocol, by direction; pure.

In the evening the day side writes its line by the end of its active day: later would be work in its rest. The night side is
asked nothing before its shift, and nothing after it; the day side is contacted neither after the duty passed to the partner
nor before it comes back. All lengths are elapsed time, so that clock changes move nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TO_PARTNER, TO_OWN, WITHIN = "to_partner", "to_own", "within"
Whom = Literal["outgoing", "incoming", "secondary", "lead", "standby"]

ASK_LINE, DRAFT, REMIND_LINE, SUBMIT = "ask line", "draft", "remind line", "submit"
PASS, TRANSFER, CALL, REMIND = "pass", "transfer", "call incoming", "remind incoming"
SECONDARY, LEAD, MISS, STANDBY = "call secondary", "call lead", "miss", "stand by"
AGAIN = "ask again"                     # not at a time: within an evening's intervention, once

MINUTE = timedelta(minutes=1)
ASK_BEFORE = 30 * MINUTE                # the end of the active day
DRAFT_BEFORE, LINE_BEFORE, SUBMIT_BEFORE = 60 * MINUTE, 10 * MINUTE, 5 * MINUTE
SECONDARY_AFTER = 10 * MINUTE
EVENING = timedelta(hours=4)            # what counts as the end of a day without active hours: so long before the duty passes
LONGEST_EVENING = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Times:
    """Between which instants (UTC) a handoff lies."""

    direction: str
    begun_at: datetime              # since when the outgoing team has had the duty
    day_ends: datetime | None       # when its active hours end; None: it has none
    passes_at: datetime
    over_at: datetime               # when the duty passes on again


@dataclass(frozen=True, slots=True)
class Step:
    """One step; after `until` it has lost its sense."""

    name: str
    at: datetime
    until: datetime | None = None
    whom: Whom | None = None


def line_due(times: Times) -> datetime:
    """By when the outgoing person's line is wanted."""
    last = times.passes_at - LINE_BEFORE
    if times.direction != TO_PARTNER:
        return last
    if times.day_ends is None or times.passes_at - times.day_ends > LONGEST_EVENING:
        return max(times.begun_at, times.passes_at - EVENING)
    return min(times.day_ends, last)


def drafted_at(times: Times) -> datetime:
    """From when on the machine keeps the note: the end of the active day, else an hour before."""
    return max(times.begun_at, min(line_due(times), times.passes_at - DRAFT_BEFORE))


def accept_due(times: Times) -> datetime:
    """By when it should be accepted: in the evening sooner, for nobody of the other side can be asked."""
    return times.passes_at + (10 if times.direction == TO_PARTNER else 15) * MINUTE


def is_late_evening(times: Times) -> bool:
    """Whether the outgoing person's line is due long before the duty passes: then they are not asked again for nothing."""
    return line_due(times) < times.passes_at - DRAFT_BEFORE


def steps(times: Times) -> tuple[Step, ...]:
    """All steps, in order."""
    return tuple(sorted((*_before(times), *_after(times)), key=lambda each: each.at))


def _before(times: Times) -> tuple[Step, ...]:
    submit = times.passes_at - SUBMIT_BEFORE
    draft, due = drafted_at(times), line_due(times)
    kept = Step(DRAFT, draft)
    if is_late_evening(times):
        return Step(ASK_LINE, max(times.begun_at, due - ASK_BEFORE), due, "outgoing"), kept, Step(SUBMIT, submit)
    asked = Step(ASK_LINE, draft, due, "outgoing")
    return kept, asked, Step(REMIND_LINE, due, submit, "outgoing"), Step(SUBMIT, submit)


def _after(times: Times) -> tuple[Step, ...]:
    begin, over = times.passes_at, times.over_at
    reached = (
        Step(PASS, begin),
        Step(TRANSFER, begin, begin + 15 * MINUTE, "lead"),
        Step(CALL, begin, begin + 5 * MINUTE, "incoming"),
        Step(REMIND, begin + 5 * MINUTE, over, "incoming"),
        Step(SECONDARY, begin + SECONDARY_AFTER, over, "secondary"),
        Step(LEAD, begin + 15 * MINUTE, over, "lead"),
        Step(MISS, accept_due(times)),
    )
    own_sleeps_in = (Step(STANDBY, begin + 15 * MINUTE, over, "standby"),) if times.direction == TO_OWN else ()
    return (*reached, *own_sleeps_in)
