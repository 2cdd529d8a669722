"""Auto Scaling: limits are limits, instances come and go in their time, and each of it leaves an activity."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

LAUNCH_S = 120.0        # from Pending to InService
LEAVE_S = 60.0          # from Terminating to gone
NOTICE_S = 60.0         # until the health check of EC2 has noticed that an instance does not run

ABOVE = "New SetDesiredCapacity value {new} is above max value {limit} for the AutoScalingGroup."
BELOW = "New SetDesiredCapacity value {new} is below min value {limit} for the AutoScalingGroup."
BETWEEN = "Desired capacity:{new} must be between the specified min size:{low} and max size:{high}"
NO_GROUP = "AutoScalingGroup name not found - AutoScalingGroup {name} not found"
NO_INSTANCE = "Instance Id not found - No managed instance found for instance ID: {id}"
AT_MINIMUM = ("Currently, desiredSize equals minSize ({low}). Terminating instance without replacement will violate group's min "
              "size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.")
BUSY = "Scaling activity {id} is in progress and blocks this action."
BY_USER = "a user request"


@dataclass
class Member:
    """An instance of a group; `since` when it was launched, or nothing if it stood there from the first."""

    id: str
    zone: str
    since: datetime | None
    leaving: datetime | None = None
    down: datetime | None = None        # since when it does not run
    said: Json = field(default_factory=dict)


class AutoScaling(Script):
    """Groups of the home region, by name."""

    service = "autoscaling"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.members: dict[str, dict[str, Member]] = {}
        self.activities: dict[str, list[Json]] = {}
        self._cause = BY_USER

    # --- what time and others did ---

    def settle(self) -> None:
        for group in list(self._moto().autoscaling_groups.values()):
            known = self.members.setdefault(group.name, {})
            self._check_health(group, known)
            self._meet(group, known, new=group.name not in self.activities)
            self.activities.setdefault(group.name, [])
            self._part(group, known)

    def _meet(self, group: Any, known: dict[str, Member], new: bool) -> None:
        for state in group.instance_states:
            if state.instance.id in known:
                continue
            zones = [each.zone for each in known.values() if each.leaving is None]
            zone = min(sorted(group.availability_zones), key=zones.count)       # moto puts all of them into one
            state.availability_zone = state.instance.placement.zone = zone
            known[state.instance.id] = Member(state.instance.id, zone, None if new else self.ground.now())
            if not new:
                self._note(group.name, f"Launching a new EC2 instance: {state.instance.id}", LAUNCH_S)
        group.instance_states.sort(key=lambda state: list(known).index(state.instance.id))

    def _check_health(self, group: Any, known: dict[str, Member]) -> None:
        """An instance that does not run is replaced, unless somebody has suspended that."""
        suspended = _suspended(group)
        for state in [state for state in group.instance_states if state.lifecycle_state == "InService"]:
            member = known.get(state.instance.id) or Member("", "", None)
            ill = state.instance.state != "running" or state.health_status == "Unhealthy"
            member.down = (member.down or self.ground.now()) if ill else None
            if member.down and self.ground.past(member.down, NOTICE_S) and not suspended & {"HealthCheck", "ReplaceUnhealthy"}:
                self._terminate(group, state)

    def _part(self, group: Any, known: dict[str, Member]) -> None:
        present = {state.instance.id for state in group.instance_states}
        for member in [member for member in known.values() if member.id not in present]:
            if member.leaving is None:
                member.leaving = self.ground.now()
                self._note(group.name, f"Terminating EC2 instance: {member.id}", LEAVE_S)
            elif self.ground.past(member.leaving, LEAVE_S):
                del known[member.id]

    def _note(self, group: str, what: str, seconds: float) -> None:
        now, number = self.ground.now(), sum(map(len, self.activities.values())) + 1
        self.activities[group].insert(0, {
            "ActivityId": f"{number:08x}-7a1c-4c55-9d5e-0f2a6b1c3d4e", "AutoScalingGroupName": group, "Description": what,
            "Cause": f"At {now:%Y-%m-%dT%H:%M:%SZ} {self._cause}.", "StartTime": now, "EndTime": self.ground.after(seconds),
        })

    def in_service_at(self, instance: str) -> datetime | None:
        """When an instance that a group has launched serves; nothing for all others."""
        since = next((known[instance].since for known in self.members.values() if instance in known), None)
        return since + timedelta(seconds=LAUNCH_S / self.ground.speed) if since else None

    # --- what is asked for ---

    @answers("SetDesiredCapacity")
    def set_desired(self, call: Call, onward: Onward) -> Json:
        group, new = self._group(call), call.params["DesiredCapacity"]
        if new > group.max_size:
            raise Refusal("ValidationError", ABOVE.format(new=new, limit=group.max_size))
        if new < group.min_size:
            raise Refusal("ValidationError", BELOW.format(new=new, limit=group.min_size))
        last = next(iter(self.activities.get(group.name, [])), None)
        if call.params.get("HonorCooldown") and last and not self.ground.past(last["StartTime"], group.default_cooldown):
            raise Refusal("ScalingActivityInProgress", BUSY.format(id=last["ActivityId"]))
        self._cause = f"a user request explicitly set group desired capacity changing the desired capacity to {new}"
        group.desired_capacity = new
        self._reconcile(group)
        return {}

    @answers("UpdateAutoScalingGroup")
    def update(self, call: Call, onward: Onward) -> Json:
        group, asked = self._group(call), call.params
        low, high = asked.get("MinSize", group.min_size), asked.get("MaxSize", group.max_size)
        new = asked.get("DesiredCapacity")
        if new is not None and not low <= new <= high:
            raise Refusal("ValidationError", BETWEEN.format(new=new, low=low, high=high))
        self._cause = "a user request updated the group"
        return onward()

    @answers("TerminateInstanceInAutoScalingGroup")
    def terminate(self, call: Call, onward: Onward) -> Json:
        id, fewer = call.params["InstanceId"], call.params["ShouldDecrementDesiredCapacity"]
        groups = self._moto().autoscaling_groups.values()
        found = [(group, state) for group in groups for state in group.instance_states if state.instance.id == id]
        if not found:
            raise Refusal("ValidationError", NO_INSTANCE.format(id=id))
        (group, state), = found
        if fewer and group.desired_capacity <= group.min_size:
            raise Refusal("ValidationError", AT_MINIMUM.format(low=group.min_size))
        self._cause = f"instance {id} was taken out of service in response to a user request"
        group.desired_capacity -= int(fewer)
        self._terminate(group, state)
        self.settle()
        launches = (each for each in self.activities[group.name] if id in each["Description"])
        return {"Activity": self._told(next(launches))}

    @answers("ResumeProcesses")
    def resume(self, call: Call, onward: Onward) -> Json:
        group = self._group(call)
        answer = onward()
        self._reconcile(group)
        return answer

    @answers("SuspendProcesses")
    def suspend(self, call: Call, onward: Onward) -> Json:
        self._group(call)
        return onward()

    def _terminate(self, group: Any, state: Any) -> None:
        group.instance_states.remove(state)
        self._moto().ec2_backend.terminate_instances([state.instance.id])
        self._reconcile(group)

    def _reconcile(self, group: Any) -> None:
        """Launches and terminates what is missing or too much, as far as that is not suspended."""
        missing = group.desired_capacity - len(group.active_instances())
        if missing and ("Launch" if missing > 0 else "Terminate") not in _suspended(group):
            group.set_desired_capacity(group.desired_capacity)

    # --- as it is told ---

    @answers("DescribeAutoScalingGroups")
    def describe(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for group in answer["AutoScalingGroups"]:
            known = self.members.get(group["AutoScalingGroupName"], {})
            group["Instances"] = list(self._instances(group["Instances"], known))
        return answer

    def _instances(self, said: list[Json], known: dict[str, Member]) -> Iterator[Json]:
        for each in said:
            member = known[each["InstanceId"]]
            member.said = each
            yield each | self._lifecycle(member, each["LifecycleState"])
        for member in known.values():
            if member.leaving and member.said:
                yield member.said | {"LifecycleState": "Terminating", "HealthStatus": "Healthy"}

    @answers("DescribeAutoScalingInstances")
    def describe_instances(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for each in answer["AutoScalingInstances"]:
            member = self.members[each["AutoScalingGroupName"]][each["InstanceId"]]
            each.update(self._lifecycle(member, each["LifecycleState"]))
        return answer

    def _lifecycle(self, member: Member, state: str) -> Json:
        starting = state == "InService" and member.since and not self.ground.past(member.since, LAUNCH_S)
        return {"LifecycleState": "Pending" if starting else state}

    @answers("DescribeScalingActivities")
    def describe_activities(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        names = [asked["AutoScalingGroupName"]] if "AutoScalingGroupName" in asked else list(self.activities)
        found = [each for name in names for each in self.activities.get(name, [])]
        wanted = asked.get("ActivityIds") or [each["ActivityId"] for each in found]
        most = asked.get("MaxRecords", 100)
        return {"Activities": [self._told(each) for each in found if each["ActivityId"] in wanted][:most]}

    def _told(self, activity: Json) -> Json:
        if activity["EndTime"] <= self.ground.now():
            return activity | {"StatusCode": "Successful", "Progress": 100}
        running = {name: value for name, value in activity.items() if name != "EndTime"}
        return running | {"StatusCode": "InProgress", "Progress": 50}

    def _moto(self) -> Any:
        return self.ground.resources.backend("autoscaling", self.ground.region)

    def _group(self, call: Call) -> Any:
        name = call.params["AutoScalingGroupName"]
        if name not in self._moto().autoscaling_groups:
            raise Refusal("ValidationError", NO_GROUP.format(name=name))
        return self._moto().autoscaling_groups[name]


def _suspended(group: Any) -> set[str]:
    return {each["ProcessName"] for each in group.suspended_processes}
