"""What Vigie did not recognise, what has no runbook, and where people did without the runbook that there was."""

from collections.abc import Sequence

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.endings import by_people
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.lists import alerts
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import several
from bot.review.arithmetic.proposals import is_good, runs_by_group
from bot.review.facts import Group, Run

TITLE = N_("Unrecognised and without a runbook")
SOURCE = "rota.md 6.3"
RECOGNISED, NOTHING_CAME = N_("Each was recognised."), N_("Nothing came.")

UNRECOGNISED = Definition(
    "unrecognised_share", N_("Unrecognised"),
    N_("Alerts that no rule, service or runbook matched when they opened / all. A mapping made later does not change the month."),
    "share", source=SOURCE, better="less",
)
RULES = Definition(
    "runbook_coverage_rules", N_("Alerts that have a runbook"), N_("Alerts whose rule has a runbook / all."), "share",
    source=SOURCE, better="more",
)
HANDLED = Definition(
    "runbook_coverage_handled", N_("Handled with a runbook"),
    N_("Alerts that a person handled and for which at least one runbook was run / all that a person handled. "
       "Runs that only look whether all is well do not count."), "share", source=SOURCE, better="more",
)
UNAIDED = Definition(
    "runbook_coverage_unaided", N_("Runs that were enough"),
    N_("Runs that ended well, of which no step was taken back, whose fault did not come back, and which were the only run for "
       "their alert / all runs that ended. Runs still under way are left out."), "share", source=SOURCE, better="more",
)

SAID = N_("{unknown} not recognised; {without} no runbook.")
ALL_KNOWN = N_("Each of the {count} alerts was recognised; {without} no runbook.")
ONE_WAS, MANY_WERE = N_("alert was"), N_("alerts were")
ONE_HAD, MANY_HAD = N_("has"), N_("have")
NO_ALERT, NOBODY, NO_RUN = N_("no alert came"), N_("nobody handled an alert"), N_("no run ended")
UNDER_WAY, UNHANDLED = N_("under way"), N_("handled by nobody")
ENDED = ("succeeded", "failed", "cancelled")

RUN_COLUMNS = (
    Column("run", N_("Run"), "run"), Column("runbook", N_("Runbook")), Column("service", N_("Service")),
    Column("begun", N_("Begun"), "instant"), Column("state", N_("Ended")), Column("enough", N_("Was enough")),
)
ENOUGH = {True: N_("yes"), False: N_("no"), None: None}


@chapter("unrecognised", TITLE, 5)
def unrecognised(facts: Facts, figures: Figures) -> Section:
    groups = facts.groups
    unknown, bare = [each for each in groups if not each.recognised], without_runbook(groups)
    handled, runs = by_people(groups), runs_by_group(facts.runs)
    unaided = [each for each in handled if each.id not in runs]
    words = SAID if unknown else ALL_KNOWN
    said = (words.format(
        unknown=several(len(unknown), ONE_WAS, MANY_WERE), without=several(len(bare), ONE_HAD, MANY_HAD), count=len(groups),
    ),) if groups else ()
    return Section(
        "unrecognised", TITLE, said,
        (
            _of_all(UNRECOGNISED, len(unknown), len(groups), "unrecognised"),
            _of_all(RULES, len(groups) - len(bare), len(groups), "without-runbook"),
            HANDLED.of(
                share(len(handled) - len(unaided), len(handled)), len(handled),
                {UNHANDLED: len(groups) - len(handled)} if len(handled) < len(groups) else {}, behind="handled-without-run",
                why=None if handled else NOBODY,
            ),
            _enough(facts),
        ),
        (
            alerts("unrecognised", N_("Not recognised when they opened"), unknown, RECOGNISED if groups else NOTHING_CAME),
            alerts("without-runbook", N_("Without a runbook"), bare, N_("Each has a runbook.")),
            alerts("handled-without-run", N_("Handled by people without a runbook"), unaided, N_("None.")),
            _runs(facts),
        ),
    )


def without_runbook(groups: Sequence[Group]) -> list[Group]:
    return [each for each in groups if each.runbook is None]


def _of_all(definition: Definition, part: int, whole: int, behind: str) -> Figure:
    return definition.of(share(part, whole), whole, behind=behind, why=None if whole else NO_ALERT)


def _mending(facts: Facts) -> list[Run]:
    return [each for each in facts.runs if each.purpose == "fix" and facts.month.has(each.begun_at)]


def _was_enough(facts: Facts) -> dict[int, bool]:
    """By run that ended: whether nothing else was needed."""
    by_group = runs_by_group(facts.runs)
    return {
        each.id: is_good(each) and len(by_group.get(each.group or 0, ())) <= 1
        for each in _mending(facts) if each.state in ENDED
    }


def _enough(facts: Facts) -> Figure:
    found = _was_enough(facts)
    waiting = len(_mending(facts)) - len(found)
    left_out = {UNDER_WAY: waiting} if waiting else {}
    return UNAIDED.of(share(sum(found.values()), len(found)), len(found), left_out, behind="runs", why=None if found else NO_RUN)


def _runs(facts: Facts) -> Table:
    found = _was_enough(facts)
    ordered = sorted(_mending(facts), key=lambda each: (found.get(each.id, False), each.begun_at, each.id))
    rows = (
        (each.id, each.title, each.service, each.begun_at, each.state, ENOUGH[found.get(each.id)])
        for each in ordered
    )
    return listing("runs", N_("Runs, those that were not enough first"), RUN_COLUMNS, rows, N_("No runbook was run."))
