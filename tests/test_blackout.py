"""Nothing reaches anybody in their blackout, by any path; and what was held back is told when it is over."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.services.alert import assigning, morning
from bot.services.rota import usergroup
from bot.services.slack import hush
from bot.store.db import create_engine
from tests.dark_night import GROUP, dark_night

NIGHTS = {
    "clocks go back": datetime(2026, 10, 25), "clocks go forward": datetime(2027, 3, 28), "ordinary": datetime(2026, 11, 24),
}


@pytest.fixture(autouse=True)
def judge() -> None:
    """Here things are posted that Vigie itself never writes: the night has its own judge."""


@pytest.fixture
def engines(sqlite_template: Path, tmp_path: Path) -> Callable[[str], sa.Engine]:
    def make(name: str) -> sa.Engine:
        engine = create_engine(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / f'{name}.db')}")
        sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        return engine

    return make


@pytest.mark.parametrize(("night", "seed"), [("clocks go back", 1), ("clocks go forward", 3), ("ordinary", 6)])
def test_nobody_is_woken_in_a_night_of_accidents_and_nothing_is_lost(
    engines: Callable[[str], sa.Engine], night: str, seed: int
) -> None:
    told = dark_night(engines("night"), seed, NIGHTS[night])
    assert (told.woken(), list(told.lost())) == ([], [])
    assert told.kept()


# --- the night notices planted bugs -----------------------------------------------------------------------------------------


def no_guard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hush, "hush", lambda config, drawing, now: hush.Hushed(drawing))


def direct_messages_at_any_hour(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hush, "awake_for", lambda config, post, now: None)


def the_group_keeps_its_people(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(usergroup, "members", lambda connection, config, now: {GROUP: [config.people["alice"].slack]})


def alerts_are_given_to_sleepers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(assigning.duty, "asleep", lambda config, person, at: None)


def nobody_is_told_in_the_morning(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(morning, "tell", lambda desk: 0)


@pytest.mark.parametrize("bug", [
    no_guard, direct_messages_at_any_hour, the_group_keeps_its_people, alerts_are_given_to_sleepers,
    nobody_is_told_in_the_morning,
], ids=lambda bug: bug.__name__)
def test_the_night_notices_a_planted_bug(
    engines: Callable[[str], sa.Engine], monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None]
) -> None:
    bug(monkeypatch)
    assert any(
        told.woken() or list(told.lost())
        for told in (dark_night(engines(f"night {seed}"), seed, NIGHTS["ordinary"]) for seed in range(6))
    )
