"""Seals the journal: every entry within a second or so, in ranges, each seal tied to the one before it.

docs/journal.md tells the forms that are hashed, for those who check them without Vigie.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring
from typing import Protocol

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bot.errors import Misbuilt
from bot.store import journal
from bot.store.journal import Entry, Line, Look, Seal

MOST = 1_000                        # entries in one seal
PERIOD = timedelta(hours=1)         # a seal at least so often, even when there is nothing to seal
GENESIS = "0" * 64                  # what the first seal names as the one before it
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
NOT_ED25519 = "The journal's signing key must be an Ed25519 private key in PEM form; this one is {found}."


class Signer(Protocol):
    """Whoever holds the key that vouches for seals."""

    @property
    def key_id(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


class KeySigner:
    """Signs with a key that is at hand."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = name_of(key.public_key())

    @classmethod
    def from_pem(cls, pem: bytes) -> "KeySigner":
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise Misbuilt(NOT_ED25519.format(found=type(key).__name__))
        return cls(key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def name_of(key: Ed25519PublicKey) -> str:
    """The short name of a key, as seals hold it."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


# --- the forms that are hashed ---


def instant(at: datetime) -> str:
    """2026-11-22T02:14:00.000000Z"""
    here = at if at.tzinfo is UTC else at.astimezone(UTC)
    return here.isoformat(timespec="microseconds")[:-len("+00:00")] + "Z"


def line(entry: Entry) -> Line:
    """As the database writes it too."""
    return Line._make((entry.id, instant(entry.at), *entry[2:]))


def digest(line: Line) -> str:
    """Of every column but the id, which stands beside the digest in the seal: so a moved entry is known again."""
    try:
        return _hashed(f'["vigie entry 1",{",".join(map(encode_basestring, line[1:]))}]')     # as `compact` does, and much sooner
    except TypeError:       # a column holds no text: no entry of ours
        return _hashed(repr(line))


def listed(leaves: Iterable[tuple[int, str]]) -> str:
    """The entries of a seal as it lists them: [[id, digest], ...]."""
    return "[" + ",".join(f'[{id},"{digest}"]' for id, digest in leaves) + "]"


def root_of(leaves: str) -> str:
    return _hashed(leaves)


def hash_of(seal: Seal) -> str:
    """Of all a seal says; its number, its own hash and the signature stand outside."""
    return _sha256("seal", [
        seal.from_id, seal.to_id, seal.count, seal.root, seal.previous, instant(seal.sealed_at), seal.key_id,
    ])


def _sha256(form: str, parts: list[str | int | None]) -> str:
    return _hashed(compact([f"vigie {form} 1", *parts]))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# --- sealing ---


@dataclass(slots=True)
class Sealer:
    """Called every half second. Several may run on one database: the slower one finds the work done."""

    engine: sa.Engine
    signer: Signer | None = None
    _looked: Look | None = field(default=None, init=False)

    def seal_due(self, now: datetime) -> Seal | None:
        """Seals what is final; the newest seal made, if any. Safe to repeat: an entry is sealed once."""
        newest = None
        final = self._final(now)
        while final and (made := self._next(final)):
            newest = made
            if made.count < MOST:
                break
        return newest

    def _final(self, now: datetime) -> Look | None:
        """The ids below which no open transaction can add an entry any more; None: wait for one that still may."""
        with self.engine.begin() as connection:
            looked = self._looked or journal.look(connection, now)
            self._looked = looked if looked.writers & journal.writers(connection) else None
        return None if self._looked else looked

    def _next(self, final: Look) -> Seal | None:
        try:
            with self.engine.begin() as connection:
                last = journal.last_seal(connection)
                found = journal.entries(connection, last.to_id + 1 if last else 1, final.to_id, MOST)
                if not found and last and final.at - last.sealed_at < PERIOD:
                    return None
                made = self._forge(last, found, final)
                journal.add_seal(connection, made)
                return made
        except sa.exc.IntegrityError:            # another sealer was quicker, and its seal stands
            return None

    def _forge(self, last: Seal | None, found: list[Entry], final: Look) -> Seal:
        begin = last.to_id + 1 if last else 1
        leaves = listed((each.id, digest(line(each))) for each in found)
        full = len(found) == MOST
        made = Seal(
            id=last.id + 1 if last else 1,
            from_id=begin,
            to_id=found[-1].id if full else max(final.to_id, begin - 1),
            count=len(found),
            leaves=leaves,
            root=root_of(leaves),
            previous=last.hash if last else GENESIS,
            hash="",
            sealed_at=final.at,
            key_id=self.signer.key_id if self.signer else None,
            signature=None,
        )
        made = replace(made, hash=hash_of(made))
        return replace(made, signature=self.signer.sign(made.hash.encode()).hex()) if self.signer else made
