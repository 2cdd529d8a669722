"""DORA and PCI DSS: how incidents were classified and reported, what recurs, what the log and the watchers show; the partner."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic import reporting
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.plain import length, percent
from bot.review.arithmetic.recurrence import Recurrence
from bot.review.arithmetic.reporting import MET, MINUTE_S, OPEN, Limit, bank_told, downtime_min, is_micro
from bot.review.facts import Incident

TITLE = N_("DORA and PCI DSS")
BANK_API, OWN_SERVICE = "bank_api_down", "vigie"

CLASSIFIED = Definition(
    "incidents_classified_share", N_("Incidents that were classified"),
    N_("Incidents that began in the month (drills left out) and that somebody has classified, of all of them."),
    "share", source="(EU) 2024/1772", better="more")
IN_TIME = Definition(
    "reports_in_time_share", N_("Reports to the authority in time"),
    N_("Initial, intermediate and final reports whose limit lies in the month, sent at or before it, of all whose limit has "
       "passed; one whose limit has not passed and that is not sent is left out."),
    "share", source="(EU) 2025/301 art. 5", better="more")
LATE = Definition(
    "reports_late", N_("Reports that were late, or are"), N_("Of those: sent after the limit, or not sent though it has passed."),
    "count", source="(EU) 2025/301 art. 5", better="less")
RECURRING = Definition(
    "recurring_incidents", N_("What recurs in six months"),
    N_("Root causes (or, without one, patterns of alerts) that two or more incidents of the six months up to the month's end "
       "share. Together they may be major though none is; not assessed for a microenterprise."),
    "count", source="(EU) 2024/1772 art. 8(2)", better="less")
BANKS = Definition(
    "bank_api_outages", N_("Outages of banks' interfaces"), N_("Incidents of that kind that began in the month."),
    "count", source="(EU) 2018/389 art. 33", better="less")
BANKS_TOLD = Definition(
    "bank_api_reported_share", N_("Of them, reported"), N_("Those with a report that was sent, of all of them."),
    "share", source="(EU) 2018/389 art. 33(3)", better="more")
PAN = Definition(
    "pan_hits", N_("Card numbers masked"),
    N_("Card numbers in what came in during the month, masked before it was kept; each should be mended at its source."),
    "count", source="PCI DSS 3.4.1, 12.10.7", better="less")
SEALED = Definition(
    "log_days_sealed_share", N_("Days on which the log was sealed"),
    N_("Days of the month, as far as it has come, with a seal of the journal; one is made each hour, even when nothing happens."),
    "share", source="PCI DSS 10.3.4", better="more")
REVIEWED = Definition(
    "log_reviews_signed_share", N_("Daily log reviews signed"),
    N_("Days with a signature under the review of the day's exceptions."), "share", source="PCI DSS 10.4.1", better="more")
FAILURES = Definition(
    "control_failures", N_("Failures of controls"),
    N_("Vigie's own alerts of the month (a source silent, nobody reachable ...) and alerts that its auditor found forgotten."),
    "count", source="PCI DSS 10.7.2", better="less")

NONE_BEGAN, NO_LIMIT, NO_BANK = N_("no incident began"), N_("no limit lay in the month"), N_("no such outage")
NOT_ASSESSED = N_("not assessed: vigie.yaml says it is a microenterprise")
NO_REGULATOR = N_("vigie.yaml does not say who reports to whom (month.regulator): nothing is reminded to a named person.")
NOT_SIGNED = N_("nobody signs a daily review in Vigie: the log is sealed by machine, its exceptions are in `vigie export pci`")
NOT_LOOKED_AT = N_("the log was not looked at whole")
NOT_DUE = N_("limit not passed")
BROKEN = N_("The audit log is not whole: entry {entry}, {why}.")
WHOLE = N_("The audit log of the month is whole: {entries} entries in {seals} seals.")
PARTNER = N_("The figures of the list \"the partner as a third party\" are the monitoring evidence of DORA art. 30(3)(e).")
PARTNER_FIGURES = (
    "coverage_share", "coverage_share_primary", "handoffs_on_time_share", "handoffs_accepted_share", "sla_ack_breach_share",
    "sla_resolve_breach_share", "mtta_median_s", "mttr_median_s", "escalation_rate",
)


@chapter("annex", TITLE, 14)
def annex(facts: Facts, figures: Figures) -> Section:
    began = [each for each in facts.incidents if not each.drill and facts.month.has(each.began_at)]
    limits, recurs = list(reporting.limits(facts)), reporting.recurrences(facts)
    failures = list(_failures(facts))
    tables = (
        _log(facts, began), _reports(limits), _recurring(recurs), _banks(began), _masked(facts), _trail(facts),
        _failed(failures), _partner(figures),
    )
    every = (*_dora(facts, began, limits, recurs), *_pci(facts, len(failures)))
    return Section("annex", TITLE, tuple(_said(facts)), every, tables)


def _said(facts: Facts) -> Iterator[str]:
    trail = facts.trail
    if trail.ok is not None:
        words = WHOLE if trail.ok else BROKEN
        yield words.format(entries=trail.entries, seals=trail.seals, entry=trail.first_bad, why=trail.why)
    if facts.config.month.regulator is None:
        yield NO_REGULATOR
    if any(each.kind == "partner" for each in facts.config.organisations.values()):
        yield PARTNER


# --- DORA -------------------------------------------------------------------------------------------------------------------


def _dora(
    facts: Facts, began: Sequence[Incident], limits: Sequence[Limit], recurs: Sequence[Recurrence]
) -> Iterator[Figure]:
    judged = sum(each.major is not None for each in began)
    yield CLASSIFIED.of(share(judged, len(began)), len(began), behind="incident-log", why=None if began else NONE_BEGAN)
    over = [state for _, _, state in limits if state != OPEN]
    left = {NOT_DUE: len(limits) - len(over)} if len(limits) > len(over) else {}
    why = None if over else NO_LIMIT
    yield IN_TIME.of(share(over.count(MET), len(over)), len(over), left, behind="reports", why=why)
    yield LATE.of(len(over) - over.count(MET), len(over), left, behind="reports")
    if is_micro(facts):
        yield RECURRING.of(None, 0, behind="recurring", why=NOT_ASSESSED)
    else:
        yield RECURRING.of(len(recurs), sum(each.count for each in recurs), behind="recurring")
    banks = [each for each in began if each.kind == BANK_API]
    told = sum(bank_told(each) is not None for each in banks)
    yield BANKS.of(len(banks), len(banks), behind="bank-interfaces")
    yield BANKS_TOLD.of(share(told, len(banks)), len(banks), behind="bank-interfaces", why=None if banks else NO_BANK)


def _log(facts: Facts, began: Sequence[Incident]) -> Table:
    """All that touched the month, not only the major ones."""
    named = {each.id for each in began}
    touched = [each for each in facts.incidents if each.id in named or (
        each.began_at < facts.month.end and (each.ended_at is None or each.ended_at > facts.month.start))]
    columns = (
        Column("incident", N_("Incident"), "count"), Column("service", N_("Service")), Column("kind", N_("Kind")),
        Column("title", N_("What")), Column("began", N_("Began"), "instant"), Column("aware", N_("Known since"), "instant"),
        Column("ended", N_("Ended"), "instant"), Column("down", N_("Minutes of impact"), "minutes"), Column("cause", N_("Cause")),
        Column("party", N_("Third party")), Column("drill", N_("Drill")), Column("major", N_("Major")),
        Column("why", N_("Reasons")),
    )
    rows = (
        (each.id, each.service, each.kind, each.title, each.began_at, each.aware_at, each.ended_at,
         round(downtime_min(each, facts.month.as_of), 1), each.cause, each.third_party, each.drill, each.major,
         "; ".join(each.reasons))
        for each in touched
    )
    return listing("incident-log", N_("Incidents, all of them"), columns, rows, N_("No incident was declared."))


def _reports(limits: Sequence[Limit]) -> Table:
    columns = (
        Column("incident", N_("Incident"), "count"), Column("report", N_("Report")), Column("due", N_("Limit"), "instant"),
        Column("sent", N_("Sent"), "instant"), Column("reference", N_("Reference")), Column("state", N_("State")),
    )
    rows = ((incident.id, each.kind, each.due_at, each.sent_at, each.reference, state) for incident, each, state in limits)
    return listing("reports", N_("Reports whose limit lay in the month"), columns, rows, N_("No report was due."))


def _recurring(recurs: Sequence[Recurrence]) -> Table:
    columns = (
        Column("what", N_("In common")), Column("by", N_("By")), Column("count", N_("Incidents"), "count"),
        Column("incidents", N_("Which")), Column("services", N_("Services")), Column("first", N_("First"), "instant"),
        Column("last", N_("Last"), "instant"), Column("duration", N_("Minutes, together"), "minutes"),
        Column("down", N_("Minutes of impact, together"), "minutes"), Column("major", N_("One is major")),
    )
    rows = (
        (each.what, each.by, each.count, ", ".join(map(str, each.incidents)), ", ".join(each.services), each.first_at,
         each.last_at, round(each.duration_min), round(each.downtime_min), each.any_major)
        for each in recurs
    )
    empty = N_("No cause and no pattern of alerts came twice in six months.")
    return listing("recurring", N_("What recurs: incidents of six months with something in common"), columns, rows, empty)


def _banks(began: Iterable[Incident]) -> Table:
    columns = (
        Column("incident", N_("Incident"), "count"), Column("title", N_("What")), Column("began", N_("Began"), "instant"),
        Column("ended", N_("Ended"), "instant"), Column("told", N_("Reported"), "instant"),
    )
    rows = ((each.id, each.title, each.began_at, each.ended_at, bank_told(each)) for each in began if each.kind == BANK_API)
    return listing("bank-interfaces", N_("Outages of banks' interfaces"), columns, rows, N_("None was declared."))


# --- PCI DSS ----------------------------------------------------------------------------------------------------------------


def _pci(facts: Facts, failures: int) -> Iterator[Figure]:
    trail, masked = facts.trail, sum(facts.trail.masked.values())
    days = sum(facts.month.local(facts.month.start).date() <= day <= facts.month.local(facts.month.until).date()
               for day in facts.month.days())
    yield PAN.of(masked, masked, behind="masked")
    looked = trail.ok is not None
    yield SEALED.of(share(min(trail.days_sealed, days), days) if looked else None, days, behind="log",
                    why=None if looked else NOT_LOOKED_AT)
    yield REVIEWED.of(None, days, behind="log", why=NOT_SIGNED)
    yield FAILURES.of(failures, failures, behind="control-failures")


def _masked(facts: Facts) -> Table:
    columns = (Column("endpoint", N_("Endpoint")), Column("count", N_("Card numbers masked"), "count"))
    rows = sorted(facts.trail.masked.items(), key=lambda each: (-each[1], each[0]))
    return listing("masked", N_("Card numbers masked, by endpoint"), columns, rows, N_("None came in."))


def _trail(facts: Facts) -> Table:
    trail = facts.trail
    rows: tuple[tuple[Any, ...], ...] = (
        (N_("Entries"), trail.entries), (N_("Refused"), trail.refused), (N_("Seals"), trail.seals),
        (N_("Days with a seal"), trail.days_sealed), (N_("Newest seal"), trail.head or ""),
        (N_("First entry that is not as it was written"), trail.first_bad or ""),
    )
    return listing("log", N_("The audit log"), (Column("what", N_("What")), Column("value", N_("Value"))), rows)


def _failures(facts: Facts) -> Iterator[tuple[Any, ...]]:
    for group in facts.groups:
        if group.service == OWN_SERVICE:
            ended = group.resolved_at
            minutes = (ended - group.opened_at).total_seconds() / MINUTE_S if ended else None
            yield group.opened_at, group.title, minutes, group.alert
    for told in facts.told:
        if told.kind == "call missing":
            number = told.object.rpartition(":")[2]
            yield told.at, told.kind, None, int(number) if number.isdecimal() else None


def _failed(failures: Iterable[tuple[Any, ...]]) -> Table:
    columns = (
        Column("at", N_("At"), "instant"), Column("what", N_("What")), Column("minutes", N_("Minutes"), "minutes"),
        Column("alert", N_("Alert"), "alert"),
    )
    rows = sorted(failures, key=lambda each: str(each[0]))
    return listing("control-failures", N_("Failures of controls"), columns, rows, N_("None was found."))


def _plain(figure: Figure) -> str | None:
    """A share or a length of time, as people say it."""
    if figure.value is None:
        return None
    return length(figure.value) if figure.definition.unit == "seconds" else percent(figure.value, 1)


def _partner(figures: Figures) -> Table:
    """What other sections say of both sides, as evidence on a provider of ICT services."""
    columns = (
        Column("figure", N_("Figure")), Column("value", N_("Value")), Column("n", N_("Of"), "count"), Column("why", N_("Remark")),
    )
    rows = (
        (each.definition.title, _plain(each), each.n, each.why or "")
        for name in PARTNER_FIGURES if (each := figures.get(name)) is not None
    )
    return listing("third-party", N_("The partner as a third party: figures of this review"), columns, rows,
                   N_("This review has no figure of both sides' duty."))
