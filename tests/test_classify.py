"""Major or not: the gate of art. 6 and the thresholds of art. 9 of 2024/1772, with their figures, and the limits of 2025/301."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.review.arithmetic.dora import Answers, classify, together
from bot.review.arithmetic.limits import Office, final, initial, intermediate, written
from bot.review.arithmetic.recurrence import Happened, recurring, since
from bot.services.incident import worksheet
from tests.review_stage import ZONE as PARIS
from tests.review_stage import at

NO = Answers(
    critical=False, supervised=False, access=False, clients=0, clients_share=0, counterparts_share=0, transactions_share=0,
    amount_share=0, relevant=False, media=False, complaints=False, regulation=False, lost_clients=False, duration_h=1,
    downtime_h=0, member_states=1, data_loss=False, data_at_risk=False, costs_eur=0, estimated=False,
)
GATE = replace(NO, critical=True)
RELIEF = Office(relief=True)

JUST_MET = [
    {"clients": 100_001}, {"clients_share": 0.1001}, {"counterparts_share": 0.3001}, {"transactions_share": 0.1001},
    {"amount_share": 0.1001}, {"relevant": True}, {"media": True}, {"complaints": True}, {"regulation": True},
    {"lost_clients": True}, {"duration_h": 24.01}, {"downtime_h": 2.01}, {"member_states": 2}, {"data_loss": True},
    {"costs_eur": 100_000.01},
]
NOT_QUITE = [
    {"clients": 100_000}, {"clients_share": 0.10}, {"counterparts_share": 0.30}, {"transactions_share": 0.10},
    {"amount_share": 0.10}, {"duration_h": 24}, {"downtime_h": 2}, {"member_states": 1}, {"costs_eur": 100_000},
]


@pytest.mark.parametrize("met", JUST_MET, ids=str)
def test_each_threshold_begins_above_its_figure(met: dict[str, Any]) -> None:
    assert [each.met for each in classify(replace(GATE, **met)).thresholds].count(True) == 1


@pytest.mark.parametrize("close", NOT_QUITE, ids=str)
def test_the_figure_itself_is_not_above_it(close: dict[str, Any]) -> None:
    assert not classify(replace(GATE, **close)).met


@pytest.mark.parametrize("met", JUST_MET, ids=str)
def test_one_threshold_is_never_enough(met: dict[str, Any]) -> None:
    assert not classify(replace(GATE, **met)).major


def test_two_thresholds_and_a_critical_service_make_it_major() -> None:
    found = classify(replace(GATE, downtime_h=3, member_states=2))
    assert found.major and found.gate
    assert "critical services are down for 3 h, more than 2 (art. 9(3))" in found.reasons


def test_without_a_critical_service_nothing_is_major() -> None:
    worst = replace(NO, clients=10**6, duration_h=99, member_states=9, data_loss=True, data_at_risk=True, costs_eur=1e9)
    assert not classify(worst).major and "cannot be major" in classify(worst).reasons[0]


@pytest.mark.parametrize("gate", ["critical", "supervised", "access"])
def test_any_of_three_ways_leads_through_the_gate_and_is_not_one_of_the_two(gate: str) -> None:
    through = replace(NO, **{gate: True})
    assert classify(through).gate and not classify(replace(through, duration_h=25)).major
    assert classify(replace(through, duration_h=25, costs_eur=200_000)).major


def test_a_malicious_access_with_possible_loss_of_data_is_enough_alone() -> None:
    assert classify(replace(NO, access=True, data_at_risk=True)).major
    assert not classify(replace(NO, data_at_risk=True)).major, "but not without the gate"
    assert not classify(replace(GATE, data_loss=True)).major, "data losses alone are one threshold"


def test_two_parts_of_one_threshold_count_once() -> None:
    assert not classify(replace(GATE, clients=200_000, clients_share=0.5, transactions_share=0.9)).major
    assert not classify(replace(GATE, duration_h=30, downtime_h=30)).major
    assert not classify(replace(GATE, media=True, complaints=True, lost_clients=True)).major


def test_downtime_counts_only_for_critical_services() -> None:
    supervised = replace(NO, supervised=True, downtime_h=9, media=True)
    assert not classify(supervised).major and classify(replace(supervised, critical=True)).major


def test_figures_of_pages_that_are_wrong_decide_nothing() -> None:
    assert not classify(replace(GATE, clients=5_001)).met


def test_what_is_not_answered_is_named_and_no_answer_is_no() -> None:
    found = classify(Answers(critical=True, duration_h=30))
    assert not found.major and "member states" in found.open and "duration and downtime" not in found.open
    assert classify(Answers()).gate is None and "critical services" in classify(Answers()).open
    assert classify(Answers(critical=True, duration_h=30, costs_eur=200_000)).open == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(JUST_MET), max_size=6))
def test_one_more_threshold_never_makes_it_less(more: list[dict[str, Any]]) -> None:
    answers, last = GATE, False
    for each in more:
        answers = replace(answers, **each)
        now = classify(answers).major
        assert now or not last
        last = now


def test_recurring_incidents_are_judged_as_one() -> None:
    one = replace(GATE, duration_h=13, clients=60_000)
    both = together([one, one])
    assert not classify(one).major and classify(both).major
    assert (both.duration_h, both.clients, both.critical) == (26, 120_000, True)
    assert together([replace(one, clients_share=0.7)] * 2).clients_share == 1.0
    assert together([Answers(), Answers(member_states=1)]).clients is None


# --- the limits -------------------------------------------------------------------------------------------------------------

T0 = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(("aware_h", "due_h"), [
    (0, 4), (10, 4), (20, 4), (21, 3), (23.5, 0.5), (24, 0), (24.01, 4), (100, 4),
])
def test_the_initial_report_has_four_hours_and_a_day_whichever_is_first(aware_h: float, due_h: float) -> None:
    assert initial(T0, T0 - timedelta(hours=aware_h)) == T0 + timedelta(hours=due_h)


def test_without_awareness_the_classification_counts() -> None:
    assert initial(T0, None) == T0 + timedelta(hours=4)


def test_the_intermediate_report_counts_from_the_submission_of_the_initial() -> None:
    assert intermediate(T0) == T0 + timedelta(hours=72)


@pytest.mark.parametrize(("sent", "due"), [
    ("2026-11-24 10:00", "2026-12-24 10:00"), ("2026-01-31 10:00", "2026-02-28 10:00"), ("2026-12-15 08:00", "2027-01-15 08:00"),
    ("2026-10-01 10:00", "2026-11-01 10:00"),      # by clocks: an hour more, for they change between
])
def test_the_final_report_is_due_a_month_after_the_newest_intermediate(sent: str, due: str) -> None:
    assert final(at(sent)) == at(due)


def test_a_limit_on_a_day_off_moves_only_where_that_is_allowed() -> None:
    saturday = at("2026-11-21 09:00")
    assert initial(saturday, None) == at("2026-11-21 13:00")
    assert initial(saturday, None, RELIEF) == at("2026-11-23 12:00")
    christmas = at("2026-12-22 10:00")
    assert intermediate(christmas, RELIEF) == at("2026-12-28 12:00")
    assert intermediate(at("2026-11-24 10:00"), RELIEF) == at("2026-11-27 10:00")


def test_lengths_are_days_hours_minutes() -> None:
    assert written(timedelta(days=1, hours=2, minutes=3)) == "01:02:03" and written(timedelta(seconds=-5)) == "00:00:00"
    assert written(timedelta(days=120)) == "120:00:00"


# --- recurrence -------------------------------------------------------------------------------------------------------------


def happened(number: int, began: str, cause: str | None = None, *patterns: str) -> Happened:
    since_ = at(began)
    return Happened(number, "pay-api", since_, since_ + timedelta(hours=1), cause, patterns, downtime_min=10)


def test_the_same_cause_twice_in_six_months_recurs_with_figures_of_both() -> None:
    until = at("2026-11-01 00:00")
    every = [
        happened(1, "2026-06-01 10:00", "NAT-3a"), happened(2, "2026-10-01 10:00", "nat-3a "),
        happened(3, "2026-04-01 10:00", "nat-3a"), happened(4, "2026-10-02 10:00", "disk"),
    ]
    [one] = recurring(every, since(until, PARIS), until)
    assert (one.by, one.what, one.incidents, one.duration_min, one.downtime_min) == ("cause", "nat-3a", (1, 2), 120, 20)


def test_the_same_alert_recurs_and_is_not_told_twice() -> None:
    until = at("2026-11-01 00:00")
    every = [happened(1, "2026-09-01 10:00", "disk", "a", "b"), happened(2, "2026-10-01 10:00", "disk", "a", "b")]
    assert [each.by for each in recurring(every, since(until, PARIS), until)] == ["cause"]
    [one] = recurring([replace(each, cause=None) for each in every], since(until, PARIS), until)
    assert one.by == "pattern" and one.incidents == (1, 2)


def test_six_months_before_the_last_of_august_is_the_last_of_february() -> None:
    assert since(at("2026-08-31 00:00"), PARIS) == at("2026-02-28 00:00")
    assert since(at("2026-11-01 00:00"), PARIS) == at("2026-05-01 00:00")


def test_six_months_before_the_end_of_a_month_begin_with_a_month_by_the_clocks_of_the_owner() -> None:
    """In UTC February ends on the 28th at 23:00, and six months before that is no end of August."""
    assert since(at("2027-03-01 00:00"), PARIS) == at("2026-09-01 00:00")
    assert since(at("2026-10-01 00:00"), PARIS) == at("2026-04-01 00:00")


# --- the worksheet in one line ---


@pytest.mark.parametrize("said", [{"gate": "critical"}, {"critical": "yes"}, {"gate": "none", "critical": "Yes"}])
def test_what_is_ticked_may_be_said_by_its_question_or_by_itself(said: dict[str, str]) -> None:
    assert worksheet.read(said, Answers(), None).critical is True


def test_a_tick_said_by_itself_leaves_the_others_as_they_were() -> None:
    known = replace(NO, access=True, media=True)
    found = worksheet.read({"critical": "no", "lost-clients": "yes"}, known, None)
    assert (found.critical, found.access, found.media, found.lost_clients) == (False, True, True, True)
