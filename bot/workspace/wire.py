"""What a Web API request carries: arguments from query, form, JSON or multipart, and Slack's way of saying no."""

import email
import email.policy
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

Json = dict[str, Any]


class SlackError(Exception):
    """An answer with ok:false; `more` stands beside the code."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


def invalid(code: str, messages: list[str]) -> SlackError:
    """A refusal that says where the fault stands."""
    return SlackError(code, errors=messages, response_metadata={"messages": messages})


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of one call; `base` is the address under which the caller reached us."""

    values: Json
    base: str = ""

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def need(self, name: str) -> str:
        if not self.text(name):
            raise invalid("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return self.text(name)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise invalid("invalid_arguments", [f"[ERROR] must be an integer [json-pointer:/{name}]"]) from None

    def structure(self, name: str, code: str = "invalid_arguments") -> Any:
        """A list or object, which a form carries as JSON; None when it was not given."""
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            return value or None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(code) from None

    def listed(self, name: str) -> list[str]:
        """Several names, with commas between them or as a list."""
        value = self.values.get(name) or ""
        items = value if isinstance(value, list) else str(value).split(",")
        return [str(item).strip() for item in items if str(item).strip()]


async def arguments(request: Request, base: str) -> Args:
    """Everything the caller said, wherever in the request it stands."""
    values: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await request.body()
    if kind == "application/json":
        values |= from_json(body)
    elif kind == "multipart/form-data":
        values |= from_multipart(body, request.headers["content-type"])
    elif body:
        values |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return Args(values, base)


def from_json(body: bytes) -> Json:
    try:
        values = json.loads(body or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(values, dict):
        raise SlackError("json_not_object")
    return values


def from_multipart(body: bytes, content_type: str) -> Json:
    """Text parts by name; a file part keeps its bytes."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    values: Json = {}
    for part in message.walk():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if name and isinstance(content, bytes):
            values[str(name)] = content if part.get_filename() else content.decode("utf-8", "replace")
    return values


def address(request: Request) -> str:
    """The address of our mount, as this caller wrote it."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def bearer(request: Request, args: Args) -> str:
    """The token, from the header or the arguments; empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else args.text("token")
