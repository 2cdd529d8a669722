"""Response times: how long alerts waited for a person, for the first step, and for their end."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.lists import alerts, in_order
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import length, several
from bot.review.arithmetic.responding import BUCKETS, MEASURES, Measure, Taken, Timed, by, per_bucket, take
from bot.review.facts import Group

TITLE = N_("Response times")
SOURCE = "rota.md 6.3"

OTHER_SIDE = Definition(
    "acked_by_other_side", N_("Taken by the other side"),
    N_("Alerts whose first acknowledgement came from the side that was not on duty; they count in the times above."), "count",
    source=SOURCE,
)
PAGED = Definition(
    "paged_share", N_("Alerts that called somebody"), N_("Alerts for which at least one person was called / all."), "share",
    source=SOURCE, better="less",
)
ESCALATION = Definition(
    "escalation_rate", N_("Escalated"),
    N_("Alerts that came to the second level or higher, by time or by hand / alerts that called somebody."), "share",
    source=SOURCE, better="less",
)
BY_HAND = Definition(
    "escalated_by_hand", N_("Escalated by hand"),
    N_("Alerts that came to the second level because a person called it, without waiting for the timer."), "count", source=SOURCE,
)

FEW = N_("only {n}: see the list")
NO_ALERT, NOBODY_CALLED, QUIET = N_("no alert came"), N_("nobody was called"), N_("called nobody")
SAID = N_("{title}: median {median}, 90th percentile {p90} ({n}).")
SAID_OF_FEW = N_("{title}: {mean} on average ({n}: see the list).")
OPEN = N_("{count} still open; the oldest for {age}.")
UNANSWERED = N_("{count} came to a second level, because nobody answered in time.")
ESCALATED = N_("{count} came to a second level: {timeout} because nobody answered in time, {manual} by hand.")
ALERT, ALERTS = N_("alert"), N_("alerts")
CHART = N_("{acked} alerts were taken, {quick} of them in under 5 min; {resolved} were resolved, {brief} in under 15 min")
ALT = N_("Bars: how many alerts were taken, and how many were resolved, within each length of time. "
         "{acked} were taken, {quick} of them in under 5 min; {resolved} were resolved, {brief} in under 15 min.")
TAKEN, RESOLVED = N_("taken"), N_("resolved")
NONE, UNRESOLVED = N_("None."), N_("No alert was resolved.")
SLOWEST, SLOWEST_TEN = 10, N_("The ten that took longest to resolve")

TOOK, OPEN_FOR = Column("took", N_("Took"), "seconds"), Column("age", N_("Open for"), "seconds")
REASON, LEVEL, HOW = Column("reason", N_("Why it is left out")), Column("level", N_("Level"), "count"), Column("how", N_("How"))
HOW_SAID = {"timeout": N_("nobody answered in time"), "manual": N_("by hand")}
BY = (
    Column("measure", N_("Time")), Column("trait", N_("By")), Column("value", N_("Value")),
    Column("count", N_("Alerts"), "count"), Column("mean", N_("Mean"), "seconds"), Column("median", N_("Median"), "seconds"),
    Column("p90", N_("90th percentile"), "seconds"),
)
TRAITS = ((N_("side on duty"), lambda group: group.side), (N_("severity"), lambda group: group.severity))

Found = Sequence[Taken]


@chapter("responses", TITLE, 6)
def responses(facts: Facts, figures: Figures) -> Section:
    found = [take(each, facts.groups) for each in MEASURES]
    acked, _, resolved = found
    called = [each for each in facts.groups if each.called_at or each.level]
    escalated = [each for each in called if each.level > 1]
    by_hand = [each for each in escalated if each.escalated == "manual"]
    other = [each for each in facts.groups if _by_other_side(each)]
    return Section(
        "responses", TITLE, tuple(_said(facts, found, escalated)),
        (
            *(figure for each in found for figure in _times(each)),
            OTHER_SIDE.of(len(other), len(acked.timed), behind="acked-by-other-side"),
            _share(PAGED, called, facts.groups, "called", NO_ALERT),
            _share(ESCALATION, escalated, called, "escalated", NOBODY_CALLED, len(facts.groups) - len(called)),
            BY_HAND.of(len(by_hand), len(escalated), behind="escalated-by-hand"),
        ),
        (
            _counted("slowest", SLOWEST_TEN, resolved.measure, resolved.timed[:SLOWEST], UNRESOLVED),
            _by(facts, found),
            *(table for each in found for table in _lists(facts, each)),
            alerts("acked-by-other-side", N_("Taken by the side that was not on duty"), other, NONE),
            alerts("called", N_("Called somebody"), called, N_("Nobody was called.")),
            _escalated(escalated),
            alerts("escalated-by-hand", N_("Came to a second level by hand"), in_order(by_hand), NONE),
        ),
        _charts(acked.timed, resolved.timed),
    )


def _times(taken: Taken) -> Iterator[Figure]:
    """Mean, median, 90th percentile; of fewer than five no percentile."""
    measure, found, out = taken.measure, taken.spread, taken.left_out
    why = FEW.format(n=found.n) if found.n else measure.none
    for definition, value in zip(measure.definitions, (found.mean, found.median, found.p90), strict=True):
        yield definition.of(value, found.n, out, behind=measure.counted[0], why=why if value is None else None)


def _share(
    definition: Definition, part: Sequence[Group], whole: Sequence[Group], behind: str, none: str, quiet: int = 0
) -> Figure:
    left_out = {QUIET: quiet} if quiet else {}
    return definition.of(share(len(part), len(whole)), len(whole), left_out, behind=behind, why=None if whole else none)


def _by_other_side(group: Group) -> bool:
    return None not in (group.acked_side, group.side) and group.acked_side != group.side


def _said(facts: Facts, found: Found, escalated: list[Group]) -> Iterator[str]:
    yield from (_sentence(each) for each in found if each.timed)
    still = [each.opened_at for each in facts.groups if each.ending == "open"]
    if still:
        age = length((facts.month.as_of - min(still)).total_seconds())
        yield OPEN.format(count=several(len(still), ALERT, ALERTS), age=age)
    if escalated:
        how = [each.escalated for each in escalated]
        count = several(len(escalated), ALERT, ALERTS)
        words = ESCALATED if "manual" in how else UNANSWERED
        yield words.format(count=count, timeout=how.count("timeout"), manual=how.count("manual"))


def _sentence(taken: Taken) -> str:
    title, found, count = taken.measure.title, taken.spread, several(len(taken.timed), ALERT, ALERTS)
    if found.median is None or found.p90 is None:
        return SAID_OF_FEW.format(title=title, mean=length(found.mean or 0), n=count)
    return SAID.format(title=title, median=length(found.median), p90=length(found.p90), n=count)


def _lists(facts: Facts, taken: Taken) -> Iterator[Table]:
    """Whom a time counts, and whom it leaves out, with the reason."""
    yield _counted(*taken.measure.counted, taken.measure, taken.timed)
    why = {REASON: taken.measure.reason, OPEN_FOR: lambda group: _open_for(facts, group)}
    yield alerts(*taken.measure.others, taken.out, NONE, why)


def _counted(name: str, title: str, measure: Measure, counted: list[Timed], empty: str = NONE) -> Table:
    return alerts(name, title, (each.group for each in counted), empty, {TOOK: measure.of})


def _open_for(facts: Facts, group: Group) -> float | None:
    return (facts.month.as_of - group.opened_at).total_seconds() if group.ending == "open" else None


def _escalated(groups: list[Group]) -> Table:
    how = {LEVEL: lambda group: group.level, HOW: lambda group: HOW_SAID.get(group.escalated or "")}
    return alerts("escalated", N_("Came to a second level"), in_order(groups), NONE, how)


def _by(facts: Facts, found: Found) -> Table:
    sides: dict[str | None, str] = {key: each.name for key, each in facts.config.organisations.items()}
    rows = (
        (taken.measure.title, trait, sides.get(value) or value, each.n, each.mean, each.median, each.p90)
        for taken in found for trait, of in TRAITS for value, each in by(taken.timed, of)
    )
    return listing("responses-by", N_("Times by side on duty and by severity"), BY, rows, N_("Nothing was timed."))


def _charts(acked: list[Timed], resolved: list[Timed]) -> tuple[Chart, ...]:
    if not acked and not resolved:
        return ()
    taken, ended = per_bucket(acked), per_bucket(resolved)
    counts = zip(BUCKETS, taken, ended, strict=True)
    points = tuple(
        (label, series, float(count)) for label, *both in counts for series, count in zip((TAKEN, RESOLVED), both, strict=True)
    )
    said = {"acked": len(acked), "quick": sum(taken[:2]), "resolved": len(resolved), "brief": sum(ended[:3])}
    return (Chart("responses", CHART.format(**said), ALT.format(**said), "bars", N_("length of time"), N_("alerts"), points),)
