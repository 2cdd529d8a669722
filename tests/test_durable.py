"""The engine: one Vigie on a file, work that outlives a stop, and an effect that is not done twice in doubt."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.durable import Durable, Identity, OutcomeUnknown, Run, once
from bot.errors import Misbuilt
from tests.patience import PATIENCE_S

NOW = datetime(2026, 11, 22, 2, 14, tzinfo=UTC)
Work = Callable[..., Awaitable[None]]


def address(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


async def life(engine: sa.Engine, work: Work, during: Callable[[Durable], Awaitable[None]], name: str = "one") -> None:
    """One process's life with the engine."""
    identity = Identity(address(engine), name)
    identity.take()
    durable = Durable(address(engine), identity)
    durable.work("work", work)
    await durable.launch()
    try:
        await during(durable)
    finally:
        await durable.stop()
    assert await asyncio.to_thread(lambda: "threads") == "threads"      # the loop goes on after its engine
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for each in left:
        each.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def until(fact: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_it_starts_and_stops_several_times_in_one_process(engine: sa.Engine) -> None:
    done: list[str] = []

    async def note(word: str) -> None:
        done.append(word)

    async def work(run: Run, word: str) -> None:
        await run.step(note, word)

    for number in range(3):
        async def during(durable: Durable, number: int = number) -> None:
            await durable.start("work", f"work {number}", f"word {number}")
            await until(lambda: len(done) == number + 1)
            await durable.start("work", f"work {number}", "a second time")
            await asyncio.sleep(0.1)

        asyncio.run(life(engine, work, during))
    assert done == ["word 0", "word 1", "word 2"]


def test_work_that_was_interrupted_goes_on_after_the_next_start_and_repeats_no_step(engine: sa.Engine) -> None:
    done: list[str] = []

    async def note(word: str) -> None:
        done.append(word)

    async def work(run: Run) -> None:
        await run.step(note, "first")
        await run.sleep(2)
        await run.step(note, "second")

    async def begin(durable: Durable) -> None:
        await durable.start("work", "interrupted")
        await until(lambda: done == ["first"])

    async def go_on(_durable: Durable) -> None:
        await until(lambda: "second" in done)

    asyncio.run(life(engine, work, begin, "one"))
    asyncio.run(life(engine, work, go_on, "two"))
    assert done == ["first", "second"]


def test_a_file_belongs_to_one_vigie_until_it_lets_go(sqlite_engine: sa.Engine) -> None:
    first, second = Identity(address(sqlite_engine), "a"), Identity(address(sqlite_engine), "b")
    first.take()
    with pytest.raises(Misbuilt, match=r"another Vigie runs on .*vigie.db already: stop it first"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_the_engine_writes_no_lines_past_our_log(sqlite_engine: sa.Engine) -> None:
    async def nothing(*_given: Any) -> None:
        assert logging.getLogger("dbos").handlers == []

    asyncio.run(life(sqlite_engine, nothing, nothing))


def test_in_doubt_the_world_is_read_before_anything_is_done_again(engine: sa.Engine) -> None:
    done: list[str] = []

    async def effect() -> str:
        done.append("posted")
        return "ts-1"

    async def found() -> str | None:
        return "ts-1" if done else None

    async def silent() -> str | None:
        return None

    async def story() -> None:
        assert await once(engine, "post:1", NOW, effect, found) == "ts-1"
        assert await once(engine, "post:1", NOW, effect, found) == "ts-1"
        with pytest.raises(OutcomeUnknown):
            await once(engine, "post:1", NOW, effect, silent)

    asyncio.run(story())
    assert done == ["posted"]
