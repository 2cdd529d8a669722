"""Time knocks: one bad round does not silence it, and a stop waits for the round that is under way."""

import asyncio
import threading
import time

import pytest

from bot.entrypoints import clock
from bot.entrypoints.clock import Knocker
from tests.patience import PATIENCE_S


async def knocking(knocker: Knocker, heard: threading.Event) -> None:
    knocker.start()
    await asyncio.to_thread(heard.wait, PATIENCE_S)
    await knocker.stop()


def test_a_stop_lets_a_knock_under_way_come_to_its_end(capfd: pytest.CaptureFixture[str]) -> None:
    begun, ended, knocker = threading.Event(), threading.Event(), Knocker()

    def slow() -> None:
        begun.set()
        time.sleep(0.3)
        ended.set()

    knocker.every(0.05, "seal", lambda: asyncio.to_thread(slow))
    asyncio.run(knocking(knocker, begun))

    assert ended.is_set()
    assert "raised an exception" not in capfd.readouterr().err


def test_a_stop_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "ENDING_S", 0.1)
    begun, let_go, knocker = threading.Event(), threading.Event(), Knocker()

    async def stuck() -> None:
        begun.set()
        await asyncio.to_thread(let_go.wait)

    async def life() -> None:
        await knocking(knocker, begun)
        let_go.set()

    knocker.every(0.05, "seal", stuck)
    asyncio.run(life())


def test_a_knock_that_fails_is_followed_by_the_next() -> None:
    heard, knocker, rounds = threading.Event(), Knocker(), []

    async def broken() -> None:
        rounds.append(1)
        if len(rounds) > 2:
            heard.set()
        raise OSError("the disk is full")

    knocker.every(0.05, "seal", broken)
    asyncio.run(knocking(knocker, heard))

    assert len(rounds) > 2
