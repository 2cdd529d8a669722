"""A process of its own: the workspace on loopback, and a back door through which the bench plants faults and reads."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from bench.company import seed
from bot.workspace import Workspace


class Ahead:
    """The clock of the wall, and so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


def main(port: int, events_url: str, config: Path, pace: float, ahead_s: float = 0) -> None:
    workspace = Workspace(seed(events_url, config), pace=pace, clock=Ahead(ahead_s))

    async def faults(request: Request) -> JSONResponse:
        for name, value in (await request.json()).items():
            setattr(workspace.faults, name, value)
        return JSONResponse({})

    async def calls(_request: Request) -> JSONResponse:
        """Every call of the Web API: method, when, status, Slack's error, and the start of its text."""
        return JSONResponse([
            [each.method, each.at.timestamp(), each.status, each.error, str(each.args.get("text", ""))[:200]]
            for each in list(workspace.log)
        ])

    async def cards(_request: Request) -> JSONResponse:
        """The metadata of every message that stands anywhere: one each, or something was doubled."""
        return JSONResponse([
            each.metadata for one in workspace.state.conversations.values() for each in list(one.by_ts.values())
            if each.ephemeral_for is None
        ])

    routes = [
        Route("/bench/faults", faults, methods=["POST"]), Route("/bench/calls", calls), Route("/bench/cards", cards),
        Mount("/", workspace.asgi),
    ]
    uvicorn.run(Starlette(routes=routes), port=port, log_level="error", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *map(float, sys.argv[4:]))
