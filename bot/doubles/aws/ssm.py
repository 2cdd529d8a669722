"""Systems Manager: commands and automations that take their time, may fail, and are started once for each token."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.ssm_work import Command, Execution
from bot.doubles.aws.wire import Call, Json, Refusal

USED_TOKEN = "The token {token} was used for another automation."
NO_DOCUMENT = "Document with name {name} does not exist."
NO_INSTANCES = "Instances {ids} not in a valid state for account {account}"
NO_PARAMETER = "Parameters provided in document are not supported: {names}"
OTHER_HASH = "The hash of the document is another."


class Ssm(Script):
    """What a document prints is told by `prints`, that it fails by `fail`; both until they are told otherwise."""

    service = "ssm"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.commands: dict[str, Command] = {}
        self.executions: dict[str, Execution] = {}
        self.printed: dict[str, str] = {}
        self.failing: dict[str, str] = {}
        self._numbers = count(1)

    def prints(self, document: str, text: str) -> None:
        self.printed[document] = text

    def fail(self, document: str, why: str) -> None:
        """From now on it fails, and says this."""
        self.failing[document] = why

    def heal(self, document: str) -> None:
        self.failing.pop(document, None)

    # --- Run Command ---

    @answers("SendCommand")
    def send(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        name, ids = asked["DocumentName"], asked.get("InstanceIds", [])
        said = self._document(name, asked.get("DocumentVersion"))
        self._check_parameters(name, said, asked)
        if asked.get("DocumentHash", said.get("Hash")) != said.get("Hash"):
            raise Refusal("InvalidDocument", OTHER_HASH)
        running = {each.id for each in self._ec2().all_running_instances()}
        if not ids or set(ids) - running:
            raise Refusal("InvalidInstanceId", NO_INSTANCES.format(ids=sorted(set(ids) - running), account=self.ground.account))
        command = Command(
            self.ground, self._id("command"), name, said.get("DocumentVersion", "1"), tuple(ids), asked.get("Comment", ""),
            asked.get("Parameters", {}), self.ground.now(), one_by_one=asked.get("MaxConcurrency") == "1",
            prints=self.printed.get(name, "done\n"), fails=self.failing.get(name, ""))
        self.commands[command.id] = command
        return {"Command": command.described()}

    @answers("ListCommands")
    def list_commands(self, call: Call, onward: Onward) -> Json:
        """Newest first."""
        asked = call.params
        found = [
            each.described() for each in reversed(self.commands.values())
            if asked.get("CommandId", each.id) == each.id and asked.get("InstanceId", each.instances[0]) in each.instances
        ]
        return {"Commands": [each for each in found if all(_meets(each, one) for one in asked.get("Filters", []))]}

    @answers("GetCommandInvocation")
    def invocation(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        command = self.commands.get(asked["CommandId"])
        if command is None or asked["InstanceId"] not in command.instances or not command.is_known:
            raise Refusal("InvocationDoesNotExist", "")
        return command.invocation(asked["InstanceId"])

    @answers("ListCommandInvocations")
    def invocations(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        found = [each for each in self.commands.values() if asked.get("CommandId", each.id) == each.id and each.is_known]
        return {"CommandInvocations": [
            {"CommandId": each.id, "InstanceId": id, "Comment": each.comment, "DocumentName": each.document,
             "Status": each.status(id), "StatusDetails": each.status(id), "RequestedDateTime": each.at}
            for each in found for id in each.instances if asked.get("InstanceId", id) == id
        ]}

    @answers("CancelCommand")
    def cancel(self, call: Call, onward: Onward) -> Json:
        command = self.commands.get(call.params["CommandId"])
        if command is None:
            raise Refusal("InvalidCommandId", "")
        command.cancelled = command.cancelled or self.ground.now()
        return {}

    @answers("DescribeInstanceInformation")
    def instances(self, call: Call, onward: Onward) -> Json:
        return {"InstanceInformationList": [
            {"InstanceId": each.id, "PingStatus": "Online", "PlatformType": "Linux", "PlatformName": "Amazon Linux",
             "AgentVersion": "3.3.2299.0", "ResourceType": "EC2Instance", "LastPingDateTime": self.ground.now()}
            for each in self._ec2().all_running_instances()
        ]}

    # --- Automation ---

    @answers("StartAutomationExecution")
    def start(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        name, token = asked["DocumentName"], asked.get("ClientToken", "").lower()
        said = self._document(name, asked.get("DocumentVersion"))
        if token and token in [each.token for each in self.executions.values()]:
            raise Refusal("IdempotentParameterMismatch", USED_TOKEN.format(token=token))
        self._check_parameters(name, said, asked)
        execution = Execution(
            self.ground, self._id("automation"), name, said.get("DocumentVersion", "1"), asked.get("Parameters", {}), token,
            {each["Key"]: each["Value"] for each in asked.get("Tags", [])}, self.ground.now(), call.key,
            steps=tuple(self._steps(name)), fails=self.failing.get(name, ""))
        self.executions[execution.id] = execution
        return {"AutomationExecutionId": execution.id}

    @answers("GetAutomationExecution")
    def get_execution(self, call: Call, onward: Onward) -> Json:
        return {"AutomationExecution": self._execution(call).described()}

    @answers("StopAutomationExecution")
    def stop(self, call: Call, onward: Onward) -> Json:
        execution = self._execution(call)
        if not execution.over:
            execution.stopped = (self.ground.now(), "Success" if call.params.get("Type") == "Complete" else "Cancelled")
        return {}

    @answers("DescribeAutomationExecutions")
    def describe_executions(self, call: Call, onward: Onward) -> Json:
        """Newest first."""
        filters = [(each["Key"], each["Values"]) for each in call.params.get("Filters", [])]
        found = reversed(self.executions.values())
        return {"AutomationExecutionMetadataList": [each.listed() for each in found if all(each.meets(*one) for one in filters)]}

    def _execution(self, call: Call) -> Execution:
        found = self.executions.get(call.params["AutomationExecutionId"])
        if found is None:
            raise Refusal("AutomationExecutionNotFoundException", "The automation execution does not exist.")
        return found

    # --- documents ---

    def _document(self, name: str, version: str | None) -> Json:
        """As DescribeDocument tells it; of AWS's own we know only those that somebody has put there."""
        documents = self._moto()._documents.get(name)
        if documents is None and name.startswith("AWS-"):
            return {}
        if documents is None:
            raise Refusal("InvalidDocument", NO_DOCUMENT.format(name=name))
        said: Json = documents.describe(version)
        return said

    def _check_parameters(self, name: str, said: Json, asked: Json) -> None:
        known = {each["Name"] for each in said.get("Parameters") or []}
        unknown = set(asked.get("Parameters", {})) - known
        if said and unknown:
            raise Refusal("InvalidParameters", NO_PARAMETER.format(names=sorted(unknown)))

    def _steps(self, name: str) -> Iterator[tuple[str, str]]:
        documents = self._moto()._documents.get(name)
        try:
            content = json.loads(documents.get_default_version().content) if documents else {}
        except ValueError:
            content = {}                # YAML: its steps are not told
        yield from ((each["name"], each["action"]) for each in content.get("mainSteps", []))

    def _id(self, of: str) -> str:
        number = hashlib.sha256(f"{of}{next(self._numbers)}".encode()).hexdigest()
        return f"{number[:8]}-{number[8:12]}-4{number[12:15]}-8{number[15:18]}-{number[18:30]}"

    def _moto(self) -> Any:
        return self.ground.resources.backend("ssm", self.ground.region)

    def _ec2(self) -> Any:
        return self.ground.resources.backend("ec2", self.ground.region)


def _meets(command: Json, filter: Json) -> bool:
    key, value = filter["key"], filter["value"]
    if key in ("InvokedAfter", "InvokedBefore"):
        at = datetime.fromisoformat(value).astimezone(UTC)
        return bool(command["RequestedDateTime"] > at if key == "InvokedAfter" else command["RequestedDateTime"] < at)
    return bool(command.get(key) == value)
