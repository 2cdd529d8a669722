"""A real process under load is told to end, or dies without a word: what was answered is kept, no card comes twice."""

import json
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.company import WEBHOOK_SECRET, environment, write_config
from bench.processes import Process
from bot.services.ledger import audit
from bot.store import journal
from bot.store.alerts import signal as told
from bot.store.db import reader
from tests.patience import PATIENCE_S
from tests.processes import free_port, post, running

SERVICES = ("ledger", "edge", "pay-api", "pay-db")     # two channels
SENDERS = 6


class Load:
    """Senders that go on until nobody answers; `taken` is what was answered with 200."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/webhooks/generic/bridge-generic"
        self.taken: set[str] = set()
        self.others: set[int] = set()
        self.threads = [threading.Thread(target=self.send, args=(number,), daemon=True) for number in range(SENDERS)]
        for each in self.threads:
            each.start()

    def send(self, sender: int) -> None:
        for number in range(100_000):
            service = SERVICES[number % len(SERVICES)]
            name = f"{sender}-{number}"
            said = {"key": service, "state": "firing", "title": "it fails", "service": service, "id": name}
            try:
                status = post(self.url, json.dumps(said).encode(), {"X-Vigie-Secret": WEBHOOK_SECRET})[0]
            except (OSError, HTTPException):      # killed before its answer, or in the middle of it
                return
            (self.taken.add(name) if status == 200 else self.others.add(status))

    def wait(self) -> None:
        for each in self.threads:
            each.join(PATIENCE_S)


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[tuple[str, str, Path]]:
    """A Slack that outlives Vigie: its address, the port for Vigie, and the configuration of both."""
    config, port, own = tmp_path / "vigie.yaml", free_port(), free_port()
    write_config(config)
    process = Process(["bench.slack", str(own), f"http://127.0.0.1:{port}/slack/events", str(config), "0"], tmp_path)
    try:
        process.wait_for(f"http://127.0.0.1:{own}/bench/calls")
        yield f"http://127.0.0.1:{own}", str(port), config
    finally:
        process.end()


def cards(slack: str) -> list[str]:
    with urllib.request.urlopen(f"{slack}/bench/cards", timeout=PATIENCE_S) as answer:
        found: list[Any] = json.load(answer)
    return sorted(each["event_payload"]["key"] for each in found if each and each["event_payload"]["key"].startswith("card:"))


def stored(engine: sa.Engine) -> set[str]:
    with reader(engine) as connection:
        return {each.split(":")[1] for each in connection.execute(sa.select(told.c.delivery)).scalars()}


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_answered_is_kept_and_every_card_appears_once(
    engine: sa.Engine, slack: tuple[str, str, Path], tmp_path: Path, end: signal.Signals
) -> None:
    address, port, config = slack
    given = environment(engine.url.render_as_string(hide_password=False), config, int(port), address)
    ready = f"http://127.0.0.1:{port}/health/ready"
    with running("serve", cwd=tmp_path, given=given, ready=ready) as process:
        load = Load(int(port))
        while len(load.taken) < 150 or not cards(address):
            time.sleep(0.05)
        process.send_signal(end)
        code = process.wait(PATIENCE_S)
        load.wait()
    log = (tmp_path / "serve.log").read_text()
    assert load.taken <= stored(engine), "answered and not kept"
    assert load.others <= {503}, load.others
    assert "Traceback" not in log, log[-3_000:]
    if end is signal.SIGTERM:
        assert code == 0, log[-3_000:]
        with reader(engine) as connection:
            assert [each.kind for each in journal.all_entries(connection)][-1] == "vigie stopped"

    with running("serve", cwd=tmp_path, given=given, ready=ready):
        deadline = time.monotonic() + PATIENCE_S
        while len(cards(address)) < len(SERVICES) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.5)     # what would come twice would come now
        assert cards(address) == [f"card:{number}" for number in range(1, len(SERVICES) + 1)]
    with reader(engine) as connection:
        verdict = audit.verify(connection)
    assert verdict.ok, verdict.faults
