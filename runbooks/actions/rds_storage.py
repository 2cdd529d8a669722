"""Storage of Amazon RDS: take a snapshot of an instance, give it more room."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any, ClassVar

from pydantic import Field

from runbooks.actions import Failed, Look, Outcome, Place, Service, State, World
from runbooks.actions.rds import USABLE, OfInstance, OnInstance, events, instance_of, must_be

GROWABLE = ("available", "storage-full")
OPTIMISING = timedelta(hours=6)         # AWS takes no second change of the storage in that time

OTHER_CHANGE = "a change of {instance} is pending already: {pending}"
JUST_GROWN = "the storage of {instance} was changed at {at:%H:%M} UTC: AWS takes no second change within 6 hours"
TOO_BIG = "{instance} has {was} GiB; {to} GiB would be more than the {at_most} GiB that this step may give it"
RESIZED = "{instance} has another size than when this was planned"
OTHERS_SNAPSHOT = "there is a snapshot {snapshot} already, of {owner}, not of {instance}"
SNAPSHOT = "would take the snapshot {snapshot} of {instance} ({size} GiB)"
GROW = "would grow the storage of {instance} from {was} to {to} GiB; it can never shrink again"
TAKEN = "the snapshot {snapshot} has begun"
THERE = "the snapshot {snapshot} is there already"
NO_SNAPSHOT = "there is no snapshot {snapshot}"
SNAPSHOT_IS, SO_FAR = "the snapshot {snapshot} is {status}", " ({percent} %)"
GROWING = "the storage of {instance} grows to {to} GiB"
HAS = "{instance} is {status} and has {size} GiB"


class Snapshot(OnInstance[OfInstance]):
    """Take a snapshot of an instance, named after the run and the step."""

    name = "aws.rds.snapshot"
    params = OfInstance
    changes = "one more snapshot, which costs storage; the instance goes on as it is"
    verified = "the snapshot is available"
    no_undo = "a snapshot harms nothing; whoever closes the case deletes it"
    reads = ("rds:DescribeDBInstances", "rds:DescribeDBSnapshots")
    writes = ("rds:CreateDBSnapshot", "rds:AddTagsToResource")
    poll_s = 30.0

    def resources(self, params: OfInstance, before: State, place: Place) -> Sequence[str]:
        return [place.arn("rds", f"db:{params.instance}"), place.arn("rds", f"snapshot:{before['snapshot']}")]

    def before(self, world: World, params: OfInstance) -> State:
        instance = instance_of(world, params)
        must_be(instance, USABLE)
        return {"snapshot": world.label, "size": instance["AllocatedStorage"]}

    def plan(self, params: OfInstance, before: State) -> str:
        return SNAPSHOT.format(snapshot=before["snapshot"], instance=params.instance, size=before["size"])

    def act(self, world: World, params: OfInstance, before: State) -> Outcome:
        rds, snapshot = world.aws("rds"), before["snapshot"]
        try:
            rds.create_db_snapshot(DBSnapshotIdentifier=snapshot, DBInstanceIdentifier=params.instance,
                                   Tags=[{"Key": "vigie", "Value": world.label}])
        except rds.exceptions.DBSnapshotAlreadyExistsFault:
            self._ours(world, params, snapshot)
            return Outcome(THERE.format(snapshot=snapshot), {"snapshot": snapshot})
        return Outcome(TAKEN.format(snapshot=snapshot), {"snapshot": snapshot})

    def look(self, world: World, params: OfInstance, before: State, outputs: State) -> Look:
        snapshot = before["snapshot"]
        found = self._ours(world, params, snapshot)
        if found is None:
            return Look("not seen", NO_SNAPSHOT.format(snapshot=snapshot))
        status, percent = found["Status"], found.get("PercentProgress", 0)
        said = SNAPSHOT_IS.format(snapshot=snapshot, status=status)
        said += SO_FAR.format(percent=percent) if status == "creating" else ""
        if status == "available":
            return Look("done", said, {"snapshot": snapshot, "arn": found["DBSnapshotArn"]})
        return Look("under way" if status == "creating" else "failed", said, {"snapshot": snapshot})

    def _ours(self, world: World, params: OfInstance, snapshot: str) -> Any:
        """The snapshot of that name, or None; raises Failed when it is another instance's."""
        rds = world.aws("rds")
        try:
            found = rds.describe_db_snapshots(DBSnapshotIdentifier=snapshot)["DBSnapshots"]
        except rds.exceptions.DBSnapshotNotFoundFault:
            return None
        owner = found[0]["DBInstanceIdentifier"]
        if owner != params.instance:
            raise Failed(OTHERS_SNAPSHOT.format(snapshot=snapshot, owner=owner, instance=params.instance))
        return found[0]


class Growth(OfInstance):
    percent: int = Field(20, description="By how much it grows, in percent of what it has", ge=10, le=100)
    at_most: int = Field(description="So many GiB may it have in the end", ge=20, le=65536)


class GrowStorage(OnInstance[Growth]):
    """Give an instance more storage, at once and without interruption."""

    name = "aws.rds.grow_storage"
    params = Growth
    example: ClassVar[State] = {"instance": "pay-db", "percent": 20, "at_most": 500}
    changes = "the allocated storage of the instance, for good"
    idempotent = False          # asked anew it would grow once more
    verified = "the instance is usable and has the new size"
    no_undo = "storage of RDS cannot shrink"
    writes = ("rds:ModifyDBInstance",)
    poll_s = 30.0
    settle_s = 180.0

    def before(self, world: World, params: Growth) -> State:
        instance = instance_of(world, params)
        must_be(instance, GROWABLE)
        if pending := instance.get("PendingModifiedValues"):
            raise Failed(OTHER_CHANGE.format(instance=params.instance, pending=", ".join(sorted(pending))), again=True)
        changed = [each for each in events(world, params, world.now - OPTIMISING) if "allocated storage" in each["Message"]]
        if changed:
            raise Failed(JUST_GROWN.format(instance=params.instance, at=changed[-1]["Date"]))
        was = instance["AllocatedStorage"]
        to = was + ceil(was * params.percent / 100)
        if to > params.at_most:
            raise Failed(TOO_BIG.format(instance=params.instance, was=was, to=to, at_most=params.at_most))
        return {"was": was, "to": to}

    def plan(self, params: Growth, before: State) -> str:
        return GROW.format(instance=params.instance, was=before["was"], to=before["to"])

    def act(self, world: World, params: Growth, before: State) -> Outcome:
        if self.before(world, params) != before:
            raise Failed(RESIZED.format(instance=params.instance))
        world.aws("rds").modify_db_instance(
            DBInstanceIdentifier=params.instance, AllocatedStorage=before["to"], ApplyImmediately=True)
        return Outcome(GROWING.format(instance=params.instance, to=before["to"]), {"size": before["to"]})

    def look(self, world: World, params: Growth, before: State, outputs: State) -> Look:
        instance = instance_of(world, params)
        status, size = instance["DBInstanceStatus"], instance["AllocatedStorage"]
        said = HAS.format(instance=params.instance, status=status, size=size)
        if size >= before["to"] and status in USABLE:
            return Look("done", said, {"size": size})
        pending = instance.get("PendingModifiedValues", {}).get("AllocatedStorage")
        known = pending == before["to"] or size >= before["to"] or status == "modifying"
        return Look("under way" if known else "not seen", said, {"size": size})


SERVICE = Service("aws.rds.storage", (Snapshot(), GrowStorage()))
