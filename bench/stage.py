"""The stage of a scene: Slack in one process, `vigie serve` in another, senders in their own."""

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench.company import environment, write_config
from bench.databases import Database
from bench.processes import Process, free_port
from bench.sending import Answer, Orders, send

SLACK_PACE = 1.0
ANSWER_S = 60           # of our own Slack, on a machine that may be busy


@dataclass(frozen=True, slots=True)
class Call:
    """One call of Slack's Web API as the workspace wrote it down."""

    method: str
    at: float
    status: int
    error: str | None
    text: str


@dataclass
class Slack:
    process: Process
    url: str

    def plant(self, **faults: Any) -> None:
        """hang=60, storm_429=1000000, down=True."""
        request = urllib.request.Request(f"{self.url}/bench/faults", json.dumps(faults).encode(), method="POST")
        urllib.request.urlopen(request, timeout=ANSWER_S).close()

    def calls(self, method: str = "") -> list[Call]:
        """What was called, oldest first; only one method when it is named."""
        found = [Call(*each) for each in self._get("calls")]
        return [each for each in found if method in ("", each.method)]

    def cards(self) -> list[str]:
        """The key of every message that stands in the workspace."""
        return [str(each["event_payload"]["key"]) for each in self._get("cards") if each]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/bench/{path}", timeout=ANSWER_S) as answer:
            return json.load(answer)


@dataclass
class Stage:
    """Folder, senders and configuration, shared by all scenes."""

    folder: Path
    senders: ProcessPoolExecutor
    config: Path = field(init=False)

    def __post_init__(self) -> None:
        self.config = self.folder / "vigie.yaml"
        write_config(self.config)

    def send(self, orders: Orders) -> list[Answer]:
        """Returns when all is answered."""
        return self.sending(orders).result()

    def sending(self, orders: Orders) -> "Future[list[Answer]]":
        """Goes on beside us."""
        return self.senders.submit(send, orders)


@contextmanager
def stage() -> Iterator[Stage]:
    """Two senders that are ready, and a folder that goes when the curtain falls."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-bench-"))
    with ProcessPoolExecutor(2, get_context("spawn")) as senders:
        list(senders.map(send, [Orders(0, [])] * 2))
        try:
            yield Stage(folder, senders)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class House:
    """A running Vigie with its Slack and its database."""

    stage: Stage
    database: Database
    url: str
    port: int
    slack: Slack
    app: Process
    arguments: list[str]
    environ: dict[str, str]
    ended_s: float = 0.0

    def orders(self, requests: list[bytes], **more: Any) -> Orders:
        return Orders(self.port, requests, **more)

    def restart(self) -> None:
        """Another process on the same database and port."""
        self.app = Process(self.arguments, self.stage.folder, self.environ)
        self.app.wait_for(f"http://127.0.0.1:{self.port}/health/ready")


@contextmanager
def house(
    stage: Stage, database: Database, url: str = "", served: float = 0.0, slack_pace: float = SLACK_PACE
) -> Iterator[House]:
    """`vigie serve`; with `served`, the bench's own entrance with that pace, where the demo's SNS key is trusted."""
    url = url or database.fresh()
    port, slack_port = free_port(), free_port()
    arguments = ["bench.served", str(served)] if served else ["bot", "serve"]
    events = f"http://127.0.0.1:{port}/slack/events"
    workspace = Process(["bench.slack", str(slack_port), events, str(stage.config), str(slack_pace)], stage.folder)
    slack = Slack(workspace, f"http://127.0.0.1:{slack_port}")
    environ = environment(url, stage.config, port, slack.url)
    app = Process(arguments, stage.folder, environ)
    made = House(stage, database, url, port, slack, app, arguments, environ)
    try:
        workspace.wait_for(f"{slack.url}/bench/calls")
        app.wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield made
    finally:
        made.ended_s = made.app.end()
        workspace.end()


@contextmanager
def floor(stage: Stage, url: str) -> Iterator[int]:
    """The least endpoint on that database (`none`: on none); gives its port."""
    port = free_port()
    process = Process(["bench.floor", str(port), url], stage.folder)
    try:
        process.wait_for(f"http://127.0.0.1:{port}/health/ready")
        yield port
    finally:
        process.end()
