"""The demo's platform: what breaks is shown and told by its observers, a call that cures it ends it, nothing else does."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bot.doubles.datadog_api.wire import Call
from bot.doubles.platform import Platform
from bot.doubles.troubles import FAULTS, MONITORS, PAY_API_TARGET
from tests.fakes import ManualClock

KEYS = {each: (f"api-{each}", f"app-{each}") for each in ("bridge", "padok")}

Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Platform, Told]]:
    told: Told = []
    yield Platform(ManualClock(), KEYS, lambda endpoint, content: told.append((endpoint, content))), told


@pytest.fixture
def platform(ground: tuple[Platform, Told]) -> Platform:
    """One for all tests: each leaves it well."""
    ground[1].clear()
    assert ground[0].wounds == {}
    return ground[0]


@pytest.fixture
def told(ground: tuple[Platform, Told]) -> Told:
    return ground[1]


def pass_time(platform: Platform, seconds: float) -> None:
    assert isinstance(platform.clock, ManualClock)
    platform.clock.advance(seconds)
    platform.tick()


def health(platform: Platform) -> list[tuple[str, str]]:
    found = platform.aws.client("elbv2").describe_target_health(TargetGroupArn=platform.laid.target_group)
    return [(each["Target"]["Id"], each["TargetHealth"]["State"]) for each in found["TargetHealthDescriptions"]]


def alarm(platform: Platform, name: str) -> str:
    return str(platform.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def newest(platform: Platform, name: str) -> float:
    """The last figure of the alarm's metric."""
    said = platform.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    now = platform.clock.now()
    return float(platform.aws.client("cloudwatch").get_metric_statistics(
        **{key: said[key] for key in ("Namespace", "MetricName", "Dimensions")}, Period=60, Statistics=["Maximum"],
        StartTime=now - timedelta(minutes=1), EndTime=now)["Datapoints"][0]["Maximum"])


def words(told: Told) -> list[tuple[str, str]]:
    """Who said what: the endpoint, and the new state or transition."""
    return [(endpoint, content.get("NewStateValue") or content["transition"]) for endpoint, content in told]


def test_a_target_that_is_ill_is_seen_by_aws_and_one_probe_and_heals_once_it_is_replaced(platform: Platform, told: Told) -> None:
    platform.break_("unhealthy target")
    (victim,) = [target for target, state in health(platform) if state == "unhealthy"]
    pass_time(platform, 60)
    assert words(told) == [("bridge-cloudwatch", "ALARM"), ("bridge-datadog", "Triggered")]
    assert alarm(platform, "pay-api-unhealthy-hosts") == "ALARM" and newest(platform, "pay-api-unhealthy-hosts") == 1
    assert platform.accounts["padok"].monitors.named(PAY_API_TARGET).state == "OK"

    other = next(target for target, _ in health(platform) if target != victim)
    platform.aws.client("ec2").reboot_instances(InstanceIds=[other])
    pass_time(platform, 600)
    assert alarm(platform, "pay-api-unhealthy-hosts") == "ALARM", "another machine's reboot is no cure"

    platform.aws.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=victim, ShouldDecrementDesiredCapacity=False)
    pass_time(platform, 149)
    assert len(told) == 2
    pass_time(platform, 1)
    pass_time(platform, 10)
    assert words(told)[2:] == [("bridge-cloudwatch", "OK"), ("bridge-datadog", "Recovered")]
    assert {state for _, state in health(platform)} == {"healthy"} and len(health(platform)) == 4
    pass_time(platform, 60)
    assert newest(platform, "pay-api-unhealthy-hosts") == 0


def test_a_muted_monitor_changes_its_state_and_tells_nobody(platform: Platform, told: Told) -> None:
    account = platform.accounts["bridge"]
    muted = {"scope": "service:pay-api", "monitor_identifier": {"monitor_tags": ["*"]}, "message": "a release"}
    downtime = account.downtimes.create(Call({}, {}, {"data": {"type": "downtime", "attributes": muted}})).body["data"]["id"]
    platform.break_("unhealthy target")
    pass_time(platform, 60)
    assert account.monitors.named(PAY_API_TARGET).state == "Alert"
    assert words(told) == [("bridge-cloudwatch", "ALARM")]
    account.downtimes.cancel(Call({"downtime_id": downtime}, {}, None))
    platform.heal("unhealthy target")
    pass_time(platform, 60)
    assert words(told)[-1] == ("bridge-datadog", "Recovered")


@pytest.mark.parametrize(("name", "way", "given"), [
    ("queue backlog", ("ecs", "update_service"), {"cluster": "payments", "service": "batch-worker", "forceNewDeployment": True}),
    ("crash loop", ("ecs", "update_service"), {"cluster": "payments", "service": "ledger", "taskDefinition": "ledger:1"}),
    ("hanging database", ("rds", "reboot_db_instance"), {"DBInstanceIdentifier": "pay-db", "ForceFailover": True}),
])
def test_each_trouble_is_ended_by_the_call_that_cures_it(platform: Platform, told: Told, name: str, way: Any, given: Any) -> None:
    platform.break_(name)
    pass_time(platform, 60)
    assert {each for _, each in words(told)} == {"ALARM", "Triggered"}
    fired = len(told)
    getattr(platform.aws.client(way[0]), way[1])(**given)
    for _ in range(30):
        pass_time(platform, 10)
    assert {each for _, each in words(told)[fired:]} == {"OK", "Recovered"} and len(told) == 2 * fired
    assert platform.wounds == {}


def test_a_wrong_cure_is_none(platform: Platform) -> None:
    platform.break_("crash loop")
    platform.aws.client("ecs").update_service(cluster="payments", service="ledger", desiredCount=3)
    pass_time(platform, 600)
    assert platform.wounds and alarm(platform, "ledger-running-tasks") == "ALARM"
    platform.heal("crash loop")
    pass_time(platform, 60)


def test_an_attack_ends_when_its_addresses_are_blocked(platform: Platform, told: Told) -> None:
    platform.break_("attack at the edge")
    pass_time(platform, 60)
    assert len(platform.aws.wafv2.sampled) > 50
    waf = platform.aws.client("wafv2", "us-east-1")
    token = waf.get_ip_set(Name="blocked", Scope="CLOUDFRONT", Id=platform.laid.ip_set)["LockToken"]
    waf.update_ip_set(
        Name="blocked", Scope="CLOUDFRONT", Id=platform.laid.ip_set, LockToken=token, Addresses=["198.51.100.0/24"])
    pass_time(platform, 120)
    pass_time(platform, 20)
    assert words(told)[-1] == ("bridge-datadog", "Recovered") and platform.wounds == {}


def test_a_bank_that_is_down_comes_back_by_itself(platform: Platform, told: Told) -> None:
    platform.break_("bank down")
    pass_time(platform, 1499)
    assert words(told).count(("padok-datadog", "Recovered")) == 0
    pass_time(platform, 1)
    pass_time(platform, 30)
    assert words(told)[-3:] == [("bridge-cloudwatch", "OK"), ("bridge-datadog", "Recovered"), ("padok-datadog", "Recovered")]


def test_a_fault_is_not_broken_twice(platform: Platform) -> None:
    platform.break_("hanging database")
    with pytest.raises(ValueError, match="hanging database is broken already"):
        platform.break_("hanging database")
    platform.heal("hanging database")
    pass_time(platform, 60)


def test_every_trouble_names_alarms_and_monitors_that_there_are(platform: Platform) -> None:
    known = {each["AlarmName"] for each in platform.aws.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    for fault in FAULTS.values():
        assert set(fault.shows) <= known, fault.name
        assert {MONITORS[each.monitor] for each in fault.monitors} <= {fault.service}
        assert all(each.probe.startswith(each.organisation) for each in fault.monitors)
