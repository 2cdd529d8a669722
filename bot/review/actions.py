"""New actions: what is open, what is proposed, which alerts still wait for a verdict."""

from collections.abc import Iterator
from statistics import median

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.effects import age_days, late_days, new, overdue
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.lists import alerts
from bot.review.arithmetic.plain import percent, several
from bot.review.arithmetic.proposals import Proposal, propose, runs_by_group
from bot.review.arithmetic.repeats import Repeat, often, repeats
from bot.review.arithmetic.verdicts import Coverage, coverage, covered
from bot.review.facts import Decision

TITLE = N_("Actions")
SOURCE = "rota.md 6.3"

OPEN = Definition(
    "decisions_open", N_("Open actions"), N_("Decisions that are neither done nor dropped, of any month."), "count",
    source=SOURCE, better="less",
)
OVERDUE = Definition(
    "decisions_overdue", N_("Overdue actions"), N_("Open decisions whose day has passed."), "count", source=SOURCE, better="less",
)
MADE = Definition("decisions_made", N_("Decided in this review"), N_("Decisions made about this month."), "count", source=SOURCE)
ENDED = Definition(
    "decisions_closed", N_("Actions closed"), N_("Decisions that were done or dropped since the month began."), "count",
    source=SOURCE,
)
AGE = Definition(
    "decisions_age_median_days", N_("Age of open actions, median"), N_("Since they were decided."), "days", source=SOURCE,
    better="less",
)
PROPOSALS = Definition(
    "proposals", N_("Proposed actions"),
    N_("The patterns that came at least 3 times, ten at most, about which nothing open is decided."), "count", source=SOURCE,
)

NONE_OPEN = N_("no action is open")
NOTHING = N_("Nothing came three times without a decision about it.")
SAID = N_("{open}, {overdue} overdue; {proposed} proposed.")
ACTION, ACTIONS = N_("action is open"), N_("actions are open")
NEXT = N_("Take up what is proposed with `{command} decide`; say what became of an action with `{command} action`.")
PLEASE = N_("{missing} a verdict: {share} of those that people handled have one, {wanted} are asked for. "
            "The button \"Give verdicts\" below the review's message asks for them.")
WAITS, WAIT = N_("alert waits for"), N_("alerts wait for")

OPEN_COLUMNS = (
    Column("id", N_("Number"), "count"), Column("text", N_("Action")), Column("kind", N_("Kind")),
    Column("owner", N_("Owner"), "person"), Column("side", N_("Side"), "side"), Column("due", N_("Due"), "day"),
    Column("late", N_("Days late"), "count"), Column("age", N_("Days old"), "count"), Column("month", N_("Decided")),
    Column("saving", N_("Expected saving")), Column("alert", N_("Newest alert"), "alert"),
)
ALL_COLUMNS = (
    *OPEN_COLUMNS, Column("state", N_("State")), Column("ended", N_("Ended"), "instant"), Column("said", N_("What was done")),
)
PROPOSED = (
    Column("action", N_("Proposed")), Column("title", N_("About")), Column("service", N_("Service")),
    Column("count", N_("Alerts"), "count"), Column("reason", N_("Why")), Column("alert", N_("Newest alert"), "alert"),
    Column("pattern", N_("Pattern")),
)


@chapter("actions", TITLE, 15)
def actions(facts: Facts, figures: Figures) -> Section:
    proposed, verdicts = proposals(facts), coverage(facts)
    return Section(
        "actions", TITLE, tuple(_said(facts, proposed, verdicts)), tuple(_figures(facts, proposed)),
        (
            _waiting(facts), _proposed(proposed),
            alerts("verdicts-missing", N_("Handled by people, without a verdict"), verdicts.missing, N_("Each has a verdict.")),
            _all(facts),
        ),
    )


def proposals(facts: Facts) -> list[tuple[Repeat, Proposal]]:
    """What to decide, where nothing is decided yet."""
    decided, runs = {each.pattern for each in _open(facts)}, runs_by_group(facts.runs)
    return [(each, propose(each, runs)) for each in often(repeats(facts)) if each.pattern not in decided]


def _open(facts: Facts) -> list[Decision]:
    """The most late first, then by their day; those without one last."""
    found = [each for each in facts.decisions if each.state == "open"]
    return sorted(found, key=lambda each: (each.due is None, each.due.isoformat() if each.due else "", each.id))


def _closed(facts: Facts) -> list[Decision]:
    since = facts.month.start
    return [each for each in facts.decisions if each.state != "open" and (each.ended_at is None or each.ended_at >= since)]


def _figures(facts: Facts, proposed: list[tuple[Repeat, Proposal]]) -> Iterator[Figure]:
    waiting, whole = _open(facts), len(facts.decisions)
    ages = [age_days(each, facts.month) for each in waiting]
    yield OPEN.of(len(waiting), whole, behind="actions-open")
    yield OVERDUE.of(len(overdue(facts)), len(waiting), behind="actions-open")
    yield MADE.of(len(new(facts)), whole, behind="actions")
    yield ENDED.of(len(_closed(facts)), whole, behind="actions")
    yield AGE.of(round(median(ages), 1) if ages else None, len(ages), behind="actions-open", why=None if ages else NONE_OPEN)
    yield PROPOSALS.of(len(proposed), len(proposed), behind="proposals")
    yield covered(facts, behind="verdicts-missing")


def _said(facts: Facts, proposed: list[tuple[Repeat, Proposal]], verdicts: Coverage) -> Iterator[str]:
    yield SAID.format(open=several(len(_open(facts)), ACTION, ACTIONS), overdue=len(overdue(facts)), proposed=len(proposed))
    if proposed or _open(facts):
        yield NEXT.format(command=facts.config.command)
    if verdicts.missing and verdicts.share is not None:
        yield PLEASE.format(
            missing=several(len(verdicts.missing), WAITS, WAIT), share=percent(verdicts.share),
            wanted=percent(facts.config.month.verdict_coverage),
        )


def _row(facts: Facts, each: Decision) -> tuple[Given, ...]:
    return (
        each.id, each.text, each.kind, each.owner, each.side, each.due.isoformat() if each.due else None,
        late_days(each, facts.month) or None, int(age_days(each, facts.month)), each.month, each.saving,
        max(each.alerts, default=None),
    )


def _waiting(facts: Facts) -> Table:
    rows = (_row(facts, each) for each in _open(facts))
    return listing("actions-open", N_("Open actions"), OPEN_COLUMNS, rows, N_("None is open."))


def _all(facts: Facts) -> Table:
    ordered = sorted(facts.decisions, key=lambda each: each.id)
    rows = ((*_row(facts, each), each.state, each.ended_at, each.said) for each in ordered)
    return listing("actions", N_("All actions of the month, open and closed"), ALL_COLUMNS, rows, N_("Nothing was decided."))


def _proposed(found: list[tuple[Repeat, Proposal]]) -> Table:
    rows = (
        (said.action, each.newest.title, each.newest.service, each.count, said.reason, each.newest.alert, each.pattern)
        for each, said in found
    )
    return listing("proposals", N_("Proposed actions"), PROPOSED, rows, NOTHING)
