"""Plays a week of nights: the clock's hands jump from one instant to the next, at each every door of time is knocked at."""

import asyncio
import json
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, time, timedelta

import structlog

from bot.app import App
from bot.config import Config
from bot.demo.hands import Hands, Lost
from bot.demo.hours import ZONE, HandClock
from bot.doubles.weeks import ENDS, RETURNS, SETTLES, WEEKS, Act, Presses, Restarts, Sends, Types, acts, alarm
from bot.entrypoints.timetable import Door
from bot.ports import system_sleep
from bot.sending import post, prepare
from bot.services.leave.hours import instant
from bot.services.rota import planning
from bot.store import alerts, cards, escalations, runs
from bot.store.db import reader
from bot.workspace import Workspace

log = structlog.get_logger()

ENDPOINT = "bridge-generic"
LOOK_S, PATIENCE_S = 0.01, 30.0
MINUTE, HALF_AN_HOUR, DAY = timedelta(minutes=1), timedelta(minutes=30), timedelta(days=1)
FAR_AHEAD, SOMETIMES_S = ("programmes", "gaps"), 20       # doors behind which one looks 60 days ahead; or knocks now and then
AROUND_A_PASSING = tuple(each * MINUTE for each in (-60, -10, -5, 0, 5, 10, 15, 20))
AFTER_TROUBLE = tuple(each * MINUTE for each in range(0, 35, 5))

STUCK = "the bot did not come to rest at {at:%a %H:%M} UTC"
REFUSED = "the bot answered {status}: {answer}"


class Week:
    """The player of one week; `build` makes the bot, anew after each of its restarts."""

    def __init__(
        self, story: str, url: str, config: Config, workspace: Workspace, clock: HandClock, build: Callable[[], App],
        minutes_a_second: float = 0,
    ) -> None:
        self._story, self.monday, self.config, self.clock, self.lost = story, WEEKS[story], config, clock, list[str]()
        self._url, self._build, self._speed, self._hands = url, build, minutes_a_second, Hands(workspace)
        self._acts, self.start, self.end = acts(story), self.when(0, "00:00"), self.when(RETURNS[story], ENDS)
        self.app: App | None = None
        self._acted, self._doors = False, list[Door]()

    async def play(self, look: Callable[[], None] = lambda: None) -> None:
        """From Monday to Monday; `look` is called at each instant, when all of it is done."""
        down_until = self.start
        for at in self.instants():
            if at < down_until:
                continue
            await self._go_to(at)
            for act in self._acts:
                if self.when(act.day, act.at) != at:
                    continue
                if isinstance(act, Restarts):
                    await self.stop()
                    down_until = self.when(*act.back)
                else:
                    await self._do(act)
            if at >= down_until:
                await self.settle()
            look()
        await self._settle_month()
        look()

    async def _settle_month(self) -> None:
        """The morning on which everybody gets the statement of the month; nothing else is asked what is due by then."""
        self.clock.at = instant(SETTLES[self._story], time(9, 30), ZONE)
        await self.settle(only=("statements", "seal"))

    def instants(self) -> list[datetime]:
        """When the player looks: around each passing, at each act and after trouble, and each half hour."""
        return sorted(each for each in set(self._instants()) if self.start <= each <= self.end)

    def _instants(self) -> Iterator[datetime]:
        yield from (self.start + number * HALF_AN_HOUR for number in range((self.end - self.start) // HALF_AN_HOUR + 1))
        for coverage in self.config.coverages:
            for _, after in planning.passings(self.config, coverage, self.start, self.end + DAY):
                yield from (after.start + each for each in AROUND_A_PASSING)
        for act in self._acts:
            yield self.when(act.day, act.at)
            if isinstance(act, Restarts | Sends):
                begin = self.when(*act.back) if isinstance(act, Restarts) else self.when(act.day, act.at)
                yield from (begin + each for each in AFTER_TROUBLE)

    def when(self, day: int, at: str) -> datetime:
        """A time of the week's days as clocks in Paris show it."""
        clock, _, more = at.partition(" +")
        return instant(self.monday + day * DAY, time.fromisoformat(clock), ZONE) + int(more or 0) * MINUTE

    # --- what happens at an instant ---

    async def _go_to(self, at: datetime) -> None:
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

    async def _do(self, act: Act) -> None:
        self._acted = True
        try:
            match act:
                case Sends():
                    await self._send(act)
                case Types():
                    await self._hands.type(act.person, act.channel, act.line, act.reads)
                case Presses():
                    await self._hands.press(act.person, act.about, act.button, act.fills)
        except Lost as lost:
            self.lost.append(f"{act.day} {act.at}: {lost}")
            log.error("the week went another way", day=act.day, at=act.at, why=str(lost))

    async def _send(self, act: Sends) -> None:
        assert self.app is not None
        endpoint = self.config.endpoints[ENDPOINT]
        body, headers = prepare(json.dumps(alarm(act)).encode(), endpoint, self.app.secrets, raw=False)
        status, answer = await post(f"{self._url}/webhooks/{endpoint.source}/{ENDPOINT}", body, headers)
        if status >= 400:
            raise Lost(REFUSED.format(status=status, answer=answer))

    async def settle(self, only: Collection[str] = ()) -> None:
        """Knocks at every door of time, and waits until nothing is left that could be done now."""
        assert self.app is not None
        for each in self._doors:
            if each.name in only or (not only and self._is_time_for(each)):
                await each.knock()
        for _ in range(int(PATIENCE_S / LOOK_S)):
            if await asyncio.to_thread(self._rests, self.app):
                self._acted = False
                return
            await system_sleep(LOOK_S)
        raise Lost(STUCK.format(at=self.clock.now()))

    def _is_time_for(self, door: Door) -> bool:
        """What life asks less often is asked less often here too, and always when somebody has done something."""
        every = 360 * MINUTE if door.name in FAR_AHEAD else 10 * MINUTE if door.seconds >= SOMETIMES_S else None
        return self._acted or every is None or (self.clock.now() - self.start) % every == timedelta(0)

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
