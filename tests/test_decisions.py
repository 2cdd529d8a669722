"""What an alert is worth and what is done about it: recognised, important, trusted, braked; each with its reasons."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Config
from bot.services.alert.triage import Case, Facts, decide, judge
from tests.story import CONFIG
from tests.workshop import catalogue, runbook

CLAIM = "runbook smaller (smaller.yaml, line 7)"

facts = st.builds(
    Facts,
    recognised=st.none() | st.just(CLAIM), important=st.booleans(), rung=st.sampled_from(["manual", "click", "automatic"]),
    since=st.just(""), brakes=st.lists(st.just("stopped by Léa"), max_size=2).map(tuple),
    came_back=st.none() | st.just("run 57 had seemed to fix it"),
)


def case(**fields: Any) -> Case:
    return Case(**{"source": "generic", "service": "pay-api", "severity": "high", "name": "pay-api-5xx", "labels": {}, **fields})


@pytest.mark.parametrize(("known", "what", "pages"), [
    ({"recognised": CLAIM, "rung": "automatic"}, "run", False),
    ({"recognised": CLAIM, "rung": "automatic", "important": True}, "approve", False),
    ({"recognised": CLAIM, "rung": "click"}, "offer", False),
    ({"recognised": CLAIM, "rung": "manual"}, "offer", False),
    ({"recognised": CLAIM, "rung": "click", "important": True}, "offer", True),
    ({"recognised": CLAIM, "rung": "automatic", "brakes": ("stopped",)}, "offer", False),
    ({"recognised": CLAIM, "rung": "automatic", "brakes": ("stopped",), "important": True}, "offer", True),
    ({"recognised": CLAIM, "rung": "automatic", "brakes": ("1 failure",), "came_back": "run 57"}, "offer", True),
    ({"recognised": CLAIM, "rung": "automatic", "came_back": "run 57"}, "run", False),
    ({"recognised": None, "important": True}, "page", True),
    ({"recognised": None}, "show", False),
])
def test_recognised_important_and_trusted_decide(known: dict[str, Any], what: str, pages: bool) -> None:
    decision = decide(Facts(**{"important": False, **known}))
    assert (decision.what, decision.pages) == (what, pages)


@given(facts)
def test_vigie_acts_only_on_what_it_recognises_is_trusted_with_and_nobody_stopped(known: Facts) -> None:
    decision = decide(known)
    if decision.what in ("run", "approve"):
        assert known.recognised and known.rung == "automatic" and not known.brakes and not decision.pages
        assert (decision.what == "approve") == known.important


@given(facts)
def test_what_is_important_or_came_back_never_passes_unseen(known: Facts) -> None:
    decision = decide(known)
    acts = decision.what in ("run", "approve")
    assert decision.pages == ((known.important or known.came_back is not None) and not acts)


@given(facts)
def test_every_decision_says_why_and_why_vigie_does_not_act(known: Facts) -> None:
    decision = decide(known)
    told = "; ".join(decision.reasons)
    assert (CLAIM in told) == (known.recognised is not None)
    if known.recognised and decision.what == "offer":
        assert all(each in told for each in known.brakes)


def test_the_verdict_names_the_runbook_its_file_and_line() -> None:
    verdict = judge(case(), CONFIG, catalogue())
    assert (verdict.runbook, verdict.recognised) == ("smaller", True)
    assert f"{CLAIM} recognises it" in verdict.reasons


def test_a_rule_that_changes_the_severity_changes_it_for_runbooks_too() -> None:
    rules = [{"name": "loud", "when": {"service": ["pay-api"]}, "severity": "critical"}]
    config = Config.model_validate({**CONFIG.model_dump(), "rules": rules})
    book = runbook(when=[{"severity": ["critical"]}])
    assert judge(case(severity="warning"), config, catalogue(book)).recognised
    assert not judge(case(severity="warning"), CONFIG, catalogue(book)).recognised


def test_the_first_symptom_that_fits_counts() -> None:
    symptoms = [
        {"name": "slow", "service": "pay-api", "when": {"name": "*p99*"}}, {"name": "errors", "service": "pay-api"},
        {"name": "anything", "service": "ledger"},
    ]
    config = Config.model_validate({**CONFIG.model_dump(), "symptoms": symptoms})
    shown = [judge(case(name=name), config, catalogue()).symptom for name in ("pay-api-p99", "pay-api-5xx")]
    assert shown == ["slow", "errors"]


def test_what_is_neither_recognised_nor_important_says_that_it_is_only_shown() -> None:
    verdict = judge(case(service="edge", name="edge-4xx"), CONFIG, catalogue())
    assert verdict.only_shown and any("nobody is called" in each for each in verdict.reasons)
