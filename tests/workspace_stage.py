"""A stage for the workspace's tests: the workspace and a real Bolt app, each behind its own real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import uvicorn
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.workspace import Workspace, example_seed
from tests.patience import PATIENCE_S

ALERTS, PAYMENTS = "C0ALERTS01", "C0PAYMNT01"
ALICE, LEA, EVE, VIGIE = "U0ALICE001", "U0LEA00001", "U0EVE00001", "U0VIGIE001"


class HandClock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 4, 2, 14, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The app on a free port of loopback."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Stage:
    """A workspace, the client the bot would use, and a browser without a face."""

    workspace: Workspace
    url: str
    slack: AsyncWebClient
    http: aiohttp.ClientSession

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        if "person" in body:
            body["as"] = body.pop("person")
        async with self.http.post(f"{self.url}/page/{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def get(self, path: str, **query: str) -> Any:
        if "person" in query:
            query["as"] = query.pop("person")
        async with self.http.get(f"{self.url}/page/{path}", params=query) as answer:
            return await answer.json()

    async def say(self, text: str, person: str = ALICE, channel: str = ALERTS, **more: Any) -> dict[str, Any]:
        return await self.post("say", person=person, channel=channel, text=text, **more)

    async def seen(self, person: str = ALICE, channel: str = ALERTS, **more: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("messages", person=person, channel=channel, **more))["messages"]
        return found


@asynccontextmanager
async def stage(events: Any = None, manifest: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[Stage]:
    """The workspace mounted under /workspace; `events` is the app's own ASGI server, if it has one."""
    options.setdefault("pace", 0)
    async with aiohttp.ClientSession() as http, served(events or nobody()) as app_url:
        workspace = Workspace(example_seed(f"{app_url}/slack/events", manifest), **options)
        async with served(Starlette(routes=[Mount("/workspace", workspace.asgi)])) as server:
            url = f"{server}/workspace"
            client = AsyncWebClient("xoxb-demo-vigie", base_url=f"{url}/api/", session=http, retry_handlers=[])
            try:
                yield Stage(workspace, url, client, http)
            finally:
                await workspace.close()


def nobody() -> Starlette:
    """An app that hears nothing."""
    return Starlette()


def http_app(bolt: AsyncApp, heard: list[dict[str, Any]] | None = None) -> Starlette:
    """A Bolt app behind Starlette, as the bot runs it; `heard` collects raw requests."""
    handler = AsyncSlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        if heard is not None:
            heard.append({"headers": dict(request.headers), "body": await request.body()})
        answer: Response = await handler.handle(request)
        return answer

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


class Lazy:
    """An ASGI app that is built later: the Bolt app needs the workspace's address, and the other way round."""

    def __init__(self) -> None:
        self.app: Any = nobody()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def bolt_app(slack: AsyncWebClient) -> AsyncApp:
    return AsyncApp(client=slack, signing_secret="demo-slack-signing-secret", process_before_response=True)


@asynccontextmanager
async def with_bolt(heard: list[dict[str, Any]] | None = None, **options: Any) -> AsyncIterator[tuple[Stage, AsyncApp]]:
    """A stage and a Bolt app that hears its people over signed HTTP."""
    door = Lazy()
    async with stage(door, **options) as there:
        bolt = bolt_app(there.slack)
        door.app = http_app(bolt, heard)
        yield there, bolt


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str, action_id: str, value: str = "142") -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id, "value": value}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "actions", "elements": list(elements)}


async def until(fact: Any, seconds: float = PATIENCE_S) -> None:
    """Waits until something is true."""
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 what is awaited happens in somebody else's code
            await asyncio.sleep(0.005)
