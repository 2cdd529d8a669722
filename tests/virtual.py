"""What a simulated night has instead of the world: a heap of moments, durable work, and a Slack with its faults."""

import asyncio
import heapq
import random
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.errors import Rejected, Unavailable
from bot.ports import KillPoint
from bot.services.slack.drawing import Drawing
from tests.fakes import START, ManualClock

Event = Callable[[], Awaitable[None]]


class LawBroken(BaseException):
    """Something that must never be true is; nothing that catches Exception hides it."""


class Timeline(ManualClock):
    """A clock whose hands jump from event to event."""

    def __init__(self) -> None:
        super().__init__(START)
        self._heap: list[tuple[datetime, int, Event]] = []
        self._number = 0

    def after(self, seconds: float, event: Event) -> None:
        self._number += 1
        heapq.heappush(self._heap, (self.instant + timedelta(seconds=seconds), self._number, event))

    async def run_until(self, moment: datetime) -> None:
        """All that happens up to then, in order."""
        while self._heap and self._heap[0][0] <= moment:
            at, _, event = heapq.heappop(self._heap)
            self.instant = max(self.instant, at)
            await event()
        self.instant = max(self.instant, moment)

    async def meanwhile(self, seconds: float) -> None:
        """Whoever waits for an answer lets the others go on."""
        await self.run_until(self.instant + timedelta(seconds=seconds))


class SameThread(ThreadPoolExecutor):
    """Does what is handed over at once, so that nothing depends on which of two threads is quicker."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given, **named))
        except BaseException as problem:  # a thread keeps whatever ended its work for the one who waits
            future.set_exception(problem)
        return future


# --- durable work ---


class VirtualRun:
    """One durable run, as the engine does it: a step's result is kept after it, so a crash between does the step again.

    `records` outlive the process; `task` and `pause` die with it.
    """

    def __init__(self, engine: "VirtualDurable", name: str, args: tuple[Any, ...]) -> None:
        self.engine, self.name, self.args = engine, name, args
        self.records: list[Any] = []
        self.ended = False

    async def go_on(self, engine: "VirtualDurable") -> None:
        """From the beginning: what is on record is not done again."""
        self.engine, self._position = engine, 0
        self._pause: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._work())
        await self._until_it_waits()

    async def _work(self) -> None:
        await self.engine.works[self.name](self, *self.args)
        self.ended = True

    async def _until_it_waits(self) -> None:
        await asyncio.wait({self.task, self._pause}, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            self.task.result()

    async def step(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        if self._position == len(self.records):
            try:
                result = await function(*args)
            except Exception as problem:  # kept like a result, so that a recovered run goes the same way
                result = problem
            self.engine.kill("step: before record")
            self.records.append(result)
            self.engine.kill("step: after record")
        self._position += 1
        if isinstance(kept := self.records[self._position - 1], Exception):
            raise kept
        return kept

    async def sleep(self, seconds: float) -> None:
        timeline = self.engine.timeline
        if self._position == len(self.records):
            self.records.append(timeline.now() + timedelta(seconds=seconds))
        left = (self.records[self._position] - timeline.now()).total_seconds()
        self._position += 1
        if left > 0:
            gate = asyncio.get_running_loop().create_future()
            timeline.after(left, partial(self._wake, gate))
            self._pause.set_result(None)
            await gate

    async def _wake(self, gate: "asyncio.Future[None]") -> None:
        if not gate.done():         # else the process that slept is dead
            self._pause = asyncio.get_running_loop().create_future()
            gate.set_result(None)
            await self._until_it_waits()


class VirtualDurable:
    """The workflow engine of one process; `runs` are what all processes share."""

    def __init__(self, timeline: Timeline, kill: KillPoint, runs: dict[str, VirtualRun]) -> None:
        self.timeline, self.kill, self._runs = timeline, kill, runs
        self.works: dict[str, Callable[..., Awaitable[Any]]] = {}

    def work(self, name: str, function: Callable[..., Awaitable[Any]]) -> None:
        self.works[name] = function

    async def start(self, name: str, identity: str, *args: Any) -> None:
        self.kill("work: before start")
        if identity not in self._runs:
            self._runs[identity] = VirtualRun(self, name, args)
            await self._runs[identity].go_on(self)
        self.kill("work: after start")

    async def ended(self, identity: str) -> bool:
        return identity in self._runs and self._runs[identity].ended

    async def resume(self) -> None:
        """What the last process left undone goes on."""
        for run in [each for each in self._runs.values() if not each.ended]:
            await run.go_on(self)

    async def stop(self) -> None:
        tasks = [each.task for each in self._runs.values() if not each.task.done()]
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


# --- Slack ---

LATENCIES_S = (0.05, 0.1, 0.3, 4)       # each way


@dataclass(slots=True)
class Message:
    """What a channel shows."""

    channel: str
    key: str
    thread: str | None
    drawing: Drawing


class VirtualSlack:
    """Takes its time, loses replies, is rate limited or away, as the seed says; a message shown twice breaks the law."""

    def __init__(
        self, timeline: Timeline, rng: random.Random | None = None, say: Callable[[str], object] = lambda what: None
    ) -> None:
        self.messages: dict[str, Message] = {}
        self.trouble = 0.0                      # the share of calls that go wrong
        self.away_until = timeline.now()
        self._timeline, self._rng, self._say = timeline, rng or random.Random(0), say

    async def post(self, channel: str, drawing: Drawing, key: str, thread: str | None) -> str:
        fault = await self._travel("post", key)
        if any(each.key == key for each in self.messages.values()):
            raise LawBroken(f"{key} stands in Slack twice")
        ts = f"{self._timeline.now().timestamp() + len(self.messages) / 1e6:.6f}"
        self.messages[ts] = Message(channel, key, thread, drawing)
        await self._return(fault)
        return ts

    async def update(self, channel: str, ts: str, drawing: Drawing) -> None:
        fault = await self._travel("update", self.messages[ts].key if ts in self.messages else ts)
        if ts not in self.messages:
            raise Rejected("message_not_found")
        self.messages[ts].drawing = drawing
        await self._return(fault)

    async def find(self, channel: str, key: str, thread: str | None, oldest: float) -> str | None:
        fault = await self._travel("find", key)
        found = [
            ts for ts, each in self.messages.items()
            if (each.channel, each.key, each.thread) == (channel, key, thread) and float(ts) >= oldest
        ]
        await self._return(fault)
        return found[0] if found else None

    async def _travel(self, method: str, key: str) -> str:
        """The way there; some calls never arrive."""
        fault = self._draw_lot()
        self._say(f"slack {method} {key} {fault}".rstrip())
        await self._timeline.meanwhile(self._rng.choice(LATENCIES_S))
        if fault == "limited":
            raise Unavailable("ratelimited", retry_after=float(self._rng.randint(1, 30)))
        if fault == "away":
            raise Unavailable("connection refused")
        if fault == "refused":
            raise Rejected("channel_not_found")
        return fault

    async def _return(self, fault: str) -> None:
        """The way back; some answers are lost, and some answers are 500 though it was done."""
        await self._timeline.meanwhile(self._rng.choice(LATENCIES_S))
        if fault == "lost":
            raise Unavailable("no answer")

    def _draw_lot(self) -> str:
        if self._timeline.now() < self.away_until:
            return "away"
        if self._rng.random() >= self.trouble:
            return ""
        return self._rng.choice(("lost", "lost", "lost", "limited", "limited", "away", "refused"))
