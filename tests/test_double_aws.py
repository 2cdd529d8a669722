"""The double of AWS tells the truth where it matters: states over time, locks, limits, who may do what, lost answers."""

import asyncio
import functools
import json
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.routing import Mount

from bot.doubles.aws import ACCOUNT, REGION, lay_out
from runbooks.actions import Failed, Unsure
from runbooks.faults import told
from tests.action_stage import ActionWorld, aws_server, listening, refused, world
from tests.aws_ground import alarms, ecs_service, group, measured, query
from tests.patience import PATIENCE_S
from tests.processes import ROOT
from tests.workspace_stage import served

__all__ = ["aws_server", "world"]

SOON = Config(read_timeout=PATIENCE_S, retries={"total_max_attempts": 1})


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


# --- who may do what ---


ROLE = f"arn:aws:iam::{ACCOUNT}:role/vigie-act"


def allow(*actions: str, on: str = "*") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": on}]})


def assume(world: ActionWorld, **more: Any) -> Any:
    """A way to make clients that stand under a role as Léa."""
    given = {"RoleArn": ROLE, "RoleSessionName": "lea@padok.example", "DurationSeconds": 900,
             "Tags": [{"Key": "alert", "Value": "142"}], **more}
    secret = world.aws("sts").assume_role(**given)["Credentials"]
    session = boto3.session.Session(secret["AccessKeyId"], secret["SecretAccessKey"], secret["SessionToken"])
    return lambda service: session.client(service, region_name=REGION, endpoint_url=world.served.url)


def test_the_log_names_the_person_who_acts_under_a_role(world: ActionWorld) -> None:
    ecs_service(world)
    client = assume(world)
    client("ecs").update_service(cluster="payments", service="ledger", forceNewDeployment=True)
    assert client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/vigie-act/lea@padok.example"
    assumed, restarted, _ = world.double.calls
    assert (assumed.operation, assumed.session) == ("AssumeRole", "demo")
    assert (restarted.session, restarted.tags, restarted.outcome) == ("lea@padok.example", {"alert": "142"}, "ok")
    assert restarted.params == {"cluster": "payments", "service": "ledger", "forceNewDeployment": True}


def test_a_session_may_do_what_its_policy_says_on_the_targets_it_names_and_nothing_else(world: ActionWorld) -> None:
    ecs_service(world)
    target = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/payments/ledger"
    ecs = assume(world, Policy=allow("ecs:UpdateService", on=target))("ecs")
    ecs.update_service(cluster="payments", service="ledger", desiredCount=3)
    code, message = refused(ecs.update_service, cluster="payments", service="bank-sync", desiredCount=3)
    assert (code, "no session policy allows the ecs:UpdateService action" in message) == ("AccessDeniedException", True)
    assert refused(ecs.describe_services, cluster="payments", services=["ledger"])[0] == "AccessDeniedException"
    assert [each.outcome for each in world.double.calls[1:]] == ["ok", "AccessDeniedException", "AccessDeniedException"]


def test_reads_that_know_no_resource_need_all_of_them_allowed(world: ActionWorld) -> None:
    named = assume(world, Policy=allow("autoscaling:Describe*", on="arn:aws:autoscaling:*:*:autoScalingGroup:*"))
    assert refused(named("autoscaling").describe_auto_scaling_groups)[0] == "AccessDenied"
    assert refused(named("ec2").describe_instances)[0] == "UnauthorizedOperation"
    assume(world, Policy=allow("autoscaling:Describe*"))("autoscaling").describe_auto_scaling_groups()


def test_a_group_is_named_by_its_name_whatever_its_number(world: ActionWorld) -> None:
    group(world)
    on = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/pay-api"
    scaling = assume(world, Policy=allow("autoscaling:SetDesiredCapacity", on=on))("autoscaling")
    scaling.set_desired_capacity(AutoScalingGroupName="pay-api", DesiredCapacity=5)


def test_to_tag_what_is_made_and_to_hand_a_role_on_are_rights_of_their_own(world: ActionWorld) -> None:
    started = {"DocumentName": "AWS-RestartEC2Instance", "Parameters": {"AutomationAssumeRole": [ROLE]},
               "Tags": [{"Key": "alert", "Value": "142"}]}
    rights = ["ssm:StartAutomationExecution", "ssm:AddTagsToResource", "iam:PassRole"]
    for missing in (1, 2):
        ssm = assume(world, Policy=allow(*rights[:missing]))("ssm")
        code, said = refused(ssm.start_automation_execution, **started)
        assert (code, rights[missing] in said) == ("AccessDeniedException", True)
    assume(world, Policy=allow(*rights))("ssm").start_automation_execution(**started)


def test_credentials_that_nobody_was_given_are_refused(world: ActionWorld) -> None:
    secret = world.aws("sts").assume_role(RoleArn=ROLE, RoleSessionName="lea")["Credentials"]
    for key, token in (("ASIA0000000000000000", "token-1"), (secret["AccessKeyId"], "another")):
        ecs = boto3.client("ecs", REGION, endpoint_url=world.served.url, aws_access_key_id=key, aws_secret_access_key="demo",
                           aws_session_token=token)
        assert refused(ecs.list_clusters)[0] == "InvalidClientTokenId"


def test_a_session_ends(world: ActionWorld) -> None:
    ecs = assume(world)("ecs")
    ecs.list_clusters()
    world.forward(900)
    assert refused(ecs.list_clusters)[0] == "ExpiredToken"


@pytest.mark.parametrize(("wrong", "code"), [
    ({"RoleSessionName": "Léa B."}, "ValidationError"),
    ({"DurationSeconds": 43_201}, "ValidationError"),
    ({"Policy": "{}"}, "MalformedPolicyDocument"),
    ({"Policy": allow(*(f"ecs:Action{number}" for number in range(200)))}, "ValidationError"),
    ({"Policy": allow("ecs:*"), "Tags": [{"Key": f"t{n}", "Value": "x" * 200} for n in range(11)]}, "PackedPolicyTooLarge"),
    ({"Tags": [{"Key": "alert", "Value": "1"}, {"Key": "Alert", "Value": "2"}]}, "InvalidParameterValue"),
    ({"ExternalId": "another"}, "AccessDenied"),
    ({"RoleArn": f"{ROLE}-2"}, "AccessDenied"),
])
def test_a_role_is_not_assumed_against_the_rules(world: ActionWorld, wrong: dict[str, Any], code: str) -> None:
    world.double.sts.roles[ROLE] = ["bridge-1104", "padok-7431"]
    assume(world, ExternalId="padok-7431")
    given = {"RoleArn": ROLE, "RoleSessionName": "lea", "ExternalId": "padok-7431", **wrong}
    assert refused(world.aws("sts").assume_role, **given)[0] == code


def test_a_key_without_a_role_may_do_no_more_than_it_is_given(world: ActionWorld) -> None:
    world.double.sts.alone = ("sqs:*",)
    world.aws("sqs").list_queues()
    assert refused(world.aws("ecs").list_clusters)[0] == "AccessDeniedException"
    assume(world)("ecs").list_clusters()


# --- what goes wrong on order ---


def meaning(world: ActionWorld, **given: Any) -> Failed | Unsure:
    """What an error of UpdateService means to a step."""
    with pytest.raises((ClientError, BotoCoreError)) as error:
        world.aws("ecs").update_service(cluster="payments", service="ledger", **given)
    return told(error.value)


def test_a_call_that_is_throttled_or_broken_changes_nothing(world: ActionWorld) -> None:
    read = ecs_service(world)
    world.double.faults.throttle("ecs", "UpdateService")
    said = meaning(world, desiredCount=5)
    assert isinstance(said, Failed) and said.again
    world.double.faults.broken("ecs")
    assert isinstance(meaning(world, desiredCount=5), Unsure)
    assert read()["desiredCount"] == 2
    assert [each.outcome for each in world.double.calls] == ["ThrottlingException", "InternalFailure", "ok"]


@pytest.mark.parametrize("service", ["ec2", "autoscaling", "rds", "elbv2", "cloudwatch", "cloudfront", "ssm"])
def test_every_service_says_in_its_own_words_that_it_is_too_much(world: ActionWorld, service: str) -> None:
    call = {"ec2": "describe_instances", "autoscaling": "describe_auto_scaling_groups", "rds": "describe_db_instances",
            "elbv2": "describe_target_groups", "cloudwatch": "describe_alarms", "cloudfront": "list_distributions",
            "ssm": "list_commands"}[service]
    world.double.faults.throttle(service)
    with pytest.raises(ClientError) as error:
        getattr(world.aws(service), call)()
    said = told(error.value)
    assert isinstance(said, Failed) and said.again
    getattr(world.aws(service), call)()


@pytest.mark.parametrize("how", ["hang up", "hang", "500"])
def test_the_effect_happens_though_no_answer_comes(world: ActionWorld, how: str) -> None:
    read = ecs_service(world)
    if how == "500":
        world.double.faults.broken("ecs", "UpdateService", done=True)
    else:
        world.double.faults.lose("ecs", "UpdateService", hang=how == "hang")
        world.hurry()
    assert isinstance(meaning(world, desiredCount=5), Unsure)
    assert read()["desiredCount"] == 5
    assert world.double.calls[0].outcome == ("InternalFailure" if how == "500" else "no answer")
    world.aws("ecs").update_service(cluster="payments", service="ledger", desiredCount=4)


def test_a_service_may_refuse_or_be_slow(world: ActionWorld) -> None:
    ecs_service(world)
    world.double.faults.refuse("ecs", "UpdateService", "ClusterNotFoundException", "Cluster not found.")
    assert str(meaning(world, desiredCount=5)) == "AWS refused: ClusterNotFoundException: Cluster not found."
    world.double.faults.slow("ecs", "UpdateService", 0.2)
    started = time.monotonic()
    world.aws("ecs").update_service(cluster="payments", service="ledger", desiredCount=5)
    assert time.monotonic() - started > 0.2


def test_a_story_may_heal_what_a_call_should_heal(world: ActionWorld) -> None:
    ecs_service(world)
    seen: list[dict[str, Any]] = []
    world.double.when("ecs", "UpdateService", seen.append)
    world.double.faults.lose("ecs", "UpdateService")
    meaning(world, forceNewDeployment=True)
    assert seen == [{"cluster": "payments", "service": "ledger", "forceNewDeployment": True}]


def test_what_is_no_call_of_aws_is_told_so(world: ActionWorld) -> None:
    with pytest.raises(HTTPError) as error, urlopen(f"{world.served.url}/index.html"):
        pass
    with error.value:
        assert (error.value.code, error.value.read()) == (400, b"this is no call of AWS: the request is not signed")


def test_the_double_may_be_mounted_beside_others_under_a_path(world: ActionWorld) -> None:
    """boto3 is given the whole address, a slash at its end; all protocols find their way."""
    app = Starlette(routes=[Mount("/doubles/aws", world.double)])
    with listening(app) as url:
        session = boto3.session.Session("demo", "demo", region_name=REGION)
        client = functools.partial(session.client, endpoint_url=f"{url}/doubles/aws/")
        assert client("ecs").list_clusters()["clusterArns"] == []
        assert client("ec2").describe_instances()["Reservations"] == []
        assert client("cloudfront").list_distributions()["DistributionList"]["Quantity"] == 0
        assert refused(client("cloudfront").get_distribution, Id="E1UNKNOWN")[0] == "NoSuchDistribution"
        queue = client("sqs").create_queue(QueueName="bridge-alarms")["QueueUrl"]
        client("sqs").send_message(QueueUrl=queue, MessageBody="1")
        assert len(client("sqs").receive_message(QueueUrl=queue)["Messages"]) == 1


def test_the_double_answers_a_program_that_is_busy_waiting_for_it(world: ActionWorld) -> None:
    """In the demo the bot and the double are one process: threads of the one must not starve the other."""

    async def ask_from_every_thread() -> list[Any]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
        async with served(world.double) as url:
            ecs = boto3.session.Session("demo", "demo").client("ecs", REGION, endpoint_url=url, config=SOON)
            return await asyncio.gather(*(asyncio.to_thread(ecs.list_clusters) for _ in range(4)))

    assert [each["clusterArns"] for each in asyncio.run(ask_from_every_thread())] == [[]] * 4


def test_the_double_is_imported_without_moto_and_says_kindly_that_it_is_missing() -> None:
    program = textwrap.dedent("""
        import sys
        import bot.doubles.aws
        print([name for name in sys.modules if name.split(".")[0] in ("moto", "flask", "werkzeug")])
        sys.modules["moto"] = None
        try:
            bot.doubles.aws.Aws()
        except bot.errors.Misbuilt as error:
            print(error)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_S)
    assert done.stdout.splitlines() == [
        "[]", "The double of AWS needs moto, and it is not installed: install vigie[demo]."], done.stderr


# --- the platform of the demo ---


def test_the_platform_is_laid_out_in_one_call_and_is_well(world: ActionWorld) -> None:
    made = lay_out(world.double)
    assert world.double.calls == []
    health = world.aws("elbv2").describe_target_health(TargetGroupArn=made.target_group)["TargetHealthDescriptions"]
    assert {each["Target"]["Id"] for each in health} == set(made.instances)
    assert [each["TargetHealth"]["State"] for each in health] == ["healthy"] * 4
    running = world.aws("ecs").describe_services(cluster="payments", services=["ledger", "bank-sync", "batch-worker"])["services"]
    assert [(each["runningCount"], each["taskDefinition"][-2:]) for each in running] == [(2, ":2")] * 3
    assert set(alarms(world).values()) | set(alarms(world, AlarmTypes=["CompositeAlarm"]).values()) == {"OK"}
    assert world.aws("kms").describe_key(KeyId="alias/pay-db")["KeyMetadata"]["Arn"] == made.key
    assert world.aws("cloudfront", "us-east-1").get_distribution(Id=made.distribution)["Distribution"]["Status"] == "Deployed"
    blocked = world.aws("wafv2", "us-east-1").get_ip_set(Name="blocked", Id=made.ip_set, Scope="CLOUDFRONT")
    assert blocked["IPSet"]["Addresses"] == []
    assert len(made.machines) == 18


def test_what_the_platform_measures_is_below_every_threshold_at_any_time_of_day(world: ActionWorld) -> None:
    lay_out(world.double)
    told = world.aws("cloudwatch").describe_alarms()["MetricAlarms"]
    asked = [
        query(f"m{number}", each.get("Statistic") or each["ExtendedStatistic"], 300,
              **{name: each[name] for name in ("Namespace", "MetricName", "Dimensions")})
        for number, each in enumerate(told)
    ]
    for each, found in zip(told, measured(world, *asked, minutes=24 * 60).values(), strict=True):
        per_minute = max(found) / (5 if each.get("Statistic") == "Sum" else 1)
        low = each["ComparisonOperator"] == "LessThanThreshold"
        assert len(found) >= 288, each["AlarmName"]
        assert min(found) >= each["Threshold"] if low else per_minute <= each["Threshold"], each["AlarmName"]
