"""The chapter of incidents: minutes that count, those agreed not to count, and a budget in real minutes of the month."""

import json
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import Config
from bot.review import Facts, Figure, Section
from bot.review.arithmetic import availability
from bot.review.arithmetic.availability import Window
from bot.review.facts import Incident, Maintenance, Measure, Source
from bot.review.facts.platform import Impact
from bot.review.incidents import incidents
from tests.config_stage import example
from tests.review_stage import at, facts, group, month

HEARD = (Source("bridge-datadog", "datadog", "bridge", "Datadog", 40, 4, None, None),)


def incident(id: int = 1, *hurt: Impact, service: str = "pay-api", **more: Any) -> Incident:
    """An outage of 5 October; without windows it says nothing of how long anybody was hurt."""
    began = min((each.start for each in hurt), default=at("2026-10-05 02:00"))
    plain: dict[str, Any] = {
        "title": "payments refused", "kind": "outage", "began_at": began, "detected_at": began, "declared_by": "lea",
        "ended_at": at("2026-10-05 03:00"),
    }
    return Incident(id, service=service, impacts=hurt, **(plain | more))


def hurt(start: str, end: str | None, service: str = "pay-api", share: float = 1.0) -> Impact:
    return Impact(service, at(start), at(end) if end else None, share)


def agreed(start: str, end: str, *services: str) -> Maintenance:
    return Maintenance(services or ("*",), at(start), at(end), "new switches", ("paul", "ines"))


def promising(**given: Any) -> Config:
    """The example with other words on availability."""
    config = example()
    changed = config.month.availability.model_copy(update={"services": ("*",), "requests": {}, "target": 0.9995} | given)
    return config.model_copy(update={"month": config.month.model_copy(update={"availability": changed})})


def lived(
    *happened: Incident, when: str = "2026-10", as_of: str | None = None, config: Config | None = None, **more: Any,
) -> Facts:
    return replace(facts(when=month(when, as_of), incidents=happened, sources=HEARD, **more), config=config or promising())


def written(given: Facts) -> Section:
    return incidents.write(given, {})


def figures(given: Facts) -> dict[str, Figure]:
    return {each.name: each for each in written(given).figures}


def rows(given: Facts, name: str) -> tuple[tuple[Any, ...], ...]:
    [found] = [each for each in written(given).tables if each.name == name]
    return found.rows


@pytest.mark.parametrize(("name", "minutes"), [
    ("2027-02", 20.16), ("2026-11", 21.60), ("2026-12", 22.32), ("2027-03", 22.29), ("2026-10", 22.35),
])
def test_the_error_budget_is_one_of_real_minutes_of_the_month(name: str, minutes: float) -> None:
    assert figures(lived(when=name))["error_budget_min"].value == pytest.approx(minutes)


def test_outages_that_overlap_count_once() -> None:
    found = figures(lived(
        incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:10")),
        incident(2, hurt("2026-10-05 02:05", "2026-10-05 02:15", "pay-db"), service="pay-db"),
    ))
    assert found["error_budget_used_min"].value == pytest.approx(15)
    assert found["error_budget_left_min"].value == pytest.approx(7.35)
    assert found["availability"].value == pytest.approx(1 - 15 / 44_700) and found["availability"].why is None
    assert (found["incidents"].value, found["availability"].n) == (2, 2)


def test_an_hour_that_clocks_show_twice_is_sixty_minutes_more() -> None:
    ended = figures(lived(incident(1, hurt("2026-10-25 01:30", "2026-10-25 03:30"))))
    assert ended["error_budget_used_min"].value == pytest.approx(180)


def test_agreed_maintenance_is_not_counted_and_the_other_figure_says_so() -> None:
    given = lived(
        incident(1, hurt("2026-10-18 01:50", "2026-10-18 02:30")), maintenance=(agreed("2026-10-18 02:00", "2026-10-18 04:00"),))
    found = figures(given)
    assert found["error_budget_used_min"].value == pytest.approx(10)
    assert found["availability"].value == pytest.approx(1 - 10 / (44_700 - 120))
    assert found["availability_with_maintenance"].value == pytest.approx(1 - 40 / 44_700)
    assert any("Had no maintenance been agreed" in each for each in written(given).said)
    assert rows(given, "maintenance")[0][-1] == "Paul, Inès"


def test_maintenance_of_one_service_excuses_no_other() -> None:
    found = figures(lived(
        incident(1, hurt("2026-10-18 02:00", "2026-10-18 02:10"), hurt("2026-10-18 02:05", "2026-10-18 02:20", "pay-db")),
        maintenance=(agreed("2026-10-18 02:00", "2026-10-18 04:00", "pay-api"),)))
    assert found["error_budget_used_min"].value == pytest.approx(15)
    assert found["availability"].value == pytest.approx(1 - 15 / 44_700)


def test_windows_are_cut_at_the_months_ends_and_one_that_lasts_counts_up_to_now() -> None:
    given = lived(
        incident(1, hurt("2026-09-30 23:50", "2026-10-01 00:10")),
        incident(2, hurt("2026-10-15 11:30", None), ended_at=None), as_of="2026-10-15 12:00")
    assert figures(given)["error_budget_used_min"].value == pytest.approx(40)
    assert figures(given)["incidents"].value == 1 and len(rows(given, "incidents")) == 2
    assert "Incident 2 lasts." in written(given).said


def test_the_time_to_restore_is_from_the_first_bad_minute_to_the_last() -> None:
    """Over the hour that clocks show twice it is 140 minutes; one that lasts, a bank that is down and a drill are not timed."""
    made = figures(lived(
        incident(1, hurt("2026-10-05 02:10", "2026-10-05 02:20"), hurt("2026-10-05 02:15", "2026-10-05 02:50", "ledger")),
        incident(2, hurt("2026-10-25 01:50", "2026-10-25 03:10")), incident(3, began_at=at("2026-10-05 02:30")),
        incident(4, hurt("2026-10-07 02:00", None), ended_at=None), incident(5, kind="bank_api_down"), incident(6, drill=True),
    ))
    mean = made["mitigation_mean_s"]
    assert (mean.value, mean.n, mean.left_out) == ((40 + 140 + 30) * 60 / 3, 3, {"still lasts": 1, "of another kind": 1})
    assert (made["mitigation_median_s"].value, made["mitigation_median_s"].why) == (None, "only 3: see the list")


def test_a_month_that_goes_on_says_how_fast_its_budget_goes() -> None:
    given = lived(incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:10")), as_of="2026-10-15 12:00")
    elapsed = (14.5 * 1440) / 44_700
    assert figures(given)["error_budget_burn"].value == pytest.approx(10 / 22.35 / elapsed)
    assert figures(given)["availability"].value == pytest.approx(1 - 10 / (14.5 * 1440))


def test_a_partial_outage_weighs_by_its_share_only_where_the_agreement_says_so() -> None:
    partly = incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:20", share=0.25), kind="degraded")
    whole = incident(2, hurt("2026-10-05 02:10", "2026-10-05 02:14"))
    assert figures(lived(partly, whole))["error_budget_used_min"].value == pytest.approx(20)
    weighed = figures(lived(partly, whole, config=promising(partial=True)))
    assert weighed["error_budget_used_min"].value == pytest.approx(16 * 0.25 + 4)


def test_drills_and_banks_that_do_not_answer_hurt_no_availability() -> None:
    given = lived(
        incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:20"), drill=True),
        incident(2, hurt("2026-10-06 02:00", "2026-10-06 02:20"), kind="bank_api_down", major=False))
    found = figures(given)
    assert (found["availability"].value, found["incidents"].value, found["major_incidents"].n) == (1.0, 1, 1)


def test_incidents_that_nobody_has_classified_are_not_said_to_be_minor() -> None:
    window = hurt("2026-10-05 02:00", "2026-10-05 02:20")
    unsaid, one = figures(lived(incident(1, window)))["major_incidents"], incident(2, window, major=True)
    assert (unsaid.value, unsaid.grey, unsaid.why) == (None, True, "nobody has classified any of them")
    found = figures(lived(incident(1, window), one))["major_incidents"]
    assert (found.value, found.n, found.left_out) == (1, 1, {"not classified": 1})
    assert figures(lived())["major_incidents"].value == 0


def test_an_incident_without_windows_counts_from_its_beginning_to_its_end() -> None:
    given = lived(incident(7))
    assert figures(given)["error_budget_used_min"].value == pytest.approx(60)
    assert "Incident 7 names no window: it counts from its beginning to its end." in written(given).said
    assert any("overdrawn by 37.7" in each for each in written(given).said)


def test_without_a_declared_incident_important_alerts_are_suspected_and_grey() -> None:
    given = lived(groups=(
        group(1, "2026-10-05 02:00", important=True, resolved_min=12), group(2, "2026-10-06 02:00", resolved_min=90)))
    found = figures(given)
    assert found["availability"].grey and found["availability"].value == pytest.approx(1 - 12 / 44_700)
    assert "1 important alerts" in (found["availability"].why or "")
    assert found["suspected_min"].value == pytest.approx(12) and found["suspected_min"].grey
    assert [each[1] for each in rows(given, "availability") if each[0] == "pay-api"] == ["important alerts (suspected)"]


def test_what_is_declared_counts_and_what_is_only_suspected_stands_beside_it() -> None:
    found = figures(lived(
        incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:10")),
        groups=(group(1, "2026-10-05 01:58", important=True, resolved_min=14),)))
    assert not found["availability"].grey and found["error_budget_used_min"].value == pytest.approx(10)
    assert found["suspected_min"].value == pytest.approx(4)


def test_a_quiet_month_is_whole_and_a_silent_one_is_not_known() -> None:
    quiet, silent = figures(lived())["availability"], figures(replace(lived(), sources=()))["availability"]
    assert (quiet.value, quiet.grey) == (1.0, False) and "no important alert fired" in (quiet.why or "")
    assert (silent.value, silent.grey) == (None, True) and "nothing is known" in (silent.why or "")


def test_only_services_that_count_hurt_the_platform() -> None:
    found = figures(lived(
        incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:10", "batch-worker"), service="batch-worker"),
        config=promising(services=("pay-*",))))
    assert found["error_budget_used_min"].value == 0 and found["availability"].value == 1.0
    assert found["availability"].n == 0


def asked(day: str, total: float | None, failed: float | None = 0, service: str = "pay-api", read: str = "06:00") -> Measure:
    later = at(f"{day} {read}") + timedelta(days=1)
    return Measure("availability", service, date.fromisoformat(day), later, {"total": total, "failed": failed})


def metered() -> Config:
    config = example()
    metric = type(config.month).model_validate({"availability": {"requests": {"pay-api": [
        {"namespace": "AWS/ApplicationELB", "metric": "RequestCount"},
        {"namespace": "AWS/ApplicationELB", "metric": "HTTPCode_Target_5XX_Count"},
    ]}}})
    return promising(requests=metric.availability.requests)


def test_requests_are_the_second_figure_and_days_without_figures_are_named_never_zero() -> None:
    days = [asked(f"2026-10-{day:02d}", 1000, 1) for day in range(1, 32) if day not in (3, 4)]
    given = lived(config=metered(), measures=(*days, asked("2026-10-03", None)))
    found = figures(given)["requests_good_share"]
    assert (found.value, found.n, found.grey) == (pytest.approx(0.999), 29, True)
    assert found.left_out == {"days without figures": 2} and found.why == "without figures: 03 Oct, 04 Oct"
    assert "pay-api: no figures of requests for 03 Oct, 04 Oct." in written(given).said


def test_a_month_without_any_figure_of_requests_says_why() -> None:
    why = {"why": "AWS refused: AccessDenied"}
    refused = Measure("unread", "availability pay-api", date(2026, 10, 7), at("2026-10-08 06:00"), why)
    found = figures(lived(config=metered(), measures=(refused,)))["requests_good_share"]
    assert (found.value, found.grey) == (None, True)
    assert found.why == "no day of this month has figures of requests (the last try: AWS refused: AccessDenied)"
    assert "no metrics of requests are configured" in (figures(lived())["requests_good_share"].why or "")


def test_the_newest_reading_of_a_day_counts_and_none_that_came_after_the_review() -> None:
    given = lived(config=metered(), as_of="2026-10-10 12:00", measures=(
        asked("2026-10-05", 10, 1), asked("2026-10-05", 100, 1, read="09:00"), asked("2026-10-09", 900, 900, read="23:00")))
    assert figures(given)["requests_good_share"].value == pytest.approx(0.99)


def test_the_picture_shows_the_budget_going_against_an_even_pace() -> None:
    given = lived(incident(1, hurt("2026-10-05 02:00", "2026-10-05 02:10")))
    [chart] = written(given).charts
    assert chart.title == "10.0 of 22.35 minutes of the error budget are used" and "22.35" in chart.alt
    used = [value for _, series, value in chart.points if series == "used"]
    assert (len(used), used[3], used[4], used[-1]) == (31, 0, 10, 10)
    assert written(lived()).charts == ()


def test_every_figure_has_its_list() -> None:
    section = written(lived())
    assert {each.behind for each in section.figures} <= {each.name for each in section.tables}
    json.dumps([each.rows for each in section.tables])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-600, 46_000), st.integers(0, 3000), st.sampled_from((0.1, 0.5, 1.0))), max_size=8))
def test_bad_minutes_never_exceed_the_month_and_shares_weigh_no_more_than_whole(stretches: list[tuple[int, int, float]]) -> None:
    begun = month().start
    happened = [
        incident(number, Impact("pay-api", begun + timedelta(minutes=first), begun + timedelta(minutes=first + length), share))
        for number, (first, length, share) in enumerate(stretches)
    ]
    windows = availability.declared(lived(*happened))
    whole, weighed = availability.bad_minutes(windows, False), availability.bad_minutes(windows, True)
    assert 0 <= weighed <= whole + 1e-6 <= month().minutes + 1e-5
    marks = {minute for window in windows for minute in range(
        int((window.start - begun) / timedelta(minutes=1)), int((window.end - begun) / timedelta(minutes=1)))}
    assert whole == pytest.approx(len(marks))


def test_windows_are_instants_whatever_the_clock_shows() -> None:
    window = Window("pay-api", at("2026-10-25 02:30"), at("2026-10-25 03:30").astimezone(UTC))
    assert availability.bad_minutes([window], weighed=False) == pytest.approx(120)
