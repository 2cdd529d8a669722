"""A compromised instance: keep what is on its disks, and cut it off. The order is that of AWSSupport-ContainEC2Instance."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from runbooks.actions import Failed, Look, Outcome, Place, Service, State, World
from runbooks.aids.machines import Machine, Member, OfMachine, SecurityGroupId, group_arn, instance, member
from runbooks.aids.several import one_by_one

NO_VOLUMES = "{instance} has no EBS volume to take a snapshot of"
SNAPSHOTS = "would take a snapshot of {count} volumes of {instance} ({volumes}), all of one instant"
TAKEN = "snapshots of {instance}: {snapshots}"
KEPT = "{done} of {count} snapshots are there, {complete} complete"
BROKEN = "AWS could not finish the snapshot {snapshot}"

GONE = "{instance} is {state}: there is nothing left to isolate"
MOVING = "{instance} is {lifecycle} in its group {group}: wait until that is over"
NO_GROUP = "there is no security group {group} in {vpc}, the network of the machine"
OTHER_NETWORK = "{group} belongs to another VPC than {instance}"
NO_QUARANTINE = "{group} is no quarantine: it lets everything {way}; a quarantine group has no rule for 0.0.0.0/0 or ::/0"
NOT_OPEN = "{group} does not allow everything in both directions, so open connections would go on"
NO_INTERFACES = "{instance} has no network interface"
ISOLATE = "would replace the security groups of {instance}: {interfaces}"
INTERFACE = "{interface} from {groups} to {quarantine}"
THROUGH = ", for a moment through {group} so that open connections end too"
STANDBY = ", after putting it in standby in {group}, which would start another in its place"
STANDBY_ONLY = ", after putting it in standby in {group}, which would run one instance less"
ISOLATED = "{done} of {count} network interfaces are in {quarantine}"
LIFECYCLE = "{said}; in its group it is {lifecycle}"
SENT = "AWS took the new security groups of {count} network interfaces"
RELEASED = "AWS took back the security groups of {count} network interfaces"
BACK = "; {group} counts one instance more now: set its desired capacity if that is too many"
AS_BEFORE = "the security groups are those of before"
NOT_AS_BEFORE = "the security groups are not yet those of before, or the instance is not back in its group"

TAG = "vigie"
GROUP = r"^(sg-[0-9a-f]{8,17}|[A-Za-z0-9_.-]{1,255})$"
EVERYWHERE = ("0.0.0.0/0", "::/0")
SERVES = "InService"


class Evidence(Machine):
    """An instance, and how sure its snapshots must be."""

    complete: bool = Field(False, description="Wait until all is copied; each is of the instant it was asked for either way")


class Snapshot(OfMachine[Evidence]):
    """Keep what is on an instance's disks: a snapshot of every volume, of one instant."""

    name = "aws.ec2.snapshot"
    params = Evidence
    changes = "a snapshot of each EBS volume of the instance is made, tagged with the run; its storage costs money"
    verified = "a snapshot with this run's tag exists for every volume, and none has failed"
    no_undo = "evidence is kept: whoever owns it deletes it by hand"
    reads = ("ec2:DescribeInstances", "ec2:DescribeSnapshots")
    writes = ("ec2:CreateSnapshots", "ec2:CreateTags")

    def resources(self, params: Evidence, before: State, place: Place) -> Sequence[str]:
        """A snapshot's ARN has no account."""
        volumes = [place.arn("ec2", f"volume/{each}") for each in before["volumes"]]
        return [*super().resources(params, before, place), *volumes, f"arn:{place.partition}:ec2:{place.region}::snapshot/*"]

    def before(self, world: World, params: Evidence) -> State:
        disks = instance(world, params.instance).get("BlockDeviceMappings", [])
        volumes = sorted(each["Ebs"]["VolumeId"] for each in disks if "Ebs" in each)
        if not volumes:
            raise Failed(NO_VOLUMES.format(instance=params.instance))
        return {"volumes": volumes}

    def plan(self, params: Evidence, before: State) -> str:
        volumes = before["volumes"]
        return SNAPSHOTS.format(count=len(volumes), instance=params.instance, volumes=", ".join(volumes))

    def act(self, world: World, params: Evidence, before: State) -> Outcome:
        """Asks for them only if an earlier attempt has not: the tag tells."""
        made = _taken(world) or world.aws("ec2").create_snapshots(
            InstanceSpecification={"InstanceId": params.instance}, Description=f"{world.label} {params.instance}",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": TAG, "Value": world.label}]}],
        )["Snapshots"]
        ids = sorted(each["SnapshotId"] for each in made)
        return Outcome(TAKEN.format(instance=params.instance, snapshots=", ".join(ids)), {"snapshots": ids})

    def look(self, world: World, params: Evidence, before: State, outputs: State) -> Look:
        taken = _taken(world)
        broken = next((each["SnapshotId"] for each in taken if each["State"] == "error"), None)
        if broken is not None:
            return Look("failed", BROKEN.format(snapshot=broken))
        covered = {each["VolumeId"] for each in taken} & set(before["volumes"])
        complete = sum(each["State"] == "completed" for each in taken)
        said = KEPT.format(done=len(covered), count=len(before["volumes"]), complete=complete)
        if not covered and not outputs:
            return Look("not seen", said)
        enough = len(covered) == len(before["volumes"]) and (complete == len(taken) or not params.complete)
        return Look("done" if enough else "under way", said, {"snapshots": sorted(each["SnapshotId"] for each in taken)})


class Quarantine(Machine):
    """An instance, and the security group that cuts it off."""

    quarantine: Annotated[str, Field(pattern=GROUP)] = Field(
        description="The group of its VPC that lets nothing in or out, but for the examiners: its id or its name")
    through: SecurityGroupId | None = Field(
        None, description="A group that allows everything, worn for a moment: connections that nothing tracks end at once")
    replace: bool = Field(True, description="Its Auto Scaling group starts another in its place; false: it runs one less")


class Isolate(OfMachine[Quarantine]):
    """Cut an instance off: its network interfaces wear the quarantine group only."""

    name = "aws.ec2.isolate"
    params = Quarantine
    example = {"instance": "i-0a1b2c3d4e5f67890", "quarantine": "sg-0a1b2c3d4e5f67890"}
    changes = "the instance talks with nobody but the examiners; a group that keeps it puts it in standby and may start another"
    verified = "every network interface has the quarantine group and no other, and the instance is in standby in its group"
    reads = (
        "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups",
        "autoscaling:DescribeAutoScalingInstances",
    )
    writes = ("ec2:ModifyNetworkInterfaceAttribute", "autoscaling:EnterStandby", "autoscaling:ExitStandby")

    def resources(self, params: Quarantine, before: State, place: Place) -> Sequence[str]:
        worn = {each for groups in before["interfaces"].values() for each in groups} | {before["quarantine"]}
        groups = sorted(worn | ({params.through} if params.through else set()))
        return [
            *super().resources(params, before, place),
            *(place.arn("ec2", f"network-interface/{each}") for each in before["interfaces"]),
            *(place.arn("ec2", f"security-group/{each}") for each in groups),
            *([group_arn(place, before["group"])] if before["group"] else []),
        ]

    def before(self, world: World, params: Quarantine) -> State:
        found, place = instance(world, params.instance), member(world, params.instance)
        if found["State"]["Name"] in ("terminated", "shutting-down"):
            raise Failed(GONE.format(instance=params.instance, state=found["State"]["Name"]))
        if place is not None and place.lifecycle != SERVES and not place.away:
            raise Failed(MOVING.format(instance=params.instance, lifecycle=place.lifecycle, group=place.group), again=True)
        quarantine = _quarantine(world, params, found["VpcId"])
        interfaces = _interfaces(world, params.instance)
        if not interfaces:
            raise Failed(NO_INTERFACES.format(instance=params.instance))
        return {
            "interfaces": interfaces,
            "quarantine": quarantine,
            "group": place.group if place else "",
            "served": place is not None and place.lifecycle == SERVES,
        }

    def plan(self, params: Quarantine, before: State) -> str:
        changes = "; ".join(
            INTERFACE.format(interface=each, groups=", ".join(groups), quarantine=before["quarantine"])
            for each, groups in before["interfaces"].items()
        )
        said = ISOLATE.format(instance=params.instance, interfaces=changes)
        if params.through:
            said += THROUGH.format(group=params.through)
        if before["served"]:
            said += (STANDBY if params.replace else STANDBY_ONLY).format(group=before["group"])
        return said

    def act(self, world: World, params: Quarantine, before: State) -> Outcome:
        """Standby first, else its group would find it sick and destroy the evidence. Safe to repeat after any part of it."""
        place = member(world, params.instance)
        standby = [_standby(world, params, place)] if place and not place.away else []
        steps = [each for each in (params.through, before["quarantine"]) if each]
        one_by_one([*standby, *(_dress(world, each, [step]) for step in steps for each in before["interfaces"])])
        return Outcome(SENT.format(count=len(before["interfaces"])), {"isolated": sorted(before["interfaces"])})

    def look(self, world: World, params: Quarantine, before: State, outputs: State) -> Look:
        """Between its calls nothing goes on by itself: half of it, and no answer, will not become the whole."""
        now, place = _interfaces(world, params.instance), member(world, params.instance)
        done = sum(groups == [before["quarantine"]] for groups in now.values())
        said = ISOLATED.format(done=done, count=len(now), quarantine=before["quarantine"])
        if place is not None:
            said = LIFECYCLE.format(said=said, lifecycle=place.lifecycle)
        left = place is None or place.away
        if done == len(now) and left:
            return Look("done" if place is None or place.lifecycle == "Standby" else "under way", said)
        if outputs:
            return Look("under way", said)
        untouched = now == before["interfaces"] and (not before["served"] or not left)
        return Look("not seen" if untouched else "failed", said)

    def undo(self, world: World, params: Quarantine, before: State, outputs: State) -> Outcome:
        place = member(world, params.instance)
        back = [_return(world, params, place)] if before["served"] and place and place.lifecycle != SERVES else []
        one_by_one([*(_dress(world, each, groups) for each, groups in before["interfaces"].items()), *back])
        said = RELEASED.format(count=len(before["interfaces"]))
        return Outcome(said + BACK.format(group=before["group"]) if back and params.replace else said)

    def undone(self, world: World, params: Quarantine, before: State, outputs: State) -> Look:
        place = member(world, params.instance)
        back = not before["served"] or (place is not None and place.lifecycle == SERVES)
        same = back and _interfaces(world, params.instance) == before["interfaces"]
        return Look("done", AS_BEFORE) if same else Look("under way", NOT_AS_BEFORE)


def _taken(world: World) -> list[dict[str, Any]]:
    ours = [{"Name": f"tag:{TAG}", "Values": [world.label]}]
    return list(world.aws("ec2").describe_snapshots(OwnerIds=["self"], Filters=ours)["Snapshots"])


def _interfaces(world: World, instance_id: str) -> dict[str, list[str]]:
    """The security groups of each network interface of the instance."""
    of_it = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    found = world.aws("ec2").describe_network_interfaces(Filters=of_it)["NetworkInterfaces"]
    return {each["NetworkInterfaceId"]: sorted(group["GroupId"] for group in each["Groups"]) for each in found}


def _quarantine(world: World, params: Quarantine, vpc: str) -> str:
    """Its id. It must cut off, and the group that ends connections must be open: people mistake ids."""
    quarantine = _id_of(world, params.quarantine, vpc)
    asked = sorted({each for each in (quarantine, params.through) if each})
    found = {each["GroupId"]: each for each in world.aws("ec2").describe_security_groups(GroupIds=asked)["SecurityGroups"]}
    for each in asked:
        if found[each]["VpcId"] != vpc:
            raise Failed(OTHER_NETWORK.format(group=each, instance=params.instance))
    for way, rules in (("in", "IpPermissions"), ("out", "IpPermissionsEgress")):
        if any(_for_everywhere(rule) for rule in found[quarantine][rules]):
            raise Failed(NO_QUARANTINE.format(group=quarantine, way=way))
        open_to_all = not params.through or any(
            _for_everywhere(rule) and rule["IpProtocol"] == "-1" for rule in found[params.through][rules])
        if not open_to_all:
            raise Failed(NOT_OPEN.format(group=params.through))
    return quarantine


def _id_of(world: World, group: str, vpc: str) -> str:
    """AWS lets no name begin with sg-."""
    if group.startswith("sg-"):
        return group
    named = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": [group]}]
    found = world.aws("ec2").describe_security_groups(Filters=named)["SecurityGroups"]
    if not found:
        raise Failed(NO_GROUP.format(group=group, vpc=vpc))
    return str(found[0]["GroupId"])


def _for_everywhere(rule: Mapping[str, Any]) -> bool:
    ranges = [each["CidrIp"] for each in rule["IpRanges"]] + [each["CidrIpv6"] for each in rule["Ipv6Ranges"]]
    return any(each in EVERYWHERE for each in ranges)


def _standby(world: World, params: Quarantine, place: Member) -> Callable[[], Any]:
    return partial(
        world.aws("autoscaling").enter_standby, InstanceIds=[params.instance], AutoScalingGroupName=place.group,
        ShouldDecrementDesiredCapacity=not params.replace)


def _return(world: World, params: Quarantine, place: Member) -> Callable[[], Any]:
    return partial(
        world.aws("autoscaling").exit_standby, InstanceIds=[params.instance], AutoScalingGroupName=place.group)


def _dress(world: World, interface: str, groups: Sequence[str]) -> Callable[[], Any]:
    return partial(
        world.aws("ec2").modify_network_interface_attribute, NetworkInterfaceId=interface, Groups=list(groups))


SERVICE = Service("aws.ec2.containment", (Snapshot(), Isolate()))
