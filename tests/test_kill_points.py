"""The process is killed at the first, second, third ... point that it passes, until a story ends; each time it ends it later."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bot.services.alert import due, response
from bot.store import alerts
from bot.store.alerts import Alert
from tests import laws, planted
from tests.fakes import CountingIds, KillAt, Killed
from tests.process import ENDPOINT, Process
from tests.story import ALICE, CONFIG
from tests.virtual import LawBroken, Timeline, VirtualRun, VirtualSlack

MOST_POINTS = 60
PROBATION_S = CONFIG.probation.minutes * 60


class Stage:
    """What outlives a process: the database, Slack, the engine's records, time."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.timeline, self.ids = Timeline(), CountingIds()
        self.runs: dict[str, VirtualRun] = {}
        self.slack = VirtualSlack(self.timeline)
        self.kill = KillAt("never")
        self.problems = 0
        self.more = 1           # alarms that come in while the process is dead

    def wake(self) -> None:
        """Deliveries are started by hand here."""

    def word(self, state: str) -> dict[str, Any]:
        key = f"check {self.problems}"
        at = self.timeline.now().isoformat()
        return {"id": f"{key} {state}", "key": key, "title": key, "state": state, "at": at, "service": "ledger"}

    def alert(self) -> Alert:
        with self.engine.connect() as connection:
            mine = [each for each in alerts.recent(connection) if each.title == f"check {self.problems}"]
        return mine[-1]

    def written(self, word: str) -> bool:
        with self.engine.connect() as connection:
            return laws.words_done(connection)[word] > 0


Story = Callable[[Process, Stage], Awaitable[None]]


async def an_alarm_comes_in(process: Process, stage: Stage) -> None:
    await process.all_at_once(process.receive(stage.word("firing")))
    stage.kill("answer: after")


async def somebody_takes_it(process: Process, stage: Stage) -> None:
    await an_alarm_comes_in(process, stage)
    word = f"mine {stage.problems}"
    if not stage.written(word):
        response.ack(process.desk, stage.alert(), ALICE, word)


async def somebody_closes_it(process: Process, stage: Stage) -> None:
    await an_alarm_comes_in(process, stage)
    word = f"false alarm {stage.problems}"
    if not stage.written(word):
        response.close(process.desk, stage.alert(), ALICE, word)


async def it_recovers_and_stays_quiet(process: Process, stage: Stage) -> None:
    await an_alarm_comes_in(process, stage)
    stage.timeline.advance(1)
    await process.all_at_once(process.receive(stage.word("recovered")))
    stage.timeline.advance(PROBATION_S)
    due.act(process.desk)


async def it_is_shown_and_shown_again(process: Process, stage: Stage) -> None:
    await an_alarm_comes_in(process, stage)
    await deliver(process, stage)
    await somebody_takes_it(process, stage)
    await deliver(process, stage)


async def deliver(process: Process, stage: Stage) -> None:
    await process.delivery.mend()
    await process.delivery.start_due()
    await stage.timeline.meanwhile(40)


async def live(stage: Stage, story: Story) -> None:
    """One life of the process."""
    process = Process(stage)
    try:
        await process.durable.resume()
        await story(process, stage)
    finally:
        await process.end()


async def take_meanwhile(stage: Stage) -> None:
    """Another process, which only answers, takes in more for the same channel before the one that died is back."""
    process = Process(stage)
    for n in range(stage.more):
        said = stage.word("firing")
        await process.all_at_once(process.receive({**said, "id": f"{said['id']} {n}", "key": f"{said['key']} {n}"}))
    await process.end()


async def in_peace(process: Process, stage: Stage) -> None:
    """Whatever is still due is done."""
    await deliver(process, stage)
    for _ in range(3):      # on PostgreSQL a look waits for open transactions first
        process.sealer.seal_due(stage.timeline.now())
        stage.timeline.advance(1)


@pytest.mark.parametrize(("story", "points"), [
    (an_alarm_comes_in, 4), (somebody_takes_it, 6), (somebody_closes_it, 6), (it_recovers_and_stays_quiet, 9),
    (it_is_shown_and_shown_again, 25),
], ids=lambda each: each.__name__ if callable(each) else str(each))
def test_death_at_every_point_of_a_story_breaks_no_law(engine, story, points):
    assert points < die_at_every_point(Stage(engine), story) < MOST_POINTS


def test_two_runs_on_one_channel_after_a_death_would_be_found(sqlite_engine):
    with planted.a_lane_given_free_twice(), pytest.raises(LawBroken, match="twice"):
        stage = Stage(sqlite_engine)
        stage.more = 4
        for _ in range(8):
            die_at_every_point(stage, it_is_shown_and_shown_again, "step: before record")


def die_at_every_point(stage: Stage, story: Story, name: str | None = None) -> int:
    """How many points (of that name) there were; each time the story ends well after all."""
    points, died = 0, True
    while died:
        stage.problems += 1
        points += 1
        died = dies(stage, story, KillAt(name, points))
        if died:
            asyncio.run(take_meanwhile(stage))
            asyncio.run(live(stage, story))
        asyncio.run(live(stage, in_peace))
        with stage.engine.connect() as connection:
            laws.check_settled(connection, CONFIG, stage.slack.messages, stage.timeline.now())
            assert signals(connection, stage.word("firing")["id"]) == 1
    return points


def dies(stage: Stage, story: Story, kill: KillAt) -> bool:
    """Whether the story was cut."""
    stage.kill = kill
    try:
        asyncio.run(live(stage, story))
        return False
    except Killed:
        return True
    finally:
        stage.kill = KillAt("never")


def signals(connection: sa.Connection, id: str) -> int:
    delivery = alerts.signal.c.delivery == f"{ENDPOINT}:{id}:"
    return connection.execute(sa.select(sa.func.count()).where(delivery)).scalar_one()
