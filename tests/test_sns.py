"""SNS over HTTPS: only our topics, only what SNS signed, only now; everything else is refused with a reason."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.sns import Certificates, Envelope, Untrusted, check_certificate_url, read_envelope, signed_text, verify
from bot.config import Endpoint, Topic
from bot.doubles import cloudwatch as aws
from bot.doubles import sns as double
from bot.errors import Unavailable
from bot.sources import Delivery, Document, Forged, TooLarge, Unreadable
from bot.sources.cloudwatch import cloudwatch

NOW = datetime(2026, 11, 22, 1, 14, 5, tzinfo=UTC)
TOPIC = double.DEMO_TOPIC
UUID = "9d2c5580-b61d-550c-8583-37a582870907"
VECTORS = Path(__file__).parent.parent.parent / "shared" / "payloads" / "sns"
REAL_TOPIC = "arn:aws:sns:us-west-2:131990247566:dongie-standard-topic"


class Notary:
    """Trust with the demo's certificate; remembers what was confirmed."""

    def __init__(self, known: dict[str, bytes] | None = None) -> None:
        self.known = {double.DEMO_CERTIFICATE_URL: double.DEMO_CERTIFICATE} if known is None else known
        self.confirmed: list[tuple[str, str]] = []

    def secret(self, reference: str) -> str:
        return reference

    async def certificate(self, url: str, at: datetime) -> RSAPublicKey:
        async with aiohttp.ClientSession() as session:
            return await Certificates(session, self.known).key(url, at)

    async def confirm(self, topic_arn: str, token: str) -> None:
        self.confirmed.append((topic_arn, token))


def delivery(body: bytes | dict[str, Any], at: datetime = NOW, topics: tuple[Topic, ...] = (Topic(arn=TOPIC),),
             headers: dict[str, str] | None = None) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    endpoint = Endpoint(source="cloudwatch", organisation="bridge", topics=topics)
    return Delivery("bridge-cloudwatch", endpoint, raw, headers or {}, at)


def accept(what: Delivery, notary: Notary | None = None) -> Document:
    return asyncio.run(cloudwatch.authenticate(what, notary or Notary()))


def refusal(what: Delivery) -> str:
    with pytest.raises(Forged) as refused:
        accept(what)
    assert str(refused.value)[-1] == "."
    return refused.value.reason


def alarm() -> dict[str, Any]:
    return aws.alarm("pay-api-cpu", "ALARM", "pay-api", NOW)


def envelope(**changes: Any) -> dict[str, str]:
    return double.envelope(TOPIC, alarm(), now=changes.pop("now", NOW), message_id=UUID, **changes)


def resigned(**changes: str) -> dict[str, str]:
    """A message changed by somebody who can have it signed."""
    return double.sign(envelope() | changes)


def test_a_signed_alarm_of_our_topic_is_believed_and_read() -> None:
    what = delivery(envelope(subject=aws.subject(alarm())))
    document = accept(what)
    assert document.delivery_id == f"{TOPIC}:{UUID}"
    signal, = cloudwatch.read(document.content, what)
    assert (signal.name, signal.state, signal.service, signal.at) == ("pay-api-cpu", "firing", "pay-api", NOW)
    assert signal.title == "CPUUtilization above 90 (AVERAGE, 1 x 60 s)"


def test_what_could_end_the_subscription_is_not_kept() -> None:
    kept = json.dumps(accept(delivery(envelope())).content)
    assert "Unsubscribe" not in kept
    assert "Signature" not in kept


@pytest.mark.parametrize("key", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"])
def test_one_changed_field_breaks_the_signature(key: str) -> None:
    good = envelope(subject="ALARM")
    other = {
        "MessageId": UUID.replace("9", "8"), "Timestamp": "2026-11-22T01:14:06.000Z", "TopicArn": TOPIC + "2",
        "Type": "SubscriptionConfirmation",
    }.get(key, good[key] + " ")
    topics = (Topic(arn=TOPIC), Topic(arn=TOPIC + "2"))
    extra = {"Token": "a", "SubscribeURL": "https://x"}
    assert refusal(delivery(good | extra | {key: other}, topics=topics)) == "bad_signature"


def test_a_subject_that_was_not_signed_breaks_the_signature() -> None:
    assert refusal(delivery(envelope() | {"Subject": "ALARM"})) == "bad_signature"


def test_a_topic_that_is_not_ours_is_refused_however_well_signed() -> None:
    foreign = double.envelope("arn:aws:sns:eu-west-3:999900001111:vigie-alarms", alarm(), now=NOW, message_id=UUID)
    assert refusal(delivery(foreign)) == "foreign_topic"
    assert refusal(delivery(envelope(), topics=())) == "foreign_topic"


@pytest.mark.parametrize(("age", "reason"), [
    (timedelta(hours=1, seconds=1), "replayed"), (timedelta(days=30), "replayed"), (timedelta(minutes=-6), "replayed")])
def test_a_message_of_another_time_is_a_replay(age: timedelta, reason: str) -> None:
    assert refusal(delivery(envelope(), at=NOW + age)) == reason


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=59), timedelta(minutes=-4)])
def test_a_late_retry_and_a_slow_clock_are_fine(age: timedelta) -> None:
    assert accept(delivery(envelope(), at=NOW + age)).delivery_id


def test_a_key_that_stands_twice_is_refused() -> None:
    body = json.dumps(envelope())
    twice = body[:-1] + ', "SubscribeURL": "https://a", "SubscribeURL": "http://169.254.169.254/"}'
    assert refusal(delivery(twice.encode())) == "duplicate_keys"


def test_a_signed_message_cannot_be_cut_into_other_fields() -> None:
    """The signed text of `Message: a LF MessageId LF uuid` is also that of `Message: a` and that MessageId."""
    good = double.envelope(TOPIC, f"a\nMessageId\n{UUID}", now=NOW, message_id=UUID.replace("9", "8"))
    shifted = dict(good, Message="a", MessageId=f"{UUID}\nMessageId\n{good['MessageId']}")
    assert signed_text(shifted) == signed_text(good)
    assert refusal(delivery(shifted)) == "bad_field"


@pytest.mark.parametrize(("changes", "reason"), [
    ({"MessageId": "1"}, "bad_field"),
    ({"MessageId": UUID + "\n"}, "bad_field"),
    ({"Timestamp": "2026-11-22T01:14:05Z"}, "bad_field"),
    ({"Timestamp": "2026-13-22T01:14:05.000Z"}, "bad_field"),
    ({"Subject": "ALARM\nTimestamp"}, "bad_field"),
    ({"TopicArn": "arn:aws:sqs:eu-west-3:111122223333:x"}, "bad_field"),
    ({"Type": "Other"}, "not_an_envelope"),
    ({"SignatureVersion": "1"}, "signature_version"),
    ({"SignatureVersion": "3"}, "signature_version"),
])
def test_a_field_that_sns_does_not_write_so_is_refused_even_if_signed(changes: dict[str, str], reason: str) -> None:
    assert refusal(delivery(envelope() | changes)) == reason


@pytest.mark.parametrize("url", [
    "http://sns.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com.evil.example/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com\n/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem\n",
    "https://user@sns.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com:8443/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem?x=1",
    "https://sns.eu-west-3.amazonaws.com/x/../SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com.cn/SimpleNotificationService-{hex}.pem",
    "https://s3.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem",
    "https://SNS.eu-west-3.amazonaws.com/SimpleNotificationService-{hex}.pem",
    "https://sns.eu-west-3.amazonaws.com/evil.pem",
    "",
])
def test_a_certificate_comes_only_from_sns_in_the_region_of_the_topic(url: str) -> None:
    assert refusal(delivery(envelope() | {"SigningCertURL": url.format(hex="0" * 32)})) == "bad_certificate_url"


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "not_an_envelope"), (b"not json", "not_an_envelope"), (b"[]", "not_an_envelope"), (b"{}", "not_an_envelope"),
    (b"payload=%7B%7D", "not_an_envelope"), (b'{"Type": NaN}', "not_an_envelope"), (b"\xff\xfe\x00", "not_an_envelope"),
    (b'{"a":' * 3000 + b"1" + b"}" * 3000, "not_an_envelope"), (b'{"Type": "Notification"}', "missing_field"),
    (b'{"Type": "Notification", "Message": {}}', "bad_field"), (b'{"Type": null}', "bad_field"),
])
def test_what_is_no_envelope_is_refused_without_a_crash(body: bytes, reason: str) -> None:
    assert refusal(delivery(body)) == reason


def test_a_fifo_topic_and_raw_delivery_are_refused_with_what_to_do_instead() -> None:
    fifo = {"Type": "Notification", "MessageId": UUID, "SequenceNumber": "1", "TopicArn": TOPIC, "Message": ""}
    assert refusal(delivery(fifo)) == "fifo_topic"
    assert refusal(delivery(alarm(), headers={"x-amz-sns-rawdelivery": "true"})) == "raw_delivery"


def test_more_than_sns_ever_sends_is_refused_unread() -> None:
    with pytest.raises(TooLarge, match="300000"):
        accept(delivery(b"{" * 300_001))


def test_a_byte_order_mark_and_escapes_do_not_break_a_good_signature() -> None:
    odd = {"AlarmName": "é\u0000x", "NewStateValue": "OK"}
    signed = double.envelope(TOPIC, odd, now=NOW, message_id=UUID)
    what = delivery(b"\xef\xbb\xbf" + json.dumps(signed).encode())
    assert cloudwatch.read(accept(what).content, what)[0].name == "éx"


def test_a_subscription_is_confirmed_by_our_own_call_and_makes_no_alert() -> None:
    notary = Notary()
    asked = double.subscription_confirmation(TOPIC, now=NOW, message_id=UUID)
    what = delivery(asked)
    document = accept(what, notary)
    assert notary.confirmed == [(TOPIC, asked["Token"])]
    assert cloudwatch.read(document.content, what) == []
    assert asked["Token"] not in json.dumps(document.content)


def test_a_foreign_subscription_is_never_confirmed() -> None:
    notary = Notary()
    asked = double.subscription_confirmation(TOPIC + "2", now=NOW, message_id=UUID)
    with pytest.raises(Forged):
        accept(delivery(asked), notary)
    assert notary.confirmed == []


def test_a_cut_feed_is_an_alert_of_its_own() -> None:
    what = delivery(double.unsubscribe_confirmation(TOPIC, now=NOW, message_id=UUID))
    signal, = cloudwatch.read(accept(what).content, what)
    assert (signal.key, signal.state, signal.severity) == (f"feed:{TOPIC}", "firing", "critical")
    assert signal.title == "Somebody cut the feed of topic vigie-alarms"


def test_a_text_on_the_alarm_topic_is_unreadable_not_lost() -> None:
    what = delivery(double.envelope(TOPIC, "deploy done", now=NOW, message_id=UUID))
    with pytest.raises(Unreadable, match="deploy done"):
        cloudwatch.read(accept(what).content, what)


# --- AWS's own signatures ---------------------------------------------------------------------------------------------

real = pytest.mark.skipif(not VECTORS.is_dir(), reason="the recorded payloads are not here")
RECORDED = sorted(VECTORS.glob("*test-*.json"))


def certificate_of(path: Path) -> dict[str, bytes]:
    url = json.loads(path.read_bytes())["SigningCertURL"]
    return {url: next(VECTORS.glob("*.pem")).read_bytes()}


def recorded(path: Path, **changes: str) -> tuple[Delivery, Notary]:
    fields = json.loads(path.read_bytes())
    at = datetime.fromisoformat(fields["Timestamp"]) + timedelta(seconds=1)
    topics = (Topic(arn=fields["TopicArn"], signature_versions=("1", "2")),)
    return delivery(fields | changes, at=at, topics=topics), Notary(certificate_of(path))


@real
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_aws_signed_is_believed(path: Path) -> None:
    assert len(RECORDED) == 5
    assert accept(*recorded(path)).delivery_id


@real
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_what_aws_signed_and_somebody_changed_is_not_believed(path: Path) -> None:
    other_id = UUID.replace("9", "0")
    for changes in ({"Message": "x"}, {"MessageId": other_id}, {"SignatureVersion": "3"}, {"Signature": "AAAA"}):
        with pytest.raises(Forged):
            accept(*recorded(path, **changes))


@real
def test_version_one_needs_its_own_setting_for_the_topic() -> None:
    path = next(VECTORS.glob("*no-subject.json"))
    what, notary = recorded(path)
    strict = delivery(what.body, at=what.received_at, topics=(Topic(arn=what.endpoint.topics[0].arn),))
    with pytest.raises(Forged) as refused:
        accept(strict, notary)
    assert refused.value.reason == "signature_version"


@real
def test_a_certificate_out_of_date_proves_nothing() -> None:
    path = next(VECTORS.glob("*v2.json"))
    url, pem = next(iter(certificate_of(path).items()))
    with pytest.raises(Untrusted, match="out of date"):
        asyncio.run(Notary({url: pem}).certificate(url, datetime(2026, 11, 22, tzinfo=UTC)))


@given(st.text(), st.text())
def test_no_text_in_message_or_subject_ever_crashes_the_check(message: str, subject: str) -> None:
    fields = envelope() | {"Message": message, "Subject": subject}
    with pytest.raises(Untrusted):
        body = json.dumps(fields).encode()
        found = read_envelope(body)
        key = asyncio.run(Notary().certificate(check_certificate_url(found), NOW))
        verify(Envelope(found.kind, found.message_id, found.topic_arn, message, NOW, "2", fields), key)


# --- fetching certificates --------------------------------------------------------------------------------------------


class Host:
    """A web server in the place of SNS."""

    def __init__(self, answer: web.Response) -> None:
        self.answer, self.asked = answer, 0

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.answer.body, status=self.answer.status, headers=self.answer.headers)


async def fetched(host: Host, times: int = 1) -> list[RSAPublicKey]:
    app = web.Application()
    app.router.add_get("/{name}", host.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession(connector=_Detour(port)) as session:
            certificates = Certificates(session)
            asked = (certificates.key(double.DEMO_CERTIFICATE_URL, NOW) for _ in range(times))
            return list(await asyncio.gather(*asked))
    finally:
        await runner.cleanup()


class _Detour(aiohttp.TCPConnector):
    """Leads every connection to a plain server on loopback."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    async def _create_connection(self, *_: Any) -> Any:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(self._factory, "127.0.0.1", self._port)
        return protocol


def test_a_storm_fetches_the_certificate_once() -> None:
    host = Host(web.Response(body=double.DEMO_CERTIFICATE))
    keys = asyncio.run(fetched(host, times=50))
    assert host.asked == 1
    assert len(set(map(id, keys))) == 1


@pytest.mark.parametrize("answer", [
    web.Response(status=404), web.Response(status=302, headers={"location": "http://127.0.0.1:1/x.pem"}),
    web.Response(body=b"x" * 16_385), web.Response(status=500),
], ids=["gone", "redirect", "too long", "broken"])
def test_a_certificate_that_cannot_be_fetched_means_send_it_again(answer: web.Response) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(fetched(Host(answer)))


@pytest.mark.parametrize("body", [b"", b"no certificate"])
def test_what_is_no_certificate_proves_nothing(body: bytes) -> None:
    with pytest.raises(Untrusted):
        asyncio.run(fetched(Host(web.Response(body=body))))


def test_a_certificate_of_another_region_s_signer_proves_nothing() -> None:
    url = double.DEMO_CERTIFICATE_URL.replace("eu-west-3", "me-south-1")
    with pytest.raises(Untrusted, match="wrong name"):
        asyncio.run(Notary({url: double.DEMO_CERTIFICATE}).certificate(url, NOW))
