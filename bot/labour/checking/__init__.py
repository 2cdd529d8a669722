"""The way in: what the rules find in somebody's time, and what publishing, interventions and statements ask besides."""

from bot.labour.arithmetic.nights import night_fault, night_hours, night_worker
from bot.labour.arithmetic.premiums import Premium, sunday_premiums
from bot.labour.arithmetic.rests import earliest_start
from bot.labour.checking.changes import ChangeNight, change_nights
from bot.labour.checking.examining import about, examine

__all__ = [
    "ChangeNight", "Premium", "about", "change_nights", "earliest_start", "examine", "night_fault", "night_hours",
    "night_worker", "sunday_premiums",
]
