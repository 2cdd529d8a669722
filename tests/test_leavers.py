"""Somebody leaves: rights end at once, shifts become a gap that is told, swaps are void."""

import asyncio
from datetime import date

import pytest
import sqlalchemy as sa

from bot.services.check.manifest import EVENTS
from bot.services.leave import duty
from bot.services.shift import leaving
from bot.store import shifts
from tests.chat_stage import MANIFEST, talk
from tests.duty_stage import life, paris
from tests.workspace_stage import until

NOW = "2026-11-24 15:00"
TEAM = "T0BRIDGE01"


def test_a_deactivated_person_loses_rights_and_shifts_at_once_and_the_gap_is_told(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    assert leaving.deactivated(here.desk, TEAM, "U0OMAR0001") and not leaving.deactivated(here.desk, TEAM, "U0OMAR0001")
    assert "deactivated in Slack" in here.say("omar", "status")
    assert here.has("2026-11-25 01:00") is None
    gap = here.shift("2026-11-25 01:00")
    assert (gap.person, gap.source) == (None, "leaver")
    [said] = here.told("ines")
    assert "Omar has left" in said and "platform, Wed 25 Nov 00:00–08:00" in said
    assert here.told("omar") == [] and len(here.entries("person left")) == 1


def test_a_leaver_is_called_no_more(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, "2026-11-25 02:00")
    leaving.deactivated(here.desk, TEAM, "U0OMAR0001")
    with here.desk.read() as connection:
        assert "omar" not in duty.on_call(connection, here.desk.config, here.clock.now())
    running = here.shift("2026-11-25 02:30")
    assert (running.person, running.start) == (None, here.clock.now())         # what was stays as it was said
    assert here.shift("2026-11-25 01:30").person == "omar"


def test_slack_may_have_somebody_again_with_rights_and_without_shifts(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    leaving.deactivated(here.desk, TEAM, "U0OMAR0001")
    assert leaving.reactivated(here.desk, TEAM, "U0OMAR0001") and not leaving.reactivated(here.desk, TEAM, "U0OMAR0001")
    assert "Nothing is open" in here.say("omar", "status") and here.has("2026-11-25 01:00") is None


def test_a_stranger_leaves_nothing(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert not leaving.deactivated(here.desk, "T0EVIL0001", "U0EVE00001")
    assert leaving.act(here.desk) == 0 and here.entries() == []


def test_the_last_day_ends_rights_and_opens_later_shifts(engine: sa.Engine) -> None:
    here = life(engine, NOW)
    config = here.desk.config
    omar = config.people["omar"].model_copy(update={"ends": date(2026, 11, 26)})
    here = life(engine, NOW, config.model_copy(update={"people": config.people | {"omar": omar}}), 0)
    assert leaving.act(here.desk) > 0 and leaving.act(here.desk) == 0
    assert [here.has(f"2026-11-{day} 01:00") for day in (25, 26, 27)] == ["omar", "omar", None]
    assert len(here.told("ines")) == 1
    assert "Nothing is open" in here.say("omar", "status")
    here.clock.instant = paris("2026-11-27 09:00")
    assert "was here until 26 Nov 2026" in here.say("omar", "status")


def test_somebody_removed_from_vigie_yaml_has_no_shifts(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    config = here.desk.config
    people = {key: each for key, each in config.people.items() if key != "omar"}
    here = life(sqlite_engine, NOW, config.model_copy(update={"people": people}), 0)
    assert leaving.act(here.desk) > 0
    assert here.has("2026-11-25 01:00") is None and "omar has left" in here.told("ines")[0]


def test_swaps_of_a_leaver_are_void(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    mine = here.shift("2026-12-02 01:00")
    here.say("lea", f"swap {mine.id} @ines")
    leaving.deactivated(here.desk, TEAM, "U0INES0001")
    assert "is void" in here.told("lea")[-1] and "void already" in here.say("lea", "swap cancel 1")


def test_slack_tells_vigie_that_somebody_is_deactivated_and_is_back(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MANIFEST, "settings", {"event_subscriptions": {"bot_events": list(EVENTS)}})
    here = life(sqlite_engine, NOW)

    def known() -> frozenset[str]:
        with here.desk.read() as connection:
            return shifts.leavers(connection)

    async def story() -> None:
        async with talk(sqlite_engine, here.desk) as there:
            await there.there.post("leave", person="U0OMAR0001")
            await until(lambda: known() == {"omar"})
            await there.there.post("leave", person="U0OMAR0001", left=False)
            await until(lambda: not known())

    asyncio.run(story())
