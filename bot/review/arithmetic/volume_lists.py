"""Lists behind volume: by trait, all traits at once, of earlier months, what was counted apart, what was open and what ended."""

from collections.abc import Iterator

from bot.review import N_, Column, Table
from bot.review.arithmetic.earlier import BEFORE, earlier_days
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.lists import alerts, in_order
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.volume import Cells, flow, lines, open_at_end, traits
from bot.review.facts import Facts

NO_ALERT, NONE = N_("No alert came."), N_("None.")
COUNT, A_DAY = Column("count", N_("Alerts"), "count"), Column("a_day", N_("A day"), "count")
BY = (
    Column("trait", N_("By")), Column("value", N_("Value")), COUNT, Column("share", N_("Share"), "share"), A_DAY,
    Column("before", N_("A day, month before"), "count"), Column("change", N_("Change a day"), "count"),
)
MONTHS = (Column("month", N_("Month")), COUNT, Column("hours", N_("Real hours"), "count"), A_DAY)
FLOW = (Column("opened", N_("Opened")), Column("ended", N_("Ended")), COUNT)
WHY = Column("why", N_("Counted apart as"))
DRILL, MAINTENANCE = N_("drill or test"), N_("agreed maintenance")


def volume_lists(facts: Facts, counted: Cells) -> tuple[Table, ...]:
    return _by(facts, counted), _cells(facts, counted), _months(facts), _apart(facts), _flow(facts), _open(facts)


def _by(facts: Facts, counted: Cells) -> Table:
    whole = len(facts.groups)
    rows = (
        (
            each.trait, each.value, each.count, share(each.count, whole), _short(each.a_day), _short(each.before_a_day),
            None if each.a_day is None or each.before_a_day is None else _short(each.a_day - each.before_a_day),
        )
        for each in lines(facts, counted)
    )
    return listing("volume-by", N_("Alerts by what they were, and when"), BY, rows, NO_ALERT)


def _cells(facts: Facts, counted: Cells) -> Table:
    ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))
    columns = (*(Column(f"trait{place}", each.title) for place, each in enumerate(traits(facts), 1)), COUNT)
    rows: Iterator[tuple[Given, ...]] = ((*values, count) for values, count in ranked)
    return listing("volume", N_("Alerts, by all of it at once"), columns, rows, NO_ALERT)


def _months(facts: Facts) -> Table:
    days = {facts.month.previous(steps): earlier_days(facts, steps) for steps in BEFORE}
    rows = [
        (name, count, round(days[name] * 24), _short(count / days[name]))
        for name, count in sorted(facts.volumes.items()) if name in days
    ]
    return listing("volume-months", N_("Alerts of the three months before"), MONTHS, rows, N_("No earlier month."))


def _apart(facts: Facts) -> Table:
    drills = {each.id for each in facts.drills}
    both = in_order([*facts.drills, *facts.maintained])
    why = {WHY: lambda group: DRILL if group.id in drills else MAINTENANCE}
    return alerts("apart", N_("Drills, tests and agreed maintenance: counted apart"), both, NONE, why)


def _flow(facts: Facts) -> Table:
    rows = ((opened, ended, count) for (opened, ended), count in sorted(flow(facts).items()))
    return listing("flow", N_("Alerts by when they opened and ended"), FLOW, rows, NO_ALERT)


def _open(facts: Facts) -> Table:
    return alerts("open-at-end", N_("Open when the month ended"), open_at_end(facts), NONE)


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
