"""AWS WAF: put addresses on the list of an IP set, or take them off."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, get_mixed_type_key, ip_network
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from runbooks.actions import Action, Failed, Look, Outcome, Params, Place, Service, State, World
from runbooks.aids.firewalls import GLOBAL_REGION, named, waf

WIDEST = {4: 16, 6: 32}         # a shorter prefix is half a country, not an attacker
MOST = 10_000                   # addresses that AWS takes in one set
MOST_TOLD = 5

NOT_NETWORKS = "{error}; right would be 203.0.113.7, 198.51.100.0/24 or 2001:db8::/48"
TOO_WIDE = "{network} is too wide to block: /{widest} at most, with IPv{version}"
NEVER = "{network} must never be blocked: it touches {kept}, which vigie.yaml protects"
MIXED = "{name} is a list of {version} networks, {network} is none"
FULL = "{name} would hold {count} networks, AWS takes {most}"
RACED = "somebody else keeps changing {name}"
NO_SET = "AWS knows no IP set {name} for {scope}"

ADD = "would add {networks} to {name}, from {was} networks to {to}"
REMOVE = "would remove {networks} from {name}, from {was} networks to {to}"
NOTHING = "would change nothing: {name} has it so already"
MORE = "{first} and {count} more"
SET = "{name} holds {count} networks now"
UNCHANGED = "{name} had it so already"
LISTED = "{listed} of {all} networks are in {name}"

Network = IPv4Network | IPv6Network
VERSIONS = {4: "IPV4", 6: "IPV6"}


class Addresses(Params):
    """A list of networks and those to put on it or take off."""

    name: str = Field(description="Name of the IP set", pattern=r"^[A-Za-z0-9_-]{1,128}$")
    id: str | None = Field(None, description="Its id; without it, the set of that name", pattern=r"^[0-9a-f-]{36}$")
    scope: Literal["CLOUDFRONT", "REGIONAL"] = Field("CLOUDFRONT", description="Where the IP set is used")
    addresses: tuple[str, ...] = Field(
        description="Addresses or networks: 203.0.113.7, 2001:db8::/48", min_length=1, max_length=500)

    @field_validator("addresses")
    @classmethod
    def _well_written(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return _sorted({ip_network(each.strip()) for each in addresses})
        except ValueError as error:
            raise ValueError(NOT_NETWORKS.format(error=error)) from error


def _networks(texts: Sequence[str]) -> set[Network]:
    """As others have written them: 203.0.113.7/24 means its /24."""
    return {ip_network(each, strict=False) for each in texts}


def _sorted(networks: set[Network]) -> tuple[str, ...]:
    return tuple(str(each) for each in sorted(networks, key=get_mixed_type_key))


def _id(world: World, params: Addresses) -> str:
    if params.id is not None:
        return params.id
    found = named(waf(world, params.scope), "ip_sets", params.name, params.scope)
    if found is None:
        raise Failed(NO_SET.format(name=params.name, scope=params.scope))
    return str(found["Id"])


def _set(world: World, params: Addresses) -> tuple[Any, str]:
    """The IP set, and the token to change it with."""
    said = waf(world, params.scope).get_ip_set(Name=params.name, Scope=params.scope, Id=_id(world, params))
    return said["IPSet"], said["LockToken"]


def _told(networks: Sequence[str]) -> str:
    shown = ", ".join(networks[:MOST_TOLD])
    return shown if len(networks) <= MOST_TOLD else MORE.format(first=shown, count=len(networks) - MOST_TOLD)


def _may_be_blocked(network: Network, kept: set[Network]) -> None:
    widest = WIDEST[network.version]
    if network.prefixlen < widest:
        raise Failed(TOO_WIDE.format(network=network, widest=widest, version=network.version))
    if touched := next((each for each in kept if each.version == network.version and each.overlaps(network)), None):
        raise Failed(NEVER.format(network=network, kept=touched))


class _OnSet(Action[Addresses]):
    """A change of the list. AWS replaces the whole list, so that ours is merged into what is there, under its token."""

    params = Addresses
    example: ClassVar[State] = {
        "name": "blocked-addresses", "id": "0f6c1c1e-6f0e-4b0a-9d0c-2b7f6f1a57b2", "addresses": ["203.0.113.7/32"]}
    changes = "which addresses the firewall keeps out"
    verified = "the list of the IP set is as asked; it takes seconds to minutes until every edge knows it"
    reads = ("wafv2:GetIPSet", "wafv2:ListIPSets")
    writes = ("wafv2:UpdateIPSet",)
    adds: ClassVar[bool]

    def target(self, params: Addresses) -> str:
        return f"wafv2:{params.name}"

    def resources(self, params: Addresses, before: State, place: Place) -> Sequence[str]:
        where, region = ("global", GLOBAL_REGION) if params.scope == "CLOUDFRONT" else ("regional", None)
        return [place.arn("wafv2", f"{where}/ipset/{params.name}/{params.id or before.get('id', '*')}", region)]

    def before(self, world: World, params: Addresses) -> State:
        found, _ = _set(world, params)
        there, asked = _networks(found["Addresses"]), _networks(params.addresses)
        self._guard(world, params, found["IPAddressVersion"], asked)
        changed = asked - there if self.adds else asked & there
        to = len(there) + len(changed) * (1 if self.adds else -1)
        if to > MOST:
            raise Failed(FULL.format(name=params.name, count=to, most=MOST))
        return {"id": found["Id"], "changed": list(_sorted(changed)), "was": len(there), "to": to}

    def plan(self, params: Addresses, before: State) -> str:
        known = (ADD if self.adds else REMOVE) if before["changed"] else NOTHING
        return known.format(networks=_told(before["changed"]), name=params.name, was=before["was"], to=before["to"])

    def act(self, world: World, params: Addresses, before: State) -> Outcome:
        return self._write(world, params, params.addresses, adds=self.adds)

    def look(self, world: World, params: Addresses, before: State, outputs: State) -> Look:
        return self._listed(world, params, params.addresses, there=self.adds)

    def undo(self, world: World, params: Addresses, before: State, outputs: State) -> Outcome:
        """Only what this step changed: what was on the list before stays on it."""
        return self._write(world, params, before["changed"], adds=not self.adds)

    def undone(self, world: World, params: Addresses, before: State, outputs: State) -> Look:
        return self._listed(world, params, before["changed"], there=not self.adds)

    def _guard(self, world: World, params: Addresses, version: str, asked: set[Network]) -> None:
        for each in asked:
            if VERSIONS[each.version] != version:
                raise Failed(MIXED.format(name=params.name, version=version, network=each))
            if self.adds:
                _may_be_blocked(each, _networks(world.allowed.get("addresses", ())))

    def _write(self, world: World, params: Addresses, networks: Sequence[str], *, adds: bool) -> Outcome:
        """Reads, merges, writes under the token that was read; when another was faster, once more on what is there now."""
        client, ours = waf(world, params.scope), _networks(networks)
        for _ in range(2):
            found, token = _set(world, params)
            there = _networks(found["Addresses"])
            merged = there | ours if adds else there - ours
            if merged == there:
                return Outcome(UNCHANGED.format(name=params.name))
            described = {"Description": found["Description"]} if found.get("Description") else {}
            try:
                client.update_ip_set(Name=params.name, Scope=params.scope, Id=found["Id"], LockToken=token,
                                  Addresses=list(_sorted(merged)), **described)
            except client.exceptions.WAFOptimisticLockException:
                continue
            return Outcome(SET.format(name=params.name, count=len(merged)), {"count": len(merged)})
        raise Failed(RACED.format(name=params.name), again=True)

    def _listed(self, world: World, params: Addresses, networks: Sequence[str], *, there: bool) -> Look:
        found, _ = _set(world, params)
        asked = _networks(networks)
        listed = asked & _networks(found["Addresses"])
        said = LISTED.format(listed=len(listed), all=len(asked), name=params.name)
        return Look("done" if listed == (asked if there else set()) else "not seen", said)


class BlockAddresses(_OnSet):
    """Keep addresses out, for everybody behind them."""

    name = "aws.wafv2.block_addresses"
    adds = True


class UnblockAddresses(_OnSet):
    """Take addresses off the list, so that they are let in again."""

    name = "aws.wafv2.unblock_addresses"
    adds = False


SERVICE = Service("aws.wafv2", (BlockAddresses(), UnblockAddresses()))
