"""Amazon CloudFront: block countries or let them in again, and empty the cache."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from botocore.exceptions import ClientError
from pydantic import Field, field_validator

from runbooks.actions import Action, Failed, Look, Outcome, Params, Place, Service, State, World

REGION = "us-east-1"                            # where the one CloudFront of the world is spoken to
OUTDATED = ("PreconditionFailed", "InvalidIfMatchVersion")
NEWEST = "20"                                   # so many invalidations are searched for ours

NOT_A_COUNTRY = "{country} is no country code of two letters (FR, GB, US)"
NO_PATH = "{path} is no path: it begins with / and holds no spaces"
NOBODY_LEFT = "{distribution} lets in only {countries}: blocking them would leave nobody"
CHANGED = "the countries of {distribution} were changed since this was planned: {was} then, {now} now"
RACED = "somebody else keeps changing {distribution}"

CHANGE = "would change who reaches {distribution}: {was} -> {to}"
NO_CHANGE = "would change nothing: {distribution} has it so already, {was}"
EMPTY = "would remove {paths} from the cache of {distribution}; the origin gets the load until it is full again"

ALL = "every country"
ALL_BUT = "every country but {countries}"
ONLY = "only {countries}"
SET = "{distribution}: {now}, from now on"
UNCHANGED = "{distribution} had it so already: {now}"
STANDS = "{distribution} is {status}: {now}"
EMPTYING = "the invalidation {invalidation} has begun"
EMPTIED = "the invalidation {invalidation} is {status}"
NO_INVALIDATION = "no invalidation of this step is known"


class OfDistribution(Params):
    """A distribution."""

    distribution: str = Field(description="Id of the distribution", pattern=r"^[A-Z0-9]{4,20}$")


class Countries(OfDistribution):
    countries: tuple[str, ...] = Field(description="Codes of two letters (ISO 3166-1)", min_length=1, max_length=100)

    @field_validator("countries")
    @classmethod
    def _codes(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        for each in countries:
            if not (len(each) == 2 and each.isascii() and each.isalpha() and each.isupper()):
                raise ValueError(NOT_A_COUNTRY.format(country=each))
        return tuple(sorted(set(countries)))


class Paths(OfDistribution):
    paths: tuple[str, ...] = Field(description="What to remove from the cache: /index.html, /api/*", min_length=1, max_length=30)

    @field_validator("paths")
    @classmethod
    def _paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for each in paths:
            if not each.startswith("/") or " " in each:
                raise ValueError(NO_PATH.format(path=each))
        return tuple(sorted(set(paths)))


D = TypeVar("D", bound=OfDistribution)
Restriction = dict[str, Any]                    # {"type": "blacklist", "countries": ["KP"]}; AWS's own words for the types
Change = Callable[[Restriction], Restriction]


class _OnDistribution(Action[D]):
    """What all of them share: the distribution they are about, which is in no region."""

    def target(self, params: D) -> str:
        return f"cloudfront:{params.distribution}"

    def resources(self, params: D, before: State, place: Place) -> Sequence[str]:
        return [place.arn("cloudfront", f"distribution/{params.distribution}", region="")]


def _cloudfront(world: World) -> Any:
    return world.aws("cloudfront", REGION)


def _restriction(config: Any) -> Restriction:
    found = config["Restrictions"]["GeoRestriction"]
    return {"type": found["RestrictionType"], "countries": sorted(found.get("Items", []))}


def _told(restriction: State) -> str:
    words = {"none": ALL, "blacklist": ALL_BUT, "whitelist": ONLY}
    return words[restriction["type"]].format(countries=", ".join(restriction["countries"]))


def _changed(now: State, countries: Sequence[str], distribution: str, *, outside: bool) -> Restriction:
    """The restriction with these countries outside, or inside."""
    listed, allows = set(now["countries"]), now["type"] == "whitelist"
    after = sorted(listed | set(countries) if outside != allows else listed - set(countries))
    if allows and not after:
        raise Failed(NOBODY_LEFT.format(distribution=distribution, countries=", ".join(now["countries"])))
    return {"type": "whitelist" if allows else "blacklist" if after else "none", "countries": after}


class _Geo(_OnDistribution[Countries]):
    """A change of the geographic restriction: only that part of the configuration is written, under its own version."""

    params = Countries
    example: ClassVar[State] = {"distribution": "E1PAYMENTS0001", "countries": ["KP"]}
    verified = "the distribution is deployed everywhere with the new restriction"
    reads = ("cloudfront:GetDistribution", "cloudfront:GetDistributionConfig")
    writes = ("cloudfront:UpdateDistribution",)
    poll_s = 30.0
    outside: ClassVar[bool]                     # whether the countries are outside afterwards

    def before(self, world: World, params: Countries) -> State:
        said = _cloudfront(world).get_distribution_config(Id=params.distribution)
        now = _restriction(said["DistributionConfig"])
        to = self._there(params)(now)
        return {"from": now, "to": to, "changed": sorted(set(now["countries"]) ^ set(to["countries"]))}

    def plan(self, params: Countries, before: State) -> str:
        known = NO_CHANGE if before["from"] == before["to"] else CHANGE
        return known.format(distribution=params.distribution, was=_told(before["from"]), to=_told(before["to"]))

    def act(self, world: World, params: Countries, before: State) -> Outcome:
        def as_planned(now: Restriction) -> Restriction:
            if now not in (before["from"], before["to"]):
                raise Failed(CHANGED.format(distribution=params.distribution, was=_told(before["from"]), now=_told(now)))
            return dict(before["to"])

        return _write(world, params, as_planned)

    def look(self, world: World, params: Countries, before: State, outputs: State) -> Look:
        return _deployed(world, params, self._there(params))

    def undo(self, world: World, params: Countries, before: State, outputs: State) -> Outcome:
        """Only what this step changed: another one may have blocked other countries meanwhile."""
        return _write(world, params, self._back(params, before))

    def undone(self, world: World, params: Countries, before: State, outputs: State) -> Look:
        return _deployed(world, params, self._back(params, before))

    def _there(self, params: Countries) -> Change:
        return lambda now: _changed(now, params.countries, params.distribution, outside=self.outside)

    def _back(self, params: Countries, before: State) -> Change:
        return lambda now: _changed(now, before["changed"], params.distribution, outside=not self.outside)


def _write(world: World, params: Countries, change: Change) -> Outcome:
    """Reads, changes, writes under the version that was read; when another was faster, once more on what is there now."""
    cloudfront = _cloudfront(world)
    for _ in range(2):
        said = cloudfront.get_distribution_config(Id=params.distribution)
        config, now = said["DistributionConfig"], _restriction(said["DistributionConfig"])
        wanted = change(now)
        if wanted == now:
            return Outcome(UNCHANGED.format(distribution=params.distribution, now=_told(now)))
        config["Restrictions"] = {"GeoRestriction": _written(wanted)}
        try:
            cloudfront.update_distribution(Id=params.distribution, IfMatch=said["ETag"], DistributionConfig=config)
        except ClientError as error:
            if error.response["Error"]["Code"] not in OUTDATED:
                raise
            continue
        return Outcome(SET.format(distribution=params.distribution, now=_told(wanted)), {"countries": wanted["countries"]})
    raise Failed(RACED.format(distribution=params.distribution), again=True)


def _written(restriction: Restriction) -> dict[str, Any]:
    countries = restriction["countries"]
    return {"RestrictionType": restriction["type"], "Quantity": len(countries), **({"Items": countries} if countries else {})}


def _deployed(world: World, params: Countries, change: Change) -> Look:
    """Whether the change has nothing more to do, and every edge knows it."""
    found = _cloudfront(world).get_distribution(Id=params.distribution)["Distribution"]
    now, status = _restriction(found["DistributionConfig"]), found["Status"]
    said = STANDS.format(distribution=params.distribution, status=status, now=_told(now))
    if change(now) != now:
        return Look("not seen", said)
    return Look("done" if status == "Deployed" else "under way", said, {"countries": now["countries"]})


class GeoBlock(_Geo):
    """Keep the users of some countries out, real ones included."""

    name = "aws.cloudfront.geo_block"
    changes = "which countries reach the distribution"
    outside = True


class GeoUnblock(_Geo):
    """Let the users of some countries in again."""

    name = "aws.cloudfront.geo_unblock"
    changes = "which countries reach the distribution"
    outside = False


class Invalidate(_OnDistribution[Paths]):
    """Remove files from the cache, so that the origin is asked again."""

    name = "aws.cloudfront.invalidate"
    params = Paths
    example: ClassVar[State] = {"distribution": "E1PAYMENTS0001", "paths": ["/index.html"]}
    changes = "what the cache holds; the origin gets more load for a while"
    verified = "the invalidation is completed"
    no_undo = "the cache fills again by itself"
    reads = ("cloudfront:GetDistribution", "cloudfront:GetInvalidation", "cloudfront:ListInvalidations")
    writes = ("cloudfront:CreateInvalidation",)
    poll_s = 20.0

    def before(self, world: World, params: Paths) -> State:
        found = _cloudfront(world).get_distribution(Id=params.distribution)["Distribution"]
        return {"domain": found["DomainName"]}

    def plan(self, params: Paths, before: State) -> str:
        return EMPTY.format(paths=", ".join(params.paths), distribution=f"{params.distribution} ({before['domain']})")

    def act(self, world: World, params: Paths, before: State) -> Outcome:
        """CloudFront answers the same reference with the same invalidation: it may be sent again."""
        batch = {"Paths": {"Quantity": len(params.paths), "Items": list(params.paths)}, "CallerReference": world.label}
        made = _cloudfront(world).create_invalidation(DistributionId=params.distribution, InvalidationBatch=batch)["Invalidation"]
        return Outcome(EMPTYING.format(invalidation=made["Id"]), {"invalidation": made["Id"]})

    def look(self, world: World, params: Paths, before: State, outputs: State) -> Look:
        known = [outputs["invalidation"]] if outputs else self._newest(world, params)
        for each in known:
            found = _cloudfront(world).get_invalidation(DistributionId=params.distribution, Id=each)["Invalidation"]
            if found["InvalidationBatch"]["CallerReference"] == world.label:
                said = EMPTIED.format(invalidation=each, status=found["Status"])
                return Look("done" if found["Status"] == "Completed" else "under way", said, {"invalidation": each})
        return Look("not seen", NO_INVALIDATION)

    def _newest(self, world: World, params: Paths) -> list[str]:
        said = _cloudfront(world).list_invalidations(DistributionId=params.distribution, MaxItems=NEWEST)
        return [each["Id"] for each in said["InvalidationList"].get("Items", [])]


SERVICE = Service("aws.cloudfront", (GeoBlock(), GeoUnblock(), Invalidate()))
