"""CloudFront: a version that must match, a distribution that is deployed over time, an invalidation that has one name."""

from datetime import datetime
from typing import Any

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

DEPLOY_S = 240.0
EMPTY_S = 60.0

NO_VERSION = "The If-Match version is missing or not valid for the resource."
OTHER_VERSION = "The request failed because it didn't meet the preconditions in one or more request-header fields"
OTHER_PATHS = "The caller reference that you are using has already been used with other paths."


class CloudFront(Script):
    """Distributions by their id."""

    service = "cloudfront"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._changed: dict[str, datetime] = {}
        self._versions: dict[str, int] = {}
        self._emptied: dict[str, datetime] = {}

    def stand(self) -> None:
        """All that was changed has been deployed."""
        self._changed.clear()

    @answers("CreateDistribution", "CreateDistributionWithTags")
    def create(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        return self._written(answer, answer["Distribution"]["Id"])

    @answers("UpdateDistribution")
    def update(self, call: Call, onward: Onward) -> Json:
        id, version = call.params["Id"], call.params.get("IfMatch")
        if not version:
            raise Refusal("InvalidIfMatchVersion", NO_VERSION, 400)
        known = self._moto().distributions.get(id)
        if known is not None and version != known.etag:
            raise Refusal("PreconditionFailed", OTHER_VERSION, 412)
        return self._written(onward(), id)

    def _written(self, answer: Json, id: str) -> Json:
        self._changed[id], self._versions[id] = self.ground.now(), self._versions.get(id, 0) + 1
        self._moto().distributions[id].etag = f"E{self._versions[id]}{id[-11:]}"
        return self._told(answer)

    @answers("GetDistribution")
    def get(self, call: Call, onward: Onward) -> Json:
        return self._told(onward())

    def _told(self, answer: Json) -> Json:
        said = answer["Distribution"]
        said["Status"], said["LastModifiedTime"] = self._status(said["Id"]), self._changed.get(said["Id"], self.ground.now())
        return answer | {"ETag": self._moto().distributions[said["Id"]].etag}

    def _status(self, id: str) -> str:
        since = self._changed.get(id)
        return "Deployed" if since is None or self.ground.past(since, DEPLOY_S) else "InProgress"

    @answers("ListDistributions")
    def list_distributions(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        for each in answer["DistributionList"].get("Items", []):
            each["Status"] = self._status(each["Id"])
        return answer

    @answers("CreateInvalidation")
    def invalidate(self, call: Call, onward: Onward) -> Json:
        """The same reference is the same invalidation."""
        batch, distribution = call.params["InvalidationBatch"], call.params["DistributionId"]
        known = self._moto().invalidations.get(distribution, [])
        old = next((each for each in known if each.caller_ref == batch["CallerReference"]), None)
        if old is None:
            answer = onward()
            self._emptied[answer["Invalidation"]["Id"]] = self.ground.now()
            return answer | {"Invalidation": self._invalidation(answer["Invalidation"])}
        if sorted(old.paths) != sorted(batch["Paths"].get("Items", [])):
            raise Refusal("InvalidArgument", OTHER_PATHS, 400)
        said = {"Id": old.id, "InvalidationBatch": old.invalidation_batch}
        return {"Location": old.location, "Invalidation": self._invalidation(said)}

    @answers("GetInvalidation")
    def get_invalidation(self, call: Call, onward: Onward) -> Json:
        return {"Invalidation": self._invalidation(onward()["Invalidation"])}

    @answers("ListInvalidations")
    def list_invalidations(self, call: Call, onward: Onward) -> Json:
        """Newest first."""
        answer = onward()
        listed = answer["InvalidationList"]
        items = sorted(map(self._invalidation, listed.get("Items", [])), key=lambda each: each["CreateTime"], reverse=True)
        return {"InvalidationList": listed | {"Items": items, "Quantity": len(items)}}

    def _invalidation(self, said: Json) -> Json:
        since = self._emptied[said["Id"]]
        status = "Completed" if self.ground.past(since, EMPTY_S) else "InProgress"
        return said | {"CreateTime": since, "Status": status}

    def _moto(self) -> Any:
        return self.ground.resources.backend("cloudfront", "aws")
