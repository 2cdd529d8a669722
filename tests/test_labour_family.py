"""Each working-time rule both ways: what it finds, and what it leaves in peace; figures, agreements and regimes."""

import time
from collections import defaultdict
from dataclasses import re, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.calendars import public_holidays
from bot.labour import EVERYBODY, TIMED, Agreement, Case, Employer, Worker, profiles
from bot.labour.arithmetic.days import WrongHours
from bot.labour.checking import about, change_nights, earliest_start, examine, night_fault, night_hours, night_worker
from bot.labour.profiles import UnknownProfile, WrongAgreement
from tests.labour_stage import FR, PADOK, PARIS, RULES, at, case, daily, figures, found, severities, span
from tests.pages import read, table

BRIDGE = Employer("Bridge", PARIS, public_holidays("FR", 2026), blackout="00:00-08:00", posted_rest="21:00-08:00")
MINOR, BY_DAYS, EXECUTIVE = Worker("max", "under-18"), Worker("bruno", "forfait-jours"), Worker("eve", "executive")
NINA = Worker("nina", night_worker=True)
NO_NIGHTS, NO_CALLS = Worker("noa", flags=frozenset({"no_night"})), Worker("noel", flags=frozenset({"no_on_call"}))
WEEK = daily("2026-11-02", 5, "09:00", "12:00") + daily("2026-11-02", 5, "13:00", "18:00")
TWELVE_WEEKS = [each for week in range(12) for each in daily(f"{date(2026, 8, 31) + timedelta(weeks=week)}", 5, "08:00", "16:30")]
CALLS = [span(f"2026-11-04 0{hour}:00", f"0{hour}:20", "intervention") for hour in (1, 3, 5)]
NIGHT_ON_CALL = span("2026-11-03 20:00", "2026-11-04 08:00", "on_call", published_at=at("2026-10-10 09:00"))
OCTOBER = span("2026-10-20 20:00", "24:00", "on_call")
NOW = {"now": at("2026-11-20 09:00")}
SEPTEMBER = replace(CALLS[0], start=at("2026-09-08 02:00"), end=at("2026-09-08 03:00"), confirmed=False)


# rule: cases in which it finds something, and how hard that is
FOUND: dict[str, list[tuple[Case, str]]] = {
    "R01": [
        (case([span("2026-11-03 14:00", "22:00"), span("2026-11-04 08:00", "16:00")]), "hard"),
        (case([span("2026-11-03 18:00", "2026-11-04 08:00")], BY_DAYS), "hard"),
        (case([span("2026-11-03 08:00", "20:00"), span("2026-11-03 23:30", "2026-11-04 07:30")]), "hard"),
        (case([span("2026-11-03 00:00", "08:00"), span("2026-11-03 18:00", "22:00")]), "hard"),
    ],
    "R02": [
        (case(daily("2026-11-02", 7, "09:00", "12:00")), "hard"),
        (case([*daily("2027-03-22", 5, "08:00", "16:00"), span("2027-03-27 13:00", "21:00"), span("2027-03-29 08:00", "16:00")]),
         "hard"),
        (case([*daily("2026-11-02", 6, "09:00", "12:00"), span("2026-11-09 08:00", "12:00")], MINOR), "hard"),
    ],
    "R03": [(case(daily("2026-11-02", 7, "09:00", "12:00")), "hard"), (case(daily("2026-11-03", 7, "09:00", "12:00")), "warn")],
    "R04": [
        (case([span("2026-11-08 09:00", "12:00")], employer=BRIDGE), "hard"), (case([span("2026-11-08 09:00", "12:00")]), "warn")
    ],
    "R05": [
        (case([span("2026-05-01 09:00", "12:00")]), "hard"),
        (case([span("2026-05-01 09:00", "12:00")], employer=replace(PADOK, may1_basis="payments cannot stop")), "warn"),
        (case([span("2026-11-11 09:00", "12:00")], employer=BRIDGE), "warn"),
        (case([span("2026-11-11 09:00", "12:00")], MINOR, BRIDGE), "hard"),
    ],
    "R06": [
        (case([span("2026-11-03 08:00", "13:00"), span("2026-11-03 14:00", "19:01")]), "hard"),
        (case([span("2026-11-03 08:00", "17:00")], MINOR), "hard"),
    ],
    "R07": [
        (case([span("2026-11-03 00:00", "01:00"), span("2026-11-03 13:00", "14:00")], BY_DAYS), "hard"),
        (case([span("2026-11-03 00:00", "01:00"), span("2026-11-03 13:00", "14:00")], view="actual"), "warn"),
    ],
    "R08": [(case(daily("2026-11-02", 5, "08:00", "18:00")), "hard")],
    "R09": [(case(TWELVE_WEEKS), "warn"), (case(daily("2026-08-03", 119, "10:00", "17:00")), "hard")],
    "R10": [
        (case(daily("2026-11-02", 2, "21:00", "24:00"), employer=BRIDGE), "hard"),
        (case(daily("2026-11-02", 2, "21:00", "24:00"), BY_DAYS), "warn"),
    ],
    "R11": [
        (case([span("2026-11-03 20:00", "2026-11-04 04:30")], NINA), "hard"),
        (case([span("2026-11-03 20:00", "2026-11-04 04:30")], replace(NINA, regime="forfait-jours")), "warn"),
        (case([span("2026-11-03 08:00", "17:00")], NINA), "hard"),
        (case(daily("2026-08-17", 84, "09:00", "15:00"), NINA), "hard"),
    ],
    "R12": [(case([span("2026-11-03 08:00", "14:00")]), "warn"), (case([span("2026-11-03 08:00", "12:30")], MINOR), "warn")],
    "R13": [
        (case([replace(NIGHT_ON_CALL, published_at=at("2026-11-02 09:00"))]), "hard"),
        (case([replace(NIGHT_ON_CALL, published_at=at("2026-11-01 09:00"), reason="Nina is ill")]), "warn"),
    ],
    "R14": [
        (case([OCTOBER], now=at("2026-11-03 09:00")), "warn"), (case([OCTOBER], now=at("2026-11-20 09:00")), "hard"),
        (case([SEPTEMBER], **NOW), "hard"),
    ],
    "R15": [
        (case([NIGHT_ON_CALL], employer=BRIDGE), "hard"),
        (case([span("2026-11-03 20:00", "21:30")], employer=BRIDGE), "hard"),
        (case([span("2027-03-27 20:00", "20:30")], employer=BRIDGE), "hard"),
        (case(CALLS[:1], EXECUTIVE, BRIDGE, view="actual"), "hard"),
    ],
    "R16": [
        (case([NIGHT_ON_CALL], NO_NIGHTS), "hard"), (case([NIGHT_ON_CALL], NO_CALLS), "hard"),
        (case([span("2026-11-03 20:00", "22:30")], MINOR), "hard"),
    ],
    "R17": [
        (case([replace(NIGHT_ON_CALL, respond_within=timedelta(minutes=15))]), "warn"), (case(CALLS, view="actual"), "warn")
    ],
    "R18": [
        (case(daily("2026-11-02", 14, "18:00", "20:00", "on_call")), "warn"),
        (case(daily("2026-11-02", 15, "00:00", "08:00")), "warn"),
        (case([span(f"2026-11-{day:02} 10:00", "12:00") for day in (7, 15, 21)]), "warn"),
    ],
}
# rule: cases close by in which it has nothing to say
QUIET: dict[str, list[Case]] = {
    "R01": [
        case([span("2026-11-03 13:00", "21:00"), span("2026-11-04 08:00", "16:00")]),
        case([span("2026-11-03 22:00", "24:00"), span("2026-11-04 00:30", "06:00")]),
        case([span("2026-11-03 08:00", "12:00"), span("2026-11-03 17:00", "21:00")]),
        case([NIGHT_ON_CALL, span("2026-11-04 08:00", "16:00"), span("2026-11-03 12:00", "20:00")]),
    ],
    "R02": [
        case([*daily("2026-11-02", 5, "08:00", "16:00"), span("2026-11-07 13:00", "21:00"), span("2026-11-09 08:00", "16:00")])
    ],
    "R03": [case(daily("2026-11-02", 6, "09:00", "12:00"))],
    "R04": [case([span("2026-11-07 20:00", "24:00"), span("2026-11-08 00:00", "24:00", "on_call")], employer=BRIDGE)],
    "R05": [case([span("2026-11-10 09:00", "24:00")], employer=BRIDGE)],
    "R06": [
        case([span("2026-11-03 08:00", "13:00"), span("2026-11-03 14:00", "19:00")]),
        case([span("2026-11-03 08:00", "20:00")], BY_DAYS), case([span("2026-11-03 18:00", "2026-11-04 06:00")]),
    ],
    "R07": [case([span("2026-11-03 08:00", "09:00"), span("2026-11-03 20:00", "21:00")])],
    "R08": [case([*WEEK, span("2026-11-07 09:00", "17:00")])],
    "R09": [case(TWELVE_WEEKS[:-10])],
    "R10": [
        case([span("2026-11-02 21:00", "24:00"), span("2026-11-09 21:00", "24:00")], employer=BRIDGE),
        case([span(f"2026-11-{day:02} 21:00", "24:00", "intervention") for day in (2, 3, 4)], employer=BRIDGE),
    ],
    "R11": [case(daily("2026-11-02", 5, "22:00", "06:00"), NINA), case([span("2026-11-03 20:00", "2026-11-04 04:30")])],
    "R12": [
        case([span("2026-11-03 08:00", "13:59")]), case([span("2026-11-03 08:00", "16:00", covered=True)]),
        case([span("2026-11-03 08:00", "13:30"), span("2026-11-03 13:50", "17:00")]),
    ],
    "R13": [case([NIGHT_ON_CALL]), case([replace(NIGHT_ON_CALL, published_at=None)])],
    "R14": [
        case([OCTOBER]), case([OCTOBER], now=at("2026-10-31 09:00")),
        case([OCTOBER], statements={"2026-10": at("2026-11-02 09:00")}, **NOW), case([replace(SEPTEMBER, confirmed=True)], **NOW),
    ],
    "R15": [
        case([span("2026-11-03 08:00", "20:00"), span("2026-11-03 20:00", "24:00", "on_call")], employer=BRIDGE),
        case([NIGHT_ON_CALL]), case([NIGHT_ON_CALL], employer=BRIDGE, view="actual"),
        case([span("2026-03-27 20:00", "20:30")], employer=BRIDGE),
    ],
    "R16": [case([span("2026-11-03 06:00", "21:00")], NO_NIGHTS), case([span("2026-11-03 20:00", "22:00")], MINOR)],
    "R17": [case([replace(NIGHT_ON_CALL, respond_within=timedelta(minutes=30))]), case(CALLS[:2], view="actual")],
    "R18": [case(daily("2026-11-02", 7, "18:00", "20:00", "on_call")), case(daily("2026-11-02", 12, "00:00", "08:00"))],
}
ALL = [given for cases in FOUND.values() for given, _ in cases]


def test_every_rule_is_shown_both_ways() -> None:
    assert [*RULES] == [f"R{number:02}" for number in range(1, 19)] == [*FOUND] == [*QUIET]


@pytest.mark.parametrize(("rule", "given", "severity"), [(name, *each) for name, cases in FOUND.items() for each in cases])
def test_a_rule_finds_what_is_wrong(rule: str, given: Case, severity: str) -> None:
    assert severity in severities(given, rule)


@pytest.mark.parametrize(("rule", "given"), [(name, each) for name, cases in QUIET.items() for each in cases])
def test_a_rule_leaves_what_is_right_in_peace(rule: str, given: Case) -> None:
    assert found(given, rule) == []


@pytest.mark.parametrize("given", ALL)
def test_a_finding_cites_its_source_and_says_what_would_be_lawful(given: Case) -> None:
    for view in ("planned", "actual"):
        for each in found(replace(given, view=view)):
            assert each.source and each.lawful and not each.lawful.endswith(".") and each.person == given.worker.key
            assert each.message.count("(Europe/Paris)") == ((":" in each.message.split("; at most")[0] and "00:" in each.message)
                                                            or "Europe" in each.message)
            assert each.message.startswith("breach: ") == (view == "actual" and each.severity == "hard")
            assert each.start < given.end and each.end > given.start and "{" not in each.message + each.lawful


# --- for whom ---


def test_a_rule_speaks_only_of_those_to_whom_it_applies() -> None:
    for given in ALL:
        for regime in EVERYBODY:
            asked = replace(given, worker=replace(given.worker, regime=regime))
            assert all(regime in RULES[each.rule].regimes for each in found(asked))


def test_executives_are_bound_by_blackout_protection_and_load_alone() -> None:
    assert [name for name, each in RULES.items() if "executive" in each.regimes] == ["R15", "R16", "R18"]
    assert [name for name, each in RULES.items() if each.regimes == {"hours"}] == ["R08", "R09"]
    assert all(RULES[name].regimes >= TIMED for name in ("R01", "R02", "R03", "R04", "R05", "R07", "R12", "R13", "R14"))


def test_the_law_knows_few_waivers_and_none_for_what_is_only_told() -> None:
    assert {name: each.waiver for name, each in RULES.items() if each.waiver} == {
        "R01": "urgent_works", "R02": "urgent_works",
    }
    every = [each for given in ALL for each in found(given)]
    assert all(each.waiver == (RULES[each.rule].waiver if each.severity == "hard" else None) for each in every)


def test_only_the_time_that_is_asked_about_is_spoken_of() -> None:
    long_day, next_week = span("2026-11-03 08:00", "20:00"), at("2026-11-09 00:00")
    assert severities(case([long_day]), "R06") == ["hard"]
    assert found(case([long_day], start=next_week, end=next_week + timedelta(days=60)), "R06") == []
    early = case([span("2026-11-08 14:00", "24:00"), span("2026-11-09 05:00", "09:00")])
    assert severities(replace(early, start=next_week), "R01") == ["hard"] == severities(replace(early, end=next_week), "R01")


# --- what else may be asked ---


def test_nobody_without_a_shift_must_wait_and_each_call_in_the_rest_begins_it_anew() -> None:
    assert earliest_start(case([]), figures("R01")) is None
    assert earliest_start(case(CALLS), figures("R01")) is None
    day = span("2026-11-03 12:00", "20:00")
    assert earliest_start(case([day]), figures("R01")) == at("2026-11-04 07:00")
    assert earliest_start(case([day, *CALLS]), figures("R01")) == at("2026-11-04 16:20")
    touching = span("2026-11-03 20:00", "21:00", "intervention")
    assert earliest_start(case([day, touching]), figures("R01")) == at("2026-11-04 08:00")
    before = case([day, span("2026-11-05 12:00", "20:00")], end=at("2026-11-04 12:00"))
    assert earliest_start(before, figures("R01")) == at("2026-11-04 07:00")


def test_hours_of_night_work_are_those_within_the_employers_night() -> None:
    shift = [span("2026-11-03 20:00", "2026-11-04 04:00")]
    assert night_hours(case(shift), figures("R10")) == {date(2026, 11, 3): timedelta(hours=7)}
    own = replace(PADOK, night="22:00-07:00")
    assert night_hours(case(shift, employer=own), figures("R10")) == {date(2026, 11, 3): timedelta(hours=6)}
    changed = case([span("2026-10-24 21:00", "2026-10-25 06:00")])
    assert night_hours(changed, figures("R10")) == {date(2026, 10, 24): timedelta(hours=10)}
    with pytest.raises(WrongHours, match=r"\"at night\" is no stretch of hours: two different times, as in 21:00-06:00"):
        night_hours(case(shift, employer=replace(PADOK, night="at night")), figures("R10"))


@pytest.mark.parametrize(("night", "fault"), [
    ("21:00-06:00", None), ("21:00-07:00", None), ("22:00-07:00", None),
    ("22:00-06:00", "a night of 8 h, at least 9 h needed"), ("20:00-06:00", "a night beyond 21:00-07:00"),
    ("08:00-20:00", "a night beyond 21:00-07:00"),
])
def test_an_employers_own_night_stays_within_the_law(night: str, fault: str | None) -> None:
    assert night_fault(night, figures("R10")) == fault
    assert night_fault("20:00-03:00", profiles.load("EU-2003-88").figures["R10"]) == "a night without all of 00:00-05:00"


def test_nights_of_long_ago_make_nobody_a_night_worker_by_habit() -> None:
    pattern = daily("2026-05-04", 3, "21:00", "24:00")
    assert night_worker(case(pattern), figures("R10"))
    assert not night_worker(case(pattern, start=at("2026-11-02 00:00"), end=at("2026-12-02 00:00")), figures("R10"))


@pytest.mark.parametrize(("zone", "year", "lengths"), [
    ("Europe/Paris", 2026, ["7 h", "9 h"]), ("Europe/Paris", 2027, ["7 h", "9 h"]), ("Europe/Paris", 2028, ["7 h", "9 h"]),
    ("America/New_York", 2027, ["7 h", "9 h"]), ("Asia/Tokyo", 2027, []),
    ("Australia/Lord_Howe", 2027, ["8 h 30 min", "7 h 30 min"]),
])
def test_the_nights_in_which_clocks_change_are_told_with_their_length(zone: str, year: int, lengths: list[str]) -> None:
    nights = change_nights(ZoneInfo(zone), datetime(year, 1, 2, tzinfo=UTC), datetime(year, 12, 30, tzinfo=UTC))
    assert [re.search(r"lasts (.+) from", str(each))[1] for each in nights] == lengths


def test_a_change_night_is_told_in_a_sentence() -> None:
    [night] = change_nights(PARIS, at("2026-10-01 00:00"), at("2026-11-30 00:00"))
    assert str(night) == (
        "the night to Sun 25 Oct 2026 lasts 9 h from 00:00 to 08:00 instead of 8 h: clocks go back (Europe/Paris)"
    )


# --- figures ---


@pytest.mark.parametrize("name", profiles.known())
def test_every_figure_says_where_it_comes_from_and_how_sure_it_is(name: str) -> None:
    profile = profiles.load(name)
    assert profile.id == name and profile.week_start == "monday" and set(profile.figures) <= set(RULES)
    for each in (figure for details in profile.details.values() for figure in details.values()):
        assert each.source and each.confidence in set("POSMJ") and isinstance(each.valid_from, date)
        assert isinstance(each.checked_on, date) and (each.limit_source or each.least is each.most is None)
    assert set(FR.figures) == set(RULES)


def test_another_country_is_another_file_and_its_unknown_rules_do_not_run() -> None:
    directive = profiles.load("EU-2003-88")
    heard = {each.rule for given in ALL for each in examine(given, directive, RULES.values())}
    assert heard == set(directive.figures) == {"R01", "R02", "R09", "R10", "R11", "R12", "R15", "R16", "R17", "R18"}
    assert "2003/88/EC art. 3" in directive.figures["R01"].source


def test_a_wrong_profile_is_told_the_right_ones() -> None:
    with pytest.raises(UnknownProfile, match=r'called "FR"; there are EU-2003-88, FR-2026\.08'):
        profiles.load("FR")


def test_an_agreement_replaces_a_figure_and_is_cited() -> None:
    title = "company agreement of 1 March 2026, art. 4"
    twelve = [Agreement("R06", "max_day_h", 12, title)]
    day = case([span("2026-11-03 08:00", "20:01")])
    [breach] = found(day, "R06", agreements=twelve)
    assert "12 h allowed" in breach.message and title in breach.source
    assert title in about(profiles.load("FR-2026.08", twelve)) and title not in about(FR)
    assert found(case([span("2026-11-03 08:00", "20:00")]), "R06", agreements=twelve) == []
    assert FR.figures["R06"]["max_day_h"] == 10


@pytest.mark.parametrize(("agreement", "told"), [
    (("R06", "max_day_h", 13), "R06 max_day_h cannot be 13: no agreement may go above 12 (L3121-19)"),
    (("R01", "min_rest_h", 8), "R01 min_rest_h cannot be 8: no agreement may go below 9 (D3131-6)"),
    (("R99", "x", 1), 'FR-2026.08 has no rule "R99"; it has R01, R02'),
    (("R13", "notice", 1), 'R13 of FR-2026.08 has no figure "notice"; it has notice_days, exceptional_clear_days'),
    (("R13", "notice_days", "7 days"), "R13 notice_days cannot be '7 days': it is as in 15"),
    (("R10", "night", "late"), "R10 night cannot be 'late': it is as in 21:00-06:00"),
    (("R05", "compulsory", "05-01"), "R05 compulsory cannot be '05-01': it is as in ['05-01']"),
])
def test_an_agreement_that_cannot_be_says_why(agreement: tuple[str, str, object], told: str) -> None:
    with pytest.raises(WrongAgreement) as error:
        profiles.load("FR-2026.08", [Agreement(*agreement, "our agreement")])
    assert str(error.value).startswith("our agreement: ") and told in str(error.value)


def test_sixty_days_are_judged_in_a_moment() -> None:
    """200 spans in less than 20 ms of computing; a slow machine may take some times that."""
    spans = [
        each for start, end, kind in (("09:00", "12:00", "work"), ("13:00", "17:00", "work"), ("18:00", "24:00", "on_call"))
        for each in (span(f"{date(2026, 10, 1) + timedelta(days=count)} {start}", end, kind) for count in range(67))
    ]
    given, times = case(spans, employer=BRIDGE), []
    for _ in range(10):
        began = time.thread_time()
        examine(given, FR, RULES.values())
        times.append(time.thread_time() - began)
    assert min(times) < 0.15


# --- the page ---


def test_the_page_lists_the_rules_as_they_are() -> None:
    severities_of = defaultdict(set)
    for name, cases in FOUND.items():
        severities_of[name].update(severity for _, severity in cases)
    shown = [[*row[:4], row[4].strip("`")] for row in table("docs/labour.md", "rule")]
    assert shown == [
        [name, each.title, ", ".join(sorted(each.regimes)) if each.regimes != EVERYBODY else "everybody",
         " / ".join(sorted(severities_of[name])), each.waiver or ""]
        for name, each in RULES.items()
    ]
    assert [row[5] for row in table("docs/labour.md", "rule")] == [FR.figures[name].source for name in RULES]


def test_the_page_says_what_the_tool_says_of_itself() -> None:
    page = " ".join(read("docs/labour.md").replace("> ", "").split())
    assert about(FR) in page and all(f"`{name}`" in page for name in profiles.known())
