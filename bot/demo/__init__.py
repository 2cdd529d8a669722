"""`vigie demo`: one process and one port with everything in it: the bot, a Slack on loopback, and an example night."""

import asyncio
import contextlib
import json
import math
import shutil
import socket
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

import structlog
import uvicorn
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route

from bot.app import SERVE, App
from bot.config import Config, load_catalogue, load_config, secrets_of
from bot.config.nights import Coverage
from bot.demo import team
from bot.demo.doubles import Doubles, addresses, at_home, demand_moto
from bot.demo.hours import StoryClock, at_night
from bot.demo.playing import Night
from bot.demo.stories import Story
from bot.demo.welcome import welcome
from bot.discover import discover
from bot.doubles import phones
from bot.doubles.months import STORY as MONTH
from bot.doubles.sns import DEMO_CERTIFICATE, DEMO_CERTIFICATE_URL
from bot.doubles.weeks import WEEKS
from bot.durable import Identity, Taken
from bot.errors import Misbuilt
from bot.logs import configure
from bot.ports import SystemClock, system_sleep
from bot.running import run, server, when_leaving
from bot.settings import EnvironmentSecrets, load_settings
from bot.store.migrate import upgrade
from bot.workspace import Workspace
from runbooks import actions
from runbooks.actions import Service

log = structlog.get_logger()

STAGE = Path(".demo")
DEFAULT_PORT = "8080"
DEFAULT_SPEED = "20"
STORY_SPEED = "60"       # minutes of the story in a second
QUIET_MINUTES = 1        # of probation while the night is played at speed
QUICKEST = timedelta(seconds=10)        # between two who are called
FASTEST_PAGING = float(DEFAULT_SPEED)
STORIES = (*WEEKS, MONTH)
STEPS = ("secondary_after", "lead_after", "other_side_after", "fallback_after", "again_every")
THREADS = 48             # Vigie and the doubles that it waits for share them

BAD_PORT = "DEMO_PORT={value} is not a port: leave it out for 8080, or give a number from 1 to 65535."
BAD_SPEED = "DEMO_SPEED={value} is not a speed: leave it out for 20, or give a number; 0 plays nothing."
BAD_STORY = "DEMO_STORY={value} is no story: leave it out for the night, or say {known}."
PORT_TAKEN = "Port {port} is taken: end what listens there, or start with DEMO_PORT={other}."
PORT_FORBIDDEN = "Port {port} may not be opened by you: start with DEMO_PORT=8080."
PLAYED_HERE = "A demo runs in this folder already: end it first (Ctrl-C in its terminal), or start this one in another folder."
NO_STAGE = "The demo keeps its files in {folder}, and that cannot be written ({why}): start it in a folder that is yours."


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo stands, since when; `story` names what is played instead of the night."""

    port: int
    speed: float
    environ: dict[str, str]
    began: datetime
    story: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def run_demo(environ: dict[str, str]) -> None:
    """Until Ctrl-C or SIGTERM."""
    stage = set_stage(environ)
    configure(environ.get("LOG_LEVEL", "warning"))
    with contextlib.suppress(KeyboardInterrupt):
        run(tell_story(stage) if stage.story else play(stage))


def set_stage(environ: dict[str, str]) -> Stage:
    """A clean folder, and an environment that knows the demo's secrets; what the caller sets wins."""
    demand_moto()
    story = _story(environ.get("DEMO_STORY") or "")
    usual = STORY_SPEED if story else DEFAULT_SPEED
    port, speed = _port(environ.get("DEMO_PORT") or DEFAULT_PORT), _speed(environ.get("DEMO_SPEED") or usual)
    database = f"sqlite:///{STAGE.resolve()}/vigie.db"
    try:
        _clear(database)
    except OSError as error:
        raise Misbuilt(NO_STAGE.format(folder=STAGE.resolve(), why=error.strerror)) from None
    began = SystemClock().now()
    config = Path(environ["VIGIE_CONFIG"]) if environ.get("VIGIE_CONFIG") else _example(story, began)
    given = {
        "DATABASE_URL": database,
        "VIGIE_CONFIG": str(config),
        "PORT": str(port),
        **demo_secrets(load_config(config)),
        **contacts(load_config(config), port),
    }
    chosen = {**given, **{name: environ[name] for name in ("DATABASE_URL", "VIGIE_MIGRATE_URL") if environ.get(name)}}
    return Stage(port, speed, chosen, began, story)


def _clear(database: str) -> None:
    """Never under the feet of a demo that still plays."""
    if STAGE.is_dir():
        try:
            Identity(database, "").take()       # nobody keeps it, so it is let go at once
        except Taken:
            raise Misbuilt(PLAYED_HERE) from None
    shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir()


def _example(story: str, began: datetime) -> Path:
    """The shipped configuration; for the night it is moved to the present hour."""
    text = resources.files("bot").joinpath("vigie.example.yaml").read_text("utf-8")
    path = STAGE / "vigie.yaml"
    path.write_text(text if story else at_night(text, began), "utf-8")
    return path.resolve()


def demo_secrets(config: Config) -> dict[str, str]:
    """In the demo every secret is `demo-` and whose it is: demo-bridge-generic, demo-padok-datadog-api."""
    return {
        reference: f"demo-{name}" if number == 0 else f"demo-{name}-{number + 1}"
        for name, references in secrets_of(config)
        for number, reference in enumerate(references)
    }


def contacts(config: Config, port: int) -> dict[str, str]:
    """Everybody who can be rung beside Slack has a telephone of the demo."""
    return {each: phones.address(key, port) for key, person in config.people.items() for each in person.contacts}


def paged_at(config: Config, speed: float) -> dict[str, Coverage]:
    """Coverages in which the next is called as much sooner as the night is played faster, but not before one can read."""

    def sooner(length: timedelta) -> timedelta:
        return max(length / min(speed, FASTEST_PAGING), QUICKEST)

    return {name: each.model_copy(update={"paging": each.paging.model_copy(update={
        step: sooner(getattr(each.paging, step)) for step in STEPS})}) for name, each in config.coverages.items()}


def _port(text: str) -> int:
    """Tried now, before anything is cleared or built."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 65535):
        raise Misbuilt(BAD_PORT.format(value=text))
    try:
        socket.create_server(("127.0.0.1", int(text))).close()
    except PermissionError:
        raise Misbuilt(PORT_FORBIDDEN.format(port=text)) from None
    except OSError:
        raise Misbuilt(PORT_TAKEN.format(port=text, other=int(text) % 65535 + 1)) from None
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0 <= speed < math.inf:
        raise Misbuilt(BAD_SPEED.format(value=text))
    return speed


def _story(text: str) -> str:
    if text and text not in STORIES:
        raise Misbuilt(BAD_STORY.format(value=text, known=" or ".join(STORIES)))
    return text


async def tell_story(stage: Stage) -> None:
    """Plays a week of nights or two months, prints it as it goes, and leaves the page open at its end."""
    story = Story(stage.story, stage.url, stage.environ, stage.speed)
    _leave_notes(story.environ)
    await story.show(stage.port)


async def play(stage: Stage) -> None:
    """Starts all, prints the address, plays the night, waits for the end."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    demo = build(stage)
    await demo.app.start()
    serving = server(demo.app.asgi(), "127.0.0.1", stage.port, grace_s=2)
    beside = [asyncio.create_task(each) for each in (
        _tell(stage, serving, demo), demo.doubles.live(), demo.night.carry(demo.app),
        when_leaving(serving, demo.workspace.close))]
    for each in beside:
        each.add_done_callback(_tell_fault)
    try:
        await serving.serve()
    except SystemExit:
        raise Misbuilt(PORT_TAKEN.format(port=stage.port, other=stage.port % 65535 + 1)) from None
    finally:
        for each in beside:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await demo.workspace.close()
        await demo.app.stop()


def _tell_fault(beside: asyncio.Task[None]) -> None:
    """What plays beside the server and breaks would else be heard of by nobody."""
    if not beside.cancelled() and (fault := beside.exception()) is not None:
        log.error("the demo's night has broken off", exc_info=fault)


@dataclass(frozen=True, slots=True)
class Demo:
    """The bot, its Slack, its AWS and Datadog, and the night: they speak with each other over HTTP only."""

    app: App
    workspace: Workspace
    doubles: Doubles
    night: Night


def build(stage: Stage) -> Demo:
    """All of it, on one port; nothing runs yet."""
    settings_environ = dict(stage.environ)
    config = load_config(Path(settings_environ["VIGIE_CONFIG"])).model_copy(update={"public_url": stage.url})
    if stage.speed:
        quiet = config.probation.model_copy(update={"minutes": QUIET_MINUTES})
        config = config.model_copy(update={"probation": quiet, "coverages": paged_at(config, stage.speed)})
    seed = team.seed(stage.url, config)
    settings_environ |= {
        "SLACK_BOT_TOKEN": seed.app.token, "SLACK_SIGNING_SECRET": seed.app.signing_secret,
        "SLACK_API_URL": f"{stage.url}/workspace/api/",
    }
    _leave_notes(settings_environ)
    settings = load_settings(settings_environ)
    if not settings.database_url.startswith("sqlite"):      # a SQLite file is migrated by the app that owns it
        upgrade(settings.migrate_url)
    clock = StoryClock(stage.began, evening=bool(stage.speed))
    telephones = phones.Phones(clock, lambda: workspace.rang(), names={key: each.name for key, each in config.people.items()})
    workspace = Workspace(seed, clock=clock, wire_clock=clock, phones=telephones.told)
    night = Night(stage.url, stage.speed, workspace, clock)
    doubles = Doubles(config, settings_environ, clock, night.send, stage.speed or float(DEFAULT_SPEED))
    mounts = [Route("/", _to_page), Mount("/workspace", workspace.asgi), telephones.route, *doubles.mounts]
    app = App(
        settings, config, EnvironmentSecrets(settings_environ), SERVE, clock=clock, mounts=mounts,
        known_certificates={DEMO_CERTIFICATE_URL: DEMO_CERTIFICATE}, addresses=addresses(stage.url),
        catalogue=at_home(load_catalogue(settings.runbooks, config, discover(actions, Service)), stage.url),
    )
    return Demo(app, workspace, doubles, night)


def _leave_notes(environ: Mapping[str, str]) -> None:
    """For `vigie status` beside us."""
    (STAGE / "environment.json").write_text(json.dumps(dict(environ), indent=2))


async def _to_page(_request: Request) -> RedirectResponse:
    return RedirectResponse("/workspace/")


async def _tell(stage: Stage, serving: uvicorn.Server, demo: Demo) -> None:
    """Says where to look as soon as there is something to see; then lays out the platform, and plays."""
    while not serving.started:
        await system_sleep(0.05)
    sys.stdout.write(welcome(stage.url, stage.speed, demo.app.config))
    sys.stdout.flush()
    platform = await demo.doubles.lay_out()
    if stage.speed:
        await demo.night.play(demo.app, platform)
