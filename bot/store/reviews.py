"""Sealed reviews and who signed them; rows are only ever added."""

from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.store.db import Utc, metadata

review = sa.Table(
    "review",
    metadata,
    sa.Column("month", sa.Text, primary_key=True),                 # 2026-10
    sa.Column("version", sa.Integer, primary_key=True),            # 1: as of the cut-off; 2 ...: with what was learnt later
    sa.Column("as_of", Utc, nullable=False),                       # what was known by then
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("why", sa.Text),                                     # of a later version: why it was made
    sa.Column("body", sa.Text, nullable=False),                    # JSON: the whole review
    sa.Column("digest", sa.Text, nullable=False),                  # SHA-256 of `body`
    sa.Column("changes", sa.Text),                                 # JSON: what differs from the version before
    sa.Column("head", sa.Text),                                    # hash of the journal's last seal then
    sa.Column("posted_at", Utc),                                   # when its message was handed to Slack's lane
)

review_signature = sa.Table(
    "review_signature",
    metadata,
    sa.Column("month", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("organisation", sa.Text, primary_key=True),          # one for each side
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),                  # of what was signed
)


@dataclass(frozen=True, slots=True)
class Sealed:
    """One version of a month's review, without its body."""

    month: str
    version: int
    as_of: datetime
    made_at: datetime
    made_by: str
    why: str | None
    digest: str
    changes: str | None
    head: str | None
    posted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Signature:
    """One side's yes to exactly that digest."""

    month: str
    version: int
    organisation: str
    person: str
    at: datetime
    digest: str


LIGHT = [each for each in review.c if each.name != "body"]


def add(connection: sa.Connection, new: Sealed, body: str) -> None:
    """Raises IntegrityError when somebody else has made that version."""
    connection.execute(sa.insert(review).values(**asdict(new), body=body))


def versions(connection: sa.Connection, month: str) -> list[Sealed]:
    """All that were sealed of a month, oldest first."""
    query = sa.select(*LIGHT).where(review.c.month == month).order_by(review.c.version)
    return [Sealed(**row._mapping) for row in connection.execute(query)]


def sealed(connection: sa.Connection, month: str, version: int | None = None) -> Sealed | None:
    """That version, or the newest."""
    found = versions(connection, month)
    return next((each for each in reversed(found) if version in (None, each.version)), None)


def newest_head(connection: sa.Connection, until: datetime) -> str | None:
    """What the newest review that was sealed by then names as the journal's last seal."""
    query = sa.select(review.c.head).where(review.c.head.is_not(None), review.c.made_at <= until)
    return connection.execute(query.order_by(review.c.made_at.desc(), review.c.version.desc()).limit(1)).scalar_one_or_none()


def body(connection: sa.Connection, month: str, version: int) -> str:
    mine = (review.c.month == month, review.c.version == version)
    return str(connection.execute(sa.select(review.c.body).where(*mine)).scalar_one())


def hold(connection: sa.Connection, month: str, version: int) -> None:
    """Whoever else would sign it waits until this transaction is over."""
    mine = (review.c.month == month, review.c.version == version)
    connection.execute(sa.select(review.c.version).where(*mine).with_for_update())


def sign(connection: sa.Connection, new: Signature) -> None:
    """Raises IntegrityError when that side has signed."""
    connection.execute(sa.insert(review_signature).values(**asdict(new)))


def signatures(connection: sa.Connection, month: str, version: int) -> list[Signature]:
    mine = (review_signature.c.month == month, review_signature.c.version == version)
    query = sa.select(review_signature).where(*mine).order_by(review_signature.c.at)
    return [Signature(**row._mapping) for row in connection.execute(query)]
