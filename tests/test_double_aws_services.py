"""The double of AWS tells what time does: deployments, instances, targets, databases, alarms and metrics."""

import json
import struct
import zlib
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from bot.doubles.aws import ACCOUNT, REGION
from tests.action_stage import ActionWorld, aws_server, refused, world
from tests.aws_ground import alarms, ecs_service, group, measured, query

__all__ = ["aws_server", "world"]


# --- ECS ---


def test_a_forced_deployment_stands_beside_the_old_one_until_its_tasks_run(world: ActionWorld) -> None:
    read = ecs_service(world)
    assert [(each["status"], each["rolloutState"]) for each in read()["deployments"]] == [("PRIMARY", "COMPLETED")]
    said = world.aws("ecs").update_service(cluster="payments", service="ledger", forceNewDeployment=True)["service"]
    assert [(each["status"], each["rolloutState"]) for each in said["deployments"]] == [
        ("PRIMARY", "IN_PROGRESS"), ("ACTIVE", "COMPLETED")]
    assert (said["runningCount"], said["pendingCount"]) == (2, 2)
    world.forward(31)
    assert read()["runningCount"] == 4
    world.forward(21)
    done = read()
    assert [(each["status"], each["rolloutState"]) for each in done["deployments"]] == [("PRIMARY", "COMPLETED")]
    assert (done["runningCount"], done["pendingCount"]) == (2, 0)
    assert "steady state" in done["events"][0]["message"]


def test_running_tasks_catch_up_with_what_is_desired(world: ActionWorld) -> None:
    read = ecs_service(world)
    world.aws("ecs").update_service(cluster="payments", service="ledger", desiredCount=5)
    assert (read()["desiredCount"], read()["runningCount"], len(read()["deployments"])) == (5, 2, 1)
    world.forward(31)
    assert read()["runningCount"] == 5
    world.aws("ecs").update_service(cluster="payments", service="ledger", desiredCount=1)
    assert read()["runningCount"] == 1


def test_a_task_that_is_stopped_is_replaced(world: ActionWorld) -> None:
    ecs_service(world)
    ecs = world.aws("ecs")
    before = ecs.list_tasks(cluster="payments", serviceName="ledger")["taskArns"]
    ecs.stop_task(cluster="payments", task=before[0], reason="it hung")
    told = ecs.describe_tasks(cluster="payments", tasks=before)["tasks"]
    assert [(each["lastStatus"], each.get("stoppedReason")) for each in told] == [("STOPPED", "it hung"), ("RUNNING", None)]
    now = ecs.list_tasks(cluster="payments", serviceName="ledger")["taskArns"]
    assert (len(now), len(set(now) & set(before))) == (2, 1)


def test_a_task_definition_that_crashes_goes_on_crashing_until_the_one_before_is_back(world: ActionWorld) -> None:
    read = ecs_service(world)
    update = world.aws("ecs").update_service
    bad = update(cluster="payments", service="ledger", taskDefinition="ledger:2")["service"]["taskDefinition"]
    assert bad.endswith("task-definition/ledger:2")
    world.double.ecs.crash("payments/ledger", definition=bad)
    for _ in range(8):
        world.forward(16)
        read()
    assert [each["rolloutState"] for each in read()["deployments"]] == ["IN_PROGRESS", "COMPLETED"]
    assert read()["deployments"][0]["failedTasks"] > 2
    update(cluster="payments", service="ledger", taskDefinition="ledger:1")
    for _ in range(3):
        world.forward(31)
        read()
    assert [(each["rolloutState"], each["failedTasks"]) for each in read()["deployments"]] == [("COMPLETED", 0)]


def test_a_circuit_breaker_ends_a_deployment_that_fails(world: ActionWorld) -> None:
    read = ecs_service(world, deploymentConfiguration={"deploymentCircuitBreaker": {"enable": True, "rollback": False}})
    world.aws("ecs").update_service(cluster="payments", service="ledger", forceNewDeployment=True)
    world.double.ecs.crash("payments/ledger")
    for _ in range(8):
        world.forward(16)
        read()
    assert read()["deployments"][0]["rolloutState"] == "FAILED"


# --- Auto Scaling ---


def lifecycles(read: Any) -> dict[str, int]:
    return dict(Counter(each["LifecycleState"] for each in read()["Instances"]))


def test_instances_are_spread_over_the_zones(world: ActionWorld) -> None:
    read = group(world)
    assert sorted(each["AvailabilityZone"][-1] for each in read()["Instances"]) == ["a", "a", "b", "c"]
    assert lifecycles(read) == {"InService": 4}


def test_a_desired_capacity_outside_the_limits_is_refused(world: ActionWorld) -> None:
    group(world)
    desire = world.aws("autoscaling").set_desired_capacity
    assert refused(desire, AutoScalingGroupName="pay-api", DesiredCapacity=7) == (
        "ValidationError", "New SetDesiredCapacity value 7 is above max value 6 for the AutoScalingGroup.")
    assert "below min value 2" in refused(desire, AutoScalingGroupName="pay-api", DesiredCapacity=1)[1]
    assert "not found" in refused(desire, AutoScalingGroupName="nobody", DesiredCapacity=1)[1]
    update = world.aws("autoscaling").update_auto_scaling_group
    assert "between" in refused(update, AutoScalingGroupName="pay-api", DesiredCapacity=4, MinSize=5)[1]


def test_an_instance_comes_and_goes_in_its_time_and_leaves_activities(world: ActionWorld) -> None:
    read, scaling = group(world), world.aws("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=5)
    assert (lifecycles(read), read()["DesiredCapacity"]) == ({"InService": 4, "Pending": 1}, 5)
    launch, = scaling.describe_scaling_activities(AutoScalingGroupName="pay-api")["Activities"]
    assert (launch["StatusCode"], launch["Description"][:9]) == ("InProgress", "Launching")
    world.forward(121)
    assert lifecycles(read) == {"InService": 5}
    scaling.set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=3)
    assert lifecycles(read) == {"InService": 3, "Terminating": 2}
    world.forward(61)
    assert lifecycles(read) == {"InService": 3}
    done = scaling.describe_scaling_activities(AutoScalingGroupName="pay-api")["Activities"]
    assert [each["StatusCode"] for each in done] == ["Successful"] * 3


def test_a_cooldown_that_is_honoured_says_later(world: ActionWorld) -> None:
    group(world)
    desire = world.aws("autoscaling").set_desired_capacity
    desire(AutoScalingGroupName="pay-api", DesiredCapacity=5)
    back = {"AutoScalingGroupName": "pay-api", "DesiredCapacity": 4, "HonorCooldown": True}
    assert refused(desire, **back)[0] == "ScalingActivityInProgress"
    world.forward(301)
    desire(**back)


def test_an_instance_that_is_terminated_is_replaced_once(world: ActionWorld) -> None:
    read, terminate = group(world), world.aws("autoscaling").terminate_instance_in_auto_scaling_group
    gone = read()["Instances"][0]["InstanceId"]
    terminate(InstanceId=gone, ShouldDecrementDesiredCapacity=False)
    assert lifecycles(read) == {"InService": 3, "Pending": 1, "Terminating": 1}
    assert "No managed instance" in refused(terminate, InstanceId=gone, ShouldDecrementDesiredCapacity=False)[1]
    world.forward(121)
    assert lifecycles(read) == {"InService": 4}
    assert gone not in [each["InstanceId"] for each in read()["Instances"]]


def test_what_is_suspended_does_not_happen_until_it_is_resumed(world: ActionWorld) -> None:
    read, scaling = group(world), world.aws("autoscaling")
    scaling.suspend_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["Launch"])
    assert [each["ProcessName"] for each in read()["SuspendedProcesses"]] == ["Launch"]
    scaling.terminate_instance_in_auto_scaling_group(
        InstanceId=read()["Instances"][0]["InstanceId"], ShouldDecrementDesiredCapacity=False)
    world.forward(600)
    assert lifecycles(read) == {"InService": 3}
    scaling.resume_processes(AutoScalingGroupName="pay-api", ScalingProcesses=["Launch"])
    assert lifecycles(read) == {"InService": 3, "Pending": 1}


def test_a_group_replaces_an_instance_that_somebody_stopped(world: ActionWorld) -> None:
    read = group(world)
    stopped = read()["Instances"][0]["InstanceId"]
    world.aws("ec2").stop_instances(InstanceIds=[stopped])
    read()
    world.forward(61)
    assert lifecycles(read) == {"InService": 3, "Pending": 1, "Terminating": 1}


# --- load balancers ---


def targets(world: ActionWorld) -> tuple[str, Any]:
    """A target group with the instances of pay-api; its ARN and a way to read each target's health."""
    elb = world.double.client("elbv2")
    vpc = world.double.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    arn = elb.create_target_group(Name="pay-api", Protocol="HTTP", Port=8080, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    group(world, desired=3, targets=(arn,))
    world.double.elbv2.stand()
    describe = world.aws("elbv2").describe_target_health

    def read(**more: Any) -> dict[str, str]:
        told = describe(TargetGroupArn=arn, **more)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in told}

    return arn, read


def test_a_target_is_drained_and_looked_at_before_it_serves_again(world: ActionWorld) -> None:
    arn, read = targets(world)
    one, *others = read()
    elb, only = world.aws("elbv2"), [{"Id": one}]
    elb.deregister_targets(TargetGroupArn=arn, Targets=only)
    elb.deregister_targets(TargetGroupArn=arn, Targets=only)
    assert read() == {one: "draining", **dict.fromkeys(others, "healthy")}
    world.forward(301)
    assert read() == dict.fromkeys(others, "healthy")
    assert read(Targets=only) == {one: "unused"}
    elb.register_targets(TargetGroupArn=arn, Targets=only)
    assert read(Targets=only) == {one: "initial"}
    world.forward(31)
    assert read(Targets=only) == {one: "healthy"}
    assert refused(elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": "i-0123456789abcdef0"}])[0] == "InvalidTarget"


def test_a_target_that_is_ill_stays_so_until_it_is_healed_or_replaced(world: ActionWorld) -> None:
    _, read = targets(world)
    ill, other, _ = read()
    world.double.elbv2.sicken(ill)
    world.double.elbv2.sicken(other)
    assert list(read().values()) == ["unhealthy", "unhealthy", "healthy"]
    world.double.elbv2.heal(other)
    world.aws("autoscaling").terminate_instance_in_auto_scaling_group(InstanceId=ill, ShouldDecrementDesiredCapacity=False)
    assert sorted(read().values()) == ["draining", "healthy", "healthy", "initial"]
    world.forward(121)
    assert sorted(read().values()) == ["draining", "healthy", "healthy", "initial"]
    world.forward(200)
    assert list(read().values()) == ["healthy"] * 3


def test_a_group_does_not_bring_back_a_target_that_was_taken_out_by_hand(world: ActionWorld) -> None:
    arn, read = targets(world)
    one = next(iter(read()))
    world.aws("elbv2").deregister_targets(TargetGroupArn=arn, Targets=[{"Id": one}])
    world.aws("autoscaling").set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=4)
    world.forward(301)
    assert read(Targets=[{"Id": one}]) == {one: "unused"}


# --- RDS ---


def database(world: ActionWorld, multi_az: bool = True) -> Any:
    """pay-db in zone a; gives a way to read it."""
    world.double.client("rds").create_db_instance(
        DBInstanceIdentifier="pay-db", Engine="mysql", DBInstanceClass="db.m6g.large", MultiAZ=multi_az, AllocatedStorage=100,
        MasterUsername="pay", MasterUserPassword="never-used-here", AvailabilityZone="eu-west-3a")
    rds = world.aws("rds")
    return lambda: rds.describe_db_instances(DBInstanceIdentifier="pay-db")["DBInstances"][0]


def zones(read: Any) -> tuple[str, str, str]:
    said = read()
    return said["DBInstanceStatus"], said["AvailabilityZone"][-1], said["SecondaryAvailabilityZone"][-1]


def test_a_failover_takes_its_time_swaps_the_zones_and_leaves_events(world: ActionWorld) -> None:
    read, rds = database(world), world.aws("rds")
    assert zones(read) == ("available", "a", "b")
    again = {"DBInstanceIdentifier": "pay-db", "ForceFailover": True}
    assert rds.reboot_db_instance(**again)["DBInstance"]["DBInstanceStatus"] == "rebooting"
    assert refused(rds.reboot_db_instance, **again)[0] == "InvalidDBInstanceState"
    world.forward(71)
    assert zones(read) == ("available", "a", "b")
    world.forward(15)
    assert zones(read) == ("available", "b", "a")
    told = rds.describe_events(SourceIdentifier="pay-db", SourceType="db-instance", Duration=5)["Events"]
    assert [each["Message"] for each in told] == [
        "Multi-AZ instance failover started.", "DB instance restarted", "Multi-AZ instance failover completed"]
    rds.reboot_db_instance(**again)
    for _ in range(2):
        world.forward(86)
        assert zones(read) == ("available", "a", "b")
    assert len(rds.describe_events(StartTime=world.now - timedelta(seconds=120))["Events"]) == 2


def test_a_database_with_one_zone_cannot_fail_over_but_reboot(world: ActionWorld) -> None:
    read, rds = database(world, multi_az=False), world.aws("rds")
    assert refused(rds.reboot_db_instance, DBInstanceIdentifier="pay-db", ForceFailover=True)[0] == "InvalidParameterCombination"
    rds.reboot_db_instance(DBInstanceIdentifier="pay-db")
    assert read()["DBInstanceStatus"] == "rebooting"
    world.forward(31)
    assert read()["DBInstanceStatus"] == "available"
    assert "SecondaryAvailabilityZone" not in read()


def test_a_database_that_is_busy_or_stuck_says_so(world: ActionWorld) -> None:
    read, rds = database(world), world.aws("rds")
    world.double.rds.hold("pay-db", "backing-up")
    assert read()["DBInstanceStatus"] == "backing-up"
    assert refused(rds.reboot_db_instance, DBInstanceIdentifier="pay-db")[0] == "InvalidDBInstanceState"
    world.double.rds.hold("pay-db", "available")
    world.double.rds.stuck.add("pay-db")
    rds.reboot_db_instance(DBInstanceIdentifier="pay-db", ForceFailover=True)
    world.forward(3600)
    assert zones(read) == ("rebooting", "a", "b")


def test_a_snapshot_is_made_over_time_and_has_one_name(world: ActionWorld) -> None:
    database(world)
    rds = world.aws("rds")
    named = {"DBInstanceIdentifier": "pay-db", "DBSnapshotIdentifier": "vigie-run57-step2"}
    assert rds.create_db_snapshot(**named)["DBSnapshot"]["Status"] == "creating"
    assert refused(rds.create_db_snapshot, **named)[0] == "DBSnapshotAlreadyExists"
    world.forward(121)
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="vigie-run57-step2")["DBSnapshots"][0]["Status"] == "available"


# --- CloudWatch ---


def alarm(world: ActionWorld, name: str, state: str = "OK") -> None:
    world.double.client("cloudwatch").put_metric_alarm(
        AlarmName=name, MetricName="HTTPCode_Target_5XX_Count", Namespace="AWS/ApplicationELB", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=50, ComparisonOperator="GreaterThanThreshold")
    world.double.cloudwatch.set_alarm(name, state)



def test_an_alarm_is_in_the_state_it_was_told_since_then(world: ActionWorld) -> None:
    alarm(world, "pay-api-5xx")
    world.forward(60)
    world.double.cloudwatch.set_alarm("pay-api-5xx", "ALARM", "412 > 50")
    told, = world.aws("cloudwatch").describe_alarms(AlarmNames=["pay-api-5xx"])["MetricAlarms"]
    assert (told["StateValue"], told["StateReason"], told["StateUpdatedTimestamp"]) == ("ALARM", "412 > 50", world.now)
    assert alarms(world, StateValue="OK") == {}
    told, = world.aws("cloudwatch").describe_alarm_history(AlarmName="pay-api-5xx", HistoryItemType="StateUpdate")[
        "AlarmHistoryItems"][:1]
    assert told["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_a_new_alarm_has_no_data_and_a_changed_one_keeps_its_state(world: ActionWorld) -> None:
    put = {"AlarmName": "new", "MetricName": "m", "Namespace": "n", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
           "ComparisonOperator": "GreaterThanThreshold"}
    world.aws("cloudwatch").put_metric_alarm(**put, Threshold=1)
    assert alarms(world) == {"new": "INSUFFICIENT_DATA"}
    world.aws("cloudwatch").set_alarm_state(AlarmName="new", StateValue="ALARM", StateReason="a drill")
    world.aws("cloudwatch").put_metric_alarm(**put, Threshold=2)
    assert alarms(world) == {"new": "ALARM"}


def test_a_composite_alarm_follows_its_children_and_is_told_only_to_who_asks(world: ActionWorld) -> None:
    alarm(world, "pay-api-5xx")
    alarm(world, "deploying")
    child = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:pay-api-5xx"
    put = world.aws("cloudwatch").put_composite_alarm
    put(AlarmName="pay-api", AlarmRule=f'ALARM("{child}") AND NOT (ALARM(deploying) OR FALSE)')
    assert refused(put, AlarmName="wrong", AlarmRule="ALARM(a) OR")[0] == "ValidationError"
    assert "pay-api" not in alarms(world)
    assert alarms(world, AlarmTypes=["CompositeAlarm"]) == {"pay-api": "OK"}
    world.double.cloudwatch.set_alarm("pay-api-5xx", "ALARM")
    assert alarms(world, AlarmNames=["pay-api"], AlarmTypes=["MetricAlarm", "CompositeAlarm"]) == {"pay-api": "ALARM"}
    world.double.cloudwatch.set_alarm("deploying", "ALARM")
    assert alarms(world, AlarmTypes=["CompositeAlarm"], StateValue="OK") == {"pay-api": "OK"}






def test_figures_are_added_up_as_the_statistic_says_percentiles_too(world: ActionWorld) -> None:
    world.double.cloudwatch.feed(
        "AWS/ApplicationELB", "TargetResponseTime", {"LoadBalancer": "app/pay-api/50dc"}, [0.1, 0.2, 0.3, 0.4, 2.0])
    stats = {"average": "Average", "most": "Maximum", "count": "SampleCount", "p50": "p50", "p95": "p95"}
    found = measured(world, *(query(id, stat, 900) for id, stat in stats.items()), minutes=14)
    assert found == {"average": [pytest.approx(0.6)], "most": [2.0], "count": [5.0], "p50": [0.3], "p95": [2.0]}
    assert measured(world, query("each", "Average"))["each"] == [0.1, 0.2, 0.3, 0.4, 2.0]
    assert measured(world, query("none", "Average", Namespace="AWS/RDS", MetricName="CPUUtilization")) == {"none": []}


def test_metrics_that_are_put_are_there_and_can_be_reckoned_with(world: ActionWorld) -> None:
    cloudwatch = world.aws("cloudwatch")
    for name, value in (("Errors", 5.0), ("Requests", 200.0)):
        cloudwatch.put_metric_data(
            Namespace="pay", MetricData=[{"MetricName": name, "Timestamp": world.now - timedelta(minutes=1), "Value": value}])
    ask = [query("e", "Sum", Namespace="pay", MetricName="Errors"), query("r", "Sum", Namespace="pay", MetricName="Requests")]
    assert measured(world, *ask, {"Id": "rate", "Expression": "100 * e / r"})["rate"] == [2.5]
    assert [each["MetricName"] for each in cloudwatch.list_metrics(Namespace="pay")["Metrics"]] == ["Errors", "Requests"]
    said = cloudwatch.get_metric_statistics(
        Namespace="pay", MetricName="Errors", StartTime=world.now - timedelta(minutes=5), EndTime=world.now, Period=60,
        Statistics=["Sum"])
    assert [each["Sum"] for each in said["Datapoints"]] == [5.0]


def test_a_metric_may_follow_the_clock(world: ActionWorld) -> None:
    world.double.cloudwatch.feed("AWS/SQS", "Age", {}, lambda at: float(at.minute))
    assert measured(world, query("age", "Maximum", Namespace="AWS/SQS", MetricName="Age"), minutes=3)["age"] == [11.0, 12.0, 13.0]


def test_a_chart_is_a_picture_with_the_line_in_it(world: ActionWorld) -> None:
    world.double.cloudwatch.feed(
        "AWS/ApplicationELB", "TargetResponseTime", {"LoadBalancer": "app/pay-api/50dc"}, [0.1, 0.2, 0.3, 0.4, 2.0])
    widget = {"metrics": [["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", "app/pay-api/50dc", {"stat": "p95"}]],
              "period": 60, "start": "-PT15M", "width": 300, "height": 120}
    drawn = world.aws("cloudwatch").get_metric_widget_image(MetricWidget=json.dumps(widget))["MetricWidgetImage"]
    empty = world.aws("cloudwatch").get_metric_widget_image(MetricWidget=json.dumps({"metrics": []}))["MetricWidgetImage"]
    assert struct.unpack(">II", drawn[16:24]) == (300, 120) and struct.unpack(">II", empty[16:24]) == (600, 400)
    rows = zlib.decompress(drawn[drawn.index(b"IDAT") + 4:])
    assert bytes((31, 119, 180)) in rows
