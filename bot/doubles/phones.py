"""Telephones on loopback: they ring when Apprise posts to them as to any json:// address, and remember who was told what."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.ports import Clock, Sleep, system_sleep

PATH = "/doubles/phones"
NAMELESS: Mapping[str, str] = {}
MOST = 200          # rings that are remembered
NOT_UNDERSTOOD = "a telephone rings for JSON with a message"
REFUSED = "the subscriber cannot be reached"


@dataclass(frozen=True, slots=True)
class Ring:
    """Somebody's telephone has rung."""

    person: str
    at: datetime
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"person": self.person, "at": self.at.timestamp(), "text": self.text}


@dataclass(slots=True)
class Faults:
    """What may go wrong: `refuse` and `lose` name people whose telephone does not ring, or whose ring is not answered;
    `hang` is how many seconds any of them takes."""

    refuse: set[str] = field(default_factory=set)
    lose: set[str] = field(default_factory=set)
    hang: float = 0.0


class Phones:
    """All of them; `rang` is told after each ring."""

    def __init__(
        self, clock: Clock, rang: Callable[[], None] = lambda: None, sleep: Sleep = system_sleep,
        names: Mapping[str, str] = NAMELESS,
    ) -> None:
        self._clock, self._rang, self._sleep, self._names = clock, rang, sleep, names
        self.faults = Faults()
        self.rings: deque[Ring] = deque(maxlen=MOST)
        self.route = Route(f"{PATH}/{{person}}", self._called, methods=["POST"])

    def told(self) -> list[dict[str, Any]]:
        """Every ring, the newest first; people as they are called."""
        return [each.as_json() | {"person": self._names.get(each.person, each.person)} for each in reversed(self.rings)]

    async def _called(self, request: Request) -> Response:
        person, text = request.path_params["person"], _text(await request.body())
        if text is None:
            return PlainTextResponse(NOT_UNDERSTOOD, 400)
        await self._sleep(self.faults.hang)
        if person in self.faults.refuse:
            return PlainTextResponse(REFUSED, 503)
        self.rings.append(Ring(person, self._clock.now(), text))
        self._rang()
        return PlainTextResponse("", 504 if person in self.faults.lose else 200)


def _text(body: bytes) -> str | None:
    """Title and message, as a display would show them; None for what is no ring."""
    try:
        said = json.loads(body)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("message"), str):
        return None
    title = str(said.get("title") or "")
    return said["message"] if said["message"].startswith(title) else f"{title}\n{said['message']}"


def address(person: str, port: int) -> str:
    """Where that telephone is, as somebody's contact says it."""
    return f"json://127.0.0.1:{port}{PATH}/{person}"
