"""ECS: a deployment takes time, running tasks catch up with what is desired, a stopped task is replaced."""

from bot.doubles.aws.ecs_rollout import Rollout, Task
from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal


class Ecs(Script):
    """Services of all clusters, by cluster and name (payments/ledger)."""

    service = "ecs"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.rollouts: dict[str, Rollout] = {}

    def crash(self, service: str, *, definition: str | None = None) -> None:
        """Tasks of the deployment that stands now (or of every one with that task definition) die again and again."""
        rollout = self.rollouts[service]
        rollout.sick.add(definition or rollout.deployments[0].id)

    def heal(self, service: str) -> None:
        self.rollouts[service].sick.clear()

    def settle(self) -> None:
        for rollout in self.rollouts.values():
            rollout.settle()

    @answers("CreateService")
    def create(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        made, breaker = answer["service"], call.params.get("deploymentConfiguration", {}).get("deploymentCircuitBreaker", {})
        key = f"{_last(made['clusterArn'])}/{made['serviceName']}"
        cluster, name = key.split("/")
        rollout = Rollout(self.ground, cluster, name, made["desiredCount"], made["taskDefinition"], breaker.get("enable", False))
        rollout.stand()
        self.rollouts[key] = rollout
        return {"service": made | rollout.described()}

    @answers("UpdateService")
    def update(self, call: Call, onward: Onward) -> Json:
        answer, asked = onward(), call.params
        rollout = self.rollouts[f"{_last(asked.get('cluster', 'default'))}/{_last(asked['service'])}"]
        definition = self._definition(asked.get("taskDefinition", rollout.definition))
        if asked.get("desiredCount") is not None:
            rollout.scale(asked["desiredCount"])
        if asked.get("forceNewDeployment") or definition != rollout.definition:
            rollout.deploy(definition)
        return {"service": answer["service"] | rollout.described()}

    @answers("DeleteService")
    def delete(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        self.rollouts.pop(f"{_last(call.params.get('cluster', 'default'))}/{_last(call.params['service'])}", None)
        return answer

    @answers("DescribeServices")
    def describe(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for each in answer.get("services", []):
            rollout = self.rollouts.get(f"{_last(each['clusterArn'])}/{each['serviceName']}")
            each.update(rollout.described() if rollout else {})
        return answer

    @answers("ListTasks")
    def tasks(self, call: Call, onward: Onward) -> Json:
        asked, others = call.params, onward()["taskArns"]
        cluster, status = _last(asked.get("cluster", "default")), asked.get("desiredStatus", "RUNNING")
        ours = [
            task.arn for rollout in self.rollouts.values() for task in rollout.tasks
            if rollout.cluster == cluster and _last(asked.get("serviceName", rollout.name)) == rollout.name
            and asked.get("family", _family(task.definition)) == _family(task.definition)
            and (status == "STOPPED") == bool(task.stopped)
        ]
        return {"taskArns": ours + ([] if "serviceName" in asked else others)}

    @answers("DescribeTasks")
    def describe_tasks(self, call: Call, onward: Onward) -> Json:
        found = {arn: self._task(arn) for arn in call.params["tasks"]}
        if not any(found.values()):
            return onward()
        missing = [{"arn": arn, "reason": "MISSING"} for arn, pair in found.items() if pair is None]
        return {"tasks": [rollout.task(task) for rollout, task in filter(None, found.values())], "failures": missing}

    @answers("StopTask")
    def stop_task(self, call: Call, onward: Onward) -> Json:
        found = self._task(call.params["task"])
        if found is None:
            raise Refusal("InvalidParameterException", "The referenced task was not found.")
        rollout, task = found
        rollout.stop(task.arn, call.params.get("reason", "Task stopped by user"))
        return {"task": rollout.task(task)}

    def _task(self, name: str) -> tuple[Rollout, Task] | None:
        ours = ((rollout, task) for rollout in self.rollouts.values() for task in rollout.tasks)
        return next((pair for pair in ours if _last(pair[1].arn) == _last(name)), None)

    def _definition(self, name: str) -> str:
        """A task definition's ARN, its newest revision where none is named."""
        found = self.ground.resources.backend("ecs", self.ground.region).describe_task_definition(name)
        return str(found.arn)


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _family(definition: str) -> str:
    return _last(definition).split(":")[0]
