"""Plays a week of nights: the clock's hands jump from one instant to the next, at each every door of time is knocked at."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta

import structlog

from bot.app import App
from bot.config import Config
from bot.demo.hands import Lost
from bot.demo.hours import ZONE, HandClock
from bot.demo.player import MINUTE, Player
from bot.doubles.weeks import ENDS, RETURNS, SETTLES, WEEKS, Act, Presses, Restarts, Sends, Types, acts, alarm
from bot.entrypoints.timetable import Door
from bot.sending import post, prepare
from bot.services.leave.hours import instant
from bot.services.rota import planning
from bot.workspace import Workspace

log = structlog.get_logger()

ENDPOINT = "bridge-generic"
HALF_AN_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)
FAR_AHEAD, SOMETIMES_S = ("programmes", "gaps"), 20       # doors behind which one looks 60 days ahead; or knocks now and then
NOBODY_THERE = "measures"      # in the week there is no AWS whose bill and machines could be read
AROUND_A_PASSING = tuple(each * MINUTE for each in (-60, -10, -5, 0, 5, 10, 15, 20))
AFTER_TROUBLE = tuple(each * MINUTE for each in range(0, 35, 5))

REFUSED = "the bot answered {status}: {answer}"


class Week(Player):
    """The player of one week."""

    def __init__(
        self, story: str, url: str, config: Config, workspace: Workspace, clock: HandClock, build: Callable[[], App],
        minutes_a_second: float = 0,
    ) -> None:
        super().__init__(config, workspace, clock, build, minutes_a_second)
        self._story, self.monday, self._url = story, WEEKS[story], url
        self._acts, self.start, self.end = acts(story), self.when(0, "00:00"), self.when(RETURNS[story], ENDS)

    async def play(self, look: Callable[[], None] = lambda: None) -> None:
        """From Monday to Monday; `look` is called at each instant, when all of it is done."""
        down_until = self.start
        for at in self.instants():
            if at < down_until:
                continue
            await self.go_to(at)
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

    def is_time_for(self, door: Door) -> bool:
        """What life asks less often is asked less often here too, and always when somebody has done something."""
        if door.name == NOBODY_THERE:
            return False
        every = 360 * MINUTE if door.name in FAR_AHEAD else 10 * MINUTE if door.seconds >= SOMETIMES_S else None
        return self._acted or every is None or (self.clock.now() - self.start) % every == timedelta(0)
