"""RDS: a reboot takes its time, a failover changes the zone and leaves events, a second one is refused meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.doubles.aws.script import Ground, Onward, Script, answers
from bot.doubles.aws.wire import Call, Json, Refusal

REBOOT_S = 30.0
FAILOVER_S = 70.0
ZONE_LAG_S = 15.0       # the API goes on naming the old zone so long after the failover
SNAPSHOT_S = 120.0

STARTED = "Multi-AZ instance failover started."
COMPLETED = "Multi-AZ instance failover completed"
RESTARTED = "DB instance restarted"
NOT_AVAILABLE = "Database instance is not in available state."
NOT_MULTI_AZ = "You can't force a failover of a DB instance that isn't Multi-AZ."


@dataclass
class Reboot:
    """A reboot under way: when it is over, and when the zone is told rightly."""

    back: datetime
    failover: bool
    swapped: datetime | None = None


class Rds(Script):
    """Databases of the home region, by identifier."""

    service = "rds"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.events: list[Json] = []
        self.stuck: set[str] = set()            # a reboot of these never ends
        self._reboots: dict[str, Reboot] = {}
        self._secondary: dict[str, str] = {}
        self._snapshots: dict[str, datetime] = {}

    def hold(self, identifier: str, status: str) -> None:
        """The database is in this state (backing-up, modifying, storage-full ...) until it is told otherwise."""
        self._moto().databases[identifier].status = status

    def settle(self) -> None:
        for identifier, reboot in list(self._reboots.items()):
            database = self._moto().databases.get(identifier)
            if database is None:
                del self._reboots[identifier]
            elif identifier not in self.stuck:
                self._move(identifier, database, reboot)

    def _move(self, identifier: str, database: Any, reboot: Reboot) -> None:
        now = self.ground.now()
        if database.status == "rebooting" and now >= reboot.back:
            database.status = "available"
            self._tell(identifier, RESTARTED, "availability", reboot.back)
            if reboot.failover:
                self._tell(identifier, COMPLETED, "failover", reboot.back)
        if reboot.failover and reboot.swapped and now >= reboot.swapped:
            old = database.availability_zone
            database.availability_zone, self._secondary[identifier] = self._standby(identifier, old), old
        if now >= (reboot.swapped or reboot.back):
            del self._reboots[identifier]

    def _tell(self, identifier: str, message: str, category: str, at: datetime) -> None:
        self.events.append({
            "SourceIdentifier": identifier, "SourceType": "db-instance", "Message": message, "EventCategories": [category],
            "Date": at, "SourceArn": self.ground.arn("rds", f"db:{identifier}"),
        })

    def _standby(self, identifier: str, zone: str) -> str:
        """The zone of the standby: the next letter, until a failover has changed it."""
        others = [f"{self.ground.region}{letter}" for letter in "abc" if not zone.endswith(letter)]
        return self._secondary.setdefault(identifier, others[0])

    @answers("RebootDBInstance")
    def reboot(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        identifier, failover = answer["DBInstance"]["DBInstanceIdentifier"], bool(call.params.get("ForceFailover"))
        database = self._moto().databases[identifier]
        if database.status != "available":
            raise Refusal("InvalidDBInstanceState", NOT_AVAILABLE)
        if failover and not database.multi_az:
            raise Refusal("InvalidParameterCombination", NOT_MULTI_AZ)
        back = self.ground.after(FAILOVER_S if failover else REBOOT_S)
        swapped = self.ground.after(FAILOVER_S + ZONE_LAG_S) if failover else None
        self._reboots[identifier] = Reboot(back, failover, swapped)
        database.status = "rebooting"
        if failover:
            self._tell(identifier, STARTED, "failover", self.ground.now())
        return {"DBInstance": self._told(answer["DBInstance"])}

    @answers("DescribeDBInstances")
    def describe(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        answer["DBInstances"] = [self._told(each) for each in answer["DBInstances"]]
        return answer

    def _told(self, said: Json) -> Json:
        identifier = said["DBInstanceIdentifier"]
        told = said | {"DBInstanceStatus": self._moto().databases[identifier].status}
        if said.get("MultiAZ"):
            told["SecondaryAvailabilityZone"] = self._standby(identifier, said["AvailabilityZone"])
        return told

    @answers("DescribeEvents")
    def describe_events(self, call: Call, onward: Onward) -> Json:
        return {"Events": list(self._events(call.params))}

    def _events(self, asked: Json) -> Iterator[Json]:
        """Of the last hour, where nothing else is asked for."""
        now = self.ground.now()
        since = now - timedelta(minutes=asked.get("Duration", 60))
        first, last = _aware(asked.get("StartTime"), since), _aware(asked.get("EndTime"), now)
        for event in self.events:
            named = asked.get("SourceIdentifier", event["SourceIdentifier"]) == event["SourceIdentifier"]
            if named and first <= event["Date"] <= last and asked.get("SourceType", "db-instance") == "db-instance":
                yield event

    @answers("CreateDBSnapshot")
    def snapshot(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        self._snapshots[answer["DBSnapshot"]["DBSnapshotIdentifier"]] = self.ground.now()
        return {"DBSnapshot": self._snapshot(answer["DBSnapshot"])}

    @answers("DescribeDBSnapshots")
    def describe_snapshots(self, call: Call, onward: Onward) -> Json:
        answer = onward()
        answer["DBSnapshots"] = [self._snapshot(each) for each in answer["DBSnapshots"]]
        return answer

    def _snapshot(self, said: Json) -> Json:
        since = self._snapshots.get(said["DBSnapshotIdentifier"])
        under_way = since is not None and not self.ground.past(since, SNAPSHOT_S)
        return said | ({"Status": "creating", "PercentProgress": 40} if under_way else {})

    def _moto(self) -> Any:
        return self.ground.resources.backend("rds", self.ground.region)


def _aware(given: datetime | None, otherwise: datetime) -> datetime:
    """Parameters come without a zone, in UTC."""
    return given.replace(tzinfo=otherwise.tzinfo) if given else otherwise
