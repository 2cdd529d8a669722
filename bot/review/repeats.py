"""Top repeats: what came again and again, the work that it made, and one proposed action for each."""

from collections import Counter
from collections.abc import Sequence

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.lists import alerts
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import percent, several
from bot.review.arithmetic.proposals import Proposal, propose, runs_by_group
from bot.review.arithmetic.repeats import OFTEN, TOP, Repeat, often, repeats

TITLE = N_("Top repeats")
SOURCE = "rota.md 6.3"
PATTERN = N_("A pattern is source, rule and labels of an alert, without digits and ids.")

REPEAT_RATE = Definition(
    "repeat_rate", N_("Repeats"), N_("1 - different patterns / alerts of the month. ") + PATTERN, "share", source=SOURCE,
    better="less",
)
TOP10 = Definition(
    "top10_share", N_("Alerts of the ten most frequent patterns"), N_("Alerts of the ten patterns that came most often / all."),
    "share", source=SOURCE,
)
REPEATED = Definition(
    "repeated_patterns", N_("Patterns that came three times or more"), N_("Patterns with at least 3 alerts in the month."),
    "count", source=SOURCE, better="less",
)
CHRONIC = Definition(
    "chronic_patterns", N_("Chronic patterns"),
    N_("Patterns with at least 3 alerts in the month that were there in the month before too."), "count", source=SOURCE,
    better="less",
)

REOPENED = Definition(
    "reopened", N_("Opened again"),
    N_("Alerts whose like had ended earlier in the month, more than 30 min before. Sooner, they are still the same."),
    "count", source=SOURCE, better="less",
)

NOTHING = N_("Nothing came three times.")
NO_ALERT = N_("no alert came")
SAID = N_("{repeated}; the ten most frequent patterns made {top} of all alerts. Most often: {title}, {times}.")
ONE, MANY = N_("pattern came three times or more"), N_("patterns came three times or more")
TIME, TIMES = N_("time"), N_("times")
YES, NO = N_("yes"), N_("no")
CHART = N_("{title} came most often: {most} of {whole} alerts")
ALT = N_("Bars: how many alerts each of the {count} most frequent patterns made; {title} made {most} of {whole}, the "
         "last {least}.")

COUNTED = (
    Column("pattern", N_("Pattern")), Column("title", N_("What")), Column("service", N_("Service")),
    Column("count", N_("Alerts"), "count"), Column("share", N_("Share of all"), "share"),
    Column("before", N_("Month before"), "count"), Column("chronic", N_("Chronic")), Column("since", N_("Known since")),
    Column("newest", N_("Newest"), "alert"),
)
PROPOSED = (
    Column("title", N_("What")), Column("count", N_("Alerts"), "count"), Column("action", N_("Proposed")),
    Column("reason", N_("Why")), Column("before", N_("Month before"), "count"), Column("chronic", N_("Chronic")),
    Column("since", N_("Known since")), Column("share", N_("Share of all"), "share"), Column("people", N_("Handled by")),
    Column("work", N_("Minutes of work"), "minutes"), Column("service", N_("Service")), Column("newest", N_("Newest"), "alert"),
)


@chapter("repeats", TITLE, 4)
def top_repeats(facts: Facts, figures: Figures) -> Section:
    found, whole = repeats(facts), len(facts.groups)
    top, many = often(found), [each for each in found if each.count >= OFTEN]
    again = [each for each in facts.groups if each.reopened]
    return Section(
        "repeats", TITLE, _said(found, many, whole), _figures(found, many, whole, len(again)),
        (
            _top(facts, top), _all(facts, found),
            alerts("reopened", N_("Came back later than 30 min after the end"), again, N_("None.")),
        ),
        _charts(top, whole),
    )


def _figures(found: Sequence[Repeat], many: Sequence[Repeat], whole: int, again: int) -> tuple[Figure, ...]:
    why = None if whole else NO_ALERT
    return (
        REPEAT_RATE.of(1 - len(found) / whole if whole else None, whole, behind="patterns", why=why),
        TOP10.of(share(sum(each.count for each in found[:TOP]), whole), whole, behind="patterns", why=why),
        REPEATED.of(len(many), len(found), behind="patterns"),
        CHRONIC.of(sum(each.chronic for each in many), len(many), behind="patterns"),
        REOPENED.of(again, whole, behind="reopened"),
    )


def _said(found: Sequence[Repeat], many: Sequence[Repeat], whole: int) -> tuple[str, ...]:
    if not many:
        return (NOTHING,)
    top = sum(each.count for each in found[:TOP]) / whole
    first = many[0]
    return (SAID.format(
        repeated=several(len(many), ONE, MANY), top=percent(top), title=first.newest.title,
        times=several(first.count, TIME, TIMES),
    ),)


def _all(facts: Facts, found: Sequence[Repeat]) -> Table:
    return listing("patterns", N_("All patterns"), COUNTED, (_counted(facts, each) for each in found), N_("Nothing came."))


def _counted(facts: Facts, repeat: Repeat) -> tuple[Given, ...]:
    newest, whole = repeat.newest, len(facts.groups)
    return (
        repeat.pattern, newest.title, newest.service, repeat.count, repeat.count / whole, repeat.before,
        YES if repeat.chronic else NO, f"{facts.month.local(repeat.known_since):%Y-%m}", newest.alert,
    )


def _top(facts: Facts, top: Sequence[Repeat]) -> Table:
    """At most ten, each with what to do about it."""
    runs = runs_by_group(facts.runs)
    return listing("repeats", TITLE, PROPOSED, (_proposed(facts, each, propose(each, runs)) for each in top), NOTHING)


def _proposed(facts: Facts, repeat: Repeat, proposal: Proposal) -> tuple[Given, ...]:
    """What to do stands first, the grounds follow."""
    _, title, service, count, share_of_all, before, chronic, since, newest = _counted(facts, repeat)
    sides = ", ".join(f"{side} {taken}×" for side, taken in _handled(facts, repeat).most_common())
    return (
        title, count, proposal.action, proposal.reason, before, chronic, since, share_of_all, sides or None,
        round(repeat.work_min, 1), service, newest,
    )


def _handled(facts: Facts, repeat: Repeat) -> Counter[str]:
    """Whose people took them, or ended them. Counts of what single people did are for nobody."""
    known, names = facts.config.people, facts.config.organisations
    found: Counter[str] = Counter()
    for each in repeat.groups:
        closer = known.get(each.closed_by or "") if each.ending == "person" else None
        side = each.acked_side or (closer.organisation if closer else None)
        if side:
            found[names[side].name if side in names else side] += 1
    return found


def _charts(top: Sequence[Repeat], whole: int) -> tuple[Chart, ...]:
    if not top:
        return ()
    points = tuple((f"{place}. {each.newest.title}", N_("alerts"), float(each.count)) for place, each in enumerate(top, 1))
    said = {
        "title": top[0].newest.title, "most": top[0].count, "whole": whole, "count": len(top), "least": top[-1].count,
    }
    return (Chart("repeats", CHART.format(**said), ALT.format(**said), "bars", N_("pattern"), N_("alerts"), points),)
