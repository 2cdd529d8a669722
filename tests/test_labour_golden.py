"""The nine cases by which the working-time rules are judged."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.calendars import public_holidays
from bot.labour import Agreement, Worker
from bot.labour.checking import earliest_start, night_worker, sunday_premiums
from tests.labour_stage import PADOK, at, case, daily, figures, found, severities, span

BY_DAYS = Worker("bruno", "forfait-jours")
AT_NIGHT = Worker("nina", night_worker=True)
SYNTEC = [
    Agreement("R04", parameter, value, "Syntec (IDCC 1486), avenant of 13 Dec 2022, art. 6.3")
    for parameter, value in (("premium", 100), ("habitual_premium", 25), ("habitual_from", 16))
]


def test_eleven_hours_from_21_to_8_are_a_rest_and_only_ten_on_the_night_when_clocks_go_forward() -> None:
    usual = case([span("2027-03-20 13:00", "21:00"), span("2027-03-21 08:00", "16:00")])
    assert found(usual, "R01") == []
    changed = case([span("2027-03-27 13:00", "21:00"), span("2027-03-28 08:00", "16:00")])
    [breach] = found(changed, "R01")
    assert breach.severity == "hard" and breach.waiver == "urgent_works" and "L3131-1" in breach.source
    assert breach.message == (
        "10 h of rest between two working days, 11 h needed: Sat 27 Mar 21:00 to Sun 28 Mar 08:00 (Europe/Paris) "
        "(clocks go forward on 28 Mar)"
    )
    assert breach.lawful == "start at Sun 28 Mar 09:00 or later, or give that work to somebody else"


def test_the_same_holds_for_an_hour_of_work_on_each_side() -> None:
    assert severities(case([span("2027-03-27 20:00", "21:00"), span("2027-03-28 08:00", "09:00")]), "R01") == ["hard"]
    assert severities(case([span("2027-03-20 20:00", "21:00"), span("2027-03-21 08:00", "09:00")]), "R01") == []


def test_being_on_call_without_a_call_is_rest() -> None:
    quiet = [
        span("2026-11-03 10:00", "18:00"), span("2026-11-03 18:00", "2026-11-04 09:00", "on_call"),
        span("2026-11-04 09:00", "17:00"),
    ]
    assert found(case(quiet), "R01") == []


def test_a_call_after_eight_hours_of_rest_moves_the_next_start_to_eleven_hours_after_it() -> None:
    night = [
        span("2026-11-03 10:00", "18:00"), span("2026-11-03 18:00", "2026-11-04 09:00", "on_call"),
        span("2026-11-04 02:00", "03:00", "intervention"),
    ]
    assert earliest_start(case(night), figures("R01")) == at("2026-11-04 14:00")
    [breach] = found(case([*night, span("2026-11-04 09:00", "17:00")], view="actual"), "R01")
    assert breach.message.startswith("breach: called in the rest, which is at most 8 h in a row, 11 h needed")
    assert breach.lawful.startswith("start at Wed 4 Nov 14:00 or later")
    assert found(case([*night, span("2026-11-04 14:00", "18:00")], view="actual"), "R01") == []


def test_a_call_after_a_whole_rest_moves_nothing() -> None:
    night = [span("2026-11-03 07:00", "15:00"), span("2026-11-04 02:00", "03:00", "intervention")]
    assert earliest_start(case(night), figures("R01")) == at("2026-11-04 02:00")
    assert found(case([*night, span("2026-11-04 09:00", "17:00")], view="actual"), "R01") == []


def test_a_night_workers_night_is_eight_hours_and_nine_when_clocks_go_back() -> None:
    assert found(case([span("2026-10-24 00:00", "08:00")], AT_NIGHT), "R11") == []
    [long] = found(case([span("2026-10-25 00:00", "08:00")], AT_NIGHT), "R11")
    assert long.severity == "hard" and long.message == (
        "9 h of work in one night, 8 h allowed to a night worker: Sun 25 Oct 00:00 to 08:00 (Europe/Paris) "
        "(clocks go back on 25 Oct)"
    )
    assert long.lawful == "end by 07:00 (1 h less), or two people"
    [overlap] = found(case([span("2026-10-24 00:00", "08:15")], AT_NIGHT), "R11")
    assert overlap.message.startswith("8 h 15 min of work in one night, 8 h allowed")


def test_who_works_nights_by_habit_is_flagged_without_being_told() -> None:
    week = daily("2026-10-19", 7, "00:00", "08:00")
    assert [(each.start, each.severity) for each in found(case(week), "R11") if "one night" in each.message] == [
        (at("2026-10-25 00:00"), "hard")
    ]


def test_twelve_days_in_a_row_are_told_and_lawful_when_each_week_keeps_its_rest() -> None:
    days = case([*daily("2026-11-03", 6, "09:00", "17:00"), *daily("2026-11-09", 6, "09:00", "17:00")])
    [told] = found(days, "R02", "R03")
    assert (told.rule, told.severity) == ("R03", "warn") and told.message.startswith("work on 12 days in a row")
    whole_week = case(daily("2026-11-02", 7, "09:00", "17:00"))
    assert [(each.rule, each.severity) for each in found(whole_week, "R02", "R03")] == [
        ("R02", "hard"), ("R03", "hard"), ("R03", "warn")
    ]


def test_two_nights_of_three_hours_in_a_usual_week_make_a_night_worker() -> None:
    night = ("2026-11-03 18:00", "24:00"), ("2026-11-05 18:00", "24:00")
    assert night_worker(case([span(*each) for each in night]), figures("R10"))
    assert not night_worker(case([span(*night[0])]), figures("R10"))
    assert not night_worker(case([span("2026-11-03 18:00", "23:45"), span(*night[1])]), figures("R10"))


@pytest.mark.parametrize(("hours", "is_one"), [(269, False), (270, True)])
def test_270_hours_in_twelve_months_make_a_night_worker_and_269_do_not(hours: int, is_one: bool) -> None:
    """One night of at most 6 h a week, so that the usual week says nothing."""
    nights = [
        span(f"{date(2025, 12, 1) + timedelta(weeks=week)} 00:00", f"{min(6, hours - 6 * week):02}:00") for week in range(45)
    ]
    asked = case(nights, start=at("2026-10-01 00:00"), end=at("2026-11-01 00:00"))
    assert night_worker(asked, figures("R10")) == is_one
    assert severities(asked, "R10") == ["warn"]
    assert severities(replace(asked, employer=replace(PADOK, night_basis=None)), "R10") == (["hard"] if is_one else ["warn"])


def test_on_call_needs_one_clear_day_and_under_fifteen_days_a_reason() -> None:
    told = {"published_at": at("2026-11-03 23:50")}
    too_late = case([span("2026-11-04 20:00", "24:00", "on_call", **told)])
    assert severities(too_late, "R13") == ["hard"]
    [hard] = found(too_late, "R13")
    assert hard.lawful.startswith("start at Thu 5 Nov 00:00 or later")
    reasoned = case([span("2026-11-05 00:00", "08:00", "on_call", reason="Nina is ill", **told)])
    assert [(each.severity, "Nina is ill" in each.message) for each in found(reasoned, "R13")] == [("warn", True)]
    bare = case([span("2026-11-05 00:00", "08:00", "on_call", **told)])
    assert [(each.severity, "no reason is given" in each.message) for each in found(bare, "R13")] == [("warn", True)]
    assert found(case([span("2026-11-18 23:50", "2026-11-19 08:00", "on_call", **told)]), "R13") == []


def test_eleven_hours_of_somebody_paid_by_the_day_are_no_matter_of_hours_but_of_span() -> None:
    assert found(case([span("2026-11-03 08:00", "19:00")], BY_DAYS), "R06", "R07") == []
    assert severities(case([span("2026-11-03 08:00", "19:00")]), "R06") == ["hard"]
    long = [span("2026-11-03 08:00", "12:00"), span("2026-11-03 14:00", "22:00")]
    assert [(each.rule, each.severity) for each in found(case(long, BY_DAYS), "R06", "R07")] == [("R07", "hard")]
    assert severities(case(long, BY_DAYS, view="actual"), "R07") == ["warn"]


def test_the_sixteenth_sunday_or_holiday_of_the_year_is_habitual() -> None:
    """15 Sundays and the first of November, which is a Sunday and a holiday and counts once; then Armistice Day."""
    sundays = [span(f"{date(2026, 7, 26) + timedelta(weeks=week)} 10:00", "12:00") for week in range(15)]
    employer = replace(PADOK, holidays=public_holidays("FR", 2026))
    whole = case([*sundays, span("2026-11-11 10:00", "12:00"), span("2026-11-15 10:00", "12:00")], employer=employer)
    premiums = sunday_premiums(whole, figures("R04", SYNTEC))
    assert [(each.count, each.percent) for each in premiums.values()][-3:] == [(15, 100), (16, 25), (17, 25)]
    assert found(whole, "R04", agreements=SYNTEC)[-1].message.endswith(
        "premium +25 %: habitual from number 16, this is number 17 of the year"
    )
    assert sunday_premiums(whole, figures("R04")) == {} and "premium" not in found(whole, "R04")[-1].message


def test_good_friday_is_a_holiday_in_metz_only() -> None:
    day = [span("2026-04-03 09:00", "12:00")]
    metz, elsewhere = (replace(PADOK, holidays=public_holidays(name, 2026)) for name in ("FR-57", "FR"))
    assert severities(case(day, employer=metz), "R05") == ["warn"]
    assert found(case(day, employer=elsewhere), "R05") == []
