"""SNS as a sender: the envelope it signs, the certificate it signs with, and whether both fit."""

import asyncio
import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from bot.decoding import DuplicateKey, parse, to_text
from bot.errors import Unavailable

MAX_CERTIFICATE = 16 * 1024
MAX_CERTIFICATES = 16
FETCH_SECONDS = 5

NOTIFICATION, CONFIRMATION, UNSUBSCRIBED = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"

NOT_AN_ENVELOPE = "This is not an SNS message: JSON with Type, MessageId, TopicArn, Message, Signature was expected."
NAMED_TWICE = "The SNS message names the key '{key}' twice; SNS never does."
NOT_TEXT = "The SNS message holds something other than text in '{key}'; SNS never does."
FIFO = "This comes from a FIFO topic, which SNS does not sign; use a standard topic, or read the topic by a queue."
MISSING = "The SNS message lacks {keys}."
BAD_FIELD = "The SNS message's {key} is not as SNS writes it."
BAD_URL = "The signing certificate's address is not that of SNS in the topic's region."
BAD_CERTIFICATE = "The signing certificate is not one that SNS signs with ({why})."
BAD_SIGNATURE = "The SNS signature does not fit the message."
NO_CERTIFICATE = "The certificate of SNS could not be fetched ({why})."

_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    UNSUBSCRIBED: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
_ALWAYS = ("Timestamp", "SignatureVersion", "Signature", "SigningCertURL")
_ONE_LINE = r"[^\r\n\u2028\u2029]*"
# The signed text joins keys and values with line feeds: a value that holds one could be read as two fields.
_FORMS = {
    "MessageId": re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"),
    "Timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII),
    "TopicArn": re.compile(r"arn:aws(?:-[a-z-]+)?:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}", re.ASCII),
    "Subject": re.compile(_ONE_LINE),
    "Token": re.compile(r"[0-9A-Za-z]+"),
    "SubscribeURL": re.compile(_ONE_LINE),
}
_CERTIFICATE_URL = re.compile(
    r"https://sns\.(?P<region>[a-z0-9-]+)\.(?P<domain>amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu)"
    r"/SimpleNotificationService-[0-9a-f]{32}\.pem"
)
_OWN_NAME = (
    "af-south-1 ap-east-1 ap-east-2 ap-south-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6"
    " ap-southeast-7 ca-west-1 eu-central-2 eu-south-1 eu-south-2 il-central-1 me-central-1 me-south-1 mx-central-1"
)


class Untrusted(Exception):
    """A message or certificate that is not SNS's; `reason` is a short word for the counters."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message as SNS wraps and signs it; every field has the form that SNS gives it."""

    kind: str
    message_id: str
    topic_arn: str
    message: str
    timestamp: datetime
    version: str
    fields: Mapping[str, Any]

    @property
    def certificate_url(self) -> str:
        """The certificate's address, unchecked: pass it through `certificate_region` first."""
        return str(self.fields["SigningCertURL"])


def read_envelope(body: bytes) -> Envelope:
    """The envelope in a body; raises Untrusted when SNS cannot have written it."""
    fields = _fields(body)
    kind = fields.get("Type")
    if kind not in _SIGNED:
        raise Untrusted(NOT_AN_ENVELOPE, "not_an_envelope")
    if "Signature" not in fields and "SequenceNumber" in fields:
        raise Untrusted(FIFO, "fifo_topic")
    if missing := [key for key in (*_SIGNED[kind], *_ALWAYS) if key not in fields and key != "Subject"]:
        raise Untrusted(MISSING.format(keys=", ".join(sorted(set(missing)))), "missing_field")
    for key, form in _FORMS.items():
        if key in fields and not form.fullmatch(fields[key]):
            raise Untrusted(BAD_FIELD.format(key=key), "bad_field")
    return Envelope(kind, fields["MessageId"], fields["TopicArn"], fields["Message"], _instant(fields["Timestamp"]),
                    fields["SignatureVersion"], fields)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = parse(to_text(body))
    except DuplicateKey as fault:
        raise Untrusted(NAMED_TWICE.format(key=fault), "duplicate_keys") from None
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Untrusted(NOT_AN_ENVELOPE, "not_an_envelope")
    for key, value in fields.items():
        if not isinstance(value, str) and key != "MessageAttributes":
            raise Untrusted(NOT_TEXT.format(key=key), "bad_field")
    return fields


def _instant(timestamp: str) -> datetime:
    try:
        return datetime.fromisoformat(timestamp).astimezone(UTC)
    except ValueError:
        raise Untrusted(BAD_FIELD.format(key="Timestamp"), "bad_field") from None


def check_certificate_url(envelope: Envelope) -> str:
    """The certificate's address, matched whole and raw (parsers drop line feeds), of the topic's own region."""
    region = envelope.topic_arn.split(":")[3]
    found = _CERTIFICATE_URL.fullmatch(envelope.certificate_url)
    if found is None or found["region"] != region or found["domain"] != _domain(region):
        raise Untrusted(BAD_URL, "bad_certificate_url")
    return found[0]


def verify(envelope: Envelope, key: RSAPublicKey) -> None:
    """Raises Untrusted unless the holder of the certificate signed this very message."""
    algorithm = _HASHES.get(envelope.version)
    try:
        signature = base64.b64decode(envelope.fields["Signature"], validate=True)
        signed = signed_text(envelope.fields).encode()
        if algorithm is None:
            raise InvalidSignature
        key.verify(signature, signed, PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError):     # ValueError: a lone surrogate, which SNS never signs
        raise Untrusted(BAD_SIGNATURE, "bad_signature") from None


def signed_text(fields: Mapping[str, Any]) -> str:
    """What SNS signs: each present key and its decoded value on a line of its own."""
    return "".join(f"{key}\n{fields[key]}\n" for key in _SIGNED[fields["Type"]] if key in fields)


def _domain(region: str) -> str:
    if region.startswith("cn-"):
        return "amazonaws.com.cn"
    return "amazonaws.eu" if region.startswith("eusc-") else "amazonaws.com"


def _common_name(region: str) -> str:
    """Whom the certificate of a region must name (AWS's own table)."""
    if region.startswith("us-gov-"):
        return "sns-us-gov-west-1.amazonaws.com"
    if region.startswith("cn-"):
        return f"sns-{region}.amazonaws.com.cn"
    if region.startswith("eusc-"):
        return f"sns-signing.{region}.amazonaws.eu"
    return f"sns-signing.{region}.amazonaws.com" if region in _OWN_NAME.split() else "sns.amazonaws.com"


@dataclass(frozen=True, slots=True)
class _Certificate:
    key: RSAPublicKey
    begins: datetime
    ends: datetime


class Certificates:
    """The certificates SNS signs with: each fetched once, a few kept; `known` need no fetch (the demo's)."""

    def __init__(self, session: aiohttp.ClientSession, known: Mapping[str, bytes] | None = None) -> None:
        self._session = session
        self._kept: OrderedDict[str, _Certificate] = OrderedDict()
        self._known = {url: _load(url, pem) for url, pem in (known or {}).items()}
        self._fetching = asyncio.Lock()

    async def key(self, url: str, at: datetime) -> RSAPublicKey:
        """The key behind a checked address, if it was valid at that instant; raises Unavailable or Untrusted."""
        found = self._known.get(url) or self._kept.get(url) or await self._fetched(url)
        if not found.begins <= at <= found.ends:
            raise Untrusted(BAD_CERTIFICATE.format(why="out of date"), "bad_certificate")
        return found.key

    async def _fetched(self, url: str) -> _Certificate:
        async with self._fetching:              # a storm's first thousand messages ask for the same one
            if url not in self._kept:
                self._kept[url] = _load(url, await self._fetch(url))
                while len(self._kept) > MAX_CERTIFICATES:
                    self._kept.popitem(last=False)
            return self._kept[url]

    async def _fetch(self, url: str) -> bytes:
        limit = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        try:
            async with self._session.get(url, allow_redirects=False, timeout=limit) as answer:
                if answer.status != 200:
                    raise Unavailable(NO_CERTIFICATE.format(why=f"status {answer.status}"))
                return await _bounded(answer.content)
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise Unavailable(NO_CERTIFICATE.format(why=type(fault).__name__)) from fault


async def _bounded(stream: aiohttp.StreamReader) -> bytes:
    body = b""
    async for piece in stream.iter_any():
        body += piece
        if len(body) > MAX_CERTIFICATE:
            raise Unavailable(NO_CERTIFICATE.format(why=f"more than {MAX_CERTIFICATE} bytes"))
    return body


def _load(url: str, pem: bytes) -> _Certificate:
    """The certificate, if it names SNS of the address's region."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        names = [each.value for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except ValueError:
        raise Untrusted(BAD_CERTIFICATE.format(why="not a certificate"), "bad_certificate") from None
    found = _CERTIFICATE_URL.fullmatch(url)
    if found is None or names != [_common_name(found["region"])] or not isinstance(key, RSAPublicKey):
        raise Untrusted(BAD_CERTIFICATE.format(why="wrong name or kind"), "bad_certificate")
    return _Certificate(key, certificate.not_valid_before_utc, certificate.not_valid_after_utc)
