"""A story on one port: the bot that comes and goes, a Slack that stays, and a clock whose hands jump."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from bot.app import SERVE, App
from bot.config import load_catalogue, load_config
from bot.demo.doubles import addresses
from bot.demo.hours import HandClock
from bot.demo.months import Months
from bot.demo.player import Player
from bot.demo.team import seed
from bot.demo.timeline import Timeline
from bot.demo.week import Week
from bot.discover import discover
from bot.doubles.months import STORY
from bot.doubles.phones import Phones
from bot.doubles.weeks import WEEKS
from bot.ports import system_sleep
from bot.running import Server, server, when_leaving
from bot.settings import EnvironmentSecrets, load_settings
from bot.workspace import Workspace
from runbooks import actions
from runbooks.actions import Service

STARTED_LOOK_S, AN_HOUR = 0.05, timedelta(hours=1)
DOWN = "Vigie is not running"
BEGINS = "\n{what} played. Watch it at {url}/ ; each line below is of the journal, or reached somebody in Slack.\n"
A_WEEK, A_MONTH = "A week of nights is", "Two months and their reviews are"
ENDS = "\nThe story is over; the page stays: {url}/ . Ctrl-C ends it."


class Story:
    """The player, the workspace in which one watches, and what answers on the port."""

    def __init__(self, name: str, url: str, environ: Mapping[str, str], minutes_a_second: float = 0) -> None:
        self.name, self._url = name, url
        self.config = load_config(Path(environ["VIGIE_CONFIG"])).model_copy(update={"public_url": url})
        team = seed(url, self.config)
        self.environ = {
            **environ, "SLACK_BOT_TOKEN": team.app.token, "SLACK_SIGNING_SECRET": team.app.signing_secret,
            "SLACK_API_URL": f"{url}/workspace/api/",
        }
        self.clock, self.book = HandClock(), load_catalogue(None, self.config, discover(actions, Service))
        self.phones = Phones(self.clock, names={key: each.name for key, each in self.config.people.items()})
        self.workspace = Workspace(
            team, clock=self.clock, wire_clock=self.clock, pace=0, base_url=f"{url}/workspace", phones=self.phones.told,
        )
        stage = (self.config, self.workspace, self.clock, self._build)
        self.player: Player = (
            Week(name, url, *stage, minutes_a_second) if name in WEEKS else Months(environ["DATABASE_URL"], self.book, *stage)
        )
        self.asgi = Starlette(routes=[
            Route("/", _to_page), self.phones.route, Mount("/workspace", self.workspace.asgi), Mount("/", self._bot),
        ])

    async def show(self, port: int) -> None:
        """Until Ctrl-C or SIGTERM: the week, its lines on the terminal, and then the page as it is left."""
        serving = server(self.asgi, "127.0.0.1", port, grace_s=2)
        beside = [asyncio.create_task(each) for each in (self._tell(serving), when_leaving(serving, self.workspace.close))]
        try:
            await serving.serve()
        finally:
            for each in beside:
                each.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.workspace.close()
            await self.player.stop()

    async def _tell(self, serving: Server) -> None:
        while not serving.started:
            await system_sleep(STARTED_LOOK_S)
        _say(BEGINS.format(url=self._url, what=A_MONTH if self.name == STORY else A_WEEK))
        timeline = Timeline(self.config, self.workspace, _say, AN_HOUR if self.name == STORY else None)
        await self.player.play(lambda: timeline.look(self.player.app, self.clock.now()))
        self.player.leave_alone()
        _say(ENDS.format(url=self._url))

    def _build(self) -> App:
        """As a start of the process would; somebody else knocks at its doors."""
        return App(
            load_settings(self.environ), self.config, EnvironmentSecrets(self.environ), SERVE, clock=self.clock, pace=0,
            catalogue=self.book, knocks=False, addresses=addresses(self._url),      # nobody is there: nothing leaves the machine
        )

    async def _bot(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever asks while it is stopped is told so, as by a load balancer."""
        app = self.player.app
        answer = app.asgi() if app is not None else PlainTextResponse(DOWN, 503)
        await answer(scope, receive, send)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _to_page(_request: Request) -> RedirectResponse:
    return RedirectResponse("/workspace/")
