"""How much of an Auto Scaling group is used: what AWS says of it and what CloudWatch has measured, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runbooks.actions import World
from runbooks.aids.machines import Described, group
from runbooks.aids.sizing import BIN_S, Measured, Series

READS = (
    "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribePolicies", "autoscaling:DescribeScheduledActions",
    "cloudwatch:GetMetricData", "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
)
EC2, ASG, ELB, AGENT = "AWS/EC2", "AWS/AutoScaling", "AWS/ApplicationELB", "CWAgent"
STICKINESS = "stickiness.enabled"
DAY = timedelta(days=1)

Asked = tuple[str, str, Mapping[str, str], str]     # namespace, metric, dimensions, statistic


@dataclass(frozen=True, slots=True)
class Usage:
    """What is known of a group; `peak` is the CPU of its busiest instance in each bin."""

    group: Described
    policies: Sequence[str]
    planned: Sequence[Mapping[str, Any]]
    sticky: bool
    measured: Measured
    peak: Series
    start: datetime
    end: datetime

    @property
    def current(self) -> int:
        return int(self.group["DesiredCapacity"])

    @property
    def average(self) -> float:
        """Instances in service over the whole time."""
        running = self.measured.in_service.values()
        return sum(running) / len(running) if running else float(self.current)

    @property
    def kinds(self) -> list[str]:
        return sorted({each["InstanceType"] for each in self.group["Instances"] if each.get("InstanceType")})


def read(world: World, name: str, days: int) -> Usage:
    """All of it, up to the last whole five minutes."""
    now = world.now.replace(second=0, microsecond=0)
    end = now - timedelta(minutes=now.minute % 5)
    return between(world, name, end - timedelta(days=days), end)


def between(world: World, name: str, start: datetime, end: datetime, balancer: Mapping[str, str] | None = None) -> Usage:
    """The same of whole five minutes long ago; `balancer` is how CloudWatch names what stands before it, when that is known."""
    found = group(world, name)
    arns = found.get("TargetGroupARNs", [])
    series = bins(world, _asked(name, balancer or _balancer(world, arns)), start, end)
    autoscaling = world.aws("autoscaling")
    policies = autoscaling.describe_policies(AutoScalingGroupName=name)["ScalingPolicies"]
    planned = autoscaling.describe_scheduled_actions(AutoScalingGroupName=name)["ScheduledUpdateGroupActions"]
    return Usage(
        found, sorted(each["PolicyName"] for each in policies), planned, any(_sticky(world, arn) for arn in arns),
        _measured(round((end - start) / DAY), len(found["AvailabilityZones"]), series), series["peak"], start, end,
    )


def _measured(days: int, zones: int, series: Mapping[str, Series]) -> Measured:
    return Measured(
        days=days, zones=zones, in_service=series["in_service"], cpu=series["cpu"], memory=series["memory"],
        requests=series["requests"], latency_s=series["latency"], errors=series["errors"], credits=series["credits"],
        surplus=series["surplus"],
    )


def _asked(name: str, balancer: Mapping[str, str]) -> dict[str, Asked]:
    of_group = {"AutoScalingGroupName": name}
    asked: dict[str, Asked] = {
        "cpu": (EC2, "CPUUtilization", of_group, "Average"), "peak": (EC2, "CPUUtilization", of_group, "Maximum"),
        "in_service": (ASG, "GroupInServiceInstances", of_group, "Average"),
        "memory": (AGENT, "mem_used_percent", of_group, "Average"),
        "credits": (EC2, "CPUCreditBalance", of_group, "Average"),
        "surplus": (EC2, "CPUSurplusCreditsCharged", of_group, "Sum"),
    }
    if balancer:
        asked |= {
            "requests": (ELB, "RequestCount", balancer, "Sum"), "latency": (ELB, "TargetResponseTime", balancer, "Average"),
            "errors": (ELB, "HTTPCode_Target_5XX_Count", balancer, "Sum"),
        }
    return asked


def bins(world: World, asked: Mapping[str, Asked], start: datetime, end: datetime) -> dict[str, dict[int, float]]:
    """All of them in one request, page by page."""
    found: dict[str, dict[int, float]] = {id: {} for id in ("requests", "latency", "errors", *asked)}
    pages = world.aws("cloudwatch").get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(id, each) for id, each in asked.items()], StartTime=start, EndTime=end,
        ScanBy="TimestampAscending")
    for page in pages:
        for each in page["MetricDataResults"]:
            bins = (int(at.timestamp()) for at in each["Timestamps"])
            found[each["Id"]].update(zip(bins, each["Values"], strict=True))
    return found


def _query(id: str, asked: Asked) -> dict[str, Any]:
    namespace, metric, dimensions, statistic = asked
    named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    described = {"Namespace": namespace, "MetricName": metric, "Dimensions": named}
    return {"Id": id, "MetricStat": {"Metric": described, "Period": BIN_S, "Stat": statistic}}


def _balancer(world: World, arns: Sequence[str]) -> dict[str, str]:
    """How CloudWatch names the one target group before the group and its load balancer; empty when there is none."""
    if len(arns) != 1:
        return {}
    behind = world.aws("elbv2").describe_target_groups(TargetGroupArns=list(arns))["TargetGroups"][0]["LoadBalancerArns"]
    if not behind:
        return {}
    return {"TargetGroup": arns[0].split(":")[-1], "LoadBalancer": behind[0].split(":loadbalancer/")[-1]}


def _sticky(world: World, arn: str) -> bool:
    found = world.aws("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return any(each["Key"] == STICKINESS and each["Value"] == "true" for each in found)
