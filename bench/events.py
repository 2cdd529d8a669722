"""What is sent: storms of alerts, lone alerts, signed SNS envelopes and slash commands, as ready HTTP requests."""

import json
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from bench.company import QUIET, SERVICES, SIGNING_SECRET, TOPIC, WEBHOOK_SECRET
from bot.doubles import cloudwatch, sns
from bot.workspace.delivery import COMMAND, encoded, signed

WARMING = 200
SUMMARY = "p95 of POST /v1/payments stood at 2.4 s over the last five minutes; the threshold is 1.0 s. Errors: 3.1 %."


def storm(name: str, events: int, alerts: int) -> list[bytes]:
    """Each alert is told `events / alerts` times, each time as a delivery of its own; shuffled, the same in every run."""
    numbers = [number % alerts for number in range(events)]
    random.Random(2026).shuffle(numbers)
    return [generic(f"{name}-{number}", SERVICES[number % len(SERVICES)], f"{name}/{turn}")
            for turn, number in enumerate(numbers)]


def warming() -> list[bytes]:
    """A few alerts in the quiet channels, so that every process has done everything once before it is measured."""
    return [generic(f"warm-{turn % len(QUIET)}", QUIET[turn % len(QUIET)], f"warm/{turn}") for turn in range(WARMING)]


def generic(key: str, service: str, delivery: str) -> bytes:
    """One alert at the generic endpoint, about 600 bytes."""
    document = {
        "key": key, "state": "firing", "severity": "high", "title": f"{key}: latency above 1 s", "service": service,
        "summary": SUMMARY, "labels": {"env": "prod", "region": "eu-west-3", "cluster": "payments-1", "team": "core"},
        "link": f"https://grafana.bridge.example/d/{key}", "id": delivery,
    }
    headers = {"Content-Type": "application/json", "X-Vigie-Secret": WEBHOOK_SECRET}
    return request("/webhooks/generic/bridge-generic", headers, json.dumps(document).encode())


def sns_storm(name: str, events: int, alerts: int) -> list[bytes]:
    """The same storm as CloudWatch alarms in envelopes that are truly signed (RSA-2048)."""
    numbers = [number % alerts for number in range(events)]
    random.Random(2026).shuffle(numbers)
    return [_alarm(f"{SERVICES[number % len(SERVICES)]}-{name}-{number}", f"{name}/{turn}")
            for turn, number in enumerate(numbers)]


def _alarm(alarm: str, delivery: str) -> bytes:
    now = datetime.now(UTC)
    message = cloudwatch.alarm(alarm, "ALARM", None, now)
    envelope = sns.envelope(TOPIC, message, now=now, message_id=sns.message_id_of(delivery))
    return request("/webhooks/cloudwatch/bridge-cloudwatch", sns.headers(envelope), json.dumps(envelope).encode())


def lone(number: int) -> bytes:
    """An alert of its own in one of the quiet channels; its title begins with `lone_key`."""
    return generic(lone_key(number), QUIET[number % len(QUIET)], lone_key(number))


def lone_key(number: int) -> str:
    return f"lone-{number:04}"


def command(text: str) -> bytes:
    """A slash command of Alice's as Slack signs it; Slack takes no notice of answers later than three seconds."""
    fields = {
        "team_id": "T0BRIDGE01", "channel_id": "C0ALERTS01", "channel_name": "alerts", "user_id": "U0ALICE001",
        "user_name": "alice", "command": "/vigie", "text": text, "trigger_id": "1.2.bench",
        "response_url": "http://127.0.0.1:9/hooks/none", "api_app_id": "A0VIGIE001",
    }
    body, content_type = encoded(COMMAND, fields)
    return request("/slack/events", {"Content-Type": content_type, **signed(SIGNING_SECRET, int(time.time()), body)}, body)


def request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """One HTTP/1.1 request for a connection that is kept open."""
    given = {"Host": "127.0.0.1", **headers, "Content-Length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
