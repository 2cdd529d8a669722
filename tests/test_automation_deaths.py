"""Vigie dies at the first, second, third ... point of a fix that nobody watches; it is always finished, and never done twice."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.services.run.execution import Execution
from bot.store import runs as rows
from bot.store.db import create_engine
from tests.fakes import KillAt, Killed
from tests.night_shift import SHARED, Shift, shift
from tests.workshop import NoEngine

MOST_POINTS, SHARES = 120, 8
OBSERVERS = (("alarm", "CloudWatch"), ("monitor 7", "Padok-1"))


def a_night(night: Shift) -> None:
    """Two observers see it, Vigie fixes it, both say OK, it is proven and closed. Safe to tell again from the beginning."""
    for key, observer in OBSERVERS:
        if not told(night, key):
            night.tell(key=key, observer=observer)
    night.live(3)
    for key, observer in OBSERVERS:
        if night.alert().state in ("firing", "acked") or not told(night, key, "recovered"):
            night.tell("recovered", key=key, observer=observer)
    night.live(40)


def told(night: Shift, key: str, state: str = "firing") -> bool:
    with night.desk.read() as connection:
        query = sa.text("SELECT count(*) FROM signal WHERE state = :state AND observer = :observer")
        return bool(connection.execute(query, {"state": state, "observer": dict(OBSERVERS)[key]}).scalar_one())


def mortal(night: Shift, kill: KillAt) -> Shift:
    """The same night, with a process that dies there."""
    desk = replace(night.desk, kill=kill)
    return Shift(replace(night.shop, desk=desk, execution=Execution(desk, night.shop.worlds, NoEngine())))


def dies(night: Shift, story: Callable[[Shift], None], point: int) -> bool:
    try:
        story(mortal(night, KillAt(None, point)))
    except Killed:
        return True
    return False


@pytest.mark.parametrize("first", range(1, 1 + SHARES))
def test_death_at_any_point_of_a_night_leaves_nothing_undone_and_nothing_done_twice(
    sqlite_template: Path, tmp_path: Path, first: int
) -> None:
    """Every third of its share, so that several workers share them and the suite stays short."""
    for point in range(first, MOST_POINTS, 3 * SHARES):
        engine = create_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'night-{point}.db')}")
        died = assert_survives(shift(engine, config=SHARED), point)
        engine.dispose()
        if not died:
            return
    raise AssertionError(f"there are more than {MOST_POINTS} points")


@pytest.mark.parametrize("point", [9, 33])
def test_the_same_on_a_server(postgres_engine: sa.Engine, point: int) -> None:
    assert assert_survives(shift(postgres_engine, config=SHARED), point)


def assert_survives(night: Shift, point: int) -> bool:
    """Whether there is such a point; after the death the night is told again to another process."""
    died = dies(night, a_night, point)
    if died:
        a_night(night)
    assert_all_well(night, point)
    return died


def assert_all_well(night: Shift, point: int) -> None:
    states = {night.alert(n).state for n in (1, 2)}
    fixes = [each for each in night.runs() if each.purpose == "fix"]
    assert len(fixes) == 1, point
    assert night.machine.calls.count("restart") <= 1, f"restarted twice after a death at point {point}"
    if fixes[0].state == rows.IN_DOUBT:
        assert night.called(), f"in doubt, and nobody knows, after a death at point {point}"
        return
    assert (states, fixes[0].state, night.called()) == ({"closed"}, rows.SUCCEEDED, []), point
    assert {night.alert(n).ending for n in (1, 2)} == {"fixed"}, point
    assert len(night.told("alert decided")) == 2 and len(night.told("alert closed")) == 2, point
