"""Slack's markup, read on the way in and written on the way out: inside there is only plain text."""

import re

from bot.config import Config
from bot.decoding import clean
from bot.masking import mask_text

LONGEST_REPLY = 3_900       # Slack shows 4,000 bytes of an ephemeral message for certain

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_OUR_TIME = re.compile(r"<!date\^\d{1,12}\^\{time\}\|(\d\d:\d\d UTC)>")
_INVISIBLE = re.compile(r"[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")


def words(text: str, config: Config) -> tuple[str, ...]:
    """What a person typed, masked, as plain words: `<@U0ALICE001|al>` is @alice, `<!channel>` is @channel."""
    return tuple(mask_text(plain(text, config)).split())


def plain(text: str, config: Config) -> str:
    """Slack's markup as a person would type it."""
    read = _TOKEN.sub(lambda found: _typed(found[1], found[2], found[3], config), text)
    kept: str = clean(_unescaped(read))      # without NUL and its like: no database takes them, and nobody typed them
    return kept


def _typed(sign: str, name: str, label: str | None, config: Config) -> str:
    if sign == "@":
        # An unknown person keeps the id: a stranger who is called like one of us must not pass for him.
        known = config.person_named(name)
        return f"@{known[0] if known else name}"
    if sign == "#":
        return f"#{label or name}"
    if sign == "!":
        return label or f"@{name}"
    return name.removeprefix("mailto:")


def marked(text: str) -> str:
    """Our sentence for Slack: nothing in it is markup but the times that we wrote ourselves."""
    kept, at = [], 0
    for found in _OUR_TIME.finditer(text):
        kept += [_escaped(text[at:found.start()]), found[0]]
        at = found.end()
    return _fitting("".join([*kept, _escaped(text[at:])]))


def bare(text: str) -> str:
    """The same sentence where Slack takes no markup at all: beside the field of a form."""
    return _unescaped(_OUR_TIME.sub(lambda found: found[1], text))


def _escaped(text: str) -> str:
    visible = _INVISIBLE.sub(" ", text)
    return visible.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _fitting(text: str) -> str:
    """Whole lines only: half a line might be half a mark."""
    if len(text.encode()) <= LONGEST_REPLY:
        return text
    cut = text.encode()[:LONGEST_REPLY].decode(errors="ignore")
    return f"{cut.rpartition(chr(10))[0]}\n…"
