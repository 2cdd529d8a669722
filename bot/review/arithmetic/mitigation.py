"""How long services were not well: from the first bad minute of an incident to its last."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Column, Definition, Facts, Figure, Table
from bot.review.arithmetic.availability import KINDS, incidents_of
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.numbers import spread
from bot.review.facts import Incident

TEXT = N_("From the first minute in which a service was not well to the last, of outages and of what was degraded that began in "
          "the month; one without windows counts from its beginning to its end. What lasts, and incidents of other kinds, are "
          "left out. Of fewer than five no median is printed: the list is.")
MEAN, MEDIAN = (
    Definition(f"mitigation_{name}_s", f"{N_('Time to restore service')}, {called}", TEXT, "seconds", source="rota.md 6.3",
               better="less")
    for name, called in (("mean", N_("mean")), ("median", N_("median")))
)
LASTS, OTHER, NONE = N_("still lasts"), N_("of another kind"), N_("no outage of the month is over")
FEW = N_("only {n}: see the list")

Restored = tuple[Incident, float]       # and seconds


def restored(facts: Facts) -> list[Restored]:
    """Those that are over, the longest first."""
    found = [(each, took) for each in _begun(facts) if each.kind in KINDS and (took := _took_s(each)) is not None]
    return sorted(found, key=lambda each: (-each[1], each[0].id))


def figures(facts: Facts, found: Sequence[Restored]) -> Iterator[Figure]:
    begun, known = _begun(facts), spread([took for _, took in found])
    other = sum(each.kind not in KINDS for each in begun)
    out = {LASTS: len(begun) - other - len(found), OTHER: other}
    left_out = {reason: count for reason, count in out.items() if count}
    why = FEW.format(n=known.n) if known.n else NONE
    for definition, value in ((MEAN, known.mean), (MEDIAN, known.median)):
        yield definition.of(value, known.n, left_out, behind="restored", why=why if value is None else None)


def table(found: Sequence[Restored]) -> Table:
    columns = (
        Column("incident", N_("Incident"), "count"), Column("title", N_("Title")), Column("service", N_("Service")),
        Column("began", N_("Began"), "instant"), Column("took", N_("Took"), "seconds"),
    )
    rows = ((each.id, each.title, each.service, each.began_at, took) for each, took in found)
    title, empty = N_("Time to restore service, the longest first"), N_("No outage of the month is over.")
    return listing("restored", title, columns, rows, empty)


def _begun(facts: Facts) -> list[Incident]:
    return [each for each in incidents_of(facts) if facts.month.has(each.began_at)]


def _took_s(incident: Incident) -> float | None:
    ends = [each.end for each in incident.impacts] or [incident.ended_at]
    known = [each for each in ends if each is not None]
    begins = [each.start for each in incident.impacts] or [incident.began_at]
    return (max(known) - min(begins)).total_seconds() if len(known) == len(ends) else None
