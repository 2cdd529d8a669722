"""What all drawings share: harmless text, people's names, blocks of text."""

import re
from typing import Any

from bot.config import Config
from bot.services.desk import OBSERVER, VIGIE

LONGEST_TITLE = 150
LONGEST_BLOCK = 3_000

_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def escape(text: str, most: int = LONGEST_TITLE) -> str:
    """Text from outside as one harmless line: no mention, link, control or direction sign survives."""
    line = " ".join(_INVISIBLE.sub(" ", text).split())
    cut = line if len(line) <= most else line[: most - 1] + "…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text[:LONGEST_BLOCK], "verbatim": True}
