"""Bytes from outside become a document: decoded, parsed, cleaned. Nothing fails: it says what it could not read."""

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

MAX_DEPTH = 64
MAX_FIELDS = 1000
MAX_INFLATED = 4_000_000

EMPTY = "The body is empty; JSON was expected."
NOT_JSON = "The body is not JSON: {why} at line {line}, column {column}."
TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels."
DUPLICATE = "The body names the key '{key}' twice; it is not clear which one is meant."
BAD_NUMBER = "The body holds a number that is too long to read."
ENCODED = "The body is compressed as '{coding}', which cannot be read here; send it as it is, or with gzip."
TWICE = "gzip, gzip"
BAD_GZIP = "The compressed body is broken, or not whole."
TOO_MUCH_GZIP = f"The body is larger than {MAX_INFLATED} bytes once it is unpacked."
BAD_FORM = f"The form could not be read; at most {MAX_FIELDS} fields are expected."

# C0 but tab and line feed, DEL, C1, bidirectional overrides: they hide or reorder text; NUL breaks databases.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_BREAK = re.compile("\r\n?|[\u0085\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ODD_ESCAPE = re.compile(r"\\[ubfr]")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_PLAIN = ("", "identity")
_CODINGS = (*_PLAIN, "gzip", "x-gzip", "deflate")
_PACKED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_EPOCH = re.compile(r"\d{9,19}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Document:
    """What a delivery says: parsed JSON, or the text that could not be parsed (`unreadable` says why)."""

    content: Any
    delivery_id: str | None = None      # the sender's own name for this delivery; None: it gives none
    unreadable: str | None = None


class DuplicateKey(ValueError):
    """One object names a key twice."""


def decode(body: bytes, headers: Mapping[str, str]) -> Document:
    """The document in a body: JSON whatever the content type says, else a form, else the text with the reason."""
    try:
        text = to_text(_unpacked(body, headers))
    except Packed as fault:     # nothing of it is kept: nobody can see what to mask in it
        return Document("", unreadable=str(fault))
    if not text.lstrip().startswith(("{", "[")) and _is_form(text, headers):
        return _decode_form(text)
    return decode_text(text)


class Packed(ValueError):
    """A compressed body that cannot be unpacked; says why."""


def is_packed(body: bytes) -> bool:
    """Whether it is compressed, whatever its headers say: then it may be a thousand times as large as it looks."""
    return body.startswith(_PACKED)


def _unpacked(body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body as it was before a proxy or library compressed it, which some do unasked."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in _CODINGS:
        raise Packed(ENCODED.format(coding=clean(coding[:40])))
    if is_packed(body):
        plain = _inflated(body, zlib.MAX_WBITS | 32)         # either wrapping, whatever the header calls it
    elif coding in _PLAIN or _is_text(body):                 # a proxy may have unpacked it and left the header
        return body
    else:
        plain = _inflated(body, -zlib.MAX_WBITS)             # some say deflate and wrap it in nothing
    if is_packed(plain):
        raise Packed(ENCODED.format(coding=TWICE))
    return plain


def _inflated(body: bytes, wrapping: int) -> bytes:
    unpacking = zlib.decompressobj(wrapping)
    try:
        plain = unpacking.decompress(body, MAX_INFLATED)
    except zlib.error as fault:
        raise Packed(BAD_GZIP) from fault
    if not unpacking.eof:
        raise Packed(TOO_MUCH_GZIP if unpacking.unconsumed_tail else BAD_GZIP)
    if unpacking.unused_data.strip(b"\0"):                   # what follows would be lost without a word
        raise Packed(BAD_GZIP)
    return plain


def _is_text(body: bytes) -> bool:
    try:
        return not _CONTROL.search(_BREAK.sub("\n", body.decode()))
    except UnicodeDecodeError:
        return False


def decode_text(text: str) -> Document:
    """The document in a piece of JSON text."""
    if not text.strip():
        return Document("", unreadable=EMPTY)
    try:
        content = parse(text)
        return Document(content if _is_clean(text) else clean(content))
    except DuplicateKey as fault:
        reason = DUPLICATE.format(key=clean(str(fault)))
    except json.JSONDecodeError as fault:
        reason = NOT_JSON.format(why=fault.msg, line=fault.lineno, column=fault.colno)
    except RecursionError:
        reason = TOO_DEEP
    except ValueError:
        reason = BAD_NUMBER
    return Document(clean(text), unreadable=reason)


def to_text(body: bytes) -> str:
    """UTF-8 (with or without a byte order mark), UTF-16 with one, else Latin-1, which takes every byte."""
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return body.decode("latin-1")


def parse(text: str) -> Any:
    """JSON as it stands, uncleaned; raises DuplicateKey, another ValueError, or RecursionError."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=str, parse_float=_finite, strict=False)


def clean(value: Any, depth: int = 0) -> Any:
    """The value without control characters and lone surrogates; raises RecursionError beyond MAX_DEPTH."""
    if isinstance(value, str):
        if (value.isascii() and value.isprintable()) or not _ODD.search(value):
            return value
        return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _BREAK.sub("\n", value)))
    if depth >= MAX_DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        return {clean(key): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, depth + 1) for item in value]
    return value


def _is_clean(text: str) -> bool:
    """Whether the document needs no walk: no odd character written or escaped, and too few brackets to be deep."""
    if text.count("{") + text.count("[") >= MAX_DEPTH or _ODD.search(text):
        return False
    return "\\" not in text or _ODD_ESCAPE.search(text) is None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKey(Counter(name for name, _ in pairs).most_common(1)[0][0])     # one pass: strangers reach this
    return found


def _finite(number: str) -> float | str:
    """1e999 is no number a database would take: it stays text, as NaN and Infinity do."""
    value = float(number)
    return value if math.isfinite(value) else number


def _is_form(text: str, headers: Mapping[str, str]) -> bool:
    return "x-www-form-urlencoded" in headers.get("content-type", "").lower() or text.startswith("payload=")


def _decode_form(text: str) -> Document:
    """A form: its field `payload` holds the document, else its fields are the document."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        fields = _unique(list(pairs))
    except DuplicateKey as fault:
        return Document(clean(text), unreadable=DUPLICATE.format(key=clean(str(fault))))
    except ValueError:
        return Document(clean(text), unreadable=BAD_FORM)
    if "payload" in fields:
        return decode_text(fields["payload"])
    return Document(clean(fields)) if fields else decode_text(text)


# --- single values of a document --------------------------------------------------------------------------------------


def text(value: Any) -> str:
    """A value as one would write it; nothing for None, lists and objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def mapping(value: Any) -> dict[str, Any]:
    """The object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """The list, or an empty one where something else stands."""
    return value if isinstance(value, list) else []


def pairs(value: Any) -> dict[str, str]:
    """Labels in each of their spellings: {"k": "v"}, [{"name": k, "value": v}], [{"Key": k, "Value": v}]."""
    if isinstance(value, dict):
        return {key: text(item) for key, item in value.items()}
    found = {}
    for each in sequence(value):
        item = {key.lower(): text(part) for key, part in mapping(each).items()}
        if name := item.get("name") or item.get("key"):
            found[name] = item.get("value", "")
    return found


def web_link(value: Any) -> str | None:
    """The address if it is one that a browser should open."""
    found = text(value)
    return found if re.fullmatch(r"https?://[^\s<>|]{1,2000}", found) else None


def instant(value: Any) -> datetime | None:
    """A time in UTC from ISO 8601 (nanoseconds too), RFC 1123, or epoch s, ms, us, ns; None: absent or before 2000."""
    written = text(value)
    try:
        found = _from_epoch(written) if _EPOCH.fullmatch(written) else _from_words(written)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year >= 2000 else None


def _from_epoch(written: str) -> datetime:
    number = float(written)
    digits = len(written.partition(".")[0])
    return datetime.fromtimestamp(number / 1000 ** max(0, math.ceil((digits - 11) / 3)), UTC)


def _from_words(written: str) -> datetime:
    try:
        found = datetime.fromisoformat(_FRACTION.sub(r"\1", written))
    except ValueError:
        found = parsedate_to_datetime(written)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
