"""Clock, ids, random numbers and death, as a test wants them; each obeys a Protocol of bot/ports.py."""

import random
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)


class ManualClock:
    """Stands still until it is told to move."""

    def __init__(self, start: datetime = START) -> None:
        self.instant = start

    def now(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> datetime:
        self.instant += timedelta(seconds=seconds)
        return self.instant


class CountingIds:
    """id-1, id-2, id-3 ..."""

    def __init__(self, prefix: str = "id") -> None:
        self.prefix = prefix
        self.given = 0

    def new(self) -> str:
        self.given += 1
        return f"{self.prefix}-{self.given}"


class SeededRandom:
    """The same numbers in every run."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def random(self) -> float:
        return self._random.random()


class Killed(BaseException):
    """The process died here: nothing that catches Exception survives it."""


class KillAt:
    """Dies at the n-th passing of the named point (any point when the name is None); remembers all it passed."""

    def __init__(self, name: str | None = None, n: int = 1) -> None:
        self.name = name
        self.left = n
        self.passed: list[str] = []

    def __call__(self, name: str) -> None:
        self.passed.append(name)
        if self.name not in (None, name):
            return
        self.left -= 1
        if self.left == 0:
            raise Killed(name)
