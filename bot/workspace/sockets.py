"""Socket Mode, Slack's side: hello, envelopes and their acknowledgements, disconnect."""

import asyncio
import json
from itertools import count
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.ports import Ids
from bot.workspace.tickets import Tickets
from bot.workspace.wire import Json

LIFETIME = 3600                 # seconds that hello promises
MOST_CONNECTIONS = 10
REFUSED = 4401


class SocketGone(Exception):
    """The connection was lost before the app acknowledged."""


class Sockets:
    """Open connections; each envelope goes to one of them, by turns."""

    def __init__(self, app_id: str, tickets: Tickets, ids: Ids) -> None:
        self.app_id, self.tickets, self.ids = app_id, tickets, ids
        self.links: list[WebSocket] = []
        self.waiting: dict[str, tuple[WebSocket, asyncio.Future[Any]]] = {}
        self.turn = count()

    async def serve(self, link: WebSocket) -> None:
        """One connection from hello to its end."""
        if not self.tickets.use_socket(link.query_params.get("ticket", "")) or len(self.links) >= MOST_CONNECTIONS:
            await link.close(REFUSED)
            return
        await link.accept()
        self.links.append(link)
        try:
            await link.send_json(self.hello())
            while True:
                self.heard(json.loads(await link.receive_text()))
        except (WebSocketDisconnect, ValueError):
            pass        # it left, or spoke no JSON: either way this connection is over
        finally:
            self.drop(link)

    def hello(self) -> Json:
        return {
            "type": "hello", "num_connections": len(self.links), "connection_info": {"app_id": self.app_id},
            "debug_info": {"host": "loopback", "build_number": 1, "approximate_connection_time": LIFETIME},
        }

    def heard(self, answer: Json) -> None:
        _, waiting = self.waiting.get(answer.get("envelope_id", ""), (None, None))
        if waiting and not waiting.done():
            waiting.set_result(answer.get("payload"))

    def drop(self, link: WebSocket) -> None:
        if link in self.links:
            self.links.remove(link)
        for owner, waiting in self.waiting.values():
            if owner is link and not waiting.done():
                waiting.set_exception(SocketGone())

    async def send(self, kind: str, payload: Json, attempt: int, reason: str) -> Any:
        """One envelope; returns what the app acknowledged with, or raises SocketGone."""
        link = self.links[next(self.turn) % len(self.links)]
        envelope: Json = {
            "envelope_id": self.ids.new(), "type": kind, "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting[envelope["envelope_id"]] = (link, answer)
        try:
            await link.send_json(envelope)
            return await answer
        except (WebSocketDisconnect, RuntimeError) as gone:
            raise SocketGone from gone
        finally:
            del self.waiting[envelope["envelope_id"]]

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Slack asks every client to come back on a new connection. After a `warning` the old one still works; after
        `refresh_requested` it gets no more envelopes, and the client leaves it when it likes."""
        for link in list(self.links):
            await link.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "loopback"}})
            if reason == "refresh_requested":
                self.links.remove(link)
            elif reason == "link_disabled":
                await self.hang_up(link)

    async def hang_up(self, link: WebSocket) -> None:
        self.drop(link)
        if link.client_state == WebSocketState.CONNECTED and link.application_state == WebSocketState.CONNECTED:
            await link.close()

    async def close(self) -> None:
        for link in list(self.links):
            await self.hang_up(link)
