"""The double of Datadog, asked through the official client; every answer is held against the official schemas."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from datadog_api_client.exceptions import ApiException, ApiTypeError, ForbiddenException, NotFoundException, UnauthorizedException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.events_api import EventsApi as EventsV1
from datadog_api_client.v1.api.metrics_api import MetricsApi as MetricsV1
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.model.event_create_request import EventCreateRequest
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.api.events_api import EventsApi as EventsV2
from datadog_api_client.v2.api.logs_api import LogsApi
from datadog_api_client.v2.api.metrics_api import MetricsApi as MetricsV2
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from datadog_api_client.v2.model.downtime_update_request import DowntimeUpdateRequest
from datadog_api_client.v2.model.event_create_request_payload import EventCreateRequestPayload
from datadog_api_client.v2.model.logs_list_request import LogsListRequest
from datadog_api_client.v2.model.scalar_formula_query_request import ScalarFormulaQueryRequest
from datadog_api_client.v2.model.timeseries_formula_query_request import TimeseriesFormulaQueryRequest
from urllib3.exceptions import HTTPError

from bot.doubles.datadog_api import Account, Limit
from tests.datadog_stage import (
    HASTY_S,
    PREFIX,
    SAMPLES,
    Checked,
    DatadogWorld,
    Schemas,
    client_of,
    datadog_server,
    datadog_world,
)

__all__ = ["datadog_server", "datadog_world"]

LATENCY = "avg:http.response_time{service:pay-api}"


@pytest.fixture
def stage(datadog_world: DatadogWorld) -> DatadogWorld:
    return datadog_world


@pytest.fixture
def account(stage: DatadogWorld) -> Account:
    return stage.bridge


@pytest.fixture
def client(stage: DatadogWorld) -> Any:
    return stage.datadog("bridge")


# --- monitors ---


def test_a_monitor_is_as_bad_as_its_worst_group(account: Account, client: Any) -> None:
    made = account.monitors.add("pay-api latency", tags=["service:pay-api"], groups=["probe:bridge-1", "probe:bridge-2"])
    account.monitors.set("pay-api latency", "No Data", "probe:bridge-1")
    account.monitors.set("pay-api latency", "Alert", "probe:bridge-2")
    shown = MonitorsApi(client).get_monitor(made.id, group_states="all")
    assert str(shown.overall_state) == "Alert"
    assert {name: str(each.status) for name, each in shown.state.groups.items()} == {
        "probe:bridge-1": "No Data", "probe:bridge-2": "Alert"}
    account.monitors.set(made.id, "OK")
    assert str(MonitorsApi(client).get_monitor(made.id).overall_state) == "OK"


def test_monitors_are_listed_by_a_part_of_their_name_and_by_all_of_their_tags(account: Account, client: Any) -> None:
    account.monitors.add("pay-api latency", tags=["service:pay-api", "probe:bridge-1"])
    account.monitors.add("pay-api errors", tags=["service:pay-api"])
    account.monitors.add("ledger errors", tags=["service:ledger"])
    api = MonitorsApi(client)

    def names(**asked: Any) -> list[str]:
        return [each.name for each in api.list_monitors(**asked)]

    assert names(name="ERRORS") == ["pay-api errors", "ledger errors"]
    assert names(monitor_tags="service:pay-api,probe:bridge-1") == ["pay-api latency"]
    assert names(page=1, page_size=2) == ["ledger errors"]


def test_a_search_for_monitors_reads_status_tag_and_words(account: Account, client: Any) -> None:
    account.monitors.add("pay-api latency", tags=["service:pay-api"], state="Alert")
    account.monitors.add("pay-api errors", tags=["service:pay-api"])
    api = MonitorsApi(client)
    assert [each.name for each in api.search_monitors(query="status:alert pay*").monitors] == ["pay-api latency"]
    assert api.search_monitors(query='tag:"service:pay-api" -latency').metadata.total_count == 1
    with pytest.raises(ApiException, match="is not a valid monitor status"):
        api.search_monitors(query="status:burning")


def test_an_unknown_monitor_is_not_found(client: Any) -> None:
    with pytest.raises(NotFoundException, match="Monitor not found"):
        MonitorsApi(client).get_monitor(12345)
    with pytest.raises(ApiException, match="Invalid group_state filters"):
        MonitorsApi(client).list_monitors(group_states="notagroupstate")


# --- downtimes ---


def downtime(**attributes: Any) -> DowntimeCreateRequest:
    given = {"monitor_identifier": {"monitor_tags": ["*"]}, "scope": "service:pay-api"} | attributes
    return DowntimeCreateRequest(data={"type": "downtime", "attributes": given})


def test_a_downtime_mutes_until_it_ends(stage: DatadogWorld, account: Account, client: Any) -> None:
    made = account.monitors.add("pay-api latency", tags=["service:pay-api"], groups=["host:a", "host:b"])
    other = account.monitors.add("ledger errors", tags=["service:ledger"])
    api = DowntimesApi(client)
    end = stage.now + timedelta(hours=1)
    created = api.create_downtime(downtime(scope="host:a", monitor_identifier={"monitor_id": made.id}, schedule={"end": end}))
    assert str(created.data.attributes.status) == "active"
    assert account.monitors.muted(made.id, "host:a") and not account.monitors.muted(made.id, "host:b")
    assert not account.monitors.muted(other.id, "host:a")
    assert len(MonitorsApi(client).get_monitor(made.id, with_downtimes=True).matching_downtimes) == 1
    stage.forward(3600)
    assert not account.monitors.muted(made.id, "host:a")
    assert str(api.get_downtime(created.data.id).data.attributes.status) == "ended"


def test_a_downtime_is_scheduled_changed_and_cancelled_twice(stage: DatadogWorld, account: Account, client: Any) -> None:
    account.monitors.add("pay-api latency", tags=["service:pay-api"])
    api = DowntimesApi(client)
    made = api.create_downtime(downtime(schedule={"start": stage.now + timedelta(minutes=5), "end": None})).data
    assert str(made.attributes.status) == "scheduled" and not account.monitors.muted("pay-api latency")
    stage.forward(300)
    assert account.monitors.muted("pay-api latency")
    change = {"id": made.id, "type": "downtime", "attributes": {"message": "longer", "scope": "service:ledger"}}
    assert api.update_downtime(made.id, DowntimeUpdateRequest(data=change)).data.attributes.message == "longer"
    assert not account.monitors.muted("pay-api latency")
    for _ in range(2):
        api.cancel_downtime(made.id)
    assert str(api.get_downtime(made.id).data.attributes.status) == "canceled"


def test_downtimes_come_in_pages_and_only_the_active_ones_when_asked(client: Any) -> None:
    api = DowntimesApi(client)
    made = [api.create_downtime(downtime(message=f"number {number}")).data.id for number in range(5)]
    api.cancel_downtime(made[0])
    assert [each.id for each in api.list_downtimes_with_pagination(page_limit=2)] == made
    assert [each.id for each in api.list_downtimes_with_pagination(current_only=True, page_limit=2)] == made[1:]


@pytest.mark.parametrize(("attributes", "said"), [
    ({"scope": "BAD_SCOPE_MISSING_KEY_VALUE_FORMAT"}, "All values must have a key"),
    ({"colour": "red"}, "Additional properties are not allowed"),
    ({"schedule": {"end": "2020-01-01T00:00:00Z"}}, "must be after its start"),
    ({"monitor_identifier": {}}, "monitor_identifier"),
])
def test_a_downtime_that_makes_no_sense_is_refused(client: Any, attributes: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiException, match=said) as caught:
        DowntimesApi(client).create_downtime(downtime(**attributes))
    assert caught.value.status == 400


def test_an_unknown_downtime_is_not_found(client: Any) -> None:
    api, nobody = DowntimesApi(client), "00000000-0000-1234-0000-000000000000"
    for ask in (api.get_downtime, api.cancel_downtime):
        with pytest.raises(NotFoundException):
            ask(nobody)
    with pytest.raises(ApiException, match="must be an uuid"):
        api.get_downtime("INVALID_UUID_LENGTH")


# --- metrics ---


def test_a_metric_shows_its_past_and_not_its_future(stage: DatadogWorld, account: Account, client: Any) -> None:
    account.metrics.set(LATENCY, 0.31)
    now = int(stage.now.timestamp())
    answer = MetricsV1(client).query_metrics(now - 120, now + 600, LATENCY)
    points = [each.value for each in answer.series[0].pointlist]
    assert len(points) == 7 and {value for _, value in points} == {0.31}
    assert max(at for at, _ in points) <= now * 1000
    assert MetricsV1(client).query_metrics(now - 120, now, "avg:unknown{*}").series == []


def test_a_metric_can_be_points_or_a_function_of_time_with_a_line_for_each_group(
        stage: DatadogWorld, account: Account, client: Any) -> None:
    query = LATENCY + " by {host}"
    account.metrics.set(query, lambda at: at.minute / 10, tags=["host:a"], step_s=60)
    account.metrics.set(query, [(stage.now - timedelta(minutes=1), 2.5), (stage.now, None)], tags=["host:b"])
    now = int(stage.now.timestamp())
    answer = MetricsV1(client).query_metrics(now - 120, now, query)
    assert {each.scope: [point.value[1] for point in each.pointlist] for each in answer.series} == {
        "host:a": [1.2, 1.3, 1.4], "host:b": [2.5, None]}


def test_a_query_that_is_none_is_refused(stage: DatadogWorld, client: Any) -> None:
    now = int(stage.now.timestamp())
    with pytest.raises(ApiException, match="Error parsing query"):
        MetricsV1(client).query_metrics(now - 60, now, "how is it going")


def asked(kind: str, stage: DatadogWorld, **query: Any) -> dict[str, Any]:
    now = int(stage.now.timestamp()) * 1000
    line = {"data_source": "metrics", "name": "a", "query": LATENCY} | query
    return {"data": {"type": kind, "attributes": {
        "from": now - 120_000, "to": now, "formulas": [{"formula": "a"}], "queries": [line]}}}


def test_timeseries_and_scalar_tell_the_same_numbers(stage: DatadogWorld, account: Account, client: Any) -> None:
    account.metrics.set(LATENCY, [(stage.now - timedelta(minutes=1), 1.0), (stage.now, 3.0)])
    api = MetricsV2(client)
    series = api.query_timeseries_data(TimeseriesFormulaQueryRequest(**asked("timeseries_request", stage)))
    assert [each.value for each in series.data.attributes.values.value] == [[1.0, 3.0]]
    scalar = api.query_scalar_data(ScalarFormulaQueryRequest(**asked("scalar_request", stage, aggregator="max")))
    assert [each.values for each in scalar.data.attributes.columns] == [[3.0]]


# --- logs ---


def test_logs_are_found_by_what_they_say_and_where_they_come_from(stage: DatadogWorld, account: Account, client: Any) -> None:
    account.logs.add("bank is down: timeout", service="bank-sync", status="error", code=504)
    account.logs.add("bank answered", service="bank-sync", status="info", code=200)
    account.logs.add("card refused", service="pay-api", status="error")
    account.logs.add("bank is down: timeout", service="bank-sync", status="error", at=stage.now - timedelta(hours=1))

    def found(query: str) -> list[str]:
        asked = LogsListRequest(filter={"query": query, "from": "now-15m", "to": "now"})
        return [each.attributes.message for each in LogsApi(client).list_logs(body=asked).data]

    assert found("service:bank-sync status:error") == ["bank is down: timeout"]
    assert found('"is down" AND -service:pay-api') == ["bank is down: timeout"]
    assert found("@code:5*") == ["bank is down: timeout"]
    assert found("status:error -bank") == ["card refused"]
    assert len(found("*")) == 3
    with pytest.raises(ApiException, match="cannot read"):
        found("service:pay-api OR service:ledger")


def test_logs_come_in_pages_by_post_and_by_get(stage: DatadogWorld, account: Account, client: Any) -> None:
    for number in range(5):
        account.logs.add(f"line {number}")
        stage.forward(1)
    api = LogsApi(client)
    by_post = LogsListRequest(page={"limit": 2}, sort="timestamp")
    assert [each.attributes.message for each in api.list_logs_with_pagination(body=by_post)] == [f"line {n}" for n in range(5)]
    by_get = api.list_logs_get_with_pagination(page_limit=2, sort="-timestamp")
    assert [each.attributes.message for each in by_get] == [f"line {n}" for n in (4, 3, 2, 1, 0)]


# --- events ---


def test_events_of_both_versions_are_found_after_a_while(stage: DatadogWorld, account: Account, client: Any) -> None:
    account.events.lag_s = 20
    EventsV1(client).create_event(EventCreateRequest(title="pay-api restarted", text="by Vigie", tags=["service:pay-api"]))
    change = {"changed_resource": {"name": "limits", "type": "configuration"}}
    made = EventsV2(client).create_event(EventCreateRequestPayload(data={"type": "event", "attributes": {
        "title": "limits changed", "category": "change", "tags": ["service:pay-api"], "attributes": change}}))
    assert made.data.attributes.attributes.evt.id

    def found(query: str) -> list[str]:
        return [each.attributes.attributes.title for each in EventsV2(client).list_events(filter_query=query).data]

    assert found("service:pay-api") == []
    stage.forward(20)
    assert found("service:pay-api") == ["limits changed", "pay-api restarted"]
    assert found("service:pay-api restarted") == ["pay-api restarted"]
    old = EventCreateRequest(title="old", text="news", date_happened=1)
    with pytest.raises(ApiException, match="too far in the past"):
        EventsV1(client).create_event(old)


# --- the door ---


def test_keys_are_checked_for_each_organisation(stage: DatadogWorld) -> None:
    url = f"{stage.url}{PREFIX}/bridge"
    assert AuthenticationApi(client_of(url)).validate().valid
    with pytest.raises(ForbiddenException):
        MonitorsApi(client_of(url, "padok")).list_monitors()
    with pytest.raises(ForbiddenException):
        MonitorsApi(client_of(url, appKeyAuth="guessed")).list_monitors()
    nobody = client_of(url)
    nobody.configuration.api_key = {}
    with pytest.raises(UnauthorizedException):
        MonitorsApi(nobody).list_monitors()


def test_two_organisations_see_nothing_of_each_other(stage: DatadogWorld) -> None:
    stage.accounts["bridge"].monitors.add("ours")
    assert MonitorsApi(stage.datadog("padok")).list_monitors() == []
    assert len(MonitorsApi(stage.datadog("bridge")).list_monitors()) == 1


def test_a_rate_limit_says_how_many_calls_are_left_and_when_there_are_more(
        stage: DatadogWorld, account: Account, client: Any) -> None:
    account.limits["list_monitors"] = Limit(2, 60)
    api = MonitorsApi(client)
    api.list_monitors()
    api.list_monitors()
    with pytest.raises(ApiException) as caught:
        api.list_monitors()
    assert caught.value.status == 429
    told = {name.lower(): value for name, value in caught.value.headers.items() if name.lower().startswith("x-ratelimit")}
    assert told == {"x-ratelimit-limit": "2", "x-ratelimit-period": "60", "x-ratelimit-remaining": "0",
                    "x-ratelimit-reset": "60", "x-ratelimit-name": "list_monitors"}
    stage.forward(60)
    assert api.list_monitors() == []


@pytest.mark.parametrize(("kind", "status"), [("refused", 403), ("throttled", 429), ("down", 503)])
def test_a_call_that_is_turned_away_does_nothing(account: Account, client: Any, kind: Any, status: int) -> None:
    account.faults.plant(kind, "create_downtime")
    with pytest.raises(ApiException) as caught:
        DowntimesApi(client).create_downtime(downtime())
    assert caught.value.status == status and account.downtimes.by_id == {}
    DowntimesApi(client).create_downtime(downtime())


@pytest.mark.parametrize(("kind", "error"), [
    ("lost", HTTPError), ("silent", HTTPError), ("broken", ApiException), ("garbled", ApiTypeError)])
def test_a_lost_answer_leaves_its_effect(stage: DatadogWorld, account: Account, kind: Any, error: type[Exception]) -> None:
    account.faults.plant(kind, "create_downtime", seconds=HASTY_S + 0.5)
    stage.patience_s = HASTY_S
    with pytest.raises(error):
        DowntimesApi(stage.datadog("bridge")).create_downtime(downtime())
    assert len(account.downtimes.by_id) == 1
    assert [each.operation for each in account.book] == ["create_downtime"]


def test_a_slow_answer_comes_all_the_same(account: Account, client: Any) -> None:
    account.faults.plant("slow", seconds=0.1)
    assert MonitorsApi(client).list_monitors() == []


# --- the judge of it all ---


def recordings() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((SAMPLES / "datadog_recordings.json").read_text())
    return found


@pytest.mark.parametrize("recorded", recordings(), ids=lambda each: each["scenario"])
def test_the_schemas_take_what_the_real_service_answered(recorded: dict[str, Any]) -> None:
    body = b"" if recorded["body"] is None else json.dumps(recorded["body"]).encode()
    assert Schemas().faults(recorded["method"], recorded["path"], recorded["status"], body) == []


@pytest.mark.parametrize("spoil", [
    lambda monitor: monitor.update(overall_state="Burning"), lambda monitor: monitor.update(id="42"),
    lambda monitor: monitor.pop("query"),
])
def test_the_schemas_do_not_take_anything(spoil: Callable[[dict[str, Any]], Any]) -> None:
    monitor = next(each for each in recordings() if each["path"].startswith("/api/v1/monitor/"))["body"]
    spoil(monitor)
    assert Schemas().faults("GET", "/api/v1/monitor/1", 200, json.dumps(monitor).encode()) != []


def test_every_operation_of_the_double_is_one_of_datadogs(stage: DatadogWorld, account: Account) -> None:
    schemas = Checked().schemas
    for route in account.asgi.routes:
        path = route.path.replace(":int", "")           # type: ignore[attr-defined]
        method = next(each for each in route.methods if each != "HEAD").lower()     # type: ignore[attr-defined]
        assert method in schemas.operation(path.split("/")[2], path)
