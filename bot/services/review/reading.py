"""A month's review as it is kept; while nothing is kept, as it would be now."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.review import Review
from bot.review.arithmetic import written
from bot.review.facts import Month
from bot.services.review import choosing, composing
from bot.services.review.facts import gathering
from bot.store import reviews, testimony
from bot.store.journal import journal
from bot.store.reviews import Sealed, Signature

NO_VERSION = "There is no version {version} of the review of {month}: {known}."
ALTERED = "This text is not the one that was sealed as v{version}: somebody changed it in the database. It cannot be signed."
SEALED = "review sealed"            # the journal's word for it
NONE_KEPT, KEPT = "none is sealed yet", "the newest is v{newest}"


@dataclass(frozen=True, slots=True)
class Read:
    """A review, and what is known about it; `sealed` None: it is provisional, and was reckoned now."""

    review: Review
    digest: str
    month: Month
    signatures: tuple[Signature, ...] = ()
    sealed: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a sealed review follows from the rows of today: `whole`, its text is what was hashed; `same`, reckoned again."""

    digest: str
    whole: bool
    again: str

    @property
    def same(self) -> bool:
        return self.again == self.digest


def get(connection: sa.Connection, config: Config, month: str | None, now: datetime, version: int | None = None) -> Read:
    """The sealed version (the newest without one), or a provisional one; raises Refused for what cannot be.

    Version 0 is a provisional one, reckoned now whatever is sealed. Without a month, it is the last one that is over.
    """
    meant = choosing.month_of(config, month, now)
    kept = reviews.sealed(connection, meant.name, version)
    if kept is not None:
        return read(connection, kept, meant)
    if version:
        newest = reviews.sealed(connection, meant.name)
        known = KEPT.format(newest=newest.version) if newest else NONE_KEPT
        raise Refused(NO_VERSION.format(version=version, month=meant.name, known=known))
    review = composing.compose(gathering.facts(connection, config, meant))
    return Read(review, written.digest(review), meant)


def read(connection: sa.Connection, kept: Sealed, month: Month) -> Read:
    """A sealed one, from its row."""
    text = reviews.body(connection, kept.month, kept.version)
    review = written.from_json(text)
    if not _is_hashed(text, kept):
        review = replace(review, notes=(ALTERED.format(version=kept.version), *review.notes))
    signed = tuple(reviews.signatures(connection, kept.month, kept.version))
    return Read(review, kept.digest, replace(month, as_of=kept.as_of), signed, kept)


def verify(connection: sa.Connection, config: Config, month: str, version: int) -> Proof:
    """Reckons it once more, from the rows and as of then; the same figures have the same digest. Raises Refused."""
    kept = reviews.sealed(connection, month, version)
    if kept is None:
        raise Refused(NO_VERSION.format(version=version, month=month, known=NONE_KEPT))
    again = composing.compose(gathering.facts(connection, config, as_of(config, kept)), version)
    return Proof(kept.digest, is_whole(connection, kept), written.digest(again))


def is_whole(connection: sa.Connection, kept: Sealed) -> bool:
    """Whether the text that is kept is the one that was hashed, and that the journal names."""
    text = reviews.body(connection, kept.month, kept.version)
    if not _is_hashed(text, kept):
        return False
    mine = journal.c.object == f"review:{kept.month}"
    told = (json.loads(each.details) for each in testimony.told(connection, (SEALED,), kept.made_at, kept.made_at, mine))
    return any((each["version"], each["digest"]) == (kept.version, kept.digest) for each in told)


def _is_hashed(text: str, kept: Sealed) -> bool:
    return hashlib.sha256(text.encode()).hexdigest() == kept.digest


def as_of(config: Config, kept: Sealed) -> Month:
    """The month as it was known when that version was made."""
    return replace(choosing.month_of(config, kept.month, kept.as_of), as_of=kept.as_of)
