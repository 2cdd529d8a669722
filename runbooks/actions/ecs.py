"""Amazon ECS: restart, scale or roll back a service, stop its oldest task, see how it stands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from runbooks.actions import Action, Failed, Look, Outcome, Place, Seen, Service, State, World
from runbooks.aids.rollouts import OfService, primary_of, rolling, rollout_of, service_of, short, under_way

CHANGED = "{service} was deployed by somebody else since this was planned"
BUSY = "a deployment of {service} is under way already"
NOTHING_RUNS = "{service} wants no task at all: there is nothing to restart"
TOO_FEW = "{running} tasks of {service} run: stopping one would leave less than {keep}"
TOO_MANY = "{service} would have {desired} tasks; this step may give it {at_most}"
NO_OLDER = "{family}:{revision} has no older active revision to go back to"

RESTART = "would restart {service}: a new deployment of {task} replaces its {desired} tasks one after the other"
SCALE = "would set the desired count of {service} from {was} to {desired}"
STOP = (
    "would stop the task {task} of {service}, the oldest of {running} (since {since:%d %b %H:%M} UTC); "
    "ECS starts another in its place"
)
ROLL_BACK = "would take {service} back from {was} to {to}"
READ = "would read how {service} stands"

STARTED = "a new deployment of {service} has begun"
SET = "desired count of {service} is set to {desired}"
STOPPED = "the task {task} is told to stop"
ROLLING = "{service} goes to {to}"
NO_NEW = "no new deployment of {service} is seen"
REPLACED = "the deployment {deployment} of {service} was replaced by {other}"
STILL = "{service} still wants {desired} tasks"
SET_AGAIN = "desired count of {service} is {desired} again: auto scaling or a person changed it"
COUNTED = "{running} of {desired} tasks of {service} run"
TASK_IS = "the task {task} is {status}"
TASK_GONE = "the task {task} is gone; {running} of {desired} tasks run"


S = TypeVar("S", bound=OfService)


class _OnService(Action[S]):
    """What all of them share: the service they are about."""

    example: ClassVar[State] = {"cluster": "payments", "service": "ledger"}
    reads: ClassVar[tuple[str, ...]] = ("ecs:DescribeServices",)
    writes: ClassVar[tuple[str, ...]] = ("ecs:UpdateService",)
    poll_s = 10.0

    def target(self, params: S) -> str:
        return f"ecs:{params.cluster}/{params.service}"

    def resources(self, params: S, before: State, place: Place) -> Sequence[str]:
        return [place.arn("ecs", f"service/{params.cluster}/{params.service}")] if self.writes else []


class RestartService(_OnService[OfService]):
    """Replace all tasks of a service by new ones of the same task definition, one after the other."""

    name = "aws.ecs.restart_service"
    params = OfService
    changes = "the running tasks of the service"
    idempotent = False
    verified = "a primary deployment that was not there before has rolled out completely"
    no_undo = "the old tasks are gone; the new ones run the same task definition"

    def before(self, world: World, params: OfService) -> State:
        service = rolling(world, params)
        if under_way(service):
            raise Failed(BUSY.format(service=params.service), again=True)
        if not service["desiredCount"]:
            raise Failed(NOTHING_RUNS.format(service=params.service))
        return {"deployments": [each["id"] for each in service["deployments"]],
                "task_definition": service["taskDefinition"], "desired": service["desiredCount"]}

    def plan(self, params: OfService, before: State) -> str:
        return RESTART.format(service=params.service, task=short(before["task_definition"]), desired=before["desired"])

    def act(self, world: World, params: OfService, before: State) -> Outcome:
        if self.before(world, params)["deployments"] != before["deployments"]:
            raise Failed(CHANGED.format(service=params.service))
        said = world.aws("ecs").update_service(cluster=params.cluster, service=params.service, forceNewDeployment=True)
        return Outcome(STARTED.format(service=params.service), {"deployment": primary_of(said["service"])["id"]})

    def look(self, world: World, params: OfService, before: State, outputs: State) -> Look:
        service = service_of(world, params)
        primary, ours = primary_of(service), outputs.get("deployment")
        if primary["id"] in before["deployments"]:
            return Look("not seen", NO_NEW.format(service=params.service))
        if ours and primary["id"] != ours:
            return Look("failed", REPLACED.format(deployment=ours, service=params.service, other=primary["id"]))
        return rollout_of(service, primary)


class Scaled(OfService):
    desired: int = Field(description="How many tasks there should be", ge=0, le=1000)
    at_most: int = Field(1000, description="More are refused, whatever was worked out before", ge=1, le=1000)


class Scale(_OnService[Scaled]):
    """Set how many tasks a service should have."""

    name = "aws.ecs.scale"
    params = Scaled
    example: ClassVar[State] = {"cluster": "payments", "service": "batch-worker", "desired": 4}
    changes = "the desired count of the service"
    verified = "the desired count is as set and as many tasks run"

    def before(self, world: World, params: Scaled) -> State:
        if params.desired > params.at_most:
            raise Failed(TOO_MANY.format(service=params.service, desired=params.desired, at_most=params.at_most))
        return {"desired": service_of(world, params)["desiredCount"]}

    def plan(self, params: Scaled, before: State) -> str:
        return SCALE.format(service=params.service, was=before["desired"], desired=params.desired)

    def act(self, world: World, params: Scaled, before: State) -> Outcome:
        return self._set(world, params, params.desired)

    def look(self, world: World, params: Scaled, before: State, outputs: State) -> Look:
        service = service_of(world, params)
        if outputs and service["desiredCount"] != params.desired:
            return Look("failed", SET_AGAIN.format(service=params.service, desired=service["desiredCount"]))
        return self._counted(service, params.desired)

    def undo(self, world: World, params: Scaled, before: State, outputs: State) -> Outcome:
        return self._set(world, params, before["desired"])

    def undone(self, world: World, params: Scaled, before: State, outputs: State) -> Look:
        return self._counted(service_of(world, params), before["desired"])

    def _set(self, world: World, params: Scaled, desired: int) -> Outcome:
        world.aws("ecs").update_service(cluster=params.cluster, service=params.service, desiredCount=desired)
        return Outcome(SET.format(service=params.service, desired=desired), {"desired": desired})

    def _counted(self, service: Any, wanted: int) -> Look:
        running, desired = service["runningCount"], service["desiredCount"]
        if desired != wanted:
            return Look("not seen", STILL.format(service=service["serviceName"], desired=desired))
        said = COUNTED.format(running=running, desired=desired, service=service["serviceName"])
        return Look("done" if running == desired else "under way", said, {"running": running, "desired": desired})


class StopTask(OfService):
    keep: int = Field(1, description="So many tasks must go on running meanwhile", ge=0, le=1000)


class StopOldestTask(_OnService[StopTask]):
    """Stop the task of a service that has run longest, so that a stuck one is replaced."""

    name = "aws.ecs.stop_oldest_task"
    params = StopTask
    changes = "one running task of the service"
    idempotent = False          # asked anew it would choose the next task; the one of `before` can be stopped only once
    verified = "that task is gone and the service runs as many as it wants"
    no_undo = "a stopped task does not come back; ECS starts another in its place"
    reads = ("ecs:DescribeServices", "ecs:ListTasks", "ecs:DescribeTasks")
    writes = ("ecs:StopTask",)

    def resources(self, params: StopTask, before: State, place: Place) -> Sequence[str]:
        return [before["task"]]

    def before(self, world: World, params: StopTask) -> State:
        service = service_of(world, params)
        if under_way(service):
            raise Failed(BUSY.format(service=params.service), again=True)
        tasks = self._running(world, params)
        if len(tasks) - 1 < params.keep or not tasks:
            raise Failed(TOO_FEW.format(running=len(tasks), service=params.service, keep=params.keep), again=True)
        oldest = min(tasks, key=_since)
        return {"task": oldest["taskArn"], "since": _since(oldest).isoformat(timespec="seconds"), "running": len(tasks)}

    def plan(self, params: StopTask, before: State) -> str:
        since = datetime.fromisoformat(before["since"]).astimezone(UTC)
        return STOP.format(service=params.service, **{**before, "task": short(before["task"]), "since": since})

    def act(self, world: World, params: StopTask, before: State) -> Outcome:
        world.aws("ecs").stop_task(cluster=params.cluster, task=before["task"], reason=world.label)
        return Outcome(STOPPED.format(task=short(before["task"])), {"task": before["task"]})

    def look(self, world: World, params: StopTask, before: State, outputs: State) -> Look:
        found = world.aws("ecs").describe_tasks(cluster=params.cluster, tasks=[before["task"]])["tasks"]
        task = found[0] if found else {"lastStatus": "STOPPED"}      # ECS forgets stopped tasks after an hour
        name, status = short(before["task"]), task["lastStatus"]
        if status != "STOPPED":
            seen: Seen = "under way" if task["desiredStatus"] == "STOPPED" else "not seen"
            return Look(seen, TASK_IS.format(task=name, status=status))
        service = service_of(world, params)
        running, desired = service["runningCount"], service["desiredCount"]
        said = TASK_GONE.format(task=name, running=running, desired=desired)
        return Look("done" if running >= desired else "under way", said, {"task": before["task"], "running": running})

    def _running(self, world: World, params: StopTask) -> list[Any]:
        ecs = world.aws("ecs")
        pages = ecs.get_paginator("list_tasks").paginate(
            cluster=params.cluster, serviceName=params.service, desiredStatus="RUNNING")
        return [
            task for page in pages if page["taskArns"]
            for task in ecs.describe_tasks(cluster=params.cluster, tasks=page["taskArns"])["tasks"]
            if task["lastStatus"] == "RUNNING"
        ]


def _since(task: Any) -> Any:
    return task.get("startedAt") or task["createdAt"]


class RollBack(_OnService[OfService]):
    """Take a service back to the revision of its task definition before the present one."""

    name = "aws.ecs.roll_back"
    params = OfService
    changes = "the task definition of the service"
    idempotent = False          # asked anew it would go back one more
    verified = "the primary deployment runs the older revision and has rolled out completely"
    reads = ("ecs:DescribeServices", "ecs:ListTaskDefinitions")

    def before(self, world: World, params: OfService) -> State:
        now = primary_of(rolling(world, params))["taskDefinition"]       # a stuck deployment is no reason not to go back
        return {"from": now, "to": self._older(world, now)}

    def plan(self, params: OfService, before: State) -> str:
        return ROLL_BACK.format(service=params.service, was=short(before["from"]), to=short(before["to"]))

    def act(self, world: World, params: OfService, before: State) -> Outcome:
        if primary_of(rolling(world, params))["taskDefinition"] != before["from"]:
            raise Failed(CHANGED.format(service=params.service))
        return self._deploy(world, params, before["to"])

    def look(self, world: World, params: OfService, before: State, outputs: State) -> Look:
        return self._runs(world, params, before["to"])

    def undo(self, world: World, params: OfService, before: State, outputs: State) -> Outcome:
        return self._deploy(world, params, before["from"])

    def undone(self, world: World, params: OfService, before: State, outputs: State) -> Look:
        return self._runs(world, params, before["from"])

    def _older(self, world: World, now: str) -> str:
        family, revision = short(now).rsplit(":", 1)
        pages = world.aws("ecs").get_paginator("list_task_definitions").paginate(
            familyPrefix=family, status="ACTIVE", sort="DESC")
        known = [arn.rsplit(":", 1) for page in pages for arn in page["taskDefinitionArns"]]
        older = [(int(number), name) for name, number in known if short(name) == family and int(number) < int(revision)]
        if not older:
            raise Failed(NO_OLDER.format(family=family, revision=revision))
        number, name = max(older)
        return f"{name}:{number}"

    def _deploy(self, world: World, params: OfService, to: str) -> Outcome:
        said = world.aws("ecs").update_service(cluster=params.cluster, service=params.service, taskDefinition=to)
        return Outcome(ROLLING.format(service=params.service, to=short(to)), {"deployment": primary_of(said["service"])["id"]})

    def _runs(self, world: World, params: OfService, task_definition: str) -> Look:
        service = service_of(world, params)
        primary = primary_of(service)
        if primary["taskDefinition"] != task_definition:
            return Look("not seen", NO_NEW.format(service=params.service))
        return rollout_of(service, primary)


class Standing(OfService):
    at_least: int = Field(1, description="So many tasks must run at least", ge=0, le=1000)


class ServiceState(_OnService[Standing]):
    """See whether a service runs as many tasks as it wants, with no deployment under way."""

    name = "aws.ecs.service_state"
    params = Standing
    verified = "as many tasks run as are wanted, at least `at_least`, and no deployment is under way"
    writes = ()

    def plan(self, params: Standing, before: State) -> str:
        return READ.format(service=params.service)

    def act(self, world: World, params: Standing, before: State) -> Outcome:
        look = self.look(world, params, before, {})
        return Outcome(look.said, look.outputs)

    def look(self, world: World, params: Standing, before: State, outputs: State) -> Look:
        service = service_of(world, params)
        primary, running, desired = primary_of(service), service["runningCount"], service["desiredCount"]
        seen = {"running": running, "desired": desired, "one_more": desired + 1, "pending": service["pendingCount"],
                "task_definition": short(primary["taskDefinition"])}
        rollout = rollout_of(service, primary)
        if rollout.seen == "failed":
            return Look("failed", rollout.said, seen)
        steady = running == desired >= params.at_least and not under_way(service)
        said = COUNTED.format(running=running, desired=desired, service=params.service)
        return Look("done" if steady else "under way", said, seen)


SERVICE = Service("aws.ecs", (RestartService(), Scale(), StopOldestTask(), RollBack(), ServiceState()))
