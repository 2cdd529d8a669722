"""Datadog's client, in plain values: monitors, metrics, logs, downtimes, events. Its errors are raised on as they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from datadog_api_client.exceptions import NotFoundException
from datadog_api_client.v1.api import events_api, metrics_api, monitors_api
from datadog_api_client.v1.model.event_alert_type import EventAlertType
from datadog_api_client.v1.model.event_create_request import EventCreateRequest
from datadog_api_client.v2.api import downtimes_api, logs_api
from datadog_api_client.v2.api import events_api as found_events_api
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from datadog_api_client.v2.model.downtime_create_request_attributes import DowntimeCreateRequestAttributes
from datadog_api_client.v2.model.downtime_create_request_data import DowntimeCreateRequestData
from datadog_api_client.v2.model.downtime_monitor_identifier_id import DowntimeMonitorIdentifierId
from datadog_api_client.v2.model.downtime_monitor_identifier_tags import DowntimeMonitorIdentifierTags
from datadog_api_client.v2.model.downtime_resource_type import DowntimeResourceType
from datadog_api_client.v2.model.downtime_schedule_one_time_create_update_request import (
    DowntimeScheduleOneTimeCreateUpdateRequest,
)
from datadog_api_client.v2.model.logs_list_request import LogsListRequest
from datadog_api_client.v2.model.logs_list_request_page import LogsListRequestPage
from datadog_api_client.v2.model.logs_query_filter import LogsQueryFilter
from datadog_api_client.v2.model.logs_sort import LogsSort

from runbooks.actions import MOST_SAID, Failed

NO_MONITOR = "Datadog knows no monitor {which} here"
TOO_MANY_MONITORS = "{which} are {count} monitors or more: name them more narrowly"
NO_ANSWER_TO = "Datadog could not answer the query: {why}"

MOST_MONITORS = 100
MOST_LINE = 500
PAGE = 100

# The client's classes say nothing of the types of what they give back: from here on that is said by ours.
_Monitors: Any = monitors_api.MonitorsApi
_Metrics: Any = metrics_api.MetricsApi
_Logs: Any = logs_api.LogsApi
_Downtimes: Any = downtimes_api.DowntimesApi
_Events: Any = events_api.EventsApi
_FoundEvents: Any = found_events_api.EventsApi
_Level: Any = EventAlertType


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor and its groups, with Datadog's words for their states: OK, Warn, Alert, No Data ..."""

    id: int
    name: str
    state: str
    groups: dict[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """The numbers of one line of a chart, in their order; what is missing is left out, and that may be all."""

    scope: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Log lines, oldest first; `more` when there are others, `whole` unless the search gave up early."""

    lines: tuple[str, ...]
    more: bool
    whole: bool


def monitor(client: Any, monitor_id: int) -> Monitor:
    """Raises Failed when there is none."""
    try:
        return _monitor(_Monitors(client).get_monitor(monitor_id, group_states="all"))
    except NotFoundException:
        raise Failed(NO_MONITOR.format(which=monitor_id)) from None


def monitors(client: Any, name: str | None, tags: Sequence[str]) -> list[Monitor]:
    """Those with exactly this name, and with all these tags; raises Failed when there is none."""
    asked: dict[str, Any] = {"name": name} if name else {}
    asked |= {"monitor_tags": ",".join(tags)} if tags else {}
    found = _Monitors(client).list_monitors(group_states="all", page=0, page_size=MOST_MONITORS, **asked)
    which = " ".join([*([repr(name)] if name else []), *tags])
    if len(found) >= MOST_MONITORS:
        raise Failed(TOO_MANY_MONITORS.format(which=which, count=MOST_MONITORS))
    meant = [_monitor(each) for each in found if name in (None, each.name) and set(tags) <= set(each.get("tags") or [])]
    if not meant:
        raise Failed(NO_MONITOR.format(which=which))
    return meant


def _monitor(said: Any) -> Monitor:
    groups = (said.get("state") or {}).get("groups") or {}
    return Monitor(said.id, said.name, str(said.overall_state), {name: str(each.get("status")) for name, each in groups.items()})


def lines(client: Any, query: str, begin: datetime, end: datetime) -> list[Line]:
    """What a chart of this query would show."""
    answer = _Metrics(client).query_metrics(int(begin.timestamp()), int(end.timestamp()), query)
    if answer.get("error"):
        raise Failed(NO_ANSWER_TO.format(why=str(answer.get("error"))[:MOST_SAID]))
    return [Line(each.get("scope") or "*", tuple(_numbers(each))) for each in answer.get("series") or []]


def spans(client: Any, query: str, begin: datetime, end: datetime, bin_s: int) -> dict[int, float]:
    """The largest number that a chart of this query shows in each span of so many seconds; spans without one are left out."""
    answer, found = _Metrics(client).query_metrics(int(begin.timestamp()), int(end.timestamp()), query), dict[int, float]()
    if answer.get("error"):
        raise Failed(NO_ANSWER_TO.format(why=str(answer.get("error"))[:MOST_SAID]))
    for each in answer.get("series") or []:
        for point in each.get("pointlist") or []:
            at, value = point.value
            if at is not None and value is not None:
                span = int(at / 1000) // bin_s * bin_s
                found[span] = max(found.get(span, value), value)
    return found


def _numbers(series: Any) -> Iterator[float]:
    for point in series.get("pointlist") or []:
        at, value = point.value
        if at is not None and value is not None:
            yield value


def search_logs(client: Any, query: str, begin: datetime, end: datetime, most: int) -> Found:
    """The newest lines that match, at most so many of them."""
    answer = _Logs(client).list_logs(body=LogsListRequest(
        filter=LogsQueryFilter(query=query, _from=begin.isoformat(), to=end.isoformat()),
        sort=LogsSort.TIMESTAMP_DESCENDING, page=LogsListRequestPage(limit=most),
    ))
    found, meta = answer.get("data") or [], answer.get("meta") or {}
    more = bool((meta.get("page") or {}).get("after"))
    return Found(tuple(_line(each.attributes) for each in reversed(found)), more, str(meta.get("status")) != "timeout")


def _line(said: Any) -> str:
    words = [said.get(name) for name in ("host", "service", "status", "message")]
    at = f"{said.timestamp:%Y-%m-%dT%H:%M:%S%z}" if said.get("timestamp") else ""
    return " ".join([at, *(" ".join(str(word).split()) for word in words if word)]).strip()[:MOST_LINE]


def mute(client: Any, monitor_id: int | None, scope: str, end: datetime, message: str) -> str:
    """The id of the new downtime: of one monitor, or of every one."""
    about = (DowntimeMonitorIdentifierId(monitor_id=monitor_id) if monitor_id is not None
             else DowntimeMonitorIdentifierTags(monitor_tags=["*"]))
    asked = DowntimeCreateRequestAttributes(
        monitor_identifier=about, scope=scope, message=message, schedule=DowntimeScheduleOneTimeCreateUpdateRequest(end=end))
    made = _Downtimes(client).create_downtime(DowntimeCreateRequest(
        data=DowntimeCreateRequestData(type=DowntimeResourceType.DOWNTIME, attributes=asked)))
    return str(made.data.id)


def downtime(client: Any, downtime_id: str) -> str | None:
    """Its status (active, scheduled, ended, canceled); None when Datadog has forgotten it."""
    try:
        return str(_Downtimes(client).get_downtime(downtime_id).data.attributes.status)
    except NotFoundException:
        return None


def downtime_named(client: Any, mark: str) -> str | None:
    """The id of the active downtime whose message holds the mark."""
    every = _Downtimes(client).list_downtimes_with_pagination(current_only=True, page_limit=PAGE)
    return next((each.id for each in every if mark in (each.attributes.get("message") or "")), None)


def cancel_downtime(client: Any, downtime_id: str) -> None:
    """Safe to repeat, and when there is none any more."""
    try:
        _Downtimes(client).cancel_downtime(downtime_id)
    except NotFoundException:
        return


def post_event(client: Any, title: str, text: str, tags: Sequence[str], level: str) -> str:
    """The number that Datadog gives it; as text, since it is longer than JSON's numbers may be."""
    asked = EventCreateRequest(title=title, text=text, tags=list(tags), alert_type=_Level(level))
    made = _Events(client).create_event(asked).event
    return str(made.get("id_str") or made.id)


def event_tagged(client: Any, tag: str, begin: datetime, end: datetime) -> str | None:
    """The number of the event with this tag."""
    name, _, value = tag.partition(":")
    found = _FoundEvents(client).list_events(
        filter_query=f'{name}:"{value}"', filter_from=begin.isoformat(),
        filter_to=(end + timedelta(minutes=1)).isoformat(), page_limit=PAGE,
    ).get("data") or []
    return next((_event_id(each) for each in found if tag in (each.attributes.get("tags") or [])), None)


def _event_id(event: Any) -> str:
    inner = event.attributes.get("attributes") or {}
    return str((inner.get("evt") or {}).get("id") or event.id)
