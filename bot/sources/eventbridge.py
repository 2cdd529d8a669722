"""EventBridge: CloudWatch alarm state changes and any other AWS event, through an API destination or a queue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot import alarms
from bot.alarms import Place
from bot.decoding import decode, instant, mapping, sequence, text
from bot.signals import HIGH, INFO, MAX_LABEL, MAX_SUMMARY, MAX_TITLE, WARNING, clip, happened, severity_of
from bot.sources import (
    FIRING,
    RECOVERED,
    Delivery,
    Document,
    Signal,
    Source,
    Trust,
    Unreadable,
    check_secret,
    check_size,
    observer_of,
)

HEADER = "x-vigie-secret"
OBSERVER = "CloudWatch"

NOT_AN_EVENT = "A CloudWatch alarm or an AWS event was expected; the message has the keys {keys}."
NOT_AN_OBJECT = "An event of EventBridge was expected: a JSON object with `detail-type` and `detail`."

_TOLD = ("title", "jobName", "AutoScalingGroupName", "eventTypeCode", "Source ID", "clusterArn", "instance-id", "name")
_EXPLAINED = (
    "description", "message", "Message", "StatusMessage", "statusMessage", "Cause", "Description", "Event Message",
    "errorMessage", "reason", "stoppedReason",
)
_NAMES = ("eventArn", "findingArn", "jobName", "AutoScalingGroupName", "instance-id", "arn", "id")
_DONE = {"SUCCEEDED", "SUCCESS", "COMPLETED", "RESOLVED", "CLOSED", "OK"}


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    """The secret header of the API destination's connection; a queue is guarded by its policy."""
    check_size(delivery)
    check_secret(delivery, trust, delivery.headers.get(HEADER, ""), HEADER)
    found = decode(delivery.body, delivery.headers)
    return replace(found, delivery_id=text(mapping(found.content).get("id")) or None)


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    if not isinstance(content, dict):
        raise Unreadable(NOT_AN_OBJECT)
    return [read_message(content, Place(observer_of(delivery, OBSERVER), delivery.received_at))]


def read_message(message: Mapping[str, Any], place: Place) -> Signal:
    """An alarm, or any other event of AWS as far as it tells a person something; raises Unreadable."""
    if alarm := alarms.read(message, place):
        return alarm
    kind = text(message.get("detail-type")) or text(message.get("Event")) or text(message.get("Event Source"))
    if not kind:
        raise Unreadable(NOT_AN_EVENT.format(keys=", ".join(sorted(message)[:20]) or "none at all"))
    return _event(kind, message, mapping(message.get("detail")) or dict(message), place)


def _event(kind: str, message: Mapping[str, Any], detail: Mapping[str, Any], place: Place) -> Signal:
    about = _about(message, detail)
    told = _first(detail, _TOLD) or about
    named = _first(detail, _NAMES) or about
    at = next(filter(None, map(instant, _times(message))), None)
    return Signal(
        key=f"event:{kind}:{named or place.account}",
        state=RECOVERED if _status(detail).upper() in _DONE else FIRING,
        severity=_severity(detail),
        name=told or kind,
        title=clip(f"{kind}: {told}" if told else kind, MAX_TITLE),
        observer=place.observer,
        at=happened(at, place.received_at),
        summary=clip(_first(detail, _EXPLAINED) or _health_text(detail), MAX_SUMMARY),
        labels=_labels(kind, about, message, detail, place),
        part=place.part,
    )


def _times(message: Mapping[str, Any]) -> Iterator[Any]:
    return (message.get(key) for key in ("time", "Time", "Event Time", "timestamp"))


def _about(message: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    """What the event is about: its first resource, in the words of an ARN's end."""
    named = (*map(text, sequence(message.get("resources"))), text(detail.get("AutoScalingGroupARN")))
    arn = next(filter(None, named), "")
    return arn.split(":", 5)[-1]


def _first(detail: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((found for key in keys if (found := text(detail.get(key)))), "")


def _status(detail: Mapping[str, Any]) -> str:
    return _first(detail, ("state", "status", "statusCode"))


def _health_text(detail: Mapping[str, Any]) -> str:
    """AWS Health explains itself in several languages; the first is English."""
    return next((text(mapping(each).get("latestDescription")) for each in sequence(detail.get("eventDescription"))), "")


def _severity(detail: Mapping[str, Any]) -> str:
    """GuardDuty and Security Hub give a number up to ten, others a word, AWS Health a category."""
    given = detail.get("severity")
    if isinstance(given, int | float) and not isinstance(given, bool):
        return "critical" if given >= 9 else HIGH if given >= 7 else WARNING if given >= 4 else INFO
    if detail.get("eventTypeCategory") == "issue":
        return HIGH
    return severity_of(text(given)) or WARNING


def _labels(
    kind: str, about: str, message: Mapping[str, Any], detail: Mapping[str, Any], place: Place
) -> dict[str, str]:
    facts = {
        "event": kind,
        "source": text(message.get("source")),
        "resource": about,
        "region": text(message.get("region")) or place.region,
        "account": text(message.get("account")) or text(detail.get("accountId")) or place.account,
        "status": _status(detail),
    }
    return {name: clip(value, MAX_LABEL) for name, value in facts.items() if value}


eventbridge = Source(
    name="eventbridge",
    help="AWS events, first of all CloudWatch alarm state changes, by an API destination; header X-Vigie-Secret",
    authenticate=authenticate,
    read=read,
    example={
        "version": "0",
        "id": "6f1c2f7e-9f0c-4d58-9d0d-2b1f6a3d1c11",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "111122223333",
        "time": "2026-11-22T01:14:05Z",
        "region": "eu-west-3",
        "resources": ["arn:aws:cloudwatch:eu-west-3:111122223333:alarm:pay-api-5xx"],
        "detail": {
            "alarmName": "pay-api-5xx",
            "state": {
                "value": "ALARM",
                "reason": "Threshold Crossed: 1 datapoint [12.4] was greater than the threshold (5.0).",
                "reasonData": "{\"version\":\"1.0\",\"statistic\":\"Sum\",\"period\":60,\"threshold\":5.0}",
                "timestamp": "2026-11-22T01:14:05.123+0000",
            },
            "previousState": {"value": "OK", "timestamp": "2026-11-22T00:00:05.123+0000"},
            "configuration": {"metrics": [{"id": "m1", "metricStat": {
                "metric": {
                    "namespace": "AWS/ApplicationELB", "name": "HTTPCode_Target_5XX_Count",
                    "dimensions": {"service": "pay-api"},
                },
                "period": 60, "stat": "Sum",
            }, "returnData": True}]},
        },
    },
)
