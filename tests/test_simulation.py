"""Nights from seeds: alarms out of order, people at once, crashes anywhere, a bad Slack; and no law is ever broken."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import planted
from tests.simulation import Outcome, simulate
from tests.virtual import LawBroken

SEEDS = range(1, 1 + int(os.environ.get("VIGIE_SIM_SEEDS", "10")))
HOURS = 0.5
MOST_NIGHTS = 24        # a planted bug must show within so many
SHOWN_IN = {planted.two_commits_instead_of_one: 7, planted.a_doubt_forgotten: 5}        # in others from the first night on


known: dict[int, Outcome] = {}


@pytest.fixture
def night(sqlite_template: Path, tmp_path: Path) -> Callable[[int], Outcome]:
    return lambda seed: simulate(sqlite_template, tmp_path, seed, HOURS)


@pytest.fixture
def told(night: Callable[[int], Outcome]) -> Callable[[int], Outcome]:
    """A night that may have been simulated before."""

    def tell(seed: int) -> Outcome:
        if seed not in known:
            known[seed] = night(seed)
        return known[seed]

    return tell


@pytest.mark.parametrize("seed", SEEDS)
def test_in_no_night_is_a_signal_lost_a_card_doubled_or_a_deed_unwritten(told, seed):
    assert told(seed).answered > 0


def test_the_same_seed_tells_the_same_night_word_for_word(night, told):
    assert night(3).log == told(3).log


def test_a_night_passes_the_points_at_which_it_may_die(told):
    passed = told(1).kill_points | told(2).kill_points | told(3).kill_points

    verbs = ("intake", "decide", "ack", "close", "snooze", "assign", "note", "due", "courier")
    assert passed >= {f"{verb}: {side} commit" for verb in verbs for side in ("before", "after")}
    assert passed >= {f"{act}: {side} send" for act in ("post", "update") for side in ("before", "after")}
    assert passed >= {"answer: before", "answer: after", "work: before start", "work: after start"}


@pytest.mark.parametrize("bug", planted.IN_A_NIGHT, ids=lambda bug: bug.__name__)
def test_a_planted_bug_is_found(night, bug):
    with bug(), pytest.raises(LawBroken):
        for seed in (SHOWN_IN.get(bug, 1), *range(1, 1 + MOST_NIGHTS)):
            night(seed)
