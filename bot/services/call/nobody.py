"""When nobody can be called at all, that is an alert of its own; it is over when somebody can be again."""

from datetime import datetime

from bot.services.alert import own
from bot.services.alert.own import Own
from bot.services.desk import Desk
from bot.store import escalations

NAME = "nobody-reachable"
TITLE = "nobody can be called: everybody is in blackout, or nobody is on call"
SUMMARY = "{count} callings wait since {at:%H:%M} UTC and are tried again each minute. Somebody must be on duty."
AGAIN = "somebody can be called again"


def settle(desk: Desk, now: datetime) -> None:
    """Opens or ends the alert, as the callings say."""
    with desk.read() as connection:
        itself = own.number(connection, NAME)
        waiting = [each for each in escalations.with_nobody(connection) if itself is None or each.alert_id != itself]
    is_open = itself is not None
    if bool(waiting) == is_open:
        return
    since = min((each.nobody_since for each in waiting if each.nobody_since), default=now)
    summary = SUMMARY.format(count=len(waiting), at=since) if waiting else AGAIN
    own.say(desk, [Own(NAME, TITLE, summary)], firing=bool(waiting))
