"""Elastic Load Balancing: find the unhealthy target of a target group, read how all of them are."""

from typing import Annotated

from pydantic import Field

from runbooks.actions import Failed, Look, Outcome, Service, State, World
from runbooks.aids.targets import HEALTHY, TARGET, UNHEALTHY, OfTargets, TargetGroup, arn_of, targets_of

NONE_UNHEALTHY = "no target of {group} is unhealthy"
TOO_MANY = "{count} targets of {group} are unhealthy, more than {most}: this is no matter of one target"
FOUND = "{target} is unhealthy in {group} ({why}); {healthy} targets are healthy"
COUNTS = "{healthy} of {all} targets of {group} are healthy"
READS = "would read the health of the targets of {group}"
FINDS = "would look for the unhealthy target of {group}"


class Unhealthy(TargetGroup):
    """A target group, and how many of its targets may be unhealthy for this to be about one of them."""

    most: Annotated[int, Field(ge=1, le=100, description="More unhealthy targets than this are another trouble")] = 1


class UnhealthyTarget(OfTargets[Unhealthy]):
    """Find the unhealthy target of a target group; its id is the output `target`."""

    name = "aws.elbv2.unhealthy_target"
    params = Unhealthy
    example = {"target_group": "pay-api"}
    verified = "one target is unhealthy, and not more than may be"

    def plan(self, params: Unhealthy, before: State) -> str:
        return FINDS.format(group=params.group)

    def act(self, world: World, params: Unhealthy, before: State) -> Outcome:
        targets = targets_of(world, arn_of(world, params))
        sick = [each for each in targets if each["state"] in UNHEALTHY]
        if not sick:
            raise Failed(NONE_UNHEALTHY.format(group=params.group))
        if len({each["id"] for each in sick}) > params.most:
            raise Failed(TOO_MANY.format(count=len(sick), group=params.group, most=params.most))
        first, healthy = sick[0], sum(each["state"] == HEALTHY for each in targets)
        why = first["reason"] or first["state"]
        said = FOUND.format(target=first["id"], group=params.group, why=why, healthy=healthy)
        return Outcome(said, {"target": first["id"], "port": first["port"], "why": why, "healthy": healthy})

    def look(self, world: World, params: Unhealthy, before: State, outputs: State) -> Look:
        """What was found is in the outputs; without them it is looked for again."""
        if "target" in outputs:
            return Look("done", FOUND.format(group=params.group, **{key: outputs[key] for key in ("target", "why", "healthy")}))
        try:
            found = self.act(world, params, before)
        except Failed as failed:
            return Look("failed", str(failed))
        return Look("done", found.said, found.outputs)


class Health(TargetGroup):
    """A target group, and how its targets should be."""

    target: Annotated[str | None, Field(pattern=TARGET, description="This target must be healthy")] = None
    at_least: Annotated[int | None, Field(ge=0, le=1000, description="So many healthy targets, or more")] = None
    none_unhealthy: Annotated[bool, Field(description="No target may be unhealthy")] = False


class TargetHealth(OfTargets[Health]):
    """Read the health of a target group, and wait until it is as expected."""

    name = "aws.elbv2.target_health"
    params = Health
    example = {"target_group": "pay-api", "none_unhealthy": True, "at_least": 3}
    verified = "the targets are as healthy as expected"

    def plan(self, params: Health, before: State) -> str:
        return READS.format(group=params.group)

    def act(self, world: World, params: Health, before: State) -> Outcome:
        seen = self.look(world, params, before, {})
        return Outcome(seen.said, seen.outputs)

    def look(self, world: World, params: Health, before: State, outputs: State) -> Look:
        targets = targets_of(world, arn_of(world, params))
        healthy = [each["id"] for each in targets if each["state"] == HEALTHY]
        sick = [each["id"] for each in targets if each["state"] in UNHEALTHY]
        well = len(healthy) >= (params.at_least or 0) and not (params.none_unhealthy and sick)
        well = well and params.target in (None, *healthy) and not (params.target and params.target in sick)
        said = COUNTS.format(healthy=len(healthy), all=len(targets), group=params.group)
        values = {"healthy": len(healthy), "unhealthy": len(sick), "total": len(targets), "unhealthy_targets": sick}
        return Look("done" if well else "under way", said, values)


SERVICE = Service("aws.elbv2.health", (UnhealthyTarget(), TargetHealth()))
