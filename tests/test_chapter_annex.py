"""The annex of the review: incidents and limits of DORA, what recurs, evidence for PCI DSS; numbers worked out by hand."""

from datetime import timedelta
from typing import Any

from bot.review import Facts, Figure, Section
from bot.review.annex import NO_LIMIT, NONE_BEGAN, NOT_ASSESSED, NOT_DUE, NOT_SIGNED, annex
from bot.review.facts import Incident, Notice, Told, Trail
from bot.review.facts.platform import Impact
from tests.incident_stage import config
from tests.review_stage import at, facts, group, month


def happened(number: int, began: str, minutes: float | None = 60, *notices: Notice, **more: Any) -> Incident:
    since = at(began)
    plain: dict[str, Any] = {
        "title": "5xx", "service": "pay-api", "kind": "outage", "began_at": since, "detected_at": since, "declared_by": "alice",
        "ended_at": since + timedelta(minutes=minutes) if minutes else None, "notices": notices,
    }
    return Incident(number, **(plain | more))


def report(kind: str, due: str, sent: str | None = None) -> Notice:
    return Notice(kind, at(due), at(sent) if sent else None)


def written(given: Facts) -> Section:
    return annex.write(given, {})


def figure(section: Section, name: str) -> Figure:
    return next(each for each in section.figures if each.name == name)


def rows(section: Section, name: str) -> list[tuple[Any, ...]]:
    return list(next(each for each in section.tables if each.name == name).rows)


def test_an_empty_month_says_why_there_is_no_figure() -> None:
    section = written(facts())
    assert (figure(section, "incidents_classified_share").value, figure(section, "incidents_classified_share").why) == (
        None, NONE_BEGAN)
    assert figure(section, "reports_in_time_share").why == NO_LIMIT and figure(section, "pan_hits").value == 0
    signed = figure(section, "log_reviews_signed_share")
    assert (signed.value, signed.why) == (None, NOT_SIGNED), "what Vigie does not know is never zero"


def test_incidents_count_in_the_month_in_which_they_began_and_drills_do_not() -> None:
    section = written(facts(incidents=[
        happened(1, "2026-10-05 10:00", major=True), happened(2, "2026-10-06 10:00"),
        happened(3, "2026-09-30 23:00", 180), happened(4, "2026-10-07 10:00", drill=True),
    ]))
    classified = figure(section, "incidents_classified_share")
    assert (classified.value, classified.n) == (0.5, 2)
    assert [row[0] for row in rows(section, "incident-log")] == [1, 2, 3, 4], "the log has all that touched the month"


def test_a_limit_is_met_missed_late_or_not_due_yet() -> None:
    given = facts(when=month(as_of="2026-10-20 12:00"), incidents=[happened(
        1, "2026-10-05 10:00", 60,
        report("initial", "2026-10-05 14:00", "2026-10-05 14:00"), report("intermediate", "2026-10-08 14:00", "2026-10-08 14:01"),
        report("final", "2026-10-30 10:00"), report("initial", "2026-10-20 12:00"), report("final", "2026-11-01 00:00"),
    )])
    section = written(given)
    in_time = figure(section, "reports_in_time_share")
    assert (in_time.value, in_time.n, in_time.left_out) == (1 / 3, 3, {NOT_DUE: 1})
    assert figure(section, "reports_late").value == 2
    assert [row[-1] for row in rows(section, "reports")] == ["in time", "late", "not due yet", "not sent"]


def test_the_same_cause_in_six_months_recurs_with_minutes_of_impact_counted_once() -> None:
    first = happened(1, "2026-07-01 10:00", cause="nat", impacts=[
        Impact("pay-api", at("2026-07-01 10:00"), at("2026-07-01 10:30")),
        Impact("ledger", at("2026-07-01 10:20"), at("2026-07-01 10:40")),
    ])
    section = written(facts(incidents=[first, happened(2, "2026-10-05 10:00", cause="NAT "), happened(3, "2026-10-06 10:00")]))
    assert figure(section, "recurring_incidents").value == 1
    [row] = rows(section, "recurring")
    assert (row[0], row[2], row[3], row[7], row[8]) == ("nat", 2, "1, 2", 120, 40)


def test_incidents_of_the_same_pattern_recur_without_a_cause() -> None:
    groups = [group(10, "2026-10-05 10:00"), group(11, "2026-10-06 10:00")]
    both = [happened(1, "2026-10-05 10:00", alerts=[10]), happened(2, "2026-10-06 10:00", alerts=[11])]
    section = written(facts(groups, incidents=both))
    assert [row[1] for row in rows(section, "recurring")] == ["pattern"]


def test_a_microenterprise_need_not_assess_recurrence() -> None:
    small = Facts(month(), config(microenterprise=True), incidents=[
        happened(1, "2026-10-05 10:00", cause="nat"), happened(2, "2026-10-06 10:00", cause="nat")])
    assert figure(written(small), "recurring_incidents").why == NOT_ASSESSED


def test_outages_of_banks_are_counted_with_those_that_were_reported() -> None:
    told = Notice("bank_api", None, at("2026-10-06 09:00"))
    section = written(facts(incidents=[
        happened(1, "2026-10-05 02:00", 60, told, kind="bank_api_down"), happened(2, "2026-10-07 02:00", kind="bank_api_down"),
    ]))
    assert figure(section, "bank_api_outages").value == 2 and figure(section, "bank_api_reported_share").value == 0.5


def test_the_log_and_card_numbers_are_evidence() -> None:
    trail = Trail(entries=900, ok=True, seals=744, days_sealed=31, masked={"bridge-generic": 3, "padok-datadog": 1})
    section = written(facts(trail=trail))
    assert figure(section, "pan_hits").value == 4 and rows(section, "masked")[0] == ("bridge-generic", 3)
    assert figure(section, "log_days_sealed_share").value == 1.0
    assert section.said[0] == "The audit log of the month is whole: 900 entries in 744 seals."
    broken = written(facts(trail=Trail(ok=False, first_bad=812, why="ENTRY: changed")))
    assert broken.said[0] == "The audit log is not whole: entry 812, ENTRY: changed."


def test_failures_of_what_watches_are_listed_with_their_length() -> None:
    silent = group(7, "2026-10-05 14:00", resolved_min=30, service="vigie", title="a source is silent")
    missed = Told(1, at("2026-10-06 10:00"), "vigie", "vigie", "call missing", "alert:12", "failed", {})
    section = written(facts([silent, group(8)], told=[missed]))
    assert figure(section, "control_failures").value == 2
    assert [row[1:] for row in rows(section, "control-failures")] == [("a source is silent", 30.0, 7), ("call missing", None, 12)]


def test_every_figure_stands_before_a_list_that_exists() -> None:
    section = written(facts())
    assert {each.behind for each in section.figures} <= {each.name for each in section.tables}
