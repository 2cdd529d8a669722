"""The queue is polled for ever: what is kept is deleted, what is not comes again, and nothing ends the polling."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from bot.clients.aws import QueueMessage
from bot.config import Endpoint
from bot.entrypoints import queue
from bot.entrypoints.queue import Queue
from bot.errors import Refused, Unavailable
from tests.patience import PATIENCE_S
from tests.story import desk_on

ENDPOINT = Endpoint(source="cloudwatch", organisation="bridge", queue_url="https://sqs.eu-west-3.amazonaws.com/1/q")
OUTCOMES = {b"good": None, b"bad": Refused("foreign"), b"later": Unavailable("full"), b"broken": KeyError("a fault of ours")}


class Shelf:
    """A queue in memory: what is not deleted comes again."""

    def __init__(self, *bodies: bytes) -> None:
        self.messages = {f"r-{each.decode()}": each for each in bodies}
        self.polls, self.silent = 0, 0

    def receive(self) -> list[QueueMessage]:
        self.polls += 1
        if self.silent:
            self.silent -= 1
            raise Unavailable("AWS did not answer")
        return [QueueMessage(f"id-{receipt}", body, receipt) for receipt, body in self.messages.items()]

    def delete(self, receipts: list[str]) -> None:
        for each in receipts:
            del self.messages[each]


class Desk:
    """Receives as the message says."""

    async def receive(self, delivery: Any) -> int:
        assert delivery.by_queue and delivery.endpoint_name == "bridge-cloudwatch"
        if fault := OUTCOMES[delivery.body]:
            raise fault
        return 1


def reading(engine: sa.Engine, shelf: Shelf) -> Queue:
    return Queue(desk_on(engine), Desk(), "bridge-cloudwatch", ENDPOINT, shelf)  # type: ignore[arg-type]


def test_only_what_is_kept_leaves_the_queue(sqlite_engine: sa.Engine) -> None:
    shelf = Shelf(*OUTCOMES)
    assert asyncio.run(reading(sqlite_engine, shelf).poll()) == 1
    assert set(shelf.messages.values()) == {b"bad", b"later", b"broken"}


def test_nothing_ends_the_polling_but_being_told(sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "PAUSE_S", 0)
    shelf = Shelf(b"broken")
    shelf.silent = 2

    async def story() -> None:
        polled = reading(sqlite_engine, shelf)
        task = asyncio.create_task(polled.run())
        while shelf.polls < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        polled.stop()
        await asyncio.wait_for(task, PATIENCE_S)

    asyncio.run(story())
    assert shelf.messages
