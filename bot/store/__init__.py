"""What we remember: rows and queries; nothing here commits."""

from bot.store import (
    alerts,
    approvals,
    cards,
    db,
    deferrals,
    gaps,
    handoffs,
    incidents,
    journal,
    pages,
    programmes,
    reviews,
    runs,
    shifts,
    traffic,
)

__all__ = [
    "alerts", "approvals", "cards", "db", "deferrals", "gaps", "handoffs", "incidents", "journal", "pages", "programmes",
    "reviews", "runs", "shifts", "traffic",
]
