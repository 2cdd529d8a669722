"""Whatever people are planned to do: the working-time rules judge the time itself, not how it was written down."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.labour import Case, Employer, Span, Worker
from bot.labour.arithmetic.days import DAY, Hours, instant, local_day, midnight
from bot.labour.arithmetic.rests import earliest_start
from bot.labour.arithmetic.stretches import by_day, free_between, merged, total, work_of
from bot.labour.checking import change_nights, examine, night_hours
from tests.labour_stage import FR, RULES, figures

ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe")]
# Weeks without a change of clocks in any of the zones, and those around the changes.
CALM = [date(2026, 6, 1), date(2026, 12, 7), date(2027, 6, 7)]
CHANGES = [
    date(year, month, day)
    for year in (2026, 2027, 2028) for month, day in ((3, 8), (3, 25), (4, 1), (10, 1), (10, 22), (11, 1))
]
QUARTER = timedelta(minutes=15)
SOME = settings(max_examples=60, deadline=None)       # the machine may be busy
PEOPLE = st.builds(
    Worker, st.just("alice"), st.sampled_from(["hours", "forfait-jours", "under-18", "executive", "none"]),
    st.frozensets(st.sampled_from(["no_night", "no_on_call"])),
)


@st.composite
def employers(draw: st.DrawFn, zones: list[ZoneInfo]) -> Employer:
    grounds = {name: draw(st.sampled_from([None, "agreement"])) for name in ("sunday_basis", "may1_basis", "night_basis")}
    hours = {name: draw(st.sampled_from([None, "00:00-08:00", "21:00-08:00"])) for name in ("blackout", "posted_rest")}
    return Employer("Padok", draw(st.sampled_from(zones)), **grounds, **hours)


@st.composite
def rosters(draw: st.DrawFn, first_days: list[date], zones: list[ZoneInfo]) -> Case:
    """Up to a dozen spans of some days, overlapping as they like."""
    employer = draw(employers(zones))
    start = midnight(draw(st.sampled_from(first_days)), employer.zone)
    spans = []
    for _ in range(draw(st.integers(1, 12))):
        begin = start + draw(st.integers(0, 10 * 96)) * QUARTER
        kind = draw(st.sampled_from(["work", "on_call", "intervention", "handoff"]))
        published = start - draw(st.sampled_from([timedelta(days=20), timedelta(days=3), -DAY])) if kind == "on_call" else None
        spans.append(Span(
            begin, begin + draw(st.integers(1, 60)) * QUARTER, kind, published, draw(st.sampled_from([None, QUARTER])),
            draw(st.booleans()), draw(st.sampled_from([None, "ill"])), draw(st.booleans()),
        ))
    view = draw(st.sampled_from(["planned", "actual"]))
    return Case(draw(PEOPLE), employer, spans, start, start + timedelta(days=12), view, now=start + timedelta(days=60))


def verdict(case: Case) -> list[object]:
    return list(examine(case, FR, RULES.values()))


ANY = rosters(CALM + CHANGES, ZONES)


@SOME
@given(ANY, st.randoms(use_true_random=False))
def test_the_order_in_which_spans_are_given_changes_no_finding(case: Case, dice: object) -> None:
    shuffled = list(case.spans)
    dice.shuffle(shuffled)
    assert verdict(replace(case, spans=shuffled)) == verdict(case)


@SOME
@given(ANY, st.data())
def test_a_span_cut_into_two_that_touch_changes_no_finding(case: Case, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(case.spans))
    cut = whole.start + data.draw(st.floats(0.01, 0.99)) * whole.length
    halves = [replace(whole, end=cut), replace(whole, start=cut)]
    rest = list(case.spans)
    rest.remove(whole)
    assert verdict(replace(case, spans=[*rest, *halves])) == verdict(case)


@SOME
@given(rosters([date(2026, 6, 1), date(2027, 6, 7)], ZONES), st.integers(1, 6))
def test_the_same_some_weeks_later_is_judged_alike_when_no_clock_changes(case: Case, weeks: int) -> None:
    later = timedelta(weeks=weeks)

    def moved(span: Span) -> Span:
        published = span.published_at and span.published_at + later
        return replace(span, start=span.start + later, end=span.end + later, published_at=published)

    shifted = replace(case, spans=[moved(each) for each in case.spans], start=case.start + later, end=case.end + later, now=None)
    before = [(each.rule, each.severity, each.start + later, each.end + later) for each in verdict(replace(case, now=None))]
    after = [(each.rule, each.severity, each.start, each.end) for each in verdict(shifted)]
    assert before == after


@SOME
@given(ANY)
def test_every_finding_cites_a_source_and_says_what_would_be_lawful(case: Case) -> None:
    for each in verdict(case):
        assert each.source == FR.figures[each.rule].source and each.lawful and each.message and each.start <= each.end
        assert each.start < case.end and each.end > case.start and case.worker.regime in RULES[each.rule].regimes
        assert each.message.count(f"({case.employer.zone.key})") <= 1 and "{" not in each.message + each.lawful


@SOME
@given(ANY)
def test_days_and_rests_hold_all_time_and_none_twice(case: Case) -> None:
    work, zone = work_of(case), case.employer.zone
    days = by_day(work, zone)
    assert merged(piece for pieces in days.values() for piece in pieces) == work
    assert sum((total(pieces) for pieces in days.values()), timedelta(0)) == total(work)
    assert all(local_day(piece.start, zone) == day for day, pieces in days.items() for piece in pieces)
    for free in free_between(work):
        assert all(each.end <= free.start or each.start >= free.end for each in work)
    assert sum(night_hours(case, FR.figures["R10"]).values(), timedelta(0)) <= total(work)


@SOME
@given(ANY)
def test_who_starts_at_the_earliest_lawful_start_has_rested(case: Case) -> None:
    earliest = earliest_start(case, figures("R01"))
    if earliest is None:
        return
    rested = Span(earliest, earliest + QUARTER)
    spans = [*(each for each in case.spans if each.start < earliest), rested]
    assert all(each.end <= earliest for each in spans if each.is_work and each != rested)
    asked = replace(case, worker=Worker("alice"), spans=spans)
    assert not any(each.rule == "R01" and each.end > earliest for each in verdict(asked))


# --- nights in which clocks change ---


@SOME
@given(st.sampled_from(ZONES), st.integers(2024, 2032), st.integers(1, 364))
def test_a_night_is_as_long_as_what_really_passes(zone: ZoneInfo, year: int, day: int) -> None:
    """Eleven hours of rest by the wall are short by what clocks skip, eight of work long by what they repeat."""
    today = date(year, 1, 1) + day * DAY
    eve, hours = today - DAY, Hours.parse("21:00-08:00")
    rest = hours.on(eve, zone)
    nights = {each.day: each.length for each in change_nights(zone, rest.start, rest.end)}
    missing = timedelta(hours=8) - nights.get(today, timedelta(hours=8))
    assert rest.length == timedelta(hours=11) - missing
    employer = Employer("Padok", zone)
    work = [Span(rest.start - timedelta(hours=4), rest.start), Span(rest.end, rest.end + timedelta(hours=4))]
    found = examine(Case(Worker("a"), employer, work, work[0].start, work[1].end), FR, [RULES["R01"]])
    assert bool(found) == (missing > timedelta(0))
    night = Span(instant(today, Hours.parse("00:00-08:00").first, zone), rest.end)
    case = Case(Worker("a", night_worker=True), employer, [night], night.start, night.end)
    assert bool(examine(case, FR, [RULES["R11"]])) == (missing < timedelta(0))


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_days_follow_each_other_without_gap_over_many_years(zone: ZoneInfo) -> None:
    day = date(2024, 1, 1)
    while day.year < 2034:
        begins, ends = midnight(day, zone), midnight(day + DAY, zone)
        assert timedelta(hours=23) <= ends - begins <= timedelta(hours=25)
        assert local_day(begins, zone) == day and local_day(begins - timedelta(seconds=1), zone) == day - DAY
        day += DAY


def test_a_time_that_clocks_skip_is_the_instant_at_which_they_skip_it() -> None:
    paris, skipped = ZoneInfo("Europe/Paris"), Hours.parse("02:30-03:30")
    assert instant(date(2027, 3, 28), skipped.first, paris) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert instant(date(2026, 10, 25), skipped.first, paris) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert skipped.on(date(2027, 3, 28), paris).length == timedelta(minutes=30)
    assert Hours.parse("01:30-02:30").on(date(2026, 10, 25), paris).length == timedelta(hours=2)
