"""What several sections of a review ask of the same month is worked out once, and only for that month."""

from dataclasses import replace

from bot.review import Facts
from bot.review.arithmetic.once import once
from bot.review.arithmetic.repeats import repeats
from tests.review_stage import facts, group


def test_what_two_sections_ask_of_a_month_is_worked_out_once() -> None:
    asked: list[Facts] = []

    @once
    def counted(month: Facts) -> int:
        asked.append(month)
        return len(month.groups)

    month = facts([group(1), group(2)])
    assert (counted(month), counted(month), len(asked)) == (2, 2, 1)
    assert repeats(month) is repeats(month)


def test_a_month_that_differs_in_one_fact_is_asked_anew() -> None:
    month = facts([group(1), group(2)])
    assert [each.count for each in repeats(month)] == [2]
    assert [each.count for each in repeats(replace(month, groups=month.groups[:1]))] == [1]
    assert month == replace(month)
