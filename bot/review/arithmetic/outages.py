"""Lists behind the availability: incidents, stretches that were bad, services, agreed maintenance, requests."""

from collections.abc import Iterator, Sequence
from datetime import date

from bot.review import N_, Column, Facts, Table
from bot.review.arithmetic import availability as reckoning
from bot.review.arithmetic.availability import Basis, Requests, Uptime, Window
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.stretches import Stretch, clipped, minutes

BASES: dict[Basis, str] = {
    "declared": N_("declared incidents"), "suspected": N_("important alerts (suspected)"),
    "nothing known": N_("nothing happened"),
}
NO_METRICS = N_("no metrics of requests are configured (`month.availability.requests`)")
NO_SERVICE = N_("vigie.yaml names no service that counts.")
MAJOR: dict[bool | None, str] = {True: N_("yes"), False: N_("no"), None: N_("not classified")}
MOST_DAYS_NAMED = 6


def incidents(facts: Facts) -> Table:
    columns = (
        Column("incident", N_("Incident"), "count"), Column("title", N_("Title")), Column("service", N_("Service")),
        Column("kind", N_("Kind")), Column("began", N_("Began"), "instant"), Column("detected", N_("Detected"), "instant"),
        Column("ended", N_("Ended"), "instant"), Column("minutes", N_("Minutes in this month"), "minutes"),
        Column("major", N_("Major")), Column("cause", N_("Cause")), Column("declared_by", N_("Declared by"), "person"),
    )
    hurt = reckoning.declared(facts)
    rows = (
        (each.id, each.title, each.service, each.kind, each.began_at, each.detected_at, each.ended_at,
         reckoning.bad_minutes([window for window in hurt if window.incident == each.id], weighed=False),
         MAJOR[each.major], each.cause, each.declared_by)
        for each in sorted(reckoning.incidents_of(facts), key=lambda one: (one.began_at, one.id))
    )
    return listing("incidents", N_("Incidents that touch the month"), columns, rows, N_("No incident was declared."))


def bad(found: Sequence[Window]) -> Table:
    return _stretches("bad-minutes", N_("Stretches behind the availability"), found, N_("No minute is known to be bad."))


def suspected(facts: Facts) -> Table:
    found = [each for each in reckoning.suspected(facts) if reckoning.counts(facts, each.service)]
    return _stretches("suspected-minutes", N_("While important alerts fired"), found, N_("No important alert fired."))


def _stretches(name: str, title: str, found: Sequence[Window], empty: str) -> Table:
    columns = (
        Column("service", N_("Service")), Column("start", N_("From"), "instant"), Column("end", N_("To"), "instant"),
        Column("minutes", N_("Minutes"), "minutes"), Column("share", N_("Requests that failed"), "share"),
        Column("incident", N_("Incident"), "count"), Column("alert", N_("Alert"), "alert"),
    )
    rows = (
        (each.service, each.start, each.end, minutes([each.stretch]), each.share if each.incident else None, each.incident,
         each.alert) for each in found
    )
    return listing(name, title, columns, rows, empty)


def by_service(facts: Facts) -> Table:
    columns = (
        Column("service", N_("Service")), Column("basis", N_("Reckoned from")),
        Column("availability", N_("Availability"), "share"),
        Column("availability_with_maintenance", N_("Maintenance counted"), "share"), Column("bad", N_("Bad minutes"), "minutes"),
        Column("maintenance", N_("Agreed maintenance"), "minutes"), Column("left", N_("Budget left"), "minutes"),
    )
    rows = (
        (each.name, BASES[each.basis], each.availability, each.availability_with_maintenance, round(each.bad_min, 4),
         each.maintenance_min, round(each.left_min, 4)) for each in services(facts)
    )
    return listing("availability", N_("Availability of each service"), columns, rows, NO_SERVICE)


def services(facts: Facts) -> Iterator[Uptime]:
    """Each service that counts or was hurt; where nothing was declared about it, by its important alerts."""
    hurt, maybe = reckoning.declared(facts), reckoning.suspected(facts)
    named = {name for name in facts.config.services if reckoning.counts(facts, name)}
    for name in sorted(named | {each.service for each in (*hurt, *maybe)}):
        windows = [each for each in hurt if each.service == name]
        guessed = [] if windows else [each for each in maybe if each.service == name]
        basis: Basis = "declared" if windows else "suspected" if guessed else "nothing known"
        yield reckoning.of_service(facts, name, windows or guessed, basis)


def maintenance(facts: Facts) -> Table:
    columns = (
        Column("services", N_("Services")), Column("start", N_("From"), "instant"), Column("end", N_("To"), "instant"),
        Column("minutes", N_("Minutes in this month"), "minutes"), Column("reason", N_("Reason")),
        Column("agreed_by", N_("Agreed by")),
    )
    month = facts.month
    rows = (
        (", ".join(each.services), each.start, each.end,
         minutes(clipped([Stretch(each.start, each.end)], month.start, month.until)), each.reason,
         ", ".join(facts.config.people[who].name if who in facts.config.people else who for who in each.agreed_by))
        for each in facts.maintenance
    )
    return listing("maintenance", N_("Agreed maintenance"), columns, rows, N_("No maintenance was agreed."))


def requests(asked: Sequence[Requests]) -> Table:
    columns = (
        Column("service", N_("Service")), Column("total", N_("Requests"), "count"), Column("failed", N_("Failed"), "count"),
        Column("share", N_("Went well"), "share"), Column("days", N_("Days with figures"), "count"),
        Column("missing", N_("Days without figures")),
    )
    rows = ((each.service, each.total, each.failed, each.share, each.days, days_named(each.missing)) for each in asked)
    return listing("requests", N_("Requests, by metrics"), columns, rows, NO_METRICS)


def days_named(missing: Sequence[date]) -> str:
    named = [f"{day:%d %b}" for day in missing[:MOST_DAYS_NAMED]]
    return ", ".join(named) + (f" +{len(missing) - MOST_DAYS_NAMED}" if len(missing) > MOST_DAYS_NAMED else "")
