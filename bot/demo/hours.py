"""The demo's hours: its night is now, whenever it is started, and the evening before it is played first."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.ports import SystemClock

NIGHT = 2               # the hour of the story that the present one is made
EVENING = timedelta(hours=8)    # before the night: nobody is in blackout
ZONE = ZoneInfo("Europe/Paris")
DAY = 24
BOUNDARIES, SHOWN_TWICE = (0, 8, 20), 2
OUTSIDE = r", regime: none\1"
TURN_BEGAN = timedelta(days=3)

# Of a stretch of hours, of a boundary of a day, of a change of turns; never of a date, which has no colon.
_TIME = re.compile(r"\b([01]\d|2[0-3]):([0-5]\d)\b")
_TURNS = re.compile(r"starts: \d{4}-\d\d-\d\d}")
_OTHER_DAYS = re.compile(r"^      (?:saturday|sunday|holiday|holiday_eve):\n(?: {8}.*\n)+", re.MULTILINE)
_REGIME = re.compile(r"(?:, regime: [a-z-]+)?(,\s+contacts:)")    # of whoever takes turns


def at_night(text: str, now: datetime) -> str:
    """A vigie.yaml whose hours are moved so that it is two o'clock at night now, or one.

    Every day is a weekday in it, everybody's first turn began three days ago, and working-time rules hold for nobody, for they
    would judge hours that nobody works: so it is the same night whatever the date. Every line stays where it is, for reasons
    name the line of a rule.
    """
    later = moved_by(now)
    turn = f'starts: {now.astimezone(ZONE).date() - TURN_BEGAN}, changes_at: "{later:02d}:00"}}'

    def moved(found: re.Match[str]) -> str:
        return f"{(int(found[1]) + later) % DAY:02d}:{found[2]}"

    lines = _OTHER_DAYS.sub(_taken_out, _REGIME.sub(OUTSIDE, _TURNS.sub(turn, text))).split("\n")
    return "\n".join(each if each.startswith("#") or "changes_at" in each else _moved_line(each, moved) for each in lines)


def _taken_out(found: re.Match[str]) -> str:
    """The same lines as comments."""
    return "".join(f"#{line}" for line in found[0].splitlines(keepends=True))


def _moved_line(line: str, moved: Callable[[re.Match[str]], str]) -> str:
    """What stands in a comment stays as it is."""
    said, mark, comment = line.partition("  #")
    return _TIME.sub(moved, said) + mark + comment


def moved_by(now: datetime) -> int:
    """So many hours later than in life are the demo's."""
    return (now.astimezone(ZONE).hour - _hour_of_night(now)) % DAY


def _hour_of_night(now: datetime) -> int:
    """Two o'clock; or one, when a boundary of the day would else come to lie upon the hour that clocks show twice in October."""
    later = (now.astimezone(ZONE).hour - NIGHT) % DAY
    twice = any((hour + later) % DAY == SHOWN_TWICE for hour in BOUNDARIES)
    return NIGHT - 1 if twice else NIGHT


def midnight(now: datetime) -> datetime:
    """When the duty passed to the night's team, in the demo's hours."""
    wall = now.astimezone(ZONE).replace(minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(hours=_hour_of_night(now))
    return wall.replace(tzinfo=ZONE).astimezone(UTC)


class StoryClock:
    """The real time; but while the evening before is played, so much earlier: it only ever jumps forward.

    Its midnight is that of the instant for which the hours were moved: the evening may be played after the hour has struck.
    """

    def __init__(self, began: datetime, evening: bool) -> None:
        self._clock, self._began, self._behind = SystemClock(), began, EVENING if evening else timedelta()

    def now(self) -> datetime:
        return self._clock.now() - self._behind

    def midnight(self) -> datetime:
        """When the duty passes in the story."""
        return midnight(self._began)

    def jump_to(self, instant: datetime) -> None:
        """The story goes on then."""
        self._behind = min(self._behind, self._clock.now() - instant)

    def night_falls(self) -> None:
        self._behind = timedelta()


class HandClock:
    """Stands where its hands are set; once it is left alone it goes on from there."""

    def __init__(self) -> None:
        self.at = SystemClock().now()
        self._left: datetime | None = None

    def now(self) -> datetime:
        return self.at + (SystemClock().now() - self._left if self._left else timedelta())

    def leave_alone(self) -> None:
        self._left = SystemClock().now()
