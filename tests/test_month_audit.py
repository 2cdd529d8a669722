"""Audit of the review's figures: each list behind a figure holds what the figure counts, neither more nor less."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest

from bot.review import Facts, Figure, Review, Table
from bot.services.review.composing import compose
from tests.audit_stage import Inventor

SEEDS = range(6)
SUMMARY = "summary"


@cache
def invented(seed: int) -> tuple[Facts, Review]:
    facts = Inventor(seed).facts()
    return facts, compose(facts)


# --- what the list behind each figure must hold -------------------------------------------------------------------------------

Rule = Callable[[Figure, Table], bool]


def column(table: Table, name: str) -> list[Any]:
    place = [each.name for each in table.columns].index(name)
    return [row[place] for row in table.rows]


def counted(figure: Figure, table: Table) -> bool:
    """One row for each thing of which the figure speaks."""
    return table.total == figure.n


def valued(figure: Figure, table: Table) -> bool:
    """One row for each thing that it counts."""
    return table.total == figure.value


def part(figure: Figure, table: Table) -> bool:
    """Of a share: its numerator."""
    return table.total == round((figure.value or 0) * figure.n)


def rest(figure: Figure, table: Table) -> bool:
    """Of a share: what is lacking to the whole."""
    return table.total == figure.n - round((figure.value or 0) * figure.n)


def with_left_out(figure: Figure, table: Table) -> bool:
    return table.total == figure.n + sum(figure.left_out.values())


def adds_up(name: str) -> Rule:
    return lambda figure, table: bool(sum(column(table, name)) == figure.n)


def value_adds_up(name: str) -> Rule:
    return lambda figure, table: bool(sum(each or 0 for each in column(table, name)) == pytest.approx(figure.value, abs=0.01))


def where(name: str, *wanted: Any) -> Rule:
    """Of a list with several kinds in it: the rows of these."""
    return lambda figure, table: sum(each in wanted for each in column(table, name)) == figure.value


def of_trait(begins: str, value: str) -> Rule:
    def rule(figure: Figure, table: Table) -> bool:
        rows = zip(*(column(table, name) for name in ("trait", "value", "count")), strict=True)
        return sum(count for name, each, count in rows if name.startswith(begins) and each == value) == figure.value

    return rule


TIMES = {
    f"{name}_{kind}_s": counted for name in ("mtta", "engage", "mttr") for kind in ("mean", "median", "p90")
}
RULES: Mapping[str, Rule] = TIMES | {
    # what came, and how it ended
    "volume": adds_up("count"), "healed_share": part, "auto_closed_share": part, "person_closed_share": part,
    "still_open_share": part, "closed_in_month": adds_up("count"), "open_at_month_end": valued,
    "volume_bridge": of_trait("side", "bridge"), "volume_padok": of_trait("side", "padok"),
    "volume_night": of_trait("night", "in it"), "volume_blackout": of_trait("blackout", "in it"),
    "volume_per_day_3m": adds_up("count"),
    "runs": adds_up("runs"),
    "runs_ok_share": lambda figure, table: sum(column(table, "ok")) == round((figure.value or 0) * figure.n),
    "runs_relapsed": value_adds_up("relapsed"), "runs_rolled_back": value_adds_up("undone"),
    "runbooks_promoted": where("what", "runbook promoted"), "runbooks_demoted": where("what", "runbook demoted"),
    # times
    "acked_by_other_side": valued, "paged_share": part, "escalation_rate": part, "escalated_by_hand": valued,
    # repeats, the unknown, noise
    "repeat_rate": adds_up("count"), "top10_share": adds_up("count"), "repeated_patterns": counted, "reopened": valued,
    "chronic_patterns": where("chronic", "yes"), "unrecognised_share": part, "runbook_coverage_rules": rest,
    "runbook_coverage_handled": rest, "runbook_coverage_unaided": with_left_out, "noise_ratio": adds_up("signals"),
    "not_actionable_share": part, "duplicates": valued, "flapping_share": part, "transient_share": part, "storms": valued,
    "silenced": valued, "silences_old": counted,
    # people
    "interruptions": counted, "interruptions_at_rest": where("resting", True), "worst_night": lambda figure, table: (
        max(map(column(table, "night").count, column(table, "night")), default=0) == figure.value),
    "nights_with_wakeup": lambda figure, table: len({*column(table, "night")}) == figure.value,
    "interruptions_per_night": adds_up("duty"), "intervention_min": counted, "intervention_night_min": value_adds_up("night"),
    "intervention_blackout_min": value_adds_up("blackout"), "busy_shifts": valued, "called_for_nothing": part,
    "rest_moved": where("kind", "rest moved"), "rest_breaches": where("kind", "rule breached"),
    "rest_waivers": where("kind", "rule waived"), "glass_broken": where("kind", "glass broken"),
    "held_back": where("kind", "held back"),
    "handoffs_on_time_share": with_left_out, "handoffs_accepted_share": with_left_out, "handoffs_synthesis_share": with_left_out,
    "handoffs_missed": where("became", "missed"), "handoff_delay_median_s": lambda figure, table: (
        sum(each is not None for each in column(table, "delay")) == figure.n),
    "coverage_gap_min": lambda figure, table: sum(
        length for length, role in zip(column(table, "minutes"), column(table, "role"), strict=True) if role == "any"
    ) == pytest.approx(figure.value),
    # promises, availability, the law
    "sla_ack_breach_share": lambda figure, table: column(table, "deed").count("taken") == round((figure.value or 0) * figure.n),
    "sla_resolve_breach_share": lambda figure, table: (
        column(table, "deed").count("resolved") == round((figure.value or 0) * figure.n)),
    "availability": counted, "availability_with_maintenance": counted, "error_budget_min": counted,
    "error_budget_used_min": counted, "error_budget_left_min": counted, "error_budget_burn": counted, "suspected_min": counted,
    "mitigation_mean_s": counted, "mitigation_median_s": counted,
    "incidents_classified_share": lambda figure, table: table.total >= figure.n,
    "reports_in_time_share": with_left_out, "reports_late": where("state", "late", "not sent"),
    "recurring_incidents": valued, "bank_api_outages": valued, "bank_api_reported_share": counted,
    "pan_hits": value_adds_up("count"), "control_failures": valued,
    # what was agreed
    "decisions_open": valued, "decisions_overdue": lambda figure, table: (
        sum(each is not None for each in column(table, "late")) == figure.value),
    "decisions_age_median_days": counted, "decisions_made": counted, "decisions_closed": counted, "proposals": valued,
    "verdict_coverage": rest,
    "decisions_kept_share": with_left_out, "decisions_worked_share": with_left_out, "alerts_spared": with_left_out,
    "sleep_given_back_min": with_left_out,
    "notifications": adds_up("signals"), "silent_sources": valued,
}
UNLISTED = frozenset({      # their lists are of other things than they count: minutes by role, days, machines, bills
    "coverage_share", "coverage_share_primary", "coverage_share_secondary", "handoff_actions_carried",
    "handoff_oldest_action_days", "volume_per_day", "requests_good_share", "log_days_sealed_share", "log_reviews_signed_share",
    "longest_silence_s",
    "notifications_refused", "incidents", "major_incidents", "cost", "cost_untagged_share", "machines_running", "machines_needed",
    "saving",
})


def figures(review: Review) -> list[tuple[Figure, Table]]:
    lists = {table.name: table for section in review.sections for table in section.tables}
    found = (each for section in review.sections if section.name != SUMMARY for each in section.figures)
    return [(each, lists[each.behind or ""]) for each in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_list_behind_a_figure_holds_exactly_what_the_figure_counts(seed: int) -> None:
    for figure, table in figures(invented(seed)[1]):
        rule = RULES.get(figure.name)
        if rule is None:
            assert figure.name in UNLISTED or figure.name.startswith("sla_"), f"nobody says what lies behind {figure.name}"
        elif figure.value is not None:
            assert rule(figure, table), f"{figure.name} {figure.value} of {figure.n}, {dict(figure.left_out)}: {table.total} rows"


WHOLES: Mapping[str, Callable[[Facts], int]] = {
    **{name: lambda facts: len(facts.groups) for name in (*TIMES, "not_actionable_share", "escalation_rate",
                                                           "runbook_coverage_handled")},
    "volume": lambda facts: len(facts.groups) + len(facts.drills) + len(facts.maintained),
    "runs_ok_share": lambda facts: sum(each.purpose == "fix" for each in facts.runs),
    "runbook_coverage_unaided": lambda facts: sum(each.purpose == "fix" for each in facts.runs),
    "handoffs_accepted_share": lambda facts: len(facts.handoffs),
    "interruptions": lambda facts: len(facts.pages),
    "verdict_coverage": lambda facts: sum(each.touched or each.ending == "person" for each in facts.groups),
    "mitigation_mean_s": lambda facts: sum(facts.month.has(each.began_at) and not each.drill for each in facts.incidents),
    "major_incidents": lambda facts: sum(facts.month.has(each.began_at) and not each.drill for each in facts.incidents),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_figure_counts_and_what_it_leaves_out_are_the_whole(seed: int) -> None:
    facts, review = invented(seed)
    for name, whole in WHOLES.items():
        figure = review.figures[name]
        assert figure.n + sum(figure.left_out.values()) == whole(facts), f"{name}: {figure.n}, {dict(figure.left_out)}"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_four_endings_are_all_of_the_cohort(seed: int) -> None:
    known = invented(seed)[1].figures
    shares = [known[name] for name in ("healed_share", "auto_closed_share", "person_closed_share", "still_open_share")]
    assert sum(each.value or 0 for each in shares) == pytest.approx(1) and {each.n for each in shares} == {known["volume"].value}
