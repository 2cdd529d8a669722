"""Links to reports: signed, for one audience and one version, and over after a while (`month.link_lasts`)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from bot.services.desk import Desk

PATH = "/reports/{month}?key={token}"
SALT = "vigie.report"


class Forged(Exception):
    """We have not made that link."""


class Expired(Exception):
    """We have made it, and it is over; its month says which to ask for."""

    def __init__(self, month: str) -> None:
        super().__init__(month)
        self.month = month


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link opens."""

    month: str
    version: int                    # 0: what is known now, not sealed
    audience: str | None            # the organisation for whose people it was made; None: both
    person: str | None              # whoever asked for it


def link(
    desk: Desk, month: str, version: int, audience: str | None, now: datetime, person: str | None = None
) -> str | None:
    """The address; None where no browser reaches us (`public_url`) or there is no secret to sign with."""
    if not (desk.config.public_url and desk.link_key):
        return None
    token = _serializer(desk, now).dumps([month, version, audience, person])
    return desk.config.public_url.rstrip("/") + PATH.format(month=month, token=token)


def open_(desk: Desk, month: str, token: str, now: datetime) -> Ticket:
    """What the link to that month's report opens. Raises Forged or Expired."""
    if not desk.link_key:
        raise Forged
    serializer, lasts = _serializer(desk, now), int(desk.config.month.link_lasts.total_seconds())
    try:
        given = serializer.loads(token, max_age=lasts)
    except SignatureExpired as error:
        raise Expired(_of(serializer.load_payload(error.payload or b""), month).month) from error
    except BadData as error:
        raise Forged from error
    return _of(given, month)


def _of(given: Any, month: str) -> Ticket:
    """A link to one month opens no other, and one of another release of Vigie nothing."""
    match given:
        case [str() as meant, int() as version, str() | None as audience, str() | None as person] if meant == month:
            return Ticket(meant, version, audience, person)
    raise Forged


def _serializer(desk: Desk, now: datetime) -> URLSafeTimedSerializer:
    class Signer(TimestampSigner):
        """Signs by our clock."""

        def get_timestamp(self) -> int:
            return int(now.timestamp())

    return URLSafeTimedSerializer(
        desk.link_key, salt=SALT, signer=Signer, signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"}
    )
