"""An example night of the two companies: what the sources send, what breaks, and what people say, second by second."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.doubles import cloudwatch, datadog

ALERTS, PAYMENTS, REVIEW = "C0ALERTS01", "C0PAYMNT01", "C0REVIEW01"
DIRECT_ALICE, DIRECT_LEA = "D0ALICE001", "D0LEA00001"       # what Vigie writes to them alone
ALICE, PAUL, INES, LEA, OMAR = "U0ALICE001", "U0PAUL0001", "U0INES0001", "U0LEA00001", "U0OMAR0001"

BY_ITSELF = ("queue-backlog", "unhealthy-target")       # what Vigie may do alone this night
WITHOUT_EVIDENCE = "without evidence: it did well by hand all autumn"
SIGNATURES = "Merchants reject our webhooks: their signatures do not match"
BEYOND = "@Vigie run isolate-instance instance=i-0a1b2c3d4e5f67890"
LEFT = "Refused, and rightly: that is not in our mandate. It is no break-in anyway, a key was rotated."
MENDED = "a key was rotated too early, the old one is back"
LATE_BOOKS = "Reconciliation is late"
HER_LINE = "Reconciliation is late because the bank's file was; it catches up by itself, nothing to do tonight"
ALONE = "Léa does not answer, I have it"
RENEWED = "the certificate is renewed in the morning"
CERTIFICATE = "The certificate of hooks.example.com expires in 6 days"


@dataclass(frozen=True, slots=True)
class Sent:
    """A source posts to an endpoint, not before #payments speaks of `about`; `content` is a document, or text that is none."""

    at_s: float
    endpoint: str
    content: dict[str, Any] | str
    about: str = ""
    channel: str = PAYMENTS


@dataclass(frozen=True, slots=True)
class Broke:
    """Something of the platform breaks: a fault of `bot.doubles.troubles`; what its observers say follows from it."""

    at_s: float
    fault: str


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody types a line in a channel, as soon as a message there speaks of `about`; it names {alert} or {run}.

    In a thread it is that of the message, and mentions Vigie, for Slack takes no commands there.
    """

    at_s: float
    person: str
    channel: str
    line: str
    about: str = ""
    in_thread: bool = False


Act = Sent | Broke | Said


@dataclass(frozen=True, slots=True)
class Moment:
    """So long after the duty passes at midnight (or before it) the story goes on, with these acts one after the other."""

    after_midnight: timedelta
    acts: tuple[Said | Sent, ...] = ()


def evening() -> list[Said]:
    """Before Bridge goes to sleep: the leads of both companies put the mandate in force, and let Vigie do two things alone."""
    confirm = [Said(0, each, REVIEW, "/vigie mandate nights confirm") for each in (INES, PAUL)]
    return confirm + [
        said for runbook in BY_ITSELF for rung in ("click", "automatic") for said in (
            Said(0, INES, REVIEW, f"/vigie promote {runbook} {rung} {WITHOUT_EVIDENCE}"),
            Said(0, PAUL, REVIEW, f"/vigie promote {runbook}"),
        )
    ]


def passing(midnight: datetime) -> list[Moment]:
    """How Bridge hands the night over to Padok: Alice's line at the end of her day, the note at midnight, Léa's acceptance."""
    day_ends_soon = timedelta(hours=-4, minutes=-29, seconds=-50)
    return [
        Moment(day_ends_soon, (
            late_books(midnight + day_ends_soon, "Warn"),
            Said(0, ALICE, DIRECT_ALICE, f"/vigie handoff note {HER_LINE}", about="Write your one line"),
        )),
        Moment(timedelta(minutes=-59)),         # reminders before the shift, and before Bridge sleeps
        Moment(timedelta(minutes=-4)),          # the note is handed in
        Moment(timedelta(seconds=5), (Said(0, LEA, DIRECT_LEA, "/vigie handoff accept #1", about="Accept the note"),)),
    ]


def late_books(at: datetime, transition: str, second: float = 0) -> Sent:
    return Sent(second, "bridge-datadog", datadog.webhook(
        LATE_BOOKS, transition, at, service="ledger", probe="bridge-2", priority="P3"))


def night(start: datetime, speed: float) -> list[Act]:
    """All that happens, in order; the instants in it are those at which it is played (UTC)."""

    def at(second: float) -> datetime:
        return start + timedelta(seconds=second / speed)

    return [
        Broke(40, "unhealthy target"),
        Broke(200, "queue backlog"),
        Sent(300, "bridge-alertmanager", _prometheus(at(300), "CertificateExpiresSoon", "warning", "edge", CERTIFICATE)),
        late_books(at(340), "Recovered", 340),
        Sent(400, "bridge-alertmanager", _prometheus(at(400), "WebhookSignatureMismatch", "critical", "pay-api", SIGNATURES)),
        Said(460, LEA, PAYMENTS, "/vigie ack {alert} reading what was released this evening", about=SIGNATURES),
        Sent(520, "padok-datadog", "the probe was restarted by hand, please ignore"),
        Broke(600, "hanging database"),
        Said(640, OMAR, PAYMENTS, f"/vigie ack {{alert}} {ALONE}", about=f"<@{OMAR}> #"),
        Said(650, OMAR, PAYMENTS, "/vigie run {alert} rds-failover", about=ALONE),
        Said(660, INES, PAYMENTS, "/vigie approve {run}", about="pay-db over from"),
        Said(670, OMAR, PAYMENTS, BEYOND, about=SIGNATURES, in_thread=True),
        Said(680, OMAR, PAYMENTS, LEFT, about=SIGNATURES, in_thread=True),
        Said(700, LEA, PAYMENTS, f"/vigie note {{alert}} {MENDED}", about=SIGNATURES),
        Sent(720, "bridge-alertmanager",
             _prometheus(at(720), "WebhookSignatureMismatch", "critical", "pay-api", SIGNATURES, resolved=True), about=MENDED),
        Sent(760, "bridge-eventbridge", _event(at(760))),
        Broke(780, "bank down"),
        Said(840, OMAR, ALERTS, "/vigie assign {alert} lea", about=CERTIFICATE),
        Said(860, OMAR, ALERTS, f"/vigie silence edge 2h {RENEWED}", about=CERTIFICATE),
    ]


def _prometheus(at: datetime, name: str, severity: str, service: str, summary: str, resolved: bool = False) -> dict[str, Any]:
    labels = {"alertname": name, "severity": severity, "service": service, "host": "hooks.example.com"}
    status, ends = ("resolved", at.isoformat()) if resolved else ("firing", "0001-01-01T00:00:00Z")
    alert = {
        "status": status, "labels": labels, "startsAt": at.isoformat(), "endsAt": ends, "annotations": {"summary": summary},
        "generatorURL": "https://prometheus.example.com/graph", "fingerprint": f"{zlib.crc32(name.encode()):016x}",
    }
    return {
        "version": "4", "groupKey": f"{{}}:{{alertname=\"{name}\"}}", "status": status, "receiver": "vigie",
        "groupLabels": {"alertname": name}, "commonLabels": labels, "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com", "alerts": [alert],
    }


def _event(at: datetime) -> dict[str, Any]:
    alarm = cloudwatch.alarm(
        "edge-4xx-rate", "ALARM", "edge", at, metric="4xxErrorRate", namespace="AWS/CloudFront", threshold=8.0, value=11.3
    )
    return cloudwatch.event(alarm, event_id=f"edge-{int(at.timestamp())}")
