"""Runs of the month by runbook, and how far each was trusted: promoted, demoted, stopped."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.review import N_
from bot.review.arithmetic.proposals import is_good
from bot.review.facts import Facts, Run, Told

PROMOTED, DEMOTED = "runbook promoted", "runbook demoted"
KINDS = {
    PROMOTED: N_("promoted to {rung}"), DEMOTED: N_("demoted to {rung}"), "automation stopped": N_("automation stopped"),
    "automation resumed": N_("automation resumed"),
}
ENDED = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Change:
    """How far a runbook is trusted was changed."""

    at: datetime
    runbook: str
    kind: str
    rung: str | None
    by: str
    why: str | None

    def __str__(self) -> str:
        return KINDS[self.kind].format(rung=self.rung)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one runbook did in the month."""

    title: str
    runs: int
    automatic: int
    ok: int
    proven: int                             # groups that one of its runs is proven to have fixed
    relapsed: int
    undone: int
    failed: int
    under_way: int
    trust: str


def tallies(facts: Facts) -> list[Tally]:
    """Runbooks that were run or whose trust changed; the most run first. Runs that only look are left out."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for each in facts.runs:
        if each.purpose == "fix" and facts.month.has(each.begun_at):
            runs[each.runbook].append(each)
    trust: dict[str, list[str]] = defaultdict(list)
    for change in (each for each in changes_of_trust(facts) if each.kind in (PROMOTED, DEMOTED)):
        trust[change.runbook].append(str(change))
    proven = {each.fixed_by for each in facts.groups if each.fixed_by is not None}
    names = sorted({*runs, *trust}, key=lambda name: (-len(runs.get(name, ())), name))
    return [_tally(name, runs.get(name, ()), proven, ", ".join(trust.get(name, ()))) for name in names]


def changes_of_trust(facts: Facts) -> list[Change]:
    """In the order of time."""
    found = (each for each in facts.told if each.kind in KINDS and each.outcome == "done")
    return [_change(each) for each in sorted(found, key=lambda each: (each.at, each.id))]


def _change(told: Told) -> Change:
    rung, why = told.details.get("rung"), told.details.get("reason")
    return Change(told.at, told.object.partition(":")[2], told.kind, rung and str(rung), told.actor, why and str(why))


def _tally(name: str, runs: Sequence[Run], proven: set[int], trust: str) -> Tally:
    return Tally(
        title=runs[-1].title if runs else name, runs=len(runs), automatic=sum(each.mode == "automatic" for each in runs),
        ok=sum(is_good(each) for each in runs), proven=sum(each.id in proven for each in runs),
        relapsed=sum(each.relapsed_at is not None for each in runs), undone=sum(each.undone for each in runs),
        failed=sum(each.state in ("failed", "cancelled") for each in runs),
        under_way=sum(each.state not in ENDED for each in runs), trust=trust,
    )
