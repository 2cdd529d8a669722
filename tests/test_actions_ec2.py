"""EC2: a reboot is never sent twice, an instance stops and starts where it may, and its state is read."""

from typing import Any

import pytest

from runbooks.actions import Unsure
from runbooks.actions.ec2 import InstanceState, Reboot, Start, Stop
from tests.action_ground import (
    assert_lost_is_found,
    assert_throttled_is_later,
    group_of,
    instance_of,
    prepare,
    refusal,
    rights_unused,
)
from tests.action_stage import ActionWorld, aws_server, look_on, play, play_back, world
from tests.mishaps import Tried, tried

__all__ = ["aws_server", "world"]


def state(world: ActionWorld, id: str) -> str:
    found = world.double.client("ec2").describe_instances(InstanceIds=[id])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


# --- reboot ---


def test_a_rebooted_instance_is_believed_only_when_its_checks_can_be_of_after_it(world: ActionWorld) -> None:
    id = instance_of(world)
    played = play(world, Reboot(), instance=id)
    assert played.plan == f"would reboot {id} (m5.large, eu-west-3a, status checks ok)"
    assert played.looks[0].said == f"{id} is coming up: status checks ok/initializing"
    assert played.looks[-2].said == f"the status checks of {id} may still be those of before the reboot"
    assert played.looks[-1].said == f"{id} has been rebooted and its status checks are ok" and played.seen == "done"
    assert Reboot().resources(played.params, played.before, world.place) == [
        f"arn:aws:ec2:eu-west-3:111122223333:instance/{id}"]
    assert not Reboot().idempotent and Reboot().no_undo


def test_an_impaired_instance_is_not_rebooted_well_until_its_checks_are_ok(world: ActionWorld) -> None:
    id = instance_of(world)
    world.double.ec2.impaired.add(id)
    params, before, plan = prepare(world, Reboot(), instance=id)
    assert plan.endswith("status checks ok/impaired)")
    outputs = Reboot().act(world, params, before).outputs
    world.double.ec2.impaired.add(id)
    world.forward(130)
    look = Reboot().look(world, params, before, outputs)
    assert (look.seen, look.said) == ("under way", f"{id} is coming up: status checks ok/impaired")
    world.double.ec2.impaired.clear()
    assert Reboot().look(world, params, before, outputs).seen == "done"


def test_an_instance_that_does_not_run_or_comes_up_just_now_is_not_rebooted(world: ActionWorld) -> None:
    id, ec2 = instance_of(world), world.double.client("ec2")
    ec2.reboot_instances(InstanceIds=[id])
    assert refusal(world, Reboot(), instance=id).again
    ec2.stop_instances(InstanceIds=[id])
    assert str(refusal(world, Reboot(), instance=id)) == f"{id} is stopped: only a running instance can be rebooted"


def test_a_reboot_without_an_answer_is_done_if_the_checks_begin_anew(world: ActionWorld) -> None:
    once = lost(world, instance_of(world))
    look = Reboot().look(world, once.params, once.before, {})
    assert look.seen == "under way" and look.said.endswith("is coming up: status checks ok/initializing")
    looks = look_on(world, Reboot(), once.params, once.before, look.outputs)
    assert looks[-1].seen == "done" and world.called.count("ec2:RebootInstances") == 1


def lost(world: ActionWorld, id: str) -> Tried:
    world.double.faults.lose("ec2", "RebootInstances", hang=True)
    world.hurry()
    once = tried(world, Reboot(), "ec2:RebootInstances", instance=id)
    assert isinstance(once.meaning, Unsure)
    return once


def test_a_reboot_without_an_answer_and_without_a_trace_is_for_a_person(world: ActionWorld) -> None:
    id = instance_of(world)
    world.double.faults.broken("ec2", "RebootInstances")
    once = tried(world, Reboot(), "ec2:RebootInstances", instance=id)
    assert isinstance(once.meaning, Unsure)
    look = Reboot().look(world, once.params, once.before, {})
    assert (look.seen, look.said) == ("not seen", f"nothing shows that {id} was rebooted: running, status checks ok")


def test_an_instance_started_anew_was_not_rebooted(world: ActionWorld) -> None:
    id = instance_of(world)
    params, before, _ = prepare(world, Reboot(), instance=id)
    look = Reboot().look(world, params, {**before, "launched": "2026-11-01T00:00:00+00:00"}, {"rebooted": before["launched"]})
    assert look.seen == "failed" and "started anew" in look.said


def test_a_throttled_reboot_may_be_tried_later(world: ActionWorld) -> None:
    assert_throttled_is_later(world, Reboot(), "ec2", "RebootInstances", instance=instance_of(world))


# --- stop and start ---


def test_an_instance_is_stopped_and_started_again_by_undo(world: ActionWorld) -> None:
    id = instance_of(world)
    played = play(world, Stop(), instance=id)
    assert played.plan.startswith(f"would stop {id} (m5.large, eu-west-3a), now running")
    assert played.seen == "done" and state(world, id) == "stopped"
    assert play_back(world, Stop(), played)[-1].seen == "done"
    assert state(world, id) == "running"


def test_an_instance_is_started_and_stopped_again_by_undo(world: ActionWorld) -> None:
    id = instance_of(world)
    world.double.client("ec2").stop_instances(InstanceIds=[id])
    played = play(world, Start(), instance=id)
    assert played.plan == f"would start {id} (m5.large, eu-west-3a), now stopped" and played.seen == "done"
    assert play_back(world, Start(), played)[-1].seen == "done"
    assert state(world, id) == "stopped"


def test_what_was_stopped_before_stays_stopped_on_the_way_back(world: ActionWorld) -> None:
    id = instance_of(world)
    world.double.client("ec2").stop_instances(InstanceIds=[id])
    played = play(world, Stop(), instance=id)
    assert played.plan == f"would stop {id} (m5.large, eu-west-3a), now stopped; nothing would change"
    assert play_back(world, Stop(), played)[-1].seen == "done" and state(world, id) == "stopped"


def test_an_instance_that_its_group_would_replace_is_not_stopped_but_in_standby(world: ActionWorld) -> None:
    id = group_of(world)[0]
    said = refusal(world, Stop(), instance=id)
    assert str(said) == f"{id} belongs to the Auto Scaling group pay-api, which would replace it: put it in standby first"
    world.double.client("autoscaling").enter_standby(
        InstanceIds=[id], AutoScalingGroupName="pay-api", ShouldDecrementDesiredCapacity=True)
    assert play(world, Stop(), instance=id).seen == "done"


def test_a_terminated_instance_is_neither_stopped_nor_started(world: ActionWorld) -> None:
    id = instance_of(world)
    world.double.client("ec2").terminate_instances(InstanceIds=[id])
    assert str(refusal(world, Stop(), instance=id)) == f"{id} is terminated: it cannot be told to stop"
    assert str(refusal(world, Start(), instance=id)) == f"{id} is terminated: it cannot be told to start"


def test_a_disk_that_dies_with_the_instance_keeps_it_running(world: ActionWorld) -> None:
    id = instance_of(world)

    def lose_disk(parsed: Any, **_: Any) -> None:
        parsed["Reservations"][0]["Instances"][0]["RootDeviceType"] = "instance-store"

    world.aws("ec2").meta.events.register("after-call.ec2.DescribeInstances", lose_disk)
    assert "a disk that is lost when it stops" in str(refusal(world, Stop(), instance=id))


def test_a_lost_or_throttled_stop_is_told_apart(world: ActionWorld) -> None:
    id = instance_of(world)
    assert_throttled_is_later(world, Stop(), "ec2", "StopInstances", instance=id)
    world.double.calls.clear()
    assert_lost_is_found(world, Stop(), "ec2", "StopInstances", instance=id)
    world.double.calls.clear()
    assert_throttled_is_later(world, Start(), "ec2", "StartInstances", instance=id)
    world.double.calls.clear()
    assert_lost_is_found(world, Start(), "ec2", "StartInstances", instance=id)


# --- reading ---


def test_the_state_of_an_instance_is_read_and_waited_for(world: ActionWorld) -> None:
    id = instance_of(world)
    played = play(world, InstanceState(), instance=id, expect="running", checks=True)
    assert played.outcome.said == f"{id} is running, status checks ok"
    assert {key: played.outcome.outputs[key] for key in ("state", "checks", "kind", "zone")} == {
        "state": "running", "checks": "ok", "kind": "m5.large", "zone": "eu-west-3a"}
    world.double.ec2.impaired.add(id)
    look = InstanceState().look(world, played.params, {}, {})
    assert (look.seen, look.said) == ("under way", f"{id} is running, status checks ok/impaired")
    assert InstanceState().look(world, InstanceState.params(instance=id, expect="stopped"), {}, {}).seen == "under way"


def test_an_instance_id_is_checked_before_anything_is_asked() -> None:
    for wrong in ("i-*", "pay-api", "i-0123456789abcdef0\n", "sg-0a1b2c3d4e5f67890"):
        with pytest.raises(ValueError, match="pattern"):
            Reboot.params(instance=wrong)


# --- rights ---


@pytest.mark.parametrize("action", [Reboot(), Stop(), Start()])
def test_acts_on_instances_ask_for_the_rights_they_use_and_no_others(world: ActionWorld, action: Any) -> None:
    id = instance_of(world)
    if isinstance(action, Start):
        world.double.client("ec2").stop_instances(InstanceIds=[id])
    assert rights_unused(world, action, undo=not action.no_undo, instance=id) == set()
