"""Who is looking: one stream of small events for each open page, and the notices that people got."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Iterable

from bot.workspace.wire import Json

HEARTBEAT = 15.0
MOST_WAITING = 1000


class Streams:
    def __init__(self) -> None:
        self.open: dict[str, set[asyncio.Queue[Json | None]]] = {}
        self.notices: deque[tuple[str, str]] = deque(maxlen=MOST_WAITING)

    def tell(self, people: Iterable[str], event: Json) -> None:
        """A page that does not read misses events: it fetches everything anew when it comes back."""
        for person in people:
            for queue in self.open.get(person, ()):
                if not queue.full():
                    queue.put_nowait(event)

    def notice(self, person: str, text: str) -> None:
        self.notices.append((person, text))
        self.tell([person], {"type": "notice", "text": text})

    async def listen(self, person: str) -> AsyncIterator[str]:
        """Server-Sent Events for one page until it leaves or the workspace closes."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue(MOST_WAITING)
        self.open.setdefault(person, set()).add(queue)
        try:
            yield ": hello\n\n"
            while True:
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                yield f"data: {json.dumps(event)}\n\n"
        finally:
            self.open[person].discard(queue)

    def close(self) -> None:
        for queue in [queue for queues in self.open.values() for queue in queues]:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(None)
