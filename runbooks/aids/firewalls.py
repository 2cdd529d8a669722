"""AWS WAF as several actions know it: where it is spoken to, and how its lists and firewalls are found by name."""

from typing import Any

from runbooks.actions import World

GLOBAL_REGION = "us-east-1"     # where those of CloudFront are kept
MOST_LISTED = 100


def waf(world: World, scope: str) -> Any:
    """A client, in the region where things of that scope are."""
    return world.aws("wafv2", GLOBAL_REGION if scope == "CLOUDFRONT" else None)


def named(client: Any, listing: str, name: str, scope: str) -> Any:
    """The one of that name among all that AWS lists (ip_sets, web_acls), or None; a name is unique in its scope."""
    more: dict[str, str] = {}
    while True:
        said = getattr(client, f"list_{listing}")(Scope=scope, Limit=MOST_LISTED, **more)
        listed = next(value for value in said.values() if isinstance(value, list))
        if found := next((each for each in listed if each["Name"] == name), None):
            return found
        if not said.get("NextMarker") or not listed:
            return None
        more = {"NextMarker": said["NextMarker"]}
