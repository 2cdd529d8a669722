"""On which resources a call needs to be allowed, as the service authorization reference of AWS has it."""

from collections.abc import Callable, Iterator, Sequence

from bot.doubles.aws.script import Ground
from bot.doubles.aws.wire import Call, Json

Named = Callable[[Ground, Json, str], Sequence[str] | None]

EVERYTHING = ("*",)
TAGGED = {"ec2": ("TagSpecifications", "ec2:CreateTags"), "rds": ("Tags", "rds:AddTagsToResource"),
          "ssm": ("Tags", "ssm:AddTagsToResource")}
NO_RESOURCE = {                 # actions for which only Resource "*" counts, by service and the operation's beginning
    "autoscaling": ("Describe",), "elbv2": ("Describe",), "ec2": ("Describe",), "wafv2": ("List",), "cloudfront": ("List",),
    "cloudwatch": ("GetMetric", "ListMetrics"), "kms": ("ListKeys",), "rds": ("DescribeEvents",),
    "ecs": ("DescribeTaskDefinition", "RegisterTaskDefinition", "ListTasks", "ListServices", "ListClusters"),
    "ssm": ("ListCommand", "GetCommandInvocation", "DescribeAutomation", "DescribeInstanceInformation"),
}


def touched(ground: Ground, call: Call) -> Sequence[str] | None:
    """The ARNs; nothing where we do not know."""
    if call.operation.startswith(NO_RESOURCE.get(call.service, ("-",))):
        return EVERYTHING
    named = NAMED.get(call.service)
    return named(ground, call.params, call.operation) if named else None


def needed(ground: Ground, call: Call) -> Iterator[tuple[str, Sequence[str] | None]]:
    """Every action that the call needs, and on what: to tag what is made, and to hand a role on, are actions of their own."""
    yield call.action, touched(ground, call)
    asks, tagging = TAGGED.get(call.service, ("", ""))
    if asks and call.params.get(asks):
        yield tagging, None
    if role := call.params.get("Parameters", {}).get("AutomationAssumeRole"):
        yield "iam:PassRole", list(role)


def _ecs(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    cluster = asked.get("cluster", "default").rsplit("/", 1)[-1]
    services = [asked["service"]] if "service" in asked else asked.get("services", [])
    tasks = [asked["task"]] if "task" in asked else asked.get("tasks", [])
    named = [f"service/{cluster}/{each.rsplit('/', 1)[-1]}" for each in services]
    named += [f"task/{cluster}/{each.rsplit('/', 1)[-1]}" for each in tasks]
    return [ground.arn("ecs", each) for each in named or [f"cluster/{cluster}"]]


def _autoscaling(ground: Ground, asked: Json, operation: str) -> Sequence[str] | None:
    groups = ground.resources.backend("autoscaling", ground.region).autoscaling_groups.values()
    wanted, instance = asked.get("AutoScalingGroupName"), asked.get("InstanceId")
    found = [
        str(group.arn) for group in groups
        if group.name == wanted or instance in [state.instance.id for state in group.instance_states]
    ]
    return found or ([ground.arn("autoscaling", f"autoScalingGroup:none:autoScalingGroupName/{wanted}")] if wanted else None)


def _elbv2(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    names = ("TargetGroupArn", "RuleArn", "ListenerArn", "LoadBalancerArn")
    return [asked[name] for name in names if name in asked] or EVERYTHING


def _rds(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    named = [ground.arn("rds", f"db:{asked['DBInstanceIdentifier']}")] if "DBInstanceIdentifier" in asked else []
    named += [ground.arn("rds", f"snapshot:{asked['DBSnapshotIdentifier']}")] if "DBSnapshotIdentifier" in asked else []
    named += [asked["ResourceName"]] if "ResourceName" in asked else []
    return named or [ground.arn("rds", "db:*")]


def _cloudfront(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    return [ground.arn("cloudfront", f"distribution/{asked.get('Id') or asked.get('DistributionId')}", "")]


def _wafv2(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    edge = asked.get("Scope") == "CLOUDFRONT"
    where, kind = ("us-east-1" if edge else ground.region), ("global" if edge else "regional")
    what = "webacl" if "WebACL" in operation else "ipset"
    return [ground.arn("wafv2", f"{kind}/{what}/{asked.get('Name', '*')}/{asked.get('Id', '*')}", where)]


def _ssm(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    if "AutomationExecutionId" in asked:
        return [ground.arn("ssm", f"automation-execution/{asked['AutomationExecutionId']}")]
    document = str(asked.get("DocumentName") or asked.get("Name", "*"))
    if operation == "StartAutomationExecution":
        return [ground.arn("ssm", f"automation-definition/{document}:{asked.get('DocumentVersion', '$DEFAULT')}")]
    owner = "" if document.startswith("AWS") else ground.account
    named = [f"arn:aws:ssm:{ground.region}:{owner}:document/{document}"]
    return named + [ground.arn("ec2", f"instance/{each}") for each in asked.get("InstanceIds", [])]


def _ec2(ground: Ground, asked: Json, operation: str) -> Sequence[str] | None:
    if "InstanceSpecification" in asked:
        return _snapshots(ground, asked["InstanceSpecification"]["InstanceId"])
    ids = [*asked.get("InstanceIds", []), *asked.get("Resources", []), *asked.get("Groups", [])]
    ids += [asked[name] for name in ("InstanceId", "GroupId", "NetworkInterfaceId") if name in asked]
    kinds = {"i": "instance", "sg": "security-group", "eni": "network-interface"}
    return [ground.arn("ec2", f"{kinds.get(each.split('-')[0], '*')}/{each}") for each in ids] or None


def _snapshots(ground: Ground, instance: str) -> Sequence[str]:
    """The machine, its disks, and what is made of them, which has no account in its name."""
    found = ground.resources.backend("ec2", ground.region).get_instance_by_id(instance)
    disks = [each.volume_id for each in found.block_device_mapping.values()] if found else []
    made = [f"arn:aws:ec2:{ground.region}::snapshot/*"]
    return [ground.arn("ec2", f"instance/{instance}"), *(ground.arn("ec2", f"volume/{each}") for each in disks), *made]


def _kms(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    key = str(asked.get("KeyId", "*")).rsplit("/", 1)[-1]
    return [ground.arn("kms", f"key/{key}")]


def _cloudwatch(ground: Ground, asked: Json, operation: str) -> Sequence[str]:
    names = asked.get("AlarmNames") or [asked.get("AlarmName", "*")]
    return [ground.arn("cloudwatch", f"alarm:{each}") for each in names]


NAMED: dict[str, Named] = {
    "ecs": _ecs, "autoscaling": _autoscaling, "elbv2": _elbv2, "rds": _rds, "cloudfront": _cloudfront, "wafv2": _wafv2,
    "ssm": _ssm, "ec2": _ec2, "kms": _kms, "cloudwatch": _cloudwatch,
}
