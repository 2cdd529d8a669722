"""Datadog as a sender: webhooks as our payload template renders them."""

import hashlib
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALERT_TYPES = {"Recovered": "success", "Warn": "warning", "Re-Warn": "warning"}


def webhook(
    monitor: str, transition: str, at: datetime, *,
    service: str | None = None, probe: str | None = None, priority: str = "P2", scope: str | None = None,
    tags: dict[str, str] | None = None, monitor_id: str | None = None, status: str = "", text: str = "",
    metric: str = "http.response_time", organisation: str = "bridge",
) -> dict[str, str]:
    """One delivery; `monitor` is its name, `transition` Datadog's word: Triggered, Recovered, No Data, Warn ..."""
    group = scope if scope is not None else (f"service:{service}" if service else "*")
    known = {"env": "prod", "service": service, "probe": probe} | dict(tags or {})
    words = sorted(["monitor", *(f"{name}:{value}" for name, value in known.items() if value)])
    stamp = str((at - EPOCH) // timedelta(milliseconds=1))
    event = _number(monitor, group, str(probe), transition, stamp, organisation, digits=19)
    number = monitor_id or _number(monitor, organisation, digits=9)
    heading = f"{transition} on {{{group}}}" if group != "*" else transition
    return {
        "id": event,
        "alert_id": number,
        "alert_cycle_key": _number(monitor, group, organisation, digits=20),
        "aggreg_key": hashlib.sha256(f"{number}{group}".encode()).hexdigest()[:31],
        "transition": transition,
        "alert_type": ALERT_TYPES.get(transition, "error"),
        "alert_status": status,
        "scope": group,
        "tags": ",".join(words),
        "priority": "normal",
        "alert_priority": priority,
        "event_type": "query_alert_monitor",
        "title": f"[{priority}] [{heading}] {monitor}",
        "link": f"https://app.datadoghq.eu/event/event?id={event}",
        "snapshot": "null",
        "date": stamp,
        "last_updated": stamp,
        "org_id": _number(organisation, digits=5),
        "org_name": organisation,
        "metric": metric,
        "query": f"avg(last_5m):p95:{metric}{{env:prod}} by {{service}} > 2",
        "text": text,
    }


def _number(*of: str, digits: int) -> str:
    """A number that is always the same for the same words."""
    least = 10 ** (digits - 1)
    return str(int(hashlib.sha256("\n".join(of).encode()).hexdigest(), 16) % (9 * least) + least)
