"""How a service of ECS and its deployments stand: what reading tells, before and after it is changed."""

from typing import Any

from pydantic import Field

from runbooks.actions import MOST_SAID, Failed, Look, Params, World

NAME = r"^[A-Za-z0-9_-]{1,255}$"
NO_SERVICE = "there is no active service {service} in the cluster {cluster}"
NOT_ROLLING = "{service} is deployed by {controller}, not by ECS itself: redeploy it there"
DEPLOYED = "{service} runs {running} of {desired} tasks with {task}"
BROKEN = "the deployment of {service} failed: {why}"


class OfService(Params):
    """A service of a cluster."""

    cluster: str = Field(description="Name of the cluster", pattern=NAME)
    service: str = Field(description="Name of the service", pattern=NAME)


def service_of(world: World, params: OfService) -> Any:
    found = world.aws("ecs").describe_services(cluster=params.cluster, services=[params.service])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        raise Failed(NO_SERVICE.format(service=params.service, cluster=params.cluster))
    return found[0]


def rolling(world: World, params: OfService) -> Any:
    """The service, where ECS itself deploys it."""
    service = service_of(world, params)
    controller = service.get("deploymentController", {}).get("type", "ECS")
    if controller != "ECS":
        raise Failed(NOT_ROLLING.format(service=params.service, controller=controller))
    return service


def primary_of(service: Any) -> Any:
    return next(each for each in service["deployments"] if each["status"] == "PRIMARY")


def under_way(service: Any) -> bool:
    return any(each.get("rolloutState") == "IN_PROGRESS" for each in service["deployments"])


def short(arn: str) -> str:
    """The name at the end of an ARN: ledger:14, or a task's id."""
    return arn.rsplit("/", 1)[-1]


def rollout_of(service: Any, deployment: Any) -> Look:
    """How far a deployment is."""
    name, running, desired = service["serviceName"], deployment["runningCount"], deployment["desiredCount"]
    state, why = deployment.get("rolloutState"), deployment.get("rolloutStateReason", "no reason given")
    if state == "FAILED":
        return Look("failed", BROKEN.format(service=name, why=why)[:MOST_SAID])
    done = state == "COMPLETED" and running == desired
    said = DEPLOYED.format(service=name, running=running, desired=desired, task=short(deployment["taskDefinition"]))
    return Look("done" if done else "under way", said, {"deployment": deployment["id"], "running": running})
