"""Quiet an alert for a while."""

import re
from datetime import timedelta

from bot.errors import Refused
from bot.services.alert import response
from bot.services.alert.response import clock_time, lasting
from commands import Call, Field, command

SNOOZED = "{name} is quiet until {at} ({length}); it comes back by itself if it still fires."
NO_LENGTH = (
    "For how long? \"{given}\" is no length of time; say 30m, 2h, 1h30 or 45 min, at most 24 h: `{command} snooze {id} 30m`."
)

_HOURS = r"(?P<hours>\d{1,4})\s*h(?:(?:ou)?rs?)?\b"
_MINUTES = r"(?P<minutes>\d{1,5})\s*m(?:in(?:ute)?s?)?\b"
LENGTHS = (
    re.compile(rf"{_HOURS}\s*{_MINUTES}", re.IGNORECASE),                                               # 1 h 30 min
    re.compile(r"(?P<hours>\d{1,4})\s*h(?P<minutes>\d{1,2})(?:\s*m(?:in)?)?(?=\s|$)", re.IGNORECASE),    # 1h30
    re.compile(r"(?P<hours>\d{1,4})\s*h\s(?P<minutes>\d{1,2})$", re.IGNORECASE),                        # 1h 30
    re.compile(_HOURS, re.IGNORECASE),
    re.compile(_MINUTES, re.IGNORECASE),
    re.compile(r"(?P<days>\d{1,3})\s*d(?:ays?)?\b", re.IGNORECASE),      # mostly too long, and then told so
)


@command(
    "snooze",
    usage="<alert> <duration> [note]",
    help="quiet an alert for at most 24 hours",
    example="snooze 142 1h30",
    button="Snooze…",
    form=(
        Field("duration", "For how long: 30m, 2h, 1h30", kind="duration"),
        Field("note", "Note", optional=True),
    ),
)
def snooze(call: Call) -> str:
    alert = call.alert()
    length, note = read_length(call.rest)
    if not length:
        raise Refused(NO_LENGTH.format(given=call.rest[:40], command=call.desk.config.command, id=alert.id))
    alert = response.snooze(call.desk, alert, call.actor, length, note=note)
    return SNOOZED.format(name=alert.name, at=clock_time(alert.snoozed_until), length=lasting(length))


def read_length(text: str) -> tuple[timedelta, str]:
    """The length of time at the beginning of `text` (zero when there is none), and what follows it."""
    text = text.strip()
    for pattern in LENGTHS:
        if found := pattern.match(text):
            given = {unit: int(number) for unit, number in found.groupdict().items()}
            return timedelta(**given), text[found.end():].strip()
    return timedelta(), text
