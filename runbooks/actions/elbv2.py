"""Elastic Load Balancing: take a target out of its target group, and bring it back."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import Field

from runbooks.actions import Failed, Look, Outcome, Service, State, World
from runbooks.aids.targets import GONE, HEALTHY, OfTargets, OneTarget, arn_of, named, ours_of, states_of, targets_of

TOO_FEW = "only {left} other healthy targets would be left in {group}, at least {keep} are needed"
DRAIN = "would take {target} (now {states}) out of {group}; {left} healthy targets stay, connections get up to {delay} s to end"
OUT_ALREADY = "would take {target} out of {group}: it is not in it, nothing would change"
RETURN = "would register {target} (now {states}) in {group}, and wait until it is healthy"
NOT_THERE = "not registered"
DRAINS = "AWS takes {target} out of {group}"
REGISTERED = "AWS registers {target} in {group}"
NOTHING = "{target} was not in {group} before: nothing to bring back"
IS = "{target} in {group}: {states}"
GETS_NOTHING = "{target} is registered in {group}, which no load balancer uses"

DELAY = "deregistration_delay.timeout_seconds"

T = TypeVar("T", bound=OneTarget)


class Drained(OneTarget):
    """A target, and what must stay without it."""

    keep: Annotated[int, Field(ge=0, le=1000, description="Healthy targets that must be left")] = 1


class Move(OfTargets[T]):
    """A target taken out or brought back: what both directions share."""

    example = {"target_group": "pay-api", "target": "i-0a1b2c3d4e5f67890"}
    writes = ("elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets")

    def _told(self, world: World, params: T, arn: str, targets: Sequence[Mapping[str, Any]], out: bool) -> Outcome:
        elb = world.aws("elbv2")
        (elb.deregister_targets if out else elb.register_targets)(TargetGroupArn=arn, Targets=list(targets))
        said = (DRAINS if out else REGISTERED).format(target=params.target, group=params.group)
        return Outcome(said, {"told": "out" if out else "in"})

    def _look_out(self, world: World, params: T, before: State, told: bool) -> Look:
        """Whether it is out: no longer known, or unused; connections that end are under way."""
        states = states_of(targets_of(world, before["arn"]), params)
        said = IS.format(target=params.target, group=params.group, states=", ".join(states) or NOT_THERE)
        if all(each == "unused" for each in states):
            return Look("done", said)
        return Look("under way" if told or "draining" in states else "not seen", said)

    def _look_in(self, world: World, params: T, before: State, told: bool) -> Look:
        """Whether it serves: healthy on every port it is registered with."""
        targets = targets_of(world, before["arn"])
        states = states_of(targets, params)
        said = IS.format(target=params.target, group=params.group, states=", ".join(states) or NOT_THERE)
        if states and all(each == HEALTHY for each in states):
            return Look("done", said)
        if any(each["reason"] == "Target.NotInUse" for each in ours_of(targets, params)):
            return Look("failed", GETS_NOTHING.format(target=params.target, group=params.group))
        here = any(each not in GONE for each in states)
        return Look("under way" if here or told else "not seen", said)


class Drain(Move[Drained]):
    """Take a target out of its target group: no new request reaches it, the open ones may end."""

    name = "aws.elbv2.drain"
    params = Drained
    changes = "the load balancer sends nothing new to the target; open connections are cut after the group's delay"
    verified = "the target is no longer registered in its group"
    reads = (*OfTargets.reads, "elasticloadbalancing:DescribeTargetGroupAttributes")

    def before(self, world: World, params: Drained) -> State:
        arn = arn_of(world, params)
        targets = targets_of(world, arn)
        ours = ours_of(targets, params)
        left = sum(each["state"] == HEALTHY for each in targets if each not in ours)
        if left < params.keep and ours:
            raise Failed(TOO_FEW.format(left=left, group=params.group, keep=params.keep), again=True)
        return {"arn": arn, "targets": ours, "left": left, "delay": _delay(world, arn)}

    def plan(self, params: Drained, before: State) -> str:
        if not before["targets"]:
            return OUT_ALREADY.format(target=params.target, group=params.group)
        states = ", ".join(sorted({each["state"] for each in before["targets"]}))
        return DRAIN.format(
            target=params.target, states=states, group=params.group, left=before["left"], delay=before["delay"])

    def act(self, world: World, params: Drained, before: State) -> Outcome:
        return self._told(world, params, before["arn"], named(before["targets"]) or [{"Id": params.target}], out=True)

    def look(self, world: World, params: Drained, before: State, outputs: State) -> Look:
        return self._look_out(world, params, before, bool(outputs))

    def undo(self, world: World, params: Drained, before: State, outputs: State) -> Outcome:
        if not before["targets"]:
            return Outcome(NOTHING.format(target=params.target, group=params.group))
        return self._told(world, params, before["arn"], named(before["targets"]), out=False)

    def undone(self, world: World, params: Drained, before: State, outputs: State) -> Look:
        """Registered again; and healthy, if it was so before."""
        if not before["targets"]:
            return Look("done", NOTHING.format(target=params.target, group=params.group))
        was_healthy = all(each["state"] == HEALTHY for each in before["targets"])
        seen = self._look_in(world, params, before, told=True)
        here = not set(states_of(targets_of(world, before["arn"]), params)) & {*GONE, ""}
        return Look("done", seen.said) if here and not was_healthy else seen


class Return(Move[OneTarget]):
    """Register a target in a target group, and wait until it is healthy."""

    name = "aws.elbv2.return"
    params = OneTarget
    changes = "the load balancer sends requests to the target as soon as it is healthy"
    verified = "the target is healthy in its group"

    def before(self, world: World, params: OneTarget) -> State:
        arn = arn_of(world, params)
        return {"arn": arn, "targets": ours_of(targets_of(world, arn), params)}

    def plan(self, params: OneTarget, before: State) -> str:
        states = ", ".join(sorted({each["state"] for each in before["targets"]})) or NOT_THERE
        return RETURN.format(target=params.target, states=states, group=params.group)

    def act(self, world: World, params: OneTarget, before: State) -> Outcome:
        return self._told(world, params, before["arn"], named(before["targets"]) or [_as_asked(params)], out=False)

    def look(self, world: World, params: OneTarget, before: State, outputs: State) -> Look:
        return self._look_in(world, params, before, bool(outputs))

    def undo(self, world: World, params: OneTarget, before: State, outputs: State) -> Outcome:
        if self._was_in(before):
            return Outcome(IS.format(target=params.target, group=params.group, states=before["targets"][0]["state"]))
        return self._told(world, params, before["arn"], [_as_asked(params)], out=True)

    def undone(self, world: World, params: OneTarget, before: State, outputs: State) -> Look:
        look = self._look_in if self._was_in(before) else self._look_out
        return look(world, params, before, True)

    @staticmethod
    def _was_in(before: State) -> bool:
        return any(each["state"] not in GONE for each in before["targets"])


def _as_asked(params: OneTarget) -> dict[str, Any]:
    return {"Id": params.target} | ({"Port": params.port} if params.port else {})


def _delay(world: World, arn: str) -> str:
    found = world.aws("elbv2").describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    return next((str(each["Value"]) for each in found if each["Key"] == DELAY), "300")


SERVICE = Service("aws.elbv2", (Drain(), Return()))
