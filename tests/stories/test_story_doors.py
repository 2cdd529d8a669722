"""The other doors: Slack by socket for those without an address, and alarms by a queue."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
import pytest
import sqlalchemy as sa
from moto.server import ThreadedMotoServer

from bot import app
from bot.clients.aws import QueueReader
from bot.doubles import cloudwatch
from bot.errors import Unavailable
from tests.stage import ALERTS, ALICE, LEA, PAYMENTS, example_config, staged


def test_by_socket_a_line_a_button_a_form_and_a_mention_work_as_by_http(engine: sa.Engine) -> None:
    with staged(engine, by_socket=True) as stage:
        stage.until(lambda: stage.workspace.sockets.links, "the socket to be open")
        said = {"key": "ledger/lag", "state": "firing", "title": "the ledger is behind", "service": "ledger"}
        assert stage.send("bridge-generic", said)[0] == 200
        card = stage.card(ALERTS, "the ledger is behind")

        stage.say(LEA, ALERTS, "/vigie ack 1 on it")
        stage.reads(ALERTS, "the ledger is behind", "Léa has it since")
        stage.click(ALICE, ALERTS, card["ts"], "Note…")
        assert stage.fill(ALICE, text="seen from here too") == {}
        stage.say(ALICE, ALERTS, "@Vigie note and from there", thread=card["ts"])
        stage.until(lambda: "wrote: and from there" in "".join(stage.thread(ALERTS, card["ts"])))
        kinds = [each.kind for each in stage.entries() if each.object == "alert:1"]
        assert kinds == ["alert opened", "alert acked", "alert noted", "alert noted"]
        assert not list(stage.workspace.notices)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A topic of AWS that feeds a queue."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = {"ENDPOINT_URL": f"http://{host}:{port}", "REGION": "eu-west-3", "DEFAULT_REGION": "eu-west-3",
             "ACCESS_KEY_ID": "demo", "SECRET_ACCESS_KEY": "demo"}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    topic = boto3.client("sns").create_topic(Name="bridge-alarms")["TopicArn"]
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="vigie", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setattr(app, "QueueReader", partial(QueueReader, wait_seconds=1))
    yield topic, url
    server.stop()


def left(url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found: dict[str, Any] = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(each) for each in found.values())


def test_an_alarm_comes_by_the_queue_and_leaves_it_only_once_it_is_kept(engine: sa.Engine, queue: tuple[str, str]) -> None:
    topic, url = queue
    arn = example_config().endpoints["bridge-cloudwatch"].topics[0].model_copy(update={"arn": topic})
    config = example_config(bridge_cloudwatch={"queue_url": url, "topics": (arn,)})
    with staged(engine, config) as stage:
        stage.app.intake._closing = True            # "not now": what comes must stay in the queue
        alarm = json.dumps(cloudwatch.alarm("pay-api-5xx", "ALARM", "pay-api", stage.clock.now()))
        boto3.client("sns").publish(TopicArn=topic, Message=alarm)
        with pytest.raises(Unavailable):
            stage.wait(stage.app.intake.take([]))
        assert stage.alerts() == [] and left(url) == 1

        stage.app.intake._closing = False
        stage.card(PAYMENTS, "pay-api")
        stage.until(lambda: left(url) == 0, "the message to be deleted")
        found = stage.alerts()
        assert [(each["state"], each["sources"], each["endpoints"]) for each in found] == [
            ("firing", ["cloudwatch"], ["bridge-cloudwatch"])]
