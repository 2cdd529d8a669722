"""CloudWatch as a sender: alarms in the shape in which SNS and EventBridge carry them."""

import json
from datetime import UTC, datetime
from typing import Any

TOPIC = "arn:aws:sns:{region}:{account}:vigie-alarms"
REASONS = {
    "ALARM": "Threshold Crossed: 1 datapoint [{value} ({at})] was greater than the threshold ({threshold}).",
    "OK": "Threshold Crossed: 1 datapoint [{value} ({at})] was not greater than the threshold ({threshold}).",
    "INSUFFICIENT_DATA": "Insufficient Data: 1 datapoint was unknown.",
}
REGIONS = {"eu-west-3": "EU (Paris)", "eu-west-1": "EU (Ireland)", "eu-central-1": "EU (Frankfurt)"}


def alarm(
    name: str,
    state: str,
    service: str | None,
    at: datetime,
    *,
    metric: str = "CPUUtilization",
    namespace: str = "AWS/ECS",
    statistic: str = "AVERAGE",
    threshold: float = 90.0,
    value: float | None = None,
    description: str | None = None,
    dimensions: dict[str, str] | None = None,
    region: str = "eu-west-3",
    account: str = "111122223333",
    previous: str | None = None,
) -> dict[str, Any]:
    """A metric alarm; `state` is ALARM, OK or INSUFFICIENT_DATA, `service` becomes a dimension."""
    measured = value if value is not None else round(threshold * (1.1 if state == "ALARM" else 0.5), 2)
    reason = REASONS[state].format(value=measured, at=f"{at:%d/%m/%y %H:%M:00}", threshold=threshold)
    named = ({"service": service} if service else {}) | (dimensions or {})
    return _common(name, state, at, region, account, reason, description, previous) | {
        "AlarmConfigurationUpdatedTimestamp": "2026-10-01T08:00:00.000+0000",
        "Trigger": {
            "MetricName": metric,
            "Namespace": namespace,
            "StatisticType": "Statistic",
            "Statistic": statistic,
            "Unit": None,
            "Dimensions": _dimensions(named),
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": threshold,
            "TreatMissingData": "missing",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def anomaly(name: str, state: str, service: str | None, at: datetime, *, metric: str = "RequestCount",
            region: str = "eu-west-3", account: str = "111122223333") -> dict[str, Any]:
    """An alarm on a metric that leaves its expected band: it has no threshold."""
    reason = "Thresholds Crossed: 1 out of the last 4 datapoints [537.0] was greater than the upper thresholds [531.4]."
    measured = {
        "Id": "m1",
        "MetricStat": {
            "Metric": {
                "Dimensions": _dimensions({"service": service} if service else {}),
                "MetricName": metric, "Namespace": "AWS/ApplicationELB",
            },
            "Period": 60, "Stat": "Sum",
        },
        "ReturnData": True,
    }
    expected = "ANOMALY_DETECTION_BAND(m1, 2)"
    band = {"Id": "ad1", "Expression": expected, "Label": f"{metric} (expected)", "ReturnData": True}
    return _common(name, state, at, region, account, reason, None, None) | {
        "Trigger": {
            "Period": 60, "EvaluationPeriods": 4, "DatapointsToAlarm": 1,
            "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold", "ThresholdMetricId": "ad1",
            "TreatMissingData": "missing", "EvaluateLowSampleCountPercentile": "", "Metrics": [measured, band],
        },
    }


def composite(name: str, state: str, at: datetime, *, children: tuple[str, ...],
              region: str = "eu-west-3", account: str = "111122223333") -> dict[str, Any]:
    """An alarm over other alarms: a rule, no metric."""
    arns = [_arn(child, region, account) for child in children]
    reason = f"{arns[0]} transitioned to {state} at {at:%A %d %B, %Y %H:%M:%S} UTC" if arns else "set by hand"
    return _common(name, state, at, region, account, reason, None, None) | {
        "AlarmRule": " OR ".join(f'ALARM("{arn}")' for arn in arns),
        "TriggeringChildren": [{"Arn": arn, "State": {"Value": state, "Timestamp": _stamp(at)}} for arn in arns],
    }


def event(message: dict[str, Any], *, event_id: str) -> dict[str, Any]:
    """The same metric alarm as EventBridge carries it."""
    trigger, (_, _, _, region, account, *_) = message["Trigger"], message["AlarmArn"].split(":")
    measured = {"version": "1.0", "period": trigger["Period"], "threshold": trigger["Threshold"]}
    metric = {
        "namespace": trigger["Namespace"], "name": trigger["MetricName"],
        "dimensions": {each["name"]: each["value"] for each in trigger["Dimensions"]},
    }
    stat = {"metric": metric, "period": trigger["Period"], "stat": "Average"}
    line = {"id": "m1", "metricStat": stat, "returnData": True}
    now = {"value": message["NewStateValue"], "reason": message["NewStateReason"], "reasonData": json.dumps(measured),
           "timestamp": message["StateChangeTime"]}
    return {
        "version": "0", "id": event_id, "detail-type": "CloudWatch Alarm State Change", "source": "aws.cloudwatch",
        "account": account, "time": message["StateChangeTime"], "region": region, "resources": [message["AlarmArn"]],
        "detail": {
            "alarmName": message["AlarmName"], "state": now, "previousState": {"value": message["OldStateValue"]},
            "configuration": {"description": message["AlarmDescription"] or "", "metrics": [line]},
        },
    }


def subject(message: dict[str, Any]) -> str:
    """The subject that CloudWatch gives the message."""
    return f'{message["NewStateValue"]}: "{message["AlarmName"]}" in {message["Region"]}'


def _common(name: str, state: str, at: datetime, region: str, account: str, reason: str,
            description: str | None, previous: str | None) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "AlarmDescription": description,
        "AWSAccountId": account,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": _stamp(at),
        "Region": REGIONS.get(region, region),
        "AlarmArn": _arn(name, region, account),
        "OldStateValue": previous or ("ALARM" if state == "OK" else "OK"),
        "OKActions": [TOPIC.format(region=region, account=account)],
        "AlarmActions": [TOPIC.format(region=region, account=account)],
        "InsufficientDataActions": [],
    }


def _dimensions(named: dict[str, str]) -> list[dict[str, str]]:
    return [{"value": value, "name": name} for name, value in named.items()]


def _arn(name: str, region: str, account: str) -> str:
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"


def _stamp(at: datetime) -> str:
    """As CloudWatch writes it: milliseconds, a zone without a colon."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}+0000"
