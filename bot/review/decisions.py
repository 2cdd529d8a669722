"""What was decided in earlier months, and whether it worked: alerts a day before and after, sleep given back."""

from collections.abc import Iterator

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.effects import Effect, checked, effect, late_days
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.numbers import share
from bot.review.facts import Decision

TITLE = N_("What was decided before")
SOURCE = "rota.md 6.3"

KEPT = Definition(
    "decisions_kept_share", N_("Decisions done"),
    N_("Decisions of earlier reviews that are done / all of them that are done or open. Dropped ones are left out."), "share",
    source=SOURCE, better="more",
)
WORKED = Definition(
    "decisions_worked_share", N_("Decisions that worked"),
    N_("Decisions after which fewer alerts of their kind came, a day, than before / those whose effect can be measured: at least "
       "7 days since they were done."), "share", source=SOURCE, better="more",
)
FEWER = Definition(
    "alerts_spared", N_("Alerts spared a month"),
    N_("For each decision that was done: alerts of its kind a day before - a day after, times the days of the month; added up. "
       "An alert that two decisions are about counts for both."), "count", source=SOURCE, better="more",
)
SLEEP = Definition(
    "sleep_given_back_min", N_("Sleep given back, a month"),
    N_("Minutes of work at night or in the blackout about alerts of such decisions: a day before - a day after, times the days "
       "of the month."), "minutes", source=SOURCE, better="more",
)

SAID = N_("\"{text}\": {effect}.")
SLEPT = N_("\"{text}\": {effect}, {sleep:.0f} min of night work fewer a month.")
SAVED = N_("Expected of it: {saving}.")
FIRST = N_("Nothing was decided in an earlier review.")
NONE_DONE, NONE_MEASURED = N_("none is done or open"), N_("the effect of none can be measured yet")
WAITING, DROPPED, UNMEASURED = N_("open"), N_("dropped"), N_("not measurable, or too early")

COLUMNS = (
    Column("id", N_("Number"), "count"), Column("text", N_("Decision")), Column("kind", N_("Kind")),
    Column("month", N_("Decided")), Column("owner", N_("Owner"), "person"), Column("side", N_("Side"), "side"),
    Column("due", N_("Due"), "day"), Column("state", N_("State")),
    Column("late", N_("Days late"), "count"), Column("effect", N_("Effect")),
    Column("before", N_("Alerts a day before"), "count"), Column("after", N_("After"), "count"),
    Column("change", N_("Change a month"), "count"), Column("sleep", N_("Sleep given back a month"), "minutes"),
    Column("saving", N_("Expected saving")), Column("said", N_("What was done")), Column("alert", N_("Newest alert"), "alert"),
)


@chapter("decisions", TITLE, 2)
def decisions(facts: Facts, figures: Figures) -> Section:
    found = [(each, effect(each, facts.month)) for each in checked(facts)]
    said = tuple(sentence(*each) for each in found) or (FIRST,)
    return Section("decisions", TITLE, said, tuple(_figures(found)), (_list(facts, found),))


def sentence(decision: Decision, found: Effect) -> str:
    """What came of it, in words."""
    slept = found.sleep_back_min is not None and found.sleep_back_min >= 1
    said = (SLEPT if slept else SAID).format(text=decision.text, effect=found.said, sleep=found.sleep_back_min or 0)
    return f"{said} {SAVED.format(saving=decision.saving)}" if decision.saving else said


def _figures(found: list[tuple[Decision, Effect]]) -> Iterator[Figure]:
    states = [decision.state for decision, _ in found]
    done, dropped, standing = states.count("done"), states.count("dropped"), len(states) - states.count("dropped")
    measured = [each for _, each in found if each.change_a_month is not None]
    out = {WAITING: states.count("open"), DROPPED: dropped, UNMEASURED: done - len(measured)}
    left_out = {reason: count for reason, count in out.items() if count}
    why = None if measured else NONE_MEASURED
    yield KEPT.of(
        share(done, standing), standing, {DROPPED: dropped} if dropped else {}, behind="decisions",
        why=None if standing else NONE_DONE,
    )
    yield WORKED.of(
        share(sum(each.worked for each in measured), len(measured)), len(measured), left_out, behind="decisions", why=why,
    )
    for definition, value in (
        (FEWER, -sum(each.change_a_month or 0 for each in measured)), (SLEEP, sum(each.sleep_back_min or 0 for each in measured)),
    ):
        yield definition.of(round(value, 1) if measured else None, len(measured), left_out, behind="decisions", why=why)


def _list(facts: Facts, found: list[tuple[Decision, Effect]]) -> Table:
    rows: Iterator[tuple[Given, ...]] = (
        (
            each.id, each.text, each.kind, each.month, each.owner, each.side, each.due.isoformat() if each.due else None,
            each.state, late_days(each, facts.month) or None, came.said, _short(came.before_a_day), _short(came.after_a_day),
            _short(came.change_a_month), _short(came.sleep_back_min), each.saving, each.said, max(each.alerts, default=None),
        )
        for each, came in found
    )
    return listing("decisions", TITLE, COLUMNS, rows, FIRST)


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
