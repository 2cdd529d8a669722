"""Times as people type and read them: tomorrow 08:00, 30/11 20:00, in the zone of their organisation."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.errors import Refused
from bot.services.leave.hours import DAY, instant

Edge = Literal["start", "end"]          # what a day without a time means: its beginning, or its end

EXAMPLES = "`14:30`, `tomorrow 08:00`, `30/11 20:00` or `2026-11-30 20:00`"
UNTIL_WHEN = "Until when? Say it after the first time; for instance {examples}, in {zone} time."
NO_TIME = "When? \"{given}\" is no time; say for instance {examples}, in {zone} time."
TWICE = "On {day:%d %b} clocks show {at:%H:%M} twice: say `{at:%H:%M}{first}` (the first) or `{at:%H:%M}{second}` (the second)."
SKIPPED = "On {day:%d %b} clocks in {zone} jump over {at:%H:%M}: say a time before or after it."
OTHER_OFFSET = "In {zone} clocks never show {at:%H:%M} with {offset} on {day:%d %b}: leave the offset out."
TOO_FAR = "\"{given}\" is too far from today: say a day of the years {first} to {last}."
BACKWARDS = "It would end at {end} and begin at {start}: say the earlier time first."

_TIME = re.compile(r"([01]?\d|2[0-3])[:h]([0-5]\d)([+-]\d\d:?\d\d|Z)?")
_ISO, _SHORT = re.compile(r"(\d{4})-(\d\d)-(\d\d)"), re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}))?")
_RANGE = re.compile(r"([0-9:h]{4,}(?:[+-]\d\d:?\d\d)?)[-–]([0-9:h]{4,}(?:[+-]\d\d:?\d\d)?)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_DAY = 3
_FARTHEST_YEARS = 10                        # of what lies further nobody makes shifts: the year was mistyped
_LONGEST_COUNTED = timedelta(days=2)        # of a longer one nobody counts the hours


def span(words: Sequence[str], zone: str, now: datetime) -> tuple[datetime, datetime, tuple[str, ...]]:
    """Two times, in order, and the words that follow them; raises Refused with an example."""
    start, left = take(words, zone, now)
    if not left:
        raise Refused(UNTIL_WHEN.format(examples=EXAMPLES, zone=zone))
    end, left = take(left, zone, now, after=start, edge="end")
    if end <= start:
        raise Refused(BACKWARDS.format(start=shown(start, zone), end=shown(end, zone)))
    return start, end, left


def take(
    words: Sequence[str], zone: str, now: datetime, after: datetime | None = None, edge: Edge = "start"
) -> tuple[datetime, tuple[str, ...]]:
    """The time that the first words say, in UTC, and the words that follow; raises Refused with an example.

    A time alone is the next one after `after`, or after now; a day alone is its beginning, or its end.
    """
    place, given = ZoneInfo(zone), [each.strip(",").lower() for each in words]
    if given[:1] == ["now"]:
        return now, tuple(words[1:])
    since = (after or now).astimezone(place)
    day = _day(given[0], now.astimezone(place).date(), since.date()) if given else None
    used = 1 if day else 0
    found = _TIME.fullmatch(given[used]) if len(given) > used else None
    if found:
        wall = time(int(found[1]), int(found[2]))
        return _at(day, wall, found[3], place, since), tuple(words[used + 1:])
    if day is None:
        raise Refused(NO_TIME.format(given=" ".join(words[:2])[:40], examples=EXAMPLES, zone=place.key))
    return instant(day if edge == "start" else day + DAY, time(), place), tuple(words[1:])


def is_time(word: str) -> bool:
    """Whether it says an hour, not a day."""
    return word.lower() == "now" or _TIME.fullmatch(word.lower()) is not None


def worked(words: Sequence[str], zone: str, now: datetime) -> tuple[datetime, datetime, tuple[str, ...]]:
    """02:10-02:55 (or 02:10 02:55) of the last hours, or of the day before it; and the words that follow."""
    place, parts = ZoneInfo(zone), [part for word in words for part in _RANGE.sub(r"\1 \2", word).split()]
    day = _day(parts[0].lower(), now.astimezone(place).date()) if parts else None
    times = parts[1:] if day else parts
    if len(times) < len(("from", "to")):
        raise Refused(NO_TIME.format(given=" ".join(words)[:40], examples="`02:10-02:55` or `30/11 02:10-02:55`", zone=zone))
    if day is None:
        end = before(times[1], zone, now)
        return before(times[0], zone, end), end, tuple(times[2:])
    start, _ = take((day.isoformat(), times[0]), zone, now)
    end, _ = take((times[1],), zone, now, after=start)
    return start, end, tuple(times[2:])


def before(word: str, zone: str, now: datetime) -> datetime:
    """The last instant up to now at which clocks showed that time: of what was worked."""
    found, place = _TIME.fullmatch(word.strip().lower()), ZoneInfo(zone)
    if found is None:
        raise Refused(NO_TIME.format(given=word[:40], examples="`02:10-02:55`", zone=place.key))
    today, wall = now.astimezone(place).date(), time(int(found[1]), int(found[2]))
    at = _exact(today, wall, found[3], place)
    return at if at <= now else _exact(today - DAY, wall, found[3], place)


def _at(day: date | None, wall: time, offset: str | None, place: ZoneInfo, since: datetime) -> datetime:
    if day is not None:
        return _exact(day, wall, offset, place)
    at = _exact(since.date(), wall, offset, place)
    return at if at > since else _exact(since.date() + DAY, wall, offset, place)


def _exact(day: date, wall: time, offset: str | None, place: ZoneInfo) -> datetime:
    """That wall time in UTC; an hour that clocks show twice is asked about, one that they skip refused."""
    local = datetime.combine(day, wall)
    both = [local.replace(tzinfo=place, fold=fold) for fold in (0, 1)]
    real = [each for each in both if each.astimezone(UTC).astimezone(place).replace(tzinfo=None) == local]
    if not real:
        raise Refused(SKIPPED.format(day=day, at=wall, zone=place.key))
    if offset:
        return _with_offset(real, day, wall, offset, place)
    first, second = (_offset(each) for each in both)
    if first != second:
        raise Refused(TWICE.format(day=day, at=wall, first=first, second=second))
    return real[0].astimezone(UTC)


def _with_offset(real: list[datetime], day: date, wall: time, offset: str, place: ZoneInfo) -> datetime:
    wanted = "+00:00" if offset in ("z", "Z") else f"{offset[:3]}:{offset[-2:]}"
    fitting = next((each for each in real if _offset(each) == wanted), None)
    if fitting is None:
        raise Refused(OTHER_OFFSET.format(zone=place.key, at=wall, offset=offset, day=day))
    return fitting.astimezone(UTC)


def _offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5]


def _day(word: str, today: date, since: date | None = None) -> date | None:
    """Tomorrow is one day after today, also as an end; Friday is the first one from `since` on, or from today."""
    if word in ("today", "tomorrow"):
        return today if word == "today" else today + DAY
    named = [number for number, each in enumerate(_DAYS) if each.startswith(word)] if len(word) >= _SHORTEST_DAY else []
    if named:
        first = since or today
        return first + DAY * ((named[0] - first.weekday()) % 7)
    try:
        found = _written(word, today)
    except ValueError:      # 31/02: no such day
        return None
    if found and abs(found.year - today.year) > _FARTHEST_YEARS:
        years = {"first": today.year - _FARTHEST_YEARS, "last": today.year + _FARTHEST_YEARS}
        raise Refused(TOO_FAR.format(given=word, **years))
    return found


def _written(word: str, today: date) -> date | None:
    """2026-11-30, 30/11 or 30/11/2026."""
    if iso := _ISO.fullmatch(word):
        return date(int(iso[1]), int(iso[2]), int(iso[3]))
    short = _SHORT.fullmatch(word)
    return _next_such(int(short[1]), int(short[2]), int(short[3]) if short[3] else None, today) if short else None


def _next_such(day: int, month: int, year: int | None, today: date) -> date:
    """30/11 is this year's, or next year's when that is long past."""
    found = date(year or today.year, month, day)
    long_past = year is None and found < today - timedelta(days=90)
    return date(today.year + 1, month, day) if long_past else found


# --- as people read them --------------------------------------------------------------------------------------------------


def shown(at: datetime, zone: str) -> str:
    """Mon 30 Nov 20:00"""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M}"


def between(start: datetime, end: datetime, zone: str) -> str:
    """Mon 30 Nov 20:00–00:00, with the day of the end when it is not the same night; and how long it is if clocks change."""
    return f"{start.astimezone(ZoneInfo(zone)):%a %d %b} {of_day(start, end, zone)}"


def of_day(start: datetime, end: datetime, zone: str) -> str:
    """The same without the day of the start: 20:00–00:00"""
    place = ZoneInfo(zone)
    first, last = start.astimezone(place), end.astimezone(place)
    short = last - first < DAY
    said = f"{first:%H:%M}–{last:%H:%M}" if short else f"{first:%H:%M}–{shown(end, zone)}"
    if first.utcoffset() == last.utcoffset() or end - start > _LONGEST_COUNTED:
        return said
    hours, minutes = divmod((end - start) // timedelta(minutes=1), 60)
    return f"{said}, {hours} h {minutes:02d} as clocks change"


def place_of(zone: str) -> str:
    """Paris time"""
    return f"{zone.rpartition('/')[2].replace('_', ' ')} time"
