"""AWS WAF: who asks now, by country and by address, from the requests that the firewall has sampled."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, ClassVar, Literal

from pydantic import Field

from runbooks.actions import Action, Failed, Look, Outcome, Params, Service, State, World
from runbooks.aids.firewalls import named, waf

MOST_SAMPLES = 500              # that AWS gives at once
MOST_NAMED = 100                # addresses that a later step can put on a list
MOST_LISTED = 10

READ = "would read the sampled requests of {acl} of the last {minutes} minutes"
NO_ACL = "AWS knows no web ACL {acl} for {scope}"
NOTHING = "{acl} has sampled no request in the last {minutes} minutes"
SHARES = "of {count} sampled requests: {countries}; {addresses}"
ADDRESSES = "{count} addresses above {share:g} % each"
NO_ADDRESS = "no address above {share:g} %"
TABLE = """{count} sampled requests of {population} between {start:%H:%M} and {end:%H:%M} UTC, {acl}

by country
{countries}

by address
{addresses}"""
ROW = "{share:6.1f} %  {name}"

Shares = list[tuple[str, float]]


class Asked(Params):
    """A firewall, and from which share on somebody stands out."""

    web_acl: str = Field(pattern=r"^[A-Za-z0-9_-]{1,128}$", description="Name of the web ACL")
    scope: Literal["CLOUDFRONT", "REGIONAL"] = Field("CLOUDFRONT", description="Where the web ACL is used")
    metric: str = Field(pattern=r"^[A-Za-z0-9_#:.,/-]{1,255}$", description="Metric name of a rule, or of the web ACL itself")
    minutes: int = Field(15, ge=1, le=180, description="How far back; AWS keeps samples for three hours")
    address_share: float = Field(5.0, gt=0, le=100, description="An address with so many percent of the requests stands out")
    country_share: float = Field(30.0, gt=0, le=100, description="A country with so many percent stands out")
    home: tuple[str, ...] = Field((), max_length=50, description="Countries that never stand out, for your customers live there")


class Traffic(Action[Asked]):
    """See who asks: the share of each country and address in the requests that the firewall has sampled."""

    name = "aws.wafv2.traffic"
    params = Asked
    example: ClassVar[State] = {"web_acl": "edge", "metric": "edge", "home": ["FR", "BE"]}
    verified = "the firewall has sampled requests"
    reads = ("wafv2:ListWebACLs", "wafv2:GetSampledRequests")
    poll_s = 30.0

    def target(self, params: Asked) -> str:
        return f"wafv2:{params.web_acl}"

    def plan(self, params: Asked, before: State) -> str:
        return READ.format(acl=params.web_acl, minutes=params.minutes)

    def act(self, world: World, params: Asked, before: State) -> Outcome:
        start = world.now - timedelta(minutes=params.minutes)
        answer = _samples(world, params, start)
        found = answer["SampledRequests"]
        if not found:
            return Outcome(NOTHING.format(acl=params.web_acl, minutes=params.minutes))
        countries, addresses = _shares(found, "Country"), _shares(found, "ClientIP")
        values = {
            "sampled": len(found), "countries": [name for name, share in countries if _foreign(name, share, params)],
            "addresses": [name for name, share in addresses if _strange(name, share, params, world)][:MOST_NAMED],
        }
        said = _said(params, len(found), countries, values["addresses"])  # type: ignore[arg-type]
        table = TABLE.format(
            count=len(found), population=answer.get("PopulationSize", len(found)), start=start, end=world.now,
            acl=params.web_acl, countries=_rows(countries), addresses=_rows(addresses))
        return Outcome(said, {**values, "said": said}, table)

    def look(self, world: World, params: Asked, before: State, outputs: State) -> Look:
        """Without a sample nobody knows who asks, and nobody may be kept out for it."""
        if "sampled" in outputs:
            return Look("done", str(outputs["said"]))
        found = self.act(world, params, before)
        return Look("done" if found.outputs else "under way", found.said, found.outputs)


def _samples(world: World, params: Asked, start: datetime) -> Any:
    client = waf(world, params.scope)
    acl = named(client, "web_acls", params.web_acl, params.scope)
    if acl is None:
        raise Failed(NO_ACL.format(acl=params.web_acl, scope=params.scope))
    return client.get_sampled_requests(
        WebAclArn=acl["ARN"], RuleMetricName=params.metric, Scope=params.scope, MaxItems=MOST_SAMPLES,
        TimeWindow={"StartTime": start, "EndTime": world.now})


def _shares(found: Sequence[Any], of: str) -> Shares:
    """In percent, the largest first; a sample may stand for several requests."""
    counted: Counter[str] = Counter()
    for each in found:
        counted[each["Request"].get(of) or "?"] += each.get("Weight", 1)
    whole = sum(counted.values())
    return [(name, 100 * count / whole) for name, count in counted.most_common()]


def _foreign(name: str, share: float, params: Asked) -> bool:
    return share >= params.country_share and name not in params.home and len(name) == 2 and name.isalpha()


def _strange(name: str, share: float, params: Asked, world: World) -> bool:
    """Loud enough, and none of those that vigie.yaml protects."""
    try:
        address = ip_address(name)
    except ValueError:
        return False
    kept = (ip_network(each, strict=False) for each in world.allowed.get("addresses", ()))
    return share >= params.address_share and not any(address in each for each in kept)


def _said(params: Asked, count: int, countries: Shares, addresses: Sequence[str]) -> str:
    first = ", ".join(f"{name} {share:.0f} %" for name, share in countries[:3])
    known = ADDRESSES if addresses else NO_ADDRESS
    return SHARES.format(count=count, countries=first, addresses=known.format(count=len(addresses), share=params.address_share))


def _rows(shares: Shares) -> str:
    return "\n".join(ROW.format(share=share, name=name) for name, share in shares[:MOST_LISTED])


SERVICE = Service("aws.wafv2.traffic", (Traffic(),))
