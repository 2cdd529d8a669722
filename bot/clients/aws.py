"""AWS as far as alerts need it: confirm a subscription, read a queue; boto3's own environment says where."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from bot.errors import Misbuilt, Unavailable

LONG_POLL_SECONDS = 10       # a stop waits for the poll under way
BATCH = 10

NO_CREDENTIALS = "There are no AWS credentials. Give this machine a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and its secret."
NO_ANSWER = "AWS did not {what} ({why})."
NOT_DELETED = "AWS did not delete {count} messages of the queue; they will come again."

_QUEUE_REGION = re.compile(r"https://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com")


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message of a queue; `receipt` deletes it."""

    id: str
    body: bytes
    receipt: str


class SnsConfirmer:
    """Confirms subscriptions with our own credentials; safe to repeat: SNS answers the same."""

    def confirm(self, topic_arn: str, token: str) -> None:
        """Only the holder of credentials may end the subscription afterwards; raises Unavailable."""
        client = _client("sns", region=topic_arn.split(":")[3])
        with _answering("confirm the subscription"):
            client.confirm_subscription(TopicArn=topic_arn, Token=token, AuthenticateOnUnsubscribe="true")


class QueueReader:
    """A queue that a topic feeds. A message stays in it until it is deleted: delete only what is committed."""

    def __init__(self, queue_url: str, wait_seconds: int = LONG_POLL_SECONDS) -> None:
        found = _QUEUE_REGION.match(queue_url)
        self._url, self._wait = queue_url, wait_seconds
        self._client = _client("sqs", region=(found[1] or found[2]) if found else None, patience=wait_seconds)

    def receive(self) -> list[QueueMessage]:
        """Up to ten messages; waits for the first one, and blocks the thread meanwhile; raises Unavailable."""
        with _answering("hand out the queue's messages"):
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=BATCH, WaitTimeSeconds=self._wait)
        return [
            QueueMessage(each["MessageId"], each["Body"].encode(), each["ReceiptHandle"])
            for each in answer.get("Messages", [])
        ]

    def delete(self, receipts: Sequence[str]) -> None:
        """Deletes for good; safe to repeat; raises Unavailable, and then some may come again."""
        failed = 0
        for start in range(0, len(receipts), BATCH):
            entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(receipts[start: start + BATCH])]
            with _answering("delete the queue's messages"):
                failed += len(self._client.delete_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", []))
        if failed:
            raise Unavailable(NOT_DELETED.format(count=failed))


def _client(service: str, region: str | None = None, patience: int = 0) -> Any:
    """A client that gives up in time; boto3 tries again by itself, which is safe for all that is called here."""
    limits = Config(
        connect_timeout=3, read_timeout=patience + 10, retries={"total_max_attempts": 3, "mode": "standard"}
    )
    with _answering(f"let us call {service}"):
        return boto3.session.Session().client(service, region_name=region, config=limits)  # type: ignore[call-overload]


@contextmanager
def _answering(what: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as fault:
        raise Unavailable(NO_ANSWER.format(what=what, why=_why(fault))) from fault


def _why(fault: BotoCoreError | ClientError) -> str:
    """AWS's code for it: its messages may repeat tokens."""
    return str(fault.response["Error"]["Code"]) if isinstance(fault, ClientError) else type(fault).__name__


async def caller_identity(region: str | None = None) -> dict[str, str]:
    """As whom AWS knows us: Account, Arn, UserId; raises Unavailable."""
    return await asyncio.to_thread(_caller_identity, region)


def _caller_identity(region: str | None) -> dict[str, str]:
    client = _client("sts", region)
    with _answering("say who we are"):
        try:
            answer = client.get_caller_identity()
        except NoCredentialsError:
            raise Misbuilt(NO_CREDENTIALS) from None
    return {name: str(answer[name]) for name in ("Account", "Arn", "UserId")}
