"""Every source reads its own example, keeps strangers out, and turns what it cannot read into an alert, never into nothing."""

import asyncio
import gzip
import json
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import sources
from bot.config import Endpoint, Topic
from bot.decoding import decode, instant, is_packed
from bot.discover import discover
from bot.doubles import cloudwatch as aws
from bot.doubles import datadog as dd
from bot.doubles import sns
from bot.masking import mask
from bot.sources import Delivery, Document, Signal, Source, TooLarge, Unauthorised, Unreadable, unreadable_signal
from bot.sources.datadog import WEBHOOK_TEMPLATE
from bot.sources.generic import GenericAlert

NOW = datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
AT = datetime(2026, 11, 22, 1, 14, 5, 123000, tzinfo=UTC)
FAMILY = discover(sources, Source)
SAMPLES = Path(__file__).parent / "samples"
GUARDED = sorted(set(FAMILY) - {"cloudwatch"})


class Keys:
    """Trust whose secrets are what they are called."""

    def secret(self, reference: str) -> str:
        return reference

    async def certificate(self, url: str, at: datetime) -> Any:
        raise AssertionError("no certificate is needed here")

    async def confirm(self, topic_arn: str, token: str) -> None:
        raise AssertionError("nothing is confirmed here")


def delivery(source: str, body: bytes | Any, *, secret: str = "new", by_queue: bool = False, **changes: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given_as = {"authorization": f"Bearer {secret}"} if source == "alertmanager" else {"x-vigie-secret": secret}
    changes = {"secrets": ("new", "old"), "topics": (Topic(arn=sns.DEMO_TOPIC),)} | changes
    headers = given_as | changes.pop("headers", {})
    endpoint = Endpoint(source=source, organisation="bridge", **changes)
    return Delivery(f"bridge-{source}", endpoint, raw, headers, NOW, by_queue)


def accept(what: Delivery) -> Document:
    return asyncio.run(FAMILY[what.endpoint.source].authenticate(what, Keys()))


def receive(source: str, body: bytes | Any, **changes: Any) -> list[Signal]:
    """The way of a delivery through the house: authenticate, mask, read; the unreadable becomes a signal of its own."""
    what = delivery(source, body, by_queue=source == "cloudwatch", **changes)
    document = accept(what)
    if document.unreadable:
        return [unreadable_signal(what, document.unreadable)]
    try:
        return list(FAMILY[source].read(mask(document.content), what))
    except Unreadable as reason:
        return [unreadable_signal(what, str(reason))]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


# --- the family ----------------------------------------------------------------------------------------------------------


def test_the_sources_of_the_example_configuration_are_there() -> None:
    assert {"alertmanager", "cloudwatch", "datadog", "eventbridge", "generic"} <= set(FAMILY)


@pytest.mark.parametrize("name", FAMILY)
def test_every_source_reads_its_own_example(name: str) -> None:
    for signal in receive(name, FAMILY[name].example):
        assert signal.state == "firing"
        assert signal.severity in ("critical", "high", "warning")
        assert signal.service in ("pay-api", "bank-sync", "batch-worker")
        assert signal.key and signal.title and signal.name and signal.observer
        assert datetime(2026, 11, 22, 1, 14, 5, tzinfo=UTC) <= signal.at < NOW
        assert not signal.key.startswith("unreadable")


@pytest.mark.parametrize("name", GUARDED)
def test_both_secrets_of_a_rotation_are_good_and_no_other(name: str) -> None:
    example = FAMILY[name].example
    for secret in ("new", "old"):
        assert accept(delivery(name, example, secret=secret)).content == example
    for secret in ("", "newer", "ne", "NEW", "new\u00e9", "\u2603"):
        with pytest.raises(Unauthorised) as refused:
            accept(delivery(name, example, secret=secret))
        assert (refused.value.status, refused.value.reason) == (401, "bad_secret")
        assert "new" not in str(refused.value)


@pytest.mark.parametrize("name", GUARDED)
def test_an_endpoint_without_a_secret_takes_nothing(name: str) -> None:
    for secrets in ((), ("",)):
        with pytest.raises(Unauthorised):
            accept(delivery(name, FAMILY[name].example, secret="", secrets=secrets))


def test_a_secret_beyond_ascii_is_compared_as_the_bytes_that_came() -> None:
    on_the_wire = "clé".encode().decode("latin-1")
    assert accept(delivery("generic", FAMILY["generic"].example, secret=on_the_wire, secrets=("clé",)))


def test_alertmanager_takes_no_secret_but_a_bearer() -> None:
    with pytest.raises(Unauthorised):
        accept(delivery("alertmanager", {}, headers={"authorization": "Basic new"}))


@pytest.mark.parametrize("name", GUARDED)
def test_a_body_that_is_too_large_is_refused(name: str) -> None:
    with pytest.raises(TooLarge, match="2000001"):
        accept(delivery(name, b" " * 2_000_001))


# --- bad input: each becomes an alert with a clear sentence --------------------------------------------------------------

BAD = {
    b"": "empty",
    b"hello": "not JSON",
    b'{"a": 1': "not JSON",
    b'{"a": 1} {"b": 2}': "not JSON",
    b'{"a": "un"escaped"}': "not JSON",
    b'{"key": "a", "key": "b"}': "'key' twice",
    b'{"a":' * 3000 + b"1" + b"}" * 3000: "deeper than 64",
    b"[" * 100 + b"]" * 100: "deeper than 64",
    b"9" * 5000: "too long",
    b"[]": "expected",
    b'"text"': "expected",
    b"null": "expected",
    b"a=1&a=2": "not JSON",
    b"\xff\xfe\xff": "expected|not JSON",
}


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:20]))
def test_a_body_that_makes_no_sense_becomes_an_alert(name: str, body: bytes) -> None:
    signal, = receive(name, body)
    assert signal.key == f"unreadable:bridge-{name}"
    assert signal.title == f"Could not read what bridge-{name} sent"
    assert (signal.state, signal.severity, signal.at) == ("firing", "warning", NOW)
    assert signal.summary


@pytest.mark.parametrize("body", BAD, ids=lambda body: repr(body[:20]))
def test_the_reason_is_said_in_one_sentence(body: bytes) -> None:
    reason = receive("generic", body)[0].summary
    assert any(word in reason for word in BAD[body].split("|")), reason


def test_what_could_not_be_read_is_kept_as_text() -> None:
    document = accept(delivery("generic", b'{"card": "4111 1111 1111 1111"'))
    assert mask(document.content) == '{"card": "411111******1111"'


GOOD = {"key": "k", "state": "firing", "title": "é\u00e0 \U0001f525"}


@pytest.mark.parametrize("body", [
    b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    json.dumps(GOOD, ensure_ascii=False).encode("utf-8"),
    json.dumps(GOOD).encode("utf-16"),
    urlencode({"payload": json.dumps(GOOD)}).encode(),
    json.dumps(GOOD | {"title": "é\u00e0 \u0000\U0001f525\u0007\u202e"}).encode(),
    json.dumps(GOOD | {"value": float("nan"), "more": [float("inf")]}).encode(),
    json.dumps(GOOD).encode()[:-1] + b', "huge": 1e999}',
])
def test_odd_encodings_of_a_good_alert_are_read(body: bytes) -> None:
    signal, = receive("generic", body)
    assert signal.title == "é\u00e0 \U0001f525"


def packed(body: bytes, coding: str = "gzip") -> Document:
    return decode(body, {"content-encoding": coding})


def test_a_compressed_body_is_read_as_what_it_was() -> None:
    assert packed(gzip.compress(b'{"a": 1}')).content == packed(zlib.compress(b'{"a": 1}'), "deflate").content == {"a": 1}
    assert decode(gzip.compress(b'{"a": 1}'), {}).content == {"a": 1}
    assert packed(b'{"a": 1}').content == packed(b'{"a": 1}', "identity").content == {"a": 1}      # as proxies leave it


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("wrapping", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
def test_deflate_is_read_at_every_level_and_without_a_wrapping(level: int, wrapping: int) -> None:
    packing = zlib.compressobj(level, zlib.DEFLATED, wrapping)
    body = packing.compress(b'{\r\n"a": "\xc3\xa9"}') + packing.flush()
    assert packed(body, "deflate").content == {"a": "é"}


def test_a_body_that_may_be_larger_than_it_came_is_known_by_its_first_bytes() -> None:
    small, body = gzip.compress(b'{"a": 1}'), b'{"a": 1}'
    assert is_packed(small) and is_packed(zlib.compress(body)) and not is_packed(body)


@pytest.mark.parametrize(("body", "coding", "why"), [
    (b'{"card": "4111111111111111"}', "br", "compressed as 'br'"),
    (gzip.compress(b'{"a": 1}')[:-9], "gzip", "not whole"),
    (b"\x1f\x8b and no more of it", "", "broken"),
    (gzip.compress(b" " * 9_000_000), "gzip", "once it is unpacked"),
    (gzip.compress(gzip.compress(b'{"card": "4111111111111111"}')), "gzip", "compressed as 'gzip, gzip'"),
    (gzip.compress(b'{"a": 1}') + gzip.compress(b'{"b": 1}'), "gzip", "not whole"),
    (gzip.compress(b'{"card": "4111111111111111"}')[2:], "gzip", "broken"),
])
def test_what_cannot_be_unpacked_is_told_and_none_of_it_is_kept(body: bytes, coding: str, why: str) -> None:
    found = packed(body, coding)
    assert found.content == "" and why in str(found.unreadable)


def test_latin_1_and_raw_line_feeds_are_read() -> None:
    signal, = receive("generic", '{"key": "k", "state": "ok", "title": "Gr\u00f6\u00dfe\nzwei"}'.encode("latin-1"))
    assert (signal.state, signal.title) == ("recovered", "Größe\nzwei")


def test_a_form_is_read_by_its_fields_whatever_curl_says_it_is() -> None:
    form = {"headers": {"content-type": "application/x-www-form-urlencoded"}}
    assert receive("generic", urlencode(GOOD).encode(), **form)[0].key == "k"
    assert receive("generic", json.dumps(GOOD).encode(), **form)[0].key == "k"


def test_nan_stays_text_and_lone_surrogates_go() -> None:
    assert decode(b'{"a": NaN, "b": -Infinity, "c": "\\ud800"}', {}).content == {"a": "NaN", "b": "-Infinity", "c": "\ufffd"}


@given(st.binary())
def test_decoding_never_fails(body: bytes) -> None:
    document = decode(body, {})
    json.dumps(document.content, allow_nan=False).encode()


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["Message", "Type", "TopicArn", "Records", "Sns", "AlarmName", "NewStateValue", "Trigger", "Metrics", "detail", "alerts",
         "alarmName", "state", "status", "labels", "tags", "alert_id", "transition", "key", "title", "detail-type", "x"]),
        inner, max_size=6), max_leaves=25)


@pytest.mark.parametrize("name", FAMILY)
@given(content=NESTED)
def test_no_document_whatever_crashes_a_source(name: str, content: Any) -> None:
    for signal in receive(name, content, topics=()):
        assert signal.state in ("firing", "recovered", "no data", "gone")
        assert signal.severity in ("critical", "high", "warning", "info")
        assert all(isinstance(value, str) for value in signal.labels.values())


# --- CloudWatch and EventBridge ------------------------------------------------------------------------------------------


def through_topic(message: Any) -> list[Signal]:
    signed = sns.envelope(sns.DEMO_TOPIC, message, now=AT, message_id=sns.message_id_of("1"))
    return receive("cloudwatch", signed)


def test_one_alarm_has_one_key_by_topic_by_queue_and_by_eventbridge() -> None:
    alarm = aws.alarm("pay-api-cpu | Größe", "ALARM", "pay-api", AT)
    old = {key: value for key, value in alarm.items() if key != "AlarmArn"}
    heard = [
        *through_topic(alarm), *through_topic(old), *receive("cloudwatch", alarm),
        *receive("eventbridge", aws.event(alarm, event_id="1")),
        *receive("cloudwatch", {"Records": [{"Sns": {"Type": "Notification", "TopicArn": sns.DEMO_TOPIC,
                                                     "Message": json.dumps(json.dumps(alarm))}}]}),
    ]
    assert {signal.key for signal in heard} == {"arn:aws:cloudwatch:eu-west-3:111122223333:alarm:pay-api-cpu | Größe"}
    assert {(signal.state, signal.service, signal.observer, signal.at) for signal in heard} == {
        ("firing", "pay-api", "CloudWatch", AT)}


@pytest.mark.parametrize(("word", "state"), [("ALARM", "firing"), ("OK", "recovered"), ("INSUFFICIENT_DATA", "no data")])
def test_the_state_of_an_alarm_is_ours(word: str, state: str) -> None:
    assert through_topic(aws.alarm("a", word, None, AT))[0].state == state


@pytest.mark.parametrize("last", [{}, {"state": {"value": "OK", "timestamp": "2026-11-20T01:00:00.000+0000"}}])
def test_an_alarm_that_was_deleted_is_gone_in_whatever_state_it_was(last: dict[str, Any]) -> None:
    sent = aws.event(aws.alarm("a", "ALARM", "pay-api", AT), event_id="1")
    detail = {key: value for key, value in sent["detail"].items() if key != "state"} | {"operation": "delete"} | last
    told, = receive("eventbridge", {**sent, "detail-type": "CloudWatch Alarm Configuration Change", "detail": detail})
    assert (told.key, told.state, told.observer) == ("arn:aws:cloudwatch:eu-west-3:111122223333:alarm:a", "gone", "CloudWatch")
    assert told.at == AT and "Somebody deleted the alarm" in told.summary


def test_an_alarm_is_told_in_one_sentence() -> None:
    metric, = through_topic(aws.alarm("a", "ALARM", "pay-api", AT))
    band, = through_topic(aws.anomaly("b", "ALARM", "pay-api", AT))
    whole, = through_topic(aws.composite("c", "ALARM", AT, children=("pay-api-5xx", "pay-api-slow")))
    bridged, = receive("eventbridge", aws.event(aws.alarm("a", "ALARM", "pay-api", AT), event_id="1"))
    assert metric.title == "CPUUtilization above 90 (AVERAGE, 1 x 60 s)"
    assert band.title == "RequestCount outside its expected band (Sum, 1 of 4 x 60 s)"
    assert whole.title == "c: pay-api-5xx, pay-api-slow in alarm"
    assert bridged.title == "CPUUtilization above 90 (Average, 60 s)"
    assert through_topic(aws.composite("c", "OK", AT, children=()) | {"AlarmRule": "FALSE"})[0].title == "c (composite alarm)"


def test_a_metric_math_alarm_names_its_expression() -> None:
    alarm = aws.anomaly("m", "ALARM", "ledger", AT)
    lines = [
        {"Id": "e1", "Expression": "m1/m2*100", "Label": "Error rate", "ReturnData": True},
        {"Id": "m1", "MetricStat": {"Metric": {"Dimensions": [{"name": "ServiceName", "value": "ledger"}],
         "MetricName": "Errors", "Namespace": "Bridge"}, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
    ]
    alarm["Trigger"] = {"Period": 60, "EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                        "Threshold": 5.0, "Metrics": lines}
    signal, = through_topic(alarm)
    assert signal.title == "Error rate at or above 5 (m1/m2*100, 2 x 60 s)"
    assert (signal.service, signal.labels["metric"]) == ("ledger", "Errors")


@pytest.mark.parametrize(("description", "tags", "severity"), [
    (None, None, "high"), ("severity=critical", None, "critical"), ("see wiki [info]", None, "info"),
    ("Severity: warning", None, "warning"), ("severity=critical", {"Severity": "info"}, "info"),
    ("x", [{"Key": "severity", "Value": "P1"}], "critical"), ("severity=odd", None, "high"),
])
def test_the_severity_of_an_alarm_is_its_tag_or_its_description(description: str, tags: Any, severity: str) -> None:
    alarm = aws.alarm("a", "ALARM", None, AT, description=description) | ({"AlarmTags": tags} if tags else {})
    assert through_topic(alarm)[0].severity == severity


def test_labels_are_flat_and_the_link_leads_to_the_alarm() -> None:
    signal, = through_topic(aws.alarm("a b", "ALARM", "pay-api", AT, dimensions={"ClusterName": "prod"}))
    assert signal.labels == {"alarm": "a b", "namespace": "AWS/ECS", "metric": "CPUUtilization", "region": "eu-west-3",
                             "account": "111122223333", "service": "pay-api", "ClusterName": "prod"}
    assert signal.link == (
        "https://eu-west-3.console.aws.amazon.com/cloudwatch/home?region=eu-west-3#alarmsV2:alarm/a%20b")


@pytest.mark.parametrize("changes", [{"NewStateValue": "BROKEN"}, {"AlarmName": None}, {"NewStateValue": None}])
def test_a_broken_alarm_is_told_not_guessed(changes: dict[str, Any]) -> None:
    assert through_topic(aws.alarm("a", "ALARM", None, AT) | changes)[0].key == "unreadable:bridge-cloudwatch"


def test_other_news_of_aws_is_readable_too() -> None:
    failover, = through_topic(sample("rds_event.json"))
    assert failover.title == "db-instance: pay-db"
    assert failover.summary == "Multi-AZ instance failover completed"
    grown, = through_topic({"Event": "autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "AutoScalingGroupName": "pay-api",
                            "StatusMessage": "no capacity", "Time": "2026-11-22T01:14:05Z"})
    assert (grown.title, grown.summary) == ("autoscaling:EC2_INSTANCE_LAUNCH_ERROR: pay-api", "no capacity")


def test_an_alarm_after_a_mute_window_says_so() -> None:
    signal, = through_topic(aws.alarm("a", "ALARM", None, AT) | {"ActionExecutedAfterMuteWindow": True})
    assert signal.labels["after_mute_window"] == "true"


def test_a_time_from_the_future_is_not_believed() -> None:
    late = aws.alarm("a", "ALARM", None, datetime(2030, 1, 1, tzinfo=UTC))
    assert through_topic(late)[0].at == NOW


def test_one_bad_record_does_not_hide_the_others() -> None:
    good = {"Sns": {"Type": "Notification", "TopicArn": sns.DEMO_TOPIC, "Message": aws.alarm("a", "OK", None, AT)}}
    first, second = receive("cloudwatch", {"Records": [{"Sns": {"Message": 1}}, good]})
    assert (first.key, second.state, second.part) == ("unreadable:bridge-cloudwatch", "recovered", "1")


# --- Datadog -------------------------------------------------------------------------------------------------------------


def test_the_double_renders_our_template() -> None:
    assert list(json.loads(WEBHOOK_TEMPLATE)) == list(dd.webhook("m", "Triggered", AT))


def test_a_monitor_keeps_one_key_from_trigger_to_recovery() -> None:
    words = ("Triggered", "Re-Triggered", "Renotify", "Warn", "Re-Warn", "No Data", "Re-No Data", "Recovered")
    heard = [receive("datadog", dd.webhook("pay-api slow", word, AT, service="pay-api"))[0] for word in words]
    assert len({signal.key for signal in heard}) == 1
    assert [signal.state for signal in heard] == ["firing"] * 5 + ["no data"] * 2 + ["recovered"]
    assert {(signal.name, signal.service, signal.at) for signal in heard} == {("pay-api slow", "pay-api", AT)}


def test_two_probes_of_one_monitor_are_two_observers_of_one_problem() -> None:
    one, two = (receive("datadog", dd.webhook("m", "Triggered", AT, service="ledger", probe=probe,
                scope=f"service:ledger,probe:{probe}"))[0] for probe in ("bridge-1", "bridge-2"))
    assert one.key == two.key
    assert (one.observer, two.observer) == ("Bridge-1", "Bridge-2")
    assert receive("datadog", dd.webhook("m", "Triggered", AT))[0].observer == "bridge-datadog"


@pytest.mark.parametrize(("changes", "severity"), [
    ({"alert_priority": "P1"}, "critical"), ({"alert_priority": "P3"}, "warning"), ({"alert_priority": "P5"}, "info"),
    ({"alert_priority": "$ALERT_PRIORITY", "title": "x"}, "high"), ({"alert_priority": "", "alert_type": "warning",
                                                                     "title": "x", "priority": "low"}, "warning"),
])
def test_the_monitors_priority_decides_not_the_events(changes: dict[str, str], severity: str) -> None:
    assert receive("datadog", dd.webhook("m", "Triggered", AT) | changes)[0].severity == severity


def test_a_template_of_ones_own_may_write_numbers_and_objects() -> None:
    given = dd.webhook("cpu", "Triggered", AT) | {
        "alert_id": 42, "scope": "", "alert_priority": 1, "tags": {"service": "ledger", "probe": "bridge-2"}}
    signal, = receive("datadog", given)
    assert (signal.key, signal.severity, signal.service, signal.observer) == ("datadog:42:", "critical", "ledger", "Bridge-2")


def test_variables_that_datadog_left_as_they_stand_are_absent() -> None:
    bare = {key: value if key in ("alert_id", "alert_type") else f"${key.upper()}"
            for key, value in dd.webhook("m", "Triggered", AT).items()}
    what = delivery("datadog", bare)
    assert accept(what).delivery_id is None
    signal, = receive("datadog", bare)
    assert (signal.state, signal.at, signal.link) == ("firing", NOW, None)


def test_the_default_payload_is_read_by_its_links_and_title() -> None:
    signal, = receive("datadog", sample("datadog_default_payload.json"))
    assert (signal.key, signal.state, signal.severity) == ("datadog:2048:service:ledger", "no data", "critical")
    assert (signal.name, signal.service) == ("ledger writes no log", "ledger")
    assert signal.summary == "More than **0** log events matched in the last **5m**"


def test_a_webhook_without_a_monitor_names_the_template() -> None:
    signal, = receive("datadog", {"title": "hello", "alert_type": "error"})
    assert "vigie check" in signal.summary


def test_a_delivery_is_known_by_the_senders_own_id() -> None:
    hook = dd.webhook("m", "Triggered", AT)
    assert accept(delivery("datadog", hook)).delivery_id == hook["id"]
    assert accept(delivery("eventbridge", FAMILY["eventbridge"].example)).delivery_id == FAMILY["eventbridge"].example["id"]
    assert accept(delivery("generic", FAMILY["generic"].example)).delivery_id == "bank-sync-2026-11-22-0114"
    assert accept(delivery("alertmanager", FAMILY["alertmanager"].example)).delivery_id is None


# --- Alertmanager and generic --------------------------------------------------------------------------------------------


def test_one_delivery_may_fire_resolve_and_be_broken_in_parts() -> None:
    fired, resolved, broken, odd, *twins = receive("alertmanager", sample("alertmanager_mixed.json"))
    assert (fired.name, fired.state, fired.severity, fired.service) == ("LedgerLag", "firing", "critical", "ledger")
    assert fired.at == datetime(2026, 11, 22, 1, 14, 5, 432911, tzinfo=UTC)
    assert (fired.title, fired.summary) == ("Shard 1 is 40 s behind", "Aim: under 5 s.")
    assert (resolved.state, resolved.at) == ("recovered", datetime(2026, 11, 22, 1, 13, 0, 500000, tzinfo=UTC))
    assert "LedgerLag" in broken.summary and "firing or resolved" in broken.summary
    assert odd.key == "unreadable:bridge-alertmanager"
    assert twins[0].key == twins[1].key
    assert len({signal.part for signal in (fired, resolved, broken, odd, *twins)}) == 6


def test_the_generic_schema_names_what_it_needs() -> None:
    schema = GenericAlert.model_json_schema()
    assert schema["required"] == ["key", "state", "title"]
    assert all("description" in field for field in schema["properties"].values())


def test_faults_of_a_generic_alert_are_named_field_by_field() -> None:
    signal, = receive("generic", {"key": "", "state": "burning", "severity": "awful", "at": "yesterday"})
    for words in ("key:", "'burning' is not a state", "title: Field required", "'awful' is not a severity", "at:"):
        assert words in signal.summary


def test_fields_that_a_template_left_empty_are_as_good_as_absent() -> None:
    given = {"key": "k", "state": "firing", "title": "t", "at": "", "severity": None, "summary": None, "labels": "", "link": ""}
    signal, = receive("generic", given)
    assert (signal.key, signal.severity, signal.at, signal.summary) == ("k", "warning", NOW, "")


def test_a_generic_alert_says_its_time_as_any_other_source_may() -> None:
    for written in ("Sun, 22 Nov 2026 01:00:00 GMT", "2026-11-22T06:30:00+05:30", 1795309200, "1795309200000"):
        signal, = receive("generic", {"key": "k", "state": "firing", "title": "t", "at": written})
        assert signal.at == datetime(2026, 11, 22, 1, 0, tzinfo=UTC), written
    odd, = receive("generic", {"key": "k", "state": "firing", "title": "t", "at": "yesterday"})
    assert odd.summary == "The alert cannot be read. at: a time was expected, as in 2026-11-22T01:14:05Z or 1795310045."


def test_a_generic_alert_takes_common_words_and_ignores_unknown_fields() -> None:
    signal, = receive("generic", GOOD | {"state": "resolved", "severity": "P1", "at": "2026-11-22T01:14:05.123", "new": {}})
    assert (signal.state, signal.severity, signal.at) == ("recovered", "critical", AT)


@pytest.mark.parametrize(("written", "expected"), [
    ("2026-11-22T01:14:05.123Z", AT), ("2026-11-22T02:14:05.123000999+01:00", AT), ("1795310045123", AT),
    (1795310045.123, AT), ("1795310045123000", AT), ("1795310045123000000", AT), ("2026-11-22T01:14:05.123+0000", AT),
    ("Sun, 22 Nov 2026 01:14:05 GMT", AT.replace(microsecond=0)), ("0001-01-01T00:00:00Z", None), ("", None), (None, None),
    ("soon", None), ("99999999999999999999", None), ([], None), ("1970-01-01T00:00:00Z", None),
])
def test_times_are_understood_however_they_are_written(written: Any, expected: datetime | None) -> None:
    assert instant(written) == expected
