"""Load balancers: a target that leaves is drained, one that comes is looked at first, one that is ill stays so until healed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.doubles.aws.autoscaling import AutoScaling
from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

LOOKED_AT_S = 30.0      # from initial to healthy
DRAINED_S = 300         # where the target group does not say

INITIAL = ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
DRAINING = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
UNUSED = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
ILL = "Health checks failed with these codes: [502]"


@dataclass
class Seat:
    """A target's place in a group."""

    target: Json
    since: datetime | None          # nothing: it stood there from the first
    leaving: datetime | None = None


class Elbv2(Script):
    """Targets by the ARN of their group. `ill` holds what is wrong with a target, by its id."""

    service = "elbv2"

    def __init__(self, ground: Ground, autoscaling: AutoScaling) -> None:
        super().__init__(ground)
        self.autoscaling = autoscaling
        self.seats: dict[str, dict[str, Seat]] = {}
        self.ill: dict[str, str] = {}
        self._parted: set[tuple[str, str]] = set()

    def sicken(self, target: str, description: str = ILL) -> None:
        """From now on its health checks fail, in every group."""
        self.ill[target] = description

    def heal(self, target: str) -> None:
        self.ill.pop(target, None)

    def stand(self) -> None:
        """All targets have been there for long."""
        self.settle()
        for seat in self._all():
            seat.since = None

    def settle(self) -> None:
        moto = self._moto()
        for arn, group in moto.target_groups.items():
            known = self.seats.setdefault(arn, {})
            for id in [id for id in group.targets if (arn, id) in self._parted or _is_gone(moto, id)]:
                del group.targets[id]           # moto's groups bring back what somebody took out by hand
            for id, target in group.targets.items():
                if id not in known or known[id].leaving:
                    known[id] = Seat(dict(target), self.ground.now())
            for id, seat in list(known.items()):
                self._part(group, id, seat, known)

    def _part(self, group: Any, id: str, seat: Seat, known: dict[str, Seat]) -> None:
        delay = float(group.attributes.get("deregistration_delay.timeout_seconds", DRAINED_S))
        if id not in group.targets and seat.leaving is None:
            seat.leaving = self.ground.now()
        elif seat.leaving and self.ground.past(seat.leaving, delay):
            del known[id]

    @answers("RegisterTargets")
    def register(self, call: Call, onward: Onward) -> Json:
        arn, ids = call.params["TargetGroupArn"], [each["Id"] for each in call.params["Targets"]]
        instances = {each.id for each in self._moto().ec2_backend.all_instances()}
        wrong = [id for id in ids if id.startswith("i-") and id not in instances]
        if wrong:
            raise Refusal("InvalidTarget", f"The following targets are not in a running state and cannot be registered: {wrong}")
        answer = onward()
        self._parted -= {(arn, id) for id in ids}
        return answer

    @answers("DeregisterTargets")
    def deregister(self, call: Call, onward: Onward) -> Json:
        """One that is not there succeeds as well."""
        arn = call.params["TargetGroupArn"]
        group = self._group(arn)
        for each in call.params["Targets"]:
            self._parted.add((arn, each["Id"]))
            if target := group.targets.pop(each["Id"], None):
                group.deregistered_targets[each["Id"]] = target
        return {}

    @answers("DescribeTargetHealth")
    def health(self, call: Call, onward: Onward) -> Json:
        group = self._group(call.params["TargetGroupArn"])
        known = self.seats.get(group.arn, {})
        asked = call.params.get("Targets") or [seat.target for seat in known.values()]
        moto = self._moto()
        return {"TargetHealthDescriptions": [self._told(group, target, known, moto.ec2_backend) for target in asked]}

    def _told(self, group: Any, target: Json, known: dict[str, Seat], instances: Any) -> Json:
        seat = known.get(target["Id"])
        state, reason, description = self._health(group, target, seat, instances)
        named = {"Id": target["Id"], "Port": int(seat.target.get("Port") or group.port) if seat else int(group.port)}
        health = {"State": state} | ({"Reason": reason, "Description": description} if reason else {})
        return {"Target": named, "HealthCheckPort": str(group.health_check_port), "TargetHealth": health}

    def _health(self, group: Any, target: Json, seat: Seat | None, instances: Any) -> tuple[str, str, str]:
        if seat is None:
            return UNUSED
        if seat.leaving:
            return DRAINING
        said = group.health_for(target, instances)
        if said.status != "healthy":
            return said.status, said.reason, said.description
        if seat.since and not self._looked_at(target["Id"], seat.since):
            return INITIAL
        if target["Id"] in self.ill:
            return "unhealthy", "Target.ResponseCodeMismatch", self.ill[target["Id"]]
        return "healthy", "", ""

    def _looked_at(self, id: str, since: datetime) -> bool:
        """An instance that a group launches is registered once it is in service."""
        served = self.autoscaling.in_service_at(id)
        return self.ground.past(max(since, served) if served else since, LOOKED_AT_S)

    def _all(self) -> Iterator[Seat]:
        for known in self.seats.values():
            yield from known.values()

    def _moto(self) -> Any:
        return self.ground.resources.backend("elbv2", self.ground.region)

    def _group(self, arn: str) -> Any:
        found = self._moto().target_groups.get(arn)
        if found is None:
            raise Refusal("TargetGroupNotFound", "One or more target groups not found")
        return found


def _is_gone(moto: Any, id: str) -> bool:
    instance = moto.ec2_backend.get_instance_by_id(id)
    return instance is not None and instance.state == "terminated"
