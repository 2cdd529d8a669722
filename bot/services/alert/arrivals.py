"""What a delivery brings, made ready before the transaction: fingerprint, service and verdict of each signal."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.config import Config
from bot.config.catalogue import Catalogue
from bot.services.alert.folding import Arrival
from bot.services.alert.triage import Case, judge
from bot.sources import Delivery, Signal

CLOCK_SKEW = timedelta(minutes=5)


def arrivals(
    config: Config, catalogue: Catalogue, delivery: Delivery, delivery_key: str, body: str, signals: Sequence[Signal]
) -> list[Arrival]:
    """What an authenticated, masked delivery brings; `delivery_key` is the sender's own name for it, or a new id."""
    # The body is kept once, with the first signal: a delivery of a thousand alerts would be stored a thousand times.
    return [
        _arrival(config, catalogue, delivery, f"{delivery.endpoint_name}:{delivery_key}:{each.part}", "" if n else body, each)
        for n, each in enumerate(signals)
    ]


def _arrival(
    config: Config, catalogue: Catalogue, delivery: Delivery, key: str, body: str, signal: Signal
) -> Arrival:
    endpoint = delivery.endpoint
    service = config.service_of(signal.service, signal.name)
    case = Case(endpoint.source, service, signal.severity, signal.name, signal.labels)
    return Arrival(
        delivery=key,
        fingerprint=fingerprint(endpoint.organisation, signal.key),
        signal=_not_in_the_future(signal, delivery.received_at),
        source=endpoint.source,
        endpoint=delivery.endpoint_name,
        organisation=endpoint.organisation,
        service=service,
        verdict=judge(case, config, catalogue),
        received_at=delivery.received_at,
        body=body,
    )


def fingerprint(organisation: str, key: str) -> str:
    """What one problem of one organisation is called, whatever path its signals take."""
    return hashlib.sha256(f"{organisation}\n{key}".encode()).hexdigest()[:32]


def _not_in_the_future(signal: Signal, received_at: datetime) -> Signal:
    """A source whose clock runs ahead must not make all its later words look old."""
    if signal.at <= received_at + CLOCK_SKEW:
        return signal
    fields = {name: getattr(signal, name) for name in Signal.__slots__}
    return Signal(**{**fields, "at": received_at})
