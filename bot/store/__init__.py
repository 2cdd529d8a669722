"""What we remember: rows and queries; nothing here commits."""

from bot.store import alerts, approvals, cards, db, handoffs, journal, pages, runs, shifts, traffic

__all__ = ["alerts", "approvals", "cards", "db", "handoffs", "journal", "pages", "runs", "shifts", "traffic"]
