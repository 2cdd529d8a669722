"""What tests of actions on EC2 stand on: an instance, a group, its targets; and a judge of the rights that an action asks for."""

from collections.abc import Sequence
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from bot.doubles.aws import IMAGE
from runbooks.actions import Action, Failed, Params, State, Unsure
from runbooks.faults import told
from tests.action_stage import ActionWorld, look_on
from tests.mishaps import narrowed

NOT_A_CALL = {"ec2:CreateTags"}         # a right that another call needs


def instance_of(world: ActionWorld, **more: Any) -> str:
    """One instance in the default VPC."""
    made = world.double.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, InstanceType="m5.large", **more)
    return str(made["Instances"][0]["InstanceId"])


def group_of(
    world: ActionWorld, desired: int = 4, low: int = 2, high: int = 6, name: str = "pay-api", targets: Sequence[str] = (),
) -> list[str]:
    """A group over three zones; its instances."""
    world.double.client("ec2").create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "m5.large"})
    autoscaling = world.double.client("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateName": name}, MinSize=low, MaxSize=high,
        DesiredCapacity=desired, AvailabilityZones=[f"eu-west-3{zone}" for zone in "abc"], TargetGroupARNs=list(targets))
    return [each["InstanceId"] for each in group_as_it_is(world, name)["Instances"]]


def group_as_it_is(world: ActionWorld, name: str = "pay-api") -> Any:
    found = world.double.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return found["AutoScalingGroups"][0]


def targets_of(world: ActionWorld, count: int = 3) -> tuple[str, list[str]]:
    """The target group pay-api behind a load balancer: its ARN, and the instances of the group pay-api in it, healthy."""
    elb, ec2 = world.double.client("elbv2"), world.double.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    arn = elb.create_target_group(Name="pay-api", Protocol="HTTP", Port=8080, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    balancer = elb.create_load_balancer(Name="pay-api", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(
        LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}])
    ids = group_of(world, desired=count, targets=[arn])
    world.double.elbv2.stand()
    return arn, ids


def prepare(world: ActionWorld, action: Action[Any], **given: Any) -> tuple[Params, State, str]:
    """The parameters, what was before, the plan."""
    params = action.params.model_validate(given)
    before = action.before(world, params)
    return params, before, action.plan(params, before)


def refusal(world: ActionWorld, action: Action[Any], **given: Any) -> Failed:
    """What a guard says before anything is done."""
    with pytest.raises(Failed) as caught:
        prepare(world, action, **given)
    assert not [each for each in world.called if each in action.writes]
    return caught.value


def acted(world: ActionWorld, action: Action[Any], params: Params, before: State) -> Failed | Unsure:
    """What an act that goes wrong means, in our words."""
    with pytest.raises((Failed, Unsure, BotoCoreError, ClientError)) as caught:
        action.act(world, params, before)
    return told(caught.value)


def assert_throttled_is_later(world: ActionWorld, action: Action[Any], service: str, operation: str, **given: Any) -> None:
    """Throttled: nothing was changed, the same call may work later, and nothing is seen."""
    params, before, _ = prepare(world, action, **given)
    world.double.faults.throttle(service, operation)
    means = acted(world, action, params, before)
    assert isinstance(means, Failed) and means.again
    assert action.look(world, params, before, {}).seen == "not seen"


def assert_lost_is_found(world: ActionWorld, action: Action[Any], service: str, operation: str, **given: Any) -> None:
    """The answer was lost, the effect happened: nobody knows, until looking shows it. It was sent once."""
    params, before, _ = prepare(world, action, **given)
    world.double.faults.lose(service, operation)
    assert isinstance(acted(world, action, params, before), Unsure)
    looks = look_on(world, action, params, before, {})
    assert looks[-1].seen == "done", looks[-1].said
    assert [each.operation for each in world.double.calls].count(operation) == 1


def rights_unused(world: ActionWorld, action: Action[Any], *, undo: bool = True, **given: Any) -> set[str]:
    """A whole life under the session policy that the action itself declares. Gives the rights that it did not use."""
    looking = narrowed(world, action)
    params, before, _ = prepare(looking, action, **given)
    resources = action.resources(params, before, world.place)
    acting = narrowed(world, action, resources)
    outputs = action.act(acting, params, before).outputs
    assert look_on(looking, action, params, before, outputs)[-1].seen == "done"
    if undo:
        action.undo(acting, params, before, outputs)
        action.undone(looking, params, before, outputs)
    assert resources and all(each.startswith("arn:aws:") and each != "arn:aws:*" for each in resources)
    return {*action.reads, *action.writes} - {*looking.called, *acting.called} - NOT_A_CALL
