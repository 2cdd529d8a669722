"""Monitors (API v1): their states, and those of their groups, are set from Python."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from bot.doubles.datadog_api.downtimes import Downtimes
from bot.doubles.datadog_api.queries import Term, fields_of, matches, parse
from bot.doubles.datadog_api.wire import Call, Operation, Refusal, Reply, iso, millis
from bot.ports import Clock

State = Literal["OK", "Warn", "Alert", "No Data", "Unknown", "Ignored", "Skipped"]
WORST_FIRST: tuple[State, ...] = ("Alert", "Warn", "No Data", "Unknown", "OK", "Skipped", "Ignored")
GROUP_STATES = frozenset({"all", "alert", "warn", "no data"})
FIRST_ID = 42_000_001
NOT_FOUND = "Monitor not found"
BAD_GROUP_STATES = "Invalid group_state filters."
BAD_STATUS = "Query parsing error: '{value}' is not a valid monitor status"
NO_MONITOR = "there is no monitor {which!r} in this account"


@dataclass(slots=True)
class Moved:
    """A state and since when."""

    state: State
    since: datetime


@dataclass(slots=True)
class Monitor:
    """One monitor; with groups, the worst of them is its own state."""

    id: int
    name: str
    tags: tuple[str, ...]
    query: str
    type: str
    message: str
    made: datetime
    own: Moved
    groups: dict[str, Moved] = field(default_factory=dict)

    @property
    def state(self) -> State:
        return min((each.state for each in self.groups.values()), key=WORST_FIRST.index, default=self.own.state)

    @property
    def since(self) -> datetime:
        return max((each.since for each in self.groups.values()), default=self.own.since)


class Monitors:
    """All monitors of an account, by id; the downtimes tell which are muted."""

    def __init__(self, clock: Clock, downtimes: Downtimes) -> None:
        self.clock, self.downtimes = clock, downtimes
        self.by_id: dict[int, Monitor] = {}

    def add(self, name: str, *, tags: Sequence[str] = (), groups: Sequence[str] = (), state: State = "OK",
            query: str = "avg(last_5m):p95:http.response_time{*} > 2", kind: str = "query alert", message: str = "") -> Monitor:
        """A new monitor; a group is written as Datadog does: `probe:bridge-1` or `host:a,service:pay-api`."""
        now = self.clock.now()
        made = Monitor(FIRST_ID + len(self.by_id), name, tuple(tags), query, kind, message, now, Moved(state, now),
                       {group: Moved(state, now) for group in groups})
        self.by_id[made.id] = made
        return made

    def set(self, which: int | str, state: State, group: str | None = None) -> Monitor:
        """Moves a monitor, by id or name: one group of it, or all."""
        monitor = self.named(which)
        moved = Moved(state, self.clock.now())
        if group is not None:
            monitor.groups[group] = moved
            return monitor
        monitor.own = moved
        monitor.groups = dict.fromkeys(monitor.groups, moved)
        return monitor

    def named(self, which: int | str) -> Monitor:
        for each in self.by_id.values():
            if which in (each.id, each.name):
                return each
        raise LookupError(NO_MONITOR.format(which=which))

    def muted(self, which: int | str, group: str = "") -> bool:
        """Whether a downtime mutes it, or this group of it, now."""
        monitor = self.named(which)
        return bool(self.downtimes.active(monitor.id, monitor.tags, group.split(",")))

    def operations(self) -> list[Operation]:
        return [
            Operation("list_monitors", "GET", "/api/v1/monitor", self.all_of),
            Operation("search_monitors", "GET", "/api/v1/monitor/search", self.search),
            Operation("get_monitor", "GET", "/api/v1/monitor/{monitor_id:int}", self.get),
        ]

    def get(self, call: Call) -> Reply:
        monitor = self.by_id.get(call.path["monitor_id"])
        if monitor is None:
            raise Refusal(404, NOT_FOUND)
        return Reply(self.shown(monitor, call))

    def all_of(self, call: Call) -> Reply:
        _group_states(call)
        name, wanted = call.query.get("name", "").lower(), _words(call.query.get("monitor_tags"))
        scope = _words(call.query.get("tags"))
        found = [
            each for each in self.by_id.values()
            if name in each.name.lower() and wanted <= set(each.tags)
            and all(tag in each.query or any(tag in group.split(",") for group in each.groups) for tag in scope)
        ]
        if "page" in call.query or "page_size" in call.query:
            size, number = call.number("page_size", 100, 1, 1000), call.number("page", 0, 0, 10**6)
            found = found[number * size: (number + 1) * size]
        return Reply([self.shown(each, call) for each in found])

    def search(self, call: Call) -> Reply:
        terms = parse(call.query.get("query", ""))
        for term in terms:
            if term.field == "status" and term.value not in {each.lower() for each in get_args(State)}:
                raise Refusal(400, BAD_STATUS.format(value=term.value))
        found = [each for each in self.by_id.values() if self.is_found(each, terms)]
        size, number = call.number("per_page", 30, 1, 1000), call.number("page", 0, 0, 10**6)
        rows = [self.row(each) for each in found[number * size: (number + 1) * size]]
        told = {"total_count": len(found), "page_count": -(-len(found) // size), "page": number, "per_page": size}
        return Reply({"monitors": rows, "metadata": told, "counts": self.counts(found)})

    def is_found(self, monitor: Monitor, terms: Sequence[Term]) -> bool:
        fields = fields_of(monitor.tags) | {
            "status": {monitor.state.lower()}, "tag": {tag.lower() for tag in monitor.tags}, "id": {str(monitor.id)},
            "muted": {str(self.muted(monitor.id)).lower()}, "title": {monitor.name.lower()},
        }
        return matches(terms, fields, monitor.name)

    def shown(self, monitor: Monitor, call: Call) -> dict[str, Any]:
        shown = {
            "id": monitor.id, "org_id": 321813, "type": monitor.type, "name": monitor.name, "message": monitor.message,
            "tags": list(monitor.tags), "query": monitor.query, "priority": None, "multi": bool(monitor.groups),
            "options": {"include_tags": True, "notify_no_data": True, "silenced": self.silenced(monitor)},
            "created_at": millis(monitor.made), "created": iso(monitor.made), "modified": iso(monitor.made), "deleted": None,
            "restricted_roles": None, "overall_state": monitor.state, "overall_state_modified": iso(monitor.since),
            "creator": {"name": None, "handle": "vigie@example.com", "email": "vigie@example.com", "id": 1445416},
        }
        if wanted := _group_states(call):
            shown["state"] = {"groups": dict(_groups(monitor, wanted))}
        if call.query.get("with_downtimes") == "true":
            shown["matching_downtimes"] = self.matching(monitor)
        return shown

    def silenced(self, monitor: Monitor) -> dict[str, int | None]:
        active = self.downtimes.active(monitor.id, monitor.tags)
        return {each.scope: int(each.end.timestamp()) if each.end else None for each in active}

    def matching(self, monitor: Monitor) -> list[dict[str, Any]]:
        active = self.downtimes.active(monitor.id, monitor.tags, [tag for group in monitor.groups for tag in group.split(",")])
        return [
            {"id": number, "monitor_id": each.monitor_id, "scope": [each.scope], "start": int(each.start.timestamp()),
             "end": int(each.end.timestamp()) if each.end else None}
            for number, each in enumerate(active, 1)
        ]

    def row(self, monitor: Monitor) -> dict[str, Any]:
        return {
            "id": monitor.id, "name": monitor.name, "status": monitor.state, "type": monitor.type, "query": monitor.query,
            "tags": list(monitor.tags), "scopes": list(monitor.groups), "metrics": [], "notifications": [], "org_id": 321813,
            "classification": "metric", "last_triggered_ts": int(monitor.since.timestamp()),
            "creator": {"handle": "vigie@example.com", "name": "Vigie"},
        }

    def counts(self, found: Sequence[Monitor]) -> dict[str, Any]:
        return {
            "status": _counted(each.state for each in found), "type": _counted("metric" for _ in found),
            "muted": _counted(self.muted(each.id) for each in found),
            "tag": _counted(tag for each in found for tag in each.tags),
        }


def _group_states(call: Call) -> set[str]:
    wanted = _words(call.query.get("group_states"))
    if not wanted <= GROUP_STATES:
        raise Refusal(400, BAD_GROUP_STATES)
    return wanted


def _groups(monitor: Monitor, wanted: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, moved in monitor.groups.items():
        if "all" in wanted or moved.state.lower() in wanted:
            at = int(moved.since.timestamp())
            yield name, {"name": name, "status": moved.state, "last_triggered_ts": at if moved.state == "Alert" else 0,
                         "last_resolved_ts": at if moved.state == "OK" else 0, "last_notified_ts": at,
                         "last_nodata_ts": at if moved.state == "No Data" else 0}


def _words(text: str | None) -> set[str]:
    return {word.strip() for word in (text or "").split(",") if word.strip()}


def _counted(values: Iterator[Any]) -> list[dict[str, Any]]:
    return [{"name": name, "count": count} for name, count in Counter(values).most_common()]
