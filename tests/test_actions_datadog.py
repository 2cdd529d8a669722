"""What runbooks do in Datadog: through the official client, over HTTP, against the double and against recorded answers."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.doubles.datadog_api import Account
from runbooks.actions import Action, Failed, Look, Outcome, Params, State, Unsure
from runbooks.actions.datadog import SERVICE
from runbooks.aids import datadog_api
from runbooks.faults import KNOWN, told
from tests.datadog_stage import HASTY_S, PREFIX, SAMPLES, Checked, DatadogWorld, client_of, datadog_server, datadog_world
from tests.fakes import START

__all__ = ["datadog_server", "datadog_world"]

ACTIONS = {each.name: each for each in SERVICE.actions}
STATE, METRIC, LOGS, MUTE, EVENT = (ACTIONS[f"datadog.{name}"] for name in (
    "monitor_state", "query_metric", "search_logs", "mute", "event"))
LATENCY = "avg:http.response_time{service:pay-api}"
MUTING = {"organisation": "bridge", "scope": "service:pay-api", "duration": "30m", "reason": "fail-over"}
SAYING = {"organisation": "bridge", "title": "pay-api restarted", "text": "after alert 142", "tags": ["service:pay-api"]}


@pytest.fixture
def stage(datadog_world: DatadogWorld) -> DatadogWorld:
    return datadog_world


@pytest.fixture
def account(stage: DatadogWorld) -> Account:
    return stage.bridge


def prepared(stage: DatadogWorld, action: Action[Any], **given: Any) -> tuple[Params, State]:
    params = action.params.model_validate({"organisation": "bridge", **given})
    return params, action.before(stage, params)


def look(stage: DatadogWorld, action: Action[Any], outputs: State | None = None, **given: Any) -> Look:
    return action.look(stage, *prepared(stage, action, **given), outputs or {})


def act(stage: DatadogWorld, action: Action[Any], **given: Any) -> Outcome:
    return action.act(stage, *prepared(stage, action, **given))


def broken(stage: DatadogWorld, action: Action[Any], **given: Any) -> Failed | Unsure:
    """What the error of an act means."""
    params, before = prepared(stage, action, **given)
    with pytest.raises(KNOWN) as caught:
        action.act(stage, params, before)
    return told(caught.value)


@pytest.mark.parametrize("action", SERVICE.actions, ids=ACTIONS)
def test_every_action_of_datadog_is_whole(action: Action[Any]) -> None:
    params = action.params.model_validate(action.example)
    assert action.help and action.verified and action.target(params).startswith(f"datadog:{params.organisation}/")
    assert all(each.description for each in action.params.model_fields.values())
    assert action.mutates == (action in (MUTE, EVENT))
    assert action.reads == action.writes == () and action.plan(params, {"name": "pay-api latency"}).startswith("would ")


# --- monitors ---


def test_a_monitor_that_is_ok_proves_it(stage: DatadogWorld, account: Account) -> None:
    made = account.monitors.add("pay-api answers with errors", tags=["service:pay-api"])
    assert look(stage, STATE, monitor=made.id) == Look(
        "done", "\"pay-api answers with errors\" is OK", {"state": "OK", "monitors": 1})
    assert act(stage, STATE, name=made.name).outputs["state"] == "OK"


@pytest.mark.parametrize("state", ["Alert", "Warn", "No Data", "Unknown"])
def test_everything_but_ok_is_not_ok(stage: DatadogWorld, account: Account, state: Any) -> None:
    made = account.monitors.add("pay-api latency", state=state)
    seen = look(stage, STATE, monitor=made.id)
    assert seen.seen == "under way" and seen.said == f"\"pay-api latency\" is {state}"
    account.monitors.set(made.id, "OK")
    assert look(stage, STATE, monitor=made.id).seen == "done"


def test_one_silent_group_is_enough_for_not_ok(stage: DatadogWorld, account: Account) -> None:
    made = account.monitors.add("pay-api latency", groups=["host:a", "host:b"])
    account.monitors.set(made.id, "No Data", "host:b")
    assert look(stage, STATE, monitor=made.id).said == "\"pay-api latency\" is No Data (host:b No Data)"
    assert look(stage, STATE, monitor=made.id, group="host:a").seen == "done"
    assert look(stage, STATE, monitor=made.id, group="host:c").seen == "under way"


def test_all_monitors_of_the_tags_must_be_ok_and_a_name_must_be_the_whole_name(
        stage: DatadogWorld, account: Account) -> None:
    account.monitors.add("pay-api errors", tags=["service:pay-api", "probe:bridge-1"])
    account.monitors.add("pay-api errors by country", tags=["service:pay-api", "probe:bridge-2"], state="Alert")
    assert look(stage, STATE, name="pay-api errors").seen == "done"
    both = look(stage, STATE, tags=["service:pay-api"])
    assert both.seen == "under way" and both.outputs == {"state": "Alert", "monitors": 2}
    assert look(stage, STATE, tags=["service:pay-api", "probe:bridge-1"]).seen == "done"


def test_each_organisation_is_asked_in_its_own_account(stage: DatadogWorld) -> None:
    stage.accounts["padok"].monitors.add("pay-api latency", state="Alert")
    stage.accounts["bridge"].monitors.add("pay-api latency")
    assert look(stage, STATE, name="pay-api latency").seen == "done"
    assert look(stage, STATE, organisation="padok", name="pay-api latency").seen == "under way"


@pytest.mark.parametrize("which", [{"monitor": 1}, {"name": "nobody"}, {"tags": ["service:nobody"]}])
def test_a_monitor_that_is_not_there_proves_nothing(stage: DatadogWorld, which: dict[str, Any]) -> None:
    with pytest.raises(Failed, match="Datadog knows no monitor"):
        look(stage, STATE, **which)


def test_a_monitor_can_be_expected_to_fire(stage: DatadogWorld, account: Account) -> None:
    made = account.monitors.add("padok probe", state="Alert")
    assert look(stage, STATE, monitor=made.id, expect="Alert").seen == "done"
    account.monitors.set(made.id, "OK")
    assert look(stage, STATE, monitor=made.id, expect="Alert").seen == "under way"


# --- metrics ---


def test_a_metric_within_its_bounds_proves_it(stage: DatadogWorld, account: Account) -> None:
    account.metrics.set(LATENCY, 0.31)
    seen = look(stage, METRIC, query=LATENCY, below=1.5)
    assert seen == Look("done", f"last of {LATENCY} is 0.31; expected below 1.5", {"value": 0.31, "lines": 1})
    assert look(stage, METRIC, query=LATENCY, above=0.31).seen == "under way"
    assert look(stage, METRIC, query=LATENCY, above=0.3, below=0.4).said.endswith("expected above 0.3 and below 0.4")


def test_no_data_is_not_ok(stage: DatadogWorld, account: Account) -> None:
    silent = look(stage, METRIC, query=LATENCY, below=1.5)
    assert silent.seen == "under way" and "no data" in silent.said
    account.metrics.set(LATENCY, [(stage.now - timedelta(minutes=1), None)])
    assert look(stage, METRIC, query=LATENCY, below=1.5).said == silent.said
    account.metrics.set(LATENCY, [(stage.now - timedelta(minutes=6), 0.1)])
    assert look(stage, METRIC, query=LATENCY, below=1.5, minutes=5).seen == "under way", "that was too long ago"


def test_every_line_of_the_chart_counts(stage: DatadogWorld, account: Account) -> None:
    query = LATENCY + " by {host}"
    account.metrics.set(query, 0.2, tags=["host:a"])
    account.metrics.set(query, 9.0, tags=["host:b"])
    seen = look(stage, METRIC, query=query, below=1.5)
    assert seen.seen == "under way" and "0.2 (host:a), 9 (host:b)" in seen.said and seen.outputs["value"] == 9.0


def test_one_silent_line_is_enough_for_not_ok(stage: DatadogWorld, account: Account) -> None:
    query = LATENCY + " by {host}"
    account.metrics.set(query, 0.2, tags=["host:a"])
    account.metrics.set(query, lambda _at: None, tags=["host:b"])
    seen = look(stage, METRIC, query=query, below=1.5)
    assert seen.seen == "under way" and "no data" in seen.said and "(host:b)" in seen.said


@pytest.mark.parametrize(("reduce", "value"), [("last", 2.0), ("avg", 3.0), ("max", 6.0), ("min", 1.0)])
def test_a_runbook_says_which_value_of_the_time_counts(
        stage: DatadogWorld, account: Account, reduce: str, value: float) -> None:
    at = stage.now - timedelta(minutes=2)
    account.metrics.set(LATENCY, [(at + timedelta(seconds=20 * n), each) for n, each in enumerate([1.0, 6.0, None, 2.0])])
    assert look(stage, METRIC, query=LATENCY, reduce=reduce, below=10).outputs["value"] == value


# --- logs ---


def test_a_search_keeps_the_newest_lines_and_counts_them_all(stage: DatadogWorld, account: Account) -> None:
    for number in range(5):
        account.logs.add(f"timeout\n  number {number}", service="bank-sync", status="error", host="i-0a1")
        stage.forward(10)
    done = act(stage, LOGS, query="service:bank-sync status:error", lines=2, at_least=4)
    assert done.outputs == {"count": 5} and done.said.startswith("5 lines match")
    assert done.log.splitlines() == [
        "2026-11-22T02:14:30+0000 i-0a1 bank-sync error timeout number 3",
        "2026-11-22T02:14:40+0000 i-0a1 bank-sync error timeout number 4"]
    assert look(stage, LOGS, query="service:bank-sync", at_least=4).seen == "done"


def test_lines_that_must_not_be_there_are_waited_out(stage: DatadogWorld, account: Account) -> None:
    account.logs.add("timeout", service="bank-sync", status="error")
    seen = look(stage, LOGS, query="status:error", minutes=15, lines=0, at_most=0)
    assert seen.seen == "under way" and seen.said == "1 lines match status:error in the last 15 minutes; expected at most 0"
    stage.forward(16 * 60)
    assert look(stage, LOGS, query="status:error", minutes=15, at_most=0).seen == "done"


def test_more_lines_than_were_asked_for_are_said_to_be_more(stage: DatadogWorld, account: Account) -> None:
    for _ in range(101):
        account.logs.add("timeout")
    seen = look(stage, LOGS, query="timeout", at_most=3)
    assert seen.seen == "under way" and seen.said.startswith("100 or more lines match")
    assert look(stage, LOGS, query="timeout", at_most=100).seen == "under way"
    assert look(stage, LOGS, query="timeout", at_most=101).said.startswith("101 lines match")


def test_a_search_that_gave_up_proves_nothing(stage: DatadogWorld, account: Account) -> None:
    account.logs.unfinished = True
    seen = look(stage, LOGS, query="status:error", at_most=0)
    assert seen.seen == "under way" and "proves nothing" in seen.said


def test_a_line_is_bounded(stage: DatadogWorld, account: Account) -> None:
    account.logs.add("x" * 5000)
    assert len(act(stage, LOGS, query="*", at_least=0).log) == 500


# --- mute ---


def test_a_monitor_is_muted_until_the_end_and_can_be_given_its_voice_back(stage: DatadogWorld, account: Account) -> None:
    made = account.monitors.add("pay-api latency", tags=["service:pay-api"])
    params, before = prepared(stage, MUTE, **{**MUTING, "monitor": made.id, "scope": "*"})
    assert MUTE.plan(params, before) == (
        f"would mute the monitor pay-api latency ({made.id}) for everything it watches in Datadog of bridge for 30m")
    done = MUTE.act(stage, params, before)
    assert done.said.endswith("is muted until 02:44 UTC") and account.monitors.muted(made.id)
    assert MUTE.look(stage, params, before, done.outputs).seen == "done"
    for _ in range(2):
        MUTE.undo(stage, params, before, done.outputs)
    assert not account.monitors.muted(made.id)
    assert MUTE.undone(stage, params, before, done.outputs).seen == "done"
    assert MUTE.look(stage, params, before, done.outputs).seen == "failed", "somebody took it away"


def test_a_mute_ends_by_itself(stage: DatadogWorld, account: Account) -> None:
    account.monitors.add("pay-api latency", tags=["service:pay-api"])
    params, before = prepared(stage, MUTE, **MUTING)
    done = MUTE.act(stage, params, before)
    assert account.monitors.muted("pay-api latency")
    stage.forward(1800)
    assert not account.monitors.muted("pay-api latency")
    assert MUTE.look(stage, params, before, done.outputs).seen == "done"
    assert MUTE.undone(stage, params, before, done.outputs).seen == "done"


@pytest.mark.parametrize("kind", ["lost", "silent", "broken", "garbled"])
def test_after_a_lost_answer_the_downtime_is_found_and_not_made_twice(
        stage: DatadogWorld, account: Account, kind: Any) -> None:
    account.faults.plant(kind, "create_downtime", seconds=HASTY_S + 0.5)
    stage.patience_s = HASTY_S
    assert isinstance(broken(stage, MUTE, **MUTING), Unsure)
    params, before = prepared(stage, MUTE, **MUTING)
    seen = MUTE.look(stage, params, before, {})
    assert seen.seen == "done" and [seen.outputs["downtime"]] == list(account.downtimes.by_id)
    MUTE.undo(stage, params, before, {})
    assert MUTE.undone(stage, params, before, {}).seen == "done"
    assert MUTE.look(stage, params, before, {}).seen == "not seen"


def test_a_downtime_of_another_step_is_not_taken_for_ours(stage: DatadogWorld) -> None:
    stage.label = "vigie-run57-step20"
    act(stage, MUTE, **MUTING)
    stage.label = "vigie-run57-step2"
    assert look(stage, MUTE, **MUTING).seen == "not seen"
    params, before = prepared(stage, MUTE, **MUTING)
    assert MUTE.undo(stage, params, before, {}).said == "there is no downtime of this step to cancel"
    assert len(stage.bridge.downtimes.active(1, ["service:pay-api"])) == 1


@pytest.mark.parametrize(("kind", "again"), [("refused", False), ("throttled", True)])
def test_what_datadog_refuses_was_not_done(stage: DatadogWorld, account: Account, kind: Any, again: bool) -> None:
    account.faults.plant(kind, "create_downtime")
    error = broken(stage, MUTE, **MUTING)
    assert isinstance(error, Failed) and error.again is again and account.downtimes.by_id == {}


def test_a_monitor_that_is_not_there_is_not_muted(stage: DatadogWorld) -> None:
    with pytest.raises(Failed, match="Datadog knows no monitor 7"):
        prepared(stage, MUTE, **{**MUTING, "monitor": 7})


# --- event ---


def test_an_event_is_posted_once_and_found_by_its_tag(stage: DatadogWorld, account: Account) -> None:
    params, before = prepared(stage, EVENT, **SAYING)
    done = EVENT.act(stage, params, before)
    assert account.events.all[0].tags == ("service:pay-api", "vigie_step:vigie-run57-step2")
    assert EVENT.look(stage, params, before, done.outputs).seen == "done"
    assert EVENT.look(stage, params, before, {}).outputs == done.outputs


def test_after_a_lost_answer_the_event_is_not_seen_until_the_search_shows_it(stage: DatadogWorld, account: Account) -> None:
    account.events.lag_s = 30
    account.faults.plant("lost", "create_event_v1")
    params, before = prepared(stage, EVENT, **SAYING)
    with pytest.raises(KNOWN) as caught:
        EVENT.act(stage, params, before)
    assert isinstance(told(caught.value), Unsure)
    assert EVENT.look(stage, params, before, {}).seen == "not seen"
    stage.forward(30)
    assert EVENT.look(stage, params, before, {}).seen == "done" and len(account.events.all) == 1


# --- what a runbook may not say ---


@pytest.mark.parametrize(("action", "given", "said"), [
    (STATE, {}, "say which monitor"),
    (STATE, {"monitor": 1, "name": "x"}, "already says which one"),
    (STATE, {"monitor": 1, "expect": "fine"}, "Input should be 'OK'"),
    (STATE, {"monitor": 1, "organisation": "../padok"}, "should match pattern"),
    (METRIC, {"query": LATENCY}, "say what you expect"),
    (METRIC, {"query": LATENCY, "above": 2, "below": 1}, "nothing lies between"),
    (METRIC, {"query": LATENCY, "below": "nan"}, "finite"),
    (LOGS, {"query": "*"}, "say what you expect"),
    (LOGS, {"query": "*", "at_least": 5, "at_most": 4}, "must not be more"),
    (MUTE, {**MUTING, "scope": "*"}, "would mute everything"),
    (MUTE, {**MUTING, "scope": "service:*"}, "should match pattern"),
    (MUTE, {**MUTING, "scope": "pay-api"}, "should match pattern"),
    (MUTE, {**MUTING, "duration": "13h"}, "from one minute to twelve hours"),
    (MUTE, {**MUTING, "duration": "0s"}, "from one minute to twelve hours"),
    (MUTE, {**MUTING, "duration": "soon"}, "write a length of time"),
    (EVENT, {**SAYING, "title": "x" * 101}, "at most 100"),
])
def test_what_makes_no_sense_is_told_before_anything_is_asked(action: Action[Any], given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        action.params.model_validate({"organisation": "bridge", **given})


# --- what the real service answered ---


@pytest.fixture
def real(datadog_server: tuple[Checked, str]) -> Iterator[str]:
    """A server that says what Datadog said when it was recorded."""
    recorded = {(each["method"], each["path"]): each for each in json.loads((SAMPLES / "datadog_recordings.json").read_text())}

    async def say(request: Request) -> Response:
        await asyncio.sleep(0)
        found = recorded[request.method, request.url.path.removeprefix(PREFIX)]
        body = b"" if found["body"] is None else json.dumps(found["body"]).encode()
        return Response(body, found["status"], media_type=found["media"])

    checked, url = datadog_server
    everything = [Route("/{path:path}", say, methods=["GET", "POST", "DELETE"])]
    checked.app = Starlette(routes=[Mount(f"{PREFIX}", routes=everything)])
    yield f"{url}{PREFIX}"


def test_a_recorded_monitor_is_read(real: str) -> None:
    found = datadog_api.monitor(client_of(real), 155844758)
    assert (found.state, found.groups) == ("No Data", {}) and found.name.startswith("Test-Get_a_monitor")
    with pytest.raises(Failed, match="knows no monitor 12345"):
        datadog_api.monitor(client_of(real), 12345)


def test_recorded_monitors_are_found_by_name_and_tags(real: str) -> None:
    name, tags = "SLO Monitor: aws_alb_latency_p95 for splunk", ["sli:latency", "slotype:alb"]
    assert [each.id for each in datadog_api.monitors(client_of(real), name, tags)] == [34822915]
    assert len(datadog_api.monitors(client_of(real), None, ["sli:latency"])) == 2


def test_a_recorded_metric_is_read(real: str) -> None:
    found, = datadog_api.lines(client_of(real), "system.cpu.idle{*}", START, START)
    assert found.scope == "*" and len(found.values) == 12 and 91 < min(found.values) < 93


def test_recorded_log_lines_are_read(real: str) -> None:
    found = datadog_api.search_logs(client_of(real), "*", START, START, 2)
    assert found.more and found.whole and len(found.lines) == 2
    assert found.lines[1].startswith("2022-04-11T16:29:47+0000 05f9b9df-ae45-4c8b-66bf-e24c ok 169.254.0.1 - -")


def test_a_recorded_downtime_is_made_found_and_cancelled(real: str) -> None:
    made = datadog_api.mute(client_of(real), None, "service:pay-api", START, "dark forest")
    assert made == "85428b34-0187-11ee-bb05-da7ad0900002"
    datadog_api.cancel_downtime(client_of(real), "83718756-0187-11ee-8c18-da7ad0900002")
    assert datadog_api.downtime_named(client_of(real), "(vigie-run57-step2)") is None
    datadog_api.cancel_downtime(client_of(real), "00000000-0000-1234-0000-000000000000")


def test_a_recorded_event_is_posted_and_found(real: str) -> None:
    assert datadog_api.post_event(client_of(real), "title", "text", [], "info") == "6327818702635911562"
    assert datadog_api.event_tagged(client_of(real), "source:my_apps", START, START) == "6567977849972254562"
    assert datadog_api.event_tagged(client_of(real), "vigie_step:vigie-run57-step2", START, START) is None
