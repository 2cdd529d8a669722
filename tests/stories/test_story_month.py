"""A month is lived, sealed by whichever worker survives, posted once, signed by both sides, mended, and looked back upon."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import commands
from bench.company import environment, write_config
from bench.processes import Process, answers, free_port
from bench.stage import Slack
from bot.app import WORKER
from bot.config import load_config
from bot.discover import discover
from bot.entrypoints.perform import Saying, perform
from bot.ports import SystemIds
from bot.services.desk import Desk
from bot.services.ledger import audit
from bot.services.review import deciding, decisions, reading, sealing
from bot.services.review.deciding import Wanted
from bot.store import cards, journal, reviews
from bot.store.db import reader
from commands import Command
from tests.fakes import ManualClock
from tests.house_clock import HouseClock, start
from tests.month_stage import CUT_OFF, NOVEMBER, lived
from tests.patience import PATIENCE_S
from tests.story import LEA, MARIE

FAMILY = discover(commands, Command)
INES, PAUL, ALICE, OMAR = "U0INES0001", "U0PAUL0001", "U0ALICE001", "U0OMAR0001"
REVIEW = "C0REVIEW01"
JANUARY = datetime(2027, 1, 6, 10, tzinfo=UTC)
SETTLED_S = 2


class House:
    """Two workers that wake up just after the cut-off of a month that was lived through, and a Slack."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.engine, config = engine, folder / "vigie.yaml"
        write_config(config)
        self.config = load_config(config)
        self._live()
        self.clock = HouseClock(CUT_OFF + timedelta(minutes=1))
        slack_port = free_port()
        own = [str(slack_port), "http://127.0.0.1:9/slack/events", str(config), "0", str(self.clock.ahead_s)]
        process = Process(["bench.slack", *own], folder)      # its clock is ours: it must find what was said before a death
        self.slack = Slack(process, f"http://127.0.0.1:{slack_port}")
        until(lambda: answers(f"{self.slack.url}/bench/calls"), "Slack to be open")
        environ = environment(engine.url.render_as_string(hide_password=False), config, 0, self.slack.url)
        environ.pop("PORT")
        self.workers = [start(WORKER, environ, folder / f"worker-{number}.log", self.clock) for number in range(2)]
        self.desk = Desk(engine, self.config, self.clock, SystemIds())

    def _live(self) -> None:
        """In October's review it was decided to mend what pay-api had; that was done in November, after it had come again."""
        desk = lived(self.engine, config=self.config)
        made = deciding.decide(desk, MARIE, Wanted("mend pay-api", owner="lea", about="1", kind="fix", month="2026-10"))
        assert isinstance(desk.clock, ManualClock)
        desk.clock.advance(3_600)
        decisions.end(desk, LEA, made, "done", "a larger pool")

    def say(self, person: str, *words: str, ref: str | None = None, way: Any = "line") -> str:
        return perform(self.desk, FAMILY, Saying("T0BRIDGE01", person, f"slack {REVIEW}", words, ref, way)).text

    def shows(self, words: str) -> bool:
        """Whether Slack was last told so about a review."""
        told = [each for each in self.slack.calls() if each.text.startswith("The review of")]
        return bool(told) and words in told[-1].text

    def keys(self) -> Counter[str]:
        return Counter(each for each in self.slack.cards() if each.startswith(f"review:{NOVEMBER}"))

    def files(self) -> int:
        return sum(each.error is None and each.status == 200 for each in self.slack.calls("files.completeUploadExternal"))

    def unsent(self) -> list[str]:
        with reader(self.engine) as connection:
            mine = cards.post.c.kind.in_(("review", "exhibit")), cards.post.c.due_at.is_not(None)
            return list(connection.execute(sa.select(cards.post.c.key).where(*mine)).scalars())

    def versions(self, month: str = NOVEMBER) -> list[reviews.Sealed]:
        with reader(self.engine) as connection:
            return reviews.versions(connection, month)

    def told(self) -> list[tuple[str, int]]:
        with reader(self.engine) as connection:
            every = journal.about(connection, [f"review:{NOVEMBER}"], 50)
        return [(each.kind, json.loads(each.details)["version"]) for each in every]

    def end(self) -> None:
        for process in self.workers:
            process.kill()
            process.join()
        self.slack.process.end()


@pytest.fixture
def house(tmp_path: Path, postgres_engine: sa.Engine) -> Iterator[House]:
    made = House(tmp_path, postgres_engine)
    try:
        yield made
    finally:
        made.end()


def until(fact: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, f"waited {PATIENCE_S:g} s for {what}"
        time.sleep(0.1)


def test_a_month_is_sealed_signed_mended_and_looked_back_upon(house: House) -> None:
    until(house.versions, "the month to be sealed")
    house.workers[0].kill()                 # whichever has sealed it: the message stands in rows
    until(lambda: house.keys() and not house.unsent(), "the message and what is attached to it")
    time.sleep(SETTLED_S)                   # what would be said twice would be said now
    assert house.keys() == {f"review:{NOVEMBER}:1": 1} and house.files() == 4
    assert house.told() == [("review sealed", 1)]

    both_sides_sign(house)
    what_is_learnt_late_makes_another_version(house)
    the_month_after_shows_what_the_decision_did(house)
    with reader(house.engine) as connection:
        assert reading.verify(connection, house.config, NOVEMBER, 1).same
        assert audit.verify(connection).ok


def both_sides_sign(house: House) -> None:
    assert "You have signed v1" in house.say(INES, "review", "sign", "padok", ref="2026-11v1", way="button")
    assert "Both sides have signed it now." in house.say(PAUL, "review", NOVEMBER, "sign")
    until(lambda: not house.unsent(), "Slack to show the signatures")
    assert house.told()[1:] == [("review signed", 1), ("review signed", 1), ("review agreed", 1)]


def what_is_learnt_late_makes_another_version(house: House) -> None:
    assert "it counts in its next version" in house.say(OMAR, "verdict", "useful", ref="1", way="button")
    made = house.say(PAUL, "review", NOVEMBER, "again", "a", "verdict", "came", "late")
    assert made.startswith("v2 of November 2026 is sealed and posted.") and "#1 none → useful" in made, made
    until(lambda: house.keys() == {f"review:{NOVEMBER}:{version}": 1 for version in (1, 2)}, "the second version to be posted")
    until(lambda: house.shows("v2") or not house.unsent(), "all to be shown")
    assert house.say(ALICE, "review", NOVEMBER).endswith("json).") and "Nobody has signed it yet." in house.say(ALICE, "review")


def the_month_after_shows_what_the_decision_did(house: House) -> None:
    house.clock.go_to(JANUARY)
    sealing.act(house.desk)                 # the worker that is left may be quicker
    until(lambda: house.versions("2026-12"), "December to be sealed")
    with reader(house.engine) as connection:
        review = reading.get(connection, house.config, "2026-12", JANUARY).review
    said = next(each.said for each in review.sections if each.name == "decisions")
    assert any("\"mend pay-api\": −" in each and "alerts a month ✔" in each for each in said), said
