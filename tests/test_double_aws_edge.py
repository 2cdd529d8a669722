"""The double of AWS at the edge and on machines: versions that must match, commands that take their time, keys that refuse."""

import json
from typing import Any

import pytest

from bot.doubles.aws import IMAGE
from tests.action_stage import ActionWorld, aws_server, refused, world

__all__ = ["aws_server", "world"]


# --- CloudFront ---


def site(world: ActionWorld) -> str:
    origin = {"Id": "pay", "DomainName": "pay.example", "CustomOriginConfig": {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}
    made = world.double.client("cloudfront", "us-east-1").create_distribution(DistributionConfig={
        "CallerReference": "site", "Comment": "the payment page", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "pay", "ViewerProtocolPolicy": "https-only", "MinTTL": 0, "ForwardedValues": {
            "QueryString": False, "Cookies": {"Forward": "none"}}}})
    world.double.cloudfront.stand()
    return str(made["Distribution"]["Id"])


def test_a_distribution_is_written_only_under_its_newest_version_and_deployed_over_time(world: ActionWorld) -> None:
    id, cloudfront = site(world), world.aws("cloudfront", "us-east-1")
    read = cloudfront.get_distribution_config(Id=id)
    config, version = read["DistributionConfig"], read["ETag"]
    assert cloudfront.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed"
    config["Restrictions"] = {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["KP"]}}
    written = cloudfront.update_distribution(Id=id, IfMatch=version, DistributionConfig=config)
    assert written["Distribution"]["Status"] == "InProgress" and written["ETag"] != version
    again = {"Id": id, "DistributionConfig": config}
    assert refused(cloudfront.update_distribution, **again, IfMatch=version)[0] == "PreconditionFailed"
    assert refused(cloudfront.update_distribution, **again)[0] == "InvalidIfMatchVersion"
    assert cloudfront.get_distribution_config(Id=id)["ETag"] == written["ETag"]
    world.forward(241)
    told = cloudfront.get_distribution(Id=id)["Distribution"]
    assert told["Status"] == "Deployed"
    assert told["DistributionConfig"]["Restrictions"]["GeoRestriction"]["Items"] == ["KP"]


def test_an_invalidation_has_one_reference_and_is_completed_over_time(world: ActionWorld) -> None:
    id, cloudfront = site(world), world.aws("cloudfront", "us-east-1")

    def empty(*paths: str) -> dict[str, Any]:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": "vigie-run57-step2"}
        return {"DistributionId": id, "InvalidationBatch": batch}

    first = cloudfront.create_invalidation(**empty("/*"))["Invalidation"]
    second = cloudfront.create_invalidation(**empty("/*"))["Invalidation"]
    assert (first["Id"], first["Status"]) == (second["Id"], "InProgress")
    assert refused(cloudfront.create_invalidation, **empty("/index.html"))[0] == "InvalidArgument"
    assert cloudfront.list_invalidations(DistributionId=id)["InvalidationList"]["Quantity"] == 1
    world.forward(61)
    assert cloudfront.get_invalidation(DistributionId=id, Id=first["Id"])["Invalidation"]["Status"] == "Completed"


# --- WAFv2 ---


def test_a_list_of_addresses_is_replaced_under_its_lock_and_in_one_region(world: ActionWorld) -> None:
    waf, named = world.aws("wafv2", "us-east-1"), {"Name": "blocked", "Scope": "CLOUDFRONT"}
    made = waf.create_ip_set(**named, IPAddressVersion="IPV4", Addresses=[])["Summary"]
    change = {**named, "Id": made["Id"], "LockToken": made["LockToken"]}
    assert refused(waf.update_ip_set, **change, Addresses=["198.51.100.7"])[0] == "WAFInvalidParameterException"
    assert refused(waf.update_ip_set, **change, Addresses=["0.0.0.0/0"])[0] == "WAFInvalidParameterException"
    assert refused(world.aws("wafv2").list_ip_sets, Scope="CLOUDFRONT")[0] == "WAFInvalidParameterException"
    waf.update_ip_set(**change, Addresses=["198.51.100.7/32"])
    assert refused(waf.update_ip_set, **change, Addresses=[])[0] == "WAFOptimisticLockException"
    assert waf.get_ip_set(**named, Id=made["Id"])["IPSet"]["Addresses"] == ["198.51.100.7/32"]


# --- Systems Manager ---


def document(world: ActionWorld, name: str, kind: str) -> None:
    step = {"action": "aws:runShellScript" if kind == "Command" else "aws:sleep", "name": "only", "inputs": {}}
    content = {"schemaVersion": "2.2" if kind == "Command" else "0.3", "parameters": {"Process": {"type": "String"}},
               "mainSteps": [step, {**step, "name": "last"}]}
    world.double.client("ssm").create_document(
        Name=name, DocumentType=kind, DocumentFormat="JSON", Content=json.dumps(content))


@pytest.fixture
def machines(world: ActionWorld) -> list[str]:
    run = world.double.client("ec2").run_instances(ImageId=IMAGE, MinCount=2, MaxCount=2)
    return [each["InstanceId"] for each in run["Instances"]]


def test_a_command_is_unknown_at_first_then_runs_then_has_printed(world: ActionWorld, machines: list[str]) -> None:
    document(world, "pay-threads", "Command")
    world.double.ssm.prints("pay-threads", "42 threads\n")
    ssm = world.aws("ssm")
    command = ssm.send_command(DocumentName="pay-threads", InstanceIds=machines[:1], Comment="vigie-run57-step2")["Command"]
    asked = {"CommandId": command["CommandId"], "InstanceId": machines[0]}
    assert refused(ssm.get_command_invocation, **asked)[0] == "InvocationDoesNotExist"
    seen = []
    for seconds in (2, 2, 8):
        world.forward(seconds)
        seen.append(ssm.get_command_invocation(**asked))
    assert [each["Status"] for each in seen] == ["Pending", "InProgress", "Success"]
    assert (seen[-1]["ResponseCode"], seen[-1]["StandardOutputContent"]) == (0, "42 threads\n")
    told, = ssm.list_commands(Filters=[{"key": "InvokedAfter", "value": "2026-11-22T02:00:00Z"}])["Commands"]
    assert (told["Comment"], told["Status"]) == ("vigie-run57-step2", "Success")
    assert ssm.list_commands(Filters=[{"key": "InvokedAfter", "value": "2026-11-22T03:00:00Z"}])["Commands"] == []


def test_a_command_goes_from_machine_to_machine_and_ends_where_it_fails(world: ActionWorld, machines: list[str]) -> None:
    document(world, "pay-threads", "Command")
    world.double.ssm.fail("pay-threads", "no such process")
    ssm = world.aws("ssm")
    sent = ssm.send_command(DocumentName="pay-threads", InstanceIds=machines, MaxConcurrency="1", MaxErrors="0")
    world.forward(60)
    told = [ssm.get_command_invocation(CommandId=sent["Command"]["CommandId"], InstanceId=each) for each in machines]
    assert [(each["Status"], each["ResponseCode"]) for each in told] == [("Failed", 1), ("Cancelled", -1)]
    assert told[0]["StandardErrorContent"] == "no such process"


def test_a_command_needs_a_document_its_parameters_and_machines_that_run(world: ActionWorld, machines: list[str]) -> None:
    document(world, "pay-threads", "Command")
    send, on = world.aws("ssm").send_command, {"InstanceIds": machines}
    assert refused(send, DocumentName="unknown", **on)[0] == "InvalidDocument"
    assert refused(send, DocumentName="pay-threads", Parameters={"commands": ["id"]}, **on)[0] == "InvalidParameters"
    assert refused(send, DocumentName="pay-threads", DocumentHash="0" * 64, **on)[0] == "InvalidDocument"
    world.aws("ec2").stop_instances(InstanceIds=machines[:1])
    assert refused(send, DocumentName="pay-threads", **on)[0] == "InvalidInstanceId"


def test_an_automation_goes_step_by_step_and_its_token_is_used_once(world: ActionWorld) -> None:
    document(world, "pay-restart", "Automation")
    ssm, given = world.aws("ssm"), {"DocumentName": "pay-restart", "ClientToken": world.token}
    id = ssm.start_automation_execution(**given, Tags=[{"Key": world.label, "Value": "1"}])["AutomationExecutionId"]
    assert refused(ssm.start_automation_execution, **given)[0] == "IdempotentParameterMismatch"

    def read() -> tuple[str, list[str]]:
        said = ssm.get_automation_execution(AutomationExecutionId=id)["AutomationExecution"]
        return said["AutomationExecutionStatus"], [each["StepStatus"] for each in said["StepExecutions"]]

    seen = [read()]
    for seconds in (3, 10, 10):
        world.forward(seconds)
        seen.append(read())
    assert seen == [("Pending", ["Pending", "Pending"]), ("InProgress", ["InProgress", "Pending"]),
                    ("InProgress", ["Success", "InProgress"]), ("Success", ["Success", "Success"])]
    listed = ssm.describe_automation_executions(Filters=[{"Key": "TagKey", "Values": [world.label]}])
    assert [each["AutomationExecutionId"] for each in listed["AutomationExecutionMetadataList"]] == [id]
    assert ssm.describe_automation_executions(Filters=[{"Key": "TagKey", "Values": ["other"]}])[
        "AutomationExecutionMetadataList"] == []


def test_an_automation_fails_at_its_last_step_or_is_stopped(world: ActionWorld) -> None:
    document(world, "pay-restart", "Automation")
    ssm, read = world.aws("ssm"), world.aws("ssm").get_automation_execution
    stopped = ssm.start_automation_execution(DocumentName="pay-restart")["AutomationExecutionId"]
    ssm.stop_automation_execution(AutomationExecutionId=stopped, Type="Cancel")
    assert read(AutomationExecutionId=stopped)["AutomationExecution"]["AutomationExecutionStatus"] == "Cancelled"
    world.double.ssm.fail("pay-restart", "Step last failed")
    failed = ssm.start_automation_execution(DocumentName="pay-restart")["AutomationExecutionId"]
    world.forward(60)
    told = read(AutomationExecutionId=failed)["AutomationExecution"]
    assert (told["AutomationExecutionStatus"], told["FailureMessage"]) == ("Failed", "Step last failed")
    assert [each["StepStatus"] for each in told["StepExecutions"]] == ["Success", "Failed"]


# --- KMS and EC2 ---


def test_a_key_that_is_disabled_refuses_to_work(world: ActionWorld) -> None:
    kms = world.aws("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"4242")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert refused(kms.decrypt, CiphertextBlob=secret)[0] == "DisabledException"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"4242"
    kms.schedule_key_deletion(KeyId=key)
    assert refused(kms.decrypt, CiphertextBlob=secret)[0] == "KMSInvalidStateException"


def test_a_reboot_leaves_a_trace_in_the_status_checks(world: ActionWorld, machines: list[str]) -> None:
    ec2 = world.aws("ec2")

    def checks() -> str:
        said = ec2.describe_instance_status(InstanceIds=machines[:1])["InstanceStatuses"]
        return str(said[0]["InstanceStatus"]["Status"])

    world.double.ec2.impaired.add(machines[0])
    assert checks() == "impaired"
    ec2.reboot_instances(InstanceIds=machines[:1])
    assert checks() == "initializing"
    world.forward(91)
    assert checks() == "ok"
