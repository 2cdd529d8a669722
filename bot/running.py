"""One process from start to end: the fast event loop, the HTTP server, SIGTERM and Ctrl-C."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette

from bot.app import App, Role
from bot.config import Config
from bot.errors import Misbuilt
from bot.ports import system_sleep
from bot.settings import Secrets, Settings, refuse_demo, slack_faults
from bot.store.migrate import require
from bot.trust import endpoint_secrets

log = structlog.get_logger()

GRACE_S = 15

ALONE = "`vigie {role}` needs PostgreSQL; on SQLite one process does everything: `vigie serve`."
PORT_TAKEN = "Port {port} is taken: end what listens there, or name another one with PORT."
ENDINGS = (signal.SIGTERM, signal.SIGINT)


class Server(uvicorn.Server):
    """Ends as uvicorn's does, and then leaves the word to the app: uvicorn's own raises the signal once more when it has
    closed its connections, which would kill the process before the app has finished what it holds."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for each in ENDINGS:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in ENDINGS:
                loop.remove_signal_handler(each)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs it on uvloop where there is one."""
    factory = uvicorn.Config("", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)


def run_role(role: Role, settings: Settings, config: Config, secrets: Secrets, named_port: bool) -> None:
    """One process of that role, to its end; raises Misbuilt with what forbids its start."""
    if faults := slack_faults(settings):
        raise Misbuilt("\n".join(faults))
    refuse_demo(settings, endpoint_secrets(config, secrets))
    if not settings.database_url.startswith("sqlite"):
        require(settings.database_url)
    elif role.name != "serve":
        raise Misbuilt(ALONE.format(role=role.name))
    app = App(settings, config, secrets, role)
    run(run_app(app, settings.host, settings.port if role.answers or named_port else None))


async def run_app(app: App, host: str, port: int | None) -> None:
    """Starts the app, serves until SIGTERM or Ctrl-C, lets it finish what it holds; without a port it only works."""
    await app.start()
    log.info("vigie runs", role=app.role.name, address=f"http://{host}:{port}" if port is not None else None)
    try:
        await (_until_told() if port is None else server(app.asgi(), host, port).serve())
    except SystemExit:      # the server's own way to say that it could not listen
        raise Misbuilt(PORT_TAKEN.format(port=port)) from None
    finally:
        await app.stop()


def server(asgi: Starlette, host: str, port: int, grace_s: int = GRACE_S) -> Server:
    """An HTTP server that leaves the app's life to us."""
    return Server(uvicorn.Config(
        asgi, host, port, log_config=None, access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=grace_s,
    ))


async def when_leaving(serving: uvicorn.Server, farewell: Callable[[], Awaitable[None]]) -> None:
    """Says farewell as soon as the server is told to end, before it waits for its connections."""
    while not serving.should_exit:
        await system_sleep(0.1)
    await farewell()


async def _until_told() -> None:
    told = asyncio.Event()
    for each in ENDINGS:
        asyncio.get_running_loop().add_signal_handler(each, told.set)
    await told.wait()
