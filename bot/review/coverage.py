"""Coverage and handoffs: whether somebody could be reached in every minute, and how duty was passed on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.review import N_, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.numbers import share, spread
from bot.review.arithmetic.stretches import Stretch, clipped, minus, minutes
from bot.review.facts import Handoff

TITLE = N_("Coverage and handoffs")
ROLES, GAPS, HANDOFFS = "coverage", "coverage-gaps", "handoffs"
PRIMARY, TO_PARTNER = "primary", "to_partner"
IN_TIME = {TO_PARTNER: timedelta(minutes=10)}       # the evening's sooner: then nobody of the other side can be asked
ELSE_IN_TIME = timedelta(minutes=15)

WHOLE = N_("{coverage}: somebody could be reached in every minute.")
HOLES = N_("{coverage}: nobody could be reached in {minutes:.0f} of {all:.0f} minutes.")
NO_COVERAGE = N_("no coverage is configured: say under `coverages` in vigie.yaml what must always be covered")
NOTHING_YET = N_("nothing of the month is over yet")
NO_HANDOFF = N_("no handoff was due")
FEW = N_("only {n}: see the list")
NOBODY, NOT_REACHABLE = N_("nobody had it"), N_("whoever had it could not be reached")
ON_TIME, LATE, MISSED, NOT_DUE = N_("on time"), N_("late"), N_("missed"), N_("not due yet")
SOURCE, CDE = "rota.md 6.3", "rota.md 6.3; PCI DSS 12.10.3"

SHARE = Definition(
    "coverage_share", N_("Minutes with somebody reachable"), N_(
        "Minutes in which at least one role had a person who could be reached / minutes of the month, over all coverages. "
        "The aim is 100 %, and each gap is listed."
    ), "share", source=CDE, better="more")
PRIMARY_SHARE = Definition(
    "coverage_share_primary", N_("Minutes with a primary"), N_(
        "Minutes in which the primary could be reached / minutes of the month, over all coverages."
    ), "share", source=CDE, better="more")
SECONDARY_SHARE = Definition(
    "coverage_share_secondary", N_("Minutes with a secondary"), N_(
        "Minutes in which the secondary could be reached / minutes for which the plan wants one."
    ), "share", source=CDE, better="more")
GAP_MINUTES = Definition(
    "coverage_gap_min", N_("Minutes without anybody"), N_("Minutes in which no role had a person who could be reached."),
    "minutes", source=CDE, better="less")
IN_TIME_SHARE = Definition(
    "handoffs_on_time_share", N_("Handoffs on time"), N_(
        "Handoffs accepted within 10 minutes after duty passed to the partner, 15 minutes after it passed otherwise / handoffs "
        "that were due."
    ), "share", source="rota.md 3.3, 6.3", better="more")
ACCEPTED = Definition(
    "handoffs_accepted_share", N_("Handoffs accepted"), N_("Handoffs accepted, however late / handoffs that were due."), "share",
    source=SOURCE, better="more")
SYNTHESIS = Definition(
    "handoffs_synthesis_share", N_("Handoffs accepted by synthesis"), N_(
        "Handoffs whose incoming person named the top risk when accepting / handoffs that were due."
    ), "share", source=SOURCE, better="more")
DELAY = Definition(
    "handoff_delay_median_s", N_("Delay of acceptance, median"), N_(
        "Median time from the passing of duty to the acceptance; accepted before it counts as no delay; never accepted: left out."
    ), "seconds", source=SOURCE, better="less")
MISSED_COUNT = Definition(
    "handoffs_missed", N_("Handoffs missed"), N_("Handoffs that were due and that nobody accepted."), "count", source=SOURCE,
    better="less")
CARRIED = Definition(
    "handoff_actions_carried", N_("Actions carried on"), N_(
        "Actions that the last handoff of each coverage carried on, because they were still open."
    ), "count", source=SOURCE, better="less")
OLDEST = Definition(
    "handoff_oldest_action_days", N_("Oldest action carried on"), N_("Age of the oldest action that these handoffs carried on."),
    "days", source=SOURCE, better="less")


@dataclass(frozen=True, slots=True)
class Cover:
    """One role of one coverage; with role "": any of them. What is wanted falls into three parts."""

    coverage: str
    role: str
    wanted: Sequence[Stretch]
    reached: Sequence[Stretch]
    unreachable: Sequence[Stretch]
    nobody: Sequence[Stretch]


@chapter("coverage", TITLE, 10)
def coverage(facts: Facts, figures: Figures) -> Section:
    covers = [each for name in facts.config.coverages for each in _covers(facts, name)]
    due = [each for each in facts.handoffs if _became(facts, each) != NOT_DUE]
    left_out = {NOT_DUE: len(facts.handoffs) - len(due)} if len(due) < len(facts.handoffs) else {}
    return Section(
        "coverage", TITLE, tuple(_said(covers)), (*_coverage(covers), *_handoffs(facts, due, left_out)),
        (_roles(covers), _gaps(covers), _passings(facts)),
    )


def _said(covers: Sequence[Cover]) -> Iterator[str]:
    for each in covers:
        missing, whole = minutes([*each.unreachable, *each.nobody]), minutes(each.wanted)
        if each.role == "" and whole:
            yield (HOLES if missing else WHOLE).format(coverage=each.coverage, minutes=missing, all=whole)


# --- who could be reached -----------------------------------------------------------------------------------------------------


def _covers(facts: Facts, name: str) -> Iterator[Cover]:
    """Any role first, then each. The primary is wanted in every minute, another only where the plan has it."""
    month = facts.month
    whole = clipped([Stretch(month.start, month.end)], month.start, month.until)
    mine = [each for each in facts.slots if each.coverage == name]
    for role in ("", PRIMARY, *sorted({each.role for each in mine} - {PRIMARY})):
        slots = [each for each in mine if role in ("", each.role)]
        wanted = whole if role in ("", PRIMARY) else clipped(
            (Stretch(each.start, each.end) for each in slots), month.start, month.until)
        had = [Stretch(each.start, each.end) for each in slots if each.person]
        reached = clipped((Stretch(each.start, each.end) for each in slots if each.person and each.reachable),
                          month.start, month.until)
        held = clipped(had, month.start, month.until)
        yield Cover(name, role, wanted, reached, minus(held, reached), minus(wanted, held))


def _coverage(covers: Sequence[Cover]) -> Iterator[Figure]:
    for definition, role in ((SHARE, ""), (PRIMARY_SHARE, PRIMARY), (SECONDARY_SHARE, "secondary")):
        mine = [each for each in covers if each.role == role]
        wanted = sum(minutes(each.wanted) for each in mine)
        value = share(sum(minutes(each.reached) for each in mine), wanted)
        if role != "secondary" or mine:
            yield definition.of(value, round(wanted), behind=ROLES, why=_why(covers, value))
    any_role = [each for each in covers if each.role == ""]
    missing = sum(minutes([*each.unreachable, *each.nobody]) for each in any_role)
    wanted = sum(minutes(each.wanted) for each in any_role)
    yield GAP_MINUTES.of(missing if wanted else None, round(wanted), behind=GAPS, why=_why(covers, wanted or None))


def _why(covers: Sequence[Cover], value: float | None) -> str | None:
    return None if value is not None else NOTHING_YET if covers else NO_COVERAGE


def _roles(covers: Sequence[Cover]) -> Table:
    return listing(ROLES, N_("Minutes by role"), (
        Column("coverage", N_("Coverage")), Column("role", N_("Role")), Column("wanted", N_("Wanted"), "minutes"),
        Column("reached", N_("Reachable"), "minutes"), Column("unreachable", N_("Not reachable"), "minutes"),
        Column("nobody", N_("Nobody"), "minutes"), Column("share", N_("Share"), "share"),
    ), (
        (each.coverage, each.role or N_("any"), minutes(each.wanted), minutes(each.reached), minutes(each.unreachable),
         minutes(each.nobody), share(minutes(each.reached), minutes(each.wanted))) for each in covers
    ), NO_COVERAGE)


def _gaps(covers: Sequence[Cover]) -> Table:
    rows = sorted(
        (piece.start, each.coverage, each.role or N_("any"), piece.end, minutes([piece]), why)
        for each in covers for pieces, why in ((each.nobody, NOBODY), (each.unreachable, NOT_REACHABLE)) for piece in pieces
    )
    return listing(GAPS, N_("Gaps"), (
        Column("start", N_("From"), "instant"), Column("coverage", N_("Coverage")), Column("role", N_("Role")),
        Column("end", N_("To"), "instant"), Column("minutes", N_("Minutes"), "minutes"), Column("why", N_("Why")),
    ), rows, N_("There was none."))


# --- how duty passed ----------------------------------------------------------------------------------------------------------


def _handoffs(facts: Facts, due: Sequence[Handoff], left_out: dict[str, int]) -> Iterator[Figure]:
    n, why = len(due), None if due else NO_HANDOFF
    became = [_became(facts, each) for each in due]
    taken = [each for each in due if each.accepted_at is not None]
    for definition, count in (
        (IN_TIME_SHARE, became.count(ON_TIME)), (ACCEPTED, len(taken)), (SYNTHESIS, sum(each.by_synthesis for each in taken)),
    ):
        yield definition.of(share(count, n), n, left_out, behind=HANDOFFS, why=why)
    delays = spread([_delay_s(each) or 0 for each in taken])
    few = None if delays.median is not None else FEW.format(n=delays.n) if taken else NO_HANDOFF
    yield DELAY.of(delays.median, delays.n, {MISSED: n - len(taken)} if n > len(taken) else {}, behind=HANDOFFS, why=few)
    yield MISSED_COUNT.of(became.count(MISSED), n, left_out, behind=HANDOFFS)
    last = list({each.coverage: each for each in sorted(due, key=lambda each: each.boundary)}.values())
    yield CARRIED.of(sum(each.carried for each in last) if last else None, len(last), behind=HANDOFFS, why=why)
    oldest = [each.oldest_carried_days for each in last if each.oldest_carried_days is not None]
    if oldest:
        yield OLDEST.of(max(oldest), len(oldest), behind=HANDOFFS)


def _became(facts: Facts, each: Handoff) -> str:
    last = each.boundary + IN_TIME.get(each.direction, ELSE_IN_TIME)
    if each.accepted_at is not None:
        return ON_TIME if each.accepted_at <= last else LATE
    return MISSED if last <= facts.month.as_of else NOT_DUE


def _delay_s(each: Handoff) -> float | None:
    return None if each.accepted_at is None else max(0.0, (each.accepted_at - each.boundary).total_seconds())


def _passings(facts: Facts) -> Table:
    rows: Iterator[Sequence[Given]] = (
        (each.boundary, each.coverage, each.from_team, each.to_team, _became(facts, each), each.accepted_at, _delay_s(each),
         each.by_synthesis, each.carried, each.oldest_carried_days)
        for each in sorted(facts.handoffs, key=lambda each: (each.boundary, each.coverage))
    )
    return listing(HANDOFFS, N_("Handoffs"), (
        Column("boundary", N_("Duty passed"), "instant"), Column("coverage", N_("Coverage")), Column("from", N_("From")),
        Column("to", N_("To")), Column("became", N_("Accepted")), Column("accepted", N_("At"), "instant"),
        Column("delay", N_("Delay"), "seconds"), Column("synthesis", N_("Top risk named")),
        Column("carried", N_("Actions carried"), "count"), Column("oldest", N_("Oldest, days"), "count"),
    ), rows, N_("No handoff was in this month."))
