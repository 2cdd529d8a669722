"""What we remember: rows and queries; nothing here commits."""

from bot.store import alerts, approvals, cards, db, deferrals, gaps, handoffs, journal, pages, programmes, runs, shifts, traffic

__all__ = [
    "alerts", "approvals", "cards", "db", "deferrals", "gaps", "handoffs", "journal", "pages", "programmes", "runs", "shifts",
    "traffic",
]
