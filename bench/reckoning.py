"""After a soak: everything that was promised is looked up, in the database, in the journal and in Slack."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bench.databases import deliveries
from bench.people import PEOPLE, Page
from bench.platform import BROKEN, NOT_NOW, Reporter
from bench.stage import House
from bot.config import Config
from bot.ports import SystemClock, SystemIds
from bot.services.desk import Desk
from bot.services.ledger import audit
from bot.services.slack import cards
from bot.store import journal
from bot.store.cards import Post, backlog, post
from bot.store.db import create_engine, reader

# What a person is told, and the entry that must then stand in the journal.
SAID = {
    re.compile(r"#(\d+) is yours · "): "alert acked",
    re.compile(r"#(\d+) is marked as seen by you"): "alert seen",
    re.compile(r"#(\d+) is closed\. "): "alert closed",
    re.compile(r"Noted on #(\d+)\."): "alert noted",
}
PENDING = "SELECT count(*) FROM {table} WHERE name = 'deliver' AND status IN ('PENDING', 'ENQUEUED')"
WORKS = {"sqlite": "workflow_status", "postgresql": "dbos.workflow_status"}
MISCOUNTED = "SELECT count(*) FROM alert WHERE signals <> (SELECT count(*) FROM signal WHERE alert_id = alert.id)"
LAST_STATES = "SELECT title, state, closed_by FROM alert WHERE id IN (SELECT max(id) FROM alert GROUP BY fingerprint)"
IN_PROBATION = "SELECT count(*) FROM alert WHERE state = 'recovered'"
STUCK = {
    "lanes_stuck": "SELECT count(*) FROM lane WHERE busy",
    "attempts_left": "SELECT count(*) FROM attempt",
    "notes_doubled": "SELECT count(*) FROM (SELECT text FROM note GROUP BY text HAVING count(*) > 1) AS twice",
}


@contextmanager
def looking(url: str) -> Iterator[sa.Connection]:
    """A connection for looking only."""
    engine = create_engine(url, poolclass=sa.pool.NullPool)
    with reader(engine) as connection:
        yield connection


def unsettled(url: str) -> int:
    """What still waits: posts, deliveries under way, alerts in probation, entries without a seal."""
    with looking(url) as connection:
        waiting = int(connection.scalar(sa.text(IN_PROBATION)) or 0)
        return waiting + sum(_stuck(connection).values()) + audit.verify(connection).unsealed


def _stuck(connection: sa.Connection) -> dict[str, int]:
    counts = {**STUCK, "works_stuck": PENDING.format(table=WORKS[connection.dialect.name])}
    found = {name: int(connection.scalar(sa.text(query)) or 0) for name, query in counts.items()}
    return {"posts_stuck": backlog(connection, datetime.now(UTC))[0], **found}


def reckon(home: House, config: Config, reporters: Iterable[Reporter]) -> dict[str, Any]:
    """The figures; those of `soak.NOTHING` must be 0."""
    with looking(home.url) as connection:
        alerts = int(connection.scalar(sa.text("SELECT count(*) FROM alert")) or 0)
        return {
            **_deliveries(home.url, reporters), "alerts": alerts, **_states(connection, reporters),
            **_cards(home, connection, config, alerts), **_stuck(connection), **_answers(home, connection, config),
            **_journal(connection),
        }


def _deliveries(url: str, reporters: Iterable[Reporter]) -> dict[str, int]:
    told = [each.told for each in reporters]
    promised = {f"bridge-generic:{name}" for each in told for name in each.taken}
    held = {key.rpartition(":")[0] for key in deliveries(url)}
    answers = sum((each.answers for each in told), Counter[int]())
    later = answers.pop(BROKEN, 0) + answers.pop(NOT_NOW, 0)
    return {
        "answered_2xx": len(promised), "stored": len(held & promised), "lost": len(promised - held), "sent_again": later,
        "refused": answers.total(), "given_up": sum(each.given_up for each in told),
    }


def _states(connection: sa.Connection, reporters: Iterable[Reporter]) -> dict[str, int]:
    """Each check's last alert is as the check said last, unless a person has closed it."""
    firing = {check.title: check.firing for each in reporters for check in each.checks}
    last = connection.execute(sa.text(LAST_STATES)).all()
    return {
        "states_wrong": sum(not _right(row, firing[row.title]) for row in last),
        "miscounted": int(connection.scalar(sa.text(MISCOUNTED)) or 0),
    }


def _right(last: sa.Row[Any], firing: bool) -> bool:
    still_open = last.state in ("firing", "acked")
    return still_open == firing or (firing and last.closed_by in PEOPLE.values())


def _cards(home: House, connection: sa.Connection, config: Config, alerts: int) -> dict[str, Any]:
    """Every post stands in Slack once, and each card says what would be drawn now."""
    shown = Counter(home.slack.cards())
    posts = [Post(**row._mapping) for row in connection.execute(sa.select(post))]
    reading = Page(home.slack.url, next(iter(PEOPLE)))
    texts = {
        (name, each["ts"]): each["text"] for name in config.channels.values() for each in reading.messages(name)
    }
    roots = [each for each in posts if each.kind == "card"]
    desk = Desk(connection.engine, config, SystemClock(), SystemIds())
    drawn = {each.key: cards.draw(desk, connection, each, each.late_s).text for each in roots}
    return {
        "cards_per_alert": sum(n for key, n in shown.items() if key.startswith("card:")) / max(1, alerts),
        "doubled": sum(n > 1 for n in shown.values()),
        "missing": sum(each.key not in shown for each in posts if _is_due(each, desk)),
        "stale": sum(texts.get((each.channel, each.ts or "")) != drawn[each.key] for each in roots),
        "threads": len(posts) - len(roots),
    }


def _is_due(post: Post, desk: Desk) -> bool:
    """Slack should show it by now: it is neither for later nor withdrawn because it has lost its sense."""
    return post.ts is not None or (post.due_at is not None and post.due_at <= desk.clock.now())


def _answers(home: House, connection: sa.Connection, config: Config) -> dict[str, int]:
    """Whoever was told that something is done finds it in the journal."""
    told: Counter[tuple[str, str, str]] = Counter()
    answers = 0
    for person, key in PEOPLE.items():
        for channel in config.channels.values():
            whispers = Page(home.slack.url, person).whispers(channel)
            answers += len(whispers)
            told.update((key, kind, f"alert:{found[1]}") for text in whispers for said, kind in SAID.items()
                        if (found := said.search(text)))
    written = Counter((each.actor, each.kind, each.object) for each in journal.all_entries(connection))
    return {"people_answered": answers, "done_for_people": told.total(), "unwritten": (told - written).total()}


def _journal(connection: sa.Connection) -> dict[str, Any]:
    verdict = audit.verify(connection, now=datetime.now(UTC))
    return {
        "entries": verdict.entries, "seals": verdict.seals, "journal_faults": len(verdict.faults), "unsealed": verdict.unsealed,
    }
