"""Datadog monitors through a webhook with our own payload; the credential, not the body, decides the organisation."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from bot.decoding import decode, instant, mapping, pairs, text, web_link
from bot.signals import (
    CRITICAL,
    HIGH,
    INFO,
    MAX_LABEL,
    MAX_NAME,
    MAX_SUMMARY,
    MAX_TITLE,
    WARNING,
    clip,
    happened,
    service_in,
    severity_of,
)
from bot.sources import (
    FIRING,
    NO_DATA,
    RECOVERED,
    Delivery,
    Document,
    Signal,
    Source,
    Trust,
    Unreadable,
    check_secret,
    check_size,
    observer_of,
)

HEADER = "x-vigie-secret"

# What to paste into Datadog's webhook integration; free text comes last, where a stray quote does the least harm.
WEBHOOK_TEMPLATE = """{
 "id": "$ID",
 "alert_id": "$ALERT_ID",
 "alert_cycle_key": "$ALERT_CYCLE_KEY",
 "aggreg_key": "$AGGREG_KEY",
 "transition": "$ALERT_TRANSITION",
 "alert_type": "$ALERT_TYPE",
 "alert_status": "$ALERT_STATUS",
 "scope": "$ALERT_SCOPE",
 "tags": "$TAGS",
 "priority": "$PRIORITY",
 "alert_priority": "$ALERT_PRIORITY",
 "event_type": "$EVENT_TYPE",
 "title": "$EVENT_TITLE",
 "link": "$LINK",
 "snapshot": "$SNAPSHOT",
 "date": "$DATE",
 "last_updated": "$LAST_UPDATED",
 "org_id": "$ORG_ID",
 "org_name": "$ORG_NAME",
 "metric": "$ALERT_METRIC",
 "query": "$ALERT_QUERY",
 "text": "$TEXT_ONLY_MSG"
}"""

NOT_AN_OBJECT = "A Datadog webhook was expected: a JSON object as in the template that `vigie check` prints."
NO_MONITOR = "The webhook names no monitor (alert_id); use the payload template that `vigie check` prints."
NO_STATE = "The webhook does not say what happened (transition '{said}'); use the template that `vigie check` prints."

_STATES = {
    "triggered": FIRING, "re-triggered": FIRING, "warn": FIRING, "re-warn": FIRING, "renotify": FIRING,
    "no data": NO_DATA, "re-no data": NO_DATA, "recovered": RECOVERED,
}
_TYPES = {"error": FIRING, "warning": FIRING, "success": RECOVERED}
_PRIORITIES = {"P1": CRITICAL, "P2": HIGH, "P3": WARNING, "P4": INFO, "P5": INFO}
_TYPE_SEVERITIES = {"error": HIGH, "warning": WARNING, "success": INFO, "info": INFO}
_ABSENT = re.compile(r"|null|None|\$[A-Z_]+(?:\[.*\])?")
_PREFIX = re.compile(
    r"^(?:\[(?P<priority>P[1-5])\]\s*)?(?:\[(?P<what>[A-Z][\w -]*?)(?: on \{(?P<scope>[^}]*)\})?\]\s*)?"
)
_MONITOR_LINK = re.compile(r"/monitors/(?P<id>\d+)(?:\?group=(?P<scope>[^&)\s]+))?")
_NOISE = re.compile(r"%%%|@(?:webhook|slack|pagerduty|opsgenie|team|sns)-\S+|^- - -$|^\[\[.*\)\].*$", re.MULTILINE)


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    """Datadog signs nothing: the secret header is all there is."""
    check_size(delivery)
    check_secret(delivery, trust, delivery.headers.get(HEADER, ""), HEADER)
    found = decode(delivery.body, delivery.headers)
    return replace(found, delivery_id=_first(mapping(found.content), "id") or None)


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    if not isinstance(content, dict):
        raise Unreadable(NOT_AN_OBJECT)
    title = _first(content, "title", "event_title", "alert_title")
    heading = _PREFIX.match(title)
    said = heading.groupdict() if heading else {}
    monitor, scope = _monitor(content, said.get("scope") or "")
    name = title[heading.end():] if heading and title[heading.end():] else title or f"monitor {monitor}"
    tags = _tags(content.get("tags"))
    labels = _labels(content, tags, monitor, scope)
    return [
        Signal(
            key=f"datadog:{monitor}:{_problem(scope)}",
            state=_state(content, said.get("what") or ""),
            severity=_severity(content, said.get("priority") or ""),
            name=name,
            title=clip(_title(name, scope), MAX_TITLE),
            observer=_observer(tags, delivery),
            at=happened(_time(content), delivery.received_at),
            summary=_summary(content),
            service=service_in(labels),
            labels=labels,
            link=web_link(content.get("link")) or web_link(content.get("url")),
        )
    ]


def _first(content: Mapping[str, Any], *keys: str) -> str:
    """The first of these that is there; Datadog leaves unknown variables as they stand, or empty, or writes null."""
    found = (text(content.get(key)) for key in keys)
    return next((value for value in found if not _ABSENT.fullmatch(value)), "")


def _monitor(content: Mapping[str, Any], heading_scope: str) -> tuple[str, str]:
    """The monitor and the group of it; a payload without our keys may still link to both in its text."""
    linked = _MONITOR_LINK.search(_first(content, "text", "body", "event_msg"))
    monitor = _first(content, "alert_id", "monitor_id") or (linked["id"] if linked else "")
    if not monitor:
        raise Unreadable(NO_MONITOR)
    linked_scope = unquote_plus(linked["scope"] or "") if linked else ""
    return monitor, _first(content, "scope", "scopes", "alert_scope") or heading_scope or linked_scope


def _title(name: str, scope: str) -> str:
    """The monitor's name and what tells this group of it apart; service and observer are shown anyway."""
    parts = (part.strip() for part in scope.split(","))
    told = ", ".join(part for part in parts if part not in ("", "*") and not part.startswith(("service:", "probe:")))
    return f"{name} ({told})" if told else name


def _problem(scope: str) -> str:
    """The scope whatever its order, without the probe: two probes of one monitor look at the same problem."""
    parts = (part.strip() for part in scope.split(","))
    return ",".join(sorted(part for part in parts if part and not part.startswith("probe:")))


def _state(content: Mapping[str, Any], heading: str) -> str:
    said = _first(content, "transition", "alert_transition") or heading
    state = _STATES.get(said.lower()) or _TYPES.get(_first(content, "alert_type").lower())
    if state is None:
        raise Unreadable(NO_STATE.format(said=said))
    return state


def _severity(content: Mapping[str, Any], heading: str) -> str:
    """The monitor's own priority; $PRIORITY is the event's, and always normal or low."""
    given = _first(content, "alert_priority", "severity") or heading
    kind = _first(content, "alert_type").lower()
    warned = "warn" in _first(content, "transition", "alert_transition").lower()
    by_kind = WARNING if warned else _TYPE_SEVERITIES.get(kind, WARNING)
    return _PRIORITIES.get(f"P{given.upper().removeprefix('P')}") or severity_of(given) or by_kind


def _time(content: Mapping[str, Any]) -> Any:
    return instant(_first(content, "last_updated")) or instant(_first(content, "date"))


def _tags(value: Any) -> dict[str, str]:
    """`env:prod,monitor`, a list of the same, or an object; a tag without a value is only a word."""
    if isinstance(value, dict):
        return pairs(value)
    written = value if isinstance(value, list) else text(value).split(",")
    parts = (text(each).partition(":") for each in written)
    return {name.strip(): worth.strip() for name, colon, worth in parts if colon and name.strip()}


def _observer(tags: Mapping[str, str], delivery: Delivery) -> str:
    probe = tags.get("probe", "")
    return clip(probe.title(), MAX_NAME) if probe else observer_of(delivery, delivery.endpoint_name)


def _summary(content: Mapping[str, Any]) -> str:
    written = _NOISE.sub("", _first(content, "text", "body", "event_msg"))
    lines = (line.strip() for line in (_first(content, "alert_status"), *written.splitlines()))
    return clip("\n".join(dict.fromkeys(line for line in lines if line)), MAX_SUMMARY)


def _labels(content: Mapping[str, Any], tags: Mapping[str, str], monitor: str, scope: str) -> dict[str, str]:
    named = {"metric": ("metric",), "query": ("query", "alert_query"), "event_type": ("event_type",)}
    facts = dict(tags) | _tags(scope) | {"monitor": monitor, "scope": scope}
    facts |= {name: _first(content, *keys) for name, keys in named.items()}
    return {name: clip(value, MAX_LABEL) for name, value in facts.items() if value}


datadog = Source(
    name="datadog",
    help="Datadog monitors by webhook, with the payload template that `vigie check` prints; header X-Vigie-Secret",
    authenticate=authenticate,
    read=read,
    example={
        "id": "7879702138782271851",
        "alert_id": "160076582",
        "alert_cycle_key": "18093848202388204824",
        "aggreg_key": "9bd4ac313a4d1e8fae2482df7b77628",
        "transition": "Triggered",
        "alert_type": "error",
        "alert_status": "p95 of http.response_time over service:pay-api was > 2.0 during the last 5m",
        "scope": "service:pay-api",
        "tags": "env:prod,monitor,probe:bridge-1,service:pay-api",
        "priority": "normal",
        "alert_priority": "P2",
        "event_type": "query_alert_monitor",
        "title": "[P2] [Triggered on {service:pay-api}] pay-api answers slowly",
        "link": "https://app.datadoghq.eu/event/event?id=7879702138782271851",
        "snapshot": "null",
        "date": "1795310045000",
        "last_updated": "1795310045000",
        "org_id": "11023",
        "org_name": "bridge",
        "metric": "http.response_time",
        "query": "avg(last_5m):p95:http.response_time{env:prod} by {service} > 2",
        "text": "Look at the load balancer first.",
    },
)
