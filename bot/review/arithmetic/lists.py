"""Lists of alerts: the same columns wherever a figure is made of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from operator import attrgetter

from bot.review import N_, Column, Table
from bot.review.arithmetic.listing import MOST, Given, listing
from bot.review.facts import Group

ENDED = {
    "healed": N_("healed alone"), "fixed": N_("fixed by Vigie"), "person": N_("ended by people"), "open": N_("still open"),
}
COLUMNS = (
    Column("alert", N_("Alert"), "alert"), Column("opened", N_("Opened"), "instant"), Column("service", N_("Service")),
    Column("title", N_("What")), Column("severity", N_("Severity")), Column("side", N_("On duty"), "side"),
    Column("ended", N_("How it ended")), Column("by", N_("Taken by"), "person"),
)

More = Mapping[Column, Callable[[Group], Given]]


def alerts(name: str, title: str, groups: Iterable[Group], empty: str, more: More | None = None) -> Table:
    """In the order in which they opened, or in the order given when `more` says what they are ordered by."""
    extra = more or {}
    ordered = list(groups) if extra else in_order(groups)
    rows = ((*_row(each), *(value(each) for value in extra.values())) for each in ordered[:MOST])
    return replace(listing(name, title, (*COLUMNS, *extra), rows, empty), total=len(ordered))


def in_order(groups: Iterable[Group]) -> list[Group]:
    """By opening, then by number: two passes, for most are in order already and no pairs need to be made."""
    return sorted(sorted(groups, key=attrgetter("id")), key=attrgetter("opened_at"))


def _row(group: Group) -> tuple[Given, ...]:
    return (
        group.alert, group.opened_at, group.service, group.title, group.severity, group.side, ENDED[group.ending],
        group.acked_by or (group.closed_by if group.ending == "person" else None),
    )
