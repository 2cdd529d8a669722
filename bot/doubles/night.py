"""An example night of the two companies: what the sources send and what people say, second by second."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.doubles import cloudwatch, datadog

PAYMENTS, ALERTS = "C0PAYMNT01", "C0ALERTS01"
LEA, OMAR = "U0LEA00001", "U0OMAR0001"


@dataclass(frozen=True, slots=True)
class Sent:
    """A source posts to an endpoint; `content` is a document, or text that is none."""

    at_s: float
    endpoint: str
    content: dict[str, Any] | str


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody types a line in a channel; `{alert}` in it is the alert whose card speaks of `about`."""

    at_s: float
    person: str
    channel: str
    line: str
    about: str


def night(start: datetime, speed: float) -> list[Sent | Said]:
    """All that happens, in order; the instants in it are those at which it is played (UTC)."""

    def at(second: float) -> datetime:
        return start + timedelta(seconds=second / speed)

    def alarm(second: float, name: str, state: str, service: str, **measured: Any) -> Sent:
        return Sent(second, "bridge-cloudwatch", cloudwatch.alarm(name, state, service, at(second), **measured))

    def probe(second: float, who: str, monitor: str, transition: str, service: str, **tags: Any) -> Sent:
        endpoint = f"{who.split('-')[0]}-datadog"
        content = datadog.webhook(
            monitor, transition, at(second), service=service, probe=who, organisation=who.split("-")[0], **tags
        )
        return Sent(second, endpoint, content)

    queue: dict[str, Any] = {
        "metric": "ApproximateAgeOfOldestMessage", "namespace": "AWS/SQS", "threshold": 600.0, "statistic": "MAXIMUM",
    }
    errors: dict[str, Any] = {
        "metric": "HTTPCode_Target_5XX_Count", "namespace": "AWS/ApplicationELB", "threshold": 50.0, "statistic": "SUM",
    }
    return [
        probe(0, "bridge-2", "Bank API answers slowly", "Warn", "bank-sync", priority="P3"),
        alarm(40, "batch-worker-queue-age", "ALARM", "batch-worker", value=742.0, **queue),
        alarm(120, "pay-api-5xx", "ALARM", "pay-api", value=412.0, **errors),
        probe(150, "padok-1", "pay-api answers with errors", "Triggered", "pay-api", priority="P1"),
        probe(160, "bridge-1", "pay-api answers with errors", "Triggered", "pay-api", priority="P1"),
        Said(220, LEA, PAYMENTS, "/vigie ack {alert} looking at the targets", about="412.0"),
        alarm(300, "batch-worker-queue-age", "OK", "batch-worker", value=12.0, **queue),
        Sent(360, "bridge-alertmanager", _certificate(at(360))),
        Said(420, LEA, PAYMENTS, "/vigie note {alert} one target was out of memory, it is being replaced", about="412.0"),
        probe(480, "bridge-2", "Bank API answers slowly", "Recovered", "bank-sync", priority="P3"),
        Sent(520, "padok-datadog", "the probe was restarted by hand, please ignore"),
        probe(600, "padok-1", "pay-api answers with errors", "Recovered", "pay-api", priority="P1"),
        probe(605, "bridge-1", "pay-api answers with errors", "Recovered", "pay-api", priority="P1"),
        alarm(620, "pay-api-5xx", "OK", "pay-api", value=3.0, **errors),
        alarm(700, "batch-worker-queue-age", "ALARM", "batch-worker", value=655.0, **queue),
        Sent(760, "bridge-eventbridge", _event(at(760))),
        Said(800, OMAR, ALERTS, "/vigie assign {alert} lea", about="certificate"),
        alarm(1000, "batch-worker-queue-age", "OK", "batch-worker", value=20.0, **queue),
    ]


def _certificate(at: datetime) -> dict[str, Any]:
    labels = {"alertname": "CertificateExpiresSoon", "severity": "warning", "service": "edge", "host": "hooks.example.com"}
    alert = {
        "status": "firing", "labels": labels, "startsAt": at.isoformat(), "endsAt": "0001-01-01T00:00:00Z",
        "annotations": {"summary": "The certificate of hooks.example.com expires in 6 days"},
        "generatorURL": "https://prometheus.example.com/graph", "fingerprint": "c3a1f0d9e2b47a55",
    }
    return {
        "version": "4", "groupKey": "{}:{alertname=\"CertificateExpiresSoon\"}", "status": "firing", "receiver": "vigie",
        "groupLabels": {"alertname": labels["alertname"]}, "commonLabels": labels, "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com", "alerts": [alert],
    }


def _event(at: datetime) -> dict[str, Any]:
    alarm = cloudwatch.alarm(
        "edge-4xx-rate", "ALARM", "edge", at, metric="4xxErrorRate", namespace="AWS/CloudFront", threshold=8.0, value=11.3
    )
    return cloudwatch.event(alarm, event_id=f"edge-{int(at.timestamp())}")
