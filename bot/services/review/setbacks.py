"""A month whose review breaks by a fault of ours: tried again after a while and then every hour, told once.

The journal remembers the tries, so that all workers keep the same pace, also after they were started anew.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.config import Config
from bot.review.facts import Month
from bot.review.forms import wording
from bot.services.alert.response import clock_time
from bot.services.desk import VIGIE, Desk
from bot.services.leave import duty
from bot.services.ledger import journal as ledger
from bot.services.review import choosing
from bot.services.slack.drawing import escape
from bot.store import cards, journal, reviews

TOLD = (
    "⚠ The review of {month} could not be made: {fault}, a fault of Vigie's own. It is tried again at {at}, then every hour, and "
    "sealed as soon as it can be. The log has the whole story: tell us. `{command} status` says when it is tried next."
)
LINE = "*Review of {month}* is not sealed: {fault}, a fault of Vigie's own, since {since}; tried again at {at}"

NOT_SEALED = "review not sealed"
SOON, LATER = timedelta(minutes=5), timedelta(hours=1)
MOST_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class Setback:
    """A month that broke, since when, and when it is tried again."""

    month: str
    fault: str
    since: datetime
    last: datetime

    @property
    def again_at(self) -> datetime:
        return self.last + (SOON if self.last - self.since < SOON else LATER)


def of(connection: sa.Connection, month: str) -> Setback | None:
    """What holds a month up; None: nothing, or it is sealed."""
    entries = journal.about(connection, [f"review:{month}"], MOST_ENTRIES)
    failed = [each for each in entries if each.kind == NOT_SEALED and each.outcome == "failed"]
    if not failed or reviews.sealed(connection, month) is not None:
        return None
    return Setback(month, json.loads(failed[-1].details)["fault"], failed[0].at, failed[-1].at)


def is_waiting(connection: sa.Connection, month: str, now: datetime) -> bool:
    found = of(connection, month)
    return found is not None and now < found.again_at


def remember(desk: Desk, fault: Exception, month: Month) -> None:
    """Writes the try down, and tells it the first time. A database that is away is no fault of the review."""
    if isinstance(fault, sa.exc.OperationalError):
        return
    now, name = desk.clock.now(), type(fault).__name__
    try:
        with desk.begin("review failed") as connection:
            about = f"review:{month.name}"
            ledger.record(connection, actor=VIGIE, kind=NOT_SEALED, object=about, outcome="failed", at=now, fault=name)
            _tell(connection, desk.config, month, name, now)
    except sa.exc.IntegrityError:       # another process told it in this instant, and wrote it down
        return


def _tell(connection: sa.Connection, config: Config, month: Month, fault: str, now: datetime) -> None:
    channel = config.channels[config.review_channel or config.default_channel]
    said = TOLD.format(month=wording.month(month.name), fault=escape(fault), at=clock_time(now + SOON), command=config.command)
    due_at = duty.in_blackout(config, choosing.own(config), now) or now
    cards.add_notice(connection, f"review:fault:{month.name}", channel, said, now, due_at)


def standing(desk: Desk, connection: sa.Connection) -> Sequence[Setback]:
    """All that is held up now."""
    months = choosing.last_months(desk.config, desk.clock.now())
    return [found for month in months if (found := of(connection, month.name))]


def status(desk: Desk, connection: sa.Connection) -> Iterable[str]:
    """A line each for `status`."""
    for each in standing(desk, connection):
        yield LINE.format(
            month=wording.month(each.month), fault=each.fault, since=clock_time(each.since), at=clock_time(each.again_at),
        )
