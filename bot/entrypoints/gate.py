"""The gate in front of Bolt: how large, how old, and signed by whom, judged on bytes before anything is parsed."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import structlog
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.async_app import AsyncApp
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from bot.entrypoints.chat import apology
from bot.ports import Clock

log = structlog.get_logger()

LARGEST = 1_000_000
OLDEST_S, BODY_WITHIN_S = 300, 15
TOO_LARGE, TOO_SLOW, STALE, UNSIGNED, GARBLED = "too_large", "too_slow", "replayed", "bad_signature", "unreadable"

Endpoint = Callable[[Request], Awaitable[Response]]


class Turned(Exception):
    """Not let in: why, and with which status."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


def gate(bolt: AsyncApp, signing_secret: str, clock: Clock, count: Callable[[str], None]) -> Endpoint:
    """The endpoint for POST /slack/events; `count` is told the reason of each refusal. No body is ever logged."""
    secret = signing_secret.encode()

    async def enter(request: Request) -> Response:
        try:
            body = await _read(request)
            _check(secret, request, body, int(clock.now().timestamp()))
            content = _parsed(request, body)
        except Turned as turned:
            count(turned.reason)
            return JSONResponse({}, status_code=turned.status)
        return await _hand_over(bolt, request, body, content)

    return enter


async def _read(request: Request) -> bytes:
    """The body, in pieces, so that nobody can make us hold more than we take, or wait for ever."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST:
                    raise Turned(TOO_LARGE, 413)
    except TimeoutError as slow:
        raise Turned(TOO_SLOW, 408) from slow
    except ClientDisconnect as gone:
        raise Turned(GARBLED, 400) from gone
    return bytes(body)


def _check(secret: bytes, request: Request, body: bytes, now: int) -> None:
    stamp = request.headers.get("x-slack-request-timestamp", "")
    if not re.fullmatch(r"[0-9]{1,11}", stamp, re.ASCII) or abs(now - int(stamp)) > OLDEST_S:
        raise Turned(STALE, 401)
    wanted = "v0=" + hmac.new(secret, f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-slack-signature", "")
    # As bytes: a signature that is not ASCII must be wrong, not an exception.
    if not secret or not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise Turned(UNSIGNED, 401)


def _parsed(request: Request, body: bytes) -> dict[str, Any]:
    """What Bolt will read, read once before: it answers 500 to what it cannot."""
    try:
        text = body.decode()
        if request.headers.get("content-type") == "application/json" or text.startswith("{"):     # as Bolt decides
            content = json.loads(text)
        else:
            form = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
            content = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError) as error:
        raise Turned(GARBLED, 400) from error
    if not isinstance(content, dict) or not content:
        raise Turned(GARBLED, 400)
    return content


async def _hand_over(bolt: AsyncApp, request: Request, body: bytes, content: dict[str, Any]) -> Response:
    """Slack gets 200 whatever happens behind us: a 5xx shows people an error that says nothing."""
    try:
        answer = await bolt.async_dispatch(to_async_bolt_request(request, body))
    except Exception:
        # The edge of the entrypoint: what Bolt itself could not read.
        log.exception("bolt broke", type=content.get("type"))
        return _sorry(content)
    return _sorry(content) if answer.status >= 400 else to_starlette_response(answer)


def _sorry(content: dict[str, Any]) -> Response:
    return Response(apology(content), media_type="application/json")
