"""A service of ECS as time goes by: its deployments, its tasks, those that crash, those that take their place."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Literal

from bot.doubles.aws.script import Ground
from bot.doubles.aws.wire import Json

CODES = {"Essential container in task exited": "EssentialContainerExited",
         "Scaling activity initiated by deployment": "ServiceSchedulerInitiated"}
START_S = 30.0          # from PENDING to RUNNING
STOP_S = 20.0           # an old task goes this long after the new ones run
CRASH_S = 15.0          # so long a task lives that cannot live
KEPT_S = 3600.0         # so long a task that has stopped can be described
BREAKER_AT = 3          # failed tasks that end a deployment, where its circuit breaker is on

numbers = count(1)


@dataclass
class Task:
    """One task of a service."""

    arn: str
    deployment: str
    definition: str
    created: datetime
    running: datetime | None = None
    stopped: datetime | None = None
    reason: str = ""

    @property
    def status(self) -> str:
        return "STOPPED" if self.stopped else "RUNNING" if self.running else "PENDING"


@dataclass
class Deployment:
    """One rollout of a task definition."""

    id: str
    definition: str
    created: datetime
    state: Literal["IN_PROGRESS", "COMPLETED", "FAILED"] = "IN_PROGRESS"
    primary: bool = True
    failed: int = 0
    settled: datetime | None = None


@dataclass
class Rollout:
    """A service's deployments and tasks, newest deployment first."""

    ground: Ground
    cluster: str
    name: str
    desired: int
    definition: str
    breaker: bool = False
    deployments: list[Deployment] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)     # task definitions, or ids of deployments, that cannot live

    def stand(self) -> None:
        """What is created stands at once: the double is about what is done to things that run."""
        self.deploy(self.definition)
        for task in self.tasks:
            task.running = self.ground.now()
        self.deployments[0].state, self.deployments[0].settled = "COMPLETED", self.ground.now()

    def deploy(self, definition: str) -> None:
        """A new rollout; the one before goes on until this one stands."""
        for old in self.deployments:
            old.primary = False
        self.definition = definition
        self.deployments.insert(0, Deployment(f"ecs-svc/{_digits(self.name)}", definition, self.ground.now()))
        self._fill()

    def scale(self, desired: int) -> None:
        self.desired = desired
        self._fill()

    def stop(self, arn: str, reason: str) -> Task | None:
        """Ends a task; the scheduler replaces it."""
        found = next((task for task in self.tasks if task.arn == arn or task.arn.endswith(f"/{arn}")), None)
        if found and not found.stopped:
            self._end(found, reason)
            self._fill()
        return found

    def settle(self) -> None:
        """What time has done since we looked last."""
        for task in [task for task in self.tasks if task.status == "PENDING"]:
            if self.ground.past(task.created, START_S):
                task.running = self.ground.now()
        for task in [task for task in self.tasks if task.status == "RUNNING" and self._is_sick(task)]:
            if task.running and self.ground.past(task.running, CRASH_S):
                self._crash(task)
        self.tasks = [task for task in self.tasks if not (task.stopped and self.ground.past(task.stopped, KEPT_S))]
        self._fill()
        self._finish()

    def _is_sick(self, task: Task) -> bool:
        return not self.sick.isdisjoint({task.definition, task.deployment})

    def _crash(self, task: Task) -> None:
        self._end(task, "Essential container in task exited")
        for each in self.deployments:
            if each.id == task.deployment:
                each.failed += 1
                if self.breaker and each.primary and each.state == "IN_PROGRESS" and each.failed >= BREAKER_AT:
                    each.state = "FAILED"
                    self.tell("deployment failed: tasks failed to start.")

    def _end(self, task: Task, reason: str) -> None:
        task.stopped, task.reason = self.ground.now(), reason

    def _fill(self) -> None:
        """As many tasks of the newest deployment as are desired."""
        primary = self.deployments[0]
        own = [task for task in self.tasks if task.deployment == primary.id and not task.stopped]
        for task in own[self.desired:]:
            self._end(task, "Scaling activity initiated by deployment")
        missing = self.desired - len(own) if primary.state != "FAILED" else 0
        for _ in range(missing):
            arn = self.ground.arn("ecs", f"task/{self.cluster}/{hashlib.md5(str(next(numbers)).encode()).hexdigest()}")
            self.tasks.append(Task(arn, primary.id, primary.definition, self.ground.now()))
        if missing > 0:
            self.tell(f"has started {missing} tasks.")

    def _finish(self) -> None:
        """Once the new tasks run, the old ones go, and the rollout is complete."""
        primary = self.deployments[0]
        up = [task for task in self.running(primary.id) if not self._is_sick(task)]
        if len(up) < self.desired:
            return
        if primary.settled is None:
            primary.settled = self.ground.now()
        old = [task for task in self.tasks if task.deployment != primary.id and not task.stopped]
        if old and not self.ground.past(primary.settled, STOP_S):
            return
        for task in old:
            self._end(task, "Scaling activity initiated by deployment")
        if primary.state == "IN_PROGRESS":
            primary.state = "COMPLETED"
            self.tell("has reached a steady state.")
        del self.deployments[1:]

    def running(self, deployment: str | None = None) -> list[Task]:
        return [task for task in self.tasks if task.status == "RUNNING" and deployment in (None, task.deployment)]

    def pending(self, deployment: str | None = None) -> list[Task]:
        return [task for task in self.tasks if task.status == "PENDING" and deployment in (None, task.deployment)]

    def tell(self, what: str) -> None:
        message = f"(service {self.name}) {what}"
        self.events.insert(0, {"id": f"event-{next(numbers)}", "createdAt": self.ground.now(), "message": message})

    # --- as DescribeServices and DescribeTasks say it ---

    def described(self) -> Json:
        return {
            "desiredCount": self.desired, "runningCount": len(self.running()), "pendingCount": len(self.pending()),
            "taskDefinition": self.definition, "deployments": list(self._deployments()), "events": self.events[:100],
        }

    def _deployments(self) -> Iterator[Json]:
        reasons = {"IN_PROGRESS": "in progress.", "COMPLETED": "completed.", "FAILED": "failed: tasks failed to start."}
        for each in self.deployments:
            yield {
                "id": each.id, "status": "PRIMARY" if each.primary else "ACTIVE", "taskDefinition": each.definition,
                "desiredCount": self.desired if each.primary else 0, "runningCount": len(self.running(each.id)),
                "pendingCount": len(self.pending(each.id)), "failedTasks": each.failed, "createdAt": each.created,
                "updatedAt": each.settled or each.created, "rolloutState": each.state,
                "rolloutStateReason": f"ECS deployment {each.id} {reasons[each.state]}",
            }

    def task(self, task: Task) -> Json:
        said: Json = {
            "taskArn": task.arn, "clusterArn": self.ground.arn("ecs", f"cluster/{self.cluster}"), "group": f"service:{self.name}",
            "taskDefinitionArn": task.definition, "lastStatus": task.status, "startedBy": task.deployment,
            "desiredStatus": "STOPPED" if task.stopped else "RUNNING", "createdAt": task.created, "launchType": "FARGATE",
            "healthStatus": "UNKNOWN",
        }
        code = CODES.get(task.reason, "UserInitiated") if task.stopped else ""
        more = {"startedAt": task.running, "stoppedAt": task.stopped, "stoppedReason": task.reason, "stopCode": code}
        return said | {name: value for name, value in more.items() if value}


def _digits(name: str) -> str:
    return str(int(hashlib.md5(f"{name}{next(numbers)}".encode()).hexdigest(), 16))[:19]
