"""Chapters about alerts: figures worked out by hand, with the edge cases of their definitions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.review import Facts, Figure, Section, Table, Value
from bot.review.arithmetic.bursts import storms
from bot.review.arithmetic.effects import effect
from bot.review.arithmetic.numbers import percentile
from bot.review.arithmetic.plain import change, length, percents, signed
from bot.review.arithmetic.proposals import propose, runs_by_group
from bot.review.arithmetic.repeats import repeats
from bot.review.facts import Group, Intervention, Measure, Run, Silence, Told
from bot.services.review.composing import compose
from tests.config_stage import example
from tests.review_stage import at, decision, facts, group, month, past, run


def section(name: str, of: Facts) -> Section:
    return next(each for each in compose(of).sections if each.name == name)


def figure(name: str, of: Facts) -> Figure:
    return compose(of).figures[name]


def value(name: str, of: Facts) -> float | None:
    return figure(name, of).value


def table(name: str, of: Facts) -> Table:
    return next(each for part in compose(of).sections for each in part.tables if each.name == name)


def column(name: str, of: Table) -> list[Value]:
    place = [each.name for each in of.columns].index(name)
    return [row[place] for row in of.rows]


def known(figure: Figure) -> tuple[float | None, int, dict[str, int]]:
    return figure.value, figure.n, dict(figure.left_out)


# --- response times ---


def test_the_time_to_acknowledge_leaves_out_whom_nobody_took_and_says_why() -> None:
    taken = [group(number, acked_min=number) for number in (1, 2, 3, 4, 10)]
    month_ = facts([
        *taken, group(20, resolved_min=3), group(21, resolved_min=3), group(22, resolved_min=9, fixed_by=7),
        group(23, resolved_min=5, ending="person", closed_by="lea"), group(24),
    ])
    out = {
        "healed alone before anybody took it": 2, "ended by people without being taken": 1,
        "fixed by Vigie before anybody took it": 1, "still open, and nobody took it": 1,
    }
    assert known(figure("mtta_mean_s", month_)) == (240, 5, out)
    assert known(figure("mtta_median_s", month_)) == (180, 5, out)
    assert known(figure("mtta_p90_s", month_)) == (600, 5, out)
    assert column("took", table("acknowledged", month_)) == [600, 240, 180, 120, 60]
    assert column("alert", table("never-acknowledged", month_)) == [20, 21, 22, 23, 24]
    assert sum(out.values()) == table("never-acknowledged", month_).total


def test_a_small_sample_prints_its_list_and_no_percentile() -> None:
    few = facts([group(number, acked_min=number, resolved_min=10) for number in (1, 2, 3, 4)])
    assert value("mtta_mean_s", few) == 150
    for name in ("mtta_median_s", "mtta_p90_s", "mttr_median_s", "mttr_p90_s"):
        assert (value(name, few), figure(name, few).why) == (None, "only 4: see the list")
    assert table(figure("mtta_p90_s", few).behind or "", few).total == 4
    assert "Time to acknowledge: 2 min 30 on average (4 alerts: see the list)." in section("responses", few).said


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    ten = facts([group(number, acked_min=number) for number in range(1, 11)])
    assert (value("mtta_median_s", ten), value("mtta_p90_s", ten)) == (330, 540)
    assert [percentile([1, 2, 3, 4, 5], percent) for percent in (0, 20, 21, 90, 100)] == [1, 1, 2, 5, 5]


def test_one_that_the_other_side_took_counts_and_is_listed() -> None:
    night = facts([group(1, "2026-10-05 02:00", acked_min=5, acked_side="bridge"), group(2, "2026-10-05 03:00", acked_min=5)])
    assert figure("mtta_mean_s", night).n == 2
    assert value("acked_by_other_side", night) == 1 and column("alert", table("acked-by-other-side", night)) == [1]


def test_the_time_to_resolve_leaves_out_what_is_open_and_what_was_given_up() -> None:
    given_up = group(2, "2026-10-06 10:00", resolved_min=60)
    month_ = facts([group(1, resolved_min=30), replace(given_up, resolved_at=None), group(3, "2026-10-03 09:00")])
    left = {"closed without a recovery: nothing more was heard of it": 1, "still open": 1}
    assert known(figure("mttr_mean_s", month_)) == (1800, 1, left)
    assert column("age", table("unresolved", month_)) == [(at("2026-11-04 09:00") - at("2026-10-03 09:00")).total_seconds(), None]
    assert "1 alert still open; the oldest for 32 d 1 h." in section("responses", month_).said


def test_an_alert_across_the_change_of_clocks_took_as_long_as_it_really_took() -> None:
    since = group(1, "2026-10-25 01:30")
    night = facts([replace(since, resolved_at=at("2026-10-25 03:30"), ending="healed")])
    assert value("mttr_mean_s", night) == 3 * 3600


def test_the_first_step_is_a_time_of_its_own() -> None:
    month_ = facts([group(1, acked_min=1, engaged_min=4), group(2, acked_min=1)])
    assert known(figure("engage_mean_s", month_)) == (240, 1, {"still open, no step was begun": 1})


def test_times_are_split_by_side_and_by_severity() -> None:
    groups = [group(number, "2026-10-05 02:00", acked_min=number, severity="critical") for number in range(1, 6)]
    rows = table("responses-by", facts([*groups, group(9, acked_min=1)])).rows
    assert [row[1:] for row in rows] == [
        ("side on duty", "Bridge", 1, 60, None, None), ("side on duty", "Padok", 5, 180, 180, 300),
        ("severity", "critical", 5, 180, 180, 300), ("severity", "high", 1, 60, None, None),
    ]


def test_the_list_of_the_slowest_has_ten() -> None:
    many = facts([group(number, resolved_min=number) for number in range(1, 16)])
    slowest = table("slowest", many)
    assert slowest.total == 10 and column("took", slowest)[:2] == [900, 840]


def test_escalations_are_told_apart_by_how_they_came() -> None:
    month_ = facts([
        group(1, called_min=1), group(2, called_min=1, level=2, escalated="timeout"),
        group(3, called_min=1, level=3, escalated="manual"), group(4),
    ])
    assert (value("paged_share", month_), value("escalation_rate", month_)) == (0.75, 2 / 3)
    assert "2 alerts came to a second level: 1 because nobody answered in time, 1 by hand." in section("responses", month_).said
    assert value("escalated_by_hand", month_) == 1 and column("alert", table("escalated-by-hand", month_)) == [3]
    assert value("escalation_rate", facts([group(1)])) is None
    late = facts([group(1, called_min=1, level=2, escalated="timeout")])
    assert "1 alert came to a second level, because nobody answered in time." in section("responses", late).said


def test_the_picture_of_times_counts_each_alert_once() -> None:
    month_ = facts([group(1, acked_min=0.5, resolved_min=1), group(2, acked_min=5, resolved_min=300), group(3)])
    points = {(across, series): count for across, series, count in section("responses", month_).charts[0].points}
    assert points["under 1 min", "taken"] == points["5 to 15 min", "taken"] == 1
    assert points["1 to 5 min", "resolved"] == points["over 4 h", "resolved"] == 1
    assert sum(points.values()) == 4
    title = section("responses", month_).charts[0].title
    assert title == "2 alerts were taken, 1 of them in under 5 min; 2 were resolved, 1 in under 15 min"


# --- volume and endings ---


ENDINGS = ("healed_share", "auto_closed_share", "person_closed_share", "still_open_share")


def test_endings_add_up_to_all_and_only_what_vigie_fixed_is_automation() -> None:
    month_ = facts([
        group(1, resolved_min=3), group(2, resolved_min=3), group(3, resolved_min=8, fixed_by=7),
        group(4, acked_min=1, resolved_min=9), group(5), group(6, resolved_min=1), group(7, resolved_min=1),
    ])
    shares = [value(name, month_) for name in ENDINGS]
    assert shares == [4 / 7, 1 / 7, 1 / 7, 1 / 7] and sum(each or 0 for each in shares) == pytest.approx(1)
    assert [table(figure(name, month_).behind or "", month_).total for name in ENDINGS] == [4, 1, 1, 1]
    said = section("automation", month_).said[0]
    assert said == "7 alerts: 57 % healed alone, 15 % fixed by Vigie, 14 % ended by people, 14 % still open."


def test_printed_shares_add_up_to_a_hundred() -> None:
    assert percents([1, 1, 1]) == ["34 %", "33 %", "33 %"] and percents([1, 6, 1]) == ["13 %", "75 %", "12 %"]
    assert percents([0, 0]) == ["0 %", "0 %"] and percents([2, 0]) == ["100 %", "0 %"]


def test_drills_and_maintenance_are_counted_apart() -> None:
    month_ = facts([group(1)], drills=[group(2), group(3)], maintained=[group(4)])
    assert known(figure("volume", month_)) == (1, 1, {"drills and tests": 2, "agreed maintenance": 1})
    assert column("why", table("apart", month_)) == ["drill or test", "drill or test", "agreed maintenance"]


@pytest.mark.parametrize(("name", "hours"), [("2026-10", 745), ("2026-03", 743), ("2026-02", 672), ("2026-11", 720)])
def test_alerts_a_day_are_those_of_real_hours(name: str, hours: int) -> None:
    ten = [group(number, f"{name}-02 12:00") for number in range(10)]
    assert value("volume_per_day", facts(ten, month(name))) == pytest.approx(10 / hours * 24)


def test_an_open_month_divides_by_the_days_it_has_had() -> None:
    open_ = facts([group(1, "2026-10-02 12:00")], month(as_of="2026-10-06 00:00"))
    assert value("volume_per_day", open_) == pytest.approx(1 / 5)
    days = {day for day, _, _ in section("automation", open_).charts[0].points}
    assert max(days) == "2026-10-06" and min(days) == "2026-10-01"


def test_volume_is_compared_with_the_months_before_a_real_day() -> None:
    month_ = facts([group(100)], earlier=[group(1, "2026-09-10 12:00", alerts=30), group(2, "2026-08-10 12:00")],
                   volumes={"2026-09": 30, "2026-08": 31}, before=past(volume=30, volume_night=15, volume_padok=3))
    assert value("volume_per_day_3m", month_) == pytest.approx(61 / 61)
    rows = [row for row in table("volume-by", month_).rows if row[:2] == ("severity", "high")]
    assert rows == [("severity", "high", 1, 1.0, 0.03, 1.0, -0.97)]
    before = {row[:2]: row[5] for row in table("volume-by", month_).rows}
    assert before["night, 21:00-06:00", "outside"] == before["night, 21:00-06:00", "in it"] == 0.5
    assert (before["side on duty", "padok"], before["side on duty", "bridge"]) == (0.1, None)
    assert table("volume-months", month_).rows == (("2026-08", 31, 744, 1.0), ("2026-09", 30, 720, 1.0))
    first = figure("volume_per_day_3m", facts([group(1)]))
    assert (first.value, first.why) == (None, "no earlier month")


@pytest.mark.parametrize(("opened", "night", "blackout"), [
    ("2026-10-05 20:59", "outside", "outside"), ("2026-10-05 21:00", "in it", "outside"), ("2026-10-06 00:00", "in it", "in it"),
    ("2026-10-06 05:59", "in it", "in it"), ("2026-10-06 06:00", "outside", "in it"), ("2026-10-06 08:00", "outside", "outside"),
    ("2026-10-25 02:30", "in it", "in it"), ("2026-10-01 00:00", "in it", "in it"), ("2026-10-31 23:59", "in it", "outside"),
])
def test_night_and_blackout_are_shown_both_and_never_mixed(opened: str, night: str, blackout: str) -> None:
    found = table("volume", facts([group(1, opened)]))
    assert [each.title for each in found.columns][4:6] == ["night, 21:00-06:00", "blackout, 00:00-08:00"]
    assert found.rows[0][4:6] == (night, blackout)


def test_each_alert_is_in_one_cell_whatever_its_sources() -> None:
    both = facts([group(1, sources=("datadog", "cloudwatch")), group(2, sources=("cloudwatch", "datadog")), group(3)])
    found = table("volume", both)
    assert column("trait2", found) == ["cloudwatch + datadog", "cloudwatch"] and column("count", found) == [2, 1]


def test_what_ended_and_what_was_open_is_told_whenever_it_had_opened() -> None:
    carried = [group(90, "2026-09-30 10:00", resolved_min=3 * 24 * 60), group(91, "2026-09-30 10:00")]
    month_ = facts([group(1, resolved_min=5), group(2, "2026-10-31 23:50", resolved_min=30), group(3)], carried=carried)
    assert (value("volume", month_), value("closed_in_month", month_), value("open_at_month_end", month_)) == (3, 2, 3)
    assert column("alert", table("open-at-end", month_)) == [91, 3, 2]
    assert value("still_open_share", month_) == 1 / 3


def test_runs_are_told_by_runbook() -> None:
    relapsed = run(2, relapsed_at=at("2026-10-05 15:00"))
    runs = [
        run(1, id=500, mode="automatic", actor="vigie"), relapsed, run(3, state="failed"), run(4, undone=True, state="failed"),
        run(5, state="running", ended_at=None), run(6, purpose="proof"), run(7, runbook="disk-full", title="Disk full"),
    ]
    month_ = facts([group(1, resolved_min=9, fixed_by=500)], runs=runs, told=[
        told("runbook promoted", "runbook:queue-backlog", rung="automatic"),
        told("runbook demoted", "runbook:queue-backlog", rung="click", reason="it failed"),
        told("runbook promoted", "runbook:disk-full", "refused", rung="click"),
    ])
    assert table("runbooks", month_).rows == (
        ("Queue backlog", 5, 1, 1, 1, 1, 1, 2, 1, "promoted to automatic, demoted to click"),
        ("Disk full", 1, 0, 1, 0, 0, 0, 0, 0, None),
    )
    assert known(figure("runs_ok_share", month_)) == (2 / 5, 5, {"under way": 1})
    names = ("runs", "runs_relapsed", "runs_rolled_back", "runbooks_promoted", "runbooks_demoted")
    assert [value(name, month_) for name in names] == [6, 1, 1, 1, 1]


def told(kind: str, object: str, outcome: str = "done", **details: Any) -> Told:
    return Told(1, at("2026-10-09 10:00"), "marie", "bridge", kind, object, outcome, details)


# --- unrecognised, without a runbook ---


def test_unrecognised_is_what_nothing_matched_when_it_opened() -> None:
    month_ = facts([group(1, recognised=False, runbook="written-later"), group(2), group(3), group(4, runbook=None)])
    assert (value("unrecognised_share", month_), value("runbook_coverage_rules", month_)) == (0.25, 0.75)
    assert column("alert", table("unrecognised", month_)) == [1] and column("alert", table("without-runbook", month_)) == [4]
    assert section("unrecognised", month_).said == ("1 alert was not recognised; 1 has no runbook.",)


def test_handled_with_a_runbook_counts_only_what_people_handled() -> None:
    month_ = facts(
        [*(group(number, acked_min=1, resolved_min=5) for number in (1, 2)), group(3, resolved_min=5, fixed_by=1), group(4)],
        runs=[run(1), run(3), run(2, purpose="proof")],
    )
    assert known(figure("runbook_coverage_handled", month_)) == (0.5, 2, {"handled by nobody": 2})
    assert column("alert", table("handled-without-run", month_)) == [2]


def test_a_run_was_enough_when_nothing_else_was_needed() -> None:
    runs = [run(1), run(2), run(2), run(3, state="failed"), run(4, relapsed_at=at("2026-10-05 15:00")), run(5, state="asking")]
    assert known(figure("runbook_coverage_unaided", facts([group(1)], runs=runs))) == (1 / 5, 5, {"under way": 1})


# --- noise ---


def test_the_noise_ratio_is_what_grouping_spared() -> None:
    assert value("noise_ratio", facts([group(1, signals=7), group(2)])) == 0.75
    assert value("noise_ratio", facts()) is None


def test_flapping_takes_three_openings_within_an_hour_and_transient_less_than_five_minutes() -> None:
    month_ = facts([
        group(1, cycles=3), group(2, cycles=2, relapses=9), group(3, resolved_min=4.99), group(4, resolved_min=5),
        group(5, acked_min=1, resolved_min=2), group(6, resolved_min=2, fixed_by=1), group(7), group(8),
    ])
    assert (value("flapping_share", month_), value("transient_share", month_)) == (1 / 8, 1 / 8)
    assert column("alert", table("flapping", month_)) == [1] and column("alert", table("transient", month_)) == [3]


def burst(count: int, seconds: float, first: int = 1, start: str = "2026-10-05 03:00") -> list[Group]:
    """So many groups, evenly spread from the first to the last second."""
    return [
        group(first + number, opened_at=at(start) + timedelta(seconds=seconds * number / (count - 1))) for number in range(count)
    ]


@pytest.mark.parametrize(("groups", "sizes"), [
    (burst(20, 300), [20]), (burst(19, 10), []), (burst(20, 301), []), (burst(30, 450), [30]),
    ([*burst(20, 60), *burst(25, 60, 100, "2026-10-05 04:00")], [20, 25]), ([], []),
])
def test_a_storm_is_twenty_alerts_within_five_minutes(groups: Sequence[Group], sizes: list[int]) -> None:
    assert [len(each) for each in storms(groups)] == sizes
    assert value("storms", facts(groups)) == len(sizes)


def silence(id: int, start: str, end: str | None = None, by: str = "lea", suppressed: int = 1) -> Silence:
    return Silence(id, "pay-api", by, "being moved", at(start), at(end) if end else None, suppressed)


def test_silences_are_told_by_who_made_them_and_old_ones_that_still_hold_are_named() -> None:
    month_ = facts([group(1, silenced=True), group(2)], silences=[
        silence(1, "2026-09-01 10:00", suppressed=3), silence(2, "2026-09-01 10:00", "2026-10-15 10:00"),
        silence(3, "2026-10-05 09:59", by="omar", suppressed=0), silence(4, "2026-10-05 10:00", by="omar"),
    ])
    assert (value("silenced", month_), value("silences_old", month_)) == (1, 2)     # the last has held 30 days of 24 h
    assert table("silences-by-owner", month_).rows == (("lea", 2, 4, 1), ("omar", 2, 1, 1))
    assert column("state", table("silences", month_)) == ["still holds", "still holds", "still holds", "over"]


def test_a_rate_of_verdicts_is_grey_until_enough_are_given() -> None:
    handled = partial(group, acked_min=1, resolved_min=5)
    verdicts = ("noise", "duplicate", "useful", "useful")
    four = [handled(number, verdict=verdict) for number, verdict in enumerate(verdicts, 1)]
    enough = facts([*four, handled(5), group(6, acked_min=1)])
    assert known(figure("verdict_coverage", enough)) == (0.8, 5, {"still open: a verdict is given at the end": 1})
    assert (value("not_actionable_share", enough), figure("not_actionable_share", enough).grey) == (0.5, False)
    few = facts([*four, handled(5), handled(6)])
    assert figure("not_actionable_share", few).grey and figure("verdict_coverage", few).grey
    assert figure("not_actionable_share", few).why == (
        "only 67 % of the alerts that people handled have a verdict; 80 % are asked for"
    )
    assert column("alert", table("verdicts-missing", few)) == [5, 6]
    assert value("duplicates", few) == 1 and column("verdict", table("not-needed", few)) == ["noise", "duplicate"]


# --- repeats ---


def test_repeats_are_counted_by_pattern_and_chronic_is_what_was_there_before() -> None:
    month_ = facts(
        [group(number, pattern=pattern) for number, pattern in enumerate("aaabbc")],
        earlier=[group(80, "2026-09-15 10:00", pattern="a", alerts=4), group(81, "2026-06-15 10:00", pattern="a"),
                 group(82, "2026-09-15 10:00", pattern="b")],
    )
    assert (value("repeat_rate", month_), value("top10_share", month_)) == (0.5, 1)
    assert (value("repeated_patterns", month_), value("chronic_patterns", month_)) == (1, 1)
    assert table("patterns", month_).rows[0][3:7] == (3, 0.5, 4, "yes")
    assert column("chronic", table("patterns", month_)) == ["yes", "no", "no"]      # b came twice only
    assert column("since", table("repeats", month_)) == ["2026-06"]


def test_the_ten_most_frequent_patterns_have_their_share() -> None:
    groups = [group(10 * kind + number, pattern=f"p{kind:02}") for kind in range(12) for number in range(3)]
    assert value("top10_share", facts(groups)) == pytest.approx(30 / 36)
    assert table("repeats", facts(groups)).total == 10


def test_work_is_what_people_said_or_else_from_taking_to_the_end() -> None:
    groups = [group(1, acked_min=2, resolved_min=12), group(2, acked_min=2, resolved_min=12), group(3, resolved_min=12)]
    said = Intervention("lea", "padok", 1, at("2026-10-05 14:00"), at("2026-10-05 14:45"), True)
    month_ = facts(groups, interventions=[said])
    assert column("work", table("repeats", month_)) == [55] and column("people", table("repeats", month_)) == ["Bridge 2×"]


def proposed(groups: Sequence[Group], runs: Sequence[Run] = (), **more: Any) -> tuple[str, str]:
    month_ = facts(groups, runs=runs, **more)
    found = propose(repeats(month_)[0], runs_by_group(runs))
    return found.action, found.reason


def three(**more: Any) -> list[Group]:
    return [group(number, f"2026-10-0{number} 14:00", **more) for number in (1, 2, 3)]


HANDLED = three(acked_min=1, resolved_min=30)
SEPTEMBER = group(80, "2026-09-15 10:00")


@pytest.mark.parametrize(("groups", "runs", "earlier", "action", "reason"), [
    (three(resolved_min=4), (), (), "delete", "Nobody acted on any of the 3; each healed alone within 4 min."),
    (three(resolved_min=4, important=True), (), (), "tune", "3 of 3 healed alone in under 5 min: give it a longer window."),
    (three(acked_min=1, resolved_min=30, verdict="noise"), (), (), "delete", "People called it noise 3 of 3 times."),
    ([replace(each, verdict=said) for each, said in zip(HANDLED, ("noise", "noise", "useful"), strict=True)], (), (), "tune",
     "People called it noise 2 of 3 times: narrow what it fires for."),
    (three(acked_min=1, resolved_min=30, verdict="noise", important=True), (), (), "tune",
     "People called it noise 3 of 3 times: narrow what it fires for."),
    ([*HANDLED[:2], replace(HANDLED[2], verdict="needs-fix")], (), (), "fix", "People said once that its cause needs a fix."),
    (HANDLED, (run(1), run(2)), (), "automate", 'People ran "Queue backlog" 2 times, each time with success.'),
    (HANDLED, (run(1), run(2), run(3, state="failed")), (), "fix", "It came 3 times: find its cause."),
    (HANDLED, (run(1, mode="automatic"), run(2, mode="automatic")), (), "fix", "It came 3 times: find its cause."),
    ([*HANDLED[:2], replace(HANDLED[2], verdict="missing-runbook")], (), (), "automate",
     "People said once that a runbook is missing: write one."),
    (three(acked_min=1, resolved_min=30, cycles=4), (), (), "tune",
     "It opened and closed 4 times within an hour: give it a longer window."),
    ([group(n, "2026-10-05 03:00", called_min=1, resolved_min=20) for n in (1, 2, 3)], (), (), "tune",
     "It called somebody at night 3 times, and healed alone: let it wait before it calls."),
    (three(acked_min=1, resolved_min=30, verdict="duplicate"), (), (), "tune",
     "People called it a duplicate 3 times: group it with its twin."),
    (three(acked_min=1, resolved_min=30, relapses=1), (), (), "fix", "It came back 3 times after it had ended."),
    (three(acked_min=1, resolved_min=90), (), (), "fix", "It lasts long: 90 min at the median."),
    (three(resolved_min=9, fixed_by=1), (), (), "fix", "Vigie repaired it 3 of 3 times: take away its cause."),
    ([*three(resolved_min=9, fixed_by=1)[:2], HANDLED[2]], (run(1), run(2)), (), "fix",
     "Vigie repaired it 2 of 3 times: take away its cause."),
    (three(resolved_min=90), (), (SEPTEMBER,), "tune",
     "Nobody acted on any of the 3, and each healed alone: let it wait longer, or delete it."),
    (HANDLED, (), (SEPTEMBER,), "fix", "It was there the month before too, once."),
])
def test_each_repeat_has_one_proposed_action_with_its_reason(
    groups: Sequence[Group], runs: Sequence[Run], earlier: Sequence[Group], action: str, reason: str,
) -> None:
    assert proposed(groups, runs, earlier=earlier) == (action, reason)


def test_what_is_decided_is_not_proposed_again() -> None:
    pattern = HANDLED[0].pattern
    assert table("proposals", facts(HANDLED)).total == 1
    assert table("proposals", facts(HANDLED, decisions=[decision(pattern=pattern)])).total == 0
    assert table("proposals", facts(HANDLED, decisions=[decision(pattern=pattern, state="done")])).total == 1


# --- decisions ---


def done(**more: Any) -> Any:
    plain: dict[str, Any] = {
        "state": "done", "pattern": "x", "ended_at": at("2026-10-12 10:00"), "days_before": 30, "groups_before": 45,
        "days_after": 20, "groups_after": 10,
    }
    return decision(**(plain | more))


@pytest.mark.parametrize(("decided", "said"), [
    (done(), "−31 alerts a month ✔"),                               # 1.5 a day before, 0.5 after, 31.04 days of 24 h in October
    (done(groups_after=30), "as many alerts as before: it did not help"),
    (done(groups_after=40), "+16 alerts a month: it did not help"),
    (done(days_after=3.9), "too early to say: 3 days"),
    (done(days_after=1.2), "too early to say: 1 day"),
    (done(days_before=0), "done; no days before it are known, so no effect can be measured"),
    (done(groups_before=0), "nothing to compare: no alerts of its kind before"),
    (done(pattern=None), "done; it names no alert and no service, so no effect can be measured"),
    (decision(due="2026-10-17"), "not done, 18 days late"), (decision(due="2026-11-03"), "not done, 1 day late"),
    (decision(due="2026-11-04"), "not done yet, due 4 Nov"), (decision(due=None), "not done; no day was agreed"),
    (decision(state="dropped", said="the service is gone"), "dropped: the service is gone"),
])
def test_a_decision_is_checked_with_its_measured_effect(decided: Any, said: str) -> None:
    assert effect(decided, month()).said == said
    assert section("decisions", facts(decisions=[decided])).said[0].startswith(f'"raise queue-age threshold": {said}')


def test_the_summary_names_the_newest_five_decisions() -> None:
    told = section("summary", facts(decisions=[decision(number, f"d{number}", due=None) for number in range(1, 8)])).said[1]
    assert told.startswith('Decided before: "d3" not done') and told.endswith("and 2 more")


def test_sleep_given_back_and_the_saving_as_it_was_stated() -> None:
    decided = done(sleep_before_min=300, sleep_after_min=20, saving="2900 USD a month")
    month_ = facts(decisions=[decided, decision(2, due="2026-10-17"), decision(3, state="dropped")])
    assert section("decisions", month_).said[0] == (
        '"raise queue-age threshold": −31 alerts a month ✔, 279 min of night work fewer a month. '
        "Expected of it: 2900 USD a month."
    )
    assert value("sleep_given_back_min", month_) == round((300 / 30 - 20 / 20) * 745 / 24, 1)
    assert value("alerts_spared", month_) == round(745 / 24, 1)
    assert known(figure("decisions_worked_share", month_)) == (1, 1, {"open": 1, "dropped": 1})
    assert known(figure("decisions_kept_share", month_)) == (0.5, 2, {"dropped": 1})
    assert column("late", table("decisions", month_)) == [None, 18, None]


def test_what_is_decided_in_this_review_is_new_and_checked_next_month() -> None:
    fresh = decision(5, "fix NAT in 3a", due="2026-12-01", month="2026-10", made_at=at("2026-11-04 08:00"))
    month_ = facts(decisions=[fresh, decision(due="2026-10-17"), done(id=3)])
    assert column("id", table("decisions", month_)) == [1, 3] and column("id", table("actions-open", month_)) == [1, 5]
    names = ("decisions_open", "decisions_overdue", "decisions_made", "decisions_closed", "decisions_age_median_days")
    assert [value(name, month_) for name in names] == [2, 1, 1, 1, 15]
    assert section("actions", month_).said[0] == "2 actions are open, 1 overdue; 0 proposed."


# --- the summary ---


def test_the_summary_reads_as_a_manager_would_say_it() -> None:
    groups = [
        *(group(number, resolved_min=20, fixed_by=number, pattern=f"q{number}") for number in range(1, 5)),
        *(group(number, resolved_min=21, pattern=f"r{number}") for number in range(5, 8)),
        *(group(number, acked_min=3, resolved_min=40, title="ledger: disk", pattern="disk", runbook=None)
          for number in (8, 9, 10)),
    ]
    month_ = facts(
        groups, decisions=[done(), decision(2, "fix NAT in 3a", due="2026-10-17")], before=past(volume=20, nights_with_wakeup=2),
    )
    said = section("summary", month_).said
    assert said[0].startswith(
        "10 alerts (−50 %) · fixed by Vigie 40 %, healed alone 30 %, people 30 % · 0 nights with a wake-up (was 2)"
    )
    assert said[1].startswith(
        "time to acknowledge: 3 min on average (3 taken by people) · to resolve: median 21 min, p90 40 min · "
        "repeats 20 % · unrecognised 0 %"
    )
    assert said[2] == 'Decided before: "raise queue-age threshold" −31 alerts a month ✔ · "fix NAT in 3a" not done, 18 days late'
    assert said[3] == (
        "Look at first: ledger: disk (3×, same cause): fix its cause · 3 alerts without a runbook · "
        '1 action overdue, "fix NAT in 3a" 18 days late'
    )
    assert column("list", table("look-first", month_)) == ["repeats", "without-runbook", "actions-open"]


def idle_machines() -> list[Measure]:
    """Eighteen machines at 4 % of CPU, day after day."""
    series = {"in_service": 18.0, "cpu": 4.0, "peak": 6.0, "memory": 5.0, "requests": 18_000.0, "latency_s": 0.1}
    size = {"desired": 18, "minimum": 18, "maximum": 20, "zones": 2, "kinds": ["m5.large"], "mixed": False, "targets": 1}
    found = []
    for day in month().days():
        start, end = at(f"{day} 00:00"), at(f"{day + timedelta(days=1)} 00:00")
        bins = int((end - start).total_seconds()) // 300
        body = size | {"policies": ["cpu-60"], "planned": [], "sticky": False, "start": int(start.timestamp())}
        body["series"] = {name: [value] * bins for name, value in series.items()}
        found.append(Measure("capacity", "pay-api", day, end + timedelta(hours=1), body))
    return found


def test_machines_that_nobody_needs_are_looked_at_first() -> None:
    config = example()
    pool = {"group": "cluster", "service": "pay-api", "memory_gib": 8, "threads": 200, "per_target": 60,
            "price_per_hour": {"amount": 0.107}}
    costs = type(config.month.costs).model_validate({"pools": {"pay-api": pool}})
    priced = config.model_copy(update={"month": config.month.model_copy(update={"costs": costs})})
    said = section("summary", replace(facts(measures=idle_machines()), config=priced)).said
    assert said[-1] == (
        "Look at first: pay-api runs 18 machines, load needs 2, 4 keep you through the loss of a zone: 18 → 4 is about "
        "1,116 USD a month"
    )


def test_the_summary_has_ten_figures() -> None:
    assert len(section("summary", facts([group(1)])).figures) == 10


def test_an_empty_month_says_so_and_invents_nothing() -> None:
    empty = section("summary", facts())
    assert empty.said == ("No alert came.", "Look at first: nothing stands out.")
    assert [each.value for each in empty.figures if each.definition.unit == "seconds"] == [None, None]


def test_numbers_are_said_as_people_say_them() -> None:
    seconds = [0, 45, 60, 190, 600, 1260, 7140, 7500, 7200, 172_800, 273_600]
    said = ["0 s", "45 s", "1 min", "3 min 10", "10 min", "21 min", "119 min", "2 h 05", "2 h", "2 d", "3 d 4 h"]
    assert [length(each) for each in seconds] == said
    assert [signed(-31.4), signed(0.2), signed(4)] == ["−31", "0", "+4"]
    assert [change(82, 100), change(82, 0), change(82, None)] == ["−18 %", None, None]
