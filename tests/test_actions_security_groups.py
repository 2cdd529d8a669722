"""Security groups: one rule is taken away or added, never the internet let in, and what AWS calls done is looked at. KMS, too."""

from typing import Any

import pytest

from runbooks.actions.kms import KeyState
from runbooks.actions.security_groups import Authorise, Revoke
from tests.action_ground import assert_lost_is_found, assert_throttled_is_later, prepare, refusal, rights_unused
from tests.action_stage import ActionWorld, aws_server, look_on, play, play_back, world

__all__ = ["aws_server", "world"]

SSH = {"ports": "22", "peer": "203.0.113.0/24"}


def group_with(world: ActionWorld, *permissions: dict[str, Any]) -> str:
    """A security group with these rules for what comes in."""
    ec2 = world.double.client("ec2")
    made = str(ec2.create_security_group(GroupName="bastion", Description="bastion")["GroupId"])
    if permissions:
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(permissions))
    return made


def ssh(peer: str = "203.0.113.0/24", note: str = "partner office") -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": peer, "Description": note}]}


def rules(world: ActionWorld, group: str, egress: bool = False) -> list[tuple[str, int, int, str, str]]:
    found = world.double.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return sorted(
        (each["IpProtocol"], each["FromPort"], each["ToPort"],
         each.get("CidrIpv4") or each.get("CidrIpv6") or each["ReferencedGroupInfo"]["GroupId"], each.get("Description", ""))
        for each in found["SecurityGroupRules"] if each["IsEgress"] == egress
    )


# --- taken away ---


def test_one_rule_is_taken_away_and_comes_back_as_it_was(world: ActionWorld) -> None:
    group = group_with(world, ssh(), ssh("198.51.100.7/32", "own office"))
    played = play(world, Revoke(), group=group, **SSH)
    assert played.plan == (
        f"would take the rule ingress tcp 22 from 203.0.113.0/24 away from {group} (bastion); connections that are open go on")
    assert played.seen == "done" and rules(world, group) == [("tcp", 22, 22, "198.51.100.7/32", "own office")]
    assert play_back(world, Revoke(), played)[-1].seen == "done"
    assert ("tcp", 22, 22, "203.0.113.0/24", "partner office") in rules(world, group)


def test_a_rule_that_is_not_there_is_not_asked_away(world: ActionWorld) -> None:
    group = group_with(world, ssh("198.51.100.7/32"))
    played = play(world, Revoke(), group=group, **SSH)
    assert played.plan.endswith("there is no such rule, nothing would change") and played.seen == "done"
    assert play_back(world, Revoke(), played)[-1].seen == "done"
    assert len(rules(world, group)) == 1
    assert not [each for each in world.called if each in Revoke().writes]


def test_a_rule_that_vanished_meanwhile_is_done_only_because_it_is_seen(world: ActionWorld) -> None:
    group = group_with(world, ssh())
    params, before, _ = prepare(world, Revoke(), group=group, **SSH)
    world.double.client("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=[ssh()])
    outcome = Revoke().act(world, params, before)
    assert outcome.said.endswith("is so already: whether that is true is looked up")
    assert look_on(world, Revoke(), params, before, outcome.outputs)[-1].said == (
        f"{group} does not have the rule ingress tcp 22 from 203.0.113.0/24")


def test_a_group_that_does_not_exist_is_no_group_without_the_rule(world: ActionWorld) -> None:
    with pytest.raises(Exception, match="NotFound"):
        prepare(world, Revoke(), group="sg-0123456789abcdef0", **SSH)


# --- added ---


def test_a_rule_is_added_with_the_runs_name_and_taken_away_by_undo(world: ActionWorld) -> None:
    group = group_with(world)
    played = play(world, Authorise(), group=group, **SSH)
    assert played.plan == f"would add the rule ingress tcp 22 from 203.0.113.0/24 to {group} (bastion)"
    assert rules(world, group) == [("tcp", 22, 22, "203.0.113.0/24", world.label)] and played.looks[-1].outputs["rules"]
    assert play_back(world, Authorise(), played)[-1].seen == "done"
    assert rules(world, group) == []


def test_a_rule_that_was_there_before_stays_on_the_way_back(world: ActionWorld) -> None:
    group = group_with(world, ssh())
    played = play(world, Authorise(), group=group, **SSH)
    assert played.plan.endswith("the rule is there already, nothing would change")
    assert play_back(world, Authorise(), played)[-1].seen == "done" and len(rules(world, group)) == 1


def test_the_whole_internet_is_never_let_in(world: ActionWorld) -> None:
    group = group_with(world)
    for peer in ("0.0.0.0/0", "::/0"):
        said = refusal(world, Authorise(), group=group, ports="443", peer=peer)
        assert str(said) == f"would let the whole internet into {group}: no runbook may do that"
    played = play(world, Authorise(), group=group, direction="egress", ports="443", peer="0.0.0.0/0")
    assert played.seen == "done" and ("tcp", 443, 443, "0.0.0.0/0", world.label) in rules(world, group, egress=True)
    assert play_back(world, Authorise(), played)[-1].seen == "done"


@pytest.mark.parametrize("given", [
    {"ports": "8000-8100", "peer": "2001:db8::/48"}, {"ports": "all", "peer": "10.0.0.0/8", "protocol": "udp"},
    {"ports": "all", "peer": "10.0.0.0/8", "protocol": "all"}, {"ports": "443", "peer": "", "direction": "egress"},
])
def test_every_kind_of_rule_comes_and_goes(world: ActionWorld, given: dict[str, Any]) -> None:
    group = group_with(world)
    given = {**given, "peer": given["peer"] or group}
    was = rules(world, group), rules(world, group, egress=True)
    assert play(world, Authorise(), group=group, **given).seen == "done"
    assert (rules(world, group), rules(world, group, egress=True)) != was
    assert play(world, Revoke(), group=group, **given).seen == "done"
    assert (rules(world, group), rules(world, group, egress=True)) == was


@pytest.mark.parametrize(("given", "said"), [
    ({"ports": "22", "peer": "203.0.113.7/24"}, "is neither a network"),
    ({"ports": "22", "peer": "office"}, "is neither a network"),
    ({"ports": "90-80", "peer": "10.0.0.0/8"}, "write the lower one first"), ({"ports": "ssh", "peer": "10.0.0.0/8"}, "pattern"),
    ({"ports": "22", "peer": "10.0.0.0/8", "protocol": "all"}, "has no ports here"),
])
def test_a_rule_that_cannot_be_meant_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Revoke.params(group="sg-0123456789abcdef0", **given)


# --- troubles and rights ---


def test_a_lost_or_throttled_rule_is_told_apart(world: ActionWorld) -> None:
    asked = {"group": group_with(world, ssh()), **SSH}
    assert_throttled_is_later(world, Revoke(), "ec2", "RevokeSecurityGroupIngress", **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, Revoke(), "ec2", "RevokeSecurityGroupIngress", **asked)
    world.double.calls.clear()
    assert_throttled_is_later(world, Authorise(), "ec2", "AuthorizeSecurityGroupIngress", **asked)
    world.double.calls.clear()
    assert_lost_is_found(world, Authorise(), "ec2", "AuthorizeSecurityGroupIngress", **asked)


@pytest.mark.parametrize("action", [Revoke(), Authorise()])
def test_rules_ask_for_the_rights_they_use_and_no_others(world: ActionWorld, action: Revoke | Authorise) -> None:
    group = group_with(world, *([ssh()] if isinstance(action, Revoke) else []))
    of_the_other_way = {"ec2:RevokeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupEgress"}
    assert rights_unused(world, action, group=group, **SSH) == of_the_other_way


# --- KMS ---


def test_a_key_is_read_and_one_that_is_disabled_is_not_as_expected(world: ActionWorld) -> None:
    kms = world.double.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/pay-db", TargetKeyId=key["KeyId"])
    played = play(world, KeyState(), key="alias/pay-db")
    assert (played.seen, played.outcome.said) == ("done", "the key alias/pay-db is Enabled")
    assert played.outcome.outputs == {"state": "Enabled", "id": key["KeyId"], "manager": "CUSTOMER"}
    kms.disable_key(KeyId=key["KeyId"])
    for named in (key["KeyId"], key["Arn"], "alias/pay-db"):
        look = KeyState().look(world, KeyState.params(key=named), {}, {})
        assert look.seen == "under way" and look.said.endswith("is Disabled; nothing that is encrypted with it can be read")
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert "it will be deleted on 20" in KeyState().act(world, KeyState.params(key="alias/pay-db"), {}).said
    assert set(world.called) == {"kms:DescribeKey"}
    with pytest.raises(ValueError, match="pattern"):
        KeyState.params(key="pay-db; rm")


