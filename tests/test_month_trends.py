"""A figure is compared with the month before only when that is honest."""


import pytest

from bot.review import Definition
from bot.review.facts import Facts, Past, Trail
from bot.services.review import composing
from bot.services.review.facts import past
from tests.review_stage import at, facts, group
from tests.review_stage import past as past_of

SHARE = Definition("share", "A share", "part / whole", "share", version=2)


@pytest.mark.parametrize(("before", "grey", "value", "why"), [
    (None, False, None, composing.NO_EARLIER),
    ({}, False, None, composing.NOT_THEN),
    ({"share": Past(None, 2)}, False, None, composing.NOT_THEN),
    ({"share": Past(0.5, 1)}, False, None, composing.REDEFINED.format(before=1, now=2)),
    ({"share": Past(0.5, 2)}, True, None, composing.UNSURE),
    ({"share": Past(0.5, 2)}, False, 0.5, None),
])
def test_a_trend_is_told_only_of_what_meant_the_same_and_is_known(before, grey, value, why):
    found = composing.trend(SHARE.of(0.6, 10, grey=grey), before)
    assert (found.value, found.why) == (value, why)


def test_what_was_only_guessed_a_month_ago_is_no_measure_of_now() -> None:
    known = past.figures({"share": SHARE.of(0.5, 10), "guess": SHARE.of(0.5, 10, grey=True)})
    assert (known["share"].value, known["guess"].value) == (0.5, None)


# --- the month in which Vigie began ---


def began(when: str, **more: object) -> Facts:
    return facts([group(1), group(2, "2026-10-20 14:00")], trail=Trail(began=at(when)), **more)


def test_sums_are_not_compared_with_a_month_that_is_known_in_part_shares_and_times_are() -> None:
    before = past_of(volume=12, volume_per_day=1.0, nights_with_wakeup=3, auto_closed_share=0.25, mttr_median_s=600)
    review = composing.compose(began("2026-09-19 10:00", before=before))
    why = "not compared: September is known from 19 Sep on only"
    assert (review.trends["volume"].value, review.trends["volume"].why) == (None, why)
    assert review.trends["nights_with_wakeup"].why == why
    assert review.trends["volume_per_day"].why == why and review.trends["auto_closed_share"].value == 0.25
    said = review.sections[0].said[0]
    assert said.startswith("2 alerts · ") and "was" not in said.partition("availability")[0]
    assert not any("Vigie began" in each for each in review.notes)


def test_the_month_in_which_vigie_began_says_so_and_divides_by_all_its_days() -> None:
    review = composing.compose(began("2026-10-17 00:00"))
    assert "Vigie began on 17 Oct: the last 15 days of the month are known, and counts are of these only." in review.notes
    assert review.figures["volume_per_day"].value == pytest.approx(2 / (31 + 1 / 24))


def test_of_a_month_before_vigie_began_the_review_says_that_nothing_is_known() -> None:
    notes = composing.compose(facts([], trail=Trail(began=at("2026-11-22 18:30")))).notes
    assert "Vigie began at 22 Nov 2026 18:30 (Europe/Paris), after this month: nothing is known of it." in notes
    assert "No earlier month." not in notes


@pytest.mark.parametrize("when", ["2026-10-01 08:00", "2026-09-01 09:00", "2025-01-01 00:00"])
def test_a_month_that_is_known_from_its_first_day_is_compared_whole(when: str) -> None:
    review = composing.compose(began(when, before=past_of(volume=12)))
    assert review.trends["volume"].value == 12 and not any("Vigie began" in each for each in review.notes)
