"""Sealed reviews, who signed them, verdicts, decisions. Of these only decisions move; all others are only ever added."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store.alerts import alert
from bot.store.db import BigId, Utc, metadata
from bot.store.journal import journal

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

verdict = sa.Table(
    "verdict",
    metadata,
    sa.Column("id", BigId, primary_key=True),                      # the newest of a side counts
    sa.Column("group_id", BigId, nullable=False, index=True),
    sa.Column("alert_id", BigId, nullable=False),                  # as it was named
    sa.Column("verdict", sa.Text, nullable=False),                 # useful, noise, duplicate, missing-runbook, needs-fix
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("organisation", sa.Text, nullable=False),
    sa.Column("at", Utc, nullable=False),
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("month", sa.Text, nullable=False),                   # the review in which it was decided
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),                    # fix, tune, automate, delete, cut, other
    sa.Column("owner", sa.Text),
    sa.Column("side", sa.Text, nullable=False),                    # the organisation that has it
    sa.Column("due", sa.Text),                                     # a day: 2026-12-01
    sa.Column("service", sa.Text),
    sa.Column("pattern", sa.Text),                                 # of the groups that it is about
    sa.Column("saving", sa.Text),                                  # 2900 USD a month: as it was expected
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at", Utc, nullable=False),
    sa.Column("state", sa.Text, nullable=False),                   # open, done, dropped
    sa.Column("ended_at", Utc),
    sa.Column("ended_by", sa.Text),
    sa.Column("said", sa.Text),
    sa.Index("ix_decision_state", "state"),
)

measure = sa.Table(
    "measure",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),                  # cost, capacity, availability; asked, unread
    sa.Column("subject", sa.Text, primary_key=True),               # an account, a pool of vigie.yaml, a service
    sa.Column("day", sa.Text, primary_key=True),                   # 2026-10-25, in the zone of the platform's owner
    sa.Column("read_at", Utc, primary_key=True),                   # the newest reading of a day counts; none is written over
    sa.Column("body", sa.Text, nullable=False),                    # JSON, as its collector wrote it
    sa.Index("ix_measure_day", "day"),
)


# --- reviews --------------------------------------------------------------------------------------------------------------


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


MOVED = "decision moved"                 # the journal's word for another owner or day; its details tell what was
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


# --- verdicts -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody of one side says that a group was worth."""

    id: int
    group_id: int
    alert_id: int
    verdict: str
    by: str
    organisation: str
    at: datetime


def add_verdict(connection: sa.Connection, **values: Any) -> None:
    connection.execute(sa.insert(verdict).values(values))


def verdicts(connection: sa.Connection, group_ids: Iterable[int]) -> list[Verdict]:
    """The newest of each side about each of these groups, oldest first."""
    query = sa.select(verdict).where(verdict.c.group_id.in_(tuple(group_ids))).order_by(verdict.c.id)
    newest = {(row.group_id, row.organisation): Verdict(**row._mapping) for row in connection.execute(query)}
    return sorted(newest.values(), key=lambda each: each.id)


def without_verdict(connection: sa.Connection, start: datetime, end: datetime) -> list[int]:
    """Closed groups that opened then, that a person took or closed, and about which nobody has said anything; oldest first."""
    handled = sa.func.max(sa.case((sa.or_(alert.c.acked_by.is_not(None), alert.c.ending == "person"), 1), else_=0))
    opened, over = sa.func.min(alert.c.opened_at), sa.func.max(sa.case((alert.c.state == "closed", 0), else_=1))
    query = (
        sa.select(alert.c.group_id)
        .where(alert.c.opened_at >= start, alert.c.opened_at < end)
        .where(~sa.exists().where(verdict.c.group_id == alert.c.group_id))
        .group_by(alert.c.group_id).having(handled == 1, over == 0).order_by(opened, alert.c.group_id)
    )
    return list(connection.execute(query).scalars())


def verdicts_of(connection: sa.Connection, start: datetime, end: datetime, at: datetime) -> dict[int, str]:
    """The newest verdict, as it was at an instant, of each group that opened then; by the alert that it named."""
    mine = sa.select(alert.c.group_id).where(alert.c.opened_at >= start, alert.c.opened_at < end)
    query = sa.select(verdict).where(verdict.c.group_id.in_(mine), verdict.c.at <= at).order_by(verdict.c.id)
    newest = {row.group_id: row for row in connection.execute(query)}
    return {row.alert_id: row.verdict for row in newest.values()}


# --- decisions ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decision:
    """Something that was agreed; carried until it is done or dropped."""

    id: int
    month: str
    text: str
    kind: str
    owner: str | None
    side: str
    due: str | None
    service: str | None
    pattern: str | None
    saving: str | None
    made_by: str
    made_at: datetime
    state: str
    ended_at: datetime | None
    ended_by: str | None
    said: str | None


def add_decision(connection: sa.Connection, **values: Any) -> int:
    """Its number."""
    row = {"state": "open", **values}
    return int(connection.execute(sa.insert(decision).values(row).returning(decision.c.id)).scalar_one())


def decision_by_id(connection: sa.Connection, number: int) -> Decision | None:
    row = connection.execute(sa.select(decision).where(decision.c.id == number)).one_or_none()
    return Decision(**row._mapping) if row else None


def open_decisions(connection: sa.Connection) -> list[Decision]:
    """What is neither done nor dropped: what is due first, first."""
    query = sa.select(decision).where(decision.c.state == "open")
    found = [Decision(**row._mapping) for row in connection.execute(query)]
    return sorted(found, key=lambda each: (each.due or "9999", each.id))


def moved_since(connection: sa.Connection, numbers: Iterable[int], at: datetime) -> dict[int, dict[str, Any]]:
    """What owner, side and day of these decisions were at an instant, of those that were moved since then."""
    row, about = journal.c, [f"decision:{each}" for each in numbers]
    query = sa.select(row.object, row.details).where(row.object.in_(about), row.kind == MOVED, row.at > at)
    was: dict[int, dict[str, Any]] = {}
    for each in connection.execute(query.order_by(row.id.desc())):
        was.setdefault(int(each.object.rpartition(":")[2]), {}).update(json.loads(each.details)["was"])
    return was


def change_decision(connection: sa.Connection, number: int, **values: Any) -> bool:
    """False when it is open no more."""
    mine = (decision.c.id == number, decision.c.state == "open")
    return connection.execute(sa.update(decision).where(*mine).values(values)).rowcount == 1
