"""What a runbook can see in Datadog: the state of a monitor, a metric, the logs. Nothing here changes anything."""

from datetime import timedelta
from typing import ClassVar, Literal, TypeVar

from pydantic import Field, model_validator

from runbooks.actions import Action, Look, Outcome, Params, State, World
from runbooks.aids import datadog_api
from runbooks.aids.datadog_api import Line, Monitor

WHICH = "say which monitor: its number as `monitor`, or its `name`, or `tags`"
ONLY_ONE = "`monitor` already says which one: leave out `name` and `tags`"
NO_BOUND = "say what you expect: `below`, `above`, or both"
NO_COUNT = "say what you expect: `at_most` or `at_least`; `at_least: 0` only collects lines"
CROSSED = "`above` must be less than `below`, or nothing lies between them"
CROSSED_COUNTS = "`at_least` must not be more than `at_most`"

READ_STATE = "would read the state of {which} in Datadog of {organisation}"
READ_METRIC = "would read {query} of the last {minutes} minutes in Datadog of {organisation}"
READ_LOGS = "would search the logs of the last {minutes} minutes in Datadog of {organisation} for {query}"
STATE_IS = "\"{name}\" is {state}"
GROUPS_ARE = " ({groups})"
NO_GROUP = "no data: it shows no group {group}"
NO_DATA = "no data: nothing was measured for {query} in the last {minutes} minutes"
MEASURED = "{reduce} of {query} is {values}; expected {bounds}"
COUNTED = "{count} lines match {query} in the last {minutes} minutes; expected {bounds}"
NOT_WHOLE = "Datadog gave up the search for {query} before it had seen everything: that proves nothing"

MOST_LISTED = 5
ENOUGH = 100        # lines are asked for anyway, so that their number is told as it is
OK, NO_DATA_STATE = "OK", "No Data"


class OfAccount(Params):
    """Whose Datadog."""

    organisation: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$", description="Whose Datadog is asked: bridge, padok")


A = TypeVar("A", bound=OfAccount)


class InDatadog(Action[A]):
    """What all of them share."""

    poll_s = 15.0

    def what(self, params: A) -> str:
        raise NotImplementedError

    def target(self, params: A) -> str:
        return f"datadog:{params.organisation}/{self.what(params)}"


class Reading(InDatadog[A]):
    """What only reads: acting is looking once."""

    def act(self, world: World, params: A, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)


# --- monitors --------------------------------------------------------------------------------------------------------


class Watched(OfAccount):
    """Which monitors, and how they should be."""

    monitor: int | None = Field(None, ge=1, description="The monitor's number")
    name: str | None = Field(None, min_length=1, description="Or its exact name")
    tags: tuple[str, ...] = Field((), description="Or its tags, all of them: service:pay-api, probe:bridge-1")
    group: str | None = Field(None, description="Only this group of it: host:i-0a1")
    expect: Literal["OK", "Warn", "Alert", "No Data"] = Field("OK", description="The state that it must have")

    @model_validator(mode="after")
    def _which(self) -> "Watched":
        if self.monitor is None and not self.name and not self.tags:
            raise ValueError(WHICH)
        if self.monitor is not None and (self.name or self.tags):
            raise ValueError(ONLY_ONE)
        return self

    @property
    def which(self) -> str:
        return str(self.monitor) if self.monitor is not None else ",".join([*([self.name] if self.name else []), *self.tags])


class MonitorState(Reading[Watched]):
    """See whether a monitor, and each of its groups, is OK"""

    name = "datadog.monitor_state"
    params = Watched
    example: ClassVar[State] = {"organisation": "padok", "name": "pay-api answers with errors"}
    verified = "the monitor is in the expected state; No Data is not OK"

    def what(self, params: Watched) -> str:
        return f"monitor:{params.which}"

    def plan(self, params: Watched, before: State) -> str:
        return READ_STATE.format(which=params.which, organisation=params.organisation)

    def look(self, world: World, params: Watched, before: State, outputs: State) -> Look:
        client = world.datadog(params.organisation)
        found = ([datadog_api.monitor(client, params.monitor)] if params.monitor is not None
                 else datadog_api.monitors(client, params.name, params.tags))
        states = [_state(each, params) for each in found]
        said = "; ".join(_told(each, params) for each in found[:MOST_LISTED])
        as_expected = all(state == params.expect for state in states)
        worst = next((state for state in states if state != params.expect), params.expect)
        return Look("done" if as_expected else "under way", said, {"state": worst, "monitors": len(found)})


def _state(monitor: Monitor, params: Watched) -> str:
    """Of the group that is asked for; otherwise OK only when no group says anything else."""
    if params.group is not None:
        return monitor.groups.get(params.group, NO_DATA_STATE)
    if monitor.state != OK:
        return monitor.state
    return next((state for state in monitor.groups.values() if state != OK), OK)


def _told(monitor: Monitor, params: Watched) -> str:
    if params.group is not None:
        state = monitor.groups.get(params.group) or NO_GROUP.format(group=params.group)
        return STATE_IS.format(name=f"{monitor.name} ({params.group})", state=state)
    wrong = [f"{name} {state}" for name, state in monitor.groups.items() if state != params.expect][:MOST_LISTED]
    return STATE_IS.format(name=monitor.name, state=monitor.state) + (GROUPS_ARE.format(groups=", ".join(wrong)) if wrong else "")


# --- metrics ---------------------------------------------------------------------------------------------------------


class Measured(OfAccount):
    """Which metric, and where its value should lie."""

    query: str = Field(min_length=3, max_length=1000, description="As in a chart: avg:http.response_time{service:pay-api}")
    minutes: int = Field(5, ge=1, le=1440, description="How far back")
    reduce: Literal["last", "avg", "max", "min"] = Field("last", description="Which value of that time counts")
    below: float | None = Field(None, allow_inf_nan=False, description="It must be less than this")
    above: float | None = Field(None, allow_inf_nan=False, description="It must be more than this")

    @model_validator(mode="after")
    def _bounded(self) -> "Measured":
        if self.below is None and self.above is None:
            raise ValueError(NO_BOUND)
        if self.below is not None and self.above is not None and self.above >= self.below:
            raise ValueError(CROSSED)
        return self

    def holds(self, value: float) -> bool:
        return (self.below is None or value < self.below) and (self.above is None or value > self.above)

    def value(self, line: Line) -> float:
        match self.reduce:
            case "last":
                return line.values[-1]
            case "avg":
                return sum(line.values) / len(line.values)
            case "max":
                return max(line.values)
        return min(line.values)


class QueryMetric(Reading[Measured]):
    """See whether a metric lies where it should, on every line of its chart"""

    name = "datadog.query_metric"
    params = Measured
    example: ClassVar[State] = {
        "organisation": "bridge", "query": "avg:http.response_time{service:pay-api}", "minutes": 5, "below": 1.5}
    verified = "the value of every line is within the bounds; no data is not OK"

    def what(self, params: Measured) -> str:
        return f"metric:{params.query}"

    def plan(self, params: Measured, before: State) -> str:
        return READ_METRIC.format(query=params.query, minutes=params.minutes, organisation=params.organisation)

    def look(self, world: World, params: Measured, before: State, outputs: State) -> Look:
        begin = world.now - timedelta(minutes=params.minutes)
        found = datadog_api.lines(world.datadog(params.organisation), params.query, begin, world.now)
        silent = next((each.scope for each in found if not each.values), None)
        if not found or silent is not None:
            which = f"{params.query} ({silent})" if silent and len(found) > 1 else params.query
            return Look("under way", NO_DATA.format(query=which, minutes=params.minutes))
        values = [params.value(each) for each in found]
        wrong = [value for value in values if not params.holds(value)]
        told = ", ".join(f"{value:g}" + (f" ({line.scope})" if len(found) > 1 else "")
                         for line, value in zip(found[:MOST_LISTED], values, strict=False))
        bounds = _bounds(("above", params.above), ("below", params.below))
        said = MEASURED.format(reduce=params.reduce, query=params.query, values=told, bounds=bounds)
        return Look("under way" if wrong else "done", said, {"value": (wrong or values)[0], "lines": len(found)})


# --- logs ------------------------------------------------------------------------------------------------------------


class Searched(OfAccount):
    """Which lines, and how many there should be."""

    query: str = Field(min_length=1, max_length=1000, description="As in the log explorer: service:pay-api status:error")
    minutes: int = Field(15, ge=1, le=1440, description="How far back")
    lines: int = Field(20, ge=0, le=ENOUGH, description="How many of the newest lines are kept in the run's log")
    at_most: int | None = Field(None, ge=0, le=999, description="So many may match at most")
    at_least: int | None = Field(None, ge=0, le=1000, description="So many must match at least")

    @model_validator(mode="after")
    def _counted(self) -> "Searched":
        if self.at_most is None and self.at_least is None:
            raise ValueError(NO_COUNT)
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            raise ValueError(CROSSED_COUNTS)
        return self

    @property
    def needed(self) -> int:
        """So many lines tell whether the counts are kept."""
        return max(ENOUGH, self.at_least or 0, (self.at_most or 0) + 1)

    def holds(self, count: int) -> bool:
        return (self.at_most is None or count <= self.at_most) and (self.at_least is None or count >= self.at_least)


class SearchLogs(Reading[Searched]):
    """Search the logs: keep the newest lines, and see whether there are as many as expected"""

    name = "datadog.search_logs"
    params = Searched
    example: ClassVar[State] = {"organisation": "bridge", "query": "service:bank-sync status:error", "minutes": 15, "at_most": 0}
    verified = "as many lines match as expected; a search that gave up proves nothing"

    def what(self, params: Searched) -> str:
        return f"logs:{params.query}"

    def plan(self, params: Searched, before: State) -> str:
        return READ_LOGS.format(query=params.query, minutes=params.minutes, organisation=params.organisation)

    def act(self, world: World, params: Searched, before: State) -> Outcome:
        found = self._search(world, params)
        seen = self._seen(found, params)
        kept = found.lines[-params.lines:] if params.lines else ()
        return Outcome(seen.said, seen.outputs, log="\n".join(kept))

    def look(self, world: World, params: Searched, before: State, outputs: State) -> Look:
        return self._seen(self._search(world, params), params)

    def _search(self, world: World, params: Searched) -> datadog_api.Found:
        begin = world.now - timedelta(minutes=params.minutes)
        return datadog_api.search_logs(world.datadog(params.organisation), params.query, begin, world.now, params.needed)

    def _seen(self, found: datadog_api.Found, params: Searched) -> Look:
        count = len(found.lines)
        if not found.whole:
            return Look("under way", NOT_WHOLE.format(query=params.query), {"count": count})
        told, bounds = f"{count} or more" if found.more else str(count), _bounds(
            ("at least", params.at_least), ("at most", params.at_most))
        said = COUNTED.format(count=told, query=params.query, minutes=params.minutes, bounds=bounds)
        return Look("done" if params.holds(count) else "under way", said, {"count": count})


def _bounds(*given: tuple[str, float | None]) -> str:
    return " and ".join(f"{word} {bound:g}" for word, bound in given if bound is not None)
