"""The double of AWS tells the truth where it matters: states over time, locks, limits, who may do what, lost answers."""

from typing import Any

from tests.action_stage import ActionWorld, aws_server, world

__all__ = ["aws_server", "world"]


def test_what_moto_knows_passes_through(world: ActionWorld) -> None:
    for service, call, key in (
        ("ec2", "describe_instances", "Reservations"), ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"),
        ("elbv2", "describe_target_groups", "TargetGroups"), ("rds", "describe_db_instances", "DBInstances"),
        ("ecs", "list_clusters", "clusterArns"), ("cloudwatch", "describe_alarms", "MetricAlarms"),
        ("ssm", "describe_parameters", "Parameters"), ("kms", "list_keys", "Keys"), ("sqs", "list_queues", "QueueUrls"),
        ("sts", "get_caller_identity", "Account"), ("cloudfront", "list_distributions", "DistributionList"),
        ("logs", "describe_log_groups", "logGroups"), ("secretsmanager", "list_secrets", "SecretList"),
    ):
        answer = getattr(world.aws(service), call)()
        assert not answer.get(key) or key in ("Account", "DistributionList"), service
    assert world.aws("wafv2", "us-east-1").list_ip_sets(Scope="CLOUDFRONT")["IPSets"] == []
    assert len(world.called) == 14
    assert [each.outcome for each in world.double.calls] == ["ok"] * 14


# --- ECS ---


def ecs_service(world: ActionWorld, desired: int = 2, **more: Any) -> Any:
    """payments/ledger of ledger:1, and ledger:2 lies ready; gives a way to read it."""
    ecs = world.double.client("ecs")
    ecs.create_cluster(clusterName="payments")
    for tag in ("1", "2"):
        container = {"name": "app", "image": f"ledger:{tag}", "memory": 64}
        ecs.register_task_definition(family="ledger", containerDefinitions=[container])
    ecs.create_service(cluster="payments", serviceName="ledger", taskDefinition="ledger:1", desiredCount=desired, **more)
    return lambda: world.aws("ecs").describe_services(cluster="payments", services=["ledger"])["services"][0]


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
