"""Amazon RDS: fail a Multi-AZ instance over, see how an instance stands."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from pydantic import Field

from runbooks.actions import MOST_SAID, Action, Failed, Look, Outcome, Params, Place, Service, State, World

COOL_DOWN = timedelta(minutes=15)       # between two failovers
SKEW = timedelta(minutes=5)             # how far AWS's clock may be from ours; much less than the cool-down
FREE_FOR = timedelta(minutes=15)        # the newest figure of free storage is not older than that
GIB = 1024 ** 3
USABLE = ("available", "storage-optimization")
DEAD = ("failed", "incompatible-network", "incompatible-option-group", "incompatible-parameters", "incompatible-restore",
        "inaccessible-encryption-credentials", "storage-full", "deleting", "stopped")

NOT_MULTI_AZ = "{instance} is not Multi-AZ: there is nothing to fail over to"
IN_CLUSTER = "{instance} belongs to the cluster {cluster}: fail the cluster over, not one instance of it"
NOT_AVAILABLE = "{instance} is {status}, it must be available"
NO_SECONDARY = "AWS does not say in which zone the standby of {instance} is: it cannot be failed over safely now"
JUST_FAILED_OVER = "{instance} failed over at {at:%H:%M} UTC: no second failover within {minutes} minutes"
MOVED = "{instance} has changed since: it ran in {was} with its standby in {secondary}, now {now} and {standby}"

FAIL_OVER = ("would fail {instance} over from {was} to {to}: every connection drops, "
             "1 to 2 minutes without the database, longer with big transactions")
READ = "would read how {instance} stands"

REBOOTING = "{instance} goes over to {to}"
RUNS_IN = "{instance} is {status} in {zone}"
FAILED_OVER = "{instance} runs in {zone} now, the failover is complete"
NO_FAILOVER = "{instance} is {status} in {zone}, and RDS tells of no failover since"
NOT_TRIED = "RDS refused to fail over: {why}"
STANDS = "{instance} is {status} in {zone}, {multi}, {free} of {size} GiB free"
FREE_UNKNOWN = "nobody knows how much"


class OfInstance(Params):
    """A database instance."""

    instance: str = Field(description="Identifier of the database instance", pattern=r"^[A-Za-z][A-Za-z0-9-]{0,62}$")


D = TypeVar("D", bound=OfInstance)


class OnInstance(Action[D]):
    """What all of them share: the instance they are about."""

    example: ClassVar[State] = {"instance": "pay-db"}
    reads: ClassVar[tuple[str, ...]] = ("rds:DescribeDBInstances", "rds:DescribeEvents")
    poll_s = 10.0

    def target(self, params: D) -> str:
        return f"rds:{params.instance}"

    def resources(self, params: D, before: State, place: Place) -> Sequence[str]:
        return [place.arn("rds", f"db:{params.instance}")] if self.writes else []


def instance_of(world: World, params: OfInstance) -> Any:
    return world.aws("rds").describe_db_instances(DBInstanceIdentifier=params.instance)["DBInstances"][0]


def must_be(instance: Any, statuses: Sequence[str] = ("available",)) -> None:
    if instance["DBInstanceStatus"] not in statuses:
        said = NOT_AVAILABLE.format(instance=instance["DBInstanceIdentifier"], status=instance["DBInstanceStatus"])
        raise Failed(said, again=instance["DBInstanceStatus"] not in DEAD)


def events(world: World, params: OfInstance, since: datetime) -> list[Any]:
    pages = world.aws("rds").get_paginator("describe_events").paginate(
        SourceIdentifier=params.instance, SourceType="db-instance", StartTime=since)
    return sorted((event for page in pages for event in page["Events"] if event["Date"] >= since), key=_date)


def _date(event: Any) -> Any:
    return event["Date"]


def _failovers(world: World, params: OfInstance, since: datetime) -> list[Any]:
    return [event for event in events(world, params, since) if "failover" in event["Message"].lower()]


class Failover(OnInstance[OfInstance]):
    """Reboot a Multi-AZ instance so that its standby in the other zone takes over."""

    name = "aws.rds.failover"
    params = OfInstance
    changes = "the zone in which the database runs; every connection drops"
    idempotent = False          # a second one flips back
    verified = "it is available in what was the standby's zone, and RDS tells that the failover is complete"
    no_undo = "failing back would be a second outage: run it once more, later and on purpose"
    writes = ("rds:RebootDBInstance",)
    settle_s = 180.0

    def before(self, world: World, params: OfInstance) -> State:
        instance = instance_of(world, params)
        if cluster := instance.get("DBClusterIdentifier"):
            raise Failed(IN_CLUSTER.format(instance=params.instance, cluster=cluster))
        if not instance["MultiAZ"]:
            raise Failed(NOT_MULTI_AZ.format(instance=params.instance))
        must_be(instance)
        if not instance.get("SecondaryAvailabilityZone"):
            raise Failed(NO_SECONDARY.format(instance=params.instance))
        if recent := _failovers(world, params, world.now - COOL_DOWN):
            minutes = int(COOL_DOWN.total_seconds() // 60)
            raise Failed(JUST_FAILED_OVER.format(instance=params.instance, at=recent[-1]["Date"], minutes=minutes))
        return {"zone": instance["AvailabilityZone"], "secondary": instance["SecondaryAvailabilityZone"],
                "at": world.now.isoformat()}

    def plan(self, params: OfInstance, before: State) -> str:
        return FAIL_OVER.format(instance=params.instance, was=before["zone"], to=before["secondary"])

    def act(self, world: World, params: OfInstance, before: State) -> Outcome:
        # All guards once more: minutes may have gone by, and AWS may have failed over by itself meanwhile.
        now = self.before(world, params)
        if (now["zone"], now["secondary"]) != (before["zone"], before["secondary"]):
            raise Failed(MOVED.format(instance=params.instance, was=before["zone"], secondary=before["secondary"],
                                      now=now["zone"], standby=now["secondary"]))
        world.aws("rds").reboot_db_instance(DBInstanceIdentifier=params.instance, ForceFailover=True)
        return Outcome(REBOOTING.format(instance=params.instance, to=before["secondary"]), {"zone": before["secondary"]})

    def look(self, world: World, params: OfInstance, before: State, outputs: State) -> Look:
        """The guard has seen no failover in the cool-down before, so that any event since `before` is of this one."""
        told = [event["Message"] for event in _failovers(world, params, datetime.fromisoformat(before["at"]) - SKEW)]
        instance = instance_of(world, params)
        status, zone = instance["DBInstanceStatus"], instance["AvailabilityZone"]
        seen, names = {"zone": zone}, {"instance": params.instance, "status": status, "zone": zone}
        if refused := [message for message in told if "not attempting" in message]:
            return Look("failed", NOT_TRIED.format(why=refused[-1])[:MOST_SAID], seen)
        if status in DEAD:
            return Look("failed", RUNS_IN.format(**names), seen)
        complete = any("complete" in message for message in told)
        if complete and status == "available" and zone == before["secondary"]:
            return Look("done", FAILED_OVER.format(**names), seen)
        if told or status == "rebooting" or zone != before["zone"]:
            return Look("under way", RUNS_IN.format(**names), seen)
        return Look("not seen", NO_FAILOVER.format(**names), seen)


class Standing(OfInstance):
    status: str = Field("available", description="What it must be; an available one may be optimising its storage")
    multi_az: bool | None = Field(None, description="Whether it must have a standby in another zone")
    zone: str | None = Field(None, description="The zone in which it must run")
    free_gib: float | None = Field(None, description="So many GiB of storage must be free at least", ge=0)


class InstanceState(OnInstance[Standing]):
    """See whether an instance is available, where it runs, and how much storage it has left."""

    name = "aws.rds.state"
    params = Standing
    verified = "status, standby, zone and free storage are as expected; an unknown free storage is not enough"
    reads = ("rds:DescribeDBInstances", "cloudwatch:GetMetricData")

    def plan(self, params: Standing, before: State) -> str:
        return READ.format(instance=params.instance)

    def act(self, world: World, params: Standing, before: State) -> Outcome:
        look = self.look(world, params, before, {})
        return Outcome(look.said, look.outputs)

    def look(self, world: World, params: Standing, before: State, outputs: State) -> Look:
        instance = instance_of(world, params)
        free = self._free_gib(world, params)
        seen = {"status": instance["DBInstanceStatus"], "zone": instance["AvailabilityZone"],
                "standby": instance.get("SecondaryAvailabilityZone"), "multi_az": instance["MultiAZ"],
                "size": instance["AllocatedStorage"], "free_gib": free}
        said = STANDS.format(
            instance=params.instance, status=seen["status"], zone=seen["zone"], size=seen["size"],
            multi="Multi-AZ" if seen["multi_az"] else "without standby", free=FREE_UNKNOWN if free is None else f"{free:.1f}")
        return Look("done" if self._as_expected(params, seen) else "under way", said, seen)

    def _as_expected(self, params: Standing, seen: State) -> bool:
        return (
            (seen["status"] == params.status or (params.status == "available" and seen["status"] in USABLE))
            and params.multi_az in (None, seen["multi_az"])
            and params.zone in (None, seen["zone"])
            and (params.free_gib is None or (seen["free_gib"] is not None and seen["free_gib"] >= params.free_gib))
        )

    def _free_gib(self, world: World, params: Standing) -> float | None:
        metric = {"Namespace": "AWS/RDS", "MetricName": "FreeStorageSpace",
                  "Dimensions": [{"Name": "DBInstanceIdentifier", "Value": params.instance}]}
        query = {"Id": "free", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}
        values = world.aws("cloudwatch").get_metric_data(
            MetricDataQueries=[query], StartTime=world.now - FREE_FOR, EndTime=world.now, ScanBy="TimestampDescending",
        )["MetricDataResults"][0]["Values"]
        return values[0] / GIB if values else None


SERVICE = Service("aws.rds", (Failover(), InstanceState()))
