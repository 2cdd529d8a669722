"""One organisation's Datadog account: its state, settable from Python, behind the paths of the real API."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.doubles.datadog_api.door import Door
from bot.doubles.datadog_api.downtimes import Downtimes
from bot.doubles.datadog_api.events import Events
from bot.doubles.datadog_api.logs import Logs
from bot.doubles.datadog_api.metrics import Metrics
from bot.doubles.datadog_api.monitors import Monitors
from bot.doubles.datadog_api.wire import Call, Operation, Reply
from bot.ports import Clock, Sleep, system_sleep


class Account:
    """`asgi` is the API, to be mounted under any prefix; `faults`, `limits` spoil it; `book` says who called what."""

    def __init__(self, api_key: str, app_key: str, clock: Clock, sleep: Sleep = system_sleep) -> None:
        self.door = Door(api_key, app_key, clock, sleep)
        self.faults, self.limits, self.book = self.door.faults, self.door.limits, self.door.book
        self.downtimes = Downtimes(clock)
        self.monitors = Monitors(clock, self.downtimes)
        self.metrics, self.logs, self.events = Metrics(clock), Logs(clock), Events(clock)
        parts = (self.monitors, self.downtimes, self.metrics, self.logs, self.events)
        operations = [VALIDATE, *(each for part in parts for each in part.operations())]
        self.asgi = Starlette(routes=[Route(each.path, self.door_to(each), methods=[each.method]) for each in operations])

    def door_to(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def enter(request: Request) -> Response:
            return await self.door.enter(request, operation)

        return enter


def _valid(_call: Call) -> Reply:
    return Reply({"valid": True})


VALIDATE = Operation("validate", "GET", "/api/v1/validate", _valid, only_api_key=True)
