"""FAMILY: where alerts come from. One file, one source: how its deliveries are authenticated and how they read.

A member is a value: `cloudwatch = Source(name="cloudwatch", ...)`. The path of a delivery is always
bytes -> authenticate (on what really came) -> mask -> read -> signals.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.config import Endpoint

FIRING, RECOVERED, NO_DATA = "firing", "recovered", "no data"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request, or one message of a queue, as it came; `headers` have lower-case names."""

    endpoint_name: str
    endpoint: Endpoint
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    by_queue: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What an authenticated delivery says: parsed JSON (`content`), or the text that could not be parsed (`unreadable` says why)."""

    content: Any
    delivery_id: str | None = None      # the sender's own name for this delivery; None: it gives none
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that one observer said, parsed and typed.

    `key` names the problem within the organisation whatever path the word took (an alarm's ARN, a monitor and its scope);
    `at` is the source's own time, UTC; `service` is None when the source does not name one: it is then read off `name`.
    `part` tells apart the signals of one delivery.
    """

    key: str
    state: str
    severity: str
    name: str
    title: str
    observer: str
    at: datetime
    summary: str = ""
    service: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    part: str = ""


class Unreadable(Exception):
    """The delivery is authentic but makes no sense to us; the message says what was expected."""


class Trust(Protocol):
    """What a source may ask while it authenticates; built in app.py."""

    def secret(self, reference: str) -> str:
        """The secret that vigie.yaml names by variable or ARN; raises Misbuilt when there is none."""

    async def certificate(self, url: str) -> bytes:
        """The PEM behind a signing certificate's URL (already checked by the caller); raises Unavailable."""

    async def confirm(self, topic_arn: str, token: str) -> None:
        """Confirms an SNS subscription with our own credentials; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Source:
    """A family member. `authenticate` raises Refused (drop for good) or Unavailable (503: send it again)."""

    name: str
    help: str
    authenticate: Callable[[Delivery, Trust], Awaitable[Document]]
    read: Callable[[Any, Delivery], Sequence[Signal]]
    example: Mapping[str, Any]
