"""What a review reads to say whether alerts flap and whether decisions helped, from the rows of a platform that lived a month."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.review.arithmetic.bursts import most_in_an_hour
from tests.duty_stage import paris
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
