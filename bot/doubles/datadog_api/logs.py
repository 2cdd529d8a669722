"""Logs (API v2): lines that are added from Python, found by search."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.doubles.datadog_api.queries import fields_of, matches, parse
from bot.doubles.datadog_api.wire import BAD_REQUEST, Call, Operation, Refusal, Reply, instant, iso, page
from bot.ports import Clock

MOST = 1000
TOO_MANY = "limit should be an integer between 1 and 1000"
LIMITS = range(1, MOST + 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    id: str
    at: datetime
    message: str
    service: str
    status: str
    host: str
    tags: tuple[str, ...]
    attributes: Mapping[str, Any]

    def fields(self) -> dict[str, set[str]]:
        named = {"service": {self.service.lower()}, "status": {self.status.lower()}, "host": {self.host.lower()}}
        measured = {f"@{name}".lower(): {str(value).lower()} for name, value in self.attributes.items()}
        return fields_of(self.tags) | named | measured

    def shown(self) -> dict[str, Any]:
        said = {
            "timestamp": iso(self.at), "message": self.message, "service": self.service, "status": self.status,
            "host": self.host, "tags": list(self.tags), "attributes": dict(self.attributes),
        }
        return {"id": self.id, "type": "log", "attributes": said}


class Logs:
    """All lines. `lag_s`: how late a line can be found; `unfinished`: searches end before they have seen all."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.all: list[Line] = []
        self.lag_s, self.unfinished = 0.0, False
        self.numbers = itertools.count(1)

    def add(self, message: str, *, service: str = "pay-api", status: str = "info", host: str = "i-0a1",
            tags: Sequence[str] = ("env:prod",), at: datetime | None = None, **attributes: Any) -> Line:
        """One more line, written now unless `at` says otherwise."""
        name = f"AQAAAY{next(self.numbers):018d}"
        line = Line(name, at or self.clock.now(), message, service, status, host, tuple(tags), attributes)
        self.all.append(line)
        return line

    def operations(self) -> list[Operation]:
        return [
            Operation("list_logs", "POST", "/api/v2/logs/events/search", self.search),
            Operation("list_logs_get", "GET", "/api/v2/logs/events", self.get),
        ]

    def search(self, call: Call) -> Reply:
        body = call.body if call.body is not None else {}
        if not isinstance(body, dict) or any(not isinstance(body.get(name, {}), dict) for name in ("filter", "page")):
            raise Refusal(400, BAD_REQUEST)
        asked, paging = body.get("filter", {}), body.get("page", {})
        return self.found(asked, body.get("sort"), paging.get("cursor"), paging.get("limit", 10))

    def get(self, call: Call) -> Reply:
        query = call.query
        asked = {name: query[f"filter[{name}]"] for name in ("query", "from", "to") if f"filter[{name}]" in query}
        return self.found(asked, query.get("sort"), query.get("page[cursor]"), call.number("page[limit]", 10, 1, MOST))

    def found(self, asked: Mapping[str, Any], sort: Any, cursor: str | None, limit: Any) -> Reply:
        if not isinstance(limit, int) or limit not in LIMITS:
            raise Refusal(400, TOO_MANY)
        now = self.clock.now()
        begin, end = instant(asked.get("from", "now-15m"), now), instant(asked.get("to", "now"), now)
        terms, known = parse(str(asked.get("query", "*"))), now - timedelta(seconds=self.lag_s)
        lines = [
            each for each in self.all
            if begin <= each.at <= end and each.at <= known and matches(terms, each.fields(), each.message)
        ]
        lines.sort(key=lambda each: (each.at, each.id), reverse=sort == "-timestamp")
        shown, after = page(lines, cursor, limit)
        meta: dict[str, Any] = {"elapsed": 12, "request_id": "pddv1", "status": "timeout" if self.unfinished else "done"}
        more = {"page": {"after": after}} if after else {}
        return Reply({"data": [each.shown() for each in shown], "meta": meta | more})
