"""Auto Scaling: replace one instance of a group by a new one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from botocore.exceptions import ClientError
from pydantic import Field

from runbooks.actions import Action, Failed, Look, Outcome, Params, Place, Service, State, World
from runbooks.aids.machines import GroupName, InstanceId, group, group_arn, in_service, last_activity, moving, trouble

STRANGER = "{instance} does not belong to the Auto Scaling group {group}"
LEAVING = "{instance} is {lifecycle} already in {group}: it is being replaced"
PROTECTED = "{instance} is protected from scale-in: whoever protected it has a reason"
TOO_FEW = "only {left} other healthy instances would be left in {group}, at least {least} are needed"
ONE_AT_A_TIME = "{group} is already changing ({instances}): one at a time"
SUSPENDED = "{process} is suspended in {group}: nothing would replace {instance}"
REPLACE = "would terminate {instance} ({lifecycle}, {health}) in {group} and have it replaced; {left} healthy ones stay"
TOLD = "AWS terminates {instance} and will start another"
UNKNOWN = "AWS no longer knows {instance} in {group}: whether it was replaced is looked up"
STILL = "{instance} is {lifecycle} in {group}"
WAITING = "{instance} has left {group}; no replacement is in service yet"
WITH_TROUBLE = "{said}; AWS says: {trouble}"
FEWER = "{instance} has left {group}, which wants {desired} instances now instead of {wanted}: no replacement will come"
REPLACED = "{new} serves in {group} in place of {instance}"

NOT_MANAGED = "ValidationError"                 # what AWS says of an instance that no group has


class Replaced(Params):
    """An instance of a group."""

    group: GroupName
    instance: InstanceId
    least: Annotated[int | None, Field(
        ge=0, le=1000, description="Other healthy instances that must be left; without it, the group's minimum less one")] = None


class ReplaceInstance(Action[Replaced]):
    """Terminate an instance of an Auto Scaling group so that a new one takes its place."""

    name = "aws.asg.replace_instance"
    params = Replaced
    example = {"group": "pay-api", "instance": "i-0a1b2c3d4e5f67890"}
    changes = "the instance and what is only on its disks are gone; another starts within three to ten minutes"
    verified = "the instance has left the group, and one that was not there before is in service and healthy"
    no_undo = "a terminated instance does not come back; its replacement stays"
    reads = ("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeScalingActivities")
    writes = ("autoscaling:TerminateInstanceInAutoScalingGroup",)
    poll_s = 15.0

    def target(self, params: Replaced) -> str:
        """The group, not the instance: its instances are replaced one at a time."""
        return f"asg:{params.group}"

    def resources(self, params: Replaced, before: State, place: Place) -> Sequence[str]:
        return [group_arn(place, params.group)]

    def before(self, world: World, params: Replaced) -> State:
        found = group(world, params.group)
        place = _member(found, params.instance)
        if place is None:
            raise Failed(STRANGER.format(instance=params.instance, group=params.group))
        _guard_process(found, params)
        _guard_instance(place, params)
        left = [each for each in in_service(found) if each != params.instance]
        _guard_rest(found, params, left)
        return {
            "instances": sorted(each["InstanceId"] for each in found["Instances"]), "lifecycle": place["LifecycleState"],
            "health": place["HealthStatus"], "desired": found["DesiredCapacity"], "left": len(left),
            "activity": last_activity(world, params.group),
        }

    def plan(self, params: Replaced, before: State) -> str:
        return REPLACE.format(
            instance=params.instance, lifecycle=before["lifecycle"], health=before["health"], group=params.group,
            left=before["left"])

    def act(self, world: World, params: Replaced, before: State) -> Outcome:
        """A second time AWS knows the instance no more: that alone proves nothing, `look` does."""
        try:
            world.aws("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=params.instance, ShouldDecrementDesiredCapacity=False)
        except ClientError as error:
            place = _member(group(world, params.group), params.instance)
            if error.response["Error"]["Code"] != NOT_MANAGED or not (place is None or _leaves(place)):
                raise
            return Outcome(UNKNOWN.format(instance=params.instance, group=params.group))
        return Outcome(TOLD.format(instance=params.instance), {"terminated": params.instance})

    def look(self, world: World, params: Replaced, before: State, outputs: State) -> Look:
        found = group(world, params.group)
        place = _member(found, params.instance)
        if place is not None:
            leaves = bool(outputs) or _leaves(place)
            said = STILL.format(instance=params.instance, lifecycle=place["LifecycleState"], group=params.group)
            return Look("under way" if leaves else "not seen", said)
        new = [each for each in in_service(found) if each not in before["instances"]]
        if new:
            return Look("done", REPLACED.format(new=new[0], group=params.group, instance=params.instance), {"instance": new[0]})
        if found["DesiredCapacity"] < before["desired"] and not moving(found):
            return Look("failed", FEWER.format(
                instance=params.instance, group=params.group, desired=found["DesiredCapacity"], wanted=before["desired"]))
        said = WAITING.format(instance=params.instance, group=params.group)
        hindered = trouble(world, params.group, before["activity"])
        return Look("under way", WITH_TROUBLE.format(said=said, trouble=hindered) if hindered else said)


def _guard_process(found: Mapping[str, Any], params: Replaced) -> None:
    for each in found.get("SuspendedProcesses", []):
        if each["ProcessName"] in ("Launch", "Terminate"):
            raise Failed(SUSPENDED.format(process=each["ProcessName"], group=params.group, instance=params.instance))


def _guard_instance(place: Mapping[str, Any], params: Replaced) -> None:
    if _leaves(place):
        raise Failed(LEAVING.format(instance=params.instance, lifecycle=place["LifecycleState"], group=params.group))
    if place.get("ProtectedFromScaleIn"):
        raise Failed(PROTECTED.format(instance=params.instance))


def _guard_rest(found: Mapping[str, Any], params: Replaced, left: Sequence[str]) -> None:
    """So many must serve without it, and no other may come or go at the same time."""
    others = [each for each in moving(found) if each != params.instance]
    if others:
        raise Failed(ONE_AT_A_TIME.format(group=params.group, instances=", ".join(others)), again=True)
    least = found["MinSize"] - 1 if params.least is None else params.least
    if len(left) < least:
        raise Failed(TOO_FEW.format(left=len(left), group=params.group, least=least), again=True)


def _member(found: Mapping[str, Any], instance_id: str) -> Mapping[str, Any] | None:
    return next((each for each in found["Instances"] if each["InstanceId"] == instance_id), None)


def _leaves(place: Mapping[str, Any]) -> bool:
    return str(place["LifecycleState"]).startswith("Terminat")


SERVICE = Service("aws.asg.replacement", (ReplaceInstance(),))
