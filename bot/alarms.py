"""CloudWatch alarms: SNS, EventBridge and Lambda spell them differently, one alarm is one key and one sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.decoding import decode_text, instant, mapping, pairs, sequence, text
from bot.signals import (
    FIRING,
    GONE,
    HIGH,
    INFO,
    MAX_LABEL,
    MAX_SUMMARY,
    MAX_TITLE,
    NO_DATA,
    RECOVERED,
    Signal,
    Unreadable,
    clip,
    happened,
    service_in,
    severity_of,
)

OBSERVER = "CloudWatch"
STATES = {"ALARM": FIRING, "OK": RECOVERED, "INSUFFICIENT_DATA": NO_DATA}

BAD_STATE = "The alarm's state is '{state}'; OK, ALARM or INSUFFICIENT_DATA was expected."
NO_NAME = "The alarm has no name; `{key}` was expected."
CROSSED = "{what} {word} {threshold} ({how})"
CROSSED_BAND = "{what} {word} its expected band ({how})"
DELETED = "Somebody deleted the alarm: CloudWatch will say nothing more of it."
COMPOSITE = "{name}: {children} in alarm"
COMPOSITE_ALONE = "{name} (composite alarm)"
CONSOLE = "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"

_WORDS = {
    "GreaterThanThreshold": "above",
    "GreaterThanOrEqualToThreshold": "at or above",
    "LessThanThreshold": "below",
    "LessThanOrEqualToThreshold": "at or below",
    "LessThanLowerOrGreaterThanUpperThreshold": "outside",
    "GreaterThanUpperThreshold": "above",
    "LessThanLowerThreshold": "below",
}
_SEVERITY = re.compile(r"\bseverity\s*[=:]\s*\"?(\w+)|\[(critical|high|warning|info|p[1-5]|sev[1-5])\]", re.IGNORECASE)
_SAID = re.compile(r"was (?:not )?(greater|less) than( or equal to)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a word of AWS reached us, and who says it; without a name in vigie.yaml, whoever of AWS saw it."""

    observer: str
    received_at: datetime
    region: str = ""          # the topic's, for alarms that do not say theirs
    account: str = ""
    partition: str = "aws"
    part: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of an alarm: a metric, or an expression over others."""

    name: str
    namespace: str = ""
    stat: str = ""
    period: str = ""
    expression: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch alarm at the moment its state changed, whatever spelling it came in."""

    name: str
    arn: str
    state: str
    reason: str
    at: datetime
    description: str = ""
    metrics: tuple[Metric, ...] = ()
    operator: str = ""
    threshold: str = ""
    periods: str = ""
    rule: str = ""
    children: tuple[str, ...] = ()
    anomaly: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    muted: bool = False


def read(message: Mapping[str, Any], place: Place) -> Signal | None:
    """The signal of an alarm; None when the message is something else; raises Unreadable for a broken alarm."""
    if "AlarmName" in message or "NewStateValue" in message:
        return _signal(_from_sns(message, place), place)
    if "alarmData" in message:
        return _signal(_from_event(mapping(message["alarmData"]), message, place), place)
    detail = mapping(message.get("detail"))
    if "alarmName" in detail and detail.get("operation") == "delete":
        return _deleted(detail, message, place)
    if "alarmName" in detail and "state" in detail:
        return _signal(_from_event(detail, message, place), place)
    return None


def _deleted(detail: Mapping[str, Any], message: Mapping[str, Any], place: Place) -> Signal:
    """In whatever state it was: that is no news, and its time would be older than the deletion."""
    last = {"value": "INSUFFICIENT_DATA", "reason": DELETED, "timestamp": message.get("time")}
    return replace(_signal(_from_event({**detail, "state": last}, message, place), place), state=GONE, summary=DELETED)


def _signal(alarm: Alarm, place: Place) -> Signal:
    labels = _labels(alarm)
    return Signal(
        key=alarm.arn,
        state=alarm.state,
        severity=INFO if alarm.state == NO_DATA else _severity(alarm),     # a metric that is merely missing is no fault
        name=alarm.name,
        title=clip(_title(alarm), MAX_TITLE),
        observer=place.observer or OBSERVER,
        at=alarm.at,
        summary=clip("\n".join(filter(None, (alarm.reason, alarm.description))), MAX_SUMMARY),
        service=service_in(labels) or service_in(alarm.tags),
        labels=labels,
        link=_console(alarm),
        part=place.part,
    )


# --- the three spellings of an alarm ---------------------------------------------------------------------------------


def _from_sns(message: Mapping[str, Any], place: Place) -> Alarm:
    name = _required(message, "AlarmName")
    trigger = mapping(message.get("Trigger"))
    return Alarm(
        name=name,
        arn=text(message.get("AlarmArn")) or _arn(name, place, text(message.get("AWSAccountId"))),
        state=_state(text(message.get("NewStateValue"))),
        reason=text(message.get("NewStateReason")),
        at=happened(instant(message.get("StateChangeTime")), place.received_at),
        description=text(message.get("AlarmDescription")),
        metrics=_sns_metrics(trigger),
        operator=text(trigger.get("ComparisonOperator")),
        threshold=_number(trigger.get("Threshold")),
        periods=_periods(text(trigger.get("DatapointsToAlarm")), text(trigger.get("EvaluationPeriods"))),
        rule=text(message.get("AlarmRule")),
        children=_children(message.get("TriggeringChildren"), "Arn"),
        anomaly="ThresholdMetricId" in trigger,
        tags=pairs(message.get("AlarmTags")),
        muted=message.get("ActionExecutedAfterMuteWindow") is True,
    )


def _sns_metrics(trigger: Mapping[str, Any]) -> tuple[Metric, ...]:
    if "Metrics" in trigger:
        return tuple(_metric(mapping(each)) for each in sequence(trigger["Metrics"]))
    stat = text(trigger.get("Statistic")) or text(trigger.get("ExtendedStatistic"))
    name = text(trigger.get("MetricName"))
    namespace, period = text(trigger.get("Namespace")), text(trigger.get("Period"))
    return (Metric(name, namespace, stat, period, "", pairs(trigger.get("Dimensions"))),) if name else ()


def _from_event(data: Mapping[str, Any], event: Mapping[str, Any], place: Place) -> Alarm:
    """EventBridge's `detail`, or the `alarmData` that a Lambda function is given."""
    name = _required(data, "alarmName")
    state, setup = mapping(data.get("state")), mapping(data.get("configuration"))
    measured = mapping(decode_text(text(state.get("reasonData"))).content)
    metrics = tuple(_metric(mapping(each)) for each in sequence(setup.get("metrics")))
    return Alarm(
        name=name,
        arn=_event_arn(name, event, place),
        state=_state(text(state.get("value"))),
        reason=text(state.get("reason")),
        at=happened(instant(state.get("timestamp")) or instant(event.get("time")), place.received_at),
        description=text(setup.get("description")),
        metrics=metrics,
        operator=_operator_in(text(state.get("reason"))),
        threshold=_number(measured.get("threshold")),
        rule=text(setup.get("alarmRule")),
        children=_children(measured.get("triggeringAlarms"), "arn"),
        anomaly=any("ANOMALY_DETECTION_BAND" in each.expression for each in metrics),
        tags=pairs(data.get("alarmTags")),
    )


def _metric(item: Mapping[str, Any]) -> Metric:
    """One of `Metrics`, capitalised by SNS and not by EventBridge."""
    line = {key.lower(): value for key, value in item.items()}
    stat = {key.lower(): value for key, value in mapping(line.get("metricstat")).items()}
    inner = {key.lower(): value for key, value in mapping(stat.get("metric")).items()}
    expression = text(line.get("expression"))
    return Metric(
        name=text(inner.get("metricname")) or text(inner.get("name")) or text(line.get("label")) or expression,
        namespace=text(inner.get("namespace")),
        stat=text(stat.get("stat")),
        period=text(stat.get("period")) or text(line.get("period")),
        expression=expression,
        dimensions=pairs(inner.get("dimensions")),
        shown=line.get("returndata") is not False,
    )


def _required(data: Mapping[str, Any], key: str) -> str:
    if not (name := text(data.get(key))):
        raise Unreadable(NO_NAME.format(key=key))
    return name


def _state(word: str) -> str:
    if word not in STATES:
        raise Unreadable(BAD_STATE.format(state=word))
    return STATES[word]


def _number(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else text(value)


def _periods(enough: str, of: str) -> str:
    return f"{enough} of {of}" if enough and enough != of else of


def _operator_in(reason: str) -> str:
    """EventBridge does not say how the alarm compares, but its reason does, crossed or not."""
    if not (found := _SAID.search(reason)):
        return ""
    return f"{found[1].capitalize()}Than{'OrEqualTo' if found[2] else ''}Threshold"


def _arn(name: str, place: Place, account: str) -> str:
    return f"arn:{place.partition}:cloudwatch:{place.region}:{account or place.account}:alarm:{name}"


def _event_arn(name: str, event: Mapping[str, Any], place: Place) -> str:
    named = [text(event.get("alarmArn")), *map(text, sequence(event.get("resources")))]
    known = next((arn for arn in named if ":alarm:" in arn), "")
    account = text(event.get("account")) or text(event.get("accountId"))
    return known or _arn(name, replace(place, region=text(event.get("region")) or place.region), account)


def _children(value: Any, key: str) -> tuple[str, ...]:
    """The names of the alarms behind a composite one."""
    return tuple(text(mapping(each).get(key)).split(":", 6)[-1] for each in sequence(value))


# --- how an alarm is told to people ----------------------------------------------------------------------------------


def _title(alarm: Alarm) -> str:
    """One sentence: what is measured, how it crossed what, over how long."""
    if alarm.rule:
        told = COMPOSITE if any(alarm.children) else COMPOSITE_ALONE
        return told.format(name=alarm.name, children=", ".join(filter(None, alarm.children)))
    shown = _shown(alarm)
    word = _WORDS.get(alarm.operator, "")
    if shown is None or not (alarm.anomaly or (word and alarm.threshold)):
        return alarm.name
    how = _how(alarm, shown)
    if alarm.anomaly:
        return CROSSED_BAND.format(what=shown.name, word=word or "outside", how=how)
    return CROSSED.format(what=shown.name, word=word, threshold=alarm.threshold, how=how)


def _shown(alarm: Alarm) -> Metric | None:
    """The line the alarm is about: the returned one, and for a band the metric it surrounds."""
    lines = [each for each in alarm.metrics if not alarm.anomaly or not each.expression] or list(alarm.metrics)
    return next((each for each in lines if each.shown), lines[0] if lines else None)


def _how(alarm: Alarm, shown: Metric) -> str:
    period = shown.period or next((each.period for each in alarm.metrics if each.period), "")
    span = f"{alarm.periods} x {period} s" if alarm.periods and period else f"{period} s" if period else ""
    return ", ".join(filter(None, (shown.stat or shown.expression, span)))


def _severity(alarm: Alarm) -> str:
    tagged = next((value for name, value in alarm.tags.items() if name.lower() == "severity"), "")
    said = _SEVERITY.search(alarm.description)
    return severity_of(tagged) or (said and severity_of(said[1] or said[2])) or HIGH


def _labels(alarm: Alarm) -> dict[str, str]:
    """Flat facts that rules match and people read; dimensions under their own names."""
    _, _, _, region, account, *_ = (*alarm.arn.split(":", 6), "", "", "", "", "")
    measured = next((each for each in alarm.metrics if each.namespace), None)
    facts = dict(alarm.tags)
    for each in alarm.metrics:
        facts.update(each.dimensions)
    facts |= {"alarm": alarm.name, "region": region, "account": account, "children": ", ".join(alarm.children)}
    if measured:
        facts |= {"namespace": measured.namespace, "metric": measured.name}
    if alarm.muted:
        facts["after_mute_window"] = "true"     # the state may be old: it was held back while muted
    return {name: clip(value, MAX_LABEL) for name, value in facts.items() if value}


def _console(alarm: Alarm) -> str | None:
    region = alarm.arn.split(":", 6)[3] if alarm.arn.count(":") >= 6 else ""
    known = re.fullmatch("[a-z0-9-]+", region)
    return CONSOLE.format(region=region, name=quote(alarm.name, safe="")) if known else None
