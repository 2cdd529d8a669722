"""SNS as a sender: envelopes signed (version 2) with a key that ships with the demo and is trusted nowhere else."""

import base64
import functools
import hashlib
import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

DEMO_TOPIC = "arn:aws:sns:eu-west-3:111122223333:vigie-alarms"
DEMO_CERTIFICATE_URL = (
    "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-76696769652d64656d6f2d6b65790000.pem"
)
DEMO_CERTIFICATE = files("bot.doubles").joinpath("sns_demo_certificate.pem").read_bytes()

CONFIRM_TEXT = (
    "You have chosen to subscribe to the topic {topic}.\n"
    "To confirm the subscription, visit the SubscribeURL included in this message."
)
CUT_TEXT = (
    "You have chosen to deactivate subscription {topic}:6590056b-77a4-4d1c-8a0e-0d5f2c9b8e11.\n"
    "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
)

_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def envelope(
    topic_arn: str,
    message: str | dict[str, Any],
    subject: str | None = None,
    *,
    now: datetime,
    message_id: str,
    kind: str = "Notification",
) -> dict[str, str]:
    """One signed message of a topic; `message_id` is a UUID (see `message_id_of`)."""
    fields = _common(topic_arn, message if isinstance(message, str) else json.dumps(message), now, message_id, kind)
    if subject is not None:
        fields["Subject"] = subject[:100]
    if kind == "Notification":
        leave = f"{_host(topic_arn)}/?Action=Unsubscribe&SubscriptionArn={topic_arn}:1"
        return sign(fields) | {"UnsubscribeURL": leave}
    token = hashlib.sha256(message_id.encode()).hexdigest()
    confirm = f"{_host(topic_arn)}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}"
    return sign(fields | {"Token": token, "SubscribeURL": confirm})


def subscription_confirmation(topic_arn: str, *, now: datetime, message_id: str) -> dict[str, str]:
    text = CONFIRM_TEXT.format(topic=topic_arn)
    return envelope(topic_arn, text, now=now, message_id=message_id, kind="SubscriptionConfirmation")


def unsubscribe_confirmation(topic_arn: str, *, now: datetime, message_id: str) -> dict[str, str]:
    text = CUT_TEXT.format(topic=topic_arn)
    return envelope(topic_arn, text, now=now, message_id=message_id, kind="UnsubscribeConfirmation")


def message_id_of(seed: str) -> str:
    """A message id that is always the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def headers(signed: dict[str, str]) -> dict[str, str]:
    """The headers that SNS sends with an envelope."""
    return {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": signed["Type"],
        "x-amz-sns-message-id": signed["MessageId"],
        "x-amz-sns-topic-arn": signed["TopicArn"],
    }


def sign(fields: dict[str, str]) -> dict[str, str]:
    """The fields with the signature that fits them."""
    keys = _NOTIFICATION if fields["Type"] == "Notification" else _CONFIRMATION
    signed = "".join(f"{key}\n{fields[key]}\n" for key in keys if key in fields).encode()
    return fields | {"Signature": base64.b64encode(_key().sign(signed, PKCS1v15(), SHA256())).decode()}


def _common(topic_arn: str, message: str, now: datetime, message_id: str, kind: str) -> dict[str, str]:
    return {
        "Type": kind,
        "MessageId": message_id,
        "TopicArn": topic_arn,
        "Message": message,
        "Timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
        "SignatureVersion": "2",
        "SigningCertURL": DEMO_CERTIFICATE_URL.replace("eu-west-3", topic_arn.split(":")[3]),
    }


def _host(topic_arn: str) -> str:
    return f"https://sns.{topic_arn.split(':')[3]}.amazonaws.com"


@functools.cache
def _key() -> RSAPrivateKey:
    pem = files("bot.doubles").joinpath("sns_demo_key.pem").read_bytes()
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, RSAPrivateKey)
    return key
