"""The doubles of AWS, Datadog and the world outside on the demo's port: open at once, laid out while the page is there."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.config import Catalogue, Config
from bot.doubles.platform import Keys, Platform, Send
from bot.errors import Misbuilt
from bot.ports import Clock, system_sleep
from bot.worlds import Addresses
from runbooks.model import Runbook

AWS, DATADOG, OUTSIDE = "/doubles/aws", "/doubles/datadog/{organisation}", "/doubles/outside"
CREDENTIALS = {"aws_access_key_id": "demo-vigie", "aws_secret_access_key": "demo-vigie"}
TICK_S = 0.2

NO_MOTO = "The demo has an AWS on loopback, and for that it needs moto: `make demo` installs it, or pip install 'vigie[demo]'."


def demand_moto() -> None:
    """Raises Misbuilt when the demo was installed without what it plays with."""
    if find_spec("moto") is None or find_spec("flask") is None:
        raise Misbuilt(NO_MOTO)


def addresses(url: str) -> Addresses:
    """Where Vigie finds AWS and each company's Datadog."""
    return Addresses(f"{url}{AWS}/", url + DATADOG, CREDENTIALS)


def at_home(catalogue: Catalogue, url: str) -> Catalogue:
    """The runbooks, with every address outside that they ask by default moved to this port: nothing leaves the machine."""
    return replace(catalogue, entries={
        name: replace(entry, runbook=_moved(entry.runbook, url)) for name, entry in catalogue.entries.items()})


def _moved(runbook: Runbook, url: str) -> Runbook:
    parameters = {
        name: each.model_copy(update={"default": each.default.replace("https:/", url + OUTSIDE, 1)})
        if isinstance(each.default, str) and each.default.startswith("https://") else each
        for name, each in runbook.parameters.items()
    }
    return runbook.model_copy(update={"parameters": parameters})


def keys(config: Config, secrets: Mapping[str, str]) -> Keys:
    """Of each Datadog account that vigie.yaml names."""
    return {name: (secrets[each.api_key], secrets[each.app_key]) for name, each in config.datadog.items()}


class Doubles:
    """The platform, once it stands. `mounts` are there from the first; who comes too early waits."""

    def __init__(self, config: Config, secrets: Mapping[str, str], clock: Clock, send: Send, speed: float) -> None:
        self._keys = keys(config, secrets)
        self._build = partial(Platform, clock, self._keys, send, speed)
        self._stands = asyncio.Event()
        self.mounts: list[BaseRoute] = [Mount(AWS, self._aws), Route(f"{OUTSIDE}/{{host}}/{{path:path}}", self._outside)]
        self.mounts += [Mount(DATADOG.format(organisation=each), partial(self._datadog, each)) for each in self._keys]

    async def lay_out(self) -> Platform:
        """Takes some seconds, in a thread of its own."""
        self.platform = await asyncio.to_thread(self._build)
        self._stands.set()
        return self.platform

    async def live(self) -> None:
        """What is due on the platform happens, until cancelled."""
        await self._stands.wait()
        while True:
            await asyncio.to_thread(self.platform.tick)
            await system_sleep(TICK_S)

    async def _aws(self, scope: Any, receive: Any, send: Any) -> None:
        await self._stands.wait()
        await self.platform.aws(scope, receive, send)

    async def _datadog(self, organisation: str, scope: Any, receive: Any, send: Any) -> None:
        await self._stands.wait()
        await self.platform.accounts[organisation].asgi(scope, receive, send)

    async def _outside(self, request: Request) -> Response:
        """A host of the world outside: it is well, or it is not there."""
        await self._stands.wait()
        there = self.platform.answers(request.path_params["host"])
        return PlainTextResponse("ok" if there else "down for maintenance", 200 if there else 503)
