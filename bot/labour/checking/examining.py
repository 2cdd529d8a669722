"""Runs the rules of a profile over a person's time."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.labour import Case, Finding, Rule
from bot.labour.arithmetic.nights import night_worker
from bot.labour.profiles import Profile

ABOUT = (
    "An aid to checking: the employer stays responsible. Checked by {profile}{agreements}. Not known to it: work outside of "
    "Vigie, second jobs, leave, medical advice. Show the rules and their figures to a labour lawyer once."
)
WITH = " with {titles}"


def examine(case: Case, profile: Profile, rules: Iterable[Rule]) -> list[Finding]:
    """What the rules find, sorted by time; a rule of which the profile has no figures does not run."""
    ready = _ready(case, profile)
    found = (
        finding for each in rules if each.name in profile.figures for finding in each.findings(ready, profile.figures[each.name])
    )
    return sorted(found, key=_order)


def about(profile: Profile) -> str:
    """What the tool says of itself beneath its findings."""
    titles = ", ".join(sorted({each.title for each in profile.agreements}))
    return ABOUT.format(profile=profile.id, agreements=WITH.format(titles=titles) if titles else "")


def _ready(case: Case, profile: Profile) -> Case:
    """Sorted; with the night that holds for the employer, and what the spans say of night work: several rules ask for both."""
    case = replace(case, spans=sorted(case.spans, key=lambda each: (each.start, each.end)))
    figures = profile.figures.get("R10")
    if figures is None:
        return case
    night = case.employer.night or figures["night"]
    case = replace(case, employer=replace(case.employer, night=night))
    return replace(case, worker=replace(case.worker, night_worker=night_worker(case, figures)))


def _order(finding: Finding) -> tuple[Any, ...]:
    return (finding.start, finding.rule, finding.severity, finding.end, finding.message)
