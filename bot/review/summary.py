"""The month on one page: ten figures, what they say in sentences, and what to look at first."""

from collections.abc import Iterator

from bot.review import N_, Column, Facts, Figures, Section, Table, chapter
from bot.review.arithmetic.earlier import begun_in
from bot.review.arithmetic.effects import checked, effect, late_days, overdue
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.plain import change, length, percent, percents, several
from bot.review.arithmetic.proposals import propose, runs_by_group
from bot.review.arithmetic.repeats import often, repeats
from bot.review.arithmetic.sizing import Advice, advice

TITLE = N_("Summary")
TEN = (
    "volume", "auto_closed_share", "nights_with_wakeup", "availability", "mtta_median_s", "mttr_median_s", "repeat_rate",
    "unrecognised_share", "noise_ratio", "handoffs_accepted_share",
)
FIRST = 3                   # things to look at first: more are none
MOST_DECISIONS = 5

ALERT, ALERTS = N_("alert"), N_("alerts")
ENDINGS = (
    ("auto_closed_share", N_("fixed by Vigie {share}")), ("healed_share", N_("healed alone {share}")),
    ("person_closed_share", N_("people {share}")), ("still_open_share", N_("still open {share}")),
)
NIGHT, NIGHTS, WAS = N_("night with a wake-up"), N_("nights with a wake-up"), N_(" (was {before})")
AVAILABLE, USED = N_("availability {share}"), N_(" ({used:.1f} of {budget:.2f} min used)")
ACKED, RESOLVED = N_("time to acknowledge: {times} ({n} taken by people)"), N_("to resolve: {times}")
MEDIAN, P90, MEAN = N_("median {length}"), N_("p90 {length}"), N_("{length} on average")
REPEATS, UNRECOGNISED = N_("repeats {share}"), N_("unrecognised {share}")
ACCEPTED = N_("handoffs accepted {part} of {whole}")
DECIDED, ONE_DECISION, MORE = N_("Decided before: {decisions}"), N_("\"{text}\" {effect}"), N_("and {count} more")
LOOK = N_("Look at first: {things}")
NOTHING_TO_SEE = N_("Look at first: nothing stands out.")
QUIET = N_("No alert came.")

SAME_CAUSE = N_("{title} ({count}×, same cause): {action}")
TO_DO = {
    "delete": N_("delete the alert"), "fix": N_("fix its cause"), "automate": N_("let Vigie do it"), "tune": N_("tune the alert"),
}
BARE, BARE_MANY = N_("alert without a runbook"), N_("alerts without a runbook")
LATE, LATE_MANY = N_("action overdue"), N_("actions overdue")
WORST = N_("{overdue}, \"{text}\" {days} late")
MACHINES = N_("{pool} runs {runs} machines, load needs {load}, {enough} keep you through the loss of a zone: {runs} → {enough}")
MACHINES_OF_ONE_ZONE = N_("{pool} runs {runs} machines in one zone, load needs {load}: {runs} → {enough}")
SAVES = N_(" is about {money:,.0f} {currency} a month")
COLUMNS = (Column("what", N_("What")), Column("why", N_("Why")), Column("list", N_("List"), "list"))

Thing = tuple[str, str, str]        # what, why, the list behind it
DOT = " · "


@chapter("summary", TITLE, 1, last=True)
def summary(facts: Facts, figures: Figures) -> Section:
    things = list(_things(facts, figures))[:FIRST]
    look = LOOK.format(things=DOT.join(what for what, _, _ in things)) if things else NOTHING_TO_SEE
    said = (_volume(facts, figures), _times(figures), _decided(facts), look)
    picked = tuple(figures[name] for name in TEN if name in figures)
    return Section("summary", TITLE, tuple(each for each in said if each), picked, (_look_first(things),))


def _value(figures: Figures, name: str) -> float | None:
    """Of a figure that can be relied upon."""
    found = figures.get(name)
    return None if found is None or found.grey else found.value


# --- what the figures say ---


def _volume(facts: Facts, figures: Figures) -> str:
    count = _value(figures, "volume")
    if not count:
        return QUIET
    came = several(int(count), ALERT, ALERTS) + _against(facts, count)
    return DOT.join((came, *_endings(figures), *_nights(facts, figures), *_available(figures)))


def _against(facts: Facts, count: float) -> str:
    """By how much it changed since the month before: (−18 %)."""
    changed = change(count, _before(facts, "volume"))
    return f" ({changed})" if changed else ""


def _before(facts: Facts, name: str) -> float | None:
    """Of a sum; of a month that is known in part, none."""
    past = facts.before.get(name) if facts.before and not begun_in(facts, 1) else None
    return past.value if past else None


def _endings(figures: Figures) -> Iterator[str]:
    """Three always; what is open still, if anything is. They add up to 100 %."""
    shares = [_value(figures, name) or 0 for name, _ in ENDINGS]
    told = zip(ENDINGS, shares, percents(shares), strict=True)
    yield ", ".join(text.format(share=said) for (name, text), share, said in told if share or name != "still_open_share")


def _nights(facts: Facts, figures: Figures) -> Iterator[str]:
    nights, before = _value(figures, "nights_with_wakeup"), _before(facts, "nights_with_wakeup")
    if nights is not None:
        yield several(int(nights), NIGHT, NIGHTS) + (WAS.format(before=int(before)) if before is not None else "")


def _available(figures: Figures) -> Iterator[str]:
    share, budget, left = (_value(figures, each) for each in ("availability", "error_budget_min", "error_budget_left_min"))
    if share is None:
        return
    used = USED.format(used=budget - left, budget=budget) if budget is not None and left is not None else ""
    yield AVAILABLE.format(share=f"{share * 100:.3f} %") + used


def _times(figures: Figures) -> str:
    said = [
        *_time(figures, "mtta", ACKED), *_time(figures, "mttr", RESOLVED),
        *(text.format(share=percent(share)) for name, text in (("repeat_rate", REPEATS), ("unrecognised_share", UNRECOGNISED))
          if (share := _value(figures, name)) is not None),
        *_handoffs(figures),
    ]
    return DOT.join(said)


def _time(figures: Figures, name: str, text: str) -> Iterator[str]:
    """The median and p90; of few the mean."""
    mean, median, p90 = (_value(figures, f"{name}_{kind}_s") for kind in ("mean", "median", "p90"))
    if mean is None:
        return
    exact = [(MEDIAN, median), (P90, p90)]
    times = ", ".join(one.format(length=length(value)) for one, value in exact if value is not None)
    yield text.format(times=times or MEAN.format(length=length(mean)), n=figures[f"{name}_mean_s"].n)


def _handoffs(figures: Figures) -> Iterator[str]:
    share = _value(figures, "handoffs_accepted_share")
    if share is not None:
        whole = figures["handoffs_accepted_share"].n
        yield ACCEPTED.format(part=round(share * whole), whole=whole)


def _decided(facts: Facts) -> str:
    """The newest few; the chapter has them all."""
    found = checked(facts)
    said = [ONE_DECISION.format(text=each.text, effect=effect(each, facts.month).said) for each in found[-MOST_DECISIONS:]]
    more = [MORE.format(count=len(found) - MOST_DECISIONS)] if len(found) > MOST_DECISIONS else []
    return DECIDED.format(decisions=DOT.join((*said, *more))) if said else ""


# --- what to look at first ---


def _things(facts: Facts, figures: Figures) -> Iterator[Thing]:
    """By rule, in this order; what is not there is passed over."""
    yield from _most_repeated(facts)
    yield from _bare(facts)
    yield from _costs(facts, figures)
    yield from _overdue(facts)


def _most_repeated(facts: Facts) -> Iterator[Thing]:
    for each in often(repeats(facts))[:1]:
        proposal = propose(each, runs_by_group(facts.runs))
        said = SAME_CAUSE.format(title=each.newest.title, count=each.count, action=TO_DO[proposal.action])
        yield said, proposal.reason, "repeats"


def _bare(facts: Facts) -> Iterator[Thing]:
    count = sum(each.runbook is None for each in facts.groups)
    if count:
        yield several(count, BARE, BARE_MANY), N_("Nobody has written down what to do."), "without-runbook"


def _costs(facts: Facts, figures: Figures) -> Iterator[Thing]:
    """The pool that can lose most machines, unless too much speaks against it."""
    if not _value(figures, "machines_needed"):
        return
    found = [each for each in advice(facts) if each.verdict == "cut" and each.confidence != "low"]
    for each in sorted(found, key=lambda one: (-one.saved, one.name))[:1]:
        yield _cut(each), N_("Fewer machines bear the load."), "pools"


def _cut(found: Advice) -> str:
    price, runs = found.pool.price_per_hour, found.evidence.desired if found.evidence else 0
    saves = SAVES.format(money=found.saving, currency=price.currency) if found.saving and price else ""
    load = found.need.load if found.need else 0
    words = MACHINES if found.evidence and found.evidence.measured.zones > 1 else MACHINES_OF_ONE_ZONE
    return words.format(pool=found.name, runs=runs, load=load, enough=found.enough) + saves


def _overdue(facts: Facts) -> Iterator[Thing]:
    late = overdue(facts)
    if late:
        days = several(late_days(late[0], facts.month), N_("day"), N_("days"))
        count = several(len(late), LATE, LATE_MANY)
        yield WORST.format(overdue=count, text=late[0].text, days=days), N_("Decided, and not done."), "actions-open"


def _look_first(things: list[Thing]) -> Table:
    return listing("look-first", N_("Look at first"), COLUMNS, things, N_("Nothing stands out."))
