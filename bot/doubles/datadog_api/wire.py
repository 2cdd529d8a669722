"""What goes over the wire to and from Datadog: calls, replies, refusals, instants, pages."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
JSON = "application/json"

BAD_REQUEST = "Bad Request"
BAD_TIME = "{value!r} is not a time: give ISO 8601, milliseconds, or now-15m"
BAD_NUMBER = "{name} must be a number from {least} to {most}"
BAD_CURSOR = "the cursor is none of ours"

_RELATIVE = re.compile(r"now(?:-(\d+)([smhdw]))?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

T = TypeVar("T")


class Refusal(Exception):
    """Datadog's no: a status and its sentences."""

    def __init__(self, status: int, *errors: str) -> None:
        super().__init__(status, errors)
        self.status, self.errors = status, list(errors)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that has passed the door; `path` holds what the address names."""

    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Any

    def attributes(self, kind: str) -> dict[str, Any]:
        """Of a JSON:API document of this kind."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("attributes"), dict):
            raise Refusal(400, BAD_REQUEST)
        if data.get("type") != kind:
            raise Refusal(400, f'API input validation failed: Invalid type. Expected "{kind}".')
        return dict(data["attributes"])

    def number(self, name: str, default: int, least: int, most: int) -> int:
        text = self.query.get(name, str(default))
        if not re.fullmatch(r"-?\d{1,18}", text) or not least <= int(text) <= most:
            raise Refusal(400, BAD_NUMBER.format(name=name, least=least, most=most))
        return int(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """What Datadog says; a body of None is none."""

    body: Any = None
    status: int = 200
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API; its name (that of the client's method) is how faults and limits are planted on it."""

    name: str
    method: str
    path: str
    answer: Callable[[Call], Reply]
    only_api_key: bool = False


def iso(at: datetime | None) -> str | None:
    """As Datadog writes it: microseconds, +00:00."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def millis(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def instant(value: Any, now: datetime) -> datetime:
    """ISO 8601, milliseconds, now, now-15m."""
    text = str(value)
    if found := _RELATIVE.fullmatch(text):
        return now - timedelta(seconds=int(found[1] or 0) * _UNITS[found[2] or "s"])
    try:
        if text.isdigit():
            return EPOCH + timedelta(milliseconds=int(text))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise Refusal(400, BAD_TIME.format(value=text)) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def page(found: Sequence[T], cursor: str | None, limit: int) -> tuple[Sequence[T], str | None]:
    """One page, and the cursor of the next when there is one."""
    begin = _offset(cursor) if cursor else 0
    end = begin + limit
    return found[begin:end], base64.urlsafe_b64encode(str(end).encode()).decode() if end < len(found) else None


def _offset(cursor: str) -> int:
    try:
        return max(0, int(base64.urlsafe_b64decode(cursor)))
    except (binascii.Error, ValueError):
        raise Refusal(400, BAD_CURSOR) from None
