"""The two ways in: HTTP for whoever has an endpoint, and a boto3 client in this process for the platform's owner."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict

from bot.doubles.aws.faults import Fault
from bot.doubles.aws.wire import Reply, Request

LONGEST_HANG_S = 60.0
THREADS = ThreadPoolExecutor(8, "aws-double")       # its own: the caller may be in this process and hold all of asyncio's

Answering = Callable[[Request], tuple[Reply, Fault | None]]


async def serve(answering: Answering, scope: Any, receive: Any, send: Any) -> None:
    """One HTTP request, and the trouble on its way back."""
    request = await _request(scope, receive)
    reply, fault = await asyncio.get_running_loop().run_in_executor(THREADS, answering, request)
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    if fault and fault.kind == "hang":
        await _until_gone(receive)
    if fault and fault.kind in ("hang", "hang up") and (line := _line(receive)):
        line.abort()
        return
    headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _request(scope: Any, receive: Any) -> Request:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").removeprefix(scope.get("root_path", ""))
    return Request(scope["method"], path or "/", scope["query_string"].decode("latin-1"), headers, body)


async def _until_gone(receive: Any) -> None:
    """Until the caller has hung up."""
    try:
        async with asyncio.timeout(LONGEST_HANG_S):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


def _line(receive: Any) -> asyncio.Transport | None:
    """The connection, where the server lets us reach it."""
    line: asyncio.Transport | None = getattr(getattr(receive, "__self__", None), "transport", None)
    return line


def in_process(answering: Answering) -> Callable[..., AWSResponse]:
    """For boto3's event `before-send`: the answer without any network."""

    def answered(request: Any, **_more: Any) -> AWSResponse:
        path, _mark, query = request.url.split("/", 3)[-1].partition("?")
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        body = request.body or b""
        reply, _fault = answering(Request(
            request.method, f"/{path}", query, headers, body if isinstance(body, bytes) else body.encode()))
        said: Any = HeadersDict(reply.headers)
        return AWSResponse(request.url, reply.status, said, _Body(reply.body))

    return answered


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Body:
    """The bytes of an answer, as botocore reads them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content
