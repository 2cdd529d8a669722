"""Recorded and published payloads: each is read as what it is, or becomes an alert that says what was expected."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import sources
from bot.config import Endpoint
from bot.decoding import decode
from bot.discover import discover
from bot.masking import mask
from bot.sources import Delivery, Signal, Source, Unreadable

CORPUS = Path(__file__).parent.parent.parent / "shared" / "payloads"
NOW = datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
FAMILY = discover(sources, Source)
FOLDERS = {
    "alertmanager": "alertmanager", "grafana": "alertmanager", "datadog": "datadog", "eventbridge": "eventbridge",
    "aws-events": "cloudwatch", "cloudwatch": "cloudwatch", "sns-shapes": "cloudwatch", "sns": "cloudwatch",
}
SYNTHETIC = {"sns": "cloudwatch", "datadog": "datadog", "bom": "generic"}
# Not what a source sends us: an API's answer, headers, a legacy shape, plain texts.
UNREADABLE = {
    "localstack__describe_composite_ALARM", "localstack__http_message-headers", "localstack__http_message",
    "localstack__sqs_body_unicode", "alerta__grafana_alert_alerting", "alerta__grafana_alert_ok", "bom_utf8",
    "sns_message_not_json", "aws-sdk-java-v2__test-notification-no-subject", "keep__sequence_one_group",
    "aws-sdk-java-v2__test-notification-with-subject", "aws-sdk-java-v2__test-notification-signature-v2",
}
SILENT = {
    "localstack__http_subscription-confirmation", "alerta__cloudwatch_subscription_confirmation",
    "aws-sdk-java-v2__test-subscription-confirmation",
}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the recorded payloads are not here")


def found() -> list[tuple[Path, str]]:
    files = sorted(path for path in CORPUS.glob("*/*.json") if path.parent.name != "datadog-api")
    return [(path, FOLDERS.get(path.parent.name) or SYNTHETIC[path.name.split("_")[0]]) for path in files]


def signals(source: str, body: bytes) -> list[Signal]:
    endpoint = Endpoint(source=source, organisation="bridge")
    what = Delivery(f"bridge-{source}", endpoint, body, {}, NOW, by_queue=True)
    document = decode(body, {})
    if document.unreadable:
        raise Unreadable(document.unreadable)
    return list(FAMILY[source].read(mask(document.content), what))


def read(name: str, source: str) -> list[Signal]:
    return signals(source, next(CORPUS.glob(f"*/{name}.json")).read_bytes())


@pytest.mark.parametrize(("path", "source"), found(), ids=lambda value: getattr(value, "stem", value))
def test_a_recorded_payload_is_read_or_told(path: Path, source: str) -> None:
    if path.stem in UNREADABLE:
        with pytest.raises(Unreadable, match=r"expected|template|alert"):
            signals(source, path.read_bytes())
        return
    heard = signals(source, path.read_bytes())
    assert bool(heard) == (path.stem not in SILENT)
    for signal in heard:
        assert signal.key and signal.name and signal.title and signal.observer
        assert signal.at.tzinfo is UTC and signal.at <= NOW
        assert not signal.key.startswith("unreadable")


def test_masking_leaves_recorded_payloads_readable_as_they_were() -> None:
    for path, _ in found():
        content = decode(path.read_bytes(), {}).content
        if path.parent.name not in ("sns", "sns-shapes", "cloudwatch", "aws-events", "synthetic"):
            assert mask(content) == content, path.name


def test_one_group_of_a_datadog_monitor_is_one_problem_through_its_life() -> None:
    sequence: list[Any] = json.loads((CORPUS / "datadog" / "keep__sequence_one_group.json").read_bytes())
    heard = [signals("datadog", json.dumps(each).encode())[0] for each in sequence]
    assert len({signal.key for signal in heard}) == 1
    assert {signal.service for signal in heard} == {"keep-api-feature-unique-id"}
    assert "recovered" in {signal.state for signal in heard} and "firing" in {signal.state for signal in heard}


def test_titles_are_what_a_person_would_say() -> None:
    told = {
        ("sns_anomaly_alarm", "cloudwatch"): "Count outside its expected band (Sum, 1 of 4 x 60 s)",
        ("sns_composite_alarm", "cloudwatch"): "checkout-unhealthy: checkout-5xx in alarm",
        ("sns_markup_injection", "cloudwatch"): "CPUUtilization above 90 (AVERAGE, 1 x 60 s)",
        ("awsdocs__single_metric", "eventbridge"): "CPUUtilization above 50 (Average, 300 s)",
        ("alerta__cloudwatch_notification", "cloudwatch"): "BucketSizeBytes at or above 0 (AVERAGE, 1 x 86400 s)",
        ("terraform-aws-notify-slack__messages_glue_notification", "cloudwatch"): "Glue Job State Change: test_job (FAILED)",
        ("terraform-aws-notify-slack__events_guardduty_finding_high", "cloudwatch"):
            "GuardDuty Finding: SAMPLE Unprotected port on EC2 instance i-123123123 is being probed",
        ("datadog_recommended_template_triggered", "datadog"): "CPU high (host:web-1, env:prod)",
        ("alerta__prometheus_v4_alert", "alertmanager"): "No things for over 10 minutes",
    }
    for (name, source), title in told.items():
        assert read(name, source)[0].title == title


def test_an_alarm_of_old_gets_its_name_from_the_region_of_its_topic() -> None:
    signal, = read("alerta__cloudwatch_notification", "cloudwatch")
    assert signal.key == "arn:aws:cloudwatch:eu-west-1:1234567890:alarm:bucketbytesAlarm"


def test_signs_that_reorder_text_are_gone_and_markup_is_left_for_the_card_to_escape() -> None:
    signal, = read("sns_markup_injection", "cloudwatch")
    assert "\u202e" not in signal.summary
    assert "<!channel>" in signal.summary


def test_datadog_s_lifecycle_is_one_key() -> None:
    names = ("triggered", "renotify", "recovered")
    heard = [read(f"datadog_recommended_template_{name}", "datadog")[0] for name in names]
    heard += read("datadog_nodata", "datadog")
    assert {signal.key for signal in heard} == {"datadog:160076582:env:prod,host:web-1"}
    assert [signal.state for signal in heard] == ["firing", "firing", "recovered", "no data"]
