"""Auto Scaling: set how many instances a group runs, suspend and resume what it does by itself, read how it stands."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import Field

from runbooks.actions import Action, Failed, Look, Outcome, Params, Place, Service, State, World
from runbooks.aids.machines import Described, GroupName, group, group_arn, in_service, last_activity, moving, trouble

OUTSIDE = "{group} may run {least} to {most} instances: {wanted} lies outside"
MAY_LOWER = "; with `lower_min` its minimum would go down too"
IS_SUSPENDED = "{process} is suspended in {group}: its capacity would stay as it is"
WOULD_SET = "would set desired capacity of {group} from {desired} to {wanted}"
WOULD_LOWER = ", and its minimum from {least} to {wanted}"
WOULD_END = "; {count} instances would be terminated"
WOULD_START = "; {count} instances would be started"
NO_CHANGE = "; nothing would change"
TRACKED = "; its scaling policies may change it again: {policies}"
TOLD = "AWS took {wanted} as desired capacity of {group}"
BACK = "AWS took {desired} as desired capacity of {group} again"
STANDS = "{group} wants {desired} instances and has {serving} in service"
CHANGED = "{group} wants {desired} instances now, not {wanted}: something else has changed it"
WITH_TROUBLE = "{said}; AWS says: {trouble}"

WOULD = "would {verb} {processes} of {group}"
ALREADY = "; {processes} are so already"
NOT_REPLACED = "; it will not replace an instance that is lost meanwhile"
DONE_TO = "AWS took the order to {verb} {processes} of {group}"
NOTHING = "all of it was so before: there is nothing to bring back"
NOW = "suspended in {group}: {processes}"
NONE = "nothing"
READS = "would read the capacity of {group}"

GROWS = ("Launch",)
SHRINKS = ("Terminate",)
REPLACING = {"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"}

Process = Literal[
    "Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh",
    "ReplaceUnhealthy", "ScheduledActions",
]


class Group(Params):
    """An Auto Scaling group."""

    group: GroupName


G = TypeVar("G", bound=Group)


class OfGroup(Action[G]):
    """What all actions on one group share."""

    example = {"group": "pay-api"}
    reads: ClassVar[tuple[str, ...]] = ("autoscaling:DescribeAutoScalingGroups",)
    poll_s = 15.0

    def target(self, params: G) -> str:
        return f"asg:{params.group}"

    def resources(self, params: G, before: State, place: Place) -> Sequence[str]:
        return [group_arn(place, params.group)]


class Desired(Group):
    """How many instances a group should run."""

    desired: Annotated[int, Field(ge=0, le=1000, description="The number wanted; not a change of it")]
    lower_min: bool = Field(False, description="When it goes below the group's minimum, the minimum goes down with it")
    honour_cooldown: bool = Field(True, description="Refused while the group still cools down from the last change")


class SetDesired(OfGroup[Desired]):
    """Set how many instances an Auto Scaling group runs."""

    name = "aws.asg.set_desired"
    params = Desired
    example = {"group": "pay-api", "desired": 6}
    changes = "the group starts or terminates instances until it has that many; those it terminates are gone"
    verified = "the group wants that many, and as many are in service and healthy"
    reads = (*OfGroup.reads, "autoscaling:DescribePolicies", "autoscaling:DescribeScalingActivities")
    writes = ("autoscaling:SetDesiredCapacity", "autoscaling:UpdateAutoScalingGroup")

    def before(self, world: World, params: Desired) -> State:
        found = group(world, params.group)
        desired, least, most = found["DesiredCapacity"], found["MinSize"], found["MaxSize"]
        lowers = params.lower_min and params.desired < least
        if params.desired > most or (params.desired < least and not lowers):
            said = OUTSIDE.format(group=params.group, least=least, most=most, wanted=params.desired)
            raise Failed(said + MAY_LOWER if params.desired < least else said)
        _guard_suspended(found, params.group, GROWS if params.desired > desired else SHRINKS if params.desired < desired else ())
        return {
            "desired": desired, "least": least, "most": most, "lowers": lowers,
            "policies": _policies(world, params.group), "activity": last_activity(world, params.group),
        }

    def plan(self, params: Desired, before: State) -> str:
        desired, wanted = before["desired"], params.desired
        said = WOULD_SET.format(group=params.group, desired=desired, wanted=wanted)
        if before["lowers"]:
            said += WOULD_LOWER.format(least=before["least"], wanted=wanted)
        if wanted == desired:
            said += NO_CHANGE
        else:
            said += (WOULD_END if wanted < desired else WOULD_START).format(count=abs(wanted - desired))
        return said + TRACKED.format(policies=", ".join(before["policies"])) if before["policies"] else said

    def act(self, world: World, params: Desired, before: State) -> Outcome:
        """One call either way: the minimum and the number move together."""
        autoscaling = world.aws("autoscaling")
        if before["lowers"]:
            autoscaling.update_auto_scaling_group(
                AutoScalingGroupName=params.group, MinSize=params.desired, DesiredCapacity=params.desired)
        else:
            autoscaling.set_desired_capacity(
                AutoScalingGroupName=params.group, DesiredCapacity=params.desired, HonorCooldown=params.honour_cooldown)
        return Outcome(TOLD.format(wanted=params.desired, group=params.group), {"desired": params.desired})

    def look(self, world: World, params: Desired, before: State, outputs: State) -> Look:
        found = group(world, params.group)
        if found["DesiredCapacity"] == params.desired:
            return _reached(world, params.group, found, params.desired, before["activity"])
        if found["DesiredCapacity"] != before["desired"]:
            return Look("failed", CHANGED.format(group=params.group, desired=found["DesiredCapacity"], wanted=params.desired))
        return Look("under way" if outputs else "not seen", _standing(params.group, found))

    def undo(self, world: World, params: Desired, before: State, outputs: State) -> Outcome:
        world.aws("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=params.group, DesiredCapacity=before["desired"],
            **({"MinSize": before["least"]} if before["lowers"] else {}))
        return Outcome(BACK.format(desired=before["desired"], group=params.group))

    def undone(self, world: World, params: Desired, before: State, outputs: State) -> Look:
        found = group(world, params.group)
        if found["DesiredCapacity"] != before["desired"] or found["MinSize"] != before["least"]:
            return Look("under way", _standing(params.group, found))
        return _reached(world, params.group, found, before["desired"], before["activity"])


class Processes(Group):
    """What a group does by itself."""

    processes: Annotated[tuple[Process, ...], Field(min_length=1, description="What is meant: AlarmNotification, Launch ...")]


class Halt(OfGroup[Processes]):
    """Processes suspended or resumed: the same act in two directions."""

    params = Processes
    example = {"group": "pay-api", "processes": ["AlarmNotification", "AZRebalance"]}
    writes = ("autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses")
    poll_s = 5.0
    verb: ClassVar[Literal["suspend", "resume"]]

    def before(self, world: World, params: Processes) -> State:
        suspended = _suspended(group(world, params.group))
        return {"changing": [each for each in params.processes if (each in suspended) != (self.verb == "suspend")]}

    def plan(self, params: Processes, before: State) -> str:
        said = WOULD.format(verb=self.verb, processes=", ".join(params.processes), group=params.group)
        already = [each for each in params.processes if each not in before["changing"]]
        if already:
            said += ALREADY.format(processes=", ".join(already))
        return said + NOT_REPLACED if self.verb == "suspend" and REPLACING & set(params.processes) else said

    def act(self, world: World, params: Processes, before: State) -> Outcome:
        return self._tell(world, self.verb, params.group, params.processes)

    def look(self, world: World, params: Processes, before: State, outputs: State) -> Look:
        suspended = _suspended(group(world, params.group))
        said = NOW.format(group=params.group, processes=", ".join(sorted(suspended)) or NONE)
        if all((each in suspended) == (self.verb == "suspend") for each in params.processes):
            return Look("done", said)
        return Look("under way" if outputs else "not seen", said)

    def undo(self, world: World, params: Processes, before: State, outputs: State) -> Outcome:
        """Only what this step has changed: what was suspended before stays so."""
        if not before["changing"]:
            return Outcome(NOTHING)
        return self._tell(world, "resume" if self.verb == "suspend" else "suspend", params.group, before["changing"])

    def _tell(self, world: World, verb: str, name: str, processes: Sequence[str]) -> Outcome:
        autoscaling = world.aws("autoscaling")
        tell: Callable[..., Any] = autoscaling.suspend_processes if verb == "suspend" else autoscaling.resume_processes
        tell(AutoScalingGroupName=name, ScalingProcesses=list(processes))
        said = DONE_TO.format(verb=verb, processes=", ".join(processes), group=name)
        return Outcome(said, {"processes": list(processes)})


class Suspend(Halt):
    """Suspend what an Auto Scaling group does by itself.

    A later step must resume it: a forgotten suspension is an outage.
    """

    name = "aws.asg.suspend"
    changes = "the group stops doing these things by itself until they are resumed"
    verified = "the group names them among its suspended processes"
    verb = "suspend"


class Resume(Halt):
    """Let an Auto Scaling group do again what was suspended."""

    name = "aws.asg.resume"
    changes = "the group does these things by itself again, at once"
    verified = "the group no longer names them among its suspended processes"
    verb = "resume"


class Capacity(Group):
    """A group, and how it should stand."""

    at_least: int | None = Field(None, ge=0, le=1000, description="So many instances in service and healthy, or more")
    complete: bool = Field(False, description="As many in service and healthy as the group wants")


class ReadCapacity(OfGroup[Capacity]):
    """Read how many instances an Auto Scaling group has, and wait until they are enough."""

    name = "aws.asg.capacity"
    params = Capacity
    example = {"group": "pay-api", "complete": True}
    verified = "as many instances are in service and healthy as expected"

    def plan(self, params: Capacity, before: State) -> str:
        return READS.format(group=params.group)

    def act(self, world: World, params: Capacity, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Capacity, before: State, outputs: State) -> Look:
        found = group(world, params.group)
        serving, desired = len(in_service(found)), found["DesiredCapacity"]
        enough = serving >= (params.at_least or 0) and (serving >= desired or not params.complete)
        values = {
            "desired": desired, "one_more": desired + 1, "min": found["MinSize"], "max": found["MaxSize"], "in_service": serving,
            "instances": in_service(found), "suspended": sorted(_suspended(found)),
        }
        return Look("done" if enough else "under way", _standing(params.group, found), values)


def _guard_suspended(found: Described, name: str, needed: Sequence[str]) -> None:
    stopped = _suspended(found) & set(needed)
    if stopped:
        raise Failed(IS_SUSPENDED.format(process=", ".join(stopped), group=name))


def _suspended(found: Described) -> set[str]:
    return {each["ProcessName"] for each in found.get("SuspendedProcesses", [])}


def _policies(world: World, name: str) -> list[str]:
    answer = world.aws("autoscaling").describe_policies(AutoScalingGroupName=name)
    return sorted(each["PolicyName"] for each in answer["ScalingPolicies"] if each.get("Enabled", True))


def _standing(name: str, found: Described) -> str:
    return STANDS.format(group=name, desired=found["DesiredCapacity"], serving=len(in_service(found)))


def _reached(world: World, name: str, found: Described, wanted: int, since: str) -> Look:
    """Done when exactly so many serve and none comes or goes; what hinders AWS is said, and it goes on trying."""
    said = _standing(name, found)
    if len(in_service(found)) == wanted and not moving(found):
        return Look("done", said)
    hindered = trouble(world, name, since)
    return Look("under way", WITH_TROUBLE.format(said=said, trouble=hindered) if hindered else said)


SERVICE = Service("aws.asg", (SetDesired(), Suspend(), Resume(), ReadCapacity()))
