"""Chapters of the review: each writes an empty month and a full one, and each figure leads to its definition and its list."""

from collections import Counter
from functools import cache

import pytest

from bot.review import Chapter, Facts, Review, Section
from bot.review.arithmetic import written
from bot.review.facts import Past
from bot.services.review.composing import chapters, compose
from tests.review_stage import at, decision, facts, group, month, page, past, run

SUMMARY = "summary"
MORE = frozenset({"error_budget_burn"})         # shares that may be greater than a whole
EMPTY, FULL, OPEN = "empty", "full", "open"


@cache
def months() -> dict[str, Facts]:
    """Nothing at all; a bit of everything; a month that is under way."""
    groups = [
        group(1, "2026-10-05 02:14", acked_min=3, resolved_min=9, called_min=1, verdict="noise"),
        group(2, "2026-10-05 12:00", resolved_min=2, signals=4, cycles=3),
        group(3, "2026-10-06 12:00", resolved_min=8, fixed_by=900, pattern="queue", service="batch-worker"),
        group(4, "2026-10-30 23:50", runbook=None, recognised=False, important=True, pattern="other"),
        *(group(number, f"2026-10-07 03:0{number % 5}", acked_min=number, resolved_min=90) for number in range(10, 40)),
    ]
    return {
        EMPTY: facts(),
        FULL: facts(
            groups, carried=[group(90, "2026-09-30 10:00")], drills=[group(91)], earlier=[group(92, "2026-09-02 10:00")],
            runs=[run(3, id=900, mode="automatic", actor="vigie"), run(1)], decisions=[decision()], before=past(volume=50),
            pages=[page(1, "2026-10-05 02:15")], volumes={"2026-09": 50},
        ),
        OPEN: facts(groups[:1], month(as_of="2026-10-06 09:00")),
    }


@cache
def composed(kind: str) -> Review:
    return compose(months()[kind])


def sections(review: Review) -> dict[str, Section]:
    return {each.name: each for each in review.sections}


@pytest.mark.parametrize("kind", (EMPTY, FULL, OPEN))
@pytest.mark.parametrize("member", chapters(), ids=lambda each: each.name)
def test_every_chapter_writes_any_month(member: Chapter, kind: str) -> None:
    section = sections(composed(kind))[member.name]
    assert section.title == member.title and all(each.strip() for each in section.said)
    for table in section.tables:
        assert table.title and table.total >= len(table.rows) and (table.rows or table.empty), table.name
        assert all(len(row) == len(table.columns) for row in table.rows), table.name
        assert len({each.name for each in table.columns}) == len(table.columns), table.name
    for chart in section.charts:
        assert chart.points and len(chart.title.split()) > 2 and len(chart.alt) > len(chart.title), chart.name


@pytest.mark.parametrize("kind", (EMPTY, FULL, OPEN))
def test_every_figure_says_what_it_means_and_leads_to_its_list(kind: str) -> None:
    review = composed(kind)
    lists = {table.name for section in review.sections for table in section.tables}
    for each in (figure for section in review.sections for figure in section.figures):
        known = each.definition
        assert known.title and known.text.endswith(".") and known.unit and known.version >= 1 and known.source, each.name
        assert each.behind in lists, f"{each.name} leads to {each.behind}, which is no list"
        assert (each.value is None) <= bool(each.why), f"{each.name} has no value and does not say why"
        assert known.unit != "share" or each.value is None or 0 <= each.value <= 1 or each.name in MORE, each.name


@pytest.mark.parametrize("kind", (EMPTY, FULL, OPEN))
def test_no_name_of_the_review_is_taken_twice(kind: str) -> None:
    review = composed(kind)
    others = [section for section in review.sections if section.name != SUMMARY]
    for names in (
        [figure.name for section in others for figure in section.figures],
        [table.name for section in review.sections for table in section.tables],
        [chart.name for section in review.sections for chart in section.charts],
        [str(member.number) for member in chapters()],
    ):
        assert not [name for name, count in Counter(names).items() if count > 1]


def test_the_chapters_stand_in_the_order_of_their_numbers() -> None:
    assert [each.number for each in chapters()] == sorted(each.number for each in chapters())
    assert chapters()[0].name == SUMMARY and chapters()[-1].name == "actions"


@pytest.mark.parametrize("kind", (EMPTY, FULL, OPEN))
def test_a_review_is_the_same_when_it_was_written_down_and_read(kind: str) -> None:
    review = composed(kind)
    text = written.to_json(review)
    assert written.from_json(text) == written.from_json(written.to_json(written.from_json(text)))
    assert written.to_json(written.from_json(text)) == text
    assert written.digest(compose(months()[kind])) == written.digest(review)


def test_the_order_of_facts_changes_nothing() -> None:
    full = months()[FULL]
    turned = facts(
        list(reversed(full.groups)), carried=full.carried, drills=full.drills, earlier=list(reversed(full.earlier)),
        runs=list(reversed(full.runs)), decisions=full.decisions, before=full.before, pages=full.pages, volumes=full.volumes,
    )
    assert written.digest(compose(turned)) == written.digest(composed(FULL))


def test_a_first_month_has_no_trend_and_a_changed_definition_breaks_it() -> None:
    assert composed(EMPTY).trends["volume"].why == "no earlier month" and "No earlier month." in composed(EMPTY).notes
    full = composed(FULL)
    assert (full.trends["volume"].value, full.trends["volume"].why) == (50, None)
    assert full.trends["repeat_rate"].why == "not known for the month before"
    changed = compose(facts(before={"volume": Past(50, definition=7)})).trends["volume"]
    assert (changed.value, changed.why) == (None, "its definition changed: version 7 then, 1 now")


def test_a_month_under_way_says_so() -> None:
    assert composed(OPEN).notes[0].startswith("So far, provisional: facts up to 6 Oct 2026 09:00")
    assert months()[OPEN].month.until == at("2026-10-06 09:00")
