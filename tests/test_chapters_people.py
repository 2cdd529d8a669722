"""Nights, coverage and handoffs of a month, with numbers worked out by hand; also of months in which clocks change."""

from datetime import date, timedelta
from typing import Any

import pytest

from bot.review import Facts, Figure, Section, Table
from bot.review.arithmetic.calls import interruptions
from bot.review.arithmetic.stretches import Stretch, minus, minutes
from bot.review.arithmetic.windows import blackout, night
from bot.review.coverage import coverage
from bot.review.facts import Handoff, Intervention, Slot, Told
from bot.review.nights import nights
from tests.config_stage import example
from tests.review_stage import at, facts, group, month, page


def figure(section: Section, name: str) -> Figure:
    return next(each for each in section.figures if each.name == name)


def table(section: Section, name: str) -> Table:
    return next(each for each in section.tables if each.name == name)


def told_of(section: Section, name: str, first: str) -> dict[str, Any]:
    """The row of a list that begins with that, by its columns."""
    found = table(section, name)
    row = next(each for each in found.rows if each[0] == first)
    return dict(zip((each.name for each in found.columns), row, strict=True))


def slot(start: str, end: str, person: str | None = "lea", **more: Any) -> Slot:
    plain = {"coverage": "platform", "organisation": "padok", "team": "padok-nights", "role": "primary", "mode": "active"}
    return Slot(**(plain | {"person": person, "start": at(start), "end": at(end)} | more))


def work(start: str, end: str | None, person: str = "alice", organisation: str = "bridge", **more: Any) -> Intervention:
    return Intervention(person, organisation, 1, at(start), at(end) if end else None, more.get("confirmed", True))


def told(kind: str, about: str = "person:alice", when: str = "2026-10-06 09:00", **details: Any) -> Told:
    return Told(1, at(when), "vigie", "vigie", kind, about, "done", details)


def written(**given: Any) -> Section:
    return nights.write(facts(**given), {})


# --- interruptions ------------------------------------------------------------------------------------------------------------


def test_what_comes_to_one_person_within_a_minute_interrupts_once() -> None:
    pages = [page(1, f"2026-10-05 02:00:{second:02d}") for second in (0, 30, 59)]
    assert len(interruptions(pages)) == 1
    assert len(interruptions([page(1, "2026-10-05 02:00:00"), page(2, "2026-10-05 02:01:00")])) == 1
    assert len(interruptions([page(1, "2026-10-05 02:00:00"), page(2, "2026-10-05 02:01:01")])) == 2


def test_the_minute_counts_from_the_first_so_a_storm_does_not_pass_for_one_interruption() -> None:
    storm = [page(1, f"2026-10-05 02:{number // 2:02d}:{number % 2 * 30:02d}") for number in range(10)]     # 02:00:00 - 02:04:30
    assert [each.at for each in interruptions(storm)] == [
        at("2026-10-05 02:00:00"), at("2026-10-05 02:01:30"), at("2026-10-05 02:03:00"), at("2026-10-05 02:04:30")]


def test_two_people_called_at_once_are_two_interruptions() -> None:
    assert len(interruptions([page(1, "2026-10-05 02:00"), page(1, "2026-10-05 02:00", "omar")])) == 2


def test_mail_and_what_was_not_sent_or_held_back_interrupts_nobody() -> None:
    quiet = [page(1, "2026-10-05 02:00", **each) for each in (
        {"medium": "mailto"}, {"state": "due"}, {"state": "failed"}, {"state": "held_back"})]
    section = written(pages=[*quiet, page(1, "2026-10-05 12:00"), page(1, "2026-10-05 02:30"), page(2, "2026-10-05 02:30:10")])
    assert figure(section, "interruptions").value == 1
    assert figure(section, "interruptions").left_out == {
        "by day": 1, "within a minute of another to the same person": 1, "e-mail": 1, "held back": 1, "not sent": 2}


# --- nights -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("when", "counts"), [
    ("2026-10-05 20:59:59", False), ("2026-10-05 21:00", True), ("2026-10-06 00:30", True), ("2026-10-06 05:59:59", True),
    ("2026-10-06 06:00", False),
])
def test_night_is_from_nine_in_the_evening_until_six(when: str, counts: bool) -> None:
    section = written(pages=[page(1, when)])
    assert figure(section, "interruptions").value == counts
    assert figure(section, "nights_with_wakeup").value == counts


def test_before_and_after_midnight_is_one_night_with_a_wake_up() -> None:
    section = written(pages=[page(1, "2026-10-05 23:00"), page(2, "2026-10-06 03:00"), page(3, "2026-10-06 22:00")])
    assert figure(section, "nights_with_wakeup").value == 2
    assert figure(section, "worst_night").value == 2
    assert [row[:2] for row in table(section, "calls-at-night").rows] == [
        ("2026-10-05", "2026-10-05T21:00:00+00:00"), ("2026-10-05", "2026-10-06T01:00:00+00:00"),
        ("2026-10-06", "2026-10-06T20:00:00+00:00")]


def test_the_first_morning_belongs_to_the_last_night_of_the_month_before_and_counts_with_its_part_in_this_one() -> None:
    section = written(pages=[page(1, "2026-10-01 03:00")])
    assert figure(section, "nights_with_wakeup").n == 32            # 31 that begin in October, and the end of the one before
    assert table(section, "calls-at-night").rows[0][0] == "2026-09-30"


def test_both_nights_in_which_clocks_change_have_the_hours_that_really_passed() -> None:
    window = night(example(), "padok", month())
    autumn = Stretch(at("2026-10-24 20:00"), at("2026-10-25 08:00"))
    spring = Stretch(at("2027-03-27 20:00"), at("2027-03-28 08:00"))
    assert (window.minutes([autumn]), window.minutes([spring])) == (600, 480)      # 9 h by the wall: 10 h and 8 h
    sleep = blackout(example())
    assert sleep is not None
    assert (sleep.minutes([autumn]), sleep.minutes([spring])) == (540, 420)        # 8 h by the wall: 9 h and 7 h


def test_work_in_the_hour_that_clocks_show_twice_is_counted_twice() -> None:
    whole = written(interventions=[work("2026-10-25 01:30", "2026-10-25 03:30", "lea", "padok")])     # 02:00-03:00 twice: 3 h
    assert figure(whole, "intervention_min").value == 180
    assert figure(whole, "intervention_night_min").value == 180
    assert figure(whole, "intervention_blackout_min").value == 180


def test_work_in_the_hour_that_clocks_skip_is_not_counted() -> None:
    march = month("2027-03")
    given = nights.write(facts(when=march, interventions=[work("2027-03-28 01:30", "2027-03-28 03:30", "lea", "padok")]), {})
    assert figure(given, "intervention_min").value == 60            # 01:30-02:00 and 03:00-03:30


def test_work_is_split_by_the_minute_over_night_and_blackout_and_what_lies_in_neither() -> None:
    section = written(interventions=[
        work("2026-10-05 20:30", "2026-10-05 21:45"),               # 75: 45 at night
        work("2026-10-06 05:30", "2026-10-06 08:20", "lea", "padok"),       # 170: 30 at night, 150 in the blackout
    ])
    values = [figure(section, f"intervention_{each}").value for each in ("min", "night_min", "blackout_min")]
    assert values == [245, 75, 150]


def test_two_interventions_of_one_person_at_once_are_worked_once_but_those_of_two_people_twice() -> None:
    twice = [work("2026-10-05 22:00", "2026-10-05 23:00"), work("2026-10-05 22:30", "2026-10-05 23:30")]
    assert figure(written(interventions=twice), "intervention_min").value == 90
    by_two = [*twice, work("2026-10-05 22:00", "2026-10-05 23:00", "paul")]
    assert figure(written(interventions=by_two), "intervention_min").value == 150


def test_work_counts_only_with_its_part_in_the_month_and_while_it_goes_on_as_far_as_is_known() -> None:
    across = [work("2026-09-30 23:00", "2026-10-01 01:00"), work("2026-10-31 23:30", "2026-11-01 02:00")]
    assert figure(written(interventions=across), "intervention_min").value == 60 + 30
    today = facts(when=month(as_of="2026-10-05 22:40"), interventions=[work("2026-10-05 22:00", None)])
    assert figure(nights.write(today, {}), "intervention_min").value == 40


def test_interruptions_are_told_per_night_on_duty() -> None:
    slots = [slot("2026-10-05 00:00", "2026-10-05 08:00"), slot("2026-10-06 00:00", "2026-10-06 08:00"),
             slot("2026-10-05 00:00", "2026-10-05 08:00", "omar", role="secondary")]
    section = written(slots=slots, pages=[page(1, "2026-10-05 02:00"), page(2, "2026-10-05 03:00"), page(2, "2026-10-05 04:00")])
    assert (figure(section, "interruptions_per_night").value, figure(section, "interruptions_per_night").n) == (1.0, 3)
    lea = told_of(section, "night-load-padok", "lea")
    assert (lea["duty"], lea["calls"], lea["per_night"], lea["worst"], lea["worst_calls"]) == (2, 3, 1.5, "2026-10-04", 3)


def test_an_evening_and_a_morning_of_two_nights_are_two_nights_on_duty() -> None:
    section = written(slots=[slot("2026-10-04 00:00", "2026-10-05 00:00", mode="on_call")])       # a Sunday: 00-06 and 21-24
    assert told_of(section, "night-load-padok", "lea")["duty"] == 2


def test_who_is_at_work_at_night_is_called_but_not_torn_from_rest() -> None:
    slots = [slot("2026-10-05 00:00", "2026-10-05 08:00"), slot("2026-10-11 00:00", "2026-10-12 00:00", mode="on_call")]
    section = written(slots=slots, pages=[page(1, "2026-10-05 02:00"), page(2, "2026-10-11 02:00"), page(3, "2026-10-08 02:00")])
    assert (figure(section, "interruptions").value, figure(section, "interruptions_at_rest").value) == (3, 2)
    assert [row[3] for row in table(section, "calls-at-night").rows] == [False, True, True]


def test_a_shift_with_more_than_two_incidents_is_counted_and_stretches_that_touch_are_one_shift() -> None:
    slots = [slot("2026-10-05 00:00", "2026-10-05 04:00"), slot("2026-10-05 04:00", "2026-10-05 08:00"),
             slot("2026-10-06 00:00", "2026-10-06 08:00")]
    two = [page(1, "2026-10-05 02:00"), page(2, "2026-10-05 03:00"), page(2, "2026-10-05 03:30")]
    calm = written(slots=slots, pages=two)
    assert (figure(calm, "busy_shifts").value, figure(calm, "busy_shifts").n) == (0, 2)
    busy = written(slots=slots, pages=[*two, page(3, "2026-10-05 05:00")])
    assert figure(busy, "busy_shifts").value == 1
    assert table(busy, "busy-shifts").rows == (("2026-10-04T22:00:00+00:00", "2026-10-05T06:00:00+00:00", "Padok", "primary", 3),)


def test_alerts_that_called_somebody_at_night_and_healed_alone_or_were_noise_are_listed() -> None:
    taken = {"opened": "2026-10-05 02:00", "acked_min": 1, "resolved_min": 9}
    groups = [group(1, "2026-10-05 02:00", resolved_min=4), group(2, **taken, verdict="noise"), group(3, **taken),
              group(4, "2026-10-05 14:00", resolved_min=4)]
    pages = [page(each, "2026-10-05 02:00") for each in (1, 2, 3)] + [page(4, "2026-10-05 14:00", "alice", organisation="bridge")]
    section = written(groups=groups, pages=pages)
    assert (figure(section, "called_for_nothing").value, figure(section, "called_for_nothing").n) == (2 / 3, 3)
    assert [row[0] for row in table(section, "called-for-nothing").rows] == [1, 2]


def test_rest_moved_breaches_waivers_broken_glass_and_what_was_held_back_are_counted() -> None:
    section = written(told=[
        told("rest moved"), told("rule breached", rule="R01"), told("rule waived", rule="R01"), told("glass broken", "run:7"),
        told("glass called", "run:7", who="paul"), told("held back", "alert:3", who="alice"), told("held back", who="alice"),
    ])
    names = ("rest_moved", "rest_breaches", "rest_waivers", "glass_broken", "held_back")
    values = [figure(section, each).value for each in names]
    assert values == [1, 1, 1, 1, 2]
    assert told_of(section, "night-load-bridge", "paul")["glass"] == 1
    assert [row[2] for row in table(section, "rest").rows] == ["Bridge", "Bridge", "Bridge", "–", "Bridge", "Bridge"]


def test_names_stand_only_in_lists_of_their_own_side() -> None:
    alice = {"person": "alice", "organisation": "bridge"}
    section = written(
        slots=[slot("2026-10-05 00:00", "2026-10-05 08:00"), slot("2026-10-05 20:00", "2026-10-06 00:00", **alice)],
        pages=[page(1, "2026-10-05 02:00"), page(1, "2026-10-05 22:00", **alice)],
        interventions=[work("2026-10-05 22:00", "2026-10-05 22:30")],
        told=[told("rest moved"), told("rule breached", "person:lea")],
    )
    people = set(example().people) | {each.name for each in example().people.values()}
    for each in section.tables:
        named = {value for row in each.rows for value in row} & people
        assert not named if each.only_for is None else {example().people[key].organisation for key in named} == {each.only_for}
    assert {each.only_for for each in section.tables} == {None, "bridge", "padok"}
    assert not people & {word.strip(".,:") for said in section.said for word in said.split()}


def test_totals_of_a_side_add_up_those_of_its_people() -> None:
    slots = [slot("2026-10-05 00:00", "2026-10-05 08:00"), slot("2026-10-05 00:00", "2026-10-05 08:00", "omar", role="secondary")]
    section = written(slots=slots, pages=[page(1, "2026-10-05 02:00"), page(1, "2026-10-05 02:05", "omar")])
    both = told_of(section, "night-load", "Padok")
    assert (both["duty"], both["calls"], both["nights"], both["worst_calls"]) == (2, 2, 1, 2)


def test_the_chart_of_wake_ups_shows_every_night_of_each_side_and_says_which_was_the_worst() -> None:
    chart = written(pages=[page(1, "2026-10-05 02:00"), page(2, "2026-10-05 03:00"), page(3, "2026-10-09 22:00")]).charts[0]
    assert chart.title == "People were called in 2 of 32 nights; most often, 2 times, in that of 4 Oct"
    assert len(chart.points) == 32 * 2
    assert ("2026-10-04", "Padok", 2.0) in chart.points


def test_a_month_in_which_nothing_was_says_so_and_invents_no_night_on_duty() -> None:
    section = written()
    assert figure(section, "nights_with_wakeup").value == 0
    assert (figure(section, "interruptions_per_night").value, figure(section, "interruptions_per_night").why) == (
        None, "nobody was on duty at night")
    assert figure(section, "called_for_nothing").value is None


# --- coverage -----------------------------------------------------------------------------------------------------------------


def covered(given: Facts) -> Section:
    return coverage.write(given, {})


@pytest.mark.parametrize(("name", "all_minutes"), [("2026-10", 44_700), ("2027-03", 44_580), ("2026-11", 43_200)])
def test_a_month_covered_without_a_gap_is_covered_in_all_its_real_minutes(name: str, all_minutes: int) -> None:
    when = month(name)
    whole = Slot("platform", "padok", "padok-nights", "primary", "on_call", "lea", when.start, when.end)
    section = covered(facts(when=when, slots=[whole]))
    assert (figure(section, "coverage_share").value, figure(section, "coverage_share").n) == (1.0, all_minutes)
    assert figure(section, "coverage_gap_min").value == 0
    assert table(section, "coverage-gaps").rows == ()


def test_minutes_of_a_role_fall_into_reachable_unreachable_and_nobodys() -> None:
    when = month()
    slots = [
        slot("2026-10-01 00:00", "2026-10-25 02:00"), slot("2026-10-25 02:00", "2026-10-25 03:00", None),       # shown twice: 2 h
        slot("2026-10-25 03:00", "2026-10-30 00:00"), slot("2026-10-30 00:00", "2026-10-30 01:30", reachable=False),
        slot("2026-10-30 01:30", "2026-11-01 00:00"),
    ]
    section = covered(facts(when=when, slots=slots))
    primary = next(row for row in table(section, "coverage").rows if row[1] == "primary")
    assert primary[2:6] == (44_700, 44_700 - 120 - 90, 90, 120)
    assert figure(section, "coverage_share_primary").value == (44_700 - 210) / 44_700
    gaps = [row for row in table(section, "coverage-gaps").rows if row[2] == "primary"]
    assert [(row[4], row[5]) for row in gaps] == [(120, "nobody had it"), (90, "whoever had it could not be reached")]


def test_with_a_secondary_in_reach_somebody_is_and_the_primary_is_still_missing() -> None:
    slots = [slot("2026-10-01 00:00", "2026-11-01 00:00", reachable=False),
             slot("2026-10-01 00:00", "2026-10-16 00:00", "omar", role="secondary"),
             slot("2026-10-16 00:00", "2026-10-17 00:00", None, role="secondary")]
    section = covered(facts(slots=slots))
    fifteen = 15 * 1_440
    assert figure(section, "coverage_share_primary").value == 0
    assert figure(section, "coverage_share").value == fifteen / 44_700
    assert figure(section, "coverage_share_secondary").value == 15 / 16         # it was wanted for sixteen days
    assert section.said == ("platform: nobody could be reached in 23100 of 44700 minutes.",)


def test_minutes_that_no_slot_tells_of_are_a_gap() -> None:
    section = covered(facts(slots=[slot("2026-10-02 00:00", "2026-11-01 00:00")]))
    assert figure(section, "coverage_gap_min").value == 1_440


def test_an_open_month_is_covered_as_far_as_it_has_come() -> None:
    section = covered(facts(when=month(as_of="2026-10-02 12:00"), slots=[slot("2026-10-01 00:00", "2026-10-02 00:00")]))
    assert (figure(section, "coverage_share").value, figure(section, "coverage_share").n) == (24 / 36, 36 * 60)


def test_without_a_coverage_the_share_is_not_said() -> None:
    bare = Facts(month(), example().model_copy(update={"coverages": {}}))
    found = figure(covered(bare), "coverage_share")
    assert found.value is None
    assert found.why is not None and "vigie.yaml" in found.why


def test_what_lies_in_none_of_the_others() -> None:
    start = at("2026-10-05 00:00")
    whole, hole = Stretch(start, start + timedelta(hours=3)), Stretch(start + timedelta(hours=1), start + timedelta(hours=2))
    assert minutes(minus([whole], [hole])) == 120
    assert minus([whole], [whole]) == []
    assert minus([hole], [whole]) == []
    assert minus([whole], []) == [whole]


# --- handoffs -----------------------------------------------------------------------------------------------------------------


def handoff(boundary: str, after_min: float | None, direction: str = "to_partner", **more: Any) -> Handoff:
    since = at(boundary)
    taken = None if after_min is None else since + timedelta(minutes=after_min)
    plain = {"from_team": "bridge-day", "to_team": "padok-nights", "state": "accepted" if taken else "missed",
             "outgoing": "alice", "incoming": "lea", "accepted_by": "lea" if taken else None, "by_synthesis": taken is not None}
    return Handoff(coverage="platform", boundary=since, direction=direction, accepted_at=taken, **(plain | more))


def test_a_handoff_is_on_time_within_ten_minutes_in_the_evening_and_fifteen_in_the_morning() -> None:
    given = [
        handoff("2026-10-05 00:00", 10), handoff("2026-10-06 00:00", 10.1), handoff("2026-10-05 08:00", 15, "to_own"),
        handoff("2026-10-06 08:00", 15.1, "to_own", by_synthesis=False), handoff("2026-10-07 00:00", None),
    ]
    section = covered(facts(handoffs=given))
    shares = [figure(section, f"handoffs_{each}_share").value for each in ("on_time", "accepted", "synthesis")]
    assert shares == [2 / 5, 4 / 5, 3 / 5]
    assert figure(section, "handoffs_missed").value == 1
    assert [row[4] for row in table(section, "handoffs").rows] == ["on time", "on time", "late", "late", "missed"]


def test_the_median_delay_leaves_out_what_was_missed_and_needs_five() -> None:
    given = [handoff(f"2026-10-{day:02d} 00:00", delay) for day, delay in ((5, -3), (6, 1), (7, 2), (8, 4), (9, 30), (10, None))]
    section = covered(facts(handoffs=given))
    delay = figure(section, "handoff_delay_median_s")
    assert (delay.value, delay.n, delay.left_out) == (120, 5, {"missed": 1})
    few = figure(covered(facts(handoffs=given[:3])), "handoff_delay_median_s")
    assert (few.value, few.why) == (None, "only 3: see the list")


def test_a_handoff_that_is_not_due_yet_is_left_out() -> None:
    when = month(as_of="2026-10-06 00:05")
    given = [handoff("2026-10-05 00:00", 3), handoff("2026-10-06 00:00", None, state="submitted")]
    section = covered(facts(when=when, handoffs=given))
    found = figure(section, "handoffs_accepted_share")
    assert (found.value, found.n, found.left_out) == (1.0, 1, {"not due yet": 1})


def test_actions_are_those_that_the_last_handoff_carried_on() -> None:
    given = [handoff("2026-10-05 00:00", 3, carried=4, oldest_carried_days=9),
             handoff("2026-10-06 00:00", 3, carried=2, oldest_carried_days=10)]
    section = covered(facts(handoffs=given))
    assert figure(section, "handoff_actions_carried").value == 2
    assert figure(section, "handoff_oldest_action_days").value == 10


def test_without_handoffs_no_share_is_said() -> None:
    found = figure(covered(facts()), "handoffs_on_time_share")
    assert (found.value, found.n, found.why) == (None, 0, "no handoff was due")


def test_nights_are_called_by_the_day_on_which_they_begin() -> None:
    window = night(example(), "padok", month())
    assert window.day_of(at("2026-10-05 23:00")) == window.day_of(at("2026-10-06 05:00")) == date(2026, 10, 5)
    assert window.day_of(at("2026-10-06 12:00")) is None
