"""Service levels and sources of a month: promises kept and broken, worked out by hand."""

from datetime import timedelta
from typing import Any

import pytest

from bot.config.months import ServiceLevel
from bot.review import Facts, Figure, Section, Table
from bot.review.arithmetic.deadlines import due
from bot.review.facts import Source
from bot.review.service_levels import service_levels
from bot.review.sources import sources
from tests.config_stage import example
from tests.review_stage import at, facts, group, month

HOUR = timedelta(hours=1)


def level(**more: Any) -> ServiceLevel:
    return ServiceLevel.model_validate({"organisation": "padok", "name": "Nights", "ack_within": "15m", **more})


def promised(*levels: ServiceLevel, **given: Any) -> Section:
    config = example()
    changed = config.model_copy(update={"month": config.month.model_copy(update={"service_levels": levels})})
    told = facts(**given)
    return service_levels.write(Facts(told.month, changed, told.groups), {})


def figure(section: Section, name: str) -> Figure:
    return next(each for each in section.figures if each.name == name)


def table(section: Section, name: str) -> Table:
    return next(each for each in section.tables if each.name == name)


# --- deadlines ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("since", "hours", "by"), [
    ("2026-10-05 09:00", 4, "2026-10-05 13:00"),        # a Monday
    ("2026-10-05 03:00", 4, "2026-10-05 12:00"),        # begins to count at eight
    ("2026-10-05 16:00", 2, "2026-10-05 18:00"),        # the last minute of a day is that day's
    ("2026-10-05 16:00", 4, "2026-10-06 10:00"),
    ("2026-10-09 17:00", 4, "2026-10-12 11:00"),        # Friday evening, Monday
    ("2026-10-24 12:00", 1, "2026-10-26 09:00"),        # over the weekend in which clocks change
    ("2026-10-30 17:00", 25, "2026-11-04 12:00"),       # 1 + 10 + 10 + 4 hours: the first of November is a Sunday
    ("2026-11-10 17:00", 2, "2026-11-12 09:00"),        # the eleventh is a holiday
    ("2027-03-26 17:00", 2, "2027-03-30 09:00"),        # Easter Monday, and clocks that skip an hour
])
def test_working_hours_are_those_of_the_side(since: str, hours: int, by: str) -> None:
    assert due(example(), "padok", at(since), hours * HOUR, "working") == at(by)


@pytest.mark.parametrize(("since", "by"), [
    ("2026-10-24 23:00", "2026-10-25 04:00"), ("2027-03-27 23:00", "2027-03-28 06:00"),
])
def test_around_the_clock_six_hours_are_six_hours_when_clocks_change(since: str, by: str) -> None:
    assert due(example(), "padok", at(since), 6 * HOUR, "always") == at(by)


# --- promises -----------------------------------------------------------------------------------------------------------------


def test_taken_by_the_deadline_is_kept_and_a_moment_later_is_broken() -> None:
    groups = [group(1, "2026-10-05 02:00", acked_min=15), group(2, "2026-10-05 03:00", acked_min=15.02),
              group(3, "2026-10-05 04:00", acked_min=3)]
    section = promised(level(), groups=groups)
    found = figure(section, "sla_ack_breach_share")
    assert (found.value, found.n) == (1 / 3, 3)
    assert [row[0] for row in table(section, "service-level-breaches").rows] == [2]
    assert figure(section, "sla_ack_breach_share_padok").value == 1 / 3


def test_a_side_answers_only_for_what_opened_in_its_duty() -> None:
    section = promised(level(), groups=[group(1, "2026-10-05 14:00", acked_min=60), group(2, "2026-10-05 02:00", acked_min=60)])
    assert figure(section, "sla_ack_breach_share").n == 1


def test_what_is_still_open_after_its_deadline_is_broken_now_and_before_it_is_left_out() -> None:
    groups = [group(1, "2026-10-05 02:00"), group(2, "2026-10-05 02:50")]
    section = promised(level(), groups=groups, when=month(as_of="2026-10-05 03:00"))
    found = figure(section, "sla_ack_breach_share")
    assert (found.value, found.n, found.left_out) == (1.0, 1, {"not due yet": 1})
    late = table(section, "service-level-breaches").rows[0]
    assert (late[0], late[7], late[8]) == (1, None, 45 * 60)


def test_a_deadline_is_due_at_its_very_instant() -> None:
    section = promised(level(), groups=[group(1, "2026-10-05 02:00")], when=month(as_of="2026-10-05 02:15"))
    assert figure(section, "sla_ack_breach_share").value == 1


def test_what_healed_before_somebody_had_to_take_it_is_left_out_and_what_healed_later_is_broken() -> None:
    groups = [group(1, "2026-10-05 02:00", resolved_min=5), group(2, "2026-10-05 02:00", resolved_min=20)]
    found = figure(promised(level(), groups=groups), "sla_ack_breach_share")
    assert (found.value, found.n) == (1.0, 1)
    assert found.left_out == {"over before it was due, and nobody had taken it": 1}


def test_what_was_closed_without_being_resolved_broke_the_promise_to_resolve_it() -> None:
    closed = group(1, "2026-10-05 02:00", closed_at=at("2026-10-05 02:30"))
    kept = group(2, "2026-10-05 02:00", resolved_min=239)
    found = figure(promised(level(ack_within=None, resolve_within="4h"), groups=[closed, kept]), "sla_resolve_breach_share")
    assert (found.value, found.n) == (1 / 2, 2)


def test_a_promise_may_be_about_severities_important_ones_and_services() -> None:
    groups = [
        group(1, "2026-10-05 02:00", acked_min=1, severity="critical", important=True),
        group(2, "2026-10-05 02:00", acked_min=1, severity="critical"),
        group(3, "2026-10-05 02:00", acked_min=1, important=True),
        group(4, "2026-10-05 02:00", acked_min=1, severity="critical", important=True, service="ledger"),
    ]
    narrow = level(severities=["critical"], important=True, services="pay-*")
    assert figure(promised(narrow, groups=groups), "sla_ack_breach_share").n == 1
    assert figure(promised(level(important=False), groups=groups), "sla_ack_breach_share").n == 1


def test_each_promise_is_told_beside_what_was_promised() -> None:
    groups = [group(number, "2026-10-05 02:00", acked_min=10 if number < 19 else 20) for number in range(20)]
    section = promised(level(target=0.95), level(name="Half an hour", ack_within="30m", organisation="padok"), groups=groups)
    rows = [dict(zip((each.name for each in table(section, "service-levels").columns), row, strict=True))
            for row in table(section, "service-levels").rows]
    assert [(each["promise"], each["kept"], each["broken"], each["share"], each["reached"]) for each in rows] == [
        ("Nights", 19, 1, 0.95, True), ("Half an hour", 20, 0, 1.0, True)]


def test_working_hours_of_a_promise_count_from_the_morning() -> None:
    daily = level(organisation="bridge", ack_within="1h", clock="working")
    on_monday_at_nine = group(1, "2026-10-09 19:00", acked_min=62 * 60, side="bridge")
    found = figure(promised(daily, groups=[on_monday_at_nine]), "sla_ack_breach_share")
    assert (found.value, found.n) == (0.0, 1)


def test_without_a_promise_the_section_says_how_to_write_one() -> None:
    section = promised(groups=[group(1, "2026-10-05 02:00")])
    found = figure(section, "sla_ack_breach_share")
    assert found.value is None
    assert found.why is not None and "month: service_levels" in found.why
    assert "vigie.yaml" in section.said[0]


def test_the_partners_figures_are_called_evidence_for_the_regulation() -> None:
    assert any("2022/2554" in each and "Padok" in each for each in promised(level()).said)
    assert not any("2022/2554" in each for each in promised(level(organisation="bridge")).said)


# --- sources ------------------------------------------------------------------------------------------------------------------


def source(endpoint: str = "bridge-cloudwatch", signals: int = 90, silence_h: float | None = 5, **more: Any) -> Source:
    plain = {"source": "cloudwatch", "observer": "CloudWatch", "organisation": "bridge", "groups": 3,
             "last_at": at("2026-10-31 20:00"), "longest_silence_s": None if silence_h is None else silence_h * 3600}
    return Source(endpoint=endpoint, signals=signals, **(plain | more))


TWO = [source(), source("padok-datadog", 10, 30, observer="Probe A", organisation="padok")]


def test_an_endpoint_that_sent_nothing_all_month_is_named() -> None:
    section = sources.write(facts(sources=TWO), {})
    found = figure(section, "silent_sources")
    assert (found.value, found.n) == (len(example().endpoints) - 2, len(example().endpoints))
    assert "bridge-alertmanager" in section.said[0]
    assert "padok-datadog" not in section.said[0]
    assert "bridge-generic" in [row[0] for row in table(section, "silent-sources").rows]


def test_shares_of_notifications_and_the_longest_silence_are_told() -> None:
    section = sources.write(facts(sources=TWO), {})
    assert [row[5] for row in table(section, "sources").rows] == [0.9, 0.1]
    assert figure(section, "longest_silence_s").value == 30 * 3600
    assert section.charts[0].title == "CloudWatch sent most of the notifications: 90 of 100"


def test_what_vigie_says_of_itself_is_no_source_that_could_fall_silent() -> None:
    own = source("vigie", 2, 700, observer="Vigie", source="vigie")
    section = sources.write(facts(sources=[source(), own]), {})
    assert (figure(section, "longest_silence_s").value, figure(section, "longest_silence_s").n) == (5 * 3600, 1)
    assert figure(section, "notifications").value == 92


def test_what_was_refused_or_could_not_be_read_is_counted() -> None:
    section = sources.write(facts(sources=[source(dropped=3, unreadable=2)]), {})
    assert (figure(section, "notifications_refused").value, figure(section, "notifications_refused").n) == (5, 95)


def test_an_observer_without_a_notification_does_not_count_as_having_spoken() -> None:
    section = sources.write(facts(sources=[source(signals=0, silence_h=None, last_at=None, dropped=4)]), {})
    assert "bridge-cloudwatch" in [row[0] for row in table(section, "silent-sources").rows]
    assert figure(section, "longest_silence_s").value is None
    assert section.charts == ()
