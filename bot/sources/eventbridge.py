"""EventBridge: CloudWatch alarm state changes and any other AWS event, through an API destination or a queue."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot import alarms, events
from bot.alarms import Place
from bot.decoding import decode, instant, mapping, sequence, text
from bot.signals import CRITICAL, HIGH, INFO, MAX_LABEL, MAX_SUMMARY, MAX_TITLE, WARNING, clip, happened, severity_of
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

NOT_AN_EVENT = "A CloudWatch alarm or an AWS event was expected; the message has the keys {keys}."
ANYTHING = "anything"                   # good news that names nothing ends nothing: who knows what it is about
FINDING = "Security Hub Findings"
NOT_AN_OBJECT = "An event of EventBridge was expected: a JSON object with `detail-type` and `detail`."

_TOLD = (
    "Title", "title", "jobName", "AutoScalingGroupName", "eventTypeCode", "Source ID", "SourceIdentifier", "canary-name",
    "project-name", "instance-id", "name",
)
_EXPLAINED = (
    "description", "message", "Message", "StatusMessage", "statusMessage", "Cause", "Description", "Event Message",
    "errorMessage", "reason", "stoppedReason",
)
_NAMES = (
    "eventArn", "findingArn", "Source ARN", "Source ID", "jobName", "AutoScalingGroupName", "canary-name", "project-name",
    "instance-id", "arn", "id", "Id",
)
_STATUS = ("state", "status", "statusCode", "lastStatus", "build-status", "test-run-status")
_WELL = {
    "SUCCEEDED", "SUCCESS", "COMPLETED", "RESOLVED", "CLOSED", "OK", "ARCHIVED", "SUPPRESSED", "PASSED",
    "SERVICE_STEADY_STATE", "SERVICE_DEPLOYMENT_COMPLETED",
}
_MACHINES = {"aws.ecs", "aws.ec2"}          # of what lives there, RUNNING is good news; of a job it is none
# Good and bad news of one thing come as two kinds of event: they are one problem, and the good one ends it.
_OUTCOME = re.compile(r"(?: Successful| Unsuccessful| Failure|(?<=Refresh) (?:Started|Succeeded|Failed|Cancelled)|_ERROR)$")
_GOOD = re.compile(r" Successful$| Refresh Succeeded$|^autoscaling:EC2_INSTANCE_(?:LAUNCH|TERMINATE)$")
_ECS_SERVICE = re.compile(r"^(?:service/(?:[^/]+/)?|service:|family:)([^/]+)$")
_BAD_CATEGORIES, _DULL_CATEGORIES = {"failure", "failover", "low storage"}, {"backup", "creation", "configuration change"}


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    """The secret header of the API destination's connection; a queue is guarded by its policy."""
    check_size(delivery)
    check_secret(delivery, trust, delivery.headers.get(HEADER, ""), HEADER)
    found = decode(delivery.body, delivery.headers)
    return replace(found, delivery_id=text(mapping(found.content).get("id")) or None)


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    if not isinstance(content, dict):
        raise Unreadable(NOT_AN_OBJECT)
    return read_messages(content, Place(observer_of(delivery, ""), delivery.received_at))


def read_messages(message: Mapping[str, Any], place: Place) -> list[Signal]:
    """One thing, or each finding of a message of Security Hub; raises Unreadable."""
    findings = sequence(mapping(message.get("detail")).get("findings"))
    if not findings:
        return [_read_message(message, place)]
    return [
        _event(text(message.get("detail-type")) or FINDING, message, mapping(each), replace(place, part=f"{place.part}.{n}"))
        for n, each in enumerate(findings)
    ]


def _read_message(message: Mapping[str, Any], place: Place) -> Signal:
    """An alarm, or any other event of AWS as far as it tells a person something."""
    if alarm := alarms.read(message, place):
        return alarm
    kind = text(message.get("detail-type")) or text(message.get("Event")) or text(message.get("Event Source"))
    if not kind:
        raise Unreadable(NOT_AN_EVENT.format(keys=", ".join(sorted(message)[:20]) or "none at all"))
    # An event that says nothing of its own is not told apart by its id, or each would be a problem of its own.
    bare = {key: value for key, value in message.items() if key != "id"}
    return _event(kind, message, mapping(message.get("detail")) or bare, place)


def _event(kind: str, message: Mapping[str, Any], detail: Mapping[str, Any], place: Place) -> Signal:
    about = _about(message, detail)
    told = _first(detail, _TOLD) or _ecs_service(about, detail) or about
    named = _first(detail, _NAMES) or _ecs_group(detail) or about
    account, region = _where(message, detail, place)
    chapter = events.chapter(detail)
    well = chapter.ended if chapter else _is_well(kind, message, detail)
    thing = _full_name(named or (ANYTHING if well else ""), account, region)
    at = next(filter(None, map(instant, _times(message))), None)
    return Signal(
        key=f"event:{_OUTCOME.sub('', kind)}{f' {chapter.name}' if chapter else ''}:{thing}",
        state=RECOVERED if well else FIRING,
        severity=_severity(detail),
        name=told or kind,
        title=clip(_title(kind, told, detail), MAX_TITLE),
        observer=place.observer or events.observer(message),
        at=happened(at, place.received_at),
        summary=clip(_first(detail, _EXPLAINED) or _health_text(detail), MAX_SUMMARY),
        labels=_labels(kind, about, message, detail, place),
        part=place.part,
    )


def _where(message: Mapping[str, Any], detail: Mapping[str, Any], place: Place) -> tuple[str, str]:
    """Account and region."""
    account = text(message.get("account")) or text(detail.get("accountId")) or place.account
    return account, text(message.get("region")) or place.region


def _full_name(named: str, account: str, region: str) -> str:
    """One account's good news must not end what another has under the same name; an ARN says both by itself."""
    return named if named.startswith("arn:") else " ".join(filter(None, (account, region, named)))


def _title(kind: str, told: str, detail: Mapping[str, Any]) -> str:
    what = _first(detail, ("eventName", "lastStatus", "state"))
    return f"{kind}: {told}{f' ({what})' if what else ''}" if told else kind


def _times(message: Mapping[str, Any]) -> Iterator[Any]:
    return (message.get(key) for key in ("time", "Time", "Event Time", "timestamp"))


def _about(message: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    """What the event is about: its first resource, in the words of an ARN's end."""
    named = (*map(text, sequence(message.get("resources"))), text(detail.get("AutoScalingGroupARN")))
    arn = next(filter(None, named), "")
    return arn.split(":", 5)[-1]


def _ecs_service(about: str, detail: Mapping[str, Any]) -> str:
    """The service of ECS by its own name; the name that a service of vigie.yaml begins with is read off it."""
    found = _ECS_SERVICE.match(text(detail.get("group"))) or _ECS_SERVICE.match(about)
    return found[1] if found else ""


def _ecs_group(detail: Mapping[str, Any]) -> str:
    """A task that stopped never runs again: what belongs together is the tasks of one service in one cluster."""
    group = text(detail.get("group"))
    return f"{text(detail.get('clusterArn'))} {group}" if group else ""


def _first(detail: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((found for key in keys if (found := text(detail.get(key)))), "")


def _status(detail: Mapping[str, Any]) -> str:
    return _first(detail, _STATUS) or text(mapping(detail.get("Workflow")).get("Status"))


def _is_well(kind: str, message: Mapping[str, Any], detail: Mapping[str, Any]) -> bool:
    """Whether it says that all is well again, or that somebody has put a finding away."""
    said = {_status(detail).upper(), text(detail.get("eventName")), text(detail.get("RecordState"))}
    said.add(text(mapping(detail.get("Compliance")).get("Status")))
    runs = "RUNNING" in said and message.get("source") in _MACHINES and not _is_ailing(detail)
    archived = mapping(detail.get("service")).get("archived") is True
    return runs or archived or not _WELL.isdisjoint(said) or _GOOD.search(kind) is not None


def _is_ailing(detail: Mapping[str, Any]) -> bool:
    """A task that runs and is being stopped, or is not healthy, is no good news of its service."""
    return detail.get("desiredStatus") == "STOPPED" or detail.get("healthStatus") == "UNHEALTHY"


def _health_text(detail: Mapping[str, Any]) -> str:
    """AWS Health explains itself in several languages; the first is English."""
    return next((text(mapping(each).get("latestDescription")) for each in sequence(detail.get("eventDescription"))), "")


def _severity(detail: Mapping[str, Any]) -> str:
    """GuardDuty gives a number up to ten, others a word, AWS Health and RDS a category."""
    given = text(detail.get("severity")) or text(mapping(detail.get("Severity")).get("Label"))
    if re.fullmatch(r"\d{1,3}(\.\d+)?", given):
        grade = float(given)
        return CRITICAL if grade >= 9 else HIGH if grade >= 7 else WARNING if grade >= 4 else INFO
    categories = {text(each).lower() for each in sequence(detail.get("EventCategories"))}
    if detail.get("eventTypeCategory") == "issue" or categories & _BAD_CATEGORIES:
        return HIGH
    if detail.get("desiredStatus") == "RUNNING" or (categories and categories <= _DULL_CATEGORIES):
        return INFO         # a task on its way up, a backup taken
    return severity_of(given) or severity_of(text(detail.get("eventType"))) or WARNING


def _labels(
    kind: str, about: str, message: Mapping[str, Any], detail: Mapping[str, Any], place: Place
) -> dict[str, str]:
    account, region = _where(message, detail, place)
    facts = {
        "event": kind,
        "source": text(message.get("source")),
        "resource": about,
        "region": region,
        "account": account,
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
