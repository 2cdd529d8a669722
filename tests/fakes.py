"""Clock, ids and death, as a test wants them; each obeys a Protocol of bot/ports.py."""

from datetime import UTC, datetime, timedelta

from bot.errors import Rejected, Unavailable

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


class FakeSlack:
    """The courier's Slack: remembers messages; loses replies, answers 429 or refuses as `faults` (a queue of words) says."""

    def __init__(self) -> None:
        self.messages: dict[str, dict] = {}
        self.calls: list[tuple[str, str]] = []
        self.faults: list[str] = []
        self._number = 0

    async def post(self, channel, drawing, key, thread):
        self.calls.append(("post", key))
        fault = self._fault()
        self._number += 1
        ts = f"{1_700_000_000 + self._number}.000100"
        self.messages[ts] = {"channel": channel, "key": key, "thread": thread, "drawing": drawing}
        if fault == "lost reply":
            raise Unavailable("no answer")
        return ts

    async def update(self, channel, ts, drawing):
        self.calls.append(("update", self.messages.get(ts, {}).get("key", "?")))
        self._fault()
        if ts not in self.messages:
            raise Rejected("message_not_found")
        self.messages[ts]["drawing"] = drawing

    async def find(self, channel, key, thread, oldest):
        self.calls.append(("find", key))
        found = [ts for ts, each in self.messages.items() if (each["channel"], each["key"]) == (channel, key)]
        return found[0] if found else None

    async def upload(self, channel, thread, file, comment):
        self.calls.append(("upload", file.title))
        fault = self._fault()
        self._number += 1
        found = f"F{self._number}"
        self.messages[found] = {"channel": channel, "key": file.title, "thread": thread, "file": file, "comment": comment}
        if fault == "lost reply":
            raise Unavailable("no answer")
        return found

    async def find_file(self, channel, thread, title, oldest):
        self.calls.append(("find", title))
        found = [each for each, given in self.messages.items() if (given["channel"], given["key"]) == (channel, title)]
        return found[0] if found else None

    def _fault(self) -> str | None:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "429":
            raise Unavailable("ratelimited", retry_after=7)
        if fault == "down":
            raise Unavailable("connection refused")
        if fault and fault != "lost reply":
            raise Rejected(fault)
        return fault

    def shown(self, key: str):
        """The messages with this key."""
        return [each for each in self.messages.values() if each["key"] == key]
