"""R13: who is on call knows it long enough before; less needs a reason, and never less than one clear day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from bot.labour import TIMED, Case, Figures, Remark, Span, rule
from bot.labour.arithmetic import wording
from bot.labour.arithmetic.days import DAY, Stretch, local_day, midnight
from bot.labour.arithmetic.stretches import merged

NO_CLEAR_DAY = "on call {span}, known only since {known}: {clear} full day between, {needed} needed"
START_LATER = "start at {earliest} or later, or ask somebody who has known it longer"
NO_REASON = "on call {span}, known only since {known}: under {days} days, and no reason is given"
GIVE_REASON = "give the exceptional reason, or publish {days} days before"
REASON = "on call {span}, known only since {known}: under {days} days, because: {reason}"
LAWFUL = "as it stands, if the circumstances are exceptional; {days} days before need no reason"


class Told(NamedTuple):
    """On call, known since `at`."""

    span: Stretch
    at: datetime
    reason: str | None


@rule("R13", "notice of on-call time", TIMED)
def notice(case: Case, figures: Figures) -> Iterator[Remark]:
    zone = case.employer.zone
    for each in _told(case):
        earliest = midnight(local_day(each.at, zone) + (1 + figures["exceptional_clear_days"]) * DAY, zone)
        # By the calendar, not by seconds: a change of clocks in between takes no day away.
        known_for = _wall(case, each.span.start) - _wall(case, each.at)
        if each.span.start < earliest:
            yield _too_late(case, figures, each, earliest)
        elif known_for < timedelta(days=figures["notice_days"]):
            yield _short(case, figures, each)


def _told(case: Case) -> Iterator[Told]:
    """Spans that touch and were told at once are one."""
    known = [each for each in case.spans if each.kind == "on_call" and each.published_at is not None]
    for key, spans in groupby(sorted(known, key=_telling), _telling):
        for span in merged(spans):
            yield Told(span, datetime.fromisoformat(key[0]), key[1] or None)


def _telling(span: Span) -> tuple[str, str]:
    return (span.published_at.isoformat() if span.published_at else "", span.reason or "")


def _too_late(case: Case, figures: Figures, told: Told, earliest: datetime) -> Remark:
    days = local_day(told.span.start, case.employer.zone) - local_day(told.at, case.employer.zone)
    message = NO_CLEAR_DAY.format(
        span=wording.from_to(case, *told.span), known=wording.instant(case, told.at), clear=max(days.days - 1, 0) or "no",
        needed=figures["exceptional_clear_days"],
    )
    return Remark("hard", *told.span, message, START_LATER.format(earliest=wording.instant(case, earliest)))


def _short(case: Case, figures: Figures, told: Told) -> Remark:
    words = {
        "span": wording.from_to(case, *told.span), "known": wording.instant(case, told.at), "days": figures["notice_days"],
        "reason": told.reason,
    }
    message, lawful = (REASON, LAWFUL) if told.reason else (NO_REASON, GIVE_REASON)
    return Remark("warn", *told.span, message.format(**words), lawful.format(**words))


def _wall(case: Case, at: datetime) -> datetime:
    return at.astimezone(case.employer.zone).replace(tzinfo=None)
