"""The one message in a card's thread: what happened, oldest first, the newest always in it."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.config import Config
from bot.services.drawing import Drawing, escape, person, section
from bot.services.response import clock_time
from bot.store.alerts import Alert

HEAD = "What happened to {name}"
EARLIER = "… {count} earlier lines: `{command} show {id}` has them all."
LINES = {
    "alert opened": "opened · {actor}: {title}",
    "alert worsened": "worsened to {severity} · {actor}",
    "alert recovered": "recovered · {actor} says OK",
    "alert relapsed": "relapsed · {actor}: {title}",
    "observer silent": "no data · {actor}",
    "alert acked": "acknowledged by {actor}{note}",
    "alert seen": "seen by {actor}{note}",
    "alert closed": "closed by {actor}{reason}",
    "alert snoozed": "snoozed by {actor} until {until}{note}",
    "snooze ended": "snooze ended: it still fires",
    "alert assigned": "assigned to {to} by {actor}{note}",
    "alert noted": "{actor} wrote{note}",
}

LONGEST = 2_800
MOST_LINES = 40


def draw(config: Config, head: Alert, entries: Sequence[Any]) -> Drawing:
    """`entries` are the newest of the journal about the card's alerts, oldest first; one more than shown tells of more."""
    lines = [_line(config, each) for each in entries][-MOST_LINES:]
    left_out = len(entries) - len(lines)
    while sum(len(line) + 1 for line in lines) > LONGEST:
        lines.pop(0)
        left_out += 1
    if left_out:
        lines.insert(0, EARLIER.format(count=left_out, command=config.command, id=head.id))
    title = HEAD.format(name=head.name)
    return Drawing(title, [section("\n".join(lines) or title)])


def _line(config: Config, entry: Any) -> str:
    told = json.loads(entry.details)
    details = {name: escape(str(value), 300) for name, value in told.items() if value}
    words = {name: f": {details[name]}" if name in details else "" for name in ("note", "reason")}
    until = clock_time(datetime.fromisoformat(told["until"])) if "until" in details else ""
    given = {"title": details.get("title", ""), "severity": details.get("severity", ""), "until": until}
    said = LINES.get(entry.kind, entry.kind).format(
        actor=person(config, entry.actor), to=person(config, told.get("to") or ""), **given, **words
    )
    return f"{clock_time(entry.at)}  {said}"
