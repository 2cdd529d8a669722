"""Events: posted through v1 and v2, found through v2."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.doubles.datadog_api.queries import fields_of, matches, parse
from bot.doubles.datadog_api.wire import BAD_REQUEST, Call, Operation, Refusal, Reply, instant, iso, millis, page
from bot.ports import Clock

FIRST_ID = 6_327_818_702_635_911_000
OLDEST = timedelta(hours=18)
CATEGORIES = ("alert", "change")
TOO_OLD = "Event too far in the past"
BAD_CATEGORY = 'JSON validation failed at $.data.attributes.category: value must be one of: ["alert", "change"].'
LINK = "https://app.datadoghq.eu/event/event?id={id}"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream."""

    id: int
    at: datetime
    title: str
    text: str
    tags: tuple[str, ...]
    more: Mapping[str, Any]

    @property
    def uid(self) -> str:
        return f"AZsKLCxvAACr{zlib.crc32(str(self.id).encode()):08x}AA"

    def shown(self) -> dict[str, Any]:
        inner = {
            "title": self.title, "status": self.more.get("alert_type") or "info", "service": "undefined",
            "timestamp": millis(self.at), "priority": self.more.get("priority") or "normal",
            "evt": {"id": str(self.id), "type": "api", "source_id": 36},
        }
        if self.more.get("aggregation_key"):
            inner["aggregation_key"] = self.more["aggregation_key"]
        said = {"attributes": inner, "message": self.text, "tags": list(self.tags), "timestamp": iso(self.at)}
        return {"id": self.uid, "type": "event", "attributes": said}


class Events:
    """All events. `lag_s`: how late an event can be found after it was taken."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.all: list[Event] = []
        self.lag_s = 0.0

    def operations(self) -> list[Operation]:
        return [
            Operation("create_event_v1", "POST", "/api/v1/events", self.post_v1, only_api_key=True),
            Operation("create_event", "POST", "/api/v2/events", self.post_v2, only_api_key=True),
            Operation("list_events", "GET", "/api/v2/events", self.all_of),
        ]

    def post_v1(self, call: Call) -> Reply:
        given = call.body if isinstance(call.body, dict) else {}
        if not isinstance(given.get("title"), str) or not isinstance(given.get("text"), str):
            raise Refusal(400, BAD_REQUEST)
        event = self.keep(given["title"], given["text"], given)
        shown = {
            "id": event.id, "id_str": str(event.id), "title": event.title, "text": event.text, "tags": list(event.tags),
            "date_happened": int(event.at.timestamp()), "handle": None, "priority": given.get("priority"),
            "related_event_id": None, "url": LINK.format(id=event.id),
        }
        return Reply({"status": "ok", "event": shown}, 202)

    def post_v2(self, call: Call) -> Reply:
        given = call.attributes("event")
        if given.get("category") not in CATEGORIES:
            raise Refusal(400, BAD_CATEGORY)
        if not isinstance(given.get("title"), str) or not isinstance(given.get("attributes"), dict):
            raise Refusal(400, BAD_REQUEST)
        event = self.keep(given["title"], str(given.get("message", "")), given)
        shown = {"attributes": {"attributes": {"evt": {"id": str(event.id), "uid": event.uid}}}, "type": "event"}
        return Reply({"data": shown, "links": {"self": LINK.format(id=event.id)}}, 202)

    def keep(self, title: str, text: str, more: Mapping[str, Any]) -> Event:
        now = self.clock.now()
        at = datetime.fromtimestamp(more["date_happened"], UTC) if isinstance(more.get("date_happened"), int) else now
        if at < now - OLDEST:
            raise Refusal(400, TOO_OLD)
        event = Event(FIRST_ID + len(self.all), at, title, text, tuple(more.get("tags") or ()), more)
        self.all.append(event)
        return event

    def all_of(self, call: Call) -> Reply:
        now, query = self.clock.now(), call.query
        begin, end = instant(query.get("filter[from]", "now-15m"), now), instant(query.get("filter[to]", "now"), now)
        terms, known = parse(query.get("filter[query]", "*")), now - timedelta(seconds=self.lag_s)
        found = [
            each for each in self.all
            if begin <= each.at <= end and each.at <= known
            and matches(terms, fields_of(each.tags), f"{each.title} {each.text}")
        ]
        found.sort(key=lambda each: (each.at, each.id), reverse=query.get("sort", "-timestamp").startswith("-"))
        shown, after = page(found, query.get("page[cursor]"), call.number("page[limit]", 10, 1, 1000))
        more = {"meta": {"page": {"after": after}}} if after else {}
        return Reply({"data": [each.shown() for each in shown], **more})
