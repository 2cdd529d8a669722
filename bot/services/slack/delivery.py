"""The durable run that delivers one channel's posts: at most one at a time, wherever it runs, however often it crashes."""

import asyncio

import structlog

from bot import durable
from bot.services.desk import Desk
from bot.services.slack.courier import Courier
from bot.store import cards

log = structlog.get_logger()

WORK = "deliver"
REST_S = 10.0           # after a fault of our own
MOST_IN_A_RUN = 200     # then the next run takes over, so that no run's history grows without end


class Delivery:
    """Starts a run for each channel in which something is due."""

    def __init__(self, desk: Desk, courier: Courier, engine: durable.Engine) -> None:
        self._desk, self._courier, self._engine = desk, courier, engine

    async def run(self, run: durable.Run, channel: str, generation: int) -> None:
        """The work itself: send, wait, send; ends when nothing is due any more."""
        try:
            for _ in range(MOST_IN_A_RUN):
                pause = await run.step(self._courier.deliver_next, channel)
                if pause is not None:
                    await run.sleep(pause)
                elif await run.step(self._courier.release, channel, generation):
                    return
        except Exception:  # a background loop: a fault of ours must not leave the channel held for ever
            log.exception("delivery run failed", channel=channel)
            await run.sleep(REST_S)
        await run.step(self._give_way, channel, generation)

    async def start_due(self) -> None:
        """A run for each channel that has something due and no run yet."""
        for channel, generation in await asyncio.to_thread(self._claim_due):
            await self._start(channel, generation)

    async def mend(self) -> None:
        """After a crash: a run that was claimed and never begun is begun; one that ended without a word gives way."""
        for channel, generation in await asyncio.to_thread(self._busy):
            if await self._engine.ended(_identity(channel, generation)):
                await self._give_way(channel, generation)
            else:
                await self._start(channel, generation)

    async def _start(self, channel: str, generation: int) -> None:
        await self._engine.start(WORK, _identity(channel, generation), channel, generation)

    def _claim_due(self) -> list[tuple[str, int]]:
        with self._desk.read() as connection:
            channels = cards.due_channels(connection, self._desk.clock.now())
            busy = {channel for channel, _ in cards.busy_lanes(connection)}
        claimed = []
        for channel in channels:
            if channel not in busy:
                with self._desk.engine.begin() as connection:
                    claimed.append((channel, cards.claim(connection, channel)))
        return [(channel, generation) for channel, generation in claimed if generation is not None]

    def _busy(self) -> list[tuple[str, int]]:
        with self._desk.read() as connection:
            return cards.busy_lanes(connection)

    async def _give_way(self, channel: str, generation: int) -> None:
        await asyncio.to_thread(self._free, channel, generation)

    def _free(self, channel: str, generation: int) -> None:
        with self._desk.engine.begin() as connection:
            cards.release(connection, channel, generation)
        self._desk.wake()


def _identity(channel: str, generation: int) -> str:
    return f"{WORK}:{channel}:{generation}"
