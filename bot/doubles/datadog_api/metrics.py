"""Metrics: a table of series that is set from Python, asked through v1 query, v2 timeseries and v2 scalar."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.doubles.datadog_api.wire import BAD_REQUEST, EPOCH, Call, Operation, Refusal, Reply, millis
from bot.ports import Clock

Value = float | Sequence[tuple[datetime, float | None]] | Callable[[datetime], float | None]
Point = tuple[int, float | None]        # milliseconds, value

STEP_S = 20
MOST_POINTS = 1500
UNREADABLE = "Error parsing query: unable to parse {query}: Rule 'scope_expr' didn't match"
NO_FORMULAS = "this double computes no formulas: {formula!r} is not the name of a query"
UNKNOWN_AGGREGATOR = "aggregator {name!r} is not known"
JSON_API = "application/vnd.api+json"

_QUERY = re.compile(r"(?:(?P<aggregation>\w+):)?(?P<metric>[\w.]+)\{(?P<scope>[^}]*)\}(?:\s*by\s*\{(?P<by>[^}]*)\})?")

AGGREGATORS: dict[str, Callable[[list[float]], float]] = {
    "avg": lambda values: sum(values) / len(values), "min": min, "max": max, "sum": sum, "last": lambda values: values[-1],
}


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: a number, a function of time, or its points."""

    value: Value
    tags: tuple[str, ...]
    step_s: int

    def points(self, begin: datetime, end: datetime) -> list[Point]:
        if not isinstance(self.value, int | float) and not callable(self.value):
            return [(millis(at), value) for at, value in self.value if begin <= at <= end]
        return [(millis(at), self.value(at) if callable(self.value) else self.value) for at in self.steps(begin, end)]

    def steps(self, begin: datetime, end: datetime) -> Iterator[datetime]:
        step = max(self.step_s, int((end - begin).total_seconds() / MOST_POINTS))
        at = EPOCH + timedelta(seconds=-(-int(begin.timestamp()) // step) * step)
        while at <= end:
            yield at
            at += timedelta(seconds=step)


class Metrics:
    """What each query shows; a query that was never set shows nothing, as Datadog does for an unknown metric."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.table: dict[str, list[Series]] = {}

    def set(self, query: str, value: Value, *, tags: Sequence[str] = (), step_s: int = STEP_S) -> None:
        """What this query shows from now on; one line for each set of group tags."""
        lines = [each for each in self.table.get(_same(query), []) if each.tags != tuple(tags)]
        self.table[_same(query)] = [*lines, Series(value, tuple(tags), step_s)]

    def forget(self, query: str) -> None:
        self.table.pop(_same(query), None)

    def operations(self) -> list[Operation]:
        return [
            Operation("query_metrics", "GET", "/api/v1/query", self.query),
            Operation("query_timeseries_data", "POST", "/api/v2/query/timeseries", self.timeseries),
            Operation("query_scalar_data", "POST", "/api/v2/query/scalar", self.scalar),
        ]

    def lines(self, query: Any, begin: datetime, end: datetime) -> list[tuple[Series, list[Point]]]:
        """The lines that have a point; none of them knows the future."""
        if not isinstance(query, str) or not _QUERY.search(query):
            raise Refusal(400, UNREADABLE.format(query=query))
        until = min(end, self.clock.now())
        found = ((each, each.points(begin, until)) for each in self.table.get(_same(query), []))
        return [(each, points) for each, points in found if points]

    def query(self, call: Call) -> Reply:
        begin, end = (datetime.fromtimestamp(call.number(name, -1, 0, 10**11), UTC) for name in ("from", "to"))
        text = call.query.get("query", "")
        lines = self.lines(text, begin, end)
        by = (_QUERY.search(text) or {"by": ""})["by"] or ""
        return Reply({
            "status": "ok", "res_type": "time_series", "resp_version": 1, "message": "", "query": text,
            "from_date": millis(begin), "to_date": millis(end), "group_by": [word for word in by.split(",") if word],
            "series": [_shown(text, each, points) for each, points in lines],
        })

    def timeseries(self, call: Call) -> Reply:
        given = call.attributes("timeseries_request")
        asked = [(number, line) for number, line in enumerate(self.asked(given))]
        lines = [(number, each, dict(points)) for number, found in asked for each, points in found]
        times = sorted({at for _, _, points in lines for at in points})
        series = [{"group_tags": list(each.tags), "query_index": number, "unit": None} for number, each, _ in lines]
        values = [[points.get(at) for at in times] for _, _, points in lines]
        shown = {"series": series, "times": times, "values": values}
        return Reply({"data": {"id": "0", "type": "timeseries_response", "attributes": shown}}, media=JSON_API)

    def scalar(self, call: Call) -> Reply:
        given = call.attributes("scalar_request")
        columns: list[dict[str, Any]] = []
        for query, lines in zip(given["queries"], self.asked(given), strict=True):
            names = sorted({tag.partition(":")[0] for each, _ in lines for tag in each.tags})
            if not columns:
                columns = [{"name": name, "type": "group", "values": [_tag(each, name) for each, _ in lines]} for name in names]
            reduced = [_reduced(points, query.get("aggregator", "avg")) for _, points in lines]
            columns.append({"name": query["name"], "type": "number", "values": reduced, "meta": {"unit": None}})
        return Reply({"data": {"id": "0", "type": "scalar_response", "attributes": {"columns": columns}}}, media=JSON_API)

    def asked(self, given: dict[str, Any]) -> list[list[tuple[Series, list[Point]]]]:
        """The lines of each query, in their order."""
        begin, end, queries = given.get("from"), given.get("to"), given.get("queries")
        if not isinstance(begin, int) or not isinstance(end, int) or not isinstance(queries, list):
            raise Refusal(400, BAD_REQUEST)
        names = {query.get("name") for query in queries if isinstance(query, dict) and query.get("data_source") == "metrics"}
        if len(names) != len(queries):
            raise Refusal(400, BAD_REQUEST)
        for each in given.get("formulas") or []:
            if each.get("formula") not in names:
                raise Refusal(400, NO_FORMULAS.format(formula=each.get("formula")))
        period = (EPOCH + timedelta(milliseconds=begin), EPOCH + timedelta(milliseconds=end))
        return [self.lines(query.get("query"), *period) for query in queries]


def _same(query: str) -> str:
    return re.sub(r"\s+", " ", query.strip())


def _shown(query: str, series: Series, points: list[Point]) -> dict[str, Any]:
    found = _QUERY.search(query)
    name = found["metric"] if found else query
    return {
        "metric": name, "display_name": name, "expression": query, "aggr": found["aggregation"] if found else None,
        "scope": ",".join(series.tags) or (found["scope"] if found else "*"), "tag_set": list(series.tags),
        "interval": series.step_s, "length": len(points), "start": points[0][0],
        "end": points[-1][0] + series.step_s * 1000 - 1, "pointlist": [[float(at), value] for at, value in points],
        "query_index": 0, "attributes": {}, "unit": [None, None],
    }


def _reduced(points: list[Point], aggregator: str) -> float | None:
    if aggregator not in AGGREGATORS:
        raise Refusal(400, UNKNOWN_AGGREGATOR.format(name=aggregator))
    values = [value for _, value in points if value is not None]
    return AGGREGATORS[aggregator](values) if values else None


def _tag(series: Series, name: str) -> list[str]:
    return [tag.partition(":")[2] for tag in series.tags if tag.partition(":")[0] == name]
