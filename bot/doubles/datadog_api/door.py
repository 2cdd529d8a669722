"""The door of an account: keys, rate limits, planted faults, and a book of who called what."""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from bot.doubles.datadog_api.wire import BAD_REQUEST, Call, Operation, Refusal, Reply
from bot.ports import Clock, Sleep

Fault = Literal["refused", "throttled", "down", "slow", "broken", "garbled", "lost", "silent"]
NOTHING_HAPPENS: Mapping[str, tuple[int, str]] = {
    "refused": (403, "Forbidden"), "throttled": (429, "Too many requests"), "down": (503, "Service Unavailable"),
}
LIMITED = "Rate limit of {count} requests in {period} seconds reached. Please try again later."
BROKEN = "Internal Server Error"
GARBLED = b"<html><body>The proxy has something to say.</body></html>"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in so many seconds."""

    count: int
    period_s: int = 60


@dataclass(slots=True)
class Planted:
    """A fault that waits for its calls."""

    kind: Fault
    operation: str
    times: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Called:
    """One line of the account's book."""

    at: datetime
    operation: str
    path: str
    status: int


class Faults:
    """What goes wrong with the next calls.

    refused, throttled, down: nothing happens. slow: it happens, late. broken, garbled, lost, silent: it happens, and
    the answer is a 500, a page that is no JSON, a broken connection, or comes after `seconds`.
    """

    def __init__(self) -> None:
        self.planted: list[Planted] = []

    def plant(self, kind: Fault, operation: str = "*", times: int = 1, seconds: float = 0.0) -> None:
        """For the next `times` calls of this operation (get_monitor, create_downtime ...), or of any."""
        self.planted.append(Planted(kind, operation, times, seconds))

    def clear(self) -> None:
        self.planted.clear()

    def take(self, operation: str) -> Planted | None:
        for each in self.planted:
            if each.operation in ("*", operation):
                each.times -= 1
                if each.times <= 0:
                    self.planted.remove(each)
                return each
        return None


class Door:
    """Every call passes here. `limits` are by operation; there is none unless it is set."""

    def __init__(self, api_key: str, app_key: str, clock: Clock, sleep: Sleep) -> None:
        self.api_key, self.app_key, self.clock, self.sleep = api_key, app_key, clock, sleep
        self.faults, self.limits, self.book = Faults(), dict[str, Limit](), list[Called]()
        self.windows: dict[str, tuple[int, int]] = {}       # operation: number of the window, calls in it

    async def enter(self, request: Request, operation: Operation) -> Response:
        """The answer to one call, faults and all."""
        body, fault = await request.body(), self.faults.take(operation.name)
        kind = fault.kind if fault else None
        if fault and kind == "slow":
            await self.sleep(fault.seconds)
        reply = self.answer(request, operation, body, kind)
        self.book.append(Called(self.clock.now(), operation.name, request.url.path, reply.status))
        if fault and kind == "silent":
            await self.sleep(fault.seconds)
        if kind == "lost":
            hang_up(request)
        if kind == "garbled":
            return Response(GARBLED, media_type="text/html")
        content = b"" if reply.body is None else json.dumps(reply.body).encode()
        return Response(content, reply.status, dict(reply.headers), reply.media)

    def answer(self, request: Request, operation: Operation, body: bytes, fault: str | None) -> Reply:
        headers: dict[str, str] = {}
        try:
            self.check_keys(request, operation)
            headers, too_many = self.count(operation.name, fault == "throttled")
            if too_many:
                raise Refusal(429, too_many)
            if fault is not None and fault in NOTHING_HAPPENS:
                raise Refusal(*NOTHING_HAPPENS[fault])
            reply = operation.answer(Call(request.path_params, request.query_params, parsed(body)))
        except Refusal as refusal:
            return Reply({"errors": refusal.errors}, refusal.status, headers=headers)
        if fault == "broken":
            return Reply({"errors": [BROKEN]}, 500, headers=headers)
        return Reply(reply.body, reply.status, reply.media, headers)

    def check_keys(self, request: Request, operation: Operation) -> None:
        wanted = {"dd-api-key": self.api_key} | ({} if operation.only_api_key else {"dd-application-key": self.app_key})
        given = {name: request.headers.get(name) for name in wanted}
        if None in given.values():
            raise Refusal(401, "Unauthorized")
        if given != wanted:
            raise Refusal(403, "Forbidden")

    def count(self, operation: str, force: bool) -> tuple[dict[str, str], str]:
        """Counts one call: the headers that tell what is left, and a sentence when it was one too many."""
        limit = self.limits.get(operation, Limit(0) if force else None)
        if limit is None:
            return {}, ""
        now = self.clock.now().timestamp()
        number = math.floor(now / limit.period_s)
        window, calls = self.windows.get(operation, (number, 0))
        calls = calls + 1 if window == number else 1
        self.windows[operation] = (number, calls)
        left = 0 if force else max(0, limit.count - calls)
        headers = {
            "X-RateLimit-Limit": str(limit.count), "X-RateLimit-Period": str(limit.period_s),
            "X-RateLimit-Remaining": str(left), "X-RateLimit-Name": operation,
            "X-RateLimit-Reset": str(math.ceil((number + 1) * limit.period_s - now)),
        }
        too_many = force or calls > limit.count
        return headers, LIMITED.format(count=limit.count, period=limit.period_s) if too_many else ""


def parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, BAD_REQUEST) from None


def hang_up(request: Request) -> None:
    """The connection breaks, where the server lets us reach it."""
    cycle: Any = getattr(request.receive, "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
