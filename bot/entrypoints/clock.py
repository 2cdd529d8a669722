"""Time: APScheduler only knocks ("what is due?"); the answer stands in rows, so knocking twice does nothing twice."""

from collections.abc import Awaitable, Callable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger()

Knock = Callable[[], Awaitable[None]]


class Knocker:
    """Knocks at each door every so many seconds, UTC; a knock that fails is logged and the next one comes."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")

    def every(self, seconds: float, name: str, knock: Knock) -> None:
        async def careful() -> None:
            try:
                await knock()
            except Exception:  # a background loop must outlive one bad round; what is due stays due
                log.exception("knock failed", door=name)

        self._scheduler.add_job(
            careful, IntervalTrigger(seconds=seconds, timezone="UTC"), id=name, misfire_grace_time=None, coalesce=True
        )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
