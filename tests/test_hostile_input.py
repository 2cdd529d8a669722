"""What a hostile or broken sender can do to the intake: slow it down, fill it up, leak through it, or stop it. It cannot."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from bot import sources
from bot.decoding import DuplicateKey, parse
from bot.discover import discover
from bot.masking import mask, mask_text
from bot.ports import SystemIds
from bot.services.alert import reception
from bot.services.alert.intake import Intake
from bot.services.alert.reception import Reception
from bot.services.desk import Desk
from bot.services.meters import Meters
from bot.sources import Delivery, Source
from bot.store import alerts
from bot.store.alerts import signal
from tests.stage import WallClock, example_config

SOURCES = discover(sources, Source)
EXAMPLE = dict(SOURCES["generic"].example)
LARGE = 400_000


class Hand:
    """Hands deliveries to a real reception; every credential is right."""

    def __init__(self, engine: sa.Engine) -> None:
        self.desk = Desk(engine, example_config(), WallClock(), SystemIds())

    def give(self, name: str, *contents: Any) -> list[int]:
        return asyncio.run(self._give(name, contents))

    async def _give(self, name: str, contents: tuple[Any, ...]) -> list[int]:
        intake = Intake(self.desk)
        door = Reception(self.desk, intake, SOURCES, SimpleNamespace(), Meters())          # nothing is asked of a queue
        running = asyncio.create_task(intake.run())
        try:
            return [(await door.receive(self._delivery(name, each))).taken for each in contents]
        finally:
            await intake.stop()
            await running

    def _delivery(self, name: str, content: Any) -> Delivery:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        endpoint = self.desk.config.endpoints[name]
        return Delivery(name, endpoint, body, {}, self.desk.clock.now(), by_queue=True)

    def rows(self) -> list[Any]:
        with self.desk.read() as connection:
            return list(connection.execute(sa.select(signal).order_by(signal.c.id)))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Of computing, however busy the machine is. Generous: what it keeps out takes minutes or hours."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < seconds


# --- to slow it down ---


def test_a_key_named_twice_among_many_is_found_at_once() -> None:
    keys = ",".join(f'"{n}":1' for n in range(LARGE // 8))
    with within(5), pytest.raises(DuplicateKey, match="last"):
        parse(f'{{{keys},"last":1,"last":2}}')


@pytest.mark.parametrize("bait", ["eyJaaaaaaaa-", "aa%3A%2F%2F", "4111 ", "token=", "bearer+a", "FR76 3000", "-----BEGIN "])
def test_a_body_made_to_slow_masking_down_costs_no_more_than_its_length(bait: str) -> None:
    with within(20):
        mask_text(bait * (LARGE // len(bait)) + " secret=x //@")


@pytest.mark.parametrize("kept", ["eyJhbGciOiJI.eyJzdWIi", "a-eyJhbGciOiJI.eyJzdWIiOiIx", "postgresql%3A%2F%2Fu:hush%40h",
                                  "https://user:hush@h/"])
def test_tokens_and_addresses_are_still_masked(kept: str) -> None:
    shown = mask_text(f"it says {kept} //@")
    assert "hush" not in shown and "eyJ" not in shown


@pytest.mark.parametrize(("size", "beside"), [(1_000, False), (LARGE, True)])
def test_a_large_body_is_masked_beside_the_loop_that_answers_others(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, size: int, beside: bool
) -> None:
    masked_in: list[threading.Thread] = []
    monkeypatch.setattr(reception, "mask", lambda value: masked_in.append(threading.current_thread()) or mask(value))

    assert Hand(sqlite_engine).give("bridge-generic", EXAMPLE | {"summary": "1 " * (size // 2)}) == [1]

    assert [each is not threading.main_thread() for each in masked_in] == [beside]


# --- to fill it up ---


def test_a_delivery_of_many_alerts_is_stored_once_and_each_alert_for_itself(sqlite_engine: sa.Engine) -> None:
    one = {"status": "firing", "startsAt": "2026-11-22T01:00:00Z", "annotations": {"summary": "x" * 100}}
    hand = Hand(sqlite_engine)

    with within(30):
        taken = hand.give("bridge-alertmanager", {"alerts": [one | {"labels": {"alertname": str(n)}} for n in range(1000)]})

    rows = hand.rows()
    assert taken == [1000] and len(rows) == len({row.fingerprint for row in rows}) == 1000
    assert sum(len(row.body) for row in rows) < 400_000
    assert rows[0].body


# --- to leak through it ---


@pytest.mark.parametrize("name", ["xoxb-123456789012-CANARY", "password=CANARY", "carte 4111 1111 1111 1111"])
def test_the_name_that_a_sender_gives_to_its_delivery_holds_no_secret(sqlite_engine: sa.Engine, name: str) -> None:
    hand = Hand(sqlite_engine)

    assert hand.give("bridge-generic", EXAMPLE | {"id": name}, EXAMPLE | {"id": name}) == [1, 1]

    assert [name in row.delivery or "CANARY" in row.delivery for row in hand.rows()] == [False, False]


def test_an_error_of_the_database_says_nothing_of_the_body(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.SQLAlchemyError) as caught, engine.connect() as connection:
        connection.execute(sa.text("SELECT * FROM nowhere WHERE body = :body"), {"body": "CANARY"})
    assert "CANARY" not in str(caught.value)


# --- to stop it ---


LONG = "".join(f"{n * n:x}." for n in range(4000))      # nothing that a database could press together


@pytest.mark.parametrize(("name", "changed"), [
    ("bridge-generic", {"id": LONG}), ("bridge-generic", {"observer": LONG}), ("bridge-generic", {"service": LONG}),
    ("bridge-generic", {"key": LONG[:1000], "name": LONG}), ("bridge-generic", {"labels": {LONG: LONG}}),
    ("bridge-generic", {"at": "0001-01-01T00:00:00Z"}), ("bridge-generic", {"at": "0001-01-01T00:00:00+14:00"}),
    ("bridge-generic", {"at": "9999-12-31T23:59:59-14:00"}), ("bridge-datadog", {"id": LONG}),
    ("bridge-datadog", {"tags": f"probe:{LONG}"}), ("bridge-eventbridge", {"id": LONG}),
    ("bridge-cloudwatch", {"Trigger": {"Threshold": 10**400, "MetricName": "m", "ComparisonOperator": "GreaterThanThreshold"}}),
    ("bridge-alertmanager", {"alerts": [{"status": "firing", "fingerprint": LONG, "labels": {"alertname": LONG}}]}),
])
def test_a_value_that_nobody_expects_opens_an_alert_all_the_same(engine: sa.Engine, name: str, changed: dict[str, Any]) -> None:
    hand = Hand(engine)
    source = hand.desk.config.endpoints[name].source

    assert hand.give(name, dict(SOURCES[source].example) | changed) == [1]

    with hand.desk.read() as connection:
        assert [each.state for each in alerts.recent(connection)] == ["firing"]


def test_a_delivery_whose_long_name_comes_again_is_taken_once(sqlite_engine: sa.Engine) -> None:
    hand = Hand(sqlite_engine)
    hand.give("bridge-generic", EXAMPLE | {"id": LONG}, EXAMPLE | {"id": LONG}, EXAMPLE | {"id": LONG + "2"})
    assert len(hand.rows()) == 2


def test_a_source_that_trips_over_a_body_shows_it_as_unreadable(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(content: Any, delivery: Delivery) -> list[Any]:
        raise ZeroDivisionError("4111 1111 1111 1111")

    monkeypatch.setitem(SOURCES, "generic", replace(SOURCES["generic"], read=trip))
    hand = Hand(sqlite_engine)

    assert hand.give("bridge-generic", EXAMPLE) == [1]

    with hand.desk.read() as connection:
        (alert,) = alerts.recent(connection)
    assert alert.title.startswith("Could not read") and "reference" in alert.summary
    assert hand.rows()[0].body
