"""What AWS tells beside its alarms: each event is called by its name, rated, and ended by its good news."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.config import Endpoint
from bot.sources import FIRING, RECOVERED, Delivery, Signal
from bot.sources.eventbridge import read

NOW = datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
DOOR = Delivery("bridge-eventbridge", Endpoint(source="eventbridge", organisation="bridge", secrets=("s",)), b"", {}, NOW)
ECS = "arn:aws:ecs:eu-west-3:111122223333"
CLUSTER = {"clusterArn": f"{ECS}:cluster/prod"}


def event(kind: str, source: str, resource: str = "", /, **detail: Any) -> dict[str, Any]:
    return {"version": "0", "id": f"{kind} {len(detail)}", "detail-type": kind, "source": source, "account": "111122223333",
            "time": "2026-11-22T01:14:05Z", "region": "eu-west-3", "resources": [resource] if resource else [],
            "detail": detail}


def told(content: dict[str, Any]) -> Signal:
    signal, = read(content, DOOR)
    return signal


def service_action(name: str, kind: str) -> Signal:
    return told(event("ECS Service Action", "aws.ecs", f"{ECS}:service/prod/pay-api", eventName=name, eventType=kind, **CLUSTER))


def test_an_ecs_service_is_called_by_its_own_name_and_not_by_its_cluster() -> None:
    failed = service_action("SERVICE_TASK_PLACEMENT_FAILURE", "ERROR")
    assert (failed.name, failed.severity) == ("pay-api", "high")
    assert failed.title == "ECS Service Action: pay-api (SERVICE_TASK_PLACEMENT_FAILURE)"
    stopped = event("ECS Task State Change", "aws.ecs", f"{ECS}:task/prod/7f", lastStatus="STOPPED", group="service:ledger",
                    stoppedReason="Essential container in task exited", **CLUSTER)
    assert (told(stopped).name, told(stopped).summary) == ("ledger", "Essential container in task exited")


def test_the_task_that_takes_the_place_of_another_ends_what_its_stop_began() -> None:
    stopped, runs = (
        told(event("ECS Task State Change", "aws.ecs", f"{ECS}:task/prod/{name}", lastStatus=status, group="service:ledger",
                   **CLUSTER))
        for name, status in (("7f", "STOPPED"), ("80", "RUNNING"))
    )
    assert (stopped.key, stopped.state, runs.state) == (runs.key, FIRING, RECOVERED)


def test_a_steady_service_ends_what_its_failure_began() -> None:
    failed, steady = service_action("SERVICE_TASK_PLACEMENT_FAILURE", "ERROR"), service_action("SERVICE_STEADY_STATE", "INFO")
    assert (failed.key, failed.state, steady.state) == (steady.key, FIRING, RECOVERED)


@pytest.mark.parametrize(("bad", "good"), [
    ("EC2 Instance Launch Unsuccessful", "EC2 Instance Launch Successful"),
    ("Synthetics Canary TestRun Failure", "Synthetics Canary TestRun Successful"),
])
def test_good_and_bad_news_of_one_thing_are_one_problem(bad: str, good: str) -> None:
    about = {"AutoScalingGroupName": "pay-api-asg", "StatusMessage": "no capacity"}
    failed, launched = told(event(bad, "aws.autoscaling", **about)), told(event(good, "aws.autoscaling", **about))
    assert (failed.key, failed.state, launched.state) == (launched.key, FIRING, RECOVERED)


def test_a_machine_that_runs_again_ends_what_its_stop_began_and_a_job_that_runs_ends_nothing() -> None:
    machine = {"instance-id": "i-0abc"}
    stopped, runs = (told(event("EC2 Instance State-change Notification", "aws.ec2", state=each, **machine))
                     for each in ("stopped", "running"))
    assert (stopped.key, stopped.state, runs.state) == (runs.key, FIRING, RECOVERED)
    assert told(event("Batch Job State Change", "aws.batch", status="RUNNING", jobName="settle")).state == FIRING


def test_events_of_rds_are_rated_by_their_category() -> None:
    rated = {
        category: told(event("RDS DB Instance Event", "aws.rds", SourceIdentifier="pay-db", EventCategories=[category]))
        for category in ("failover", "backup", "maintenance")
    }
    assert {each: signal.severity for each, signal in rated.items()} == {
        "failover": "high", "backup": "info", "maintenance": "warning"}
    assert {signal.name for signal in rated.values()} == {"pay-db"}


def finding(name: str, **more: Any) -> dict[str, Any]:
    return {"Id": f"arn:finding/{name}", "Title": name, "Description": "Anybody can read it", "Severity": {"Label": "CRITICAL"},
            "Workflow": {"Status": "NEW"}, "RecordState": "ACTIVE", **more}


def test_each_finding_of_security_hub_is_a_problem_of_its_own() -> None:
    kind = "Security Hub Findings - Imported"
    open_bucket, old_key = read(event(kind, "aws.securityhub", findings=[finding("bucket"), finding("key")]), DOOR)
    assert (open_bucket.severity, open_bucket.title) == ("critical", f"{kind}: bucket")
    assert open_bucket.key != old_key.key and open_bucket.part != old_key.part
    resolved, = read(event(kind, "aws.securityhub", findings=[finding("bucket", Workflow={"Status": "RESOLVED"})]), DOOR)
    assert (resolved.key, resolved.state) == (open_bucket.key, RECOVERED)


def test_a_finding_of_guardduty_is_over_when_somebody_archives_it() -> None:
    about = {"id": "f1", "title": "Bitcoin", "severity": "8.5"}
    fresh, archived = (told(event("GuardDuty Finding", "aws.guardduty", service={"archived": each}, **about))
                       for each in (False, True))
    assert (fresh.severity, fresh.state, archived.state, fresh.key) == ("high", FIRING, RECOVERED, archived.key)


def test_an_event_that_says_nothing_of_its_own_is_the_same_each_time() -> None:
    one = event("Scheduled Event", "aws.events")
    assert told({**one, "id": "1"}).key == told({**one, "id": "2"}).key
