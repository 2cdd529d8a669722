"""The journal and its seals: rows are only ever added."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.store.db import BigId, Utc, metadata, written

PAGE = 2_000

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("at", Utc, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Index("ix_journal_object", "object"),
    sa.Index("ix_journal_at", "at"),
)

seal = sa.Table(
    "seal",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),   # its place in the chain: 1, 2, 3 ...
    sa.Column("from_id", BigId, nullable=False),
    sa.Column("to_id", BigId, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("leaves", sa.Text, nullable=False),              # [[entry id, digest], ...]: names the entry that changed
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("sealed_at", Utc, nullable=False),
    sa.Column("key_id", sa.Text),
    sa.Column("signature", sa.Text),
    sa.UniqueConstraint("previous"),                               # two sealers cannot fork the chain
)


class Entry(NamedTuple):
    """One line of the journal."""

    id: int
    at: datetime
    actor: str
    organisation: str
    kind: str
    object: str
    outcome: str
    origin: str
    details: str


class Line(NamedTuple):
    """An entry as it is sealed and exported, its instant as text: a month has them by the hundred thousand."""

    id: int
    at: str                 # 2026-11-22T02:14:00.000000Z
    actor: str
    organisation: str
    kind: str
    object: str
    outcome: str
    origin: str
    details: str


@dataclass(frozen=True, slots=True)
class Seal:
    """What was true of the entries `from_id` to `to_id` up to `sealed_at`, tied to the seal before it."""

    id: int
    from_id: int
    to_id: int
    count: int
    leaves: str
    root: str
    previous: str
    hash: str
    sealed_at: datetime
    key_id: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """How far the entries' ids had come at an instant, and the transactions that could still add one below."""

    at: datetime
    to_id: int
    writers: frozenset[str]


def look(connection: sa.Connection, at: datetime) -> Look:
    """Ids first, writers second: whoever took an id before the first statement is seen by the second, or has ended."""
    if connection.dialect.name == "sqlite":      # the engine's transactions are serial: nobody else is writing now
        return Look(at, connection.execute(sa.select(sa.func.max(journal.c.id))).scalar_one() or 0, frozenset())
    newest = connection.execute(sa.text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM journal_id_seq"))
    return Look(at, newest.scalar_one(), writers(connection))


def writers(connection: sa.Connection) -> frozenset[str]:
    """The open transactions that write to the journal: each takes this lock before its first id and keeps it."""
    if connection.dialect.name == "sqlite":
        return frozenset()
    held = connection.execute(sa.text(
        "SELECT virtualtransaction FROM pg_locks WHERE relation = 'journal'::regclass AND mode = 'RowExclusiveLock' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ))
    return frozenset(held.scalars())


def add_seal(connection: sa.Connection, new: Seal) -> None:
    """Raises IntegrityError when another sealer was quicker."""
    connection.execute(sa.insert(seal).values(asdict(new)))


def last_seal(connection: sa.Connection, before: datetime | None = None) -> Seal | None:
    """The newest seal, or the newest that was sealed before an instant."""
    query = sa.select(seal).order_by(seal.c.id.desc()).limit(1)
    if before is not None:
        query = query.where(seal.c.sealed_at < before)
    row = connection.execute(query).first()
    return Seal(*row) if row else None


def has_seal(connection: sa.Connection, hash_: str) -> bool:
    return connection.execute(sa.select(seal.c.id).where(seal.c.hash == hash_).limit(1)).first() is not None


def first_at(connection: sa.Connection) -> datetime | None:
    """When the journal was begun."""
    return connection.execute(sa.select(journal.c.at).order_by(journal.c.id).limit(1)).scalar_one_or_none()


def between(connection: sa.Connection, start: datetime, end: datetime) -> tuple[int, int]:
    """How many entries were sealed in that time, in how many seals."""
    query = sa.select(sa.func.coalesce(sa.func.sum(seal.c.count), 0), sa.func.count())
    entries_, seals_ = connection.execute(query.where(seal.c.sealed_at >= start, seal.c.sealed_at < end)).one()
    return entries_, seals_


def entries(connection: sa.Connection, first: int, last: int, most: int) -> list[Entry]:
    """At most so many entries of that range of ids, in order."""
    query = sa.select(journal).where(journal.c.id.between(first, last)).order_by(journal.c.id).limit(most)
    return [Entry(*row) for row in connection.execute(query)]


def all_entries(connection: sa.Connection) -> Iterator[Entry]:
    """Every entry in the order of ids, page by page."""
    for row in _pages(connection, sa.select(journal).order_by(journal.c.id)):
        yield Entry(*row)


def all_lines(connection: sa.Connection) -> Iterator[Line]:
    """The same, as they were sealed."""
    return map(Line._make, _pages(connection, lines(connection)))


def lines(connection: sa.Connection) -> sa.Select[Any]:
    """What makes a `Line`, of every entry in the order of ids."""
    row = journal.c
    at = written(connection.dialect.name, row.at)
    texts = (row.actor, row.organisation, row.kind, row.object, row.outcome, row.origin, row.details)
    return sa.select(row.id, at, *texts).order_by(row.id)


def all_seals(connection: sa.Connection, last: int) -> Iterator[Seal]:
    """Every seal up to that number, page by page."""
    for row in _pages(connection, sa.select(seal).order_by(seal.c.id), PAGE // 20):
        if row.id > last:
            return
        yield Seal(*row)


def _pages(connection: sa.Connection, query: sa.Select[Any], size: int = PAGE) -> Iterator[Any]:
    """In the order of ids, the first of its columns."""
    page = connection.execute(query.limit(size)).all()
    while page:
        if connection.dialect.name == "sqlite":
            connection.rollback()                # a reader holds up every writer there: now they have their turn
        yield from page
        page = connection.execute(query.where(query.selected_columns.id > page[-1].id).limit(size)).all()


def about(connection: sa.Connection, objects: list[str], most: int) -> list[Entry]:
    """The newest entries about these objects (alert:142), oldest first; refusals are left out."""
    row = journal.c
    query = sa.select(journal).where(row.object.in_(objects), row.outcome != "refused").order_by(row.id.desc()).limit(most)
    return [Entry(**each._mapping) for each in reversed(connection.execute(query).all())]
