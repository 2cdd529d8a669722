"""What we remember: rows and queries; nothing here commits."""

from bot.store import (
    alerts,
    approvals,
    cards,
    db,
    decisions,
    deferrals,
    gaps,
    groups,
    handoffs,
    incidents,
    journal,
    measures,
    notes,
    observations,
    pages,
    programmes,
    reviews,
    runs,
    shifts,
    traffic,
    verdicts,
)

__all__ = [
    "alerts", "approvals", "cards", "db", "decisions", "deferrals", "gaps", "groups", "handoffs", "incidents", "journal",
    "measures", "notes", "observations", "pages", "programmes", "reviews", "runs", "shifts", "traffic", "verdicts",
]
