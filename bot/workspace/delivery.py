"""Delivery to the app: signed HTTP or Socket Mode, three seconds to answer; only events are sent again."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bot.ports import Clock, Sleep
from bot.workspace.seed import App
from bot.workspace.sockets import SocketGone, Sockets
from bot.workspace.wire import Json

COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"
LIMIT = 3.0
RETRIES = (0.0, 60.0, 300.0)        # seconds before the first, second and third repetition of an event
TIMED_OUT, FAILED = "operation_timeout", "dispatch_failed"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


class Undelivered(Exception):
    """The app did not take it. `code` is what the person reads, `reason` what a repetition says of its cause."""

    def __init__(self, code: str, reason: str, final: bool = False) -> None:
        super().__init__(code)
        self.code, self.reason, self.final = code, reason, final


@dataclass(frozen=True, slots=True)
class Delivered:
    """One attempt, for tests and measurements; `error` None when the app took it."""

    kind: str
    payload: Json
    attempt: int
    seconds: float
    error: str | None


def signed(secret: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers by which the app knows that it is Slack who speaks."""
    base = b"v0:%d:" % timestamp + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


def encoded(kind: str, payload: Json) -> tuple[bytes, str]:
    """The body as Slack writes it, and its content type."""
    if kind == EVENT:
        return json.dumps(payload).encode(), "application/json"
    fields = payload if kind == COMMAND else {"payload": json.dumps(payload)}
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


class Delivery:
    """`wire_clock` stamps the signatures: the app compares them with the time on its own wall."""

    def __init__(
        self, app: App, sockets: Sockets, wire_clock: Clock, sleep: Sleep, session: aiohttp.ClientSession | None
    ) -> None:
        self.app, self.sockets, self.wire_clock, self.sleep = app, sockets, wire_clock, sleep
        self.session, self.session_is_mine = session, session is None
        self.underway: set[asyncio.Task[None]] = set()
        self.attempts: deque[Delivered] = deque(maxlen=5000)

    async def deliver(self, kind: str, payload: Json, attempt: int = 0, reason: str = "") -> Any:
        """One attempt; returns the app's answer (parsed JSON, text, or None), or raises Undelivered."""
        loop = asyncio.get_running_loop()
        started, error = loop.time(), None
        try:
            async with asyncio.timeout(LIMIT):
                if self.sockets.links:
                    return await self.sockets.send(kind, payload, attempt, reason)
                return await self.by_http(kind, payload, attempt, reason)
        except TimeoutError:
            error = TIMED_OUT
            raise Undelivered(TIMED_OUT, "http_timeout") from None
        except (aiohttp.ClientError, OSError, SocketGone) as failure:
            error = FAILED
            raise Undelivered(FAILED, "connection_failed") from failure
        except Undelivered as refused:
            error = refused.code
            raise
        finally:
            self.attempts.append(Delivered(kind, payload, attempt, loop.time() - started, error))

    async def by_http(self, kind: str, payload: Json, attempt: int, reason: str) -> Any:
        body, content_type = encoded(kind, payload)
        headers = {"Content-Type": content_type, "User-Agent": AGENT}
        headers |= signed(self.app.signing_secret, int(self.wire_clock.now().timestamp()), body)
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        if self.session is None:
            self.session = aiohttp.ClientSession()
        async with self.session.post(self.app.events_url, data=body, headers=headers, allow_redirects=False) as answer:
            text = await answer.text()
            if answer.status != 200:
                final = answer.headers.get("X-Slack-No-Retry") == "1"
                raise Undelivered(FAILED, "http_error", final)
            return understood(text, answer.headers)

    def announce(self, event: Json) -> None:
        """An event goes out in the background, and again when it is not taken."""
        task = asyncio.get_running_loop().create_task(self.insist(event))
        self.underway.add(task)
        task.add_done_callback(self.underway.discard)

    async def insist(self, event: Json) -> None:
        reason = ""
        for attempt, wait in enumerate((0.0, *RETRIES)):
            if attempt:
                await self.sleep(wait)
            try:
                await self.deliver(EVENT, event, attempt, reason)
                return
            except Undelivered as failure:
                if failure.final:
                    return
                reason = failure.reason

    async def close(self) -> None:
        for task in list(self.underway):
            task.cancel()
        await asyncio.gather(*self.underway, return_exceptions=True)
        if self.session is not None and self.session_is_mine:
            await self.session.close()


def understood(text: str, headers: Mapping[str, str]) -> Any:
    """JSON when the app says so, else the text; None for an empty answer."""
    if not text.strip():
        return None
    if "json" not in headers.get("Content-Type", ""):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise Undelivered("invalid_command_response", "http_error") from None
