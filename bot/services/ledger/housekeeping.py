"""What is done each day: the journal's head is posted, and what came in long ago is forgotten."""

from datetime import timedelta

from bot.services.desk import Desk
from bot.services.ledger import audit
from bot.store import cards, traffic

DAY = timedelta(days=1)


def act(desk: Desk, remember: timedelta) -> None:
    """Posts yesterday's head of the journal once; deliveries older than `remember` may come again as new."""
    now = desk.clock.now()
    with desk.begin("housekeeping") as connection:
        traffic.forget_inbound(connection, now - remember)
        channel = desk.config.review_channel
        head = audit.daily_head(connection, now.date() - DAY) or audit.first_head(connection) if channel else None
        if channel and head:
            cards.add_notice(connection, f"seal:{now.date()}", desk.config.channels[channel], head, now)
