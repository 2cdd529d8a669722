"""Posts: what Slack should show. Cards, what stands in their threads (log, run, file, ask, page), notices."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.store import batch
from bot.store.db import BigId, Utc, as_rows, instant, metadata, rows
from bot.store.groups import alert_group

approval = sa.table("approval", sa.column("id"), sa.column("run_id"))      # approvals.py shows its questions by us

post = sa.Table(
    "post",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),       # card:142, log:142, seal:2026-11-22; also Slack's metadata key
    # card, log, notice, run, file, ask, page, direct, handoff, review, exhibit
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("group_id", BigId, index=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("body", sa.Text),                                    # the words of a notice or page; the others are drawn from rows
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("sent_revision", sa.Integer, nullable=False),
    sa.Column("first_due_at", Utc, nullable=False),
    sa.Column("due_at", Utc),                                      # null: Slack shows the newest revision
    sa.Column("urgency", sa.Integer, nullable=False),              # 0 a person waits, 1 new, 2 changed, 3 only counted
    sa.Column("ts", sa.Text),
    sa.Column("sent_at", Utc),
    sa.Column("late_s", sa.Integer),
    sa.Column("failure", sa.Text),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Index("ix_post_channel_due_at", "channel", "due_at"),
)

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False),           # the delivery run that holds the channel
    sa.Column("busy", sa.Boolean, nullable=False),
)


ALONE = ("card", "notice", "direct", "handoff", "review", "incident")           # messages that stand in nobody's thread


@dataclass(frozen=True, slots=True)
class Post:
    """One message that Slack should show."""

    id: int
    key: str
    kind: str
    group_id: int | None
    channel: str
    body: str | None
    revision: int
    sent_revision: int
    first_due_at: datetime
    due_at: datetime | None
    urgency: int
    ts: str | None
    sent_at: datetime | None
    late_s: int | None
    failure: str | None
    tries: int


def bump(connection: sa.Connection, group_id: int, now: datetime, urgency: int) -> None:
    """The group's card and log have something new to show; the log is made when it is first needed."""
    group = alert_group.c
    card = connection.execute(sa.select(group.channel).where(group.id == group_id)).scalar_one()
    for kind in ("card", "log"):
        record = {"key": f"{kind}:{group_id}", "kind": kind, "group_id": group_id, "channel": card}
        batch.bump_posts(connection, [{**record, "due_at": now, "urgency": urgency}])


def add_notice(
    connection: sa.Connection, key: str, channel: str, body: str, now: datetime, due_at: datetime | None = None
) -> None:
    """A message of its own, posted once, now or at `due_at`; the same key again changes nothing."""
    _add(connection, key, "notice", channel, None, body, due_at or now, urgency=1)


def add_page(
    connection: sa.Connection, key: str, channel: str, group_id: int | None, people: Sequence[str], said: str, now: datetime,
    under: str = "",
) -> None:
    """Calls these people (keys of vigie.yaml) once with a sentence, in the thread of the group's card.

    `key` is page:<alert>:<number> or doubt:<run>:<step>; the same key again calls nobody. `under` is safe markup of ours.
    """
    body = json.dumps({"people": list(people), "said": said, "under": under}, ensure_ascii=False)
    _add(connection, key, "page", channel, group_id, body, now, urgency=0)


def add_direct(
    connection: sa.Connection, key: str, user: str, said: str, now: datetime, due_at: datetime | None = None,
    offers: Sequence[tuple[str, str, str]] = (),
) -> None:
    """A direct message to a Slack user, posted once, now or at `due_at`; the same key again changes nothing.

    `offers` are buttons: what it says, the command it calls (`handoff:accept`), and its value.
    """
    body = json.dumps({"said": said, "offers": list(offers)}, ensure_ascii=False)
    _add(connection, key, "direct", user, None, body, due_at or now, urgency=0)


def add_paper(
    connection: sa.Connection, key: str, channel: str, group_id: int | None, paper: tuple[str, str, str, str], now: datetime
) -> None:
    """A text as a file, in the thread of the group's card or by itself: its name, title, what it shows, and the text."""
    body = json.dumps(dict(zip(("name", "title", "said", "content"), paper, strict=True)), ensure_ascii=False)
    _add(connection, key, "paper", channel, group_id, body, now, urgency=1)


def _add(
    connection: sa.Connection, key: str, kind: str, channel: str, group_id: int | None, body: str, due_at: datetime,
    urgency: int,
) -> None:
    known = connection.execute(sa.select(post.c.id).where(post.c.key == key)).first()
    if known is None:
        connection.execute(post.insert().values(
            key=key, kind=kind, channel=channel, group_id=group_id, body=body, revision=1, sent_revision=0,
            first_due_at=due_at, due_at=due_at, urgency=urgency, tries=0,
        ))


def redraw_pages(connection: sa.Connection, group_id: int, now: datetime) -> None:
    """The calls about the group's alerts are to be drawn anew: their buttons are for those whom nobody has yet."""
    shown = (post.c.group_id == group_id, post.c.kind == "page", post.c.ts.is_not(None))
    connection.execute(sa.update(post).where(*shown).values(
        revision=post.c.revision + 1, due_at=sa.func.coalesce(post.c.due_at, now), urgency=2,
    ))


def show_ask(connection: sa.Connection, approval_id: int, channel: str, group_id: int | None, now: datetime) -> None:
    """The message that asks for an approval is to be posted, or drawn anew."""
    batch.bump_posts(connection, [{
        "key": f"approval:{approval_id}", "kind": "ask", "group_id": group_id, "channel": channel, "due_at": now, "urgency": 0,
    }])


def show(connection: sa.Connection, key: str, kind: str, channel: str, due_at: datetime, urgency: int = 1) -> None:
    """A message that is drawn from rows which its key names is to be posted, or drawn anew."""
    record = {"key": key, "kind": kind, "group_id": None, "channel": channel, "due_at": due_at, "urgency": urgency}
    batch.bump_posts(connection, [record])


def next_due(connection: sa.Connection, channel: str, now: datetime) -> Post | None:
    """What to send next: what a person waits for, then what was never shown, then the oldest change."""
    query = (
        sa.select(post)
        .where(post.c.channel == channel, post.c.due_at <= now)
        .order_by(post.c.urgency, post.c.due_at, post.c.id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return Post(**row._mapping) if row else None


def due_channels(connection: sa.Connection, now: datetime) -> list[str]:
    """Channels in which something is due."""
    return list(connection.execute(sa.select(post.c.channel).where(post.c.due_at <= now).distinct()).scalars())


def by_key(connection: sa.Connection, key: str) -> Post | None:
    row = connection.execute(sa.select(post).where(post.c.key == key)).one_or_none()
    return Post(**row._mapping) if row else None


def by_ts(connection: sa.Connection, channel: str, ts: str) -> Post | None:
    """The post that Slack shows as this message."""
    row = connection.execute(sa.select(post).where(post.c.channel == channel, post.c.ts == ts)).first()
    return Post(**row._mapping) if row else None


def shown(connection: sa.Connection, sent: Post, ts: str, revision: int, now: datetime, late_s: int | None) -> None:
    """Slack shows this revision; if there is a newer one it is still due."""
    newest = post.c.revision == revision
    connection.execute(sa.update(post).where(post.c.id == sent.id).values(
        ts=ts, sent_revision=revision, sent_at=now, late_s=late_s, failure=None, tries=0,
        due_at=sa.case((newest, None), else_=post.c.due_at),
    ))


def failed(connection: sa.Connection, sent: Post, why: str, again_at: datetime) -> None:
    """Slack did not take it; it is due again then."""
    connection.execute(
        sa.update(post).where(post.c.id == sent.id).values(failure=why, tries=sent.tries + 1, due_at=again_at)
    )


def root_of(connection: sa.Connection, reply: Post) -> Post | None:
    """The message in whose thread it stands: the group's card, or without a group that of its run."""
    if reply.kind in ALONE:
        return None
    if reply.group_id is not None:
        return by_key(connection, f"card:{reply.group_id}")
    if reply.kind == "exhibit":                                     # exhibit:2026-10:1:report.pdf
        return by_key(connection, ":".join(["review", *reply.key.split(":")[1:3]]))
    run_id = _run_of(connection, reply)
    return by_key(connection, f"run:{run_id}") if run_id else None


def _run_of(connection: sa.Connection, reply: Post) -> int | None:
    """file:57:0 and doubt:57:2 name their run; approval:12 is asked for one; a run stands by itself."""
    what, number = reply.key.split(":")[:2]
    if what == "approval":
        return connection.execute(sa.select(approval.c.run_id).where(approval.c.id == int(number))).scalar_one_or_none()
    return int(number) if what in ("file", "doubt") else None


def hold(connection: sa.Connection, reply: Post, until: datetime) -> None:
    """It has no thread to stand in yet."""
    connection.execute(sa.update(post).where(post.c.id == reply.id, post.c.due_at < until).values(due_at=until))


def withdraw(connection: sa.Connection, unsent: Post) -> None:
    """It will not be sent: it has lost its sense."""
    connection.execute(sa.update(post).where(post.c.id == unsent.id, post.c.ts.is_(None)).values(due_at=None))


def hold_thread(connection: sa.Connection, card: Post, until: datetime) -> None:
    """Nothing can stand in the thread of a card before that is shown."""
    replies = (post.c.group_id == card.group_id, post.c.kind.not_in(("card", "notice")), post.c.ts.is_(None))
    connection.execute(sa.update(post).where(*replies, post.c.due_at < until).values(due_at=until))


def lost(connection: sa.Connection, sent: Post) -> None:
    """The message is gone from Slack: it is posted anew."""
    connection.execute(sa.update(post).where(post.c.id == sent.id).values(ts=None, tries=sent.tries + 1))


def backlog(connection: sa.Connection, now: datetime | None = None) -> tuple[int, datetime | None]:
    """How many posts wait, and since when the oldest does; with `now` without those that are for later, after a blackout."""
    query = sa.select(sa.func.count(), sa.func.min(post.c.due_at)).where(post.c.due_at.is_not(None))
    query = query.where(post.c.due_at <= now) if now else query
    count, oldest = connection.execute(query).one()
    return int(count), instant(oldest) if oldest is not None else None


def failures(connection: sa.Connection) -> list[sa.Row[Any]]:
    """Channels that do not take our posts, and why."""
    query = sa.select(post.c.channel, post.c.failure, sa.func.count().label("posts")).where(post.c.failure.is_not(None))
    return list(connection.execute(query.group_by(post.c.channel, post.c.failure)))


def claim(connection: sa.Connection, channel: str) -> int | None:
    """The generation of a delivery run that now holds the channel; None if another run holds it."""
    taken = connection.execute(
        sa.update(lane).where(lane.c.channel == channel, sa.not_(lane.c.busy))
        .values(busy=True, generation=lane.c.generation + 1).returning(lane.c.generation)
    ).scalar_one_or_none()
    if taken is not None:
        return int(taken)
    given = rows(connection.dialect.name, {"channel": "text"})
    made = connection.execute(
        sa.text(f"INSERT INTO lane (channel, generation, busy) SELECT channel, 1, true FROM ({given}) AS new WHERE true"
                " ON CONFLICT (channel) DO NOTHING RETURNING generation"),
        as_rows([{"channel": channel}]),
    ).scalar_one_or_none()
    return None if made is None else int(made)


def release(connection: sa.Connection, channel: str, generation: int) -> bool:
    """Whether this run held the channel until now."""
    mine = (lane.c.channel == channel, lane.c.generation == generation, lane.c.busy)
    return connection.execute(sa.update(lane).where(*mine).values(busy=False)).rowcount == 1


def busy_lanes(connection: sa.Connection) -> list[tuple[str, int]]:
    """Channels whose delivery run is (or should be) under way."""
    query = sa.select(lane.c.channel, lane.c.generation).where(lane.c.busy)
    return [(row.channel, row.generation) for row in connection.execute(query)]
