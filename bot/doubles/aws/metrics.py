"""What CloudWatch has measured: series of figures, added up over periods as the statistics of CloudWatch do."""

import ast
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat

from bot.doubles.aws.wire import Json, Refusal

Figures = Mapping[datetime, float]
Source = Callable[[datetime], float | None]

STATISTICS: dict[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values), "Sum": math.fsum, "Minimum": min, "Maximum": max,
    "SampleCount": lambda values: float(len(values)),
}
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")
EXPRESSIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda one, two: one + two, ast.Sub: lambda one, two: one - two, ast.Mult: lambda one, two: one * two,
    ast.Div: lambda one, two: one / two if two else math.nan,
}


@dataclass(frozen=True, slots=True)
class Name:
    """Which metric."""

    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, said: Json) -> "Name":
        pairs = frozenset((each["Name"], each["Value"]) for each in said.get("Dimensions", []))
        return cls(said["Namespace"], said["MetricName"], pairs)

    def told(self) -> Json:
        dimensions = [{"Name": name, "Value": value} for name, value in sorted(self.dimensions)]
        return {"Namespace": self.namespace, "MetricName": self.metric, "Dimensions": dimensions}


@dataclass
class Series:
    """The figures of one metric: those that were put, and those that a function tells, one each period."""

    put: list[tuple[datetime, float]] = field(default_factory=list)
    source: Source | None = None
    period_s: int = 60

    def between(self, first: datetime, last: datetime) -> Iterator[tuple[datetime, float]]:
        yield from ((at, value) for at, value in self.put if first <= at < last)
        at = bucket(first, self.period_s)
        while self.source and at < last:
            value = self.source(at) if at >= first else None
            if value is not None:
                yield at, value
            at += timedelta(seconds=self.period_s)

    def added(self, first: datetime, last: datetime, period: int, statistic: str) -> Figures:
        """One figure for each period that has any."""
        found: dict[datetime, list[float]] = defaultdict(list)
        for at, value in self.between(first, last):
            found[bucket(at, period)].append(value)
        return {at: reduced(found[at], statistic) for at in sorted(found)}


def reduced(values: Sequence[float], statistic: str) -> float:
    if statistic in STATISTICS:
        return STATISTICS[statistic](values)
    percentile = PERCENTILE.fullmatch(statistic)
    if percentile is None:
        raise Refusal("ValidationError", f"The value {statistic} for parameter Stat is not supported.")
    place = math.ceil(float(percentile[1]) / 100 * len(values)) - 1
    return sorted(values)[max(0, place)]


def bucket(at: datetime, period: int) -> datetime:
    second = int(at.timestamp()) // period * period
    return datetime.fromtimestamp(second, UTC)


def calculated(expression: str, known: Mapping[str, Figures]) -> Figures:
    """Metric math, as far as + - * / go over the series that it names, at the instants that all of them have."""
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except SyntaxError as error:
        raise Refusal("ValidationError", f"Error in expression: {expression}") from error
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not names or names - set(known):
        raise Refusal("ValidationError", f"Error in expression '{expression}': undefined {sorted(names - set(known))}")
    instants = sorted(set.intersection(*(set(known[name]) for name in names)))
    return {at: _value(tree, {name: known[name][at] for name in names}) for at in instants}


def _value(node: ast.expr, at_that_time: Mapping[str, float]) -> float:
    if isinstance(node, ast.Name):
        return at_that_time[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in EXPRESSIONS:
        return EXPRESSIONS[type(node.op)](_value(node.left, at_that_time), _value(node.right, at_that_time))
    raise Refusal("ValidationError", "The double knows no more of metric math than + - * / and numbers.")


def put(datum: Json, now: datetime) -> list[tuple[datetime, float]]:
    """The figures of one element of PutMetricData."""
    at = datum["Timestamp"].replace(tzinfo=UTC) if "Timestamp" in datum else now
    if "Value" in datum:
        return [(at, float(datum["Value"]))]
    if "StatisticValues" in datum:
        said = datum["StatisticValues"]
        return [(at, said["Sum"] / said["SampleCount"])] * int(said["SampleCount"])
    counts = datum.get("Counts") or [1.0] * len(datum["Values"])
    pairs = zip(datum["Values"], counts, strict=True)
    return [(at, float(value)) for value, count in pairs for _ in repeat(None, int(count))]
