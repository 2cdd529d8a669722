"""AWS's events beside alarms: which service saw it, and which piece of news belongs to which of RDS's undertakings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.decoding import text
from bot.signals import MAX_NAME, clip

UNNAMED = "AWS"

_OBSERVERS = {
    "aws.autoscaling": "Auto Scaling", "aws.backup": "AWS Backup", "aws.batch": "AWS Batch", "aws.codebuild": "CodeBuild",
    "aws.codepipeline": "CodePipeline", "aws.config": "AWS Config", "aws.ec2": "EC2", "aws.ecs": "ECS", "aws.glue": "Glue",
    "aws.guardduty": "GuardDuty", "aws.health": "AWS Health", "aws.rds": "RDS", "aws.securityhub": "Security Hub",
    "aws.states": "Step Functions", "aws.synthetics": "CloudWatch Synthetics",
}
# Straight from a service to its topic, without EventBridge: each has a field of its own.
_BY_FIELD = {"Event Source": "RDS", "AutoScalingGroupName": "Auto Scaling"}

_RDS_EVENT = re.compile(r"RDS-EVENT-(\d{4})$")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A piece of news about an undertaking that has a beginning and an end."""

    name: str
    ended: bool


# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html: a backup that ends must not end a failover.
_UNDERTAKINGS = {
    "failover": ("0013 0034 0050 0069 0070 0072 0073", "0015 0049 0051 0065 0071"),
    "stop": ("0004 0087", "0006 0088"),
    "recovery": ("0020 0052", "0021 0053"),
    "replication": ("0045", "0046"),
    "backup": ("0001", "0002"),
    "patches": ("0026", "0027"),
    "upgrade": ("0267 0270", "0268"),
}
_CHAPTERS = {
    number: Chapter(name, ended)
    for name, (begins, ends) in _UNDERTAKINGS.items()
    for numbers, ended in ((begins, False), (ends, True))
    for number in numbers.split()
}


def observer(message: Mapping[str, Any]) -> str:
    """The service of AWS that saw it, by the name that people know it by; a sender of yours by its own."""
    source = text(message.get("source"))
    field = next((name for key, name in _BY_FIELD.items() if key in message), UNNAMED)
    return clip(_OBSERVERS.get(source) or source.removeprefix("aws.") or field, MAX_NAME)


def chapter(detail: Mapping[str, Any]) -> Chapter | None:
    """What an event of RDS begins or ends; None for one that stands alone."""
    found = _RDS_EVENT.search(text(detail.get("EventID")) or text(detail.get("Event ID")))
    return _CHAPTERS.get(found[1]) if found else None
