"""What to do about a repeat: delete, fix, automate or tune it, by the first rule that holds, with its reason."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bot.review import N_
from bot.review.arithmetic.endings import took_s
from bot.review.arithmetic.plain import length
from bot.review.arithmetic.repeats import OFTEN, Repeat
from bot.review.facts import Run

Action = Literal["delete", "fix", "automate", "tune"]

BRIEF_S = 5 * 60            # healed alone in less: transient
LONG_S = 60 * 60            # a median above it is long
FLAPPING = 3                # openings within 60 min
GOOD_RUNS = 2               # of one runbook, by people: from here on it can be trusted to a machine

NEVER_NEEDED = N_("Nobody acted on any of the {count}; each healed alone within {longest}.")
NOISE = N_("People called it noise {noise} of {given} times.")
OFTEN_NOISE = N_("People called it noise {noise} of {given} times: narrow what it fires for.")
NEEDS_FIX = N_("People said {times} that its cause needs a fix.")
SAME_RUNBOOK = N_("People ran \"{title}\" {runs} times, each time with success.")
NO_RUNBOOK = N_("People said {times} that a runbook is missing: write one.")
FLAPS = N_("It opened and closed {cycles} times within an hour: give it a longer window.")
WAKES = N_("It called somebody at night {nights}, and healed alone: let it wait before it calls.")
DUPLICATE = N_("People called it a duplicate {times}: group it with its twin.")
TRANSIENT = N_("{brief} of {count} healed alone in under 5 min: give it a longer window.")
RELAPSES = N_("It came back {relapses} after it had ended.")
LONG = N_("It lasts long: {median} at the median.")
CHRONIC = N_("It was there the month before too, {before}.")
REPAIRED = N_("Vigie repaired it {fixed} of {count} times: take away its cause.")
ALONE = N_("Nobody acted on any of the {count}, and each healed alone: let it wait longer, or delete it.")
COMES_BACK = N_("It came {count} times: find its cause.")

ONCE, TWICE, TIMES = N_("once"), N_("twice"), N_("{count} times")


@dataclass(frozen=True, slots=True)
class Proposal:
    action: Action
    reason: str


Runs = Mapping[int, Sequence[Run]]                  # by group
Reason = Callable[[Repeat, Runs], str | None]


def propose(repeat: Repeat, runs: Runs) -> Proposal:
    """One action, whatever the repeat is like."""
    reasons = ((action, reason(repeat, runs)) for action, reason in RULES)
    return next(Proposal(action, found) for action, found in reasons if found is not None)


def runs_by_group(runs: Iterable[Run]) -> Runs:
    """Those that were to mend something."""
    found: dict[int, list[Run]] = defaultdict(list)
    for each in runs:
        if each.group is not None and each.purpose == "fix":
            found[each.group].append(each)
    return found


def is_good(run: Run) -> bool:
    """It ended well, and stayed so: no step was taken back, the fault did not come back."""
    return run.state == "succeeded" and run.relapsed_at is None and not run.undone


def is_brief(ending: str, took: float | None) -> bool:
    """Transient: it healed alone in less than 5 min."""
    return ending == "healed" and took is not None and took < BRIEF_S


def times(count: int) -> str:
    return {1: ONCE, 2: TWICE}.get(count) or TIMES.format(count=count)


def _never_needed(repeat: Repeat, runs: Runs) -> str | None:
    """An important alert is never proposed for deletion by this, nor one that somebody found useful."""
    idle = all(
        is_brief(each.ending, took_s(each)) and not each.touched and not each.important and each.verdict in (None, "noise")
        for each in repeat.groups
    )
    if not idle or repeat.count < OFTEN:
        return None
    return NEVER_NEEDED.format(count=repeat.count, longest=length(max(took_s(each) or 0 for each in repeat.groups)))


def _noise(repeat: Repeat, runs: Runs) -> str | None:
    """Nobody says otherwise, and it is not one that matters."""
    said = _verdicts(repeat)
    doubted = said["useful"] or said["needs-fix"] or any(each.important for each in repeat.groups)
    return NOISE.format(noise=said["noise"], given=said.total()) if said["noise"] * 2 > said.total() and not doubted else None


def _often_noise(repeat: Repeat, runs: Runs) -> str | None:
    said = _verdicts(repeat)
    return OFTEN_NOISE.format(noise=said["noise"], given=said.total()) if said["noise"] * 2 > said.total() else None


def _needs_fix(repeat: Repeat, runs: Runs) -> str | None:
    said = _verdicts(repeat)["needs-fix"]
    return NEEDS_FIX.format(times=times(said)) if said else None


def _same_runbook(repeat: Repeat, runs: Runs) -> str | None:
    """One failure of it, and it is not proposed."""
    by_people = [each for group in repeat.groups for each in runs.get(group.id, ()) if each.mode != "automatic"]
    kept = Counter(each.runbook for each in by_people if is_good(each))
    spoilt = {each.runbook for each in by_people if not is_good(each)}
    name, count = next(((name, count) for name, count in kept.most_common() if name not in spoilt), ("", 0))
    if count < GOOD_RUNS:
        return None
    return SAME_RUNBOOK.format(title=next(each.title for each in by_people if each.runbook == name), runs=count)


def _no_runbook(repeat: Repeat, runs: Runs) -> str | None:
    said = _verdicts(repeat)["missing-runbook"]
    return NO_RUNBOOK.format(times=times(said)) if said else None


def _flaps(repeat: Repeat, runs: Runs) -> str | None:
    most = max(each.cycles for each in repeat.groups)
    return FLAPS.format(cycles=most) if most >= FLAPPING else None


def _wakes(repeat: Repeat, runs: Runs) -> str | None:
    healed = all(each.ending == "healed" and not each.touched for each in repeat.groups)
    return WAKES.format(nights=times(repeat.nights)) if repeat.nights and healed else None


def _duplicate(repeat: Repeat, runs: Runs) -> str | None:
    said = _verdicts(repeat)["duplicate"]
    return DUPLICATE.format(times=times(said)) if said else None


def _transient(repeat: Repeat, runs: Runs) -> str | None:
    brief = sum(is_brief(each.ending, took_s(each)) for each in repeat.groups)
    return TRANSIENT.format(brief=brief, count=repeat.count) if brief * 2 > repeat.count else None


def _relapses(repeat: Repeat, runs: Runs) -> str | None:
    back = sum(each.relapses for each in repeat.groups)
    return RELAPSES.format(relapses=times(back)) if back else None


def _long(repeat: Repeat, runs: Runs) -> str | None:
    lasted = [took for each in repeat.groups if (took := took_s(each)) is not None]
    middle = median(lasted) if lasted else 0
    return LONG.format(median=length(middle)) if middle > LONG_S else None


def _repaired(repeat: Repeat, runs: Runs) -> str | None:
    """What Vigie repairs most times needs no runbook more: its cause is left."""
    fixed = sum(each.ending == "fixed" for each in repeat.groups)
    return REPAIRED.format(fixed=fixed, count=repeat.count) if fixed * 2 > repeat.count else None


def _alone(repeat: Repeat, runs: Runs) -> str | None:
    """What nobody ever needed to act on is a matter of the alert, however long it lasts or how often it comes back."""
    idle = repeat.count >= OFTEN and all(each.ending == "healed" and not each.touched for each in repeat.groups)
    return ALONE.format(count=repeat.count) if idle and not _verdicts(repeat)["useful"] else None


def _chronic(repeat: Repeat, runs: Runs) -> str | None:
    return CHRONIC.format(before=times(repeat.before)) if repeat.chronic else None


def _comes_back(repeat: Repeat, runs: Runs) -> str | None:
    return COMES_BACK.format(count=repeat.count)


def _verdicts(repeat: Repeat) -> Counter[str]:
    return Counter(each.verdict for each in repeat.groups if each.verdict)


RULES: tuple[tuple[Action, Reason], ...] = (
    ("delete", _never_needed), ("delete", _noise),
    ("fix", _needs_fix), ("fix", _repaired),
    ("automate", _same_runbook), ("automate", _no_runbook),
    ("tune", _often_noise), ("tune", _flaps), ("tune", _wakes), ("tune", _duplicate), ("tune", _transient),
    ("tune", _alone),
    ("fix", _relapses), ("fix", _long), ("fix", _chronic), ("fix", _comes_back),
)
