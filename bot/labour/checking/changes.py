"""R00: the nights in which clocks change, to be told with whatever is published over them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.labour.arithmetic.days import DAY, Hours, Stretch, local_day
from bot.labour.arithmetic.wording import hours

NIGHT, USUAL = Hours.parse("00:00-08:00"), timedelta(hours=8)
LASTS = "the night to {day:%a %-d %b %Y} lasts {length} from 00:00 to 08:00 instead of {usual}: clocks go {way} ({zone})"


@dataclass(frozen=True, slots=True)
class ChangeNight:
    """The night (00:00 to 08:00) of the day on which clocks change."""

    day: date
    span: Stretch
    zone: ZoneInfo

    @property
    def length(self) -> timedelta:
        return self.span.length

    def __str__(self) -> str:
        way = "back" if self.length > USUAL else "forward"
        return LASTS.format(day=self.day, length=hours(self.length), usual=hours(USUAL), way=way, zone=self.zone.key)


def change_nights(zone: ZoneInfo, start: datetime, end: datetime) -> list[ChangeNight]:
    """Those that have a part in [start, end)."""
    found, day = [], local_day(start, zone)
    while day <= local_day(end, zone):
        night = ChangeNight(day, NIGHT.on(day, zone), zone)
        if night.length != USUAL and night.span.start < end and night.span.end > start:
            found.append(night)
        day += DAY
    return found
