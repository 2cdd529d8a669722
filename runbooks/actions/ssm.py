"""AWS Systems Manager: run a document of the list in vigie.yaml on instances, or as an automation."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from runbooks.actions import MOST_SAID, Action, Failed, Look, Outcome, Params, Place, Service, State, World

FREE_TEXT = frozenset({                 # they run whatever the caller writes, or fetches from where he says
    "AWS-RunShellScript", "AWS-RunPowerShellScript", "AWS-RunRemoteScript", "AWS-RunDocument",
    "AWS-RunAnsiblePlaybook", "AWS-ApplyAnsiblePlaybooks", "AWS-RunSaltState",
})
SKEW = timedelta(minutes=5)             # how far AWS's clock may be from ours
START_WITHIN_S = 120
AT_ONCE = "1"                           # and no further instance once one has failed
MOST_PRINTED = 2000                     # characters of what a command printed that are kept of each instance

NO_FREE_TEXT = "{document} runs whatever text it is given: write a document of your own, and put that on the list"
NOT_LISTED = "{document} is not among the documents that vigie.yaml allows"
OTHER_KIND = "{document} is a document of the kind {kind}, this step needs {needed}"
NOT_ACTIVE = "{document} is {status}, it must be Active"
UNKNOWN_PARAMETERS = "{document} knows no parameter {names}; it knows {known}"

RUN = "would run {document} (version {version}) on {instances}{parameters}"
AUTOMATE = "would start the automation {document} (version {version}){parameters}"
WITH = ", with {parameters}"
SENT = "the command {command} is sent to {count} instances"
STARTED = "the automation {execution} has started"
NO_COMMAND = "no command of this step is known"
NO_EXECUTION = "no automation of this step is known"
COMMAND_IS = "the command {command}: {states}"
INSTANCE_IS = "{instance} {status}"
ENDED = "{instance} {status} (code {code})"
EXECUTION_IS = "the automation {execution} is {status}"
WHY = "{said}: {why}"

# No * and no ?: the name stands in a session policy, where they would stand for other documents.
DocumentName = Annotated[str, Field(description="Name of the document", pattern=r"^[A-Za-z0-9_.-]{3,128}$")]
InstanceId = Annotated[str, Field(pattern=r"^(i|mi)-[0-9a-f]{8,17}$")]


class OfDocument(Params):
    """A document and what it is given."""

    document: DocumentName
    parameters: Mapping[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="What the document is given, by name", max_length=50)

    def as_lists(self) -> dict[str, list[str]]:
        """As SSM takes them."""
        return {name: [each] if isinstance(each, str) else list(each) for name, each in self.parameters.items()}


class OnInstances(OfDocument):
    instances: tuple[InstanceId, ...] = Field(     # a session policy of 2,048 characters must name them all
        description="Ids of the instances", min_length=1, max_length=20)


class Automated(OfDocument):
    role: str | None = Field(
        None, pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}$",
        description="ARN of the role that it runs under, where the document does not name one itself")


D = TypeVar("D", bound=OfDocument)


class _OfDocument(Action[D]):
    """What both share: the document, which must be on the list, and runs in the version that was planned."""

    kind: ClassVar[str]                 # as SSM calls it

    def target(self, params: D) -> str:
        return f"ssm:{params.document}"

    def before(self, world: World, params: D) -> State:
        if params.document in FREE_TEXT:
            raise Failed(NO_FREE_TEXT.format(document=params.document))
        if params.document not in world.allowed.get("documents", ()):
            raise Failed(NOT_LISTED.format(document=params.document))
        found = world.aws("ssm").describe_document(Name=params.document)["Document"]
        self._fits(params, found)
        return {"version": found["DocumentVersion"], "hash": found["Hash"], "hash_type": found["HashType"],
                "at": world.now.isoformat()}

    def _fits(self, params: D, found: Any) -> None:
        if found["DocumentType"] != self.kind:
            raise Failed(OTHER_KIND.format(document=params.document, kind=found["DocumentType"], needed=self.kind))
        if found["Status"] != "Active":
            raise Failed(NOT_ACTIVE.format(document=params.document, status=found["Status"]))
        known = {each["Name"] for each in found.get("Parameters", [])}
        if unknown := set(self.given(params)) - known:
            names = (", ".join(sorted(each)) or "none" for each in (unknown, known))
            raise Failed(UNKNOWN_PARAMETERS.format(document=params.document, names=next(names), known=next(names)))

    def given(self, params: D) -> dict[str, list[str]]:
        return params.as_lists()

    def _with(self, params: D) -> str:
        told = ", ".join(f"{name}={' '.join(values)}" for name, values in sorted(self.given(params).items()))
        return WITH.format(parameters=told) if told else ""


def _document_arn(document: str, place: Place) -> str:
    """AWS's own documents belong to no account."""
    account = "" if document.startswith("AWS") else place.account
    return f"arn:{place.partition}:ssm:{place.region}:{account}:document/{document}"


class RunDocument(_OfDocument[OnInstances]):
    """Run a listed document on instances, one after the other, until one fails."""

    name = "aws.ssm.run_document"
    kind = "Command"
    params = OnInstances
    example: ClassVar[State] = {"document": "pay-collect-threads", "instances": ["i-0123456789abcdef0"]}
    changes = "whatever the document does on these instances"
    idempotent = False
    verified = "the command has succeeded on every instance"
    no_undo = "what a command did on a machine is not undone"
    reads = ("ssm:DescribeDocument", "ssm:ListCommands", "ssm:GetCommandInvocation")
    writes = ("ssm:SendCommand",)

    def resources(self, params: OnInstances, before: State, place: Place) -> Sequence[str]:
        machines = [
            place.arn("ec2", f"instance/{each}") if each.startswith("i-") else place.arn("ssm", f"managed-instance/{each}")
            for each in params.instances
        ]
        return [_document_arn(params.document, place), *machines]

    def plan(self, params: OnInstances, before: State) -> str:
        return RUN.format(document=params.document, version=before["version"], instances=", ".join(params.instances),
                          parameters=self._with(params))

    def act(self, world: World, params: OnInstances, before: State) -> Outcome:
        sent = world.aws("ssm").send_command(
            DocumentName=params.document, DocumentVersion=before["version"],
            DocumentHash=before["hash"], DocumentHashType=before["hash_type"],
            InstanceIds=list(params.instances), Parameters=self.given(params), Comment=world.label,
            TimeoutSeconds=START_WITHIN_S, MaxConcurrency=AT_ONCE, MaxErrors="0")["Command"]
        return Outcome(SENT.format(command=sent["CommandId"], count=len(params.instances)), {"command": sent["CommandId"]})

    def look(self, world: World, params: OnInstances, before: State, outputs: State) -> Look:
        command = outputs.get("command") or self._ours(world, before)
        if command is None:
            return Look("not seen", NO_COMMAND)
        found = {each: _invocation(world, command, each) for each in params.instances}
        states = [_ended(instance, each) for instance, each in found.items()]
        said = COMMAND_IS.format(command=command, states=", ".join(states))[:MOST_SAID]
        printed = {each: _printed(said) for each, said in found.items()}
        statuses = {each["Status"] for each in found.values()}
        values = {"command": command, "printed": printed}
        if statuses & {"Failed", "TimedOut", "Cancelled", "Cancelling"}:
            return Look("failed", said, values)
        return Look("done" if statuses == {"Success"} else "under way", said, values)

    def _ours(self, world: World, before: State) -> str | None:
        """The command that carries our label, when its answer was lost."""
        after = (datetime.fromisoformat(before["at"]) - SKEW).strftime("%Y-%m-%dT%H:%M:%SZ")
        pages = world.aws("ssm").get_paginator("list_commands").paginate(Filters=[{"key": "InvokedAfter", "value": after}])
        sent = (each for page in pages for each in page["Commands"])
        return next((str(each["CommandId"]) for each in sent if each.get("Comment") == world.label), None)


def _invocation(world: World, command: str, instance: str) -> Any:
    ssm = world.aws("ssm")
    try:
        return ssm.get_command_invocation(CommandId=command, InstanceId=instance)
    except ssm.exceptions.InvocationDoesNotExist:      # the truth comes with a delay
        return {"Status": "Pending"}


def _ended(instance: str, invocation: Any) -> str:
    code = invocation.get("ResponseCode", -1)       # -1: it has not ended
    known = INSTANCE_IS if code == -1 else ENDED
    return known.format(instance=instance, status=invocation["Status"], code=code)


def _printed(invocation: Any) -> str:
    both = (invocation.get("StandardOutputContent", ""), invocation.get("StandardErrorContent", ""))
    return "\n".join(each for each in both if each)[:MOST_PRINTED]


class Automation(_OfDocument[Automated]):
    """Start a listed automation document, and see it through."""

    name = "aws.ssm.automation"
    kind = "Automation"
    params = Automated
    example: ClassVar[State] = {"document": "AWS-RestartEC2Instance", "parameters": {"InstanceId": "i-0123456789abcdef0"}}
    changes = "whatever the automation does"
    verified = "the automation has succeeded"
    no_undo = "an automation can be stopped, but what its steps did stays"
    reads = ("ssm:DescribeDocument", "ssm:GetAutomationExecution", "ssm:DescribeAutomationExecutions")
    writes = ("ssm:StartAutomationExecution", "ssm:AddTagsToResource", "iam:PassRole")
    poll_s = 10.0

    def resources(self, params: Automated, before: State, place: Place) -> Sequence[str]:
        name, role = params.document, [params.role] if params.role else []
        return [place.arn("ssm", f"automation-definition/{name}:{before['version']}"), _document_arn(name, place),
                place.arn("ssm", "automation-execution/*"), *role]

    def given(self, params: Automated) -> dict[str, list[str]]:
        return {**params.as_lists(), **({"AutomationAssumeRole": [params.role]} if params.role else {})}

    def plan(self, params: Automated, before: State) -> str:
        return AUTOMATE.format(document=params.document, version=before["version"], parameters=self._with(params))

    def act(self, world: World, params: Automated, before: State) -> Outcome:
        """The token makes a second start the same start; the tag is how to find it when its answer was lost."""
        ssm = world.aws("ssm")
        try:
            execution = ssm.start_automation_execution(
                DocumentName=params.document, DocumentVersion=before["version"], Parameters=self.given(params),
                ClientToken=world.token, Tags=[{"Key": world.label, "Value": world.token}])["AutomationExecutionId"]
        except ssm.exceptions.IdempotentParameterMismatch:
            execution = self._ours(world, params)
            if execution is None:
                raise
        return Outcome(STARTED.format(execution=execution), {"execution": execution})

    def look(self, world: World, params: Automated, before: State, outputs: State) -> Look:
        execution = outputs.get("execution") or self._ours(world, params)
        if execution is None:
            return Look("not seen", NO_EXECUTION)
        found = world.aws("ssm").get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
        status, why = found["AutomationExecutionStatus"], found.get("FailureMessage")
        said = EXECUTION_IS.format(execution=execution, status=status)
        values = {"execution": execution, "outputs": {name: list(each) for name, each in found.get("Outputs", {}).items()}}
        if status in ("Success", "CompletedWithSuccess"):
            return Look("done", said, values)
        if status in ("Failed", "TimedOut", "Cancelling", "Cancelled", "Rejected", "CompletedWithFailure", "Exited"):
            return Look("failed", (WHY.format(said=said, why=why) if why else said)[:MOST_SAID], values)
        return Look("under way", said, values)

    def _ours(self, world: World, params: Automated) -> str | None:
        said = world.aws("ssm").describe_automation_executions(Filters=[
            {"Key": "DocumentNamePrefix", "Values": [params.document]}, {"Key": "TagKey", "Values": [world.label]}])
        found = said["AutomationExecutionMetadataList"]
        return str(found[0]["AutomationExecutionId"]) if found else None


SERVICE = Service("aws.ssm", (RunDocument(), Automation()))
