"""The recommended path: a topic feeds a queue, the queue is read, and nothing leaves it before it is committed."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from bot.clients.aws import QueueReader, SnsConfirmer
from bot.config import Endpoint, Topic
from bot.doubles import cloudwatch as aws
from bot.errors import Unavailable
from bot.sources import Delivery, Forged
from bot.sources.cloudwatch import cloudwatch

AT = datetime(2026, 11, 20, 1, 14, 5, tzinfo=UTC)
LATER = AT + timedelta(days=2)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, aws_url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "demo")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "demo")


@pytest.fixture
def topic_and_queue(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A topic that feeds a queue whose messages come again after a minute."""
    return made(request.node.name)


def made(test: str, again_after_s: int = 60) -> tuple[str, str]:
    name = f"alarms-{abs(hash(test))}"
    topic = boto3.client("sns").create_topic(Name=name)["TopicArn"]
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(again_after_s)})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, url


def delivery(body: bytes, topics: tuple[str, ...] = (), headers: dict[str, str] | None = None) -> Delivery:
    endpoint = Endpoint(source="cloudwatch", organisation="bridge", topics=tuple(Topic(arn=arn) for arn in topics))
    return Delivery("bridge-cloudwatch", endpoint, body, headers or {}, LATER, by_queue=True)


def authenticate(what: Delivery) -> Any:
    return asyncio.run(cloudwatch.authenticate(what, None))  # type: ignore[arg-type]


def test_an_alarm_goes_from_topic_to_queue_to_signal_however_old_it_is(topic_and_queue: tuple[str, str]) -> None:
    topic, url = topic_and_queue
    alarm = aws.alarm("pay-db-cpu", "ALARM", "pay-db", AT)
    boto3.client("sns").publish(TopicArn=topic, Subject=aws.subject(alarm), Message=json.dumps(alarm))
    message, = QueueReader(url, wait_seconds=2).receive()
    what = delivery(message.body, (topic,))
    document = authenticate(what)
    signal, = cloudwatch.read(document.content, what)
    assert (signal.key, signal.at, signal.service) == (alarm["AlarmArn"], AT, "pay-db")
    assert document.delivery_id.startswith(f"{topic}:")


def test_a_message_comes_again_until_it_is_deleted() -> None:
    topic, url = made("again", again_after_s=1)
    boto3.client("sns").publish(TopicArn=topic, Message="{}")
    reader = QueueReader(url, wait_seconds=3)
    first, = reader.receive()
    again, = reader.receive()
    assert first.id == again.id
    reader.delete([again.receipt])
    assert QueueReader(url, wait_seconds=2).receive() == []


def test_more_than_a_batch_is_deleted(topic_and_queue: tuple[str, str]) -> None:
    topic, url = topic_and_queue
    for number in range(13):
        boto3.client("sns").publish(TopicArn=topic, Message=str(number))
    reader = QueueReader(url, wait_seconds=1)
    receipts = [message.receipt for _ in range(2) for message in reader.receive()]
    assert len(receipts) == 13
    reader.delete(receipts)
    assert QueueReader(url, wait_seconds=2).receive() == []


def test_a_queue_that_is_not_there_means_not_now() -> None:
    with pytest.raises(Unavailable, match="NonExistentQueue"):
        QueueReader("https://sqs.eu-west-3.amazonaws.com/111122223333/nothing", wait_seconds=0).receive()


def test_an_aws_that_does_not_answer_means_not_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        QueueReader("http://127.0.0.1:9/1/q", wait_seconds=0).receive()


def test_a_subscription_is_confirmed_with_our_credentials(topic_and_queue: tuple[str, str]) -> None:
    SnsConfirmer().confirm(topic_and_queue[0], "token")
    with pytest.raises(Unavailable, match="NotFound"):
        SnsConfirmer().confirm("arn:aws:sns:eu-west-3:123456789012:nothing", "token")


def test_a_bare_message_is_read_too_and_known_by_the_queues_id() -> None:
    what = delivery(json.dumps(aws.alarm("a", "OK", None, AT)).encode(), headers={"x-amz-sqs-message-id": "m-1"})
    document = authenticate(what)
    assert document.delivery_id == "m-1"
    assert cloudwatch.read(document.content, what)[0].state == "recovered"


def test_a_message_of_a_topic_that_is_not_listed_is_refused() -> None:
    body = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-3:999900001111:x", "MessageId": "1", "Message": "{}"}
    with pytest.raises(Forged) as refused:
        authenticate(delivery(json.dumps(body).encode(), ("arn:aws:sns:eu-west-3:111122223333:x",)))
    assert refused.value.reason == "foreign_topic"


def test_what_is_no_json_in_the_queue_is_unreadable_not_lost() -> None:
    document = authenticate(delivery(b"deploy done", headers={"x-amz-sqs-message-id": "m-2"}))
    assert (document.content, document.delivery_id) == ("deploy done", "m-2")
    assert "not JSON" in document.unreadable
