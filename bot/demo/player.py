"""What players of stories share: the clock's hands jump, the bot comes and goes, and at each instant comes to rest."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from bot.app import App
from bot.config import Config
from bot.demo.hands import Hands, Lost
from bot.demo.hours import HandClock
from bot.entrypoints.timetable import Door
from bot.ports import system_sleep
from bot.store import alerts, cards, escalations, runs
from bot.store.db import reader
from bot.workspace import Workspace

LOOK_S, PATIENCE_S = 0.01, 30.0
MINUTE = timedelta(minutes=1)

STUCK = "the bot did not come to rest at {at:%a %H:%M} UTC"


class Player:
    """Plays one story; `build` makes the bot, anew after each of its restarts."""

    def __init__(
        self, config: Config, workspace: Workspace, clock: HandClock, build: Callable[[], App], minutes_a_second: float = 0
    ) -> None:
        self.config, self.clock, self.lost = config, clock, list[str]()
        self._build, self._speed, self._hands = build, minutes_a_second, Hands(workspace)
        self.app: App | None = None
        self._acted, self._doors = False, list[Door]()

    async def play(self, look: Callable[[], None] = lambda: None) -> None:
        """From its beginning to its end; `look` is called at each instant, when all of it is done."""
        raise NotImplementedError

    async def go_to(self, at: datetime) -> None:
        """The hands are set; the bot is started if it is down."""
        if self._speed and self.app is not None:
            await system_sleep((at - self.clock.now()) / MINUTE / self._speed)
        self.clock.at = at
        if self.app is None:
            app = self._build()
            await app.start()
            self.app, self._doors, self._acted = app, app.doors(), True

    async def stop(self) -> None:
        app, self.app = self.app, None
        if app is not None:
            await app.stop()

    def leave_alone(self) -> None:
        """The clock goes on by itself, and so does the bot."""
        assert self.app is not None
        self.clock.leave_alone()
        self.app.knock()

    async def settle(self, only: Collection[str] = ()) -> None:
        """Knocks at every door of time, and waits until nothing is left that could be done now."""
        assert self.app is not None
        for each in self._doors:
            if each.name in only or (not only and self.is_time_for(each)):
                await each.knock()
        for _ in range(int(PATIENCE_S / LOOK_S)):
            if await asyncio.to_thread(self._rests, self.app):
                self._acted = False
                return
            await system_sleep(LOOK_S)
        raise Lost(STUCK.format(at=self.clock.now()))

    def is_time_for(self, door: Door) -> bool:
        """A story may ask less often what life asks less often."""
        return True

    def _rests(self, app: App) -> bool:
        """Nothing is due, and what rings has rung: the clock may go on without anything being late by it."""
        now = self.clock.now()
        app.watch.ringing.act()
        app.watch.ringing.rest()
        with reader(app.engine) as connection:
            posts = cards.due_channels(connection, now) or cards.busy_lanes(connection)
            work = runs.busy(connection) or runs.due(connection, now) or alerts.undecided(connection, 1)
            rings = escalations.to_ring(connection, now, 1)
        return not posts and not work and not rings
