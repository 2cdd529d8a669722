"""AWS as it is spoken over HTTP: a request read as a call of an operation, an answer or a refusal written as AWS writes it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from xml.sax.saxutils import escape

from botocore.parsers import create_parser

Json = dict[str, Any]

SIGNED_AS = {"monitoring": "cloudwatch", "elasticloadbalancing": "elbv2"}       # where botocore's name is another
IAM_NAMES = {"elbv2": "elasticloadbalancing"}
REQUEST_ID = "7a62c49f-347e-4fc4-9331-6e8e7a62c49f"

_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")


@dataclass(frozen=True, slots=True)
class Request:
    """What came over HTTP; `path` and `query` as they were sent, without the double's own prefix."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]          # names in small letters
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Refusal(Exception):
    """AWS says no: its code, its sentence, the HTTP status."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(message or code)
        self.code, self.message, self.status = code, message or code, status


class Unreadable(Exception):
    """This is no call of AWS."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: which operation of which service, with which parameters, where, and with whose key."""

    service: str
    operation: str
    params: Json
    region: str
    key: str
    protocol: str
    request: Request = field(repr=False)
    model: Any = field(repr=False)

    @property
    def action(self) -> str:
        """As IAM names it: ecs:UpdateService."""
        return f"{IAM_NAMES.get(self.service, self.service)}:{self.operation}"


def read(request: Request) -> Call:
    """The call that a signed request makes; raises Unreadable."""
    found = _SCOPE.search(request.headers.get("authorization", ""))
    if found is None:
        raise Unreadable("the request is not signed")
    key, region, signed = found.groups()
    service = SIGNED_AS.get(signed, signed)
    model, uri = _operation(service, request)
    protocol = _moto("core.request").determine_request_protocol(model.service_model, request.headers.get("content-type"))
    return Call(service, model.name, _params(model, protocol, uri, request), region, key, protocol, request, model)


def _moto(module: str) -> Any:
    """A part of moto: it is imported when the double starts, for it is not installed everywhere."""
    return import_module(f"moto.{module}")


def _operation(service: str, request: Request) -> tuple[Any, Json]:
    target, form = request.headers.get("x-amz-target"), _ACTION.search(request.body)
    name = target.rsplit(".", 1)[1] if target else form[1].decode() if form else ""
    if name:
        return _moto("core.utils").get_service_model(service).operation_model(name), {}
    try:
        model, uri = _moto("core.routing").get_service_router(service).match(werkzeug(request))
    except import_module("werkzeug.exceptions").NotFound as error:
        raise Unreadable(f"{service} has no {request.method} {request.path}") from error
    return model, dict(uri)


def werkzeug(request: Request) -> Any:
    """The same request as moto and werkzeug know it."""
    url = f"http://localhost{request.path}" + (f"?{request.query}" if request.query else "")
    return _moto("core.request").Request.from_primitives(request.method, url, dict(request.headers), request.body)


def _params(model: Any, protocol: str, uri: Json, request: Request) -> Json:
    same = werkzeug(request)
    parser = _moto("core.parse").PROTOCOL_PARSERS[protocol](model)
    asked = {"method": request.method, "values": same.values, "headers": same.headers, "body": same.data,
             "url_path": same.path, "url_params": uri}
    parsed: Json = parser.parse(asked)
    return parsed


def parsed(call: Call, reply: Reply) -> Json:
    """What an answer says, as boto3 would give it."""
    raw = {"status_code": reply.status, "headers": dict(reply.headers), "body": reply.body}
    found: Json = create_parser(call.protocol).parse(raw, call.model.output_shape)
    found.pop("ResponseMetadata", None)
    return found


def written(call: Call, answer: Json) -> Reply:
    """An answer in the words of the operation's model."""
    serializer = _moto("core.serialize").get_serializer_class(call.service, call.protocol)
    made = serializer(call.model).serialize(answer)
    body = made["body"]
    headers = {"x-amzn-requestid": REQUEST_ID} | {name: str(value) for name, value in made["headers"].items()}
    return Reply(int(made["status_code"]), headers, body if isinstance(body, bytes) else body.encode())


def refused(protocol: str, refusal: Refusal) -> Reply:
    """A refusal in the protocol's form."""
    headers = {"x-amzn-requestid": REQUEST_ID}
    if "json" in protocol:
        body = json.dumps({"__type": refusal.code, "message": refusal.message})
        return Reply(refusal.status, headers | {"content-type": "application/x-amz-json-1.1"}, body.encode())
    code, message = escape(refusal.code), escape(refusal.message)
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    text = (f"<Response><Errors>{error}</Errors><RequestID>{REQUEST_ID}</RequestID></Response>" if protocol == "ec2"
            else f"<ErrorResponse>{error}<RequestId>{REQUEST_ID}</RequestId></ErrorResponse>")
    return Reply(refusal.status, headers | {"content-type": "text/xml"}, text.encode())
