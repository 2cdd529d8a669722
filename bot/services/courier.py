"""Makes Slack match the posts; owns what it needs of Slack as a Protocol."""

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Drawing:
    """A message as Slack takes it: `text` is what a notification and a screen reader say."""

    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)


class Rejected(Exception):
    """Slack will never take this as it stands; `code` is Slack's own word (channel_not_found, invalid_blocks)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Slack(Protocol):
    """Raises Unavailable (429, 5xx, time-out, no connection: outcome unknown for `post`) or Rejected."""

    async def post(self, channel: str, drawing: Drawing, key: str, thread: str | None) -> str:
        """Posts with `key` as metadata; returns the message's ts. Never sent twice by itself."""

    async def update(self, channel: str, ts: str, drawing: Drawing) -> None:
        """Replaces a message; safe to repeat."""

    async def find(self, channel: str, key: str, thread: str | None, oldest: float) -> str | None:
        """The ts of our own message with that metadata key since `oldest` (epoch seconds), or None."""
