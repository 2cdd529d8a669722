"""A stage for Datadog: two accounts of the double behind a real server, every answer held against the official schemas.

A test module takes its fixtures by `from tests.datadog_stage import DatadogWorld, accounts, datadog_server, datadog_world`
and names them in its `__all__`.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
import urllib3
import uvicorn
from datadog_api_client import ApiClient, Configuration
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.doubles.datadog_api import Account
from bot.doubles.datadog_api.door import GARBLED
from runbooks.actions import Answer, Place, Unsure
from tests.fakes import ManualClock
from tests.patience import PATIENCE_S

SAMPLES = Path(__file__).parent / "samples"
ORGANISATIONS = ("bridge", "padok")
PREFIX = "/doubles/datadog"
HASTY_S = 2.0       # for calls of which one knows that no answer comes
COMMON = {"type": "object", "required": ["errors"], "properties": {"errors": {"type": "array", "items": {"type": "string"}}}}


class Schemas:
    """The official specifications: what each operation may answer."""

    def __init__(self) -> None:
        self.specs = {version: read_spec(SAMPLES / f"datadog_openapi_{version}.json") for version in ("v1", "v2")}
        self.validators: dict[str, OAS30Validator] = {}

    def faults(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """What the schemas say against this answer."""
        version = path.split("/")[2]
        operation = self.operation(version, path)[method.lower()]
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [] if status in (401, 500, 503) and self.fit(version, COMMON, body) == [] else [f"{status} is not foreseen"]
        while "$ref" in answer:
            answer = self.specs[version]["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        if "content" not in answer:
            return [f"a body where none is foreseen: {body!r}"] if body else []
        return self.fit(version, answer["content"]["application/json"]["schema"], body)

    def operation(self, version: str, path: str) -> dict[str, Any]:
        paths = self.specs[version]["paths"]
        found = paths.get(path) or next(
            (each for name, each in paths.items() if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)), None)
        assert found, f"{path} is none of Datadog's paths"
        return dict(found)

    def fit(self, version: str, schema: Mapping[str, Any], body: bytes) -> list[str]:
        key = f"{version} {json.dumps(schema, sort_keys=True)}"
        if key not in self.validators:
            whole = {**schema, "components": self.specs[version]["components"]}
            self.validators[key] = OAS30Validator(whole, format_checker=oas30_format_checker)
        return [f"{each.json_path}: {each.message}" for each in self.validators[key].iter_errors(json.loads(body))]


def read_spec(path: Path) -> dict[str, Any]:
    """The real service says null where an enumeration is nullable, though null is not enumerated."""

    def take_null(schema: dict[str, Any]) -> dict[str, Any]:
        return schema | {"enum": [*schema["enum"], None]} if schema.get("nullable") and "enum" in schema else schema

    found: dict[str, Any] = json.loads(path.read_text(), object_hook=take_null)
    return found


class Checked:
    """An ASGI app whose every answer is held against the schemas; it can be another app for each test."""

    def __init__(self) -> None:
        self.schemas, self.faults = Schemas(), list[str]()
        self.app: Any = Starlette()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, body = 0, b""

        async def listen(message: Any) -> None:
            nonlocal status, body
            status, body = message.get("status", status), body + message.get("body", b"")
            await send(message)

        await self.app(scope, receive, listen)
        path = re.sub(rf"^{PREFIX}/\w+", "", scope["path"])
        if path == scope["path"] or body == GARBLED:
            return                      # another site than Datadog, or what came between
        found = self.schemas.faults(scope["method"], path, status, body)
        self.faults += [f"{scope['method']} {path} {status}: {each}" for each in found]


@pytest.fixture(scope="session")
def datadog_server() -> Iterator[tuple[Checked, str]]:
    """One server for all tests of this process."""
    checked = Checked()
    options = uvicorn.Config(checked, port=0, log_level="critical", lifespan="off", ws="none", timeout_keep_alive=600)
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield checked, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(PATIENCE_S)


@dataclass
class DatadogWorld:
    """`runbooks.actions.World` without AWS: Datadog is the double, HTTP is real, time is moved by hand."""

    url: str
    clock: ManualClock
    accounts: Mapping[str, Account]
    token: str = "0f6c1c1e-6f0e-5b0a-9d0c-2b7f6f1a57b2"
    label: str = "vigie-run57-step2"
    place: Place = field(default_factory=lambda: Place("111122223333", "eu-west-3"))
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    patience_s: float = PATIENCE_S

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def bridge(self) -> Account:
        return self.accounts["bridge"]

    def forward(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def aws(self, service: str, region: str | None = None) -> Any:
        raise AssertionError(f"nothing here should ask {service}")

    def datadog(self, organisation: str) -> ApiClient:
        return client_of(f"{self.url}{PREFIX}/{organisation}", organisation, self.patience_s)

    def get(self, url: str, timeout_s: float) -> Answer:
        return http_get(url, timeout_s)


def client_of(url: str, organisation: str = "bridge", patience_s: float = PATIENCE_S, **keys: str) -> ApiClient:
    """The official client: it never sends twice."""
    given = {"apiKeyAuth": f"api-{organisation}", "appKeyAuth": f"app-{organisation}"} | keys
    options = Configuration(api_key=given, request_timeout=patience_s, retry_policy=urllib3.Retry(0))  # type: ignore[no-untyped-call]
    options.host = url
    return ApiClient(options)


class Stay(HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


def http_get(url: str, timeout_s: float) -> Answer:
    """One GET as the contract asks for: no redirects, a bounded body, Unsure when nobody answers."""
    begun = time.monotonic()
    try:
        with build_opener(Stay).open(url, timeout=timeout_s) as answer:
            status, body = answer.status, answer.read(4096)
    except HTTPError as error:
        with error:
            status, body = error.code, error.read(4096)
    except (URLError, OSError) as error:
        raise Unsure(f"{url} did not answer") from error
    return Answer(status, body.decode(errors="replace"), time.monotonic() - begun)


@pytest.fixture
def datadog_world(datadog_server: tuple[Checked, str]) -> Iterator[DatadogWorld]:
    """Two empty accounts at 02:14; afterwards every answer must have been one that Datadog may give."""
    checked, url = datadog_server
    clock = ManualClock()
    accounts = {name: Account(f"api-{name}", f"app-{name}", clock, sleep=asyncio.sleep) for name in ORGANISATIONS}
    checked.app = Starlette(routes=[Mount(f"{PREFIX}/{name}", each.asgi) for name, each in accounts.items()])
    checked.faults.clear()
    yield DatadogWorld(url, clock, accounts)
    assert checked.faults == []
