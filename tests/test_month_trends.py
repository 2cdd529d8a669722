"""A figure is compared with the month before only when that is honest."""


import pytest

from bot.review import Definition
from bot.review.facts import Past
from bot.services.review import composing
from bot.services.review.facts import past

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
