"""Rings people beside Slack: what Apprise knows (SMS, voice, push, e-mail) by its address, and Amazon SNS by sns:+336…"""

import logging
import re
import time
from typing import Any

import apprise
import boto3
from apprise.plugins.base import NotifyBase
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
)

from bot.errors import Rejected, Unavailable

CONNECT_S, READ_S = 4.0, 8.0
SNS = "sns:"
NUMBER = re.compile(r"\+[1-9]\d{6,14}")

NO_NUMBER = "sns: wants a number as in sns:+33612345678"
UNKNOWN_ADDRESS = "Apprise knows no such address"
REFUSED = "the provider refused it, or does not answer"
SLOW = "the provider did not answer in {seconds:.0f} s"
NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, NoRegionError)

# Of an address that it cannot read Apprise says all, with the token in it: nothing of it is heard, whoever sets up logs.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


class Phones:
    """A Ringer. Nothing is sent twice by itself; an address is never repeated in an error: it is a secret."""

    def ring(self, address: str, title: str, text: str) -> None:
        """Raises Rejected (it did not ring) or Unavailable (nobody knows)."""
        if address.lower().startswith(SNS) and not address.lower().startswith("sns://"):
            _by_sns(address[len(SNS):], text)
        else:
            _by_apprise(address, title, text)


def _by_apprise(address: str, title: str, text: str) -> None:
    """Apprise says only yes or no: a no that took as long as its patience is an answer that was lost."""
    phone: Any = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if not isinstance(phone, NotifyBase):
        raise Rejected(UNKNOWN_ADDRESS)
    phone.socket_connect_timeout, phone.socket_read_timeout = CONNECT_S, READ_S
    begun = time.monotonic()
    rang = phone.notify(body=text, title=title)
    if rang:
        return
    if time.monotonic() - begun >= READ_S:
        raise Unavailable(SLOW.format(seconds=READ_S))
    raise Rejected(REFUSED)


def _by_sns(number: str, text: str) -> None:
    if not NUMBER.fullmatch(number):
        raise Rejected(NO_NUMBER)
    limits = Config(connect_timeout=CONNECT_S, read_timeout=READ_S, retries={"total_max_attempts": 1, "mode": "standard"})
    try:
        client = boto3.session.Session().client("sns", config=limits)
        client.publish(PhoneNumber=number, Message=text, MessageAttributes={
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
        })
    except ClientError as refusal:
        code = str(refusal.response["Error"]["Code"])
        if int(refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)) >= 500:
            raise Unavailable(f"AWS: {code}") from refusal
        raise Rejected(f"AWS: {code}") from refusal
    except NOT_SENT as fault:
        raise Rejected(f"AWS: {type(fault).__name__}") from fault
    except BotoCoreError as fault:
        raise Unavailable(f"AWS: {type(fault).__name__}") from fault
