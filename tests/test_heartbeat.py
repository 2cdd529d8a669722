"""An outside watch hears Vigie only while all is well; that it hears nothing stops nothing."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from bot.clients import heartbeat as client
from bot.errors import Misbuilt, Unavailable
from bot.services.call.heartbeat import Heartbeat, Pulse
from bot.services.call.watch import Watch
from bot.store import cards
from tests.call_stage import calls, with_


class Outside:
    """An address that waits for the heartbeat."""

    def __init__(self) -> None:
        self.beats: list[str] = []
        self.status = 200
        outer = self

        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.beats.append(self.path)
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/ping/secret"


@pytest.fixture
def outside() -> Iterator[Outside]:
    made = Outside()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_it_beats_while_all_is_well(sqlite_engine: sa.Engine, outside: Outside) -> None:
    desk = calls(sqlite_engine, with_(heartbeat="VIGIE_HEARTBEAT")).night.desk
    watch = Watch(desk, {"VIGIE_HEARTBEAT": outside.url}.__getitem__, None, client.ask)
    doors = {name: door for _, name, door in watch.doors()}
    assert doors["heartbeat"]() and outside.beats == ["/ping/secret"]


def test_without_an_address_nobody_is_asked(sqlite_engine: sa.Engine) -> None:
    watch = Watch(calls(sqlite_engine).night.desk, str, None, client.ask)
    assert [name for _, name, _ in watch.doors()] == ["escalate", "ring", "audit calls"]


@pytest.mark.parametrize(("fault", "told"), [
    ("tick", "no escalation could go on"), ("audit", "1 important alerts were forgotten"),
    ("slack", "Slack has not taken a post"), ("database", "takes no writes"),
])
def test_it_is_silent_when_something_is_wrong(sqlite_engine: sa.Engine, outside: Outside, fault: str, told: str) -> None:
    night = calls(sqlite_engine)
    desk, pulse = night.night.desk, Pulse(night.night.clock.now())
    if fault == "tick":
        pulse.ticked_at -= timedelta(minutes=3)
    if fault == "audit":
        pulse.forgotten = 1
    if fault == "slack":
        with desk.begin("test") as connection:
            cards.add_notice(connection, "old", "C0ALERTS01", "waits", night.night.clock.now() - timedelta(minutes=3))
    if fault == "database":
        with sqlite_engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE escalation RENAME TO gone"))
    beat = Heartbeat(desk, pulse, lambda: outside.url, client.ask)
    assert told in " ".join(beat.faults())
    assert not beat.act() and outside.beats == []


def test_an_outside_that_refuses_or_is_away_stops_nothing(sqlite_engine: sa.Engine, outside: Outside) -> None:
    night = calls(sqlite_engine)
    pulse = Pulse(night.night.clock.now())
    outside.status = 404
    assert not Heartbeat(night.night.desk, pulse, lambda: outside.url, client.ask).act()
    assert not Heartbeat(night.night.desk, pulse, lambda: "http://127.0.0.1:9/secret", client.ask).act()
    with pytest.raises(Unavailable) as away:
        client.ask("http://127.0.0.1:9/secret")
    assert "secret" not in str(away.value)

    def unset() -> str:
        raise Misbuilt("VIGIE_HEARTBEAT is not set")

    assert not Heartbeat(night.night.desk, pulse, unset, client.ask).act()
