"""What the demo's platform measures when it is well, and the alarms that watch it."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DAY_S = 86_400

Reading = Callable[[datetime], float]
ELB, ECS, RDS, SQS, EC2 = "AWS/ApplicationELB", "AWS/ECS", "AWS/RDS", "AWS/SQS", "AWS/EC2"
QUEUE, DATABASE = {"QueueName": "batch-jobs"}, {"DBInstanceIdentifier": "pay-db"}
CLUSTER = {"AutoScalingGroupName": "cluster"}

PAY_API_UNWELL = 'ALARM("pay-api-5xx") OR ALARM("pay-api-unhealthy-hosts") OR ALARM("pay-api-latency-p95")'


@dataclass(frozen=True, slots=True)
class Watched:
    """An alarm; a dimension whose value is empty is filled in when the platform is laid out."""

    name: str
    namespace: str
    metric: str
    statistic: str
    threshold: float
    dimensions: Mapping[str, str]
    below: bool = False

    def asked(self, known: Mapping[str, str]) -> dict[str, Any]:
        """For PutMetricAlarm."""
        way = "LessThanThreshold" if self.below else "GreaterThanThreshold"
        kind = "ExtendedStatistic" if self.statistic.startswith("p") else "Statistic"
        return {
            "AlarmName": self.name, "Namespace": self.namespace, "MetricName": self.metric, kind: self.statistic, "Period": 60,
            "EvaluationPeriods": 1, "Threshold": self.threshold, "ComparisonOperator": way,
            "Dimensions": [{"Name": name, "Value": value or known[name]} for name, value in self.dimensions.items()],
        }


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric as it is when all is well."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    reading: Reading
    period_s: int = 60


BEHIND, IN_FRONT, AT_THE_EDGE = {"TargetGroup": "", "LoadBalancer": ""}, {"LoadBalancer": ""}, {"DistributionId": ""}
ALARMS = (
    Watched("pay-api-unhealthy-hosts", ELB, "UnHealthyHostCount", "Maximum", 0, BEHIND),
    Watched("pay-api-5xx", ELB, "HTTPCode_Target_5XX_Count", "Sum", 50, IN_FRONT),
    Watched("pay-api-latency-p95", ELB, "TargetResponseTime", "p95", 0.8, IN_FRONT),
    Watched("pay-db-connections", RDS, "DatabaseConnections", "Maximum", 900, DATABASE),
    Watched("pay-db-cpu", RDS, "CPUUtilization", "Average", 90, DATABASE),
    Watched("pay-db-free-storage", RDS, "FreeStorageSpace", "Minimum", 10 * 1024 ** 3, DATABASE, below=True),
    Watched("batch-worker-queue-age", SQS, "ApproximateAgeOfOldestMessage", "Maximum", 600, QUEUE),
    Watched("ledger-running-tasks", ECS, "RunningTaskCount", "Minimum", 2,
            {"ClusterName": "payments", "ServiceName": "ledger"}, below=True),
    Watched("bank-sync-errors", "Bridge/BankSync", "Errors", "Sum", 20, {"service": "bank-sync"}),
    Watched("edge-requests", "AWS/CloudFront", "Requests", "Sum", 60_000, AT_THE_EDGE),
    Watched("edge-4xx-rate", "AWS/CloudFront", "4xxErrorRate", "Average", 8, AT_THE_EDGE),
    Watched("cluster-cpu", EC2, "CPUUtilization", "Average", 80, CLUSTER),
)


def day(mean: float, swing: float = 0.0) -> Reading:
    """Higher by day than at night, with a little unrest that is the same whenever it is read."""

    def reading(at: datetime) -> float:
        second = at.timestamp()
        unrest = math.sin(second / 97) * math.sin(second / 331)
        return max(0.0, mean + swing * (math.sin(2 * math.pi * (second % DAY_S) / DAY_S - math.pi / 2) + 0.15 * unrest))

    return reading


def gauges(known: Mapping[str, str]) -> Iterator[Gauge]:
    """All that is well, with the dimensions that the platform has been given."""
    front = {"LoadBalancer": known["LoadBalancer"]}
    behind, edge = {"TargetGroup": known["TargetGroup"], **front}, {"DistributionId": known["DistributionId"]}
    for dimensions in (front, behind):
        yield Gauge(ELB, "RequestCount", dimensions, day(1800, 900))
        yield Gauge(ELB, "TargetResponseTime", dimensions, day(0.18, 0.05))
        yield Gauge(ELB, "HTTPCode_Target_5XX_Count", dimensions, day(1.5, 1))
    yield Gauge(ELB, "UnHealthyHostCount", behind, day(0))
    yield Gauge(ELB, "HealthyHostCount", behind, day(4))
    yield Gauge(RDS, "DatabaseConnections", DATABASE, day(220, 60))
    yield Gauge(RDS, "CPUUtilization", DATABASE, day(31, 9))
    yield Gauge(RDS, "FreeStorageSpace", DATABASE, day(46 * 1024 ** 3))
    yield Gauge(SQS, "ApproximateAgeOfOldestMessage", QUEUE, day(12, 5))
    yield Gauge(SQS, "ApproximateNumberOfMessagesVisible", QUEUE, day(40, 20))
    yield Gauge(ECS, "RunningTaskCount", {"ClusterName": "payments", "ServiceName": "ledger"}, day(2))
    yield Gauge("Bridge/BankSync", "Errors", {"service": "bank-sync"}, day(2, 1))
    yield Gauge("AWS/CloudFront", "Requests", edge, day(21_000, 9_000))
    yield Gauge("AWS/CloudFront", "4xxErrorRate", edge, day(1.1, 0.3))
    yield from _cluster()


def _cluster() -> Iterator[Gauge]:
    """Eighteen machines that could be two: one figure every five minutes, for its weeks are read at once."""
    yield Gauge(EC2, "CPUUtilization", CLUSTER, day(2.6, 1.1), 300)
    yield Gauge("AWS/AutoScaling", "GroupInServiceInstances", CLUSTER, day(18), 300)
    yield Gauge("CWAgent", "mem_used_percent", CLUSTER, day(4.2, 0.4), 300)
