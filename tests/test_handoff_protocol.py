"""The protocol of a handoff, step by step, as rota.md has it; on the nights when clocks change too."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.config import Config
from bot.services.handoff import protocol, upcoming
from bot.services.handoff.protocol import TO_OWN, TO_PARTNER, WITHIN, Times
from bot.store.handoffs import Handoff
from tests.handoff_stage import CONFIG, PARIS, local

EVERY_DAY = {
    "weekday": [
        {"at": "00:00", "team": "padok-nights"}, {"at": "08:00", "team": "bridge-day"},
        {"at": "20:00", "team": "bridge-day", "mode": "on_call"},
    ],
}
DAILY = Config.model_validate({
    **CONFIG.model_dump(), "coverages": {"platform": {"fallback": "ines", "days": EVERY_DAY}},
})


def handoff_at(boundary: datetime, direction: str) -> Handoff:
    teams = ("padok-nights", "bridge-day") if direction == TO_OWN else ("bridge-day", "padok-nights")
    given = dict.fromkeys(Handoff.__slots__) | {
        "id": 1, "coverage": "platform", "boundary": boundary, "from_team": teams[0], "to_team": teams[1],
        "direction": direction, "channel": "C0ALERTS01", "state": "planned", "if_then": "[]", "done": "{}",
    }
    return Handoff(**given)


def table(config: Config, boundary: str, direction: str) -> list[tuple[str, str, str | None]]:
    """(when by the clocks of Paris, what, whom)."""
    times = upcoming.times(config, handoff_at(local(boundary), direction))
    return [(f"{each.at.astimezone(PARIS):%H:%M}", each.name, each.whom) for each in protocol.steps(times)]


EVENING = [
    ("19:30", "ask line", "outgoing"), ("20:00", "draft", None), ("23:55", "submit", None),
    ("00:00", "pass", None), ("00:00", "transfer", "lead"), ("00:00", "call incoming", "incoming"),
    ("00:05", "remind incoming", "incoming"), ("00:10", "call secondary", "secondary"), ("00:10", "miss", None),
    ("00:15", "call lead", "lead"),
]
MORNING = [
    ("07:00", "draft", None), ("07:00", "ask line", "outgoing"), ("07:50", "remind line", "outgoing"), ("07:55", "submit", None),
    ("08:00", "pass", None), ("08:00", "transfer", "lead"), ("08:00", "call incoming", "incoming"),
    ("08:05", "remind incoming", "incoming"), ("08:10", "call secondary", "secondary"), ("08:15", "call lead", "lead"),
    ("08:15", "miss", None), ("08:15", "stand by", "standby"),
]


@pytest.mark.parametrize("night", ["2026-11-24", "2026-10-25", "2027-03-28"], ids=["plain", "back", "forward"])
def test_the_evening_is_the_table_by_the_clocks_of_paris_whatever_they_do(night: str) -> None:
    assert table(DAILY, f"{night} 00:00", TO_PARTNER) == EVENING


@pytest.mark.parametrize("morning", ["2026-11-24", "2026-10-25", "2027-03-28"], ids=["plain", "back", "forward"])
def test_the_morning_is_the_table_by_the_clocks_of_paris_whatever_they_do(morning: str) -> None:
    assert table(DAILY, f"{morning} 08:00", TO_OWN) == MORNING


@pytest.mark.parametrize(("night", "hours"), [("2026-10-25", 9), ("2027-03-28", 7), ("2026-11-24", 8)])
def test_the_night_that_is_taken_over_is_as_long_as_it_is(night: str, hours: int) -> None:
    times = upcoming.times(DAILY, handoff_at(local(f"{night} 00:00"), TO_PARTNER))
    assert times.over_at - times.passes_at == timedelta(hours=hours)


def test_nobody_of_the_own_side_is_contacted_after_the_duty_passed_to_the_partner() -> None:
    times = upcoming.times(DAILY, handoff_at(local("2026-11-24 00:00"), TO_PARTNER))
    own = [each for each in protocol.steps(times) if each.whom in ("outgoing", "standby")]
    assert own and all(each.at < times.passes_at and (each.until or each.at) < times.passes_at for each in own)


@pytest.mark.parametrize("direction", [TO_PARTNER, TO_OWN, WITHIN])
def test_nobody_is_asked_before_their_shift_and_nobody_of_the_night_after_theirs(direction: str) -> None:
    times = upcoming.times(DAILY, handoff_at(local("2026-11-24 08:00"), direction))
    for each in protocol.steps(times):
        if each.whom in ("incoming", "secondary", "lead"):
            assert each.at >= times.passes_at
        if each.whom == "outgoing":
            assert (each.until or each.at) <= times.passes_at


def test_a_day_without_active_hours_has_its_line_due_at_eight_in_the_evening() -> None:
    sunday = table(CONFIG, "2026-11-22 00:00", TO_PARTNER)
    assert sunday[:3] == EVENING[:3]


def test_a_day_that_is_active_to_its_end_has_its_line_due_ten_minutes_before() -> None:
    begun = datetime(2026, 11, 23, 7, tzinfo=UTC)
    passes = begun + timedelta(hours=8)
    times = Times(TO_PARTNER, begun, passes, passes, passes + timedelta(hours=16))
    names = [(each.name, passes - each.at) for each in protocol.steps(times)[:4]]
    minutes = [("draft", 60), ("ask line", 60), ("remind line", 10), ("submit", 5)]
    assert names == [(name, timedelta(minutes=length)) for name, length in minutes]


def test_between_two_teams_of_one_company_nobody_stands_by_and_there_is_an_hour_to_write() -> None:
    steps = table(DAILY, "2026-11-24 08:00", WITHIN)
    assert steps == [each for each in MORNING if each[1] != "stand by"]


def test_the_partner_has_ten_minutes_to_accept_and_the_own_side_a_quarter_of_an_hour() -> None:
    for direction, minutes in ((TO_PARTNER, 10), (TO_OWN, 15), (WITHIN, 15)):
        times = upcoming.times(DAILY, handoff_at(local("2026-11-24 08:00"), direction))
        assert protocol.accept_due(times) - times.passes_at == timedelta(minutes=minutes)
