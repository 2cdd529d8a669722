"""The demo's hours: its night is now, whenever it is started, and the evening before it is played first."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.ports import SystemClock

NIGHT = 2               # the hour of the story that the present one is made
EVENING = timedelta(hours=8)    # before the night: nobody is in blackout
ZONE = ZoneInfo("Europe/Paris")
DAY = 24

_HOURS = re.compile(r"\b([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\b")


def at_night(text: str, now: datetime) -> str:
    """A vigie.yaml whose hours are moved so that it is two o'clock at night now; every line stays where it is."""
    later = moved_by(now)

    def moved(found: re.Match[str]) -> str:
        first, last = ((int(found[hour]) + later) % DAY for hour in (1, 3))
        return f"{first:02d}:{found[2]}-{last:02d}:{found[4]}"

    return _HOURS.sub(moved, text)


def moved_by(now: datetime) -> int:
    """So many hours later than in life are the demo's."""
    return (now.astimezone(ZONE).hour - NIGHT) % DAY


class StoryClock:
    """The real time; but while the evening before is played, eight hours ago."""

    def __init__(self, evening: bool) -> None:
        self._clock, self._behind = SystemClock(), EVENING if evening else timedelta()

    def now(self) -> datetime:
        return self._clock.now() - self._behind

    def night_falls(self) -> None:
        self._behind = timedelta()
