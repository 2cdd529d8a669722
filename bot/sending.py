"""`vigie send`: posts a payload file as its source would, so that an endpoint can be tried without the source."""

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp

from bot.config import Config, Endpoint
from bot.doubles.sns import envelope
from bot.errors import Refused
from bot.ports import SystemClock, SystemIds
from bot.settings import Secrets

NO_FILE = "There is no file {file}."
NO_ENDPOINT = "There is no endpoint {name} in vigie.yaml; there are: {names}."
NOT_REACHED = "{url} does not answer ({error}). Is Vigie running there? `vigie serve` or `make demo` starts it."
TIMEOUT_S = 20.0


def send_file(file: Path, config: Config, name: str, secrets: Secrets, base: str, raw: bool) -> tuple[int, str]:
    """The status and the answer; raises Refused when there is nothing to send or nobody to send it to."""
    endpoint = config.endpoints.get(name)
    if endpoint is None:
        raise Refused(NO_ENDPOINT.format(name=name, names=", ".join(sorted(config.endpoints))))
    if not file.is_file():
        raise Refused(NO_FILE.format(file=file))
    body, headers = prepare(file.read_bytes(), endpoint, secrets, raw)
    url = f"{base.rstrip('/')}/webhooks/{endpoint.source}/{name}"
    return asyncio.run(post(url, body, headers))


def prepare(content: bytes, endpoint: Endpoint, secrets: Secrets, raw: bool) -> tuple[bytes, dict[str, str]]:
    """The body and headers as the source sends them."""
    if endpoint.source == "cloudwatch":
        wrapped = content if raw or _is_envelope(content) else _wrap(content, endpoint)
        kind = _kind(wrapped)
        return wrapped, {"Content-Type": "text/plain; charset=UTF-8", **({"x-amz-sns-message-type": kind} if kind else {})}
    secret = secrets.get(endpoint.secrets[0]) if endpoint.secrets else ""
    name, value = ("Authorization", f"Bearer {secret}") if endpoint.source == "alertmanager" else ("X-Vigie-Secret", secret)
    return content, {"Content-Type": "application/json", name: value}


def _wrap(content: bytes, endpoint: Endpoint) -> bytes:
    message = content.decode("utf-8-sig", "replace")
    made = envelope(endpoint.topics[0].arn, message, now=SystemClock().now(), message_id=_uuid())
    return json.dumps(made, ensure_ascii=False).encode()


def _uuid() -> str:
    plain = SystemIds().new()
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))


def _is_envelope(content: bytes) -> bool:
    return _kind(content) is not None


def _kind(content: bytes) -> str | None:
    """The type of an SNS envelope; None when it is none."""
    try:
        parsed: Any = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    known = isinstance(parsed, dict) and "TopicArn" in parsed and isinstance(parsed.get("Type"), str)
    return parsed["Type"] if known else None


async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """The status and the answer; raises Refused when nobody listens there."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=BytesIO(body), headers=headers) as answer,
        ):
            return answer.status, await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Refused(NOT_REACHED.format(url=url, error=type(error).__name__)) from error
