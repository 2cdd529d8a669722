"""The edge: countries and addresses are kept out and let in again, nobody else's change is undone, the cache is emptied once."""

from typing import Any

import pytest
from pydantic import ValidationError

from runbooks.actions import Failed
from runbooks.actions.cloudfront import GeoBlock, GeoUnblock, Invalidate
from runbooks.actions.wafv2 import BlockAddresses, UnblockAddresses
from tests.action_stage import ActionWorld, aws_server, look_on, play, play_back, world
from tests.mishaps import phases_keep_to_what_they_declare, throttled, tried, unanswered

__all__ = ["aws_server", "world"]

UPDATE, EMPTY, WRITE = "cloudfront:UpdateDistribution", "cloudfront:CreateInvalidation", "wafv2:UpdateIPSet"
ATTACKERS = ("198.51.100.0/24", "203.0.113.7/32")


# --- CloudFront ---


@pytest.fixture
def site(world: ActionWorld) -> str:
    """A distribution that every country reaches, deployed."""
    https = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    origin = {"Id": "pay", "DomainName": "pay.example", "CustomOriginConfig": https}
    made = world.double.client("cloudfront", "us-east-1").create_distribution(DistributionConfig={
        "CallerReference": "site", "Comment": "the payment page", "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "pay", "ViewerProtocolPolicy": "https-only", "MinTTL": 0,
            "TrustedSigners": {"Enabled": False, "Quantity": 0},
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}},
    })
    world.forward(3600)
    return str(made["Distribution"]["Id"])


def geo(world: ActionWorld, site: str) -> tuple[str, list[str]]:
    config = world.double.client("cloudfront", "us-east-1").get_distribution_config(Id=site)["DistributionConfig"]
    found = config["Restrictions"]["GeoRestriction"]
    return found["RestrictionType"], sorted(found.get("Items", []))


def restrict(world: ActionWorld, site: str, kind: str, *countries: str, comment: str | None = None) -> None:
    """As somebody else does it meanwhile."""
    cloudfront = world.double.client("cloudfront", "us-east-1")
    said = cloudfront.get_distribution_config(Id=site)
    config = said["DistributionConfig"]
    more = {"Items": list(countries)} if countries else {}
    config["Restrictions"] = {"GeoRestriction": {"RestrictionType": kind, "Quantity": len(countries), **more}}
    config["Comment"] = comment or config["Comment"]
    cloudfront.update_distribution(Id=site, IfMatch=said["ETag"], DistributionConfig=config)
    world.forward(3600)


@pytest.mark.parametrize(("action", "more"), [
    (GeoBlock(), {"countries": ["KP"]}), (GeoUnblock(), {"countries": ["KP"]}), (Invalidate(), {"paths": ["/*"]})])
def test_every_action_on_cloudfront_keeps_to_its_permissions(world: ActionWorld, site: str, action: Any, more: Any) -> None:
    phases_keep_to_what_they_declare(world, action, distribution=site, **more)
    params = action.params.model_validate({"distribution": site, **more})
    assert action.resources(params, {}, world.place) == [f"arn:aws:cloudfront::111122223333:distribution/{site}"]


def test_blocked_countries_are_outside_once_every_edge_knows(world: ActionWorld, site: str) -> None:
    action = GeoBlock()
    played = play(world, action, distribution=site, countries=["KP", "IR"])
    assert played.plan == f"would change who reaches {site}: every country -> every country but IR, KP"
    assert [played.looks[0].seen, played.seen] == ["under way", "done"]
    assert geo(world, site) == ("blacklist", ["IR", "KP"])
    assert play_back(world, action, played)[-1].seen == "done"
    assert geo(world, site) == ("none", [])


def test_what_was_blocked_before_stays_blocked_after_the_undo(world: ActionWorld, site: str) -> None:
    restrict(world, site, "blacklist", "RU")
    action = GeoBlock()
    played = play(world, action, distribution=site, countries=["KP", "RU"])
    assert played.plan == f"would change who reaches {site}: every country but RU -> every country but KP, RU"
    restrict(world, site, "blacklist", "BY", "KP", "RU")
    play_back(world, action, played)
    assert geo(world, site) == ("blacklist", ["BY", "RU"])


def test_only_the_countries_change(world: ActionWorld, site: str) -> None:
    cloudfront = world.double.client("cloudfront", "us-east-1")
    was = cloudfront.get_distribution_config(Id=site)["DistributionConfig"]
    play(world, GeoBlock(), distribution=site, countries=["KP"])
    now = cloudfront.get_distribution_config(Id=site)["DistributionConfig"]
    assert {name: each for name, each in now.items() if each != was[name]}.keys() == {"Restrictions"}


def test_a_list_of_allowed_countries_is_shortened_but_never_emptied(world: ActionWorld, site: str) -> None:
    restrict(world, site, "whitelist", "FR", "BE")
    action = GeoBlock()
    played = play(world, action, distribution=site, countries=["BE", "KP"])
    assert played.plan == f"would change who reaches {site}: only BE, FR -> only FR"
    assert play_back(world, action, played)[-1].seen == "done" and geo(world, site) == ("whitelist", ["BE", "FR"])
    with pytest.raises(Failed, match="would leave nobody"):
        play(world, action, distribution=site, countries=["BE", "FR"])


def test_unblocked_countries_are_inside_and_the_undo_blocks_them_again(world: ActionWorld, site: str) -> None:
    restrict(world, site, "blacklist", "KP", "RU")
    action = GeoUnblock()
    played = play(world, action, distribution=site, countries=["KP", "FR"])
    assert played.plan == f"would change who reaches {site}: every country but KP, RU -> every country but RU"
    assert geo(world, site) == ("blacklist", ["RU"])
    assert play_back(world, action, played)[-1].seen == "done" and geo(world, site) == ("blacklist", ["KP", "RU"])


def test_a_country_that_is_blocked_already_changes_nothing(world: ActionWorld, site: str) -> None:
    restrict(world, site, "blacklist", "KP")
    played = play(world, GeoBlock(), distribution=site, countries=["KP"])
    assert played.plan == f"would change nothing: {site} has it so already, every country but KP"
    assert played.seen == "done" and UPDATE not in world.called
    play_back(world, GeoBlock(), played)
    assert geo(world, site) == ("blacklist", ["KP"])


def test_somebody_elses_change_of_another_part_is_written_around(world: ActionWorld, site: str) -> None:
    """412: read again, compare, and write on what is there now."""
    action, params = GeoBlock(), GeoBlock.params.model_validate({"distribution": site, "countries": ["KP"]})
    before = action.before(world, params)
    world.double.faults.refuse("cloudfront", "UpdateDistribution", "PreconditionFailed", status=412)
    restrict(world, site, "none", comment="edited meanwhile")
    action.act(world, params, before)
    assert look_on(world, action, params, before, {})[-1].seen == "done" and world.called.count(UPDATE) == 2
    said = world.double.client("cloudfront", "us-east-1").get_distribution_config(Id=site)
    assert said["DistributionConfig"]["Comment"] == "edited meanwhile"


def test_somebody_elses_change_of_the_countries_stops_us(world: ActionWorld, site: str) -> None:
    action, params = GeoBlock(), GeoBlock.params.model_validate({"distribution": site, "countries": ["KP"]})
    before = action.before(world, params)
    restrict(world, site, "blacklist", "RU")
    with pytest.raises(Failed, match="every country then, every country but RU now"):
        action.act(world, params, before)
    assert geo(world, site) == ("blacklist", ["RU"])


def test_a_distribution_that_never_stands_still_is_left_alone(world: ActionWorld, site: str) -> None:
    world.double.faults.refuse("cloudfront", "UpdateDistribution", "PreconditionFailed", status=412, times=2)
    action, params = GeoBlock(), GeoBlock.params.model_validate({"distribution": site, "countries": ["KP"]})
    with pytest.raises(Failed, match="keeps changing") as caught:
        action.act(world, params, action.before(world, params))
    assert caught.value.again and geo(world, site) == ("none", [])


def test_blocking_without_an_answer_is_seen_in_the_configuration(world: ActionWorld, site: str) -> None:
    once, looks = unanswered(world, GeoBlock(), UPDATE, distribution=site, countries=["KP"])
    assert looks[-1].seen == "done"
    assert GeoBlock().act(world, once.params, once.before).said == f"{site} had it so already: every country but KP"


def test_a_throttled_call_to_cloudfront_may_be_made_again(world: ActionWorld, site: str) -> None:
    throttled(world, GeoBlock(), UPDATE, distribution=site, countries=["KP"])
    throttled(world, Invalidate(), EMPTY, distribution=site, paths=["/*"])


def test_no_country_and_no_path_is_made_up(world: ActionWorld) -> None:
    for wrong in ("fr", "France", "F1", ""):
        with pytest.raises(ValidationError, match="no country code"):
            GeoBlock.params.model_validate({"distribution": "E1PAYMENTS0001", "countries": [wrong]})
    for wrong in ("index.html", "/a b"):
        with pytest.raises(ValidationError, match="is no path"):
            Invalidate.params.model_validate({"distribution": "E1PAYMENTS0001", "paths": [wrong]})


def test_an_invalidation_is_made_once_however_often_it_is_asked(world: ActionWorld, site: str) -> None:
    played = play(world, Invalidate(), distribution=site, paths=["/index.html", "/api/*"])
    assert played.plan.startswith(f"would remove /api/*, /index.html from the cache of {site} (")
    assert [played.looks[0].seen, played.seen] == ["under way", "done"]
    again = Invalidate().act(world, played.params, played.before)
    assert again.outputs == played.outcome.outputs


def test_an_invalidation_without_an_answer_is_found_by_its_reference(world: ActionWorld, site: str) -> None:
    cloudfront = world.double.client("cloudfront", "us-east-1")
    cloudfront.create_invalidation(DistributionId=site, InvalidationBatch={
        "Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "somebody else's"})
    params = Invalidate.params.model_validate({"distribution": site, "paths": ["/*"]})
    assert Invalidate().look(world, params, {}, {}).seen == "not seen"
    _, looks = unanswered(world, Invalidate(), EMPTY, distribution=site, paths=["/*"])
    assert looks[-1].seen == "done"


# --- WAF ---


@pytest.fixture
def blocked(world: ActionWorld) -> dict[str, str]:
    """An IP set of CloudFront's firewall, with one network on it since long."""
    made = world.double.client("wafv2", "us-east-1").create_ip_set(
        Name="blocked", Scope="CLOUDFRONT", IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"], Description="kept by hand")
    world.allowed = {"addresses": ["198.18.0.0/16", "2001:db8:1::/48"]}
    return {"name": "blocked", "id": made["Summary"]["Id"]}


def listed(world: ActionWorld, blocked: dict[str, str]) -> set[str]:
    waf = world.double.client("wafv2", "us-east-1")
    return set(waf.get_ip_set(Name=blocked["name"], Id=blocked["id"], Scope="CLOUDFRONT")["IPSet"]["Addresses"])


def put(world: ActionWorld, blocked: dict[str, str], *addresses: str) -> None:
    """As somebody else does it meanwhile."""
    waf = world.double.client("wafv2", "us-east-1")
    which = {"Name": blocked["name"], "Id": blocked["id"], "Scope": "CLOUDFRONT"}
    waf.update_ip_set(**which, LockToken=waf.get_ip_set(**which)["LockToken"], Addresses=list(addresses))


@pytest.mark.parametrize("action", [BlockAddresses(), UnblockAddresses()])
def test_every_action_on_waf_keeps_to_its_permissions(world: ActionWorld, blocked: dict[str, str], action: Any) -> None:
    phases_keep_to_what_they_declare(world, action, **blocked, addresses=ATTACKERS)
    params = action.params.model_validate({**blocked, "addresses": ATTACKERS})
    assert action.resources(params, {}, world.place) == [
        f"arn:aws:wafv2:us-east-1:111122223333:global/ipset/blocked/{blocked['id']}"]


def test_blocked_addresses_join_those_that_are_there_and_leave_alone(world: ActionWorld, blocked: dict[str, str]) -> None:
    action = BlockAddresses()
    played = play(world, action, **blocked, addresses=["203.0.113.7", "198.51.100.0/24"])
    assert played.plan == "would add 198.51.100.0/24, 203.0.113.7/32 to blocked, from 1 networks to 3"
    assert played.seen == "done" and listed(world, blocked) == {"192.0.2.0/24", *ATTACKERS}
    put(world, blocked, *listed(world, blocked), "100.64.0.0/24")
    assert play_back(world, action, played)[-1].seen == "done"
    assert listed(world, blocked) == {"192.0.2.0/24", "100.64.0.0/24"}


def test_the_undo_leaves_what_was_blocked_before(world: ActionWorld, blocked: dict[str, str]) -> None:
    action = BlockAddresses()
    played = play(world, action, **blocked, addresses=["192.0.2.0/24", "203.0.113.7"])
    assert played.plan == "would add 203.0.113.7/32 to blocked, from 1 networks to 2"
    play_back(world, action, played)
    assert listed(world, blocked) == {"192.0.2.0/24"}


def test_unblocked_addresses_are_off_the_list_and_the_undo_puts_them_back(world: ActionWorld, blocked: dict[str, str]) -> None:
    action = UnblockAddresses()
    played = play(world, action, **blocked, addresses=["192.0.2.0/24", "203.0.113.7"])
    assert played.plan == "would remove 192.0.2.0/24 from blocked, from 1 networks to 0"
    assert played.seen == "done" and listed(world, blocked) == set()
    play_back(world, action, played)
    assert listed(world, blocked) == {"192.0.2.0/24"}


def test_what_is_blocked_already_is_not_written_again(world: ActionWorld, blocked: dict[str, str]) -> None:
    played = play(world, BlockAddresses(), **blocked, addresses=["192.0.2.0/24"])
    assert played.plan == "would change nothing: blocked has it so already"
    assert played.seen == "done" and WRITE not in world.called


@pytest.mark.parametrize(("network", "why"), [
    ("0.0.0.0/0", "too wide to block: /16 at most"), ("10.0.0.0/15", "too wide to block"),
    ("198.18.4.0/24", "must never be blocked: it touches 198.18.0.0/16"), ("198.18.7.7", "must never be blocked"),
    ("2001:db8:9::/48", "is a list of IPV4 networks"),
])
def test_what_must_never_be_blocked_is_refused(world: ActionWorld, blocked: dict[str, str], network: str, why: str) -> None:
    with pytest.raises(Failed, match=why):
        play(world, BlockAddresses(), **blocked, addresses=[network])
    assert listed(world, blocked) == {"192.0.2.0/24"}


def test_wide_ipv6_networks_and_protected_ones_are_refused(world: ActionWorld) -> None:
    made = world.double.client("wafv2").create_ip_set(
        Name="blocked6", Scope="REGIONAL", IPAddressVersion="IPV6", Addresses=[])
    world.allowed = {"addresses": ["2001:db8:1::/48"]}
    six = {"name": "blocked6", "id": made["Summary"]["Id"], "scope": "REGIONAL"}
    for wrong in ("2001::/16", "2001:db8:1:2::/64"):
        with pytest.raises(Failed):
            play(world, BlockAddresses(), **six, addresses=[wrong])
    assert play(world, BlockAddresses(), **six, addresses=["2001:db8:2::/48"]).seen == "done"


def test_a_mistyped_address_is_explained(world: ActionWorld) -> None:
    for wrong in ("203.0.113.300", "203.0.113.7/24", "pay.example"):
        with pytest.raises(ValidationError, match=r"right would be 203\.0\.113\.7"):
            BlockAddresses.params.model_validate({"name": "blocked", "id": "0" * 36, "addresses": [wrong]})


def test_a_list_that_changes_under_our_hands_is_read_again(world: ActionWorld, blocked: dict[str, str]) -> None:
    world.double.faults.refuse("wafv2", "UpdateIPSet", "WAFOptimisticLockException", "the token is stale")
    played = play(world, BlockAddresses(), **blocked, addresses=ATTACKERS)
    assert played.seen == "done" and world.called.count(WRITE) == 2
    world.double.faults.refuse("wafv2", "UpdateIPSet", "WAFOptimisticLockException", "the token is stale", times=2)
    raced = tried(world, UnblockAddresses(), "wafv2:GetIPSet", **blocked, addresses=ATTACKERS)
    assert isinstance(raced.meaning, Failed) and raced.meaning.again


def test_addresses_without_an_answer_are_seen_on_the_list(world: ActionWorld, blocked: dict[str, str]) -> None:
    _, looks = unanswered(world, BlockAddresses(), WRITE, **blocked, addresses=ATTACKERS)
    assert looks[-1].seen == "done"


def test_a_throttled_call_to_waf_may_be_made_again(world: ActionWorld, blocked: dict[str, str]) -> None:
    throttled(world, BlockAddresses(), WRITE, **blocked, addresses=ATTACKERS)
    throttled(world, UnblockAddresses(), WRITE, **blocked, addresses=ATTACKERS)
