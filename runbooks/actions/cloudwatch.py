"""Amazon CloudWatch: the state of an alarm, the figures of a metric, a chart of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from statistics import fmean
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from botocore.exceptions import ClientError
from pydantic import Field

from runbooks.actions import MOST_SAID, Action, Attachment, Failed, Look, Outcome, Params, Service, State, World
from runbooks.faults import told

NO_ALARM = "there is no alarm {alarm}: nobody watches"
NO_CHART = "CloudWatch draws no chart of {metric} ({why})"

READ_ALARM = "would read the state of the alarm {alarm}"
READ = "would read {statistic} of {metric} of the last {minutes} minutes"
DRAW = "would draw {statistic} of {metric} of the last {minutes} minutes"

ALARM_IS, BECAUSE = "{alarm} is {state} since {since:%H:%M} UTC", ": {why}"      # that of OK reads like a fault
NO_DATA = "no data of {metric} in the last {minutes} minutes"
TOO_FEW = "{count} of at least {at_least} figures of {metric} in the last {minutes} minutes"
FIGURES = "{statistic} of {metric}: last {last}, from {lowest} to {highest} in {minutes} minutes"
OF_AVERAGES = "{statistic} of the averages of every {period} s (CloudWatch has none of its own) of {metric}: {last}"
DRAWN = "chart of {metric}"
ALT = "Chart. {said}"

Numbers = list[float]


class InRegion(Params):
    region: str | None = Field(
        None, description="Where it is kept, if not with the rest: us-east-1 for CloudFront", pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")


class OfAlarm(InRegion):
    alarm: str = Field(description="Name of the alarm, a composite one too", min_length=1, max_length=255)
    expect: Literal["OK", "ALARM"] = Field("OK", description="The state in which it must be; no data is neither")


class OfMetric(InRegion):
    """A series of figures."""

    namespace: str = Field(description="AWS/ApplicationELB", min_length=1, max_length=255)
    metric: str = Field(description="TargetResponseTime", min_length=1, max_length=255)
    dimensions: Mapping[str, str] = Field(
        default_factory=dict, description="Which one: {LoadBalancer: app/pay-api/50dc}", max_length=30)
    statistic: Annotated[str, Field(pattern=r"^(Average|Sum|Minimum|Maximum|SampleCount|p\d{1,2}(\.\d{1,2})?)$")] = Field(
        "Average", description="Average, Sum, Minimum, Maximum, SampleCount, or a percentile: p95")
    period: int = Field(60, description="Seconds that one figure stands for", ge=60, le=86400, multiple_of=60)
    minutes: int = Field(15, description="How far back", ge=1, le=7 * 24 * 60)


class Expected(OfMetric):
    below: float | None = Field(None, description="Every figure must be below this")
    above: float | None = Field(None, description="Every figure must be above this")
    at_least: int = Field(1, description="So many figures must be there", ge=1, le=1000)


class Drawn(OfMetric):
    title: str = Field("", description="What stands above the chart", max_length=200)


M = TypeVar("M", bound=OfMetric)


def _figures(world: World, params: OfMetric, statistic: str) -> Numbers:
    """The figures of the time asked for, oldest first."""
    dimensions = [{"Name": name, "Value": value} for name, value in params.dimensions.items()]
    metric = {"Namespace": params.namespace, "MetricName": params.metric, "Dimensions": dimensions}
    query = {"Id": "asked", "MetricStat": {"Metric": metric, "Period": params.period, "Stat": statistic}}
    pages = world.aws("cloudwatch", params.region).get_paginator("get_metric_data").paginate(
        MetricDataQueries=[query], StartTime=world.now - timedelta(minutes=params.minutes), EndTime=world.now,
        ScanBy="TimestampAscending")
    return [value for page in pages for found in page["MetricDataResults"] for value in found["Values"]]


def _percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    return sorted(values)[max(0, ceil(percent / 100 * len(values)) - 1)]


def _read(world: World, params: OfMetric) -> tuple[Numbers, bool]:
    """The figures, and whether they are ours: where CloudWatch has no percentile, that of its averages, as one figure."""
    if not params.statistic.startswith("p"):
        return _figures(world, params, params.statistic), False
    try:
        if figures := _figures(world, params, params.statistic):
            return figures, False
    except ClientError as error:
        meaning = told(error)
        if isinstance(meaning, Failed) and meaning.again:
            raise
    averages = _figures(world, params, "Average")
    return [_percentile(averages, float(params.statistic[1:]))] if averages else [], True


def _said(params: OfMetric, figures: Numbers, ours: bool) -> str:
    if not figures:
        return NO_DATA.format(metric=params.metric, minutes=params.minutes)
    known, shown = (OF_AVERAGES if ours else FIGURES), {"last": figures[-1], "lowest": min(figures), "highest": max(figures)}
    return known.format(statistic=params.statistic, metric=params.metric, period=params.period, minutes=params.minutes,
                        **{name: _plain(each) for name, each in shown.items()})


def _plain(figure: float) -> str:
    """As people read it: 1,157 or 7.15, nothing behind the third digit that means something."""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


class AlarmState(Action[OfAlarm]):
    """See in which state an alarm is."""

    name = "aws.cloudwatch.alarm_state"
    params = OfAlarm
    example: ClassVar[State] = {"alarm": "pay-api-5xx", "expect": "OK"}
    verified = "the alarm is in the expected state; INSUFFICIENT_DATA is not OK"
    reads = ("cloudwatch:DescribeAlarms",)
    poll_s = 15.0

    def target(self, params: OfAlarm) -> str:
        return f"cloudwatch:{params.alarm}"

    def plan(self, params: OfAlarm, before: State) -> str:
        return READ_ALARM.format(alarm=params.alarm)

    def act(self, world: World, params: OfAlarm, before: State) -> Outcome:
        look = self.look(world, params, before, {})
        return Outcome(look.said, look.outputs)

    def look(self, world: World, params: OfAlarm, before: State, outputs: State) -> Look:
        found = self._alarm(world, params)
        state, since = found["StateValue"], found.get("StateTransitionedTimestamp") or found["StateUpdatedTimestamp"]
        why = BECAUSE.format(why=found["StateReason"]) if state != "OK" and found.get("StateReason") else ""
        said = (ALARM_IS.format(alarm=params.alarm, state=state, since=since) + why)[:MOST_SAID]
        seen = {"state": state, "since": since.isoformat(), "actions_enabled": found.get("ActionsEnabled", True)}
        return Look("done" if state == params.expect else "under way", said, seen)

    def _alarm(self, world: World, params: OfAlarm) -> Any:
        said = world.aws("cloudwatch", params.region).describe_alarms(
            AlarmNames=[params.alarm], AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"])
        found = [each for kind in ("MetricAlarms", "CompositeAlarms", "LogAlarms") for each in said.get(kind, [])]
        if not found:
            raise Failed(NO_ALARM.format(alarm=params.alarm))
        return found[0]


class _OnMetric(Action[M]):
    """What both share: the metric they are about."""

    def target(self, params: M) -> str:
        which = ",".join(f"{name}={value}" for name, value in sorted(params.dimensions.items()))
        return f"cloudwatch:{params.namespace}/{params.metric}" + (f"[{which}]" if which else "")


class ReadMetric(_OnMetric[Expected]):
    """Read the figures of a metric, and see whether they are as they should be."""

    name = "aws.cloudwatch.read_metric"
    params = Expected
    example: ClassVar[State] = {
        "namespace": "AWS/ApplicationELB", "metric": "TargetResponseTime", "dimensions": {"LoadBalancer": "app/pay-api/50dc6c49"},
        "statistic": "p95", "minutes": 10, "below": 0.5}
    verified = "there are enough figures, and each is below or above what was asked; no data is not enough"
    reads = ("cloudwatch:GetMetricData",)
    poll_s = 30.0

    def plan(self, params: Expected, before: State) -> str:
        return READ.format(statistic=params.statistic, metric=params.metric, minutes=params.minutes)

    def act(self, world: World, params: Expected, before: State) -> Outcome:
        look = self.look(world, params, before, {})
        return Outcome(look.said, look.outputs)

    def look(self, world: World, params: Expected, before: State, outputs: State) -> Look:
        figures, ours = _read(world, params)
        seen: dict[str, Any] = {"count": len(figures)}
        if figures:
            seen |= {"last": figures[-1], "lowest": min(figures), "highest": max(figures), "mean": fmean(figures)}
        if 0 < len(figures) < params.at_least:
            said = TOO_FEW.format(count=len(figures), at_least=params.at_least, metric=params.metric, minutes=params.minutes)
            return Look("under way", said, seen)
        return Look("done" if self._as_expected(params, figures) else "under way", _said(params, figures, ours), seen)

    def _as_expected(self, params: Expected, figures: Numbers) -> bool:
        low = params.above is None or all(each > params.above for each in figures)
        high = params.below is None or all(each < params.below for each in figures)
        return bool(figures) and low and high


class Chart(_OnMetric[Drawn]):
    """Draw a chart of a metric into the run's thread."""

    name = "aws.cloudwatch.chart"
    params = Drawn
    example: ClassVar[State] = {
        "namespace": "AWS/RDS", "metric": "DatabaseConnections", "dimensions": {"DBInstanceIdentifier": "pay-db"}}
    verified = "the picture is there"
    reads = ("cloudwatch:GetMetricWidgetImage", "cloudwatch:GetMetricData")

    def plan(self, params: Drawn, before: State) -> str:
        return DRAW.format(statistic=params.statistic, metric=params.metric, minutes=params.minutes)

    def act(self, world: World, params: Drawn, before: State) -> Outcome:
        figures, ours = _read(world, params)
        said, drawn = _said(params, figures, ours), DRAWN.format(metric=params.metric)
        picture = Attachment(f"{params.metric}.png", self._picture(world, params), ALT.format(said=said))
        return Outcome(f"{drawn}. {said}", {"chart": picture.name}, files=(picture,))

    def look(self, world: World, params: Drawn, before: State, outputs: State) -> Look:
        return Look("done", DRAWN.format(metric=params.metric))

    def _picture(self, world: World, params: Drawn) -> bytes:
        try:
            said = world.aws("cloudwatch", params.region).get_metric_widget_image(
                MetricWidget=_widget(world, params), OutputFormat="png")
        except ClientError as error:
            meaning = told(error)
            again = isinstance(meaning, Failed) and meaning.again
            raise Failed(NO_CHART.format(metric=params.metric, why=meaning), again) from error
        return bytes(said["MetricWidgetImage"])


def _widget(world: World, params: Drawn) -> str:
    named = [part for pair in params.dimensions.items() for part in pair]
    return json.dumps({
        "metrics": [[params.namespace, params.metric, *named, {"stat": params.statistic}]], "period": params.period,
        "title": params.title or params.metric, "width": 800, "height": 300, "timezone": "+0000",
        "start": f"-PT{params.minutes}M", "end": "PT0H", "region": params.region or world.place.region})


SERVICE = Service("aws.cloudwatch", (AlarmState(), ReadMetric(), Chart()))
