"""A night from one seed: alarms, people, crashes and a bad Slack in virtual time, over the real services and a real file.

python -m tests.simulation --seed 7 --hours 8 replays one and prints what happened.
"""

import argparse
import asyncio
import hashlib
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.config import Config
from bot.services.alert import automation, due
from bot.store import alerts
from bot.store.db import create_engine
from bot.store.migrate import upgrade
from tests import laws
from tests.fakes import CountingIds, Killed
from tests.process import Process
from tests.story import CONFIG
from tests.virtual import Event, LawBroken, SameThread, Timeline, VirtualRun, VirtualSlack
from tests.world import People, Senders

# All that goes wrong with pay-api is one fault: its alerts share a card.
PLATFORM = Config.model_validate({**CONFIG.model_dump(), "symptoms": [{"name": "trouble", "service": "pay-api"}]})
TICK_S, SEAL_S, CHECK_S = 15, 60, 300
QUIET = timedelta(minutes=40)           # the slowest word, a sender's longest wait, probation, Slack's longest refusal
KILL_SHARE = 0.02                       # of all kill points passed
TROUBLE_SHARE = 0.3                     # of all calls of Slack


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a night came to: the same seed, the same log."""

    log: tuple[str, ...]
    crashes: int
    kill_points: frozenset[str]
    answered: int

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()


class Night:
    """All that outlives a process, and the process while it lives."""

    def __init__(self, engine: sa.Engine, seed: int, hours: float) -> None:
        self.engine, self.hours, self.rng = engine, hours, random.Random(seed)
        self.timeline, self.ids = Timeline(), CountingIds()
        self.log: list[str] = []
        self.slack = VirtualSlack(self.timeline, self.rng, self.say)
        self.runs: dict[str, VirtualRun] = {}
        self.process: Process | None = None
        self.peace = False
        self.crashes = 0
        self.passed: set[str] = set()
        self.senders, self.people = Senders(self), People(self)
        self._named = 0
        self._woken = False

    async def run(self) -> Outcome:
        """The night, then peace; raises LawBroken in the moment in which a law breaks."""
        self.slack.trouble = TROUBLE_SHARE
        for event in (
            self._start, self._tick, self._seal, self._check, self._slack_goes_away, self.senders.trouble, self.people.look,
        ):
            self.timeline.after(0, event)
        await self._live_until(self.timeline.now() + timedelta(hours=self.hours))
        self.say("peace")
        self.peace, self.slack.trouble = True, 0.0
        await self._live_until(self.timeline.now() + QUIET)
        self._check_settled()
        return Outcome(tuple(self.log), self.crashes, frozenset(self.passed), len(self.senders.taken))

    # --- what everybody in it may use ---

    def say(self, what: str) -> None:
        self.log.append(f"{self.timeline.now():%d %H:%M:%S.%f} {what}")

    def name(self, prefix: str) -> str:
        """A word never said before."""
        self._named += 1
        return f"{prefix}{self._named}"

    def unless_peace(self, seconds: float, event: Event) -> None:
        async def happen() -> None:
            if not self.peace:
                await event()

        self.timeline.after(seconds, happen)

    def kill(self, name: str) -> None:
        """The kill point of this night."""
        self.passed.add(name)
        if not self.peace and self.rng.random() < KILL_SHARE:
            self.say(f"killed at {name}")
            raise Killed(name)

    # --- the life of the process ---

    async def _live_until(self, moment: datetime) -> None:
        while self.timeline.now() < moment:
            try:
                await self.timeline.run_until(moment)
            except Killed:
                await self._crash()

    async def _crash(self) -> None:
        self.crashes += 1
        await self.end()
        self.timeline.after(self.rng.uniform(1, 30), self._start)

    async def end(self) -> None:
        process, self.process = self.process, None
        if process:
            await process.end()

    async def _start(self) -> None:
        self.say("started")
        self.process = Process(self, PLATFORM)
        self._woken = False
        await self.process.durable.resume()
        await self.process.delivery.mend()

    def wake(self) -> None:
        if not self._woken:
            self._woken = True
            self.timeline.after(0.01, self._start_deliveries)

    async def _start_deliveries(self) -> None:
        self._woken = False
        if self.process:
            await self.process.delivery.start_due()

    async def _tick(self) -> None:
        """What the clock's knocks do."""
        self.timeline.after(TICK_S * (4 if self.peace else 1), self._tick)
        if self.process:
            moved = due.act(self.process.desk)
            decided = automation.act(self.process.desk)
            if moved or decided:
                self.say(f"due: {moved}, decided: {decided}")
            await self.process.delivery.mend()
            await self._start_deliveries()

    async def _seal(self) -> None:
        self.timeline.after(SEAL_S, self._seal)
        if self.process:
            self.process.sealer.seal_due(self.timeline.now())

    async def _slack_goes_away(self) -> None:
        self.unless_peace(self.rng.uniform(1200, 5400), self._slack_goes_away)
        if self.log:            # not in the first moment
            self.slack.away_until = self.timeline.now() + timedelta(seconds=self.rng.uniform(30, 420))

    # --- the laws ---

    async def _check(self) -> None:
        self.timeline.after(CHECK_S, self._check)
        if self.process:
            with self.process.desk.read() as connection:
                laws.check(connection, PLATFORM)
                self._check_answers(connection)

    def _check_settled(self) -> None:
        if self.process is None:
            raise LawBroken("the process did not come back")
        with self.process.desk.read() as connection:
            self._check_answers(connection)
            laws.check_settled(connection, PLATFORM, self.slack.messages, self.timeline.now())

    def _check_answers(self, connection: sa.Connection) -> None:
        """What was answered is so: a 2xx has its signal, a person's act its one entry, a refusal none."""
        kept = set(connection.execute(sa.select(alerts.signal.c.delivery)).scalars())
        entries = laws.words_done(connection)
        lost = sorted(self.senders.taken - kept)
        unwritten = sorted(each for each in self.people.done if entries[each] != 1)
        wrong = sorted(each for each in entries if each in self.people.refused or entries[each] > 1)
        if lost or unwritten or wrong:
            raise LawBroken(f"answered and lost: {lost}; done and not written once: {unwritten}; never done: {wrong}")


def simulate(template: Path, folder: Path, seed: int, hours: float) -> Outcome:
    """One night on a copy of the migrated, empty database; a broken law names the seed and tells the last events."""
    file = shutil.copy(template, folder / f"night-{seed}.db")
    engine = create_engine(f"sqlite:///{file}")
    sa.event.listen(engine, "connect", _trust_the_disk)
    night = Night(engine, seed, hours)
    with capture_logs():
        try:
            return asyncio.run(_alone(night))
        except LawBroken as broken:
            last = "\n".join(night.log[-40:])
            replay = f"python -m tests.simulation --seed {seed} --hours {hours:g}"
            raise LawBroken(f"{last}\n\n{broken}\n\nat {night.timeline.now()}; replay: {replay}") from broken


def _trust_the_disk(connection: Any, _record: Any) -> None:
    """Processes die here, machines do not: no fsync."""
    connection.execute("PRAGMA synchronous=OFF")


async def _alone(night: Night) -> Outcome:
    asyncio.get_running_loop().set_default_executor(SameThread(1))
    try:
        return await night.run()
    finally:
        await night.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "template.db"
        upgrade(f"sqlite:///{template}")
        try:
            outcome = simulate(template, Path(folder), given.seed, given.hours)
        except LawBroken as broken:
            sys.exit(str(broken))
    print("\n".join(outcome.log))
    print(f"{outcome.answered} deliveries answered, {outcome.crashes} crashes at {len(outcome.kill_points)} kinds of points")


if __name__ == "__main__":
    main()
