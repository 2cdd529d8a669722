"""The targets of a target group, as several actions know them: how they are named, what AWS says of their health."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from runbooks.actions import Action, Failed, Params, Place, State, World

NO_GROUP = "AWS knows no target group {group}"
OTHER_GROUP = "the target group {name} is now {arn}, not {asked}"

HEALTHY, UNHEALTHY = "healthy", ("unhealthy", "unhealthy.draining")
GONE = ("unused", "draining")

_NAME = "[A-Za-z0-9-]{1,32}"
GROUP = rf"^((arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{{12}}:)?targetgroup/{_NAME}/[0-9a-f]{{16,17}}|{_NAME})$"
TARGET = r"^(i-[0-9a-f]{8,17}|\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]{2,39})$"
GROUP_HELP = "Its name (pay-api), its ARN, or as CloudWatch names it (targetgroup/pay-api/6d0ecf831eec9f09)"

Targets = list[dict[str, Any]]


class TargetGroup(Params):
    """A target group."""

    target_group: Annotated[str, Field(pattern=GROUP, description=GROUP_HELP)]

    @property
    def group(self) -> str:
        """Its name alone."""
        return self.target_group.split("targetgroup/")[-1].split("/")[0]


class OneTarget(TargetGroup):
    """A target of a target group."""

    target: Annotated[str, Field(pattern=TARGET, description="An instance (i-0a1b2c3d4e5f67890) or an IP address")]
    port: Annotated[int | None, Field(ge=1, le=65535, description="Only on this port; else on every port it serves")] = None


G = TypeVar("G", bound=TargetGroup)


class OfTargets(Action[G]):
    """What all actions on one target group share. The lock is the group's: its targets go one after the other."""

    reads: ClassVar[tuple[str, ...]] = (
        "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth")
    poll_s = 15.0

    def target(self, params: G) -> str:
        return f"elbv2:{params.group}"

    def resources(self, params: G, before: State, place: Place) -> Sequence[str]:
        return [before["arn"]] if before else []


def arn_of(world: World, params: TargetGroup) -> str:
    """Its ARN; raises Failed when another group bears the name by now."""
    found = world.aws("elbv2").describe_target_groups(Names=[params.group])["TargetGroups"]
    if not found:
        raise Failed(NO_GROUP.format(group=params.group))
    arn = str(found[0]["TargetGroupArn"])
    if "/" in params.target_group and not arn.endswith(params.target_group):
        raise Failed(OTHER_GROUP.format(name=params.group, arn=arn, asked=params.target_group))
    return arn


def targets_of(world: World, arn: str) -> Targets:
    """Every target with its port and state, sorted."""
    found = world.aws("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    read = [
        {"id": each["Target"]["Id"], "port": each["Target"].get("Port"), "zone": each["Target"].get("AvailabilityZone"),
         "state": each["TargetHealth"]["State"], "reason": each["TargetHealth"].get("Reason", "")}
        for each in found
    ]
    return sorted(read, key=lambda each: (each["id"], each["port"] or 0))


def ours_of(targets: Targets, params: OneTarget) -> Targets:
    return [each for each in targets if each["id"] == params.target and params.port in (None, each["port"])]


def states_of(targets: Targets, params: OneTarget) -> list[str]:
    return sorted({each["state"] for each in ours_of(targets, params)})


def named(targets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """As AWS wants them named."""
    names = {"Id": "id", "Port": "port", "AvailabilityZone": "zone"}
    return [{aws: each[ours] for aws, ours in names.items() if each[ours] is not None} for each in targets]
