"""What we remember: rows and queries; nothing here commits."""

from bot.store import alerts, cards, db, journal, traffic

__all__ = ["alerts", "cards", "db", "journal", "traffic"]
