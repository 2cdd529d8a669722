"""What all drawings share: the message itself, harmless text, people's names, blocks of text, buttons."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.config import Config
from bot.services.desk import OBSERVER, VIGIE

LONGEST_TITLE = 150
LONGEST_BLOCK = 3_000
LONGEST_CONFIRM = 300
LEAVE_IT = "Not now"

_LIKE_MARKUP = re.compile(r"<(?=[!@#\w])")
_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class File:
    """A file for a thread. The title is its own and of nothing else there: by it the file is known again."""

    name: str
    title: str
    alt: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message as Slack takes it: `text` is what a notification and a screen reader say."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    file: File | None = None        # then the text is its comment


def escape(text: str, most: int = LONGEST_TITLE) -> str:
    """Text from outside as one harmless line: no mention, link, control or direction sign survives."""
    return bare(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def person(config: Config, key: str | None) -> str:
    """How somebody is called: a person of vigie.yaml, Vigie itself, an observer, or whoever the key names."""
    if key in (None, VIGIE.key):
        return VIGIE.name
    known = config.people.get(key)
    return escape(known.name if known else key.removeprefix(OBSERVER))


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def sections(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Whole lines, in as few sections as they need."""
    parts: list[str] = []
    for line in lines:
        if parts and len(parts[-1]) + len(line) < LONGEST_BLOCK:
            parts[-1] = f"{parts[-1]}\n{line}"
        else:
            parts.append(line)
    return [section(each) for each in parts]


def button(
    label: str, action: str, value: str, style: str | None = None, asking: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A button that says `action` (a command, perhaps with words after it: outcome:again) about `value`."""
    given = {"type": "button", "action_id": f"vigie:{action}", "value": value, "text": plain(label)}
    return given | ({"style": style} if style else {}) | ({"confirm": asking} if asking else {})


def confirm(title: str, text: str, yes: str, danger: bool = False) -> dict[str, Any]:
    """Asks before a click counts, and says exactly what will happen."""
    said = plain(_LIKE_MARKUP.sub("‹", bare(text, LONGEST_CONFIRM)))
    asked = {"title": plain(title[:100]), "text": said, "confirm": plain(yes), "deny": plain(LEAVE_IT)}
    return asked | ({"style": "danger"} if danger else {})


def overflow(options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The menu behind the three dots: (label, command:about)."""
    shown = [{"text": plain(label), "value": value} for label, value in options]
    return {"type": "overflow", "action_id": "vigie:more", "options": shown}


def select(label: str, options: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A list to choose from: (label, command:words:about)."""
    shown = [{"text": plain(each), "value": value} for each, value in options]
    return {"type": "static_select", "action_id": "vigie:choose", "placeholder": plain(label), "options": shown}


def plain(text: str) -> dict[str, Any]:
    """Text without markup, as buttons and forms take it."""
    return {"type": "plain_text", "text": text, "emoji": True}


def bare(text: str, most: int) -> str:
    """Text from outside where Slack takes no markup: one line, without control and direction signs."""
    line = " ".join(_INVISIBLE.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def deed(plan: str) -> str:
    """What is done, of a plan that says what would be: set desired capacity of pay-api from 18 to 14."""
    return plan.removeprefix("would ")


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text[:LONGEST_BLOCK], "verbatim": True}
