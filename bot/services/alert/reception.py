"""A delivery from any door: authenticated as it came, masked, read, and taken in before it is answered."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.decoding import is_packed
from bot.masking import mask, mask_text
from bot.services.alert.arrivals import arrivals
from bot.services.alert.intake import Intake
from bot.services.desk import Desk
from bot.services.meters import Meters
from bot.sources import Delivery, Document, Signal, Source, Trust, Unreadable, unreadable_key, unreadable_signal

log = structlog.get_logger()

TRIPPED = "Vigie tripped over it (reference {reference}); its log says where"

LONGEST_NAME = 400
LARGE = 64_000      # bytes; to mask more may take long enough for others to notice


@dataclass(frozen=True, slots=True)
class Receipt:
    """How many signals were taken; and why some of them only say that they could not be read."""

    taken: int
    unreadable: tuple[str, ...] = ()


class Reception:
    """What HTTP and the queue have in common."""

    def __init__(
        self, desk: Desk, intake: Intake, sources: Mapping[str, Source], trust: Trust, meters: Meters
    ) -> None:
        self._desk, self._intake, self._sources, self._trust, self._meters = desk, intake, sources, trust, meters

    async def receive(self, delivery: Delivery) -> Receipt:
        """What was taken, after its commit; raises Refused (drop it) or Unavailable (send it again)."""
        source = self._sources[delivery.endpoint.source]
        document = await source.authenticate(delivery, self._trust)
        large = len(delivery.body) > LARGE or is_packed(delivery.body)
        content = await asyncio.to_thread(mask, document.content) if large else mask(document.content)
        signals = self._read(source, document, content, delivery)
        if not signals:
            return Receipt(0)
        body = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        key = _own_name(document) or self._desk.ids.new()
        await self._intake.take(arrivals(self._desk.config, self._desk.catalogue, delivery, key, body, signals))
        self._desk.kill("answer: before")
        for each in signals:
            self._meters.signals.labels(source.name, each.state).inc()
        strange = unreadable_key(delivery.endpoint_name)
        return Receipt(len(signals), tuple(each.summary for each in signals if each.key == strange))

    def _read(self, source: Source, document: Document, content: object, delivery: Delivery) -> Sequence[Signal]:
        """What cannot be understood becomes an alert of its own, never a lost one."""
        if document.unreadable:
            return [unreadable_signal(delivery, mask_text(document.unreadable))]
        try:
            return source.read(content, delivery)
        except Unreadable as problem:
            return [unreadable_signal(delivery, mask_text(str(problem)))]
        except Exception as error:  # a fault of ours: sent again it would trip again, so it is shown and not put off for ever
            reference = self._desk.ids.new()[:8]
            log.exception("a source broke", endpoint=delivery.endpoint_name, reference=reference, error=type(error).__name__)
            return [unreadable_signal(delivery, TRIPPED.format(reference=reference))]


def _own_name(document: Document) -> str | None:
    """The sender's name for the delivery; one that holds what must not be kept is none, and it may be taken twice."""
    name = document.delivery_id
    if not name or mask_text(name) != name:
        return None
    return name if len(name) <= LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()     # an index takes no more
