"""The engine on a database that fails in the middle: what broke off there is known to have ended, and is not waited for."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from bot import durable as engine_room
from bot.durable import Durable, Identity, Run
from tests.patience import PATIENCE_S


@contextmanager
def full_disk(engine: sa.Engine) -> Iterator[None]:
    """The engine's rows can be read and not written."""
    with engine.begin() as connection:
        for verb in ("UPDATE", "INSERT"):
            for table in ("workflow_status", "operation_outputs"):
                connection.execute(sa.text(
                    f"CREATE TRIGGER full_{verb}_{table} BEFORE {verb} ON {table} BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
                ))
    try:
        yield
    finally:
        with engine.begin() as connection:
            for verb in ("UPDATE", "INSERT"):
                for table in ("workflow_status", "operation_outputs"):
                    connection.execute(sa.text(f"DROP TRIGGER full_{verb}_{table}"))


async def life(engine: sa.Engine) -> list[bool]:
    """What is known of work that broke off: while it went on, at once afterwards, and when it is asked for again."""
    address = engine.url.render_as_string(hide_password=False)
    identity = Identity(address, "one")
    identity.take()
    durable, begun, go_on = Durable(address, identity), asyncio.Event(), asyncio.Event()

    async def note() -> None:
        """A step that is done, and cannot be written down."""

    async def work(run: Run) -> None:
        begun.set()
        await go_on.wait()
        await run.step(note)

    durable.work("work", work)
    await durable.launch()
    known = []
    try:
        await durable.start("work", "deliver:C0ALERTS01:1")
        await begun.wait()
        known.append(await durable.ended("deliver:C0ALERTS01:1"))
        with full_disk(engine):
            go_on.set()
            while not durable._broken:  # noqa: ASYNC110  the engine tells it in no other way
                await asyncio.sleep(0.01)
        known.append(await durable.ended("deliver:C0ALERTS01:1"))
        known.append(await durable.ended("deliver:C0ALERTS01:1"))
    finally:
        await durable.stop()
    return known


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_work_that_broke_off_on_a_full_disk_is_known_to_have_ended(sqlite_engine: sa.Engine) -> None:
    assert asyncio.run(life(sqlite_engine)) == [False, True, True]


def test_a_look_for_what_others_left_that_fails_is_not_the_last(
    postgres_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_room, "ADOPTION_S", 0.01)
    looks = itertools.count()

    async def run() -> None:
        address = postgres_engine.url.render_as_string(hide_password=False)
        identity, again = Identity(address, "one"), asyncio.Event()
        identity.take()
        durable = Durable(address, identity)

        async def look() -> None:
            if next(looks):
                again.set()
            raise RuntimeError("the engine stumbles")

        monkeypatch.setattr(durable, "_adopt", look)
        await durable.launch()
        try:
            await asyncio.wait_for(again.wait(), PATIENCE_S)
        finally:
            await durable.stop()

    asyncio.run(run())
