"""HTTP: webhooks of the sources, Slack's requests, health and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.config import Endpoint
from bot.errors import Unavailable
from bot.ports import Ids
from bot.services.alert.intake import Intake
from bot.services.alert.reception import Receipt, Reception
from bot.services.desk import Desk
from bot.services.meters import Meters
from bot.sources import MAX_BODY, Delivery, Forged, TooLarge, Unauthorised

log = structlog.get_logger()

UNKNOWN = "unknown"
BODY_WITHIN_S = 15

NO_ENDPOINT = "There is no endpoint {source}/{name} in vigie.yaml."
TOO_LARGE = "The body is larger than {limit} bytes; nothing of it was stored."
TOO_SLOW = "The body did not come whole within {seconds} s; nothing of it was stored: send it again."
APOLOGY = "It could not be taken now; send it again."

Check = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Web:
    """What the paths need."""

    desk: Desk
    intake: Intake
    reception: Reception
    meters: Meters
    ready: dict[str, Check]

    def routes(self) -> Sequence[Route]:
        """All that a process which answers has."""
        return [Route("/webhooks/{source}/{endpoint:path}", self.webhook, methods=["POST"]), *self.health_routes()]

    def health_routes(self) -> Sequence[Route]:
        """What every process has."""
        return [
            Route("/health/live", self.live),
            Route("/health/ready", self.readiness),
            Route("/metrics", self.metrics),
        ]

    async def webhook(self, request: Request) -> Response:
        """200 after the commit; 503 for "not now"; 4xx only for what is dropped for good, and counted."""
        # A slash too much is forgiven: no source follows the redirect that would mend it.
        source, name = request.path_params["source"], request.path_params["endpoint"].rstrip("/")
        endpoint = self.desk.config.endpoints.get(name)
        if endpoint is None or endpoint.source != source:
            return self._drop(UNKNOWN, "unknown_endpoint", 404, NO_ENDPOINT.format(source=source[:40], name=name[:40]))
        try:
            return _thanks(await self._take(request, name, endpoint))
        except (Unauthorised, Forged, TooLarge) as refusal:
            return self._drop(name, refusal.reason, refusal.status, str(refusal))
        except Unavailable as problem:
            return _later(str(problem), problem.retry_after)
        except ClientDisconnect:
            return _later(APOLOGY, 10)      # nobody hears it: the sender has left
        except Exception as error:  # the edge of the entrypoint: the sender keeps it and sends it again
            reference = self.desk.ids.new()[:8]
            log.exception("delivery failed", endpoint=name, reference=reference, error=type(error).__name__)
            return _later(f"{APOLOGY} (reference {reference})", 10)

    async def _take(self, request: Request, name: str, endpoint: Endpoint) -> Receipt:
        body = await _body(request)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in request.scope["headers"]}
        return await self.reception.receive(Delivery(name, endpoint, body, headers, self.desk.clock.now()))

    def _drop(self, endpoint: str, reason: str, status: int, words: str) -> Response:
        self.meters.drop(endpoint, reason)
        log.warning("delivery refused", endpoint=endpoint, reason=reason, status=status)
        return JSONResponse({"error": words, "reason": reason}, status)

    async def live(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readiness(self, _request: Request) -> Response:
        """Each named check: null when it is well, else what is wrong."""
        said = {name: await check() for name, check in self.ready.items()}
        return JSONResponse({"ready": not any(said.values()), "checks": said}, 503 if any(said.values()) else 200)

    async def metrics(self, _request: Request) -> Response:
        exposed = await asyncio.to_thread(self.meters.expose, self.desk, self.intake.depth)
        return Response(exposed, media_type="text/plain; version=0.0.4")


class RequestId:
    """Names each request in every log line that it causes; answers with the name."""

    def __init__(self, app: ASGIApp, ids: Ids) -> None:
        self._app, self._ids = app, ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            structlog.contextvars.bind_contextvars(request=self._ids.new()[:12])
        await self._app(scope, receive, send)


async def _body(request: Request) -> bytes:
    """The bytes as they came, read no further and waited for no longer than any source needs."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY:
                    raise TooLarge(TOO_LARGE.format(limit=MAX_BODY))
                parts.append(part)
    except TimeoutError as slow:        # no 4xx: SNS would take that for delivered
        raise Unavailable(TOO_SLOW.format(seconds=BODY_WITHIN_S)) from slow
    return b"".join(parts)


def _thanks(receipt: Receipt) -> Response:
    """Whoever tries an endpoint out learns at once what could not be read; a source needs no more than the 200."""
    told = {"unreadable": list(receipt.unreadable)} if receipt.unreadable else {}
    return JSONResponse({"taken": receipt.taken, **told})


def _later(words: str, seconds: float | None) -> Response:
    return JSONResponse({"error": words}, 503, {"Retry-After": str(int(seconds or 10))})
