"""Amazon ECS: see whether the tasks of a service die by themselves, and since which deployment."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field

from runbooks.actions import MOST_SAID, Action, Failed, Look, Outcome, Service, State, World
from runbooks.aids.rollouts import OfService, primary_of, service_of, short
from runbooks.model import Length, written

BY_THEMSELVES = ("EssentialContainerExited", "TaskFailedToStart")       # not stopped by ECS, a person or a spot market

READ = "would count the tasks of {service} that died in the last {minutes} minutes"
FEW = "{count} tasks of {service} died by themselves in the last {minutes} minutes; that is less than {at_least}"
OLD = "{service} runs {task} since {since:%d %B %H:%M} UTC, for more than {within}: no new version is to blame"
CRASHING = "{count} tasks of {service} with {task} died by themselves in the last {minutes} minutes: {why}"
LINE = "{at:%H:%M:%S}  {task}  {definition}  {code}: {why}"

MOST_LINES = 50


class Crashed(OfService):
    """A service, and how many deaths are a crash loop."""

    at_least: int = Field(3, ge=1, le=100, description="So many tasks of the present version must have died")
    minutes: int = Field(15, ge=1, le=60, description="Within this time; ECS forgets them after an hour")
    deployed_within: Length | None = Field(
        None, description="Only if that version was deployed within this time: 24h. An older one is hardly to blame")


class Crashing(Action[Crashed]):
    """See whether the tasks of a service die again and again by themselves."""

    name = "aws.ecs.crashing"
    params = Crashed
    example: ClassVar[State] = {"cluster": "payments", "service": "ledger", "at_least": 3, "deployed_within": "24h"}
    verified = "so many tasks of the version that is deployed now have died by themselves"
    reads = ("ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks")

    def target(self, params: Crashed) -> str:
        return f"ecs:{params.cluster}/{params.service}"

    def plan(self, params: Crashed, before: State) -> str:
        return READ.format(service=params.service, minutes=params.minutes)

    def act(self, world: World, params: Crashed, before: State) -> Outcome:
        """Raises Failed when it is no crash loop: whoever asked must take another way."""
        primary = primary_of(service_of(world, params))
        dead = [each for each in _died(world, params) if each["taskDefinitionArn"] == primary["taskDefinition"]]
        names = {"service": params.service, "count": len(dead), "minutes": params.minutes}
        if len(dead) < params.at_least:
            raise Failed(FEW.format(at_least=params.at_least, **names))
        task, since = short(primary["taskDefinition"]), primary["createdAt"]
        if params.deployed_within is not None and since < world.now - params.deployed_within:
            raise Failed(OLD.format(task=task, since=since, within=written(params.deployed_within), **names))
        why = Counter(each.get("stoppedReason", "") for each in dead).most_common(1)[0][0]
        said = CRASHING.format(task=task, why=why, **names)[:MOST_SAID]
        return Outcome(said, {"died": len(dead), "task_definition": task, "why": why}, log=_listed(dead))

    def look(self, world: World, params: Crashed, before: State, outputs: State) -> Look:
        """What was found is in the outputs; without them it is looked for again."""
        if "died" in outputs:
            return Look("done", CRASHING.format(
                service=params.service, count=outputs["died"], task=outputs["task_definition"], minutes=params.minutes,
                why=outputs["why"])[:MOST_SAID])
        try:
            found = self.act(world, params, before)
        except Failed as failed:
            return Look("failed", str(failed))
        return Look("done", found.said, found.outputs)


def _died(world: World, params: Crashed) -> list[Any]:
    """The tasks of the service that ended by themselves within the time asked for, newest first."""
    ecs, since = world.aws("ecs"), world.now - timedelta(minutes=params.minutes)
    pages = ecs.get_paginator("list_tasks").paginate(
        cluster=params.cluster, serviceName=params.service, desiredStatus="STOPPED")
    stopped = [
        task for page in pages if page["taskArns"]
        for task in ecs.describe_tasks(cluster=params.cluster, tasks=page["taskArns"])["tasks"]
        if task.get("stopCode") in BY_THEMSELVES and task.get("stoppedAt", since) >= since
    ]
    return sorted(stopped, key=_ended, reverse=True)


def _ended(task: Any) -> Any:
    return task.get("stoppedAt") or task["createdAt"]


def _listed(dead: Sequence[Any]) -> str:
    return "\n".join(
        LINE.format(at=_ended(each), task=short(each["taskArn"]), definition=short(each["taskDefinitionArn"]),
                    code=each["stopCode"], why=each.get("stoppedReason", ""))
        for each in dead[:MOST_LINES]
    )


SERVICE = Service("aws.ecs.tasks", (Crashing(),))
