"""Plays two months: each is lived as rows, sealed on its day, talked about by both sides; then the page stays."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.app import App
from bot.config import Catalogue, Config
from bot.demo.hours import HandClock
from bot.demo.past import Past
from bot.demo.player import Player
from bot.doubles.months import BEGINS, MONTHS, SEALED, Line, episodes, lines
from bot.store.db import create_engine
from bot.store.migrate import upgrade
from bot.workspace import Workspace

SEALS = ("seal", "review", "decisions")     # the doors at which it is knocked while the past is told


class Months(Player):
    """The player of the two months."""

    def __init__(
        self, url: str, catalogue: Catalogue, config: Config, workspace: Workspace, clock: HandClock, build: Callable[[], App]
    ) -> None:
        super().__init__(config, workspace, clock, build)
        self._past, self._lines = Past(config, catalogue), lines()
        self._database = url
        self._told = BEGINS.astimezone(UTC)

    async def play(self, look: Callable[[], None] = lambda: None) -> None:
        """Each month up to the day on which it is sealed, and what is said then."""
        upgrade(self._database)
        for sealed in SEALED:
            self._live(sealed.astimezone(UTC))
            await self._at(sealed, look)
            for line in self._until_next(sealed):
                self._live(line.at.astimezone(UTC))
                await self._at(line.at, look, line)
        await self.settle()
        look()

    def _live(self, until: datetime) -> None:
        """All that was until then and is not written yet."""
        engine = create_engine(self._database)
        every = [each for month in MONTHS for each in episodes(month)]
        with engine.begin() as connection:
            self._past.live(connection, every, self._told, until)
        engine.dispose()
        self._told = until

    def _until_next(self, sealed: datetime) -> list[Line]:
        later = [each for each in SEALED if each > sealed]
        return [each for each in self._lines if sealed <= each.at and not (later and each.at >= later[0])]

    async def _at(self, at: datetime, look: Callable[[], None], line: Line | None = None) -> None:
        await self.go_to(at.astimezone(UTC))
        if line:
            await self._hands.type(line.person, line.channel, line.line, line.reads)
        await self.settle(only=SEALS)
        look()
