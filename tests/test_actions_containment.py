"""A compromised instance: its disks are kept, it is cut off without its group destroying it, and it can be released."""

from typing import Any

import pytest

from runbooks.actions import Failed, Unsure
from runbooks.actions.containment import Isolate, Snapshot
from runbooks.faults import told
from tests.action_ground import (
    acted,
    assert_lost_is_found,
    assert_throttled_is_later,
    group_as_it_is,
    group_of,
    instance_of,
    prepare,
    refusal,
    rights_unused,
)
from tests.action_stage import ActionWorld, aws_server, look_on, play, play_back, world

__all__ = ["aws_server", "world"]


def security_group(world: ActionWorld, name: str, *, everything: bool = False, vpc: str = "") -> str:
    """A group that lets nothing in or out, or everything."""
    ec2 = world.double.client("ec2")
    vpc = vpc or ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])
    all_of_it = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    if everything:
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=all_of_it)
    else:
        ec2.revoke_security_group_egress(GroupId=made, IpPermissions=all_of_it)
    return made


def worn(world: ActionWorld, id: str) -> list[list[str]]:
    """The security groups of each of its network interfaces."""
    of_it = [{"Name": "attachment.instance-id", "Values": [id]}]
    found = world.double.client("ec2").describe_network_interfaces(Filters=of_it)["NetworkInterfaces"]
    return [[each["GroupId"] for each in interface["Groups"]] for interface in found]


def with_two_interfaces(world: ActionWorld) -> str:
    id, ec2 = instance_of(world), world.double.client("ec2")
    subnet = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["eu-west-3a"]}])["Subnets"][0]["SubnetId"]
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=id, DeviceIndex=1)
    return id


def lifecycle(world: ActionWorld, id: str) -> str:
    return next(str(each["LifecycleState"]) for each in group_as_it_is(world)["Instances"] if each["InstanceId"] == id)


# --- cut off ---


def test_every_interface_wears_the_quarantine_only_and_gets_its_own_groups_back(world: ActionWorld) -> None:
    id, quarantine = with_two_interfaces(world), security_group(world, "quarantine")
    was = worn(world, id)
    played = play(world, Isolate(), instance=id, quarantine=quarantine)
    first = next(iter(played.before["interfaces"]))
    assert played.plan.startswith(f"would replace the security groups of {id}: {first} from ")
    assert played.plan.count(f" to {quarantine}") == 2 and len(was) == 2
    assert (played.seen, worn(world, id)) == ("done", [[quarantine], [quarantine]])
    assert prepare(world, Isolate(), instance=id, quarantine="quarantine")[1]["quarantine"] == quarantine
    assert play_back(world, Isolate(), played)[-1].seen == "done"
    assert worn(world, id) == was
    named = Isolate().resources(played.params, played.before, world.place)
    assert f"arn:aws:ec2:eu-west-3:111122223333:network-interface/{first}" in named
    assert f"arn:aws:ec2:eu-west-3:111122223333:security-group/{quarantine}" in named


def test_a_group_puts_its_instance_in_standby_first_and_starts_another(world: ActionWorld) -> None:
    id, quarantine = group_of(world, desired=3)[0], security_group(world, "quarantine")
    played = play(world, Isolate(), instance=id, quarantine=quarantine)
    assert played.plan.endswith("after putting it in standby in pay-api, which would start another in its place")
    done = [each for each in world.called if each in Isolate().writes]
    assert done == ["autoscaling:EnterStandby", "ec2:ModifyNetworkInterfaceAttribute"]
    assert played.looks[-1].said == f"1 of 1 network interfaces are in {quarantine}; in its group it is Standby"
    assert group_as_it_is(world)["DesiredCapacity"] == 3
    assert play_back(world, Isolate(), played)[-1].seen == "done"
    assert lifecycle(world, id) == "InService"


def test_a_group_may_run_one_less_instead(world: ActionWorld) -> None:
    id, quarantine = group_of(world, desired=3)[0], security_group(world, "quarantine")
    played = play(world, Isolate(), instance=id, quarantine=quarantine, replace=False)
    assert played.plan.endswith("which would run one instance less") and group_as_it_is(world)["DesiredCapacity"] == 2
    assert play_back(world, Isolate(), played)[-1].seen == "done"
    assert group_as_it_is(world)["DesiredCapacity"] == 3


def test_open_connections_end_by_way_of_a_group_that_allows_everything(world: ActionWorld) -> None:
    id, quarantine = instance_of(world), security_group(world, "quarantine")
    through = security_group(world, "everything", everything=True)
    played = play(world, Isolate(), instance=id, quarantine=quarantine, through=through)
    assert played.plan.endswith(f"for a moment through {through} so that open connections end too")
    sent = [each.params["Groups"] for each in world.double.calls if each.operation == "ModifyNetworkInterfaceAttribute"]
    assert sent == [[through], [quarantine]]
    said = refusal_of(world, instance=id, quarantine=quarantine, through=quarantine)
    assert said == f"{quarantine} does not allow everything in both directions, so open connections would go on"


def refusal_of(world: ActionWorld, **given: Any) -> str:
    with pytest.raises(Failed) as caught:
        prepare(world, Isolate(), **given)
    return str(caught.value)


def test_a_group_that_lets_anything_through_is_no_quarantine(world: ActionWorld) -> None:
    id, ec2 = instance_of(world), world.double.client("ec2")
    everything = security_group(world, "everything", everything=True)
    assert "no security group nowhere" in str(refusal(world, Isolate(), instance=id, quarantine="nowhere"))
    assert "it lets everything in" in str(refusal(world, Isolate(), instance=id, quarantine=everything))
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    elsewhere = security_group(world, "elsewhere", vpc=other)
    assert "another VPC" in str(refusal(world, Isolate(), instance=id, quarantine=elsewhere))
    with pytest.raises(Exception) as caught:
        prepare(world, Isolate(), instance=id, quarantine="sg-0123456789abcdef0")
    assert "InvalidGroup.NotFound" in str(told(caught.value))
    ec2.terminate_instances(InstanceIds=[id])
    assert "nothing left to isolate" in str(refusal(world, Isolate(), instance=id, quarantine=everything))


def test_half_an_isolation_is_neither_done_nor_undone_and_may_be_sent_again(world: ActionWorld) -> None:
    id, quarantine = with_two_interfaces(world), security_group(world, "quarantine")
    params, before, _ = prepare(world, Isolate(), instance=id, quarantine=quarantine)
    ec2 = world.aws("ec2")
    sent: list[str] = []

    def fail_second(**_: Any) -> None:
        sent.append("")
        if len(sent) == 2:
            world.double.faults.throttle("ec2", "ModifyNetworkInterfaceAttribute")

    ec2.meta.events.register("before-call.ec2.ModifyNetworkInterfaceAttribute", fail_second)
    means = acted(world, Isolate(), params, before)
    assert isinstance(means, Unsure)
    assert str(means).startswith("1 of 2 calls were made, and then: AWS refused: RequestLimitExceeded")
    look = Isolate().look(world, params, before, {})
    assert (look.seen, look.said) == ("failed", f"1 of 2 network interfaces are in {quarantine}")
    outputs = Isolate().act(world, params, before).outputs
    assert look_on(world, Isolate(), params, before, outputs)[-1].seen == "done"


def test_a_lost_or_throttled_isolation_is_told_apart(world: ActionWorld) -> None:
    id, quarantine = instance_of(world), security_group(world, "quarantine")
    asked = {"instance": id, "quarantine": quarantine}
    assert_throttled_is_later(world, Isolate(), "ec2", "ModifyNetworkInterfaceAttribute", **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, Isolate(), "ec2", "ModifyNetworkInterfaceAttribute", **asked)


def test_a_lost_standby_is_not_entered_twice(world: ActionWorld) -> None:
    id, quarantine = group_of(world, desired=3)[0], security_group(world, "quarantine")
    params, before, _ = prepare(world, Isolate(), instance=id, quarantine=quarantine)
    world.double.faults.lose("autoscaling", "EnterStandby")
    assert isinstance(acted(world, Isolate(), params, before), Unsure)
    assert Isolate().look(world, params, before, {}).seen == "failed"
    outputs = Isolate().act(world, params, before).outputs
    assert look_on(world, Isolate(), params, before, outputs)[-1].seen == "done"
    assert [each.operation for each in world.double.calls].count("EnterStandby") == 1


def test_isolating_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld) -> None:
    id, quarantine = group_of(world, desired=3)[0], security_group(world, "quarantine")
    assert rights_unused(world, Isolate(), instance=id, quarantine=quarantine) == set()


# --- kept ---


def test_every_disk_of_an_instance_is_kept_with_the_runs_tag(world: ActionWorld) -> None:
    id, ec2 = instance_of(world), world.double.client("ec2")
    extra = ec2.create_volume(AvailabilityZone="eu-west-3a", Size=8)["VolumeId"]
    ec2.attach_volume(VolumeId=extra, InstanceId=id, Device="/dev/sdf")
    played = play(world, Snapshot(), instance=id, complete=True)
    assert played.plan.startswith(f"would take a snapshot of 2 volumes of {id} (vol-") and extra in played.plan
    assert (played.seen, played.looks[-1].said) == ("done", "2 of 2 snapshots are there, 2 complete")
    kept = ec2.describe_snapshots(OwnerIds=["self"], Filters=[{"Name": "tag:vigie", "Values": [world.label]}])["Snapshots"]
    assert sorted(each["SnapshotId"] for each in kept) == played.outcome.outputs["snapshots"]
    assert Snapshot().resources(played.params, played.before, world.place)[-1] == "arn:aws:ec2:eu-west-3::snapshot/*"


def test_a_second_attempt_takes_no_second_snapshots(world: ActionWorld) -> None:
    id = instance_of(world)
    params, before, _ = prepare(world, Snapshot(), instance=id)
    first = Snapshot().act(world, params, before)
    assert Snapshot().act(world, params, before).outputs == first.outputs
    assert [each.operation for each in world.double.calls].count("CreateSnapshots") == 1


def test_a_snapshot_that_breaks_will_not_become_done(world: ActionWorld) -> None:
    played = play(world, Snapshot(), instance=instance_of(world))

    def broken(parsed: Any, **_: Any) -> None:
        parsed["Snapshots"][0]["State"] = "error"

    world.aws("ec2").meta.events.register("after-call.ec2.DescribeSnapshots", broken)
    look = Snapshot().look(world, played.params, played.before, played.outcome.outputs)
    assert look.seen == "failed" and look.said.startswith("AWS could not finish the snapshot snap-")


def test_a_lost_or_throttled_snapshot_is_told_apart(world: ActionWorld) -> None:
    id = instance_of(world)
    assert_throttled_is_later(world, Snapshot(), "ec2", "CreateSnapshots", instance=id)
    world.double.calls.clear()
    assert_lost_is_found(world, Snapshot(), "ec2", "CreateSnapshots", instance=id)


def test_keeping_asks_for_the_rights_it_uses_and_no_others(world: ActionWorld) -> None:
    assert rights_unused(world, Snapshot(), undo=False, instance=instance_of(world)) == set()
