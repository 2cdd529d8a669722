"""CloudWatch: alarms in the state they are told, composite ones as their rule says, metrics from a table, a chart of them."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.doubles.aws.alarm_rules import holds
from bot.doubles.aws.chart import png
from bot.doubles.aws.metrics import Figures, Name, Series, Source, bucket, calculated, put
from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

START = "INSUFFICIENT_DATA"
UNCHECKED = "Unchecked: Initial alarm creation"
LONGEST_WIDGET_S = 3 * 3600


class CloudWatch(Script):
    """Alarms by name; series by namespace, metric and dimensions."""

    service = "cloudwatch"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.series: dict[Name, Series] = defaultdict(Series)
        self.composites: dict[str, Json] = {}
        self.history: list[Json] = []
        self._since: dict[str, datetime] = {}

    # --- what a test or a story tells ---

    def set_alarm(self, name: str, state: str, reason: str = "Threshold Crossed", region: str | None = None) -> None:
        """OK, ALARM or INSUFFICIENT_DATA, from now on."""
        alarm, now = self._moto(region).alarms[name], self.ground.now()
        if alarm.state_value != state:
            self._since[name] = now
            self.history.insert(0, {
                "AlarmName": name, "AlarmType": "MetricAlarm", "Timestamp": now, "HistoryItemType": "StateUpdate",
                "HistorySummary": f"Alarm updated from {alarm.state_value} to {state}", "HistoryData": "{}"})
        alarm.update_state(reason, "{}", state)

    def feed(self, namespace: str, metric: str, dimensions: Mapping[str, str], figures: Sequence[float] | Source,
             period_s: int = 60) -> None:
        """Figures of a metric, one each period: a row of them of which the last is of just now, or a function of time."""
        series = self.series[Name(namespace, metric, frozenset(dimensions.items()))]
        if callable(figures):
            series.source, series.period_s = figures, period_s
            return
        last = bucket(self.ground.now(), period_s) - timedelta(seconds=period_s)
        ago = range(len(figures) - 1, -1, -1)
        series.put = [(last - timedelta(seconds=n * period_s), value) for n, value in zip(ago, figures, strict=True)]

    # --- alarms ---

    @answers("PutMetricAlarm")
    def put_alarm(self, call: Call, onward: Onward) -> Json:
        """A new one has no data yet; one that was there keeps its state."""
        name = call.params["AlarmName"]
        old = self._moto(call.region).alarms.get(name)
        answer, alarm = onward(), self._moto(call.region).alarms[name]
        if old is None:
            alarm.update_state(UNCHECKED, "{}", START)
            self._since[name] = self.ground.now()
        else:
            alarm.update_state(old.state_reason, old.state_reason_data, old.state_value)
        return answer

    @answers("PutCompositeAlarm")
    def put_composite(self, call: Call, onward: Onward) -> Json:
        asked, now = call.params, self.ground.now()
        name = asked["AlarmName"]
        holds(asked["AlarmRule"], self._state)
        self.composites[name] = {"ActionsEnabled": True, "AlarmActions": [], "OKActions": [], "InsufficientDataActions": []} | {
            key: value for key, value in asked.items() if key != "Tags"
        } | {"AlarmArn": self.ground.arn("cloudwatch", f"alarm:{name}"), "AlarmConfigurationUpdatedTimestamp": now}
        return {}

    @answers("SetAlarmState")
    def set_state(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        if asked["AlarmName"] not in self._moto(call.region).alarms:
            raise Refusal("ResourceNotFound", f"Alarm {asked['AlarmName']} does not exist", 404)
        self.set_alarm(asked["AlarmName"], asked["StateValue"], asked["StateReason"], call.region)
        return {}

    @answers("DescribeAlarms")
    def describe(self, call: Call, onward: Onward) -> Json:
        """Composite alarms are told only to who asks for them."""
        asked = call.params
        kinds, wanted = asked.get("AlarmTypes", ["MetricAlarm"]), asked.get("StateValue")
        metric = [each | self._times(each["AlarmName"]) for each in onward().get("MetricAlarms", [])]
        composite = [each for each in map(self._composite, self._named(asked)) if wanted in (None, each["StateValue"])]
        return {"MetricAlarms": metric if "MetricAlarm" in kinds else [],
                "CompositeAlarms": composite if "CompositeAlarm" in kinds else []}

    def _named(self, asked: Json) -> Iterator[str]:
        names, prefix = asked.get("AlarmNames"), asked.get("AlarmNamePrefix", "")
        yield from (each for each in self.composites if (names is None or each in names) and each.startswith(prefix))

    def _composite(self, name: str) -> Json:
        state, said = self._state(name), self.composites[name]
        return said | self._times(name) | {"StateValue": state, "StateReason": f"{said['AlarmRule']} is {state}"}

    def _times(self, name: str) -> Json:
        at = self._since.get(name, self.ground.now())
        return {"StateUpdatedTimestamp": at, "StateTransitionedTimestamp": at}

    def _state(self, name: str) -> str:
        if name in self.composites:
            return "ALARM" if holds(self.composites[name]["AlarmRule"], self._state) else "OK"
        alarm = self._moto().alarms.get(name)
        return str(alarm.state_value) if alarm else START

    def settle(self) -> None:
        """A composite alarm changes when its children do."""
        for name, said in self.composites.items():
            state = self._state(name)
            if said.get("StateValue") != state:
                said["StateValue"], self._since[name] = state, self.ground.now()

    @answers("DeleteAlarms")
    def delete(self, call: Call, onward: Onward) -> Json:
        for name in call.params["AlarmNames"]:
            self.composites.pop(name, None)
        return onward()

    @answers("DescribeAlarmHistory")
    def describe_history(self, call: Call, onward: Onward) -> Json:
        asked = call.params.get("AlarmName")
        return {"AlarmHistoryItems": [each for each in self.history if asked in (None, each["AlarmName"])]}

    # --- metrics ---

    @answers("PutMetricData")
    def put_data(self, call: Call, onward: Onward) -> Json:
        for datum in call.params.get("MetricData", []):
            name = Name.of({"Namespace": call.params["Namespace"], **datum})
            self.series[name].put += put(datum, self.ground.now())
        return {}

    @answers("ListMetrics")
    def list_metrics(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        wanted = {(each["Name"], each["Value"]) for each in asked.get("Dimensions", []) if "Value" in each}
        return {"Metrics": [
            name.told() for name in self.series
            if asked.get("Namespace", name.namespace) == name.namespace and wanted <= name.dimensions
            and asked.get("MetricName", name.metric) == name.metric
        ]}

    @answers("GetMetricData")
    def get_data(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        first, last = _aware(asked["StartTime"]), _aware(asked["EndTime"])
        if first >= last:
            raise Refusal("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
        known: dict[str, Figures] = {}
        for query in sorted(asked["MetricDataQueries"], key=lambda each: "Expression" in each):
            known[query["Id"]] = self._figures(query, first, last, known)
        results = [self._result(each, known[each["Id"]], asked.get("ScanBy", "TimestampDescending"))
                   for each in asked["MetricDataQueries"] if each.get("ReturnData", True)]
        return {"MetricDataResults": results, "Messages": []}

    def _figures(self, query: Json, first: datetime, last: datetime, known: Mapping[str, Figures]) -> Figures:
        if "Expression" in query:
            return calculated(query["Expression"], known)
        stat = query["MetricStat"]
        series = self.series.get(Name.of(stat["Metric"]), Series())
        return series.added(first, last, stat["Period"], stat["Stat"])

    def _result(self, query: Json, figures: Figures, order: str) -> Json:
        at = sorted(figures, reverse=order == "TimestampDescending")
        label = query.get("Label") or query.get("MetricStat", {}).get("Metric", {}).get("MetricName") or query["Id"]
        values = [figures[each] for each in at]
        return {"Id": query["Id"], "Label": label, "Timestamps": at, "Values": values, "StatusCode": "Complete"}

    @answers("GetMetricStatistics")
    def get_statistics(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        series = self.series.get(Name.of(asked), Series())
        points: dict[datetime, Json] = defaultdict(dict)
        span = _aware(asked["StartTime"]), _aware(asked["EndTime"]), asked["Period"]
        for statistic in asked.get("Statistics", []):
            for at, value in series.added(*span, statistic).items():
                points[at][statistic] = value
        for statistic in asked.get("ExtendedStatistics", []):
            for at, value in series.added(*span, statistic).items():
                points[at].setdefault("ExtendedStatistics", {})[statistic] = value
        told = [{"Timestamp": at, "Unit": asked.get("Unit", "None"), **said} for at, said in points.items()]
        return {"Label": asked["MetricName"], "Datapoints": told}

    @answers("GetMetricWidgetImage")
    def picture(self, call: Call, onward: Onward) -> Json:
        widget = json.loads(call.params["MetricWidget"])
        now, lines = self.ground.now(), []
        for metric in widget.get("metrics", []):
            *named, options = metric if isinstance(metric[-1], dict) else [*metric, {}]
            namespace, name, *pairs = named
            series = self.series.get(Name(namespace, name, frozenset(zip(pairs[::2], pairs[1::2], strict=True))), Series())
            statistic = options.get("stat", widget.get("stat", "Average"))
            figures = series.added(now - _back(widget.get("start")), now, widget.get("period", 300), statistic)
            lines.append([(at.timestamp(), value) for at, value in figures.items()])
        limits = [each["value"] for each in widget.get("annotations", {}).get("horizontal", [])]
        return {"MetricWidgetImage": png(lines, int(widget.get("width", 600)), int(widget.get("height", 400)), limits)}

    def _moto(self, region: str | None = None) -> Any:
        return self.ground.resources.backend("cloudwatch", region or self.ground.region)


def _aware(given: datetime) -> datetime:
    """Parameters come without a zone, in UTC."""
    return given.replace(tzinfo=UTC)


def _back(start: str | None) -> timedelta:
    """-PT3H, -PT15M, -P1D; anything else is three hours."""
    units = {"M": 60, "H": 3600, "D": 86_400}
    number, unit = (start or "").lstrip("-PT")[:-1], (start or " ")[-1]
    return timedelta(seconds=int(number) * units[unit] if number.isdigit() and unit in units else LONGEST_WIDGET_S)
