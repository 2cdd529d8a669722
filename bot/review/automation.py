"""Automation: how many alerts came, how each ended, and what runbooks did."""

from collections.abc import Iterator, Mapping

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.earlier import days_of, three_months
from bot.review.arithmetic.endings import ENDINGS, by_ending, per_day
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.lists import ENDED, alerts
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import percents, several
from bot.review.arithmetic.running import DEMOTED, PROMOTED, Tally, changes_of_trust, tallies
from bot.review.arithmetic.volume import NOW, Cells, cells, flow, kept, open_at_end
from bot.review.arithmetic.volume_lists import volume_lists
from bot.review.facts.alerts import Ending

TITLE = N_("Volume and automation")
SOURCE = "rota.md 6.3"

VOLUME = Definition(
    "volume", N_("Alerts"),
    N_("Alerts that opened in the month; signals of one fault count once, and one that comes back within 30 min of its end is "
       "still the same. Drills and agreed maintenance are counted apart."), "count", source=SOURCE, better="less",
)
A_DAY = Definition(
    "volume_per_day", N_("Alerts a day"),
    N_("Alerts of the month / its days of 24 real hours: October has one hour more, March one less."), "count", source=SOURCE,
    better="less",
)
A_DAY_BEFORE = Definition(
    "volume_per_day_3m", N_("Alerts a day in the three months before"),
    N_("Alerts of the three months before / their days of 24 real hours; months before the first alert are left out. In the "
       "older two, what came back within 30 min and what came in agreed maintenance is counted too."), "count", source=SOURCE,
)
CLOSED = Definition(
    "closed_in_month", N_("Ended in the month"), N_("Alerts that ended in the month, whenever they had opened."), "count",
    source=SOURCE,
)
STOCK = Definition(
    "open_at_month_end", N_("Open at the end of the month"),
    N_("Alerts that had opened in the month or before, and had not ended when it was over."), "count", source=SOURCE,
    better="less",
)
PART = N_("Alerts that opened in that duty, or in those hours; an alert belongs to the side and the hour of its opening.")
SHARES: Mapping[Ending, Definition] = {
    "healed": Definition(
        "healed_share", N_("Healed alone"),
        N_("Alerts whose source reported a recovery before a person acted, and without a run that is proven to have fixed them "
           "/ all. This is not automation."), "share", source=SOURCE,
    ),
    "fixed": Definition(
        "auto_closed_share", N_("Fixed by Vigie"),
        N_("Alerts that an automatic run fixed, without a person, and that stayed well through their quiet time and, if their "
           "runbook has proofs, were proven well / all. Only this is automation."), "share",
        source=SOURCE, better="more",
    ),
    "person": Definition(
        "person_closed_share", N_("Ended by people"),
        N_("Alerts that a person acted on before they ended (took, ran, approved or wrote something), or closed / all."), "share",
        source=SOURCE, better="less",
    ),
    "open": Definition(
        "still_open_share", N_("Still open"), N_("Alerts of the month that had not ended when the review was made / all."),
        "share", source=SOURCE, better="less",
    ),
}
RUNS = Definition(
    "runs", N_("Runs of runbooks"), N_("Runs that were begun in the month to mend something."), "count", source=SOURCE,
)
RUNS_OK = Definition(
    "runs_ok_share", N_("Runs that ended well"),
    N_("Runs that ended well, of which no step was taken back and whose fault did not come back / runs that ended."), "share",
    source=SOURCE, better="more",
)
RELAPSED = Definition("runs_relapsed", N_("Runs whose fault came back"), N_("In probation, or later."), "count", source=SOURCE,
                      better="less")
UNDONE = Definition("runs_rolled_back", N_("Runs that were taken back"), N_("Runs of which steps were taken back."), "count",
                    source=SOURCE, better="less")
TRUST = Definition(
    "runbooks_promoted", N_("Runbooks promoted"), N_("Promotions signed by both sides in the month."), "count", source=SOURCE,
)
FELL = Definition(
    "runbooks_demoted", N_("Runbooks demoted"), N_("Runbooks that lost a rung in the month, after a failure or by a person."),
    "count", source=SOURCE, better="less",
)

LISTS: Mapping[Ending, str] = {
    "healed": N_("Healed alone"), "fixed": N_("Fixed by Vigie"), "person": N_("Ended by people"), "open": N_("Still open"),
}
NO_ALERT, NO_RUN, NONE_BEFORE = N_("no alert came"), N_("no run ended"), N_("no earlier month")
SAID = N_("{count}: {endings}.")
ENDING_SAID = N_("{share} {ending}")
RAN = N_("{runs}: {ok} ended well, {relapsed} relapsed, {undone} taken back.")
ALERT, ALERTS, RUN, OF_RUNS = N_("alert"), N_("alerts"), N_("run of a runbook"), N_("runs of runbooks")
DRILLS, MAINTENANCE, UNDER_WAY = N_("drills and tests"), N_("agreed maintenance"), N_("under way")
CHART = N_("{count}: {endings}")
ALT = N_("Stacked bars, one for each day of the month, by how the alerts of that day ended: {count}, of which {endings}.")
NONE = N_("None.")

RUNBOOKS = (
    Column("runbook", N_("Runbook")), Column("runs", N_("Runs"), "count"), Column("automatic", N_("By itself"), "count"),
    Column("ok", N_("Ended well"), "count"), Column("proven", N_("Proven to have fixed"), "count"),
    Column("relapsed", N_("Fault came back"), "count"), Column("undone", N_("Taken back"), "count"),
    Column("failed", N_("Failed"), "count"), Column("under_way", N_("Under way"), "count"),
    Column("trust", N_("Promoted, demoted")),
)
CHANGES = (
    Column("at", N_("When"), "instant"), Column("runbook", N_("Runbook")), Column("what", N_("What")), Column("rung", N_("To")),
    Column("by", N_("By"), "person"), Column("why", N_("Why")),
)


@chapter("automation", TITLE, 7)
def automation(facts: Facts, figures: Figures) -> Section:
    endings = by_ending(facts.groups)
    counts = {ending: len(groups) for ending, groups in endings.items()}
    found, counted = tallies(facts), cells(facts)
    lists = (alerts(f"ended-{ending}", LISTS[ending], groups, NONE) for ending, groups in endings.items())
    return Section(
        "automation", TITLE, tuple(_said(counts, found)), (*_volume(facts, counted), *_endings(counts), *_runs(facts, found)),
        (*volume_lists(facts, counted), *lists, _runbooks(found), _changes(facts)), _charts(facts, counts),
    )


def _volume(facts: Facts, counted: Cells) -> tuple[Figure, ...]:
    whole, days, before = len(facts.groups), days_of(facts.month), three_months(facts)
    ended = sum(count for (_, when), count in flow(facts).items() if when == NOW)
    apart = {DRILLS: len(facts.drills), MAINTENANCE: len(facts.maintained)}
    return (
        VOLUME.of(whole, whole, {reason: count for reason, count in apart.items() if count}, behind="volume"),
        A_DAY.of(whole / days if days else None, whole, behind="volume-by", why=None if days else N_("the month has not begun")),
        A_DAY_BEFORE.of(before, sum(facts.volumes.values()), behind="volume-months", why=NONE_BEFORE if before is None else None),
        CLOSED.of(ended, whole + len(facts.carried), behind="flow"),
        STOCK.of(len(open_at_end(facts)), whole + len(facts.carried), behind="open-at-end"),
        *(
            Definition(name, title, PART, "count", source=SOURCE).of(count, whole, behind="volume-by")
            for name, title, count in kept(facts, counted)
        ),
    )


def _endings(counts: Mapping[Ending, int]) -> Iterator[Figure]:
    """They add up to 100 %."""
    whole = sum(counts.values())
    for ending in ENDINGS:
        yield SHARES[ending].of(
            share(counts[ending], whole), whole, behind=f"ended-{ending}", why=None if whole else NO_ALERT,
        )


def _runs(facts: Facts, found: list[Tally]) -> tuple[Figure, ...]:
    runs, waiting = sum(each.runs for each in found), sum(each.under_way for each in found)
    ended = runs - waiting
    changes = [each.kind for each in changes_of_trust(facts)]
    return (
        RUNS.of(runs, runs, behind="runbooks"),
        RUNS_OK.of(
            share(sum(each.ok for each in found), ended), ended, {UNDER_WAY: waiting} if waiting else {}, behind="runbooks",
            why=None if ended else NO_RUN,
        ),
        RELAPSED.of(sum(each.relapsed for each in found), ended, behind="runbooks"),
        UNDONE.of(sum(each.undone for each in found), ended, behind="runbooks"),
        TRUST.of(changes.count(PROMOTED), len(changes), behind="trust"),
        FELL.of(changes.count(DEMOTED), len(changes), behind="trust"),
    )


def _said(counts: Mapping[Ending, int], found: list[Tally]) -> Iterator[str]:
    if whole := sum(counts.values()):
        yield SAID.format(count=several(whole, ALERT, ALERTS), endings=_in_words(counts))
    if runs := sum(each.runs for each in found):
        yield RAN.format(
            runs=several(runs, RUN, OF_RUNS), ok=sum(each.ok for each in found),
            relapsed=sum(each.relapsed for each in found), undone=sum(each.undone for each in found),
        )


def _in_words(counts: Mapping[Ending, int]) -> str:
    shares = percents([counts[each] for each in ENDINGS])
    return ", ".join(ENDING_SAID.format(share=share, ending=ENDED[each]) for each, share in zip(ENDINGS, shares, strict=True))


def _runbooks(found: list[Tally]) -> Table:
    rows = (
        (each.title, each.runs, each.automatic, each.ok, each.proven, each.relapsed, each.undone, each.failed, each.under_way,
         each.trust or None)
        for each in found
    )
    return listing("runbooks", N_("Runbooks: what they did"), RUNBOOKS, rows, N_("No runbook was run."))


def _changes(facts: Facts) -> Table:
    rows = ((each.at, each.runbook, each.kind, each.rung, each.by, each.why) for each in changes_of_trust(facts))
    return listing("trust", N_("Trust in runbooks: what was promoted, demoted, stopped"), CHANGES, rows, N_("Nothing changed."))


def _charts(facts: Facts, counts: Mapping[Ending, int]) -> tuple[Chart, ...]:
    if not facts.groups:
        return ()
    points = tuple((day, ENDED[ending], count) for day, ending, count in per_day(facts.month, facts.groups))
    said = {"count": several(len(facts.groups), ALERT, ALERTS), "endings": _in_words(counts)}
    return (Chart("alerts-per-day", CHART.format(**said), ALT.format(**said), "stacked", N_("day"), N_("alerts"), points),)

