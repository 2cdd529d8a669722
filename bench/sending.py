"""The load generator: a process of its own with a few keep-alive connections, as cheap as Python allows."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import uvloop

RECONNECT_S = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request; `status` 0: the connection broke. Times are epoch seconds."""

    number: int
    status: int
    sent: float
    answered: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def ms(self) -> float:
        return (self.answered - self.sent) * 1000


@dataclass(frozen=True, slots=True)
class Orders:
    """What to send and how: `gap_s` between an answer and the next request; `insist`: again until it is taken."""

    port: int
    requests: list[bytes]
    connections: int = 16
    gap_s: float = 0.0
    insist: bool = False
    patience_s: float = 120.0


class Work:
    """The requests still to be sent, shared by all connections."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.left: deque[int] = deque(range(len(orders.requests)))
        self.answers: list[Answer] = []

    def note(self, answer: Answer) -> None:
        self.answers.append(answer)
        if not answer.ok and self.orders.insist:
            self.left.append(answer.number)


class Line(asyncio.Protocol):
    """One connection: sends the next request when the last is answered; `ended` when there is no more, or it broke."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.ended = asyncio.get_running_loop().create_future()
        self.number: int | None = None
        self.sent, self.held = 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.send()

    def send(self) -> None:
        if self.transport.is_closing():         # it broke while we paused: the request is for the next connection
            return
        if not self.work.left:
            self.transport.close()
            return
        self.number = self.work.left.popleft()
        self.sent = time.time()
        self.transport.write(self.work.orders.requests[self.number])

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self.held = b""
        self.note(int(head[9:12]))
        gap = self.work.orders.gap_s
        if gap:
            asyncio.get_running_loop().call_later(gap, self.send)
        else:
            self.send()

    def note(self, status: int) -> None:
        if self.number is not None:
            self.work.note(Answer(self.number, status, self.sent, time.time()))
            self.number = None

    def connection_lost(self, exc: Exception | None) -> None:
        self.note(0)
        self.ended.set_result(None)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def send(orders: Orders) -> list[Answer]:
    """All answers in the order in which they came."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(orders))


async def _send(orders: Orders) -> list[Answer]:
    work = Work(orders)
    async with asyncio.timeout(orders.patience_s):
        await asyncio.gather(*(_keep(work) for _ in range(orders.connections)))
    return work.answers


async def _keep(work: Work) -> None:
    """A connection, and another one when it breaks, until nothing is left to send."""
    loop = asyncio.get_running_loop()
    while work.left:
        try:
            _, line = await loop.create_connection(lambda: Line(work), "127.0.0.1", work.orders.port)
        except OSError:
            await asyncio.sleep(RECONNECT_S)
            continue
        await line.ended


def percentile(values: Iterable[float], share: float) -> float:
    """The value that `share` of all do not exceed; 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
