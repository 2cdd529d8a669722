"""The doors while things go wrong behind them: each answer is a sentence, and what was counted stays counted."""

import asyncio
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.routing import Route

from bot.entrypoints import gate as gates
from bot.entrypoints import web as entrance
from bot.entrypoints.chat import build_bolt
from bot.entrypoints.web import Web
from bot.ports import SystemIds
from bot.services.alert.reception import Receipt
from bot.services.desk import Desk
from bot.services.meters import Meters
from bot.store import db, traffic
from bot.store.db import create_engine
from tests.stage import WallClock, example_config
from tests.story import desk_on

SILENCE: dict[str, Any] = {}        # nothing more comes, and nobody leaves


class Taker:
    """A reception that takes everything; intake beside it."""

    depth = 0

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    async def receive(self, delivery: Any) -> Receipt:
        self.taken.append(delivery.body)
        return Receipt(1)


class Asker:
    """Asks the routes as a server would, without one."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.app = Starlette(routes=[*routes])

    def ask(self, method: str, path: str, *then: dict[str, Any]) -> tuple[int, str]:
        """Status and text of the answer; `then` follows the first piece of the body."""
        scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "root_path": ""}
        come = iter([{"type": "http.request", "body": b"{}", "more_body": bool(then)}, *then])
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if (message := next(come)) is SILENCE:
                await asyncio.Event().wait()
            return message

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return sent[0]["status"], b"".join(each.get("body", b"") for each in sent).decode()


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "vigie.db"))


@pytest.fixture
def web(file: Path) -> SimpleNamespace:
    engine = create_engine(f"sqlite:///{file}", poolclass=sa.pool.NullPool)
    desk, taker, meters = Desk(engine, example_config(), WallClock(), SystemIds()), Taker(), Meters()
    served = Web(desk, taker, taker, meters, {})  # type: ignore[arg-type]
    return SimpleNamespace(ask=Asker(served.routes()).ask, desk=desk, meters=meters, taken=taker.taken)


def break_database(file: Path) -> bytes:
    """Nobody can read it any more; what it held is returned."""
    whole = file.read_bytes()
    file.write_bytes(b"not a database at all" * 100)
    return whole


def test_metrics_tell_what_is_known_while_the_database_is_silent(web: SimpleNamespace, file: Path) -> None:
    web.meters.drop("bridge-generic", "bad_secret")
    break_database(file)

    status, text = web.ask("GET", "/metrics")

    assert status == 200
    assert 'vigie_dropped_total{endpoint="bridge-generic",reason="bad_secret"} 1.0' in text
    assert "vigie_posts_waiting NaN" in text


def test_what_was_refused_while_the_database_was_silent_is_counted_later(web: SimpleNamespace, file: Path) -> None:
    web.meters.drop("bridge-generic", "bad_secret")
    whole = break_database(file)
    with pytest.raises(sa.exc.SQLAlchemyError):
        web.meters.flush(web.desk)
    web.meters.drop("bridge-generic", "bad_secret")
    file.write_bytes(whole)

    web.meters.flush(web.desk)
    web.meters.flush(web.desk)

    with web.desk.read() as connection:
        assert traffic.drops(connection) == {"bad_secret": 2}


@pytest.mark.parametrize("path", ["/webhooks/generic/bridge-generic", "/webhooks/generic/bridge-generic/"])
def test_a_slash_too_much_loses_no_alert(web: SimpleNamespace, path: str) -> None:
    assert web.ask("POST", path)[0] == 200
    assert web.taken == [b"{}"]


@pytest.mark.parametrize("path", ["/webhooks/generic/bridge", "/webhooks/datadog/bridge-generic", "/webhooks/generic/a/b"])
def test_an_endpoint_that_nobody_configured_is_counted(web: SimpleNamespace, path: str) -> None:
    status, answer = web.ask("POST", path)

    assert status == 404
    assert "unknown_endpoint" in answer and "vigie.yaml" in answer


def test_a_sender_who_leaves_in_the_middle_is_no_fault_of_ours(web: SimpleNamespace) -> None:
    status, answer = web.ask("POST", "/webhooks/generic/bridge-generic", {"type": "http.disconnect"})

    assert (status, "reference" in answer) == (503, False)
    assert web.taken == []


def test_a_sender_who_never_ends_its_body_is_asked_to_send_it_again(
    web: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "BODY_WITHIN_S", 0.05)

    status, answer = web.ask("POST", "/webhooks/generic/bridge-generic", SILENCE)

    assert (status, "send it again" in answer) == (503, True)
    assert web.taken == []


def test_a_signed_door_waits_for_nobodys_body_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "BODY_WITHIN_S", 0.05)
    counted: list[str] = []
    bolt = build_bolt(desk_on(sa.create_engine("sqlite://")), {}, AsyncWebClient("xoxb-demo-vigie"), "secret")
    asker = Asker([Route("/slack/events", gates.gate(bolt, "secret", WallClock(), counted.append), methods=["POST"])])

    assert asker.ask("POST", "/slack/events", SILENCE) == (408, "{}")
    assert counted == ["too_slow"]


def test_a_postgresql_that_does_not_answer_is_waited_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "CONNECT_WITHIN_S", 2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        began = time.monotonic()
        with pytest.raises(sa.exc.OperationalError):
            create_engine(f"postgresql+psycopg://127.0.0.1:{mute.getsockname()[1]}/vigie").connect()
    assert time.monotonic() - began > 1
