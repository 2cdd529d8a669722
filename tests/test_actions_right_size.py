"""Eighteen machines that could be three: the evidence, the refusals, and a step down that a later step can take."""

from typing import Any

import pytest

from runbooks.actions.autoscaling import SetDesired
from runbooks.actions.right_size import RightSize
from tests.action_ground import group_of, targets_of
from tests.action_stage import ActionWorld, aws_server, play, world
from tests.mishaps import narrowed

__all__ = ["aws_server", "world"]

BINS = 14 * 288


def feed(world: ActionWorld, name: str, **figures: float) -> None:
    """Fourteen days of five minutes of each metric, without rise or fall."""
    known = {
        "cpu": ("AWS/EC2", "CPUUtilization"), "in_service": ("AWS/AutoScaling", "GroupInServiceInstances"),
        "memory": ("CWAgent", "mem_used_percent"),
    }
    for each, value in figures.items():
        world.double.cloudwatch.feed(*known[each], {"AutoScalingGroupName": name}, [value] * BINS, 300)


def sized(world: ActionWorld, **given: Any) -> Any:
    return play(world, RightSize(), **{"group": "cluster", "stateless": True, **given})


@pytest.fixture
def cluster(world: ActionWorld) -> ActionWorld:
    """Eighteen machines that are idle."""
    group_of(world, desired=18, low=18, high=20, name="cluster")
    feed(world, "cluster", cpu=4.0, in_service=18.0, memory=5.0)
    return world


def test_eighteen_machines_are_advised_down_by_a_quarter_with_the_evidence(cluster: ActionWorld) -> None:
    played = sized(cluster, price_per_hour=0.1)
    assert played.plan == "would work out from 14 days of figures how many instances cluster needs"
    assert played.seen == "done" and played.looks[-1].said == (
        "the load of cluster needs 2 (its CPU decides); 3 keep it through the loss of a zone; it runs 18. "
        "Next step: 14, then wait for a peak")
    assert played.outcome.outputs == {
        "current": 18, "min": 18, "load": 2, "recommended": 3, "decisive": "CPU", "refused": [], "next": 14}
    for said in (
        "cluster: 18 instances of m5.large in 3 zones; minimum 18, maximum 20", "4032 values of 5 minutes",
        "CPU of the group, P99 4.0 %", "needed by measure: CPU 2, memory 2", "15.0 instances less, 1.50 an hour at 0.1 each",
        "nothing speaks against it", "from 2026-11-08 02:10 to 2026-11-22 02:10 UTC",
    ):
        assert said in played.outcome.log
    assert not RightSize().mutates


def test_the_next_step_can_be_taken_by_the_step_that_sets_capacity(cluster: ActionWorld) -> None:
    wanted = sized(cluster).outcome.outputs["next"]
    assert play(cluster, SetDesired(), group="cluster", desired=wanted, lower_min=True).seen == "done"


def test_nothing_is_advised_of_instances_that_may_keep_state(cluster: ActionWorld) -> None:
    played = sized(cluster, stateless=False)
    assert played.looks[-1].seen == "failed" and played.outcome.outputs["next"] == 18
    assert played.looks[-1].said == (
        "no recommendation for cluster: nobody has said that its instances keep no state (`stateless: true`)")
    assert "against it: nobody has said" in played.outcome.log


@pytest.mark.parametrize(("given", "said"), [
    ({"event": "Black Friday on 27 November"}, "an event is to come: Black Friday"),
])
def test_what_no_metric_shows_speaks_against_it(cluster: ActionWorld, given: dict[str, Any], said: str) -> None:
    assert said in sized(cluster, **given).looks[-1].said


def test_a_scheduled_peak_speaks_against_it(cluster: ActionWorld) -> None:
    cluster.double.client("autoscaling").put_scheduled_update_group_action(
        AutoScalingGroupName="cluster", ScheduledActionName="month-end", Recurrence="0 6 28 * *", MinSize=18, MaxSize=20,
        DesiredCapacity=20)
    assert "the scheduled action month-end wants 20 instances at 0 6 28 * *" in sized(cluster).looks[-1].said


def test_a_group_without_its_metrics_is_refused_for_each_of_them(world: ActionWorld) -> None:
    group_of(world, desired=18, low=18, high=20, name="cluster")
    refused = sized(world).outcome.outputs["refused"]
    assert [each[:5] for each in refused] == ["100 %", "100 %", "how m"]


def test_the_thread_pool_behind_a_load_balancer_is_found(world: ActionWorld) -> None:
    arn, _ = targets_of(world, count=6)
    elb = world.double.client("elbv2")
    balancer = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]["LoadBalancerArns"][0]
    behind = {"TargetGroup": arn.split(":")[-1], "LoadBalancer": balancer.split("loadbalancer/")[-1]}
    feed(world, "pay-api", cpu=4.0, in_service=6.0, memory=5.0)
    for metric, value in (("RequestCount", 60 * 300.0), ("TargetResponseTime", 0.9)):
        world.double.cloudwatch.feed("AWS/ApplicationELB", metric, behind, [value] * BINS, 300)
    played = sized(world, group="pay-api", threads=8)
    assert played.looks[-1].said == "pay-api runs 6, and its thread pool says 20: nothing can be taken away"
    assert "requests P99 60.0/s, latency P95 of 5-minute averages 900 ms" in played.outcome.log
    assert "nobody has tested more" in played.outcome.log
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": "stickiness.enabled", "Value": "true"}])
    assert "every client to the same instance" in sized(world, group="pay-api").looks[-1].said


def test_it_only_reads_with_the_rights_it_names(world: ActionWorld) -> None:
    targets_of(world, count=2)
    action = RightSize()
    narrow = narrowed(world, action)
    action.act(narrow, action.params(group="pay-api"), {})
    assert set(narrow.called) == set(action.reads) and not action.writes
