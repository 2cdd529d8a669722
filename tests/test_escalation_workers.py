"""Three workers on PostgreSQL, two of them killed at the moment of a level: each level calls exactly once."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.ports import SystemClock
from bot.services.alert import automation
from bot.store import cards, escalations
from bot.store.journal import journal
from tests.call_stage import UNKNOWN
from tests.call_workers import hasty
from tests.patience import PATIENCE_S
from tests.story import arrive, desk_on, signal

ROOT = Path(__file__).parents[1]
POINTS = (("escalate: before commit", "2"), ("escalate: after commit", "2"), ("-", "0"))


@pytest.fixture
def workers(postgres_engine: sa.Engine) -> Iterator[list["subprocess.Popen[str]"]]:
    url = postgres_engine.url.render_as_string(hide_password=False)
    made = [
        subprocess.Popen([sys.executable, "-m", "tests.call_workers", url, *each], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for each in POINTS
    ]
    for each in made:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    yield made
    for each in made:
        each.kill()
        each.wait()
        if each.stdout:
            each.stdout.close()


def test_each_level_is_called_exactly_once_whoever_dies(workers, postgres_engine: sa.Engine) -> None:
    desk = desk_on(postgres_engine, SystemClock(), config=hasty())
    for number in range(4):
        arrive(desk, signal(**{**UNKNOWN, "key": f"fault {number}", "service": "ledger"}))
    automation.act(desk)
    end = time.monotonic() + PATIENCE_S
    while min(_levels(postgres_engine).values(), default=0) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(0.5)
    assert [each.poll() for each in workers] == [-9, -9, None], "two were killed, the third worked on"
    with postgres_engine.connect() as connection:
        pages = connection.execute(sa.select(cards.post).where(cards.post.c.kind == "page").order_by(cards.post.c.id)).all()
        told = connection.execute(sa.select(journal.c.details, journal.c.object).where(journal.c.kind == "person called")).all()
        tries = escalations.attempts(connection)
    by_group = Counter(each.group_id for each in pages)
    assert len(by_group) == 4 and len(set(by_group.values())) == 1, by_group
    called = Counter((row.object, json.loads(row.details)["role"], json.loads(row.details)["who"]) for row in told)
    assert set(called.values()) == {1}
    twice = Counter((each.escalation_id, each.level, each.person, each.medium, each.contact) for each in tries)
    assert set(twice.values()) == {1}


def _levels(engine: sa.Engine) -> Counter[int]:
    with engine.connect() as connection:
        query = sa.select(cards.post.c.group_id).where(cards.post.c.kind == "page")
        found = Counter(connection.execute(query).scalars())
    return found if len(found) == 4 else Counter()
