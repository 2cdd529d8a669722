"""SNS through SQS: messages are pulled, and deleted only after their commit; what fails comes again."""

import asyncio
from typing import Protocol

import structlog

from bot.clients.aws import QueueMessage
from bot.config import Endpoint
from bot.errors import Refused, Unavailable
from bot.ports import system_sleep
from bot.services.alert.reception import Reception
from bot.services.desk import Desk
from bot.sources import Delivery

log = structlog.get_logger()

PAUSE_S = 5.0
QUEUE_ID = "x-amz-sqs-message-id"


class Reader(Protocol):
    """A queue; both calls wait and raise Unavailable."""

    def receive(self) -> list[QueueMessage]: ...

    def delete(self, receipts: list[str]) -> None: ...


class Queue:
    """Polls one queue for one endpoint until it is stopped."""

    def __init__(self, desk: Desk, reception: Reception, name: str, endpoint: Endpoint, reader: Reader) -> None:
        self._desk, self._reception, self._name, self._endpoint, self._reader = desk, reception, name, endpoint, reader
        self._running = True

    def stop(self) -> None:
        self._running = False

    async def run(self) -> None:
        while self._running:
            try:
                await self.poll()
            except Unavailable as problem:
                log.warning("queue does not answer", endpoint=self._name, error=str(problem))
                await system_sleep(PAUSE_S)

    async def poll(self) -> int:
        """One long poll; returns how many messages were taken and deleted."""
        messages = await asyncio.to_thread(self._reader.receive)
        taken = await asyncio.gather(*(self._take(each) for each in messages))
        receipts = [receipt for receipt in taken if receipt]
        if receipts:
            await asyncio.to_thread(self._reader.delete, receipts)
        return len(receipts)

    async def _take(self, message: QueueMessage) -> str | None:
        """The receipt once it may be deleted; None leaves it in the queue (and in the end among the dead letters)."""
        now = self._desk.clock.now()
        headers = {QUEUE_ID: message.id}      # a message that comes again bears the same id
        delivery = Delivery(self._name, self._endpoint, message.body, headers, now, by_queue=True)
        try:
            await self._reception.receive(delivery)
        except Refused as refusal:
            log.warning("queue message refused", endpoint=self._name, message=message.id, error=str(refusal))
            return None
        except Unavailable as problem:
            log.warning("queue message not taken yet", endpoint=self._name, message=message.id, error=str(problem))
            return None
        except Exception:  # the edge of the entrypoint: one message that breaks us must not end the reading of all others
            log.exception("queue message failed", endpoint=self._name, message=message.id)
            return None
        return message.receipt
