"""Several processes at once on one server: observers, people, time and automation wait for each other, and never for ever."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.services.alert import automation, due, response
from bot.services.run.jobs import Overtaken
from bot.store import alerts, groups
from tests import laws
from tests.night_shift import SHARED, Shift, shift
from tests.story import ALICE, LEA

HANDS, DEEDS = 6, 40
UNKNOWN = "pay-api answers slowly"      # of the shared symptom, and no runbook recognises it


def works(night: Shift, seed: int) -> None:
    """One hand of many: does this and that."""
    rng = random.Random(seed)
    for _ in range(DEEDS):
        with suppress(Refused, Overtaken):
            deed(night, rng)


def deed(night: Shift, rng: random.Random) -> None:
    keys = rng.sample(range(5), 3)
    match rng.choice(("tell", "tell", "tell", "ack", "close", "decide", "due", "work")):
        case "tell":
            for n in keys:
                state = rng.choice(("firing", "firing", "recovered"))
                night.tell(state, key=f"monitor {n}", observer=f"Probe {n}", severity=rng.choice(("high", "critical")))
        case "decide":
            automation.act(night.desk)
        case "due":
            due.act(night.desk)
        case "work":
            for run in night.runs()[-2:]:
                night.shop.execution.move(run.id)
        case verb:
            with night.desk.read() as connection:
                found = alerts.open_ones(connection)
            if found:
                chosen, actor = rng.choice(found), rng.choice((ALICE, LEA))
                response.ack(night.desk, chosen, actor) if verb == "ack" else response.close(night.desk, chosen, actor, "enough")


def test_many_hands_break_no_law_and_wait_for_each_other(postgres_engine: sa.Engine) -> None:
    night = shift(postgres_engine, config=SHARED)
    with ThreadPoolExecutor(HANDS) as pool:
        for each in [pool.submit(works, night, seed) for seed in range(HANDS)]:
            each.result()
    with night.desk.read() as connection:
        assert laws.broken(connection, night.desk.config) == []


def joins_as_it_closes(night: Shift, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process takes in a second observer's word right before the group is held for closing."""
    hold = groups._hold

    def late(connection: sa.Connection, group_id: int) -> None:
        monkeypatch.setattr(groups, "_hold", hold)
        night.tell(key="monitor 2", observer="Probe 2", name=UNKNOWN)
        hold(connection, group_id)

    monkeypatch.setattr(groups, "_hold", late)


def test_who_closes_a_card_closes_whatever_joined_it_in_that_instant(
    postgres_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = shift(postgres_engine, config=SHARED)
    night.tell(key="monitor 1", observer="Probe 1", name=UNKNOWN)
    joins_as_it_closes(night, monkeypatch)
    response.close(night.desk, night.alert(), ALICE, "enough")
    assert [night.alert(n).state for n in (1, 2)] == ["closed", "closed"]
    assert len(night.told("alert closed")) == 2
    with night.desk.read() as connection:
        assert laws.broken(connection, night.desk.config) == []


def test_vigie_leaves_a_group_open_that_somebody_joins_as_it_closes(
    postgres_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = shift(postgres_engine, config=SHARED)
    night.tell(key="monitor 1", observer="Probe 1", name=UNKNOWN)
    night.tell("recovered", key="monitor 1", observer="Probe 1", name=UNKNOWN)
    night.clock.advance(night.desk.probation(None).total_seconds() + 1)
    joins_as_it_closes(night, monkeypatch)
    assert due.act(night.desk) == 0
    assert [night.alert(n).state for n in (1, 2)] == ["recovered", "firing"]
    assert not night.told("alert closed")
    with night.desk.read() as connection:
        assert laws.broken(connection, night.desk.config) == []
