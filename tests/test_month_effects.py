"""What a review reads to say whether alerts flap and whether decisions helped, from the rows of a platform that lived a month."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.review.arithmetic.bursts import most_in_an_hour
from bot.services.alert import response
from bot.store.decisions import decision
from bot.store.shifts import intervention
from tests.duty_stage import PEOPLE, paris
from tests.test_month_facts import Platform

START = paris("2026-10-05 14:00")


@pytest.mark.parametrize(("minutes", "most"), [
    ([0, 30, 60], 3), ([0, 30, 61], 2), ([0], 1), ([], 0), ([0, 1, 2, 100, 101, 102, 103], 4), ([0, 61, 122], 1),
])
def test_openings_within_an_hour_are_counted_wherever_the_hour_begins(minutes: list[int], most: int) -> None:
    assert most_in_an_hour([START + timedelta(minutes=each) for each in minutes]) == most


def test_an_alert_that_comes_back_in_its_probation_flaps(engine: sa.Engine) -> None:
    platform = Platform(engine)
    for minute in (0, 10, 20):
        platform.at(f"2026-10-05 14:{minute:02}")
        platform.fires()
        platform.at(f"2026-10-05 14:{minute + 5:02}")
        platform.recovers()
    platform.at("2026-10-05 16:00")
    platform.fires("ledger-disk")

    flapping, steady = platform.facts().groups

    assert (flapping.cycles, flapping.relapses, steady.cycles) == (3, 2, 1)


def decided(platform: Platform, pattern: str, done: str) -> None:
    """Marie's decision of September's review about alerts of that pattern, done by Léa at that time."""
    row = {
        "month": "2026-08", "text": "raise the threshold", "kind": "tune", "owner": "lea", "side": "padok", "due": None,
        "pattern": pattern, "made_by": "marie", "made_at": paris("2026-09-04 10:00"), "state": "done", "ended_at": paris(done),
        "ended_by": "lea", "said": "raised to 900 s",
    }
    with platform.desk.begin("test") as connection:
        connection.execute(sa.insert(decision).values(row))


def worked(platform: Platform, alert: int, start: str, end: str) -> None:
    """An intervention of Léa's about that alert."""
    row = {
        "person": "lea", "organisation": "padok", "start": paris(start), "end": paris(end), "alert_id": alert,
        "last_act_at": paris(end), "source": "declared",
    }
    with platform.desk.begin("test") as connection:
        connection.execute(sa.insert(intervention).values(row))


def happens(platform: Platform, day: str) -> int:
    platform.at(f"{day} 03:00")
    number = platform.fires("ledger-disk")
    platform.at(f"{day} 03:10")
    platform.acks(number)
    response.close(platform.desk, response.find(platform.desk, str(number)), PEOPLE["lea"], "made room")
    return number


def test_a_decision_is_measured_by_the_alerts_and_the_sleep_before_it_was_done_and_since(engine: sa.Engine) -> None:
    platform = Platform(engine)
    numbers = [happens(platform, day) for day in ("2026-10-01", "2026-10-03", "2026-10-05", "2026-10-09", "2026-10-20")]
    for number, day in zip(numbers, ("2026-10-01", "2026-10-03", "2026-10-05", "2026-10-09", "2026-10-20"), strict=True):
        worked(platform, number, f"{day} 05:30", f"{day} 06:15")
    worked(platform, numbers[1], "2026-10-03 14:00", "2026-10-03 15:00")
    decided(platform, platform.facts().groups[0].pattern, "2026-10-11 03:00")

    (found,) = platform.facts().decisions

    assert (found.days_before, found.groups_before) == (10, 4)          # as long as anything is known
    assert (found.days_after, found.groups_after) == (20 + 22 / 24, 1)
    assert (found.sleep_before_min, found.sleep_after_min) == (4 * 45, 45)      # until 08:00 it is blackout; 14:00 is no sleep
    assert found.alerts == tuple(numbers)


def test_what_was_done_at_the_end_of_a_month_is_measured_in_the_next(engine: sa.Engine) -> None:
    platform = Platform(engine)
    for day in ("2026-09-02", "2026-09-12", "2026-09-22"):
        happens(platform, day)
    happens(platform, "2026-10-10")
    decided(platform, platform.facts().groups[0].pattern, "2026-09-30 00:00")

    (found,) = platform.facts().decisions

    assert (found.state, found.days_before, found.groups_before) == ("done", 27.875, 3)
    assert (round(found.days_after), found.groups_after) == (32, 1)
