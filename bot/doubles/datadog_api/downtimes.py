"""Downtimes (API v2): they begin, end, are cancelled, and mute what they match meanwhile."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from bot.doubles.datadog_api.wire import BAD_REQUEST, Call, Operation, Refusal, Reply, instant, iso
from bot.ports import Clock

KIND = "downtime"
USER = "3ad549bf-eba0-11e9-a77a-0705486660d0"
KNOWN = frozenset({
    "scope", "message", "monitor_identifier", "schedule", "display_timezone", "mute_first_recovery_notification",
    "notify_end_states", "notify_end_types",
})
NOT_FOUND = "Downtime not found"
NOT_FOUND_TO_CANCEL = "Downtime {id} not found"
NO_UUID = "Invalid URL param: downtime_id must be an uuid"
NO_KEY = "All values must have a key"
UNEXPECTED = "Additional properties are not allowed ('{name}' was unexpected)"
ENDS_EARLY = "The end of the schedule must be after its start and in the future"
NO_RECURRENCE = "this double knows no recurring downtimes"
NO_IDENTIFIER = "monitor_identifier must have a monitor_id or monitor_tags"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Downtime:
    """One downtime: of one monitor, or of all that have the tags."""

    id: str
    scope: str
    monitor_id: int | None
    monitor_tags: tuple[str, ...]
    message: str | None
    start: datetime
    end: datetime | None
    created: datetime
    modified: datetime
    canceled: datetime | None = None

    def status(self, now: datetime) -> str:
        if self.canceled:
            return "canceled"
        if now < self.start:
            return "scheduled"
        return "ended" if self.end and now >= self.end else "active"

    def covers(self, monitor_id: int, tags: Collection[str], group: Collection[str]) -> bool:
        """Whether it is about this monitor, and this group of it."""
        about = self.monitor_id == monitor_id if self.monitor_id else set(self.monitor_tags) <= {*tags, "*"}
        return about and set(scope_terms(self.scope)) <= {*tags, *group, "*"}

    def shown(self, now: datetime) -> dict[str, Any]:
        identifier = {"monitor_id": self.monitor_id} if self.monitor_id else {"monitor_tags": list(self.monitor_tags)}
        return {
            "id": self.id,
            "type": KIND,
            "attributes": {
                "canceled": iso(self.canceled), "created": iso(self.created), "modified": iso(self.modified),
                "display_timezone": "UTC", "message": self.message, "monitor_identifier": identifier,
                "mute_first_recovery_notification": False, "notify_end_states": ["alert", "no data", "warn"],
                "notify_end_types": ["expired"], "schedule": {"start": iso(self.start), "end": iso(self.end)},
                "scope": self.scope, "status": self.status(now),
            },
        }


class Downtimes:
    """All downtimes of an account, by id."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.by_id: dict[str, Downtime] = {}

    def active(self, monitor_id: int, tags: Collection[str], group: Collection[str] = ()) -> list[Downtime]:
        """Those that mute this monitor, or this group of it, now."""
        now = self.clock.now()
        found = (each for each in self.by_id.values() if each.status(now) == "active")
        return [each for each in found if each.covers(monitor_id, tags, group)]

    def operations(self) -> list[Operation]:
        one = "/api/v2/downtime/{downtime_id}"
        return [
            Operation("create_downtime", "POST", "/api/v2/downtime", self.create),
            Operation("list_downtimes", "GET", "/api/v2/downtime", self.all_of),
            Operation("get_downtime", "GET", one, self.get),
            Operation("update_downtime", "PATCH", one, self.update),
            Operation("cancel_downtime", "DELETE", one, self.cancel),
        ]

    def create(self, call: Call) -> Reply:
        given, now = known(call.attributes(KIND)), self.clock.now()
        monitor_id, tags = identified(given.get("monitor_identifier"))
        start, end = self.period(given.get("schedule") or {}, now)
        number = len(self.by_id) + 1
        made = Downtime(
            str(UUID(int=number, version=4)), scoped(given.get("scope")), monitor_id, tags, given.get("message"),
            start, end, created=now, modified=now,
        )
        self.by_id[made.id] = made
        return Reply({"data": self.related(made)})

    def all_of(self, call: Call) -> Reply:
        now, offset = self.clock.now(), call.number("page[offset]", 0, 0, 10**9)
        limit = call.number("page[limit]", 30, 1, 1000)
        only_active = call.query.get("current_only") == "true"
        found = [each for each in self.by_id.values() if not only_active or each.status(now) == "active"]
        shown = [each.shown(now) for each in found[offset: offset + limit]]
        return Reply({"data": shown, "meta": {"page": {"total_filtered_count": len(found)}}})

    def get(self, call: Call) -> Reply:
        return Reply({"data": self.related(self.found(call))})

    def update(self, call: Call) -> Reply:
        downtime, given, now = self.found(call), known(call.attributes(KIND)), self.clock.now()
        if "schedule" in given:
            downtime.start, downtime.end = self.period({"start": iso(downtime.start)} | (given["schedule"] or {}), now)
        if "monitor_identifier" in given:
            downtime.monitor_id, downtime.monitor_tags = identified(given["monitor_identifier"])
        downtime.scope = scoped(given.get("scope", downtime.scope))
        downtime.message = given.get("message", downtime.message)
        downtime.modified = now
        return Reply({"data": self.related(downtime)})

    def cancel(self, call: Call) -> Reply:
        """Safe to repeat: Datadog says 204 a second time, too."""
        downtime = self.found(call, NOT_FOUND_TO_CANCEL)
        downtime.canceled = downtime.canceled or self.clock.now()
        return Reply(status=204, media="text/html; charset=utf-8")

    def found(self, call: Call, missing: str = NOT_FOUND) -> Downtime:
        downtime_id = call.path["downtime_id"]
        if not _UUID.fullmatch(downtime_id):
            raise Refusal(400, NO_UUID)
        if downtime_id not in self.by_id:
            raise Refusal(404, missing.format(id=downtime_id))
        return self.by_id[downtime_id]

    def related(self, downtime: Downtime) -> dict[str, Any]:
        monitor = {"id": str(downtime.monitor_id), "type": "monitors"} if downtime.monitor_id else None
        more = {"monitor": {"data": monitor}, "created_by": {"data": {"id": USER, "type": "users"}}}
        return downtime.shown(self.clock.now()) | {"relationships": more}

    def period(self, schedule: Any, now: datetime) -> tuple[datetime, datetime | None]:
        if not isinstance(schedule, dict) or "recurrences" in schedule:
            raise Refusal(400, NO_RECURRENCE)
        start = instant(schedule["start"], now) if schedule.get("start") else now
        end = instant(schedule["end"], now) if schedule.get("end") else None
        if end and end <= max(start, now):
            raise Refusal(400, ENDS_EARLY)
        return start, end


def known(given: dict[str, Any]) -> dict[str, Any]:
    for name in given.keys() - KNOWN:
        raise Refusal(400, UNEXPECTED.format(name=name))
    return given


def identified(identifier: Any) -> tuple[int | None, tuple[str, ...]]:
    match identifier:
        case {"monitor_id": int(number)}:
            return number, ()
        case {"monitor_tags": [str(), *_] as tags}:
            return None, tuple(tags)
    raise Refusal(400, NO_IDENTIFIER)


def scoped(scope: Any) -> str:
    if not isinstance(scope, str) or not scope.strip():
        raise Refusal(400, BAD_REQUEST)
    if any(term != "*" and ":" not in term for term in scope_terms(scope)):
        raise Refusal(400, NO_KEY)
    return scope


def scope_terms(scope: str) -> list[str]:
    return [term.replace('"', "") for term in re.split(r"\s+AND\s+|,\s*|\s+", scope.strip()) if term]
