"""WAFv2: the lists of addresses are moto's; here are the limits, and the edge is spoken to in one region only."""

from ipaddress import ip_network

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

EDGE = "us-east-1"
MOST_ADDRESSES = 10_000

WRONG_REGION = "Error reason: The scope is not valid., field: SCOPE_VALUE, parameter: CLOUDFRONT"
WRONG_ADDRESS = "Error reason: The parameter contains formatting that is not valid., field: IP_ADDRESS, parameter: {address}"
TOO_MANY = "Error reason: You have exceeded the limit of addresses., field: IP_ADDRESS"


class Wafv2(Script):
    """`sampled` is what GetSampledRequests tells."""

    service = "wafv2"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.sampled: list[Json] = []

    @answers("CreateIPSet", "UpdateIPSet", "GetIPSet", "ListIPSets", "GetWebACL", "UpdateWebACL", "ListWebACLs")
    def guarded(self, call: Call, onward: Onward) -> Json:
        asked = call.params
        if asked.get("Scope") == "CLOUDFRONT" and call.region != EDGE:
            raise Refusal("WAFInvalidParameterException", WRONG_REGION)
        for address in asked.get("Addresses", []):
            _check(address)
        if len(asked.get("Addresses", [])) > MOST_ADDRESSES:
            raise Refusal("WAFLimitsExceededException", TOO_MANY)
        return onward()

    @answers("GetSampledRequests")
    def samples(self, call: Call, onward: Onward) -> Json:
        return {"SampledRequests": self.sampled, "PopulationSize": len(self.sampled), "TimeWindow": call.params["TimeWindow"]}


def _check(address: str) -> None:
    """With its length, and without bits behind it; /0 is none."""
    try:
        usable = "/" in address and ip_network(address).prefixlen > 0
    except ValueError:
        usable = False
    if not usable:
        raise Refusal("WAFInvalidParameterException", WRONG_ADDRESS.format(address=address))
