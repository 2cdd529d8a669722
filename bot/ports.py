"""What a simulation replaces: clock, sleep, new ids, and the named points where a process may die."""

import asyncio
import random
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, time zone UTC."""


class Sleep(Protocol):
    async def __call__(self, seconds: float) -> None: ...


class Ids(Protocol):
    def new(self) -> str:
        """An identifier never given before."""


class KillPoint(Protocol):
    def __call__(self, name: str) -> None:
        """Passed before and after each commit, send and acknowledgement; a test may end the process here."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemIds:
    def new(self) -> str:
        return f"{random.getrandbits(128):032x}"        # no secret, and ten times as fast as one


async def system_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


def survive(name: str) -> None:
    """The production kill point: nobody dies."""
