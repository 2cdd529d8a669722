"""What AWS tells beside its alarms: each event is called by its name, rated, and ended by its good news."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.alarms import Place
from bot.config import Endpoint
from bot.sources import FIRING, RECOVERED, Delivery, Signal
from bot.sources.eventbridge import read, read_messages
from bot.store import alerts, observations
from tests.story import arrive, desk_on, signal

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


@pytest.mark.parametrize("elsewhere", [{"account": "444455556666"}, {"region": "eu-west-1"}])
@pytest.mark.parametrize("about", [{"AutoScalingGroupName": "web"}, {"canary-name": "login"}, {"jobName": "settle"}])
def test_good_news_of_another_account_or_region_is_of_another_thing(about: dict[str, Any], elsewhere: dict[str, str]) -> None:
    failed = event("EC2 Instance Launch Unsuccessful", "aws.autoscaling", **about)
    launched = event("EC2 Instance Launch Successful", "aws.autoscaling", **about)
    assert told(failed).key == told(launched).key != told({**launched, **elsewhere}).key


def test_a_database_of_another_account_is_another_one_and_an_arn_needs_no_place() -> None:
    one = event("RDS DB Instance Event", "aws.rds", "arn:aws:rds:eu-west-3:111122223333:db:pay-db", EventCategories=["failure"])
    there = {**one, "account": "444455556666", "resources": ["arn:aws:rds:eu-west-3:444455556666:db:pay-db"]}
    assert told(one).key != told(there).key
    health = event("AWS Health Event", "aws.health", eventArn="arn:aws:health:eu-west-3::event/EC2/1")
    assert told(health).key == told({**health, "region": "us-west-2"}).key, "AWS Health tells it in two regions"


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


# --- who saw it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "observer"), [
    ("aws.ecs", "ECS"), ("aws.rds", "RDS"), ("aws.guardduty", "GuardDuty"), ("aws.health", "AWS Health"),
    ("aws.autoscaling", "Auto Scaling"), ("aws.securityhub", "Security Hub"), ("aws.lightsail", "lightsail"),
    ("com.bridge.settle", "com.bridge.settle"), ("", "AWS"),
])
def test_news_of_aws_is_seen_by_the_service_that_told_it(source: str, observer: str) -> None:
    assert told(event("Something Happened", source)).observer == observer


def test_an_alarm_is_seen_by_cloudwatch_and_a_name_of_vigie_yaml_goes_before_all_names() -> None:
    alarm = event("CloudWatch Alarm State Change", "aws.cloudwatch", alarmName="a", state={"value": "ALARM"})
    assert told(alarm).observer == "CloudWatch"
    named = replace(DOOR, endpoint=DOOR.endpoint.model_copy(update={"observer": "Bridge's AWS"}))
    assert {signal.observer for each in (alarm, event("Backup", "aws.rds")) for signal in read(each, named)} == {"Bridge's AWS"}


def test_a_topic_of_rds_or_auto_scaling_without_eventbridge_says_who_saw_it_too() -> None:
    place = Place("", NOW)
    assert [read_messages(each, place)[0].observer for each in (
        {"Event Source": "db-instance", "Source ID": "pay-db"},
        {"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "AutoScalingGroupName": "pay-api"},
    )] == ["RDS", "Auto Scaling"]


def test_an_alert_that_knew_its_news_as_cloudwatch_s_before_is_ended_under_that_name(engine: sa.Engine) -> None:
    desk = desk_on(engine)
    arrive(desk, signal("firing", key="event:ECS", observer="CloudWatch"))
    arrive(desk, signal("recovered", key="event:ECS", observer="ECS", at=60))
    with engine.connect() as connection:
        alert, = alerts.open_ones(connection)
        observed = observations.by_alert(connection, [alert.id])[alert.id]
    assert alert.state == "recovered"
    assert [(row.observer, row.state) for row in observed] == [("CloudWatch", "recovered")]


# --- what ends what ----------------------------------------------------------------------------------------------------


def of_rds(number: str, source: str = "pay-db", kind: str = "RDS DB Instance Event") -> Signal:
    return told(event(kind, "aws.rds", f"arn:aws:rds:eu-west-3:111122223333:db:{source}", EventID=f"RDS-EVENT-{number}",
                      SourceIdentifier=source, EventCategories=["failover"]))


@pytest.mark.parametrize(("begun", "ended"), [
    ("0013", "0049"), ("0072", "0071"), ("0073", "0071"), ("0050", "0051"), ("0004", "0006"), ("0087", "0088"),
    ("0001", "0002"), ("0045", "0046"), ("0267", "0268"),
])
def test_what_rds_has_finished_ends_what_it_had_begun(begun: str, ended: str) -> None:
    first, last = of_rds(begun), of_rds(ended)
    assert (first.key, first.state, last.state) == (last.key, FIRING, RECOVERED)


def test_a_backup_that_ends_or_another_database_ends_no_failover() -> None:
    assert len({of_rds("0013").key, of_rds("0002").key, of_rds("0049", "ledger-db").key, of_rds("9999").key}) == 4
    assert of_rds("9999").state == FIRING


def test_a_failover_that_failed_keeps_what_it_had_begun_open() -> None:
    begun, failed = of_rds("0073"), of_rds("0069")
    assert (begun.key, failed.state) == (failed.key, FIRING)


def test_rds_by_its_own_topic_tells_databases_apart_and_ends_what_it_had_begun() -> None:
    def sent(number: str, source: str) -> Signal:
        link = f"http://docs.amazonwebservices.com/AmazonRDS/latest/UserGuide/USER_Events.html#RDS-EVENT-{number}"
        return read_messages({"Event Source": "db-instance", "Source ID": source, "Event ID": link}, Place("", NOW))[0]

    begun, ended, other = sent("0013", "pay-db"), sent("0049", "pay-db"), sent("0049", "ledger-db")
    assert (begun.key, begun.state, ended.state) == (ended.key, FIRING, RECOVERED)
    assert other.key != begun.key


def test_a_refresh_of_instances_is_over_when_it_succeeded_and_goes_on_being_told_when_it_failed() -> None:
    about = {"AutoScalingGroupName": "pay-api-asg"}
    started, failed, done = (told(event(f"EC2 Auto Scaling Instance Refresh {each}", "aws.autoscaling", **about))
                             for each in ("Started", "Failed", "Succeeded"))
    assert started.key == failed.key == done.key
    assert [each.state for each in (started, failed, done)] == [FIRING, FIRING, RECOVERED]


@pytest.mark.parametrize("ailing", [{"desiredStatus": "STOPPED"}, {"healthStatus": "UNHEALTHY"}])
def test_a_task_that_runs_and_is_being_stopped_ends_nothing(ailing: dict[str, str]) -> None:
    task = {"lastStatus": "RUNNING", "group": "service:ledger", **CLUSTER}
    assert told(event("ECS Task State Change", "aws.ecs", **task, desiredStatus="RUNNING")).state == RECOVERED
    assert told(event("ECS Task State Change", "aws.ecs", **task, **ailing)).state == FIRING


def test_good_news_that_names_nothing_ends_nothing() -> None:
    kind = "Trusted Advisor Check Item Refresh Notification"
    bad, good = (told(event(kind, "aws.trustedadvisor", status=each, **{"check-name": name}))
                 for each, name in (("ERROR", "Backups"), ("OK", "Unused addresses")))
    assert (bad.state, good.state) == (FIRING, RECOVERED) and bad.key != good.key
