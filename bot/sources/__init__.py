"""FAMILY: where alerts come from. One file, one source: how its deliveries are authenticated and how they read.

A member is a value: `cloudwatch = Source(name="cloudwatch", ...)`. The path of a delivery is always
bytes -> authenticate (on what really came) -> mask -> read -> signals.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.config import Endpoint
from bot.decoding import Document
from bot.errors import Refused
from bot.signals import FIRING, GONE, MAX_SUMMARY, NO_DATA, RECOVERED, WARNING, Signal, Unreadable, clip

__all__ = [
    "FIRING", "GONE", "MAX_BODY", "NO_DATA", "RECOVERED", "Delivery", "Document", "Forged", "Signal", "Source", "TooLarge",
    "Trust", "Unauthorised", "Unreadable", "check_secret", "check_size", "observer_of", "unreadable_signal",
]

MAX_BODY = 2_000_000

BAD_SECRET = "The secret of '{endpoint}' is missing or wrong; send the one that vigie.yaml names in {header}."
NO_SECRET = "The endpoint '{endpoint}' has no secret; name one under `secrets` in vigie.yaml."
TOO_LARGE = "The body of {size} bytes is too large; at most {limit} are taken."
UNREADABLE_TITLE = "Could not read what {endpoint} sent"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request, or one message of a queue, as it came; `headers` have lower-case names."""

    endpoint_name: str
    endpoint: Endpoint
    body: bytes
    headers: Mapping[str, str]
    received_at: datetime
    by_queue: bool = False


class Unauthorised(Refused):
    """401: the credential is missing or wrong. `reason` is a short word for the counters."""

    status = 401

    def __init__(self, message: str, reason: str = "bad_secret") -> None:
        super().__init__(message)
        self.reason = reason


class Forged(Refused):
    """403: the delivery is not what it claims to be. `reason` is a short word for the counters."""

    status = 403

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class TooLarge(Refused):
    """413: more than a source ever sends."""

    status = 413
    reason = "too_large"


class Trust(Protocol):
    """What a source may ask while it authenticates; built in app.py."""

    def secret(self, reference: str) -> str:
        """The secret that vigie.yaml names by variable or ARN; raises Misbuilt when there is none."""

    async def certificate(self, url: str, at: datetime) -> RSAPublicKey:
        """The key behind a signing certificate's URL (already checked), if SNS could sign with it at that instant.

        Raises Unavailable when it cannot be fetched, bot.clients.sns.Untrusted when it is not such a certificate.
        """

    async def confirm(self, topic_arn: str, token: str) -> None:
        """Confirms an SNS subscription with our own credentials; raises Unavailable."""


@dataclass(frozen=True, slots=True)
class Source:
    """A family member. `authenticate` raises Refused (drop for good) or Unavailable (503: send it again).

    `example` is a document as this source sends it; what it reads as is never Unreadable.
    """

    name: str
    help: str
    authenticate: Callable[[Delivery, Trust], Awaitable[Document]]
    read: Callable[[Any, Delivery], Sequence[Signal]]
    example: Mapping[str, Any]


def check_size(delivery: Delivery, limit: int = MAX_BODY) -> None:
    """Raises TooLarge before anything is parsed."""
    if len(delivery.body) > limit:
        raise TooLarge(TOO_LARGE.format(size=len(delivery.body), limit=limit))


def check_secret(delivery: Delivery, trust: Trust, given: str, header: str) -> None:
    """Raises Unauthorised unless a secret of the endpoint was given; a queue is guarded by its own policy."""
    if delivery.by_queue:
        return
    if not delivery.endpoint.secrets:
        raise Unauthorised(NO_SECRET.format(endpoint=delivery.endpoint_name), "no_secret")
    offered = _bytes(given)
    # Every secret is compared, so that the time taken says nothing about which of two is near.
    matches = [hmac.compare_digest(offered, trust.secret(each).encode()) for each in delivery.endpoint.secrets]
    if not given or not any(matches):
        raise Unauthorised(BAD_SECRET.format(endpoint=delivery.endpoint_name, header=header))


def _bytes(header: str) -> bytes:
    """A header as it came over the wire: servers read it as Latin-1."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode()


def observer_of(delivery: Delivery, otherwise: str) -> str:
    """The observer that vigie.yaml names for the endpoint, else the source's own word."""
    return delivery.endpoint.observer or otherwise


def unreadable_key(endpoint: str) -> str:
    """What all that an endpoint sends and nobody can read is called."""
    return f"unreadable:{endpoint}"


def unreadable_signal(delivery: Delivery, reason: str, part: str = "") -> Signal:
    """The alert that stands for something authentic that made no sense: better strange than lost."""
    return Signal(
        key=unreadable_key(delivery.endpoint_name),
        state=FIRING,
        severity=WARNING,
        name=f"unreadable {delivery.endpoint_name}",
        title=UNREADABLE_TITLE.format(endpoint=delivery.endpoint_name),
        observer=observer_of(delivery, delivery.endpoint_name),
        at=delivery.received_at,
        summary=clip(reason, MAX_SUMMARY),
        labels={"endpoint": delivery.endpoint_name},
        part=part,
    )
