"""Noise: what came without being needed, came twice, flapped, came as a storm, or was silenced."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.bursts import MANY, storms
from bot.review.arithmetic.endings import took_s
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.lists import alerts, in_order
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import percent, several
from bot.review.arithmetic.proposals import FLAPPING, is_brief
from bot.review.arithmetic.repeats import repeats
from bot.review.arithmetic.verdicts import NOT_NEEDED, coverage, is_grey
from bot.review.facts import Group, Silence

TITLE = N_("Noise")
SOURCE = "rota.md 6.3"
OLD = timedelta(days=30)

RATIO = Definition(
    "noise_ratio", N_("Notifications put together"),
    N_("1 - alerts / notifications that came for them. It tells what grouping spared people."), "share", source=SOURCE,
)
NOT_ACTIONABLE = Definition(
    "not_actionable_share", N_("Not needed, by verdict"),
    N_("Alerts whose newest verdict is noise or duplicate / alerts with a verdict. Grey while too few of the alerts that people "
       "handled have a verdict."), "share", source=SOURCE, better="less",
)
DUPLICATES = Definition(
    "duplicates", N_("Duplicates"), N_("Alerts whose newest verdict is duplicate."), "count", source=SOURCE, better="less",
)
FLAPPED = Definition(
    "flapping_share", N_("Flapping"), N_("Alerts that opened at least 3 times within 60 min, the first time included / all."),
    "share", source=SOURCE, better="less",
)
TRANSIENT = Definition(
    "transient_share", N_("Transient"), N_("Alerts that healed alone in less than 5 min / all."), "share", source=SOURCE,
    better="less",
)
STORMS = Definition(
    "storms", N_("Storms"),
    N_("Stretches in which at least 20 alerts opened within 5 min; stretches that have an alert in common are one storm."),
    "count", source=SOURCE, better="less",
)
SILENCED = Definition(
    "silenced", N_("Silenced"),
    N_("Alerts whose call a silence of their service held back; what was still there at its end called somebody then."), "count",
    source=SOURCE,
)
OLD_SILENCES = Definition(
    "silences_old", N_("Silences older than 30 days"), N_("Silences that still hold, and have for more than 30 days."), "count",
    source=SOURCE, better="less",
)

NO_SIGNAL, NO_ALERT, NO_VERDICT = N_("no notification came"), N_("no alert came"), N_("no alert has a verdict")
UNJUDGED = N_("without a verdict")
UNSURE = N_("only {share} of the alerts that people handled have a verdict; {wanted} are asked for")
SAID = N_("{signals} made {alerts}. {flapping} flapped, {brief} healed alone in under 5 min, {storms}.")
SIGNAL, SIGNALS, ALERT, ALERTS = N_("notification"), N_("notifications"), N_("alert"), N_("alerts")
STORM, OF_STORMS, NONE = N_("storm"), N_("storms"), N_("None.")
HOLDS, OVER = N_("still holds"), N_("over")

CYCLES, TOOK = Column("cycles", N_("Openings within an hour"), "count"), Column("took", N_("Took"), "seconds")
VERDICT, SIGNALS_OF = Column("verdict", N_("Verdict")), Column("signals", N_("Notifications"), "count")
STORM_COLUMNS = (
    Column("begun", N_("Begun"), "instant"), Column("lasted", N_("Lasted"), "seconds"), Column("count", N_("Alerts"), "count"),
    Column("services", N_("Services"), "count"), Column("first", N_("First alert"), "alert"), Column("what", N_("First was")),
)
SILENCE_COLUMNS = (
    Column("service", N_("Service")), Column("by", N_("By"), "person"), Column("reason", N_("Why")),
    Column("start", N_("From"), "instant"), Column("end", N_("To"), "instant"), Column("state", N_("Now")),
    Column("days", N_("Days"), "count"), Column("suppressed", N_("Alerts kept quiet"), "count"),
)
OWNER_COLUMNS = (
    Column("by", N_("By"), "person"), Column("silences", N_("Silences"), "count"),
    Column("suppressed", N_("Alerts kept quiet"), "count"), Column("old", N_("Older than 30 days"), "count"),
)
GROUPED = (
    Column("pattern", N_("Pattern")), Column("title", N_("What")), Column("count", N_("Alerts"), "count"), SIGNALS_OF,
)


@chapter("noise", TITLE, 8)
def noise(facts: Facts, figures: Figures) -> Section:
    groups = facts.groups
    flapping = [each for each in groups if each.cycles >= FLAPPING]
    brief = [each for each in groups if is_brief(each.ending, took_s(each))]
    bursts = storms(groups)
    return Section(
        "noise", TITLE, tuple(_said(groups, flapping, brief, bursts)), tuple(_figures(facts, flapping, brief, bursts)),
        (
            _grouped(facts), *_by_verdict(groups),
            alerts("flapping", N_("Flapping"), in_order(flapping), NONE, {CYCLES: lambda group: group.cycles}),
            alerts("transient", N_("Healed alone in under 5 min"), in_order(brief), NONE, {TOOK: took_s}),
            _storms(bursts), alerts("silenced", N_("Alerts whose call a silence held back"), _silenced(groups), NONE),
            _silences(facts), _owners(facts),
        ),
    )


def _figures(facts: Facts, flapping: list[Group], brief: list[Group], bursts: list[list[Group]]) -> Iterator[Figure]:
    groups, signals = facts.groups, sum(each.signals for each in facts.groups)
    ratio = 1 - len(groups) / signals if signals else None
    yield RATIO.of(ratio, signals, behind="grouped", why=None if signals else NO_SIGNAL)
    yield _not_needed(facts)
    duplicates = sum(each.verdict == "duplicate" for each in groups)
    yield DUPLICATES.of(duplicates, sum(each.verdict is not None for each in groups), behind="duplicates")
    for definition, part, behind in ((FLAPPED, flapping, "flapping"), (TRANSIENT, brief, "transient")):
        yield definition.of(share(len(part), len(groups)), len(groups), behind=behind, why=None if groups else NO_ALERT)
    yield STORMS.of(len(bursts), sum(map(len, bursts)), behind="storms")
    yield SILENCED.of(len(_silenced(groups)), len(groups), behind="silenced")
    yield OLD_SILENCES.of(sum(_is_old(each, facts) for each in facts.silences), len(facts.silences), behind="silences")


def _not_needed(facts: Facts) -> Figure:
    """Grey while the verdicts are those of few."""
    given, found = [each for each in facts.groups if each.verdict], coverage(facts)
    grey = is_grey(facts, found)
    why = None if given else NO_VERDICT
    if given and grey and found.share is not None:
        why = UNSURE.format(share=percent(found.share), wanted=percent(facts.config.month.verdict_coverage))
    value = share(sum(each.verdict in NOT_NEEDED for each in given), len(given))
    left_out = {UNJUDGED: len(facts.groups) - len(given)} if len(given) < len(facts.groups) else {}
    return NOT_ACTIONABLE.of(value, len(given), left_out, behind="not-needed", why=why, grey=grey)


def _said(groups: Sequence[Group], flapping: list[Group], brief: list[Group], bursts: list[list[Group]]) -> Iterator[str]:
    if groups:
        yield SAID.format(
            signals=several(sum(each.signals for each in groups), SIGNAL, SIGNALS), alerts=several(len(groups), ALERT, ALERTS),
            flapping=len(flapping), brief=len(brief), storms=several(len(bursts), STORM, OF_STORMS),
        )


def _silenced(groups: Sequence[Group]) -> list[Group]:
    return [each for each in groups if each.silenced]


def _grouped(facts: Facts) -> Table:
    """Which patterns were put together most."""
    found = [(each, sum(one.signals for one in each.groups)) for each in repeats(facts)]
    ordered = sorted(found, key=lambda each: (-each[1], each[0].pattern))
    rows = ((each.pattern, each.newest.title, each.count, signals) for each, signals in ordered)
    return listing("grouped", N_("Notifications and alerts, by pattern"), GROUPED, rows, N_("Nothing came."))


def _by_verdict(groups: Sequence[Group]) -> Iterator[Table]:
    for name, title, wanted in (
        ("not-needed", N_("Not needed, people said"), NOT_NEEDED), ("duplicates", N_("Duplicates"), frozenset({"duplicate"})),
    ):
        found = in_order(each for each in groups if each.verdict in wanted)
        yield alerts(name, title, found, NONE, {VERDICT: lambda group: group.verdict})


def _storms(bursts: list[list[Group]]) -> Table:
    rows = (
        (
            each[0].opened_at, (each[-1].opened_at - each[0].opened_at).total_seconds(), len(each),
            len({one.service for one in each}), each[0].alert, each[0].title,
        )
        for each in bursts
    )
    title = N_("Storms: {many} alerts or more within 5 min").format(many=MANY)
    return listing("storms", title, STORM_COLUMNS, rows, N_("There was no storm."))


def _is_old(silence: Silence, facts: Facts) -> bool:
    return _holds(silence, facts) and facts.month.as_of - silence.start > OLD


def _holds(silence: Silence, facts: Facts) -> bool:
    return silence.end is None or silence.end > facts.month.as_of


def _silences(facts: Facts) -> Table:
    """Those that hold longest first."""
    rows: Iterator[tuple[Given, ...]] = (
        (
            each.service, each.by, each.reason, each.start, each.end, HOLDS if _holds(each, facts) else OVER,
            int(((facts.month.as_of if _holds(each, facts) else each.end or each.start) - each.start).days), each.suppressed,
        )
        for each in sorted(facts.silences, key=lambda one: (not _holds(one, facts), one.start, one.id))
    )
    return listing("silences", N_("Silences"), SILENCE_COLUMNS, rows, N_("Nothing was silenced."))


def _owners(facts: Facts) -> Table:
    found: dict[str, list[Silence]] = defaultdict(list)
    for each in facts.silences:
        found[each.by].append(each)
    rows = (
        (by, len(held), sum(each.suppressed for each in held), sum(_is_old(each, facts) for each in held))
        for by, held in sorted(found.items(), key=lambda each: (-sum(one.suppressed for one in each[1]), each[0]))
    )
    return listing("silences-by-owner", N_("Silences by who made them"), OWNER_COLUMNS, rows, N_("Nothing was silenced."))
