"""HTTP: webhooks of the sources, Slack's requests, health and metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.errors import Refused, Unavailable
from bot.services.desk import Desk
from bot.services.intake import Intake
from bot.services.meters import Meters
from bot.services.reception import Reception
from bot.sources import Delivery, Rejection

log = structlog.get_logger()

LARGEST_BODY = 300_000      # SNS: 256 KiB of message and its envelope
UNKNOWN = "unknown"

NO_ENDPOINT = "There is no endpoint {source}/{name} in vigie.yaml."
TOO_LARGE = "The body is larger than 300 kB; nothing of it was stored."
APOLOGY = "It could not be taken now; send it again."

Check = Callable[[], Awaitable[str | None]]


class TooLarge(Exception):
    """More bytes than we take."""


@dataclass(frozen=True, slots=True)
class Web:
    """What the paths need."""

    desk: Desk
    intake: Intake
    reception: Reception
    meters: Meters
    ready: dict[str, Check]

    def routes(self) -> Sequence[Route]:
        return [
            Route("/webhooks/{source}/{endpoint}", self.webhook, methods=["POST"]),
            Route("/health/live", self.live),
            Route("/health/ready", self.readiness),
            Route("/metrics", self.metrics),
        ]

    async def webhook(self, request: Request) -> Response:
        """200 after the commit; 503 for "not now"; 4xx only for what is dropped for good, and counted."""
        source, name = request.path_params["source"], request.path_params["endpoint"]
        try:
            return JSONResponse({"taken": await self._take(request, source, name)})
        except TooLarge:
            return self._drop(name, "too_large", 413, TOO_LARGE)
        except KeyError:
            return self._drop(UNKNOWN, "unknown_endpoint", 404, NO_ENDPOINT.format(source=source[:40], name=name[:40]))
        except Rejection as refusal:
            return self._drop(name, refusal.reason, refusal.status, str(refusal))
        except Refused as refusal:
            return self._drop(name, "refused", 403, str(refusal))
        except Unavailable as problem:
            return _later(str(problem), problem.retry_after)
        except Exception as error:  # the edge of the entrypoint: the sender keeps it and sends it again
            reference = self.desk.ids.new()[:8]
            log.exception("delivery failed", endpoint=name, reference=reference, error=type(error).__name__)
            return _later(f"{APOLOGY} (reference {reference})", 10)

    async def _take(self, request: Request, source: str, name: str) -> int:
        endpoint = self.desk.config.endpoints[name]
        if endpoint.source != source:
            raise KeyError(name)
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


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length") or 0) > LARGEST_BODY:
        raise TooLarge
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


def _later(words: str, seconds: float | None) -> Response:
    return JSONResponse({"error": words}, 503, {"Retry-After": str(int(seconds or 10))})
