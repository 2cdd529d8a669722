"""Night and blackout of a month: which of them holds an instant, and how many minutes of work lie in them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.config import Config
from bot.labour.arithmetic.days import Hours, Stretch
from bot.labour.arithmetic.stretches import by_hours
from bot.review.arithmetic.stretches import merged, minutes
from bot.review.facts import Month

NIGHT = "21:00-06:00"                   # the law's (L3122-2), whatever an employer's own night is: both sides by one measure
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of each day by the clocks of one zone; each stretch of them is called by the day on which it begins."""

    hours: Hours
    zone: ZoneInfo

    def day_of(self, at: datetime) -> date | None:
        """The day on which the stretch begins that holds this instant; None outside of them."""
        return next((day for day, _ in self.hours.touching(at, at + MOMENT, self.zone)), None)

    def days(self, start: datetime, end: datetime) -> list[date]:
        """The days on which those begin that have a part in [start, end)."""
        return [day for day, _ in self.hours.touching(start, end, self.zone)] if start < end else []

    def days_of(self, stretches: Iterable[Stretch]) -> set[date]:
        """The days on which those begin that have a part in one of these stretches."""
        return set(by_hours(stretches, self.hours, self.zone))

    def minutes(self, stretches: Iterable[Stretch]) -> float:
        """How much of these stretches lies in them."""
        return sum(minutes(pieces) for pieces in by_hours(stretches, self.hours, self.zone).values())


def own(config: Config) -> str | None:
    """The organisation that owns the platform."""
    return next((key for key, each in config.organisations.items() if each.kind == "own"), None)


def night(config: Config, organisation: str | None, month: Month) -> Window:
    """The night by the clocks of that organisation; of one that is not known, by those of the month."""
    found = config.organisations.get(organisation or "")
    return Window(Hours.parse(NIGHT), ZoneInfo(found.timezone if found else month.zone))


def dark(config: Config, organisation: str | None, month: Month, stretch: Stretch) -> list[Stretch]:
    """What of a stretch lies in the night of that organisation or in the blackout; what lies in both once."""
    windows = [each for each in (night(config, organisation, month), blackout(config)) if each is not None]
    return merged(
        piece for each in windows for pieces in by_hours([stretch], each.hours, each.zone).values() for piece in pieces
    )


def blackout(config: Config) -> Window | None:
    """The hours in which nothing may reach the people of the platform's owner; None: it has none."""
    found = config.organisations.get(own(config) or "")
    return Window(Hours.parse(found.blackout), ZoneInfo(found.timezone)) if found and found.blackout else None
