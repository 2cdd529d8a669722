"""A week of nights on one port: the bot that comes and goes, a Slack that stays, and a clock whose hands jump."""

from collections.abc import Mapping
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from bot.app import SERVE, App
from bot.config import load_catalogue, load_config
from bot.demo.hours import HandClock
from bot.demo.team import seed
from bot.demo.week import Week
from bot.discover import discover
from bot.settings import EnvironmentSecrets, load_settings
from bot.workspace import Workspace
from runbooks import actions
from runbooks.actions import Service

DOWN = "Vigie is not running"


class Story:
    """The player, the workspace in which one watches, and what answers on the port."""

    def __init__(self, name: str, url: str, environ: Mapping[str, str], minutes_a_second: float = 0) -> None:
        self.config = load_config(Path(environ["VIGIE_CONFIG"]))
        team = seed(url, self.config)
        self.environ = {
            **environ, "SLACK_BOT_TOKEN": team.app.token, "SLACK_SIGNING_SECRET": team.app.signing_secret,
            "SLACK_API_URL": f"{url}/workspace/api/",
        }
        self.clock = HandClock()
        self.workspace = Workspace(team, clock=self.clock, wire_clock=self.clock, pace=0, base_url=f"{url}/workspace")
        self.week = Week(name, url, self.config, self.workspace, self.clock, self._build, minutes_a_second)
        self.asgi = Starlette(routes=[
            Route("/", _to_page), Mount("/workspace", self.workspace.asgi), Mount("/", self._bot),
        ])

    def _build(self) -> App:
        """As a start of the process would; somebody else knocks at its doors."""
        book = load_catalogue(None, self.config, discover(actions, Service))
        return App(
            load_settings(self.environ), self.config, EnvironmentSecrets(self.environ), SERVE, clock=self.clock, pace=0,
            catalogue=book, knocks=False,
        )

    async def _bot(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever asks while it is stopped is told so, as by a load balancer."""
        app = self.week.app
        answer = app.asgi() if app is not None else PlainTextResponse(DOWN, 503)
        await answer(scope, receive, send)


async def _to_page(_request: Request) -> RedirectResponse:
    return RedirectResponse("/workspace/")
