"""Time: APScheduler only knocks ("what is due?"); the answer stands in rows, so knocking twice does nothing twice."""

from collections.abc import Awaitable, Callable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.ports import system_sleep

log = structlog.get_logger()

ENDING_S, LOOK_S = 3.0, 0.02

Knock = Callable[[], Awaitable[None]]


class Knocker:
    """Knocks at each door every so many seconds, UTC; a knock that fails is logged and the next one comes."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._under_way: set[str] = set()

    def every(self, seconds: float, name: str, knock: Knock) -> None:
        async def careful() -> None:
            self._under_way.add(name)
            try:
                await knock()
            except Exception:  # a background loop must outlive one bad round; what is due stays due
                log.exception("knock failed", door=name)
            finally:
                self._under_way.discard(name)

        self._scheduler.add_job(
            careful, IntervalTrigger(seconds=seconds, timezone="UTC"), id=name, misfire_grace_time=None, coalesce=True
        )

    def start(self) -> None:
        self._scheduler.start()

    async def stop(self) -> None:
        """No more knocks; those under way come to their end: a thread cannot be cancelled, and would work on behind us."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        for _ in range(int(ENDING_S / LOOK_S)):
            if not self._under_way:
                break
            await system_sleep(LOOK_S)
        self._scheduler.shutdown(wait=False)
