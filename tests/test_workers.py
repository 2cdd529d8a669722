"""Several processes on PostgreSQL: one answers, two work; one of them dies in the middle and nothing is lost or doubled."""

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.company import environment, write_config
from bench.processes import Process, free_port
from bench.stage import Slack
from bot.services.ledger import audit
from bot.store.db import reader
from tests.patience import PATIENCE_S

ALERTS = 6


class House:
    """`vigie web` and two `vigie worker`, and a Slack."""

    def __init__(self, folder: Path, database_url: str) -> None:
        config = folder / "vigie.yaml"
        write_config(config)
        self.port, slack_port = free_port(), free_port()
        self.events = f"http://127.0.0.1:{self.port}/slack/events"
        process = Process(["bench.slack", str(slack_port), self.events, str(config), "1.0"], folder)
        self.slack = Slack(process, f"http://127.0.0.1:{slack_port}")
        process.wait_for(f"{self.slack.url}/bench/calls")
        self.environ = environment(database_url, config, self.port, self.slack.url)
        without_port = {name: value for name, value in self.environ.items() if name != "PORT"}
        self.workers = [Process(["bot", "worker"], folder, without_port) for _ in range(2)]
        self.web = Process(["bot", "web"], folder, self.environ)
        self.web.wait_for(f"http://127.0.0.1:{self.port}/health/ready")

    def alarm(self, number: int) -> int:
        body = {"key": f"fault {number}", "state": "firing", "severity": "high", "title": f"fault {number}",
                "service": "ledger" if number % 2 else "pay-api"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/webhooks/generic/bridge-generic", json.dumps(body).encode(),
            {"X-Vigie-Secret": self.environ["VIGIE_SECRET_BRIDGE_GENERIC"]},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status

    def cards(self) -> list[str]:
        return sorted(key for key in self.slack.cards() if key.startswith("card:"))

    def end(self) -> None:
        for process in [self.web, *self.workers, self.slack.process]:
            process.end()


@pytest.fixture
def house(tmp_path: Path, postgres_engine: sa.Engine) -> Iterator[House]:
    url = postgres_engine.url.render_as_string(hide_password=False)
    made = House(tmp_path, url)
    yield made
    made.end()


def until(condition, what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.mark.parametrize("which", [0, 1])
def test_a_worker_is_killed_in_the_middle_and_every_card_appears_once(house, which):
    assert [house.alarm(number) for number in range(ALERTS)] == [200] * ALERTS
    until(lambda: len(house.cards()) >= 2, "no card came")

    house.workers[which].kill()

    until(lambda: len(house.cards()) >= ALERTS, f"only {len(house.cards())} cards came")
    time.sleep(1)
    assert house.cards() == sorted(f"card:{number}" for number in range(1, ALERTS + 1))


def test_both_workers_are_killed_one_after_the_other_and_a_new_one_goes_on(house, postgres_engine, tmp_path):
    assert [house.alarm(number) for number in range(ALERTS)] == [200] * ALERTS
    until(lambda: len(house.cards()) >= 2, "no card came")

    for worker in house.workers:
        worker.kill()
    without_port = {name: value for name, value in house.environ.items() if name != "PORT"}
    house.workers = [Process(["bot", "worker"], tmp_path, without_port)]

    until(lambda: len(house.cards()) >= ALERTS, f"only {len(house.cards())} cards came")
    time.sleep(2)
    assert house.cards() == sorted(f"card:{number}" for number in range(1, ALERTS + 1))
    with reader(postgres_engine) as connection:
        assert audit.verify(connection).ok
