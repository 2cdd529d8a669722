"""Two workers on one database when the duty passes, one of them killed at that very instant: everything happens once."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import holidays
import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

from bench.company import environment, write_config
from bench.processes import Process, answers, free_port
from bench.stage import Slack
from bot.app import WEB, WORKER
from bot.services.ledger import audit
from bot.store import cards, handoffs, journal
from bot.store.db import reader
from bot.store.handoffs import Handoff
from bot.store.pages import page_attempt
from tests.house_clock import HouseClock, start
from tests.patience import PATIENCE_S

BEFORE, ALARM = timedelta(minutes=3), timedelta(seconds=4)      # the house starts, and has an alarm, before the duty passes
SETTLED_S = 3
SUNDAY, HOLIDAYS = 6, holidays.country_holidays("FR")
HALF_A_DAY = timedelta(hours=12)
PAGING = {"secondary_after": "5s", "lead_after": "10s", "other_side_after": "15s", "fallback_after": "20s", "again_every": "1m"}


def write(path: Path, boundary: datetime) -> None:
    """The bench's company in UTC, nobody in blackout, judged by no rule; the duty passes at `boundary` and 12 h later."""
    write_config(path)
    yaml = YAML()
    document = yaml.load(path.read_text())
    for each in document["organisations"].values():
        each["timezone"] = "UTC"
        for name in ("blackout", "labour", "break_glass"):
            each.pop(name, None)
    for each in document["people"].values():
        each.pop("contacts", None)
    cut = sorted([(f"{boundary:%H:%M}", "padok-nights"), (f"{boundary + HALF_A_DAY:%H:%M}", "bridge-day")])
    coverage = document["coverages"]["platform"]
    coverage["days"] = {"weekday": [{"at": at, "team": team, "mode": "active"} for at, team in cut]}
    coverage["paging"] = PAGING
    document.pop("mandates", None)
    with path.open("w") as out:
        yaml.dump(document, out)


def last_sunday() -> datetime:
    """Ten in the evening of a plain Sunday that is over: the next day somebody's turn begins, who is reminded of it."""
    now = datetime.now(UTC)
    day = now.date() - timedelta(days=(now.weekday() - SUNDAY) % 7 or 7)
    while day in HOLIDAYS or day + timedelta(days=1) in HOLIDAYS:
        day -= timedelta(days=7)
    return datetime(day.year, day.month, day.day, 22, tzinfo=UTC)


class House:
    """`vigie web`, two `vigie worker`, and a Slack; the duty passes from Bridge to Padok in a while."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.engine, self.boundary = engine, last_sunday()
        self.clock, config = HouseClock(self.boundary - BEFORE), folder / "vigie.yaml"
        write(config, self.boundary)
        port, slack_port = free_port(), free_port()
        events = f"http://127.0.0.1:{port}/slack/events"
        process = Process(["bench.slack", str(slack_port), events, str(config), "0"], folder)
        self.slack = Slack(process, f"http://127.0.0.1:{slack_port}")
        database = engine.url.render_as_string(hide_password=False)
        self.environ, self.port = environment(database, config, port, self.slack.url), port
        without_port = {name: value for name, value in self.environ.items() if name != "PORT"}
        self.workers = [start(WORKER, without_port, folder / f"worker-{number}.log", self.clock) for number in range(2)]
        self.web = start(WEB, self.environ, folder / "web.log", self.clock)
        self.at_work = [folder / f"worker-{number}.log" for number in range(2)]

    def opened(self) -> bool:
        works = all(each.exists() and "vigie runs" in each.read_text() for each in self.at_work)
        return works and len(self.entries("handoff planned")) > 0 and answers(f"{self.slack.url}/bench/calls") \
            and answers(f"http://127.0.0.1:{self.port}/health/ready")

    def alarm(self) -> None:
        body = json.dumps({"key": "k", "state": "firing", "severity": "critical", "title": "It fails", "service": "ledger"})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/webhooks/generic/bridge-generic", body.encode(),
            {"X-Vigie-Secret": self.environ["VIGIE_SECRET_BRIDGE_GENERIC"]},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            assert answer.status == 200

    def sleep_until(self, at: datetime) -> None:
        time.sleep(max(0.0, (at - self.clock.now()).total_seconds()))

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with reader(self.engine) as connection:
            return [json.loads(each.details) for each in journal.all_entries(connection) if each.kind == kind]

    def told(self) -> int:
        """How many messages Slack took."""
        return sum(each.error is None and each.status == 200 for each in self.slack.calls("chat.postMessage"))

    def sent(self) -> list[str]:
        """The keys of what was sent, as the rows have it."""
        with reader(self.engine) as connection:
            return list(connection.execute(sa.select(cards.post.c.key).where(cards.post.c.ts.is_not(None))).scalars())

    def passings(self) -> list[Handoff]:
        """Of the duty, at that instant."""
        with reader(self.engine) as connection:
            return [each for each in handoffs.since(connection, "platform", self.boundary) if each.boundary == self.boundary]

    def end(self) -> None:
        for process in [self.web, *self.workers]:
            process.kill()
            process.join()
        self.slack.process.end()


@pytest.fixture
def house(tmp_path: Path, postgres_engine: sa.Engine) -> Iterator[House]:
    made = House(tmp_path, postgres_engine)
    try:
        until(made.opened, "the house to be open")
        yield made
    finally:
        made.end()


def until(fact: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < end, f"waited {PATIENCE_S:g} s for {what}"
        time.sleep(0.1)


def test_one_of_two_workers_dies_as_the_duty_passes_and_everything_happens_once(house: House) -> None:
    house.clock.go_to(house.boundary - ALARM)
    house.alarm()                                   # the second is called about when the duty passes, the next ones after it
    house.sleep_until(house.boundary)
    house.workers[0].kill()
    until(lambda: len(house.entries("person called")) >= 3, "three to be called")
    until(lambda: kinds(house) >= {"handoff", "tell", "page", "remind"}, "all that is said when the duty passes")
    until(lambda: [json.loads(each.done).get("call incoming") for each in house.passings()] == ["done"], "the duty to pass")
    time.sleep(SETTLED_S)       # what would be said twice would be said now

    the_duty_passed_once(house)
    each_was_called_once(house)
    nothing_was_said_twice(house)
    with reader(house.engine) as connection:
        assert audit.verify(connection).ok


def the_duty_passed_once(house: House) -> None:
    every = house.passings()
    assert [each.from_team for each in every] == ["bridge-day"]
    done = json.loads(every[0].done)
    assert done["pass"] == "done" and done["call incoming"] == "done"
    assert len(house.entries("duty passed")) == 1
    told = Counter((each["about"], each["who"]) for each in house.entries("handoff told"))
    assert told and set(told.values()) == {1}


def each_was_called_once(house: House) -> None:
    called = [(each["who"], each["role"]) for each in house.entries("person called")]
    assert len(called) >= 3 and len(called) == len(set(called)), called
    with reader(house.engine) as connection:
        keys = connection.execute(sa.select(page_attempt.c.key)).scalars().all()
    assert len(keys) == len(set(keys)) == 2 * len(called)       # by mention and directly


def nothing_was_said_twice(house: House) -> None:
    """Rows, and what Slack took: one message for each."""
    until(lambda: house.told() == len(house.sent()), "one row for each message")


def kinds(house: House) -> set[str]:
    return {each.split(":")[0] for each in house.sent()}
