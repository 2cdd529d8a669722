"""A stage for the workspace's page: canned data in the server's contract, and a note of all that the page posts."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.patience import PATIENCE_S

PAGE = Path(__file__).parent.parent / "bot" / "workspace" / "page"
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
ALERTS, PAYMENTS, BOT = "C0ALERTS01", "C0PAYMNT01", "U0VIGIE001"
NOON = 1_793_444_400                     # 31 October 2026, 12:00 in Paris
PEOPLE = [
    ("U0ALICE001", "alice", "Alice Martin", "Bridge engineer", "T0BRIDGE01"),
    ("U0LEA00001", "lea", "Léa Bernard", "Padok on-call engineer", "T0BRIDGE01"),
    ("U0EVE00001", "eve", "Eve Outside", "Vendor", "T0EVIL0001"),
]
COMMANDS = [{"command": "/vigie", "description": "Alerts and duty", "usage_hint": "help", "suggestions": [
    {"text": "ack <alert> [note]", "description": "take an alert"},
    {"text": "assign <alert> <person>", "description": "give it to somebody"},
    {"text": "status", "description": "what is open"},
]}]


def words(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(name: str) -> dict[str, Any]:
    return {"text": words(name), "value": name.lower()}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action: str, text: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": words(text), "value": "142", **more}


CLOSE = {"title": words("Close #142?"), "text": words("Two of five observers still see the fault."),
         "confirm": words("Close it"), "deny": words("Leave it open")}
CARD = [
    section(":red_circle: *Firing* · important    pay-api: 5xx above 5 % · since "
            f"<!date^{NOON - 600}^{{time}} ({{ago}})|11:50 UTC>"),
    section("Paging <@U0LEA00001> (Padok), see <https://runbooks.example/5xx|the runbook> in <#C0PAYMNT01>",
            fields=[{"type": "mrkdwn", "text": "*Service*\n`pay-api`"}]),
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "_nobody has it yet_"}]},
    {"type": "divider"},
    {"type": "actions", "block_id": "acts", "elements": [
        button("ack", "Acknowledge", style="primary"), button("close", "Close", style="danger", confirm=CLOSE),
        {"type": "overflow", "action_id": "more", "options": [option("Assign"), option("Snooze")]},
        {"type": "users_select", "action_id": "who", "placeholder": words("Assign to…")}]},
]
HOSTILE = "<script>alert(1)</script> <!channel> <@U0ALICE001> <img src=x onerror=alert(1)> *&amp;*"
MODAL = {"id": "V1", "type": "modal", "title": words("Assign #142"), "submit": words("Assign"),
         "close": words("Cancel"), "blocks": [
    {"type": "input", "block_id": "person", "label": words("Who"),
     "element": {"type": "users_select", "action_id": "value"}},
    {"type": "input", "block_id": "note", "label": words("Note"), "optional": True,
     "element": {"type": "plain_text_input", "action_id": "value", "multiline": True}},
]}


class Stage:
    """A workspace of canned data: keeps what the page posts, and tells the page what happens."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.listeners: dict[str, set[asyncio.Queue[dict[str, Any] | None]]] = {}
        self.loop = asyncio.new_event_loop()
        self.reset()

    def reset(self) -> None:
        self.posts.clear()
        self.answers.clear()
        self.unread = {ALERTS: (0, 0), PAYMENTS: (3, 1)}
        more: dict[str, Any] = {"blocks": CARD, "reply_count": 1, "latest_reply": f"{NOON - 60}.0"}
        card = self.message(NOON - 600, "Firing: pay-api 5xx", **more)
        self.messages = {ALERTS: [card], PAYMENTS: []}
        self.replies = [self.message(NOON - 60, "step 1 of 4 done", thread_ts=card["ts"])]

    def message(self, at: float, text: str, user: str = BOT, **more: Any) -> dict[str, Any]:
        return {"ts": f"{at:.6f}", "user": user, "text": text, "blocks": None, "attachments": None, "edited": False,
                "ephemeral": False, **more}

    def emit(self, who: str, **event: Any) -> None:
        for queue in list(self.listeners.get(who, ())):
            self.loop.call_soon_threadsafe(queue.put_nowait, event)

    def hang_up(self, who: str) -> None:
        """Ends a person's streams, as a workspace that restarts does."""
        for queue in self.listeners.pop(who, set()):
            self.loop.call_soon_threadsafe(queue.put_nowait, None)

    def say(self, channel: str, text: str, **more: Any) -> None:
        """The bot says something in a channel, and every page hears of it."""
        at = float(self.messages[channel][-1]["ts"]) + 1 if self.messages[channel] else NOON
        self.messages[channel].append(self.message(at, text, **more))
        for who, *_ in PEOPLE:
            self.emit(who, type="message", channel=channel, ts=f"{at:.6f}")

    def posted(self, path: str) -> dict[str, Any]:
        """The body of the page's newest post to a path, waited for."""
        for _ in range(round(PATIENCE_S / 0.05)):
            found = [body for name, body in self.posts if name == path]
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"nothing was posted to {path}")

    def asgi(self) -> Starlette:
        pages = [Route("/", lambda _: FileResponse(PAGE / "index.html", headers={"Content-Security-Policy": CSP})),
                 Mount("/static", StaticFiles(directory=PAGE)), Route("/page/stream", self.stream),
                 Route("/page/start", self.start), Route("/page/view", self.view), Route("/page/messages", self.list),
                 Route("/page/phones", lambda request: JSONResponse({"rings": []})),
                 Route("/page/{path}", self.take, methods=["POST"])]
        return Starlette(routes=[Mount("/workspace", routes=pages)])

    async def start(self, _: Request) -> Response:
        people = [{"id": i, "name": n, "real_name": r, "title": t, "team": team, "stranger": team != "T0BRIDGE01"}
                  for i, n, r, t, team in PEOPLE]
        return JSONResponse({"team": {"id": "T0BRIDGE01", "name": "Bridge"}, "people": people, "commands": COMMANDS})

    async def view(self, request: Request) -> Response:
        users = {i: {"name": n, "real_name": r, "is_bot": False, "title": t} for i, n, r, t, _ in PEOPLE}
        users[BOT] = {"name": "vigie", "real_name": "Vigie", "is_bot": True, "title": ""}
        listed = [
            {"id": one, "name": name, "shared": one == ALERTS, "is_im": False,
             "unread": self.unread[one][0], "mentions": self.unread[one][1]}
            for one, name in ((ALERTS, "alerts"), (PAYMENTS, "payments"))
        ]
        return JSONResponse({"me": request.query_params["as"], "channels": listed, "users": users, "now": NOON})

    async def list(self, request: Request) -> Response:
        channel, thread = request.query_params["channel"], request.query_params.get("thread")
        if thread:
            root = [one for one in self.messages[channel] if one["ts"] == thread]
            return JSONResponse({"messages": root + self.replies})
        if self.unread[channel] != (0, 0):
            self.unread[channel] = (0, 0)
            self.emit(request.query_params["as"], type="channels")
        return JSONResponse({"messages": self.messages[channel]})

    async def take(self, request: Request) -> Response:
        path, body = request.path_params["path"], await request.json()
        self.posts.append((path, body))
        return JSONResponse(self.answers.get(path, {"ok": True}))

    async def stream(self, request: Request) -> Response:
        who = request.query_params["as"]
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.listeners.setdefault(who, set()).add(queue)

        async def events() -> AsyncIterator[str]:
            yield ": open\n\n"
            while event := await queue.get():
                yield f"data: {json.dumps(event)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")


@contextmanager
def staged() -> Iterator[tuple[Stage, str]]:
    """A running stage and the page's address."""
    stage = Stage()
    server = uvicorn.Server(uvicorn.Config(stage.asgi(), port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=stage.loop.run_until_complete, args=(server.serve(),), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield stage, f"http://127.0.0.1:{port}/workspace/"
    server.should_exit = True
    thread.join(PATIENCE_S)
    stage.loop.close()
