"""The workspace as one Starlette app: Web API, response_urls, uploads, Socket Mode and the page."""

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from bot.ports import Clock, Ids, Sleep, SystemClock, SystemIds, system_sleep
from bot.workspace import api_chat, api_conversations, api_files, api_team, api_views
from bot.workspace.acts import Acts
from bot.workspace.api import Method, answer
from bot.workspace.delivery import Delivery
from bot.workspace.front import Front
from bot.workspace.messages import Message
from bot.workspace.pace import POST, Pace
from bot.workspace.render import api_message, page_message
from bot.workspace.responses import by_hook
from bot.workspace.seed import Seed
from bot.workspace.sockets import Sockets
from bot.workspace.state import State
from bot.workspace.wire import Json, SlackError, address, arguments, bearer, from_json, from_multipart

MODULES: tuple[ModuleType, ...] = (api_chat, api_conversations, api_files, api_team, api_views)
METHODS = {one.name: one for module in MODULES for one in vars(module).values() if isinstance(one, Method)}


class Workspace:
    """A Slack on loopback. `asgi` is the app; `acts` are the people; `log`, `messages`, `notices` tell what happened.

    `pace` multiplies Slack's rate limits, 0 switches them off. `base_url` is the address of the mount, when it cannot
    be learnt from the requests. `phones` tells what rang beside the workspace: call `rang` after each.
    `wire_clock` stamps signatures, which the app checks against real time.
    """

    def __init__(
        self,
        seed: Seed,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        sleep: Sleep = system_sleep,
        http: aiohttp.ClientSession | None = None,
        pace: float = 1.0,
        base_url: str | None = None,
        wire_clock: Clock | None = None,
        phones: Callable[[], list[Json]] = list,
    ) -> None:
        base = base_url.rstrip("/") if base_url else None
        self.state = State(seed, clock or SystemClock(), ids or SystemIds(), Pace(pace), base)
        self.base_is_given, self.sleep = base is not None, sleep
        self.faults, self.log, self.notices = self.state.faults, self.state.log, self.state.streams.notices
        self.sockets = Sockets(seed.app.app_id, self.state.tickets, self.state.ids)
        self.delivery = Delivery(seed.app, self.sockets, wire_clock or SystemClock(), sleep, http)
        self.acts = Acts(self.state, self.delivery)
        self.asgi = Starlette(routes=[
            Route("/api/{method}", self.api, methods=["GET", "POST"]),
            Route("/hooks/{ticket}", self.hook, methods=["POST"]),
            Route("/upload/{id}", self.upload, methods=["POST"]),
            WebSocketRoute("/link", self.sockets.serve),
            *Front(self.state, self.acts, phones).routes(),
        ])

    def rang(self) -> None:
        """Every page looks at the telephones anew."""
        self.state.streams.tell(self.state.people, {"type": "phones"})

    async def close(self) -> None:
        """Ends streams, sockets and retries; call it before the server waits for its connections to end."""
        self.state.streams.close()
        await self.sockets.close()
        await self.delivery.close()

    def messages(self, channel: str, seen_by: str | None = None) -> list[Json]:
        """Every public message of a conversation with its metadata, oldest first; or what one person sees of it."""
        conversation = self.state.direct_with(channel) or self.state.conversation(channel)
        if seen_by:
            return [page_message(message) for message in conversation.by_ts.values() if visible(message, seen_by)]
        public = [message for message in conversation.by_ts.values() if message.ephemeral_for is None]
        return [api_message(self.state, message, True) for message in public]

    async def api(self, request: Request) -> Response:
        """One Web API call, with the faults that a test has planted."""
        faults = self.faults
        if faults.hang:
            await request.body()        # read before we look whether the caller has left, or it would be lost
            await self.sleep(faults.hang)
            if await request.is_disconnected():
                return PlainTextResponse("", 499)
        if faults.down:
            return PlainTextResponse("service unavailable", 503)
        method = request.path_params["method"]
        try:
            args = await arguments(request, self.learn(request))
        except SlackError as refusal:
            return JSONResponse({"ok": False, "error": refusal.code})
        response = answer(self.state, METHODS, method, bearer(request, args), args)
        if method == POST and faults.drop_replies > 0:
            faults.drop_replies -= 1
            return hang_up(request)
        return response

    def learn(self, request: Request) -> str:
        """The address under which the app reaches us is the one to give it back in response_urls."""
        base = address(request)
        if not self.base_is_given:
            self.state.base = base
        return base

    async def hook(self, request: Request) -> Response:
        """An answer to a response_url; no token is asked for, the address is the secret."""
        if self.faults.down:
            return PlainTextResponse("service unavailable", 503)
        try:
            hook = self.state.tickets.use_hook(request.path_params["ticket"])
            by_hook(self.state, hook, from_json(await request.body()))
        except SlackError as refusal:
            status = 404 if refusal.code in ("used_url", "expired_url") else 400
            return JSONResponse({"ok": False, "error": refusal.code, **refusal.more}, status)
        return PlainTextResponse("ok")

    async def upload(self, request: Request) -> Response:
        """The bytes of a file, raw or as a form."""
        file = self.state.files.get(request.path_params["id"])
        if file is None or self.faults.down:
            return PlainTextResponse("no such upload", 503 if self.faults.down else 404)
        body, content_type = await request.body(), request.headers.get("content-type", "")
        if content_type.startswith("multipart/form-data"):
            body = next((part for part in from_multipart(body, content_type).values() if isinstance(part, bytes)), b"")
        file.content = body
        return PlainTextResponse(f"OK - {len(body)}")


def visible(message: Message, person: str) -> bool:
    return message.ephemeral_for in (None, person)


def hang_up(request: Request) -> Response:
    """The reply is lost: the connection breaks where the server lets us reach it, else a 500 says as little."""
    cycle: Any = getattr(request.receive, "__self__", None)
    transport: asyncio.Transport | None = getattr(cycle, "transport", None)
    if transport is not None:
        transport.abort()
    return PlainTextResponse("", 500)


