"""Each minute of each role is in one slot: somebody's, or nobody's with the reason; in every zone, also when clocks change."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as some

from bot.config import Config
from bot.services.leave import duty
from bot.services.rota import planning, roster
from bot.services.rota.roster import Slot
from bot.store import shifts
from bot.store.db import create_engine, metadata
from tests.config_stage import example
from tests.plan_stage import is_partition, lengths, local, near_a_change, plans

HOUR = timedelta(hours=1)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = create_engine("sqlite://", poolclass=sa.StaticPool)
    metadata.create_all(engine)
    with engine.begin() as found:
        yield found


EMPTY = create_engine("sqlite://", poolclass=sa.StaticPool)
metadata.create_all(EMPTY)


def publish(connection: sa.Connection, person: str | None, start: datetime, end: datetime, **said: object) -> None:
    row = {
        "coverage": "platform", "organisation": "padok", "team": "padok-nights", "role": "primary", "mode": "active",
        "person": person, "start": start, "end": end, "source": "override", "version": 1, "published_at": start,
        "published_by": "ines", "reason": None,
    }
    shifts.add(connection, [{**row, **said}])


def absent(connection: sa.Connection, person: str, start: datetime, end: datetime) -> None:
    connection.execute(shifts.absence.insert().values(
        person=person, organisation="padok", start=start, end=end, said_by=person, said_at=start,
    ))


def shown(slots: list[Slot], role: str = "primary") -> list[tuple[str | None, str | None, int]]:
    """Who, why not, for how many hours."""
    return [(each.person, each.missing, (each.end - each.start) // HOUR) for each in slots if each.role == role]


@settings(max_examples=60, deadline=None)
@given(config=plans(), start=near_a_change, length=lengths, blackout=some.sampled_from((None, "00:00-08:00", "22:15-02:30")))
def test_every_minute_of_every_role_is_in_one_slot(
    config: Config, start: datetime, length: timedelta, blackout: str | None
) -> None:
    bridge = config.organisations["bridge"].model_copy(update={"blackout": blackout})
    config = config.model_copy(update={"organisations": {**config.organisations, "bridge": bridge}})
    end = start + length
    with EMPTY.connect() as connection:
        slots = roster.slots(connection, config, "platform", start, end)
    assert is_partition([each for each in slots if each.role == "primary"], start, end)
    for stretch in planning.stretches(config, "platform", start, end):
        for role in stretch.roles:
            mine = [each for each in slots if each.role == role and stretch.start <= each.start < stretch.end]
            assert is_partition(mine, stretch.start, stretch.end)
    for each in slots:
        assert (each.person is None) == (each.missing is not None)
        if each.person:
            assert duty.asleep(config, each.person, each.start) is None
            assert duty.asleep(config, each.person, each.end - timedelta(seconds=1)) is None


def test_what_is_published_goes_before_the_plan_and_the_plan_fills_the_rest(connection: sa.Connection) -> None:
    start = local("2026-11-26T00:00")
    publish(connection, "ines", start + 2 * HOUR, start + 4 * HOUR)
    slots = roster.slots(connection, example(), "platform", start, start + 8 * HOUR)
    assert shown(slots) == [("omar", None, 2), ("ines", None, 2), ("omar", None, 4)]
    assert [each.shift is not None for each in slots if each.role == "primary"] == [False, True, False]
    assert shown(slots, "secondary") == [("lea", None, 8)]


def test_what_was_superseded_or_is_of_another_team_does_not_count(connection: sa.Connection) -> None:
    start = local("2026-11-26T00:00")
    publish(connection, "ines", start, start + 8 * HOUR)
    publish(connection, "alice", start, start + 8 * HOUR, team="bridge-day", organisation="bridge")
    shifts.supersede(connection, [1], start)
    assert shown(roster.slots(connection, example(), "platform", start, start + 8 * HOUR)) == [("omar", None, 8)]


def test_a_long_shift_published_before_many_short_ones_is_found(connection: sa.Connection) -> None:
    """Shifts of one role do not overlap; but the one that is running may have begun long ago."""
    start = local("2026-11-26T00:00")
    publish(connection, "ines", start - 100 * HOUR, start + HOUR)
    for hour in range(1, 8):
        publish(connection, "lea" if hour % 2 else "omar", start + hour * HOUR, start + (hour + 1) * HOUR)
    slots = roster.slots(connection, example(), "platform", start, start + 8 * HOUR)
    assert [each.person for each in slots if each.role == "primary"] == ["ines", *["lea", "omar"] * 3, "lea"]


def test_whoever_is_away_or_gone_leaves_the_slot_open_and_the_reason_is_kept(connection: sa.Connection) -> None:
    start = local("2026-11-26T00:00")
    absent(connection, "omar", start + 3 * HOUR, start + 5 * HOUR)
    slots = roster.slots(connection, example(), "platform", start, start + 8 * HOUR)
    assert shown(slots) == [("omar", None, 3), (None, "away", 2), ("omar", None, 3)]
    assert [each.was for each in slots if each.missing] == ["omar"]
    connection.execute(shifts.leaver.insert().values(person="lea", at=start))
    slots = roster.slots(connection, example(), "platform", start, start + 8 * HOUR)
    assert shown(slots, "secondary") == [(None, "left", 8)]


def test_last_days_are_days_of_the_own_zone(connection: sa.Connection) -> None:
    config = example()
    omar = config.people["omar"].model_copy(update={"ends": datetime(2026, 11, 26, tzinfo=UTC).date()})
    config = config.model_copy(update={"people": {**config.people, "omar": omar}})
    start = local("2026-11-26T00:00")
    assert shown(roster.slots(connection, config, "platform", start, start + 8 * HOUR)) == [("omar", None, 8)]
    assert shown(roster.slots(connection, config, "platform", start + 24 * HOUR, start + 32 * HOUR)) == [(None, "left", 8)]


def test_who_is_on_at_an_instant_is_said_with_the_whole_of_the_slot(connection: sa.Connection) -> None:
    at = local("2026-10-25T02:30")
    found = roster.at(connection, example(), "platform", at)
    assert [(each.role, each.person) for each in found] == [("primary", "lea"), ("secondary", "omar")]
    assert found[0].end - found[0].start == 25 * HOUR


def test_the_plan_alone_knows_neither_absences_nor_overrides(connection: sa.Connection) -> None:
    start = local("2026-11-26T00:00")
    publish(connection, "ines", start, start + 8 * HOUR)
    absent(connection, "lea", start, start + 8 * HOUR)
    plan = roster.plan(example(), "platform", start, start + 8 * HOUR)
    assert shown(plan) == [("omar", None, 8)] and shown(plan, "secondary") == [("lea", None, 8)]
