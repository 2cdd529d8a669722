"""EC2 instances and Auto Scaling groups as several actions know them: how they are named, what AWS says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field

from runbooks.actions import Action, Failed, Params, Place, State, World

NO_INSTANCE = "AWS knows no instance {instance}"
NO_GROUP = "AWS knows no Auto Scaling group {group}"

AWAY = ("Standby", "EnteringStandby")           # its group neither counts it nor replaces it
LAST_ACTIVITIES = 20

InstanceId = Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$", description="An EC2 instance: i-0a1b2c3d4e5f67890")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{8,17}$", description="A security group: sg-0a1b2c3d4e5f67890")]
# no * and no ?: the name stands in a session policy, where they would stand for other groups
GroupName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@/+=-]{1,255}$", description="An Auto Scaling group: pay-api")]

Described = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """An instance's place in its group; `lifecycle` as AWS says it: InService, Standby, Terminating:Wait ..."""

    group: str
    lifecycle: str

    @property
    def away(self) -> bool:
        return self.lifecycle in AWAY


class Machine(Params):
    """An instance."""

    instance: InstanceId


M = TypeVar("M", bound=Machine)


class OfMachine(Action[M]):
    """What all actions on one instance share."""

    example = {"instance": "i-0a1b2c3d4e5f67890"}
    poll_s = 15.0

    def target(self, params: M) -> str:
        return f"ec2:{params.instance}"

    def resources(self, params: M, before: State, place: Place) -> Sequence[str]:
        return [place.arn("ec2", f"instance/{params.instance}")]


def instance(world: World, instance_id: str) -> Described:
    """What EC2 says of it; raises Failed when there is none."""
    answer = world.aws("ec2").describe_instances(InstanceIds=[instance_id])
    for reservation in answer["Reservations"]:
        for found in reservation["Instances"]:
            return dict(found)
    raise Failed(NO_INSTANCE.format(instance=instance_id))


def member(world: World, instance_id: str) -> Member | None:
    """The group that keeps it, if any."""
    answer = world.aws("autoscaling").describe_auto_scaling_instances(InstanceIds=[instance_id])
    for found in answer["AutoScalingInstances"]:
        return Member(found["AutoScalingGroupName"], found["LifecycleState"])
    return None


def group(world: World, name: str) -> Described:
    """What Auto Scaling says of it; raises Failed when there is none."""
    answer = world.aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    for found in answer["AutoScalingGroups"]:
        return dict(found)
    raise Failed(NO_GROUP.format(group=name))


def group_arn(place: Place, name: str) -> str:
    """AWS puts an id before the name, which no reader knows in advance."""
    return place.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{name}")


def in_service(found: Described) -> list[str]:
    """The instances of a group that serve and are healthy."""
    return sorted(
        each["InstanceId"] for each in found["Instances"]
        if each["LifecycleState"] == "InService" and each["HealthStatus"].lower() == "healthy"
    )


def moving(found: Described) -> list[str]:
    """The instances of a group that come or go."""
    return sorted(each["InstanceId"] for each in found["Instances"] if each["LifecycleState"] not in ("InService", "Standby"))


def last_activity(world: World, name: str) -> str:
    """The id of the group's newest scaling activity; what is newer later has come since."""
    return next((str(each["ActivityId"]) for each in _activities(world, name)), "")


def trouble(world: World, name: str, since: str) -> str:
    """Why the group could not do what was asked of it after the activity `since`, in AWS's words; empty when it could."""
    for each in _activities(world, name):
        if each["ActivityId"] == since:
            break
        if each["StatusCode"] == "Failed":
            return str(each.get("StatusMessage") or each.get("Description", ""))
    return ""


def _activities(world: World, name: str) -> list[dict[str, Any]]:
    answer = world.aws("autoscaling").describe_scaling_activities(AutoScalingGroupName=name, MaxRecords=LAST_ACTIVITIES)
    return list(answer["Activities"])
