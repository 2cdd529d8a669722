"""The double of AWS tells the truth where it matters: states over time, locks, limits, who may do what, lost answers."""

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
