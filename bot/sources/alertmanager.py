"""Prometheus Alertmanager (version 4), and Grafana unified alerting, which speaks the same; one signal an alert."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.decoding import decode, instant, mapping, pairs, text, web_link
from bot.signals import MAX_LABEL, MAX_NAME, MAX_SUMMARY, MAX_TITLE, WARNING, clip, happened, service_in, severity_of
from bot.sources import (
    FIRING,
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
    unreadable_signal,
)

HEADER = "Authorization: Bearer"
OBSERVER = "Alertmanager"
UNNAMED = "alert without a name"

NOT_AN_OBJECT = "A webhook of Alertmanager was expected: a JSON object with a list `alerts`."
NOT_AN_ALERT = "Alert {part} of the delivery is not an object with `status` and `labels`."
BAD_STATUS = "Alert {part} ({name}) says status '{status}'; firing or resolved was expected."

_STATES = {"firing": FIRING, "resolved": RECOVERED}


async def authenticate(delivery: Delivery, trust: Trust) -> Document:
    check_size(delivery)
    scheme, _, token = delivery.headers.get("authorization", "").partition(" ")
    check_secret(delivery, trust, token.strip() if scheme.lower() == "bearer" else "", HEADER)
    return decode(delivery.body, delivery.headers)


def read(content: Any, delivery: Delivery) -> Sequence[Signal]:
    alerts = mapping(content).get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable(NOT_AN_OBJECT)
    return _told_apart([_read_part(each, mapping(content), delivery, n) for n, each in enumerate(alerts, start=1)])


def _told_apart(signals: list[Signal]) -> list[Signal]:
    """Alerts with the same labels in one delivery would pass for one and the same."""
    firsts = {signal.part: n for n, signal in reversed(list(enumerate(signals)))}
    return [
        signal if firsts[signal.part] == n else replace(signal, part=f"{signal.part}-{n}")
        for n, signal in enumerate(signals)
    ]


def _read_part(alert: Any, whole: Mapping[str, Any], delivery: Delivery, number: int) -> Signal:
    """One alert; if it is unreadable the others still arrive."""
    try:
        return _signal(alert, whole, delivery, number)
    except Unreadable as fault:
        return unreadable_signal(delivery, str(fault), str(number))


def _signal(alert: Any, whole: Mapping[str, Any], delivery: Delivery, number: int) -> Signal:
    if not isinstance(alert, dict):
        raise Unreadable(NOT_AN_ALERT.format(part=number))
    labels = _merged("Labels", alert, whole)
    notes = _merged("Annotations", alert, whole)
    name = labels.get("alertname") or UNNAMED
    state = _STATES.get(text(alert.get("status")).lower())
    if state is None:
        raise Unreadable(BAD_STATUS.format(part=number, name=name, status=text(alert.get("status"))))
    print_ = text(alert.get("fingerprint")) or _hash(labels)
    return Signal(
        key=f"alertmanager:{print_}",
        state=state,
        severity=severity_of(labels.get("severity", "")) or severity_of(notes.get("severity", "")) or WARNING,
        name=name,
        title=clip(notes.get("summary") or notes.get("title") or _plain_title(name, labels), MAX_TITLE),
        observer=observer_of(delivery, OBSERVER),
        at=happened(_time(alert, state), delivery.received_at),
        summary=clip(notes.get("description") or notes.get("message") or "", MAX_SUMMARY),
        service=service_in(labels),
        labels={key: clip(value, MAX_LABEL) for key, value in labels.items() if value},
        link=web_link(alert.get("generatorURL")) or web_link(whole.get("externalURL")),
        part=clip(print_, MAX_NAME),
    )


def _merged(what: str, alert: Mapping[str, Any], whole: Mapping[str, Any]) -> dict[str, str]:
    """What is common to the delivery and the alert's own on top."""
    return pairs(whole.get(f"common{what}")) | pairs(alert.get(what.lower()))


def _plain_title(name: str, labels: Mapping[str, str]) -> str:
    return f"{name} ({labels['instance']})" if labels.get("instance") else name


def _time(alert: Mapping[str, Any], state: str) -> datetime | None:
    """The end of a resolved alert, the start of a firing one; an end in the year 1 means that there is none."""
    return instant(alert.get("endsAt" if state == RECOVERED else "startsAt"))


def _hash(labels: Mapping[str, str]) -> str:
    written = "\n".join(f"{key}={labels[key]}" for key in sorted(labels))
    return hashlib.sha256(written.encode()).hexdigest()[:16]


alertmanager = Source(
    name="alertmanager",
    help="Prometheus Alertmanager v4 and Grafana unified alerting; header Authorization: Bearer",
    authenticate=authenticate,
    read=read,
    example={
        "version": "4",
        "groupKey": "{}:{alertname=\"QueueTooOld\"}",
        "status": "firing",
        "receiver": "vigie",
        "externalURL": "https://alertmanager.bridge.example",
        "groupLabels": {"alertname": "QueueTooOld"},
        "commonLabels": {"alertname": "QueueTooOld", "severity": "critical"},
        "commonAnnotations": {},
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "QueueTooOld", "service": "batch-worker", "severity": "critical"},
                "annotations": {"summary": "The oldest job waits for 12 min", "description": "Aim: under 10 min."},
                "startsAt": "2026-11-22T01:14:05.432911368Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "https://prometheus.bridge.example/graph",
                "fingerprint": "a1bc48475b20e73d",
            }
        ],
    },
)
