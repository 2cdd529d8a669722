"""The page's side of the server: the files, what one person sees, what they do."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.errors import Refused
from bot.workspace.acts import Acts
from bot.workspace.messages import Conversation
from bot.workspace.render import page_message
from bot.workspace.state import State
from bot.workspace.wire import Json, address

PAGE = Path(__file__).parent / "page"
STRICT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
SHOWN_IN_PLACE = (".png", ".jpg", ".jpeg", ".gif")      # any other file is downloaded, never opened in our origin
NO_JSON = "the body must be a JSON object, sent as application/json"
NO_PERSON = "nobody here is called {name!r}"


class Front:
    """The page's endpoints."""

    def __init__(self, state: State, acts: Acts, phones: Callable[[], list[Json]]) -> None:
        self.state, self.acts, self.rings = state, acts, phones

    def routes(self) -> list[Route]:
        did = self.deed
        return [
            Route("/", lambda request: page_file("index.html")),
            Route("/static/{name}", lambda request: page_file(request.path_params["name"])),
            Route("/archives/{channel}/{ts}", permalink),
            Route("/files/{id}/{name}", self.file),
            Route("/page/start", self.start),
            Route("/page/view", self.view),
            Route("/page/messages", self.messages),
            Route("/page/home", self.home),
            Route("/page/phones", self.phones),
            Route("/page/stream", self.stream),
            Route("/page/say", did(self.say), methods=["POST"]),
            Route("/page/click", did(self.click), methods=["POST"]),
            Route("/page/submit", did(self.submit), methods=["POST"]),
            Route("/page/dismiss", did(self.dismiss), methods=["POST"]),
            Route("/page/leave", did(self.leave), methods=["POST"]),
            Route("/page/shortcut", did(self.shortcut), methods=["POST"]),
        ]

    def deed(self, act: Callable[[str, Json], Awaitable[Json]]) -> Callable[[Request], Awaitable[Response]]:
        """An act of a person: JSON in, ok or a sentence out. Only JSON, so that no foreign page can send one."""

        async def endpoint(request: Request) -> Response:
            self.state.base = self.state.base or address(request)
            try:
                body = await json_body(request)
                return JSONResponse({"ok": True, **await act(self.known(body.get("as")), body)}, headers=STRICT)
            except Refused as refusal:
                return JSONResponse({"ok": False, "error": str(refusal)}, headers=STRICT)

        return endpoint

    def known(self, person: object) -> str:
        if person not in self.state.people:
            raise Refused(NO_PERSON.format(name=person))
        return str(person)

    async def say(self, person: str, body: Json) -> Json:
        await self.acts.say(person, str(body.get("channel")), str(body.get("text") or ""), body.get("thread"))
        return {}

    async def click(self, person: str, body: Json) -> Json:
        await self.acts.click(person, body)
        return {}

    async def submit(self, person: str, body: Json) -> Json:
        errors = await self.acts.submit(person, str(body.get("view_id")), body.get("values") or {})
        return {"errors": errors} if errors else {}

    async def dismiss(self, person: str, body: Json) -> Json:
        await self.acts.dismiss(person, str(body.get("view_id")))
        return {}

    async def leave(self, person: str, body: Json) -> Json:
        self.acts.leave(person, left=bool(body.get("left", True)))
        return {}

    async def shortcut(self, person: str, body: Json) -> Json:
        await self.acts.shortcut(person, str(body.get("callback_id")), body.get("channel"), body.get("ts"))
        return {}

    async def start(self, request: Request) -> Response:
        seed = self.state.seed
        people = [
            {"id": one.id, "name": one.name, "real_name": one.real_name, "title": one.title, "team": one.team,
             "stranger": self.state.stranger(one.id)}
            for one in seed.people
        ]
        commands = [
            {"command": name, "description": one.get("description", ""), "usage_hint": one.get("usage_hint", ""),
             "suggestions": [{"text": text, "description": help} for text, help in seed.suggestions.get(name, ())]}
            for name, one in seed.commands.items()
        ]
        team = {"id": seed.team_id, "name": seed.team_name}
        shortcuts = list(seed.manifest.get("features", {}).get("shortcuts", ()))
        start = {"team": team, "people": people, "commands": commands, "shortcuts": shortcuts}
        return JSONResponse(start, headers=STRICT)

    async def view(self, request: Request) -> Response:
        """The channel list as one person sees it, and everybody's names."""
        me, seed = request.query_params.get("as", ""), self.state.seed
        users = {
            one.id: {"name": one.name, "real_name": one.real_name, "is_bot": False, "title": one.title}
            for one in seed.people
        }
        users[seed.app.user_id] = {"name": seed.app.name, "real_name": seed.app.name, "is_bot": True, "title": "App"}
        channels = [self.channel(one, me) for one in self.state.conversations.values() if me in one.members]
        return JSONResponse(
            {"me": me, "channels": channels, "users": users, "now": self.state.clock.now().timestamp(),
             "left": me in self.state.left}, headers=STRICT
        )

    def channel(self, one: Conversation, me: str) -> Json:
        return {"id": one.id, "name": one.name, "unread": one.unread(me), "mentions": one.mentions(me),
                "shared": one.is_ext_shared, "is_im": one.with_person is not None}

    async def messages(self, request: Request) -> Response:
        """A channel or a thread; to look at a channel is to have read it."""
        me, thread = request.query_params.get("as", ""), request.query_params.get("thread")
        conversation = self.state.conversations.get(request.query_params.get("channel", ""))
        if conversation is None or me not in conversation.members:
            return JSONResponse({"messages": []}, headers=STRICT)
        if not thread and conversation.unread(me) + conversation.mentions(me):
            conversation.mark_read(me)
            self.state.streams.tell([me], {"type": "channels"})
        seen = [page_message(one) for one in conversation.seen_by(me, thread)]
        return JSONResponse({"messages": seen}, headers=STRICT)

    async def home(self, request: Request) -> Response:
        """A first look is told to the app; looking again after it published is not, or the two would never end."""
        me = request.query_params.get("as", "")
        if "again" in request.query_params:
            view = self.state.modals.homes.get(me)
        else:
            view = self.acts.open_home(me) if me in self.state.people else None
        return JSONResponse({"view": self.state.modals.as_json(view) if view else None}, headers=STRICT)

    async def phones(self, request: Request) -> Response:
        """What rang beside the workspace, newest first: person, at, text."""
        return JSONResponse({"rings": self.rings()}, headers=STRICT)

    async def stream(self, request: Request) -> Response:
        me = request.query_params.get("as", "")
        return StreamingResponse(self.state.streams.listen(me), media_type="text/event-stream", headers=STRICT)

    async def file(self, request: Request) -> Response:
        found = self.state.files.get(request.path_params["id"])
        if found is None:
            return Response("no such file", 404, STRICT)
        in_place = found.name.lower().endswith(SHOWN_IN_PLACE)
        kind = f"image/{found.name.rpartition('.')[2].lower()}" if in_place else "application/octet-stream"
        disposition = {"Content-Disposition": "inline" if in_place else "attachment"}
        return Response(found.content, 200, STRICT | disposition, kind)


def page_file(name: str) -> Response:
    """One file of the page; only names that stand in its folder."""
    path = PAGE / name
    if path.name != name or not path.is_file():
        return Response("no such file", 404, STRICT)
    return FileResponse(path, headers=STRICT)


async def permalink(request: Request) -> Response:
    """A link to a message leads to the page with its channel open."""
    return RedirectResponse(f"../../#{request.path_params['channel']}")


async def json_body(request: Request) -> Json:
    try:
        body = await request.json() if "json" in request.headers.get("content-type", "") else None
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise Refused(NO_JSON)
    return body
