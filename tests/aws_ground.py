"""What tests of the double of AWS stand on: a service of ECS, a group of instances, and ways to read alarms and metrics."""

from datetime import timedelta
from typing import Any

from bot.doubles.aws import IMAGE
from tests.action_stage import ActionWorld

LATENCY = {"Namespace": "AWS/ApplicationELB", "MetricName": "TargetResponseTime",
           "Dimensions": [{"Name": "LoadBalancer", "Value": "app/pay-api/50dc"}]}


def ecs_service(world: ActionWorld, desired: int = 2, **more: Any) -> Any:
    """payments/ledger of ledger:1, and ledger:2 lies ready; gives a way to read it."""
    ecs = world.double.client("ecs")
    ecs.create_cluster(clusterName="payments")
    for tag in ("1", "2"):
        container = {"name": "app", "image": f"ledger:{tag}", "memory": 64}
        ecs.register_task_definition(family="ledger", containerDefinitions=[container])
    ecs.create_service(cluster="payments", serviceName="ledger", taskDefinition="ledger:1", desiredCount=desired, **more)
    return lambda: world.aws("ecs").describe_services(cluster="payments", services=["ledger"])["services"][0]


def group(world: ActionWorld, desired: int = 4, low: int = 2, high: int = 6, targets: tuple[str, ...] = ()) -> Any:
    """The group pay-api over three zones; gives a way to read it."""
    world.double.client("ec2").create_launch_template(
        LaunchTemplateName="pay-api", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "m5.large"})
    world.double.client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="pay-api", LaunchTemplate={"LaunchTemplateName": "pay-api"}, MinSize=low, MaxSize=high,
        DesiredCapacity=desired, AvailabilityZones=[f"eu-west-3{zone}" for zone in "abc"], TargetGroupARNs=list(targets))
    describe = world.aws("autoscaling").describe_auto_scaling_groups
    return lambda: describe(AutoScalingGroupNames=["pay-api"])["AutoScalingGroups"][0]


def alarms(world: ActionWorld, **asked: Any) -> dict[str, str]:
    said = world.aws("cloudwatch").describe_alarms(**asked)
    return {each["AlarmName"]: each["StateValue"] for each in (*said["MetricAlarms"], *said["CompositeAlarms"])}


def measured(world: ActionWorld, *queries: dict[str, Any], minutes: int = 10) -> dict[str, list[float]]:
    said = world.aws("cloudwatch").get_metric_data(
        MetricDataQueries=list(queries), StartTime=world.now - timedelta(minutes=minutes), EndTime=world.now,
        ScanBy="TimestampAscending")
    return {each["Id"]: each["Values"] for each in said["MetricDataResults"]}


def query(id: str, stat: str, period: int = 60, **metric: Any) -> dict[str, Any]:
    return {"Id": id, "MetricStat": {"Metric": metric or LATENCY, "Period": period, "Stat": stat}, "ReturnData": True}
