"""The payments platform of the demo, laid out on the double in one call: machines, services, database, edge, alarms."""

import json
from dataclasses import dataclass
from typing import Any

from bot.doubles.aws.front import Aws
from bot.doubles.aws.gauges import ALARMS, PAY_API_UNWELL, gauges
from bot.doubles.aws.resources import IMAGE

EDGE = "us-east-1"
EXTERNAL_IDS = ("vigie-bridge-41d7", "vigie-padok-8c1f")
ECS_SERVICES = ("ledger", "bank-sync", "batch-worker")
DOCUMENTS = {                   # name: kind, its parameters, what it prints
    "pay-clear-disk": ("Command", ("Path",), "freed 12.4 GiB under /var/log\n"),
    "pay-collect-threads": ("Command", ("Process",), "42 threads, 40 of them wait for a connection\n"),
    "pay-restart-agent": ("Command", (), "datadog-agent restarted, 212 checks run\n"),
    "pay-renew-certificate": ("Automation", ("Host", "AutomationAssumeRole"), ""),
    "AWS-RestartEC2Instance": ("Automation", ("InstanceId", "AutomationAssumeRole"), ""),
}


@dataclass(frozen=True, slots=True)
class Platform:
    """What was made, where its name does not say it; `balancer` and `targets` as CloudWatch's dimensions name them."""

    instances: tuple[str, ...]          # of the group pay-api
    machines: tuple[str, ...]           # of the group cluster
    target_group: str                   # ARN
    load_balancer: str                  # ARN
    balancer: str
    targets: str
    security_group: str
    quarantine: str
    distribution: str
    ip_set: str
    web_acl: str                        # ARN
    key: str                            # ARN
    queue: str                          # URL of the jobs' queue


def lay_out(aws: Aws) -> Platform:
    """All of it stands at once and is well; call it on an empty account."""
    for role in ("vigie-read", "vigie-act"):
        aws.sts.roles[f"arn:aws:iam::{aws.ground.account}:role/{role}"] = EXTERNAL_IDS
    security_group, quarantine = _security_groups(aws)
    target_group, balancer = _load_balancer(aws, security_group)
    instances = _group(aws, "pay-api", security_group, low=2, high=8, desired=4, targets=[target_group])
    machines = _group(aws, "cluster", security_group, low=2, high=18, desired=18, targets=[])
    _ecs(aws)
    _database(aws)
    _documents(aws)
    ip_set, web_acl = _firewall(aws)
    made = Platform(
        instances, machines, target_group, balancer, balancer.split(":loadbalancer/")[-1], target_group.split(":")[-1],
        security_group, quarantine, _distribution(aws, web_acl), ip_set, web_acl, _key(aws), _queue(aws))
    aws.elbv2.stand()
    aws.cloudfront.stand()
    _alarms(aws, made)
    return made


def _security_groups(aws: Aws) -> tuple[str, str]:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    made = {
        name: ec2.create_security_group(GroupName=name, Description=said, VpcId=vpc)["GroupId"]
        for name, said in (("pay-api", "The API behind its load balancer"), ("quarantine", "Nothing in, nothing out"))
    }
    inside = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=made["pay-api"], IpPermissions=[inside])
    ec2.revoke_security_group_egress(
        GroupId=made["quarantine"], IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    return made["pay-api"], made["quarantine"]


def _load_balancer(aws: Aws, security_group: str) -> tuple[str, str]:
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    subnets = ec2.describe_subnets()["Subnets"]
    made = elb.create_target_group(
        Name="pay-api", Protocol="HTTP", Port=8080, VpcId=subnets[0]["VpcId"], HealthCheckPath="/health")["TargetGroups"][0]
    balancer = elb.create_load_balancer(
        Name="pay-api", Subnets=[each["SubnetId"] for each in subnets], SecurityGroups=[security_group])["LoadBalancers"][0]
    elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[
        {"Type": "forward", "TargetGroupArn": made["TargetGroupArn"]}])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "60"}
    elb.modify_target_group_attributes(TargetGroupArn=made["TargetGroupArn"], Attributes=[delay])
    return made["TargetGroupArn"], balancer["LoadBalancerArn"]


def _group(aws: Aws, name: str, security_group: str, low: int, high: int, desired: int, targets: list[str]) -> tuple[str, ...]:
    template = {"ImageId": IMAGE, "InstanceType": "m5.large", "SecurityGroupIds": [security_group]}
    aws.client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=template)
    autoscaling = aws.client("autoscaling")
    of_group = {"ResourceId": name, "ResourceType": "auto-scaling-group"}
    tags = [{"Key": "service", "Value": name, "PropagateAtLaunch": True, **of_group}]
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateName": name}, MinSize=low, MaxSize=high,
        DesiredCapacity=desired, TargetGroupARNs=targets, Tags=tags,
        AvailabilityZones=[f"{aws.ground.region}{letter}" for letter in "abc"])
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]["Instances"]
    return tuple(each["InstanceId"] for each in found)


def _ecs(aws: Aws) -> None:
    """Each service runs the second revision: the first is there to go back to."""
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="payments")
    for name in ECS_SERVICES:
        for version in ("2026.10.2", "2026.11.1"):
            container = {"name": "app", "image": f"registry.bridge.example/{name}:{version}", "memory": 512, "essential": True}
            ecs.register_task_definition(family=name, containerDefinitions=[container])
        ecs.create_service(cluster="payments", serviceName=name, taskDefinition=name, desiredCount=2)


def _database(aws: Aws) -> None:
    aws.client("rds").create_db_instance(
        DBInstanceIdentifier="pay-db", Engine="mysql", DBInstanceClass="db.m6g.large", MultiAZ=True, AllocatedStorage=100,
        MaxAllocatedStorage=500, MasterUsername="pay", MasterUserPassword="never-used-here", StorageType="gp3",
        AvailabilityZone=f"{aws.ground.region}a")


def _documents(aws: Aws) -> None:
    for name, (kind, parameters, prints) in DOCUMENTS.items():
        command = kind == "Command"
        step: dict[str, Any] = {"name": "work", "action": "aws:runShellScript" if command else "aws:sleep", "inputs": {}}
        content = {"schemaVersion": "2.2" if command else "0.3", "description": name, "mainSteps": [step],
                   "parameters": {each: {"type": "String", "default": ""} for each in parameters}}
        aws.client("ssm").create_document(
            Name=name, DocumentType=kind, DocumentFormat="JSON", Content=json.dumps(content))
        aws.ssm.prints(name, prints)


def _firewall(aws: Aws) -> tuple[str, str]:
    waf = aws.client("wafv2", EDGE)
    blocked = waf.create_ip_set(Name="blocked", Scope="CLOUDFRONT", IPAddressVersion="IPV4", Addresses=[])["Summary"]

    def seen(name: str) -> dict[str, Any]:
        return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}

    rule = {"Name": "blocked", "Priority": 0, "Action": {"Block": {}}, "VisibilityConfig": seen("blocked"),
            "Statement": {"IPSetReferenceStatement": {"ARN": blocked["ARN"]}}}
    acl = waf.create_web_acl(
        Name="edge", Scope="CLOUDFRONT", DefaultAction={"Allow": {}}, Rules=[rule], VisibilityConfig=seen("edge"))["Summary"]
    return blocked["Id"], acl["ARN"]


def _distribution(aws: Aws, web_acl: str) -> str:
    origin = {"Id": "pay-api", "DomainName": "pay-api.bridge.example", "CustomOriginConfig": {
        "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}}
    made = aws.client("cloudfront", EDGE).create_distribution(DistributionConfig={
        "CallerReference": "edge", "Comment": "edge", "Enabled": True, "WebACLId": web_acl,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "pay-api", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
                                 "ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "none"}}}})
    return str(made["Distribution"]["Id"])


def _key(aws: Aws) -> str:
    kms = aws.client("kms")
    key = kms.create_key(Description="pay-db at rest")["KeyMetadata"]
    kms.create_alias(AliasName="alias/pay-db", TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def _queue(aws: Aws) -> str:
    return str(aws.client("sqs").create_queue(QueueName="batch-jobs")["QueueUrl"])


def _alarms(aws: Aws, made: Platform) -> None:
    """All of them OK, over metrics that are measured."""
    dimensions = {"LoadBalancer": made.balancer, "TargetGroup": made.targets, "DistributionId": made.distribution}
    cloudwatch = aws.client("cloudwatch")
    for each in ALARMS:
        cloudwatch.put_metric_alarm(**each.asked(dimensions))
        aws.cloudwatch.set_alarm(each.name, "OK", "Threshold not crossed")
    cloudwatch.put_composite_alarm(AlarmName="pay-api-unwell", AlarmRule=PAY_API_UNWELL)
    for gauge in gauges(dimensions):
        aws.cloudwatch.feed(gauge.namespace, gauge.metric, gauge.dimensions, gauge.reading, gauge.period_s)
