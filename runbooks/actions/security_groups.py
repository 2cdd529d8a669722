"""Security groups: take one rule away, or add one."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from botocore.exceptions import ClientError
from pydantic import Field, field_validator, model_validator

from runbooks.actions import Action, Failed, Look, Outcome, Params, Place, Service, State, World
from runbooks.aids.machines import SecurityGroupId

NO_PEER = "'{given}' is neither a network (203.0.113.0/24), a security group (sg-...) nor a prefix list (pl-...)"
NO_RANGE = "the ports '{given}' go down: write the lower one first"
NO_PORTS = "{protocol} has no ports here: write all"
TO_EVERYBODY = "would let the whole internet into {group}: no runbook may do that"
RULE = "{way} {protocol} {ports} {preposition} {peer}"
REVOKE = "would take the rule {rule} away from {group} ({name}); connections that are open go on"
AUTHORISE = "would add the rule {rule} to {group} ({name})"
ABSENT = "; there is no such rule, nothing would change"
PRESENT = "; the rule is there already, nothing would change"
TAKEN = "AWS took the rule {rule} away from {group}"
ADDED = "AWS added the rule {rule} to {group}"
WAS_SO = "the rule {rule} of {group} was so already"
SAID_SO = "AWS says the rule {rule} of {group} is so already: whether that is true is looked up"
IS_THERE = "{group} has the rule {rule}"
IS_NOT = "{group} does not have the rule {rule}"

NOT_FOUND = ("InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound")
DUPLICATE = ("InvalidPermission.Duplicate",)
EVERYBODY = ("0.0.0.0/0", "::/0")
ALL_PORTS = {"tcp": (0, 65535), "udp": (0, 65535)}


class Rule(Params):
    """A rule of a security group, as people say it."""

    group: SecurityGroupId
    direction: Annotated[Literal["ingress", "egress"], Field(description="What comes in, or what goes out")] = "ingress"
    protocol: Annotated[Literal["tcp", "udp", "icmp", "icmpv6", "all"], Field(description="The protocol")] = "tcp"
    ports: Annotated[str, Field(pattern=r"^(all|\d{1,5}(-\d{1,5})?)$", description="A port (443), a range (8000-8100), or all")]
    peer: Annotated[str, Field(description="The other side: a network (203.0.113.0/24), sg-... or pl-...")]

    @field_validator("peer")
    @classmethod
    def _known_peer(cls, given: str) -> str:
        if given.startswith(("sg-", "pl-")) and given[3:].isalnum():
            return given
        try:
            return str(ip_network(given))
        except ValueError:
            raise ValueError(NO_PEER.format(given=given)) from None

    @model_validator(mode="after")
    def _ports_go_up(self) -> "Rule":
        low, high = self.range
        if low > high or high > 65535:
            raise ValueError(NO_RANGE.format(given=self.ports))
        if self.protocol not in ALL_PORTS and self.ports != "all":
            raise ValueError(NO_PORTS.format(protocol=self.protocol))
        return self

    @property
    def range(self) -> tuple[int, int]:
        """From and to, as AWS keeps them."""
        if self.ports == "all":
            return ALL_PORTS.get(self.protocol, (-1, -1))
        low, _, high = self.ports.partition("-")
        return int(low), int(high or low)

    @property
    def words(self) -> str:
        preposition = "from" if self.direction == "ingress" else "to"
        return RULE.format(
            way=self.direction, protocol=self.protocol, ports=self.ports, preposition=preposition, peer=self.peer)

    def permission(self, description: str = "") -> dict[str, Any]:
        """As AWS wants it said."""
        low, high = self.range
        kind, key = _peer_kind(self.peer)
        said = {key: self.peer} | ({"Description": description} if description else {})
        return {"IpProtocol": _protocol(self.protocol), "FromPort": low, "ToPort": high, kind: [said]}

    def meets(self, found: Mapping[str, Any]) -> bool:
        """Whether AWS's rule is this one."""
        peers = (found.get("CidrIpv4"), found.get("CidrIpv6"), found.get("PrefixListId"),
                 found.get("ReferencedGroupInfo", {}).get("GroupId"))
        same_way = found["IsEgress"] == (self.direction == "egress")
        same_ports = (found.get("FromPort", -1), found.get("ToPort", -1)) == self.range
        return same_way and same_ports and found["IpProtocol"] == _protocol(self.protocol) and self.peer in peers


R = TypeVar("R", bound=Rule)


class OfRule(Action[R]):
    """What taking a rule away and adding one share."""

    example = {"group": "sg-0a1b2c3d4e5f67890", "ports": "22", "peer": "203.0.113.0/24"}
    reads: ClassVar[tuple[str, ...]] = ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")
    writes = (
        "ec2:RevokeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress",
        "ec2:RevokeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupEgress",
    )

    def target(self, params: R) -> str:
        return f"sg:{params.group}"

    def resources(self, params: R, before: State, place: Place) -> Sequence[str]:
        return [place.arn("ec2", f"security-group/{params.group}"), place.arn("ec2", "security-group-rule/*")]

    def before(self, world: World, params: R) -> State:
        """A group that does not exist is refused: its rules would only seem to be gone."""
        found = world.aws("ec2").describe_security_groups(GroupIds=[params.group])["SecurityGroups"]
        return {"name": found[0]["GroupName"], "rules": _rules(world, params)}

    def _seen(self, world: World, params: R, there: bool, told: bool) -> Look:
        rules = _rules(world, params)
        said = (IS_THERE if rules else IS_NOT).format(group=params.group, rule=params.words)
        if bool(rules) == there:
            return Look("done", said, {"rules": [each["id"] for each in rules]})
        return Look("under way" if told else "not seen", said)


class Revoke(OfRule[Rule]):
    """Take a rule away from a security group."""

    name = "aws.security_group.revoke"
    params = Rule
    changes = "new connections that the rule allowed are refused; those that are open go on"
    verified = "the group has no such rule"

    def plan(self, params: Rule, before: State) -> str:
        said = REVOKE.format(rule=params.words, group=params.group, name=before["name"])
        return said if before["rules"] else said + ABSENT

    def act(self, world: World, params: Rule, before: State) -> Outcome:
        """By the rules' own ids: in a default VPC AWS answers "done" to a rule that it does not find."""
        if not before["rules"]:
            return Outcome(WAS_SO.format(rule=params.words, group=params.group))
        by_id = {"SecurityGroupRuleIds": [each["id"] for each in before["rules"]]}
        return _tell(world, params, "revoke", by_id, NOT_FOUND, TAKEN)

    def look(self, world: World, params: Rule, before: State, outputs: State) -> Look:
        return self._seen(world, params, there=False, told=bool(outputs))

    def undo(self, world: World, params: Rule, before: State, outputs: State) -> Outcome:
        if not before["rules"]:
            return Outcome(WAS_SO.format(rule=params.words, group=params.group))
        permission = params.permission(before["rules"][0]["description"])
        return _tell(world, params, "authorize", {"IpPermissions": [permission]}, DUPLICATE, ADDED)

    def undone(self, world: World, params: Rule, before: State, outputs: State) -> Look:
        return self._seen(world, params, there=bool(before["rules"]), told=True)


class Authorise(OfRule[Rule]):
    """Add a rule to a security group, never one that lets the whole internet in."""

    name = "aws.security_group.authorise"
    params = Rule
    changes = "connections that the rule allows get through"
    verified = "the group has the rule"

    def before(self, world: World, params: Rule) -> State:
        if params.direction == "ingress" and params.peer in EVERYBODY:
            raise Failed(TO_EVERYBODY.format(group=params.group))
        return super().before(world, params)

    def plan(self, params: Rule, before: State) -> str:
        said = AUTHORISE.format(rule=params.words, group=params.group, name=before["name"])
        return said + PRESENT if before["rules"] else said

    def act(self, world: World, params: Rule, before: State) -> Outcome:
        if before["rules"]:
            return Outcome(WAS_SO.format(rule=params.words, group=params.group))
        return _tell(world, params, "authorize", {"IpPermissions": [params.permission(world.label)]}, DUPLICATE, ADDED)

    def look(self, world: World, params: Rule, before: State, outputs: State) -> Look:
        return self._seen(world, params, there=True, told=bool(outputs))

    def undo(self, world: World, params: Rule, before: State, outputs: State) -> Outcome:
        if before["rules"]:
            return Outcome(WAS_SO.format(rule=params.words, group=params.group))
        return _tell(world, params, "revoke", {"IpPermissions": [params.permission()]}, NOT_FOUND, TAKEN)

    def undone(self, world: World, params: Rule, before: State, outputs: State) -> Look:
        return self._seen(world, params, there=bool(before["rules"]), told=True)


def _tell(world: World, params: Rule, verb: str, what: Mapping[str, Any], harmless: Sequence[str], said: str) -> Outcome:
    """One call; what AWS calls done already is not an error, and not a proof."""
    call = getattr(world.aws("ec2"), f"{verb}_security_group_{params.direction}")
    try:
        call(GroupId=params.group, **what)
    except ClientError as error:
        if error.response["Error"]["Code"] not in harmless:
            raise
        return Outcome(SAID_SO.format(rule=params.words, group=params.group), {"told": verb})
    return Outcome(said.format(rule=params.words, group=params.group), {"told": verb})


def _rules(world: World, params: Rule) -> list[dict[str, str]]:
    """The group's rules that are this one: their ids, and what is written beside them."""
    pages = world.aws("ec2").get_paginator("describe_security_group_rules")
    of_group = [{"Name": "group-id", "Values": [params.group]}]
    return [
        {"id": each["SecurityGroupRuleId"], "description": each.get("Description", "")}
        for page in pages.paginate(Filters=of_group) for each in page["SecurityGroupRules"] if params.meets(each)
    ]


def _protocol(word: str) -> str:
    return "-1" if word == "all" else word


def _peer_kind(peer: str) -> tuple[str, str]:
    if peer.startswith("sg-"):
        return "UserIdGroupPairs", "GroupId"
    if peer.startswith("pl-"):
        return "PrefixListIds", "PrefixListId"
    return ("Ipv6Ranges", "CidrIpv6") if ":" in peer else ("IpRanges", "CidrIp")


SERVICE = Service("aws.security_group", (Revoke(), Authorise()))
