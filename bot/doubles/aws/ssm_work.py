"""A command and an automation of Systems Manager, as time goes by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.doubles.aws.script import Ground
from bot.doubles.aws.wire import Json

KNOWN_S = 1.0           # until GetCommandInvocation knows of a command
BEGIN_S = 3.0           # from Pending to InProgress
RUN_S = 8.0             # so long a document runs on one machine
STEP_S = 10.0           # so long a step of an automation takes
STARTED_S = 2.0         # from Pending to InProgress

ENDED = ("Success", "Failed", "Cancelled")


@dataclass
class Command:
    """A document that runs on machines, at once or one after the other; when one fails, the next do not begin."""

    ground: Ground
    id: str
    document: str
    version: str
    instances: tuple[str, ...]
    comment: str
    parameters: Json
    at: datetime
    one_by_one: bool
    prints: str
    fails: str
    cancelled: datetime | None = None

    @property
    def is_known(self) -> bool:
        return self.ground.past(self.at, KNOWN_S)

    def status(self, instance: str) -> str:
        turn = self.instances.index(instance) if self.one_by_one else 0
        if self.fails and turn > 0 and self.ground.past(self.at, BEGIN_S + RUN_S):
            return "Cancelled"
        begins, ends = BEGIN_S + turn * RUN_S, BEGIN_S + (turn + 1) * RUN_S
        if self.cancelled and self.cancelled < self.at + timedelta(seconds=ends / self.ground.speed):
            return "Cancelled"
        if self.ground.past(self.at, ends):
            return "Failed" if self.fails else "Success"
        return "InProgress" if self.ground.past(self.at, begins) else "Pending"

    def described(self) -> Json:
        states = [self.status(each) for each in self.instances]
        worst = next((each for each in ("InProgress", "Pending", "Failed", "Cancelled", "Success") if each in states), "Pending")
        return {
            "CommandId": self.id, "DocumentName": self.document, "DocumentVersion": self.version, "Comment": self.comment,
            "Parameters": self.parameters, "InstanceIds": list(self.instances), "RequestedDateTime": self.at, "Status": worst,
            "StatusDetails": worst, "TargetCount": len(states), "CompletedCount": sum(each in ENDED for each in states),
            "ErrorCount": states.count("Failed"),
        }

    def invocation(self, instance: str) -> Json:
        status = self.status(instance)
        codes = {"Success": 0, "Failed": 1}
        return {
            "CommandId": self.id, "InstanceId": instance, "Comment": self.comment, "DocumentName": self.document,
            "DocumentVersion": self.version, "PluginName": "aws:runShellScript", "ResponseCode": codes.get(status, -1),
            "Status": status, "StatusDetails": status, "StandardOutputContent": self.prints if status == "Success" else "",
            "StandardErrorContent": self.fails if status == "Failed" else "", "ExecutionStartDateTime": f"{self.at:%FT%TZ}",
        }


@dataclass
class Execution:
    """An automation: its steps one after the other; the last one fails if it is to fail."""

    ground: Ground
    id: str
    document: str
    version: str
    parameters: Mapping[str, Sequence[str]]
    token: str
    tags: Mapping[str, str]
    at: datetime
    by: str
    steps: tuple[tuple[str, str], ...]
    fails: str
    stopped: tuple[datetime, str] | None = None

    @property
    def status(self) -> str:
        if self.stopped:
            return self.stopped[1]
        if self.ground.past(self.at, self._until(len(self.steps) or 1)):
            return "Failed" if self.fails else "Success"
        return "InProgress" if self.ground.past(self.at, STARTED_S) else "Pending"

    @property
    def over(self) -> bool:
        return self.status in ENDED

    def _until(self, steps: int) -> float:
        return STARTED_S + steps * STEP_S

    def listed(self) -> Json:
        said: Json = {
            "AutomationExecutionId": self.id, "DocumentName": self.document, "DocumentVersion": self.version, "Mode": "Auto",
            "AutomationExecutionStatus": self.status, "ExecutionStartTime": self.at, "Outputs": {},
            "ExecutedBy": f"arn:aws:iam::{self.ground.account}:user/{self.by}",
        }
        if self.over:
            said["ExecutionEndTime"] = self.stopped[0] if self.stopped else self.ground.now()
        return said | ({"FailureMessage": self.fails} if self.status == "Failed" else {})

    def described(self) -> Json:
        return self.listed() | {
            "Parameters": {name: list(values) for name, values in self.parameters.items()},
            "StepExecutions": [
                {"StepName": name, "Action": action, "StepStatus": self._step(number)}
                for number, (name, action) in enumerate(self.steps)
            ],
            "StepExecutionsTruncated": False,
        }

    def _step(self, number: int) -> str:
        if self.ground.past(self.at, self._until(number + 1)):
            return "Failed" if self.fails and number == len(self.steps) - 1 else "Success"
        if self.stopped:
            return "Cancelled"
        return "InProgress" if self.ground.past(self.at, self._until(number)) else "Pending"

    def meets(self, key: str, values: Sequence[str]) -> bool:
        """A filter of DescribeAutomationExecutions."""
        if key == "DocumentNamePrefix":
            return self.document.startswith(tuple(values))
        if key == "TagKey":
            return any(each in self.tags for each in values)
        known = {"ExecutionId": self.id, "ExecutionStatus": self.status}
        return key not in known or known[key] in values
