"""What runbooks find out before they act: who asks the edge, whether a service crashes, whether alarms stay quiet."""

from datetime import timedelta
from typing import Any

import pytest

from runbooks.actions import Failed
from runbooks.actions.ecs_tasks import Crashing
from runbooks.actions.wafv2_traffic import Traffic
from runbooks.actions.watching import Watch
from tests.action_stage import ActionWorld, aws_server, look_on, play, world

__all__ = ["aws_server", "world"]

ASKED = {"web_acl": "edge", "metric": "edge"}


# --- alarms that must stay quiet ---


@pytest.fixture
def alarms(world: ActionWorld) -> dict[str, Any]:
    for name in ("cluster-cpu", "cluster-5xx"):
        world.double.client("cloudwatch").put_metric_alarm(
            AlarmName=name, MetricName="m", Namespace="n", Period=60, EvaluationPeriods=1, Threshold=1.0, Statistic="Average",
            ComparisonOperator="GreaterThanThreshold")
        world.double.cloudwatch.set_alarm(name, "OK")
    return {"alarms": ["cluster-cpu", "cluster-5xx"], "duration": "1h"}


def test_a_watch_is_over_when_all_stayed_quiet_so_long(world: ActionWorld, alarms: dict[str, Any]) -> None:
    begun = world.now
    played = play(world, Watch(), **alarms)
    assert played.plan == "would watch cluster-cpu, cluster-5xx for 1h, and stop as soon as one of them fires"
    assert played.seen == "done" and world.now - begun >= timedelta(hours=1)
    assert played.looks[-1].said == "cluster-cpu, cluster-5xx stayed quiet for 1h"


def test_a_watch_ends_at_the_first_alarm(world: ActionWorld, alarms: dict[str, Any]) -> None:
    params = Watch.params.model_validate(alarms)
    begun = Watch().act(world, params, {})
    world.forward(600)
    assert Watch().look(world, params, {}, begun.outputs).seen == "under way"
    world.double.cloudwatch.set_alarm("cluster-5xx", "ALARM", "too many")
    seen = Watch().look(world, params, {}, begun.outputs)
    assert (seen.seen, seen.said) == ("failed", "cluster-5xx fires since 02:24 UTC: too many")
    with pytest.raises(Failed, match="cluster-5xx fires"):
        Watch().act(world, params, {})


def test_no_signal_is_not_quiet(world: ActionWorld, alarms: dict[str, Any]) -> None:
    params = Watch.params.model_validate(alarms)
    begun = Watch().act(world, params, {})
    world.double.cloudwatch.set_alarm("cluster-cpu", "INSUFFICIENT_DATA")
    world.forward(3600)
    seen = Watch().look(world, params, {}, begun.outputs)
    assert (seen.seen, seen.said) == ("under way", "cluster-cpu: no data, and no signal is not OK")
    with pytest.raises(Failed, match="there is no alarm pay-api-9xx"):
        Watch().act(world, Watch.params.model_validate(alarms | {"alarms": ["pay-api-9xx"]}), {})


# --- a crash loop ---


@pytest.fixture
def ledger(world: ActionWorld) -> dict[str, Any]:
    """ledger runs version 1 for two days, and version 2 since a minute ago."""
    ecs = world.double.client("ecs")
    ecs.create_cluster(clusterName="payments")
    for _ in range(2):
        ecs.register_task_definition(family="ledger", containerDefinitions=[{"name": "ledger", "image": "ledger", "memory": 512}])
    ecs.create_service(cluster="payments", serviceName="ledger", taskDefinition="ledger:1", desiredCount=2)
    world.forward(2 * 86_400)
    ecs.update_service(cluster="payments", service="ledger", taskDefinition="ledger:2")
    return {"cluster": "payments", "service": "ledger", "deployed_within": "24h"}


def crash(world: ActionWorld, seconds: int = 300) -> None:
    world.double.ecs.crash("payments/ledger")
    for _ in range(seconds // 10):
        world.forward(10)
        world.double.client("ecs").list_clusters()         # whoever calls lets time do its work


def test_tasks_that_die_by_themselves_are_a_crash_loop(world: ActionWorld, ledger: dict[str, Any]) -> None:
    crash(world)
    played = play(world, Crashing(), **ledger)
    assert played.seen == "done" and played.outcome.outputs["task_definition"] == "ledger:2"
    assert "with ledger:2 died by themselves in the last 15 minutes: Essential container" in played.outcome.said
    assert "EssentialContainerExited" in played.outcome.log
    assert look_on(world, Crashing(), played.params, {}, {})[-1].seen == "done"


def test_tasks_that_others_stopped_are_none(world: ActionWorld, ledger: dict[str, Any]) -> None:
    world.forward(300)
    params = Crashing.params.model_validate(ledger)
    with pytest.raises(Failed, match="0 tasks of ledger died by themselves"):
        Crashing().act(world, params, {})
    assert Crashing().look(world, params, {}, {}).seen == "failed"


def test_an_old_version_is_not_to_blame(world: ActionWorld, ledger: dict[str, Any]) -> None:
    world.forward(2 * 86_400)
    crash(world)
    with pytest.raises(Failed, match="no new version is to blame"):
        Crashing().act(world, Crashing.params.model_validate(ledger), {})


def test_counting_deaths_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld, ledger: dict[str, Any]) -> None:
    crash(world)
    play(world, Crashing(), **ledger)
    assert set(Crashing().reads) <= set(world.called)


# --- who asks ---


def sampled(world: ActionWorld, **shares: tuple[str, int]) -> None:
    """A firewall that has seen so many requests of an address (a_203_0_113_7) in a country."""
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "edge"}
    world.double.client("wafv2", "us-east-1").create_web_acl(
        Name="edge", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, VisibilityConfig=seen)
    world.double.wafv2.sampled = [
        {"Request": {"ClientIP": name[2:].replace("_", "."), "Country": country, "URI": "/pay", "Method": "POST"}, "Weight": 1,
         "Timestamp": world.now, "Action": "ALLOW"}
        for name, (country, count) in shares.items() for _ in range(count)
    ]


def test_who_stands_out_is_named_by_country_and_by_address(world: ActionWorld) -> None:
    sampled(world, a_203_0_113_7=("KP", 60), a_198_51_100_4=("FR", 36), a_198_51_100_5=("FR", 4))
    played = play(world, Traffic(), **ASKED, home=["FR"])
    assert played.seen == "done"
    assert played.outcome.outputs["countries"] == ["KP"]
    assert played.outcome.outputs["addresses"] == ["203.0.113.7", "198.51.100.4"]
    assert played.outcome.said == "of 100 sampled requests: KP 60 %, FR 40 %; 2 addresses above 5 % each"
    assert "  60.0 %  203.0.113.7" in played.outcome.log


def test_nobody_is_named_whom_the_configuration_protects(world: ActionWorld) -> None:
    world.allowed = {"addresses": ["203.0.113.0/24"]}
    sampled(world, a_203_0_113_7=("KP", 60))
    assert play(world, Traffic(), **ASKED).outcome.outputs["addresses"] == []


def test_without_a_sample_nobody_is_accused(world: ActionWorld) -> None:
    sampled(world)
    params = Traffic.params.model_validate(ASKED)
    assert Traffic().act(world, params, {}).outputs == {}
    assert Traffic().look(world, params, {}, {}).seen == "under way"
    with pytest.raises(Failed, match="knows no web ACL other"):
        Traffic().act(world, Traffic.params.model_validate(ASKED | {"web_acl": "other"}), {})
