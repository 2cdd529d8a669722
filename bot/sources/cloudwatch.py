"""CloudWatch alarms through SNS: signed HTTPS deliveries, or messages of a queue that the topic feeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.alarms import OBSERVER, Place
from bot.clients import sns
from bot.config import Topic
from bot.decoding import clean, decode, decode_text, mapping, sequence, text
from bot.signals import CRITICAL, clip
from bot.sources import (
    FIRING,
    Delivery,
    Document,
    Forged,
    Signal,
    Source,
    Trust,
    Unreadable,
    check_size,
    observer_of,
    unreadable_signal,
)
from bot.sources.eventbridge import read_messages

MAX_ENVELOPE = 300_000                      # SNS takes 256 KiB of message; the envelope comes on top
REPLAY_WINDOW = timedelta(hours=1)          # the longest that a delivery policy of SNS may go on trying
CLOCK_SKEW = timedelta(minutes=5)
QUEUE_MESSAGE_ID = "x-amz-sqs-message-id"

RAW = "Raw message delivery carries no signature; switch it off for this subscription, or read the topic by a queue."
FOREIGN = "The topic is not among the endpoint's topics in vigie.yaml."
VERSION = "The topic signs with version {version}; set its SignatureVersion to 2, or allow {version} in vigie.yaml."
REPLAYED = "The message is older than an hour, or from the future; SNS would not send it now."
NOT_A_MESSAGE = "A CloudWatch alarm or an AWS event was expected; this is not an object but: {found}"
CUT_TITLE = "Somebody cut the feed of topic {topic}"
CUT_SUMMARY = "SNS delivers nothing of {arn} here any more. Unless this was meant, subscribe the endpoint again."

# Without what SNS adds for the transport: whoever reads its links could end the subscription.
_KEPT = ("Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp")


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    """The rules of trust: our topic, its signature, recent; a queue's messages are guarded by the queue's policy."""
    if delivery.by_queue:
        return _from_queue(delivery)
    check_size(delivery, MAX_ENVELOPE)
    if delivery.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        raise Forged(RAW, "raw_delivery")
    try:
        envelope = sns.read_envelope(delivery.body)
        _check_topic(envelope, delivery)
        url = sns.check_certificate_url(envelope)
        sns.verify(envelope, await trust.certificate(url, delivery.received_at))
    except sns.Untrusted as fault:
        raise Forged(str(fault), fault.reason) from None
    if envelope.kind == sns.CONFIRMATION:
        await trust.confirm(envelope.topic_arn, str(envelope.fields["Token"]))
    return _document(envelope.fields)


def _check_topic(envelope: sns.Envelope, delivery: Delivery) -> None:
    """Anyone can have SNS sign a message: the list of topics authenticates, the signature only proves the topic."""
    topic = _topic(envelope.topic_arn, delivery)
    if topic is None:
        raise Forged(FOREIGN, "foreign_topic")
    if envelope.version not in topic.signature_versions:
        raise Forged(VERSION.format(version=envelope.version), "signature_version")
    if not -CLOCK_SKEW <= delivery.received_at - envelope.timestamp <= REPLAY_WINDOW:
        raise Forged(REPLAYED, "replayed")


def _topic(arn: str, delivery: Delivery) -> Topic | None:
    return next((topic for topic in delivery.endpoint.topics if topic.arn == arn), None)


def _document(envelope: Mapping[str, Any]) -> Document:
    """The envelope without its transport, its message opened so that masking sees keys and values."""
    kept: dict[str, Any] = {key: envelope[key] for key in _KEPT if key in envelope}
    inner = decode_text(text(kept.get("Message")))
    kept = clean(kept) | ({} if inner.unreadable else {"Message": inner.content})
    return Document(kept, delivery_id=f"{text(kept.get('TopicArn'))}:{text(kept.get('MessageId'))}")


def _from_queue(delivery: Delivery) -> Document:
    """An envelope, or with raw delivery the bare message; days may have passed, so nothing is too old."""
    own_id = delivery.headers.get(QUEUE_MESSAGE_ID)
    found = decode(delivery.body, delivery.headers)
    envelope = mapping(found.content)
    if found.unreadable or not _is_envelope(envelope):
        return replace(found, delivery_id=own_id)
    if delivery.endpoint.topics and _topic(text(envelope.get("TopicArn")), delivery) is None:
        raise Forged(FOREIGN, "foreign_topic")
    return _document(envelope)


def _is_envelope(content: Mapping[str, Any]) -> bool:
    return "Message" in content and "TopicArn" in content and "Type" in content


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    """The signals of an envelope, of several (`Records`), or of a bare message."""
    records = sequence(mapping(content).get("Records"))
    if not records:
        return _read_one(content, delivery, "")
    return [signal for n, record in enumerate(records) for signal in _read_record(mapping(record), delivery, str(n))]


def _read_record(record: Mapping[str, Any], delivery: Delivery, part: str) -> Sequence[Signal]:
    """One of several: what is unreadable in it does not hide the others."""
    try:
        return _read_one(record.get("Sns") or record, delivery, part)
    except Unreadable as fault:
        return [unreadable_signal(delivery, str(fault), part)]


def _read_one(content: Any, delivery: Delivery, part: str) -> Sequence[Signal]:
    envelope = mapping(content)
    kind, arn = envelope.get("Type"), text(envelope.get("TopicArn"))
    if kind == sns.CONFIRMATION:
        return []
    if kind == sns.UNSUBSCRIBED:
        return [_cut(arn, delivery)]
    message = envelope.get("Message") if _is_envelope(envelope) else content
    return read_messages(_opened(message), _place(arn, delivery, part))


def _opened(message: Any) -> Mapping[str, Any]:
    """The message as an object; some senders encode it twice."""
    for _ in range(2):
        if isinstance(message, str):
            found = decode_text(message)
            message = found.content if not found.unreadable else message
    if not isinstance(message, dict):
        raise Unreadable(NOT_A_MESSAGE.format(found=clip(str(message), 200)))
    return message


def _place(topic_arn: str, delivery: Delivery, part: str) -> Place:
    """Alarms of old do not say their region: it is the topic's."""
    _, partition, _, region, account, *_ = (*topic_arn.split(":"), "", "", "", "", "")
    return Place(observer_of(delivery, ""), delivery.received_at, region, account, partition or "aws", part)


def _cut(arn: str, delivery: Delivery) -> Signal:
    topic = arn.split(":")[-1]
    return Signal(
        key=f"feed:{arn}",
        state=FIRING,
        severity=CRITICAL,
        name=f"feed {topic}",
        title=CUT_TITLE.format(topic=topic),
        observer=observer_of(delivery, OBSERVER),
        at=delivery.received_at,
        summary=CUT_SUMMARY.format(arn=arn),
        labels={"topic": arn},
    )


cloudwatch = Source(
    name="cloudwatch",
    help="CloudWatch alarms through SNS, over HTTPS or by a queue (recommended); believed by topic and signature",
    authenticate=authenticate,
    read=read,
    example={
        "AlarmName": "pay-api-5xx",
        "AlarmDescription": "Too many errors behind the load balancer. severity=critical",
        "AWSAccountId": "111122223333",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold Crossed: 1 datapoint [12.4 (22/11/26 01:14)] was greater than the threshold (5).",
        "StateChangeTime": "2026-11-22T01:14:05.123+0000",
        "Region": "EU (Paris)",
        "AlarmArn": "arn:aws:cloudwatch:eu-west-3:111122223333:alarm:pay-api-5xx",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "HTTPCode_Target_5XX_Count", "Namespace": "AWS/ApplicationELB", "StatisticType": "Statistic",
            "Statistic": "SUM", "Unit": None, "Dimensions": [{"name": "service", "value": "pay-api"}], "Period": 60,
            "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 5.0,
        },
    },
)
