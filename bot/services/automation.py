"""What Vigie does about alerts by itself: decides what is undecided, and starts what it may."""

from bot.services.desk import Desk


def act(desk: Desk) -> int:
    """Decides about alerts that nobody has decided about yet; returns how many. Safe to repeat."""
    return 0
