"""Auto Scaling: capacity within its limits, one instance replaced at a time, what is suspended comes back."""

import pytest

from runbooks.actions import Failed, Unsure
from runbooks.actions.autoscaling import ReadCapacity, Resume, SetDesired, Suspend
from runbooks.actions.replacement import ReplaceInstance
from tests.action_ground import (
    acted,
    assert_lost_is_found,
    assert_throttled_is_later,
    group_as_it_is,
    group_of,
    prepare,
    refusal,
    rights_unused,
)
from tests.action_stage import ActionWorld, aws_server, look_on, play, play_back, world

__all__ = ["aws_server", "world"]

ARN = "arn:aws:autoscaling:eu-west-3:111122223333:autoScalingGroup:*:autoScalingGroupName/pay-api"


# --- desired capacity ---


def test_scaling_out_says_from_what_to_what_and_waits_until_all_serve(world: ActionWorld) -> None:
    group_of(world, desired=4)
    played = play(world, SetDesired(), group="pay-api", desired=6)
    assert played.plan == "would set desired capacity of pay-api from 4 to 6; 2 instances would be started"
    assert [each.seen for each in played.looks] == ["under way"] * 8 + ["done"]
    assert played.looks[0].said == "pay-api wants 6 instances and has 4 in service"
    assert SetDesired().resources(played.params, played.before, world.place) == [ARN]
    assert play_back(world, SetDesired(), played)[-1].seen == "done"
    assert group_as_it_is(world)["DesiredCapacity"] == 4


def test_scaling_in_below_the_minimum_needs_a_word_and_is_undone_with_it(world: ActionWorld) -> None:
    group_of(world, desired=18, low=18, high=20)
    said = refusal(world, SetDesired(), group="pay-api", desired=14)
    assert str(said) == "pay-api may run 18 to 20 instances: 14 lies outside; with `lower_min` its minimum would go down too"
    played = play(world, SetDesired(), group="pay-api", desired=14, lower_min=True)
    assert played.plan == (
        "would set desired capacity of pay-api from 18 to 14, and its minimum from 18 to 14; 4 instances would be terminated")
    assert played.seen == "done" and group_as_it_is(world)["MinSize"] == 14
    assert play_back(world, SetDesired(), played)[-1].seen == "done"
    assert [group_as_it_is(world)[each] for each in ("DesiredCapacity", "MinSize", "MaxSize")] == [18, 18, 20]


def test_no_capacity_above_the_maximum_is_asked_for(world: ActionWorld) -> None:
    group_of(world)
    said = refusal(world, SetDesired(), group="pay-api", desired=7, lower_min=True)
    assert str(said) == "pay-api may run 2 to 6 instances: 7 lies outside" and not said.again


def test_a_group_whose_launches_are_suspended_is_not_told_to_grow(world: ActionWorld) -> None:
    group_of(world)
    world.double.client("autoscaling").suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["Launch"])
    assert "Launch is suspended in pay-api" in str(refusal(world, SetDesired(), group="pay-api", desired=5))
    prepare(world, SetDesired(), group="pay-api", desired=3)


def test_a_policy_that_may_turn_it_back_is_named_in_the_plan(world: ActionWorld) -> None:
    group_of(world)
    world.double.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName="pay-api", PolicyName="cpu60", PolicyType="TargetTrackingScaling", TargetTrackingConfiguration={
            "TargetValue": 60.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}})
    assert prepare(world, SetDesired(), group="pay-api", desired=5)[2].endswith("may change it again: cpu60")


def test_a_cool_down_is_honoured_and_tried_again_later(world: ActionWorld) -> None:
    group_of(world)
    play(world, SetDesired(), group="pay-api", desired=5)
    params, before, _ = prepare(world, SetDesired(), group="pay-api", desired=6)
    means = acted(world, SetDesired(), params, before)
    assert isinstance(means, Failed) and means.again and "ScalingActivityInProgress" in str(means)
    world.forward(300)
    SetDesired().act(world, params, before)


def test_what_something_else_changed_meanwhile_will_not_become_done(world: ActionWorld) -> None:
    group_of(world)
    params, before, _ = prepare(world, SetDesired(), group="pay-api", desired=6)
    outputs = SetDesired().act(world, params, before).outputs
    world.double.client("autoscaling").set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=3)
    look = SetDesired().look(world, params, before, outputs)
    assert (look.seen, look.said) == ("failed", "pay-api wants 3 instances now, not 6: something else has changed it")


def test_the_number_that_runs_already_changes_nothing(world: ActionWorld) -> None:
    group_of(world)
    played = play(world, SetDesired(), group="pay-api", desired=4)
    assert played.plan == "would set desired capacity of pay-api from 4 to 4; nothing would change" and played.seen == "done"


def test_a_throttled_or_lost_change_of_capacity_is_told_apart(world: ActionWorld) -> None:
    group_of(world)
    assert_throttled_is_later(world, SetDesired(), "autoscaling", "SetDesiredCapacity", group="pay-api", desired=5)
    world.double.calls.clear()
    assert_lost_is_found(world, SetDesired(), "autoscaling", "SetDesiredCapacity", group="pay-api", desired=5)


def test_a_group_that_aws_does_not_know_is_named(world: ActionWorld) -> None:
    assert str(refusal(world, SetDesired(), group="nobody", desired=1)) == "AWS knows no Auto Scaling group nobody"
    with pytest.raises(ValueError, match="pattern"):
        SetDesired.params(group="pay-*", desired=1)


# --- one instance replaced ---


def test_an_instance_is_replaced_and_the_new_one_is_named(world: ActionWorld) -> None:
    ids = group_of(world, desired=3)
    played = play(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    assert played.plan == (
        f"would terminate {ids[0]} (InService, Healthy) in pay-api and have it replaced; 2 healthy ones stay")
    assert [each.seen for each in played.looks] == ["under way"] * 8 + ["done"]
    new = played.looks[-1].outputs["instance"]
    assert new not in ids and ids[0] not in [each["InstanceId"] for each in group_as_it_is(world)["Instances"]]
    assert ReplaceInstance().target(played.params) == "asg:pay-api"


def test_only_one_instance_is_replaced_at_a_time(world: ActionWorld) -> None:
    ids = group_of(world, desired=4)
    params, before, _ = prepare(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    ReplaceInstance().act(world, params, before)
    world.called.clear()
    said = refusal(world, ReplaceInstance(), group="pay-api", instance=ids[1])
    assert said.again and "is already changing" in str(said)
    again = refusal(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    assert "is Terminating already" in str(again)


def test_enough_healthy_instances_must_be_left(world: ActionWorld) -> None:
    ids = group_of(world, desired=3, low=3)
    autoscaling = world.double.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["ReplaceUnhealthy"])
    autoscaling.set_instance_health(InstanceId=ids[1], HealthStatus="Unhealthy")
    said = refusal(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    assert str(said) == "only 1 other healthy instances would be left in pay-api, at least 2 are needed" and said.again
    prepare(world, ReplaceInstance(), group="pay-api", instance=ids[0], least=1)
    prepare(world, ReplaceInstance(), group="pay-api", instance=ids[1])


def test_a_protected_instance_a_stranger_and_a_halted_group_are_refused(world: ActionWorld) -> None:
    ids = group_of(world)
    autoscaling = world.double.client("autoscaling")
    stranger = refusal(world, ReplaceInstance(), group="pay-api", instance="i-0123456789abcdef0")
    assert str(stranger) == "i-0123456789abcdef0 does not belong to the Auto Scaling group pay-api"
    autoscaling.set_instance_protection(InstanceIds=[ids[0]], AutoScalingGroupName="pay-api", ProtectedFromScaleIn=True)
    assert "protected from scale-in" in str(refusal(world, ReplaceInstance(), group="pay-api", instance=ids[0]))
    autoscaling.suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["Launch"])
    assert "Launch is suspended" in str(refusal(world, ReplaceInstance(), group="pay-api", instance=ids[1]))


def test_a_second_order_to_terminate_is_no_second_termination(world: ActionWorld) -> None:
    ids = group_of(world)
    params, before, _ = prepare(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    ReplaceInstance().act(world, params, before)
    outcome = ReplaceInstance().act(world, params, before)
    assert outcome.said == f"AWS no longer knows {ids[0]} in pay-api: whether it was replaced is looked up"
    assert look_on(world, ReplaceInstance(), params, before, outcome.outputs)[-1].seen == "done"
    assert sum(each["LifecycleState"] == "InService" for each in group_as_it_is(world)["Instances"]) == 4


def test_a_lost_or_throttled_termination_is_told_apart(world: ActionWorld) -> None:
    ids = group_of(world)
    operation = "TerminateInstanceInAutoScalingGroup"
    assert_throttled_is_later(world, ReplaceInstance(), "autoscaling", operation, group="pay-api", instance=ids[0])
    world.double.calls.clear()
    assert_lost_is_found(world, ReplaceInstance(), "autoscaling", operation, group="pay-api", instance=ids[0])


def test_a_group_that_became_smaller_brings_no_replacement(world: ActionWorld) -> None:
    ids = group_of(world)
    params, before, _ = prepare(world, ReplaceInstance(), group="pay-api", instance=ids[0])
    world.double.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=ids[0], ShouldDecrementDesiredCapacity=True)
    look = look_on(world, ReplaceInstance(), params, before, {})[-1]
    assert (look.seen, look.said) == ("failed", (
        f"{ids[0]} has left pay-api, which wants 3 instances now instead of 4: no replacement will come"))


# --- suspended and resumed ---


def test_only_what_this_step_suspended_is_resumed_by_its_undo(world: ActionWorld) -> None:
    group_of(world)
    world.double.client("autoscaling").suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["AZRebalance"])
    played = play(world, Suspend(), group="pay-api", processes=["AZRebalance", "ReplaceUnhealthy"])
    assert played.plan == (
        "would suspend AZRebalance, ReplaceUnhealthy of pay-api; AZRebalance are so already; "
        "it will not replace an instance that is lost meanwhile")
    assert played.looks[-1].said == "suspended in pay-api: AZRebalance, ReplaceUnhealthy"
    assert play_back(world, Suspend(), played)[-1].seen == "done"
    assert [each["ProcessName"] for each in group_as_it_is(world)["SuspendedProcesses"]] == ["AZRebalance"]


def test_what_was_suspended_is_resumed_and_can_be_suspended_again(world: ActionWorld) -> None:
    group_of(world)
    world.double.client("autoscaling").suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["AlarmNotification"])
    played = play(world, Resume(), group="pay-api", processes=["AlarmNotification", "Launch"])
    assert played.plan == "would resume AlarmNotification, Launch of pay-api; Launch are so already"
    assert played.looks[-1].said == "suspended in pay-api: nothing"
    assert play_back(world, Resume(), played)[-1].seen == "done"
    assert [each["ProcessName"] for each in group_as_it_is(world)["SuspendedProcesses"]] == ["AlarmNotification"]


def test_a_lost_or_throttled_suspension_is_told_apart(world: ActionWorld) -> None:
    group_of(world)
    asked = {"group": "pay-api", "processes": ["AlarmNotification"]}
    assert_throttled_is_later(world, Suspend(), "autoscaling", "SuspendProcesses", **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, Suspend(), "autoscaling", "SuspendProcesses", **asked)
    world.double.calls.clear()
    assert_throttled_is_later(world, Resume(), "autoscaling", "ResumeProcesses", **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, Resume(), "autoscaling", "ResumeProcesses", **asked)


# --- reading ---


def test_the_capacity_is_read_and_waited_for(world: ActionWorld) -> None:
    ids = group_of(world, desired=4)
    played = play(world, ReadCapacity(), group="pay-api", complete=True)
    assert played.seen == "done" and not ReadCapacity().mutates
    assert played.outcome.outputs == {
        "desired": 4, "one_more": 5, "min": 2, "max": 6, "in_service": 4, "instances": sorted(ids), "suspended": []}
    world.double.client("autoscaling").set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=5)
    assert ReadCapacity().look(world, ReadCapacity.params(group="pay-api", at_least=4), {}, {}).seen == "done"
    assert ReadCapacity().look(world, ReadCapacity.params(group="pay-api", at_least=5), {}, {}).seen == "under way"
    assert play(world, ReadCapacity(), group="pay-api", complete=True).seen == "done"


# --- rights ---


def test_capacity_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld) -> None:
    group_of(world, desired=4)
    assert rights_unused(world, SetDesired(), group="pay-api", desired=5) == set()


@pytest.mark.parametrize("action", [Suspend(), Resume()])
def test_halting_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld, action: Suspend | Resume) -> None:
    group_of(world)
    world.double.client("autoscaling").suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["Launch"])
    processes = ["Launch" if action.verb == "resume" else "Terminate"]
    assert rights_unused(world, action, group="pay-api", processes=processes) == set()


def test_replacing_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld) -> None:
    assert rights_unused(world, ReplaceInstance(), undo=False, group="pay-api", instance=group_of(world)[0]) == set()


def test_an_answer_that_was_lost_is_no_refusal(world: ActionWorld) -> None:
    group_of(world)
    params, before, _ = prepare(world, SetDesired(), group="pay-api", desired=5)
    world.double.faults.broken("autoscaling", "SetDesiredCapacity")
    assert isinstance(acted(world, SetDesired(), params, before), Unsure)
    assert SetDesired().look(world, params, before, {}).seen == "not seen"
