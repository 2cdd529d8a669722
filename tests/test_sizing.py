"""Right-sizing is arithmetic: what the load needs, what a lost zone needs, and what must be refused."""

from dataclasses import replace

import pytest

from runbooks.aids.sizing import Aims, Measured, Series, highest_rate, need, percentile, refusals, step_down

DAYS = 14
BINS = DAYS * 288


def series(value: float, count: int = BINS) -> Series:
    return {300 * number: value for number in range(count)}


IDLE = Measured(days=DAYS, zones=2, in_service=series(18), cpu=series(4.0), memory=series(10.0))
BUSY = replace(IDLE, requests=series(60 * 300), latency_s=series(1.2))


def test_eighteen_idle_machines_need_two_and_four_outlive_a_zone() -> None:
    found = need(IDLE, Aims())
    assert (found.by["CPU"], found.load, found.recommended) == (2, 3, 6) and found.by["memory"] == 3
    found = need(replace(IDLE, memory=series(5.0)), Aims())
    assert (dict(found.by), found.load, found.recommended) == ({"CPU": 2, "memory": 2}, 2, 4)


def test_a_small_pool_of_threads_is_why_somebody_started_eighteen() -> None:
    found = need(BUSY, Aims(threads=8, slow_s=2))
    assert (found.by["CPU"], found.by["thread pool"], found.decisive, found.load) == (2, 17, "thread pool", 17)
    assert need(BUSY, Aims(threads=200, slow_s=2)).decisive != "thread pool"


def test_a_load_test_says_what_one_instance_bears() -> None:
    assert need(BUSY, Aims(rate_tested=12.0)).by["request rate"] == 7
    assert "request rate" not in need(BUSY, Aims()).by
    assert highest_rate(BUSY, Aims(slow_s=2)) == pytest.approx(60 / 18)
    assert highest_rate(BUSY, Aims(slow_s=1)) == 0.0


def test_one_zone_has_none_to_lose_and_three_lose_a_third() -> None:
    small = replace(IDLE, memory=series(5.0))
    assert need(replace(small, zones=1), Aims()).recommended == 2
    assert need(replace(small, zones=3), Aims()).recommended == 3


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([4, 1, 3, 2], each) for each in (0, 25, 50, 95, 100)] == [1, 1, 2, 4, 4]
    assert percentile([], 99) == 0.0
    assert percentile([0.0] * 99 + [9.0], 99) == 0.0 and percentile([0.0] * 98 + [9.0] * 2, 99) == 9.0


def test_no_step_down_takes_more_than_a_quarter() -> None:
    way, current = [], 18
    while current > 4:
        current = step_down(current, 4)
        way.append(current)
    assert way == [14, 11, 9, 7, 6, 5, 4]
    assert (step_down(4, 4), step_down(3, 4), step_down(5, 4), step_down(2, 1)) == (4, 3, 4, 1)


def test_good_figures_are_not_refused() -> None:
    assert refusals(IDLE, Aims()) == []
    assert refusals(BUSY, Aims(slow_s=2)) == []


@pytest.mark.parametrize(("measured", "said"), [
    (replace(IDLE, cpu=series(4.0, int(BINS * 0.94))), "6 % of the 5-minute values of CPU are missing"),
    (replace(IDLE, in_service={}), "100 % of the 5-minute values of instances in service are missing"),
    (replace(IDLE, days=7), "7 days are too few"),
    (replace(IDLE, memory={}), "how much memory is used is not known"),
    (replace(IDLE, surplus=series(0.1, 2)), "CPU credits beyond the earned ones were charged"),
    (replace(IDLE, credits={300 * n: 500 - n / 20 for n in range(BINS)}), "CPU credits fell from 493 to 306"),
    (replace(BUSY, latency_s={**BUSY.latency_s, 600: 3.0}), "it was too slow or failed in 1 of the 5-minute spans"),
    (replace(BUSY, errors={600: 1000.0}), "it was too slow or failed in 1 of the 5-minute spans"),
])
def test_figures_that_prove_nothing_are_refused_with_the_reason(measured: Measured, said: str) -> None:
    assert said in "; ".join(refusals(measured, Aims(slow_s=2)))


def test_five_percent_of_holes_and_steady_credits_are_borne() -> None:
    assert refusals(replace(IDLE, cpu=series(4.0, int(BINS * 0.96)), credits=series(500.0)), Aims()) == []


def test_slowness_at_an_idle_cpu_points_elsewhere_and_a_reason_excuses_it() -> None:
    slow = replace(BUSY, latency_s={**BUSY.latency_s, 600: 3.0})
    assert "it was so at 4 % CPU or less: the bottleneck is elsewhere" in refusals(slow, Aims(slow_s=2))[1]
    assert len(refusals(replace(slow, cpu=series(80.0)), Aims(slow_s=2))) == 1
    assert refusals(slow, Aims(slow_s=2, explained=True)) == []
