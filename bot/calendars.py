"""Public holidays, by country and part of it."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

import holidays

UNKNOWN = 'no calendar of public holidays is called "{name}": a country as in FR, or with a part of it as in FR-57'


class UnknownCalendar(ValueError):
    """There is no such calendar."""


@lru_cache(maxsize=64)
def public_holidays(calendar: str, year: int) -> Mapping[date, str]:
    """The public holidays of a year with their names: FR, or FR-57 for the Moselle. Raises UnknownCalendar."""
    country, _, part = calendar.partition("-")
    try:
        return dict(holidays.country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError as error:
        raise UnknownCalendar(UNKNOWN.format(name=calendar)) from error
