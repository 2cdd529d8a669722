"""The demo's rota can be published whatever the hour: no rule, gap or blackout takes anybody out of its night."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.config import load_config
from bot.demo.hours import EVENING, at_night
from bot.services.rota import roster, watching
from bot.services.shift import filling
from bot.store import gaps
from tests.config_stage import EXAMPLE
from tests.fakes import ManualClock
from tests.story import desk_on


@pytest.mark.parametrize("hour", [1, 7, 16, 22])
def test_the_programme_of_the_demo_has_somebody_for_every_hour(sqlite_engine: sa.Engine, tmp_path: Path, hour: int) -> None:
    now = datetime(2026, 11, 21, hour, 37, tzinfo=UTC)
    path = tmp_path / "vigie.yaml"
    path.write_text(at_night(EXAMPLE.read_text("utf-8"), now), "utf-8")
    desk = desk_on(sqlite_engine, ManualClock(now - EVENING), config=load_config(path))
    assert filling.fill(desk) == 2
    watching.look(desk)
    with desk.read() as connection:
        assert gaps.every(connection) == []
        assert [each.person for each in roster.at(connection, desk.config, "platform", now)] == ["lea", "omar"]
