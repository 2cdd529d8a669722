"""The chapter of costs: eighteen machines of which four are enough, every reason not to cut, and a bill in its own currency."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config import Config, load_catalogue
from bot.labour.arithmetic.days import midnight
from bot.review import Facts, Figure, Section
from bot.review.arithmetic import sizing
from bot.review.arithmetic.sizing import Advice
from bot.review.costs import costs
from bot.review.facts import Incident, Measure
from bot.review.facts.platform import Impact
from bot.services.run import runs
from bot.services.slack import forms
from tests.config_stage import actions, example
from tests.review_stage import ZONE, at, facts, month

DAY = timedelta(days=1)
ACCOUNT = "111122223333"
IDLE = {"cpu": 4.0, "in_service": 18.0, "memory": 5.0, "peak": 6.0}
BUSY = {"requests": 60 * 300.0, "latency_s": 1.2}
QUICK = {"requests": 60 * 300.0, "latency_s": 0.1}
EVERYTHING = {
    "group": "cluster", "service": "pay-api", "vcpus": 2, "memory_gib": 8, "threads": 200, "per_target": 60,
    "price_per_hour": {"amount": 0.107, "currency": "USD"},
}


def machines(
    days: int = 31, first: date = date(2026, 10, 1), series: dict[str, float | None] | None = None, **said: Any,
) -> list[Measure]:
    """Of each day as it is read an hour after its end: values that neither rise nor fall."""
    found = []
    for day in (first + n * DAY for n in range(days)):
        start, end = (midnight(each, ZoneInfo(ZONE)) for each in (day, day + DAY))
        bins = int((end - start).total_seconds()) // 300
        body = {
            "desired": 18, "minimum": 18, "maximum": 20, "zones": 2, "kinds": ["m5.large"], "mixed": False,
            "policies": ["cpu-60"], "planned": [], "sticky": False, "targets": 1, "start": int(start.timestamp()),
            "series": {name: [value] * bins for name, value in (IDLE | QUICK | (series or {})).items() if value is not None},
        }
        found.append(Measure("capacity", "pay-api", day, end + timedelta(hours=1), body | said))
    return found


def having(costs: dict[str, Any] | None = None, **pool: Any) -> Config:
    """The example with one pool, of which all is known unless told otherwise."""
    config = example()
    plain = {"pools": {"pay-api": EVERYTHING | pool}} if costs is None else costs
    changed = type(config.month.costs).model_validate(plain)
    return config.model_copy(update={"month": config.month.model_copy(update={"costs": changed})})


def lived(measures: list[Measure], config: Config | None = None, as_of: str | None = None, **more: Any) -> Facts:
    return replace(facts(when=month(as_of=as_of), measures=measures, **more), config=config or having())


def advised(given: Facts) -> Advice:
    [found] = sizing.advice(given)
    return found


def written(given: Facts) -> Section:
    return costs.write(given, {})


def figures(given: Facts) -> dict[str, Figure]:
    return {each.name: each for each in written(given).figures}


def rows(given: Facts, name: str) -> tuple[tuple[Any, ...], ...]:
    [found] = [each for each in written(given).tables if each.name == name]
    return found.rows


# --- eighteen machines --------------------------------------------------------------------------------------------------------


def test_eighteen_machines_of_which_load_needs_two_and_four_keep_you_through_the_loss_of_a_zone() -> None:
    given = lived(machines())
    found = advised(given)
    assert (found.verdict, found.need.load, found.need.recommended, found.confidence) == ("cut", 2, 4, "high")
    assert written(given).said[0] == (
        "pay-api runs 18 machines, load needs 2, 4 keep you through the loss of a zone: 18 → 4 is about 1,116 USD a month, for "
        "14 machines fewer (confidence: high).")
    assert (figures(given)["machines_running"].value, figures(given)["machines_needed"].value) == (18, 4)


def test_the_way_down_is_by_a_quarter_at_most_and_says_what_to_type() -> None:
    given = lived(machines())
    assert advised(given).steps == (14, 11, 9, 7, 6, 5, 4)
    assert written(given).said[1] == (
        "pay-api: 18 → 14 → 11 → 9 → 7 → 6 → 5 → 4, at most a quarter a step and a peak between two. Type "
        "`/vigie run right-size-cluster group=cluster desired=4`.")
    assert [row[2:4] for row in rows(given, "pool-steps")][:2] == [(18, 14), (14, 11)]


def test_the_shipped_runbook_takes_the_line_that_is_to_be_typed() -> None:
    config = having()
    [line] = {row[4] for row in rows(lived(machines(), config), "pool-steps")}
    [name], values = forms.sort_out(line.removeprefix(f"{config.command} run ").split())
    runbook = load_catalogue(None, config, actions()).runbook(name)
    runs.check(runbook, values)
    assert values == {"group": "cluster", "desired": "4"}


def test_the_saving_names_its_count_and_stays_in_the_currency_that_is_billed() -> None:
    found = figures(lived(machines()))["saving"]
    assert (found.currency, found.why) == ("USD", "for 14 machines fewer of pay-api")
    assert found.value == pytest.approx(14 * 0.107 * 745, abs=0.01)
    none = figures(lived(machines(), having(price_per_hour=None)))["saving"]
    assert (none.value, none.left_out) == (None, {"price not known": 1})
    assert none.why == "the price of a machine is not known (`price_per_hour`)"


def test_two_currencies_are_never_added_up() -> None:
    other = EVERYTHING | {"price_per_hour": {"amount": 1, "currency": "EUR"}}
    both = machines() + [replace(each, subject="ledger") for each in machines()]
    found = figures(lived(both, having({"pools": {"pay-api": EVERYTHING, "ledger": other}})))["saving"]
    assert (found.value, found.why) == (None, "it is billed in EUR, USD, and no exchange rate is invented: see the list")


def test_one_zone_has_none_to_lose() -> None:
    given = lived(machines(zones=1))
    assert advised(given).need.recommended == 2
    assert written(given).said[0].startswith("pay-api runs 18 machines in one zone, load needs 2: 18 → 2")
    assert any("nothing keeps it through the loss" in each for each in advised(given).doubts)


def test_a_pool_of_the_right_size_is_left_alone() -> None:
    given = lived(machines(desired=4, minimum=2, series={"in_service": 4.0, "cpu": 18.0, "memory": 22.0}))
    assert written(given).said == ("pay-api runs 4 machines, load needs 2, 4 keep you through the loss of a zone: leave it.",)
    assert figures(given)["saving"].why == "no pool can be cut" and rows(given, "pool-steps") == ()


def test_a_pool_that_is_too_small_is_told_so() -> None:
    given = lived(machines(desired=4, series={"in_service": 4.0, "cpu": 70.0}))
    assert written(given).said[0] == "pay-api runs 4 machines, and 12 would keep you through the loss of a zone: it has too few."
    assert figures(given)["machines_needed"].value == 4


# --- why not ------------------------------------------------------------------------------------------------------------------


def test_the_thread_pool_is_the_limit_and_must_be_fixed_before_anybody_cuts() -> None:
    given = lived(machines(series=BUSY), having(threads=8, slow_ms=2000))
    assert advised(given).need.by == {"CPU": 2, "memory": 2, "request rate": 2, "thread pool": 17}
    assert written(given).said == (
        "pay-api: nothing can be advised: the thread pool is the limit (it needs 17 machines, all else 2): fix it before you "
        "cut.",)
    assert (figures(given)["machines_needed"].value, figures(given)["saving"].value) == (None, None)


def test_busy_threads_are_believed_before_latency_is() -> None:
    given = lived(machines(series={"busy_threads": 0.65}))
    assert advised(given).need.by["thread pool"] == 21 and "the thread pool is the limit" in advised(given).refusals[0]


def test_a_thread_pool_that_leaves_room_lets_you_cut_only_so_far() -> None:
    given = lived(machines(), having(threads=2))
    found = advised(given)
    assert (found.verdict, found.need.by["thread pool"], found.need.recommended) == ("cut", 6, 12)
    assert "the thread pool is the limit: fix it before you cut below 12 (all else needs 4)" in found.doubts


REFUSED: list[tuple[list[Measure], dict[str, Any], str]] = [
    (machines(13, date(2026, 10, 19)), {}, "13 days are too few"),
    ([each for each in machines() if each.day.day not in (5, 6)], {}, "6 % of the 5-minute values of CPU are missing"),
    (machines(series={"memory": None}), {}, "how much memory is used is not known"),
    (machines(), {"memory_gib": None}, "how much memory one machine has is not known: say `memory_gib`"),
    (machines(series={"surplus": 0.1}), {}, "CPU credits beyond the earned ones were charged"),
    (machines(15, series={"credits": 100.0}) + machines(16, date(2026, 10, 16), {"credits": 50.0}), {},
     "CPU credits fell from 100 to 50"),
    (machines(series={"latency_s": 1.5}), {}, "nobody has explained why"),
    (machines(series={"latency_s": 1.5}), {}, "the bottleneck is elsewhere"),
    (machines(series={"errors": 1000.0}), {}, "it was too slow or failed in"),
    (machines(), {"stateful": True}, "its machines keep state"),
    (machines(sticky=True), {}, "sends every client to the same machine"),
    (machines(), {"price_per_hour": {"amount": 1, "committed": True}}, "paid for in advance"),
    (machines(), {"spot": True}, "spot machines"),
    (machines(mixed=True), {}, "several types of machine"),
    (machines(kinds=["m5.large", "c5.large"]), {}, "several types of machine"),
    (machines(targets=2), {}, "2 target groups"),
    (machines(planned=[{"name": "month-end", "wanted": 18, "at": "0 6 28 * *"}]), {},
     "the scheduled action month-end wants 18 machines"),
]


@pytest.mark.parametrize(("measures", "pool", "why"), REFUSED)
def test_nothing_is_advised_and_the_reason_stands_in_words(measures: list[Measure], pool: dict[str, Any], why: str) -> None:
    given = lived(measures, having(**pool))
    assert advised(given).verdict == "refused" and any(why in each for each in advised(given).refusals)
    assert [each for each in written(given).said if "→" in each] == [] and figures(given)["saving"].value is None
    assert any(why in row[2] for row in rows(given, "pool-objections"))


def test_what_an_incident_explains_is_no_objection() -> None:
    bad = machines(1, date(2026, 10, 5), {"latency_s": 1.5})
    days = [each for each in machines() if each.day.day != 5] + bad
    outage = Incident(
        1, "slow", "pay-api", "degraded", at("2026-10-05 00:00"), at("2026-10-05 00:10"), "lea", ended_at=at("2026-10-06 00:00"),
        impacts=(Impact("pay-api", at("2026-10-05 00:00"), at("2026-10-06 00:00"), 0.1),))
    assert advised(lived(days)).verdict == "refused"
    assert advised(lived(days, incidents=(outage,))).verdict == "cut"


def test_each_doubt_lowers_the_confidence_and_is_told() -> None:
    none = advised(lived(machines()))
    one = advised(lived(machines(), having(per_target=None)))
    bare = {"requests": None, "latency_s": None, "peak": 80.0}
    many = advised(lived(machines(series=bare), having(threads=None)))
    assert [each.confidence for each in (none, one, many)] == ["high", "medium", "low"]
    assert "it bore 3.3 requests a second" in one.doubts[0]
    assert any("the busiest machine" in each for each in many.doubts)
    said = written(lived(machines(), having(per_target=None))).said
    assert any("what leaves a doubt: nobody has tested" in each for each in said)


def test_a_month_that_goes_on_has_not_seen_its_end() -> None:
    found = advised(lived(machines(20), as_of="2026-10-21 12:00"))
    assert found.verdict == "cut" and "the end of the month is not among these days" in found.doubts


def test_days_before_the_first_reading_are_not_missing_and_days_after_the_last_are() -> None:
    assert advised(lived(machines(17, date(2026, 10, 15)))).verdict == "cut"
    assert "missing" in advised(lived(machines(20))).refusals[0]


def test_a_pool_without_readings_says_why() -> None:
    why = {"why": "AWS knows no group cluster"}
    refused = Measure("unread", "capacity pay-api", date(2026, 10, 7), at("2026-10-08 06:00"), why)
    given = lived([refused])
    assert written(given).said == (
        "pay-api: nothing can be advised: nothing was measured of it in this month (the last try: AWS knows no group cluster).",)
    assert (figures(given)["machines_running"].value, figures(given)["machines_running"].why) == (None, "no pool was measured")
    without = lived([], having().model_copy(update={"aws": None}))
    assert "vigie.yaml has no section `aws`: nothing is collected" in written(without).said[0]
    assert all(each.value is None and each.grey and each.why for each in written(without).figures)


# --- properties ---------------------------------------------------------------------------------------------------------------


def of_load(cpu: float, memory: float, requests: float, latency: float, running: int, zones: int, threads: int) -> Advice:
    series = {"cpu": cpu, "memory": memory, "requests": requests * 300, "latency_s": latency, "in_service": float(running)}
    days = machines(14, date(2026, 10, 18), series, desired=running, minimum=1, zones=zones)
    return advised(lived(days, having(threads=threads, slow_ms=60_000)))


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 500), st.floats(0.001, 3), st.integers(1, 40), st.integers(1, 3),
    st.integers(1, 200), st.floats(1, 3))
def test_more_load_never_needs_fewer_machines(
    cpu: float, memory: float, requests: float, latency: float, running: int, zones: int, threads: int, more: float,
) -> None:
    less = of_load(cpu, memory, requests, latency, running, zones, threads)
    greater = of_load(min(cpu * more, 100), min(memory * more, 100), requests * more, latency * more, running, zones, threads)
    assert less.need.load <= greater.need.load and less.need.recommended <= greater.need.recommended
    for each in (less, greater):
        assert each.need.recommended >= max(2, zones, each.need.load)
        assert each.enough <= running and (each.verdict != "cut" or each.enough == each.need.recommended < running)
        way = zip((running, *each.steps), each.steps, strict=False)
        assert all(before - after <= max(1, before // 4) for before, after in way)
        assert (each.steps[-1] == each.need.recommended) if each.steps else each.verdict != "cut"


# --- the bill -----------------------------------------------------------------------------------------------------------------


def billed(day: int, *lines: tuple[str, str, float, str], estimated: bool = False, read: datetime | None = None) -> Measure:
    when = date(2026, 10, day)
    body = {"estimated": estimated, "lines": [list(each) for each in lines]}
    return Measure("cost", ACCOUNT, when, read or at(f"{when + DAY} 09:00"), body)


def test_a_bill_is_added_up_in_its_own_currency_by_service_and_kind() -> None:
    given = lived([billed(day, ("pay-api", "EC2", 30.0, "USD"), ("", "Tax", 10.0, "USD")) for day in range(1, 32)])
    found = figures(given)
    assert (found["cost"].value, found["cost"].currency, found["cost"].n, found["cost"].grey) == (1240, "USD", 31, False)
    assert found["cost_untagged_share"].value == pytest.approx(0.25)
    assert rows(given, "costs") == (("pay-api", "EC2", 930, "USD", 0.75), ("no service", "Tax", 310, "USD", 0.25))
    [chart] = [each for each in written(given).charts if each.name == "cost-by-day"]
    assert chart.title == "1,240 USD were spent, 75 % of it on pay-api" and len(chart.points) == 62


def test_days_that_are_not_on_the_bill_are_named_and_estimates_are_grey() -> None:
    days = [billed(day, ("pay-api", "EC2", 1.0, "USD"), estimated=day > 29) for day in range(1, 32) if day != 3]
    given = lived([*days, billed(3)])
    found = figures(given)["cost"]
    assert rows(given, "costs-by-day")[2] == ("2026-10-03", None, None, "not on the bill")
    assert (found.value, found.grey, found.left_out) == (30, True, {"days that are not on the bill": 1})
    assert found.why == "not on the bill: 03 Oct; AWS may still change 2 of its days"


def test_the_newest_bill_of_a_day_counts_once() -> None:
    late = billed(1, ("", "EC2", 7.0, "USD"), read=at("2026-10-03 09:00"))
    found = figures(lived([billed(1, ("", "EC2", 5.0, "USD")), late], as_of="2026-10-04 12:00"))["cost"]
    assert found.value == 7 and found.left_out == {"days that are not on the bill": 2}


def test_several_currencies_are_listed_and_not_added_up() -> None:
    found = figures(lived([billed(1, ("", "EC2", 5.0, "USD"), ("", "Support", 5.0, "EUR"))]))["cost"]
    assert (found.value, found.grey) == (None, True) and "EUR, USD" in (found.why or "")


def test_every_figure_of_the_chapter_has_its_list() -> None:
    for section in (written(lived([])), written(lived(machines()))):
        assert {each.behind for each in section.figures} <= {each.name for each in section.tables}
