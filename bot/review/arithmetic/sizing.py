"""How many machines a pool needs, from a month of five minutes: the formula, what speaks against it, the steps, the saving."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from bot.config.months import Pool
from bot.labour.arithmetic.days import DAY, midnight
from bot.review import N_, Facts
from bot.review.arithmetic.availability import declared, maintained, over
from bot.review.arithmetic.measured import newest, why_unread
from bot.review.facts import Measure
from runbooks.aids.sizing import (
    BIN_S,
    Aims,
    Measured,
    Need,
    Series,
    breaches,
    highest_rate,
    need,
    percentile,
    refusals,
    step_down,
    with_a_zone_to_spare,
)

Verdict = Literal["cut", "keep", "refused", "unknown"]
Confidence = Literal["high", "medium", "low"]

POOL, CPU = "thread pool", "CPU"        # measures of `need`
SERIES = ("in_service", "cpu", "memory", "requests", "latency_s", "errors", "credits", "surplus", "busy_threads")

NOT_MEASURED = N_("nothing was measured of it in this month{why}")
LAST_TRY = N_(" (the last try: {why})")
NO_AWS = N_("vigie.yaml has no section `aws`: nothing is collected")
NO_SIZE = N_("how much memory one machine has is not known: say `memory_gib`")
STATEFUL = N_("its machines keep state: they are sized by what they hold or by their backlog, not by this")
STICKY = N_("its target group sends every client to the same machine: they keep state")
SPOT = N_("it runs on spot machines, which AWS may take back at any time")
MIXED = N_("it runs several types of machine: count and type are never changed together")
SEVERAL = N_("it stands behind {count} target groups: no single one tells its load")
COMMITTED = N_("its machines are paid for in advance: fewer of them save nothing until that ends")
PLANNED = N_("the scheduled action {name} wants {wanted} machines at {at}")
LIMIT = N_("the thread pool is the limit (it needs {pool} machines, all else {others}): fix it before you cut")

LIMIT_LATER = N_("the thread pool is the limit: fix it before you cut below {enough} (all else needs {others})")
NO_TRAFFIC = N_("no requests were looked at: nothing stands before it, or nobody has said what")
UNTESTED = N_("nobody has tested what one machine bears; it bore {rate:.1f} requests a second: a smaller pool is an experiment")
NO_THREADS = N_("how many requests one machine works on at once is not known (`threads`, `busy_threads`)")
PEAKS = N_("by the busiest machine of each five minutes, instead of all of them, {count} would be needed")
NO_END = N_("the end of the month is not among these days")
ONE_ZONE = N_("it stands in one zone, and nothing keeps it through the loss of that")
NO_POLICY = N_("no policy scales it: its minimum is {minimum}, and whoever set that decided its size")
NOT_BELOW = N_("its minimum is {minimum}: {policies} cannot take it below that")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was read of a pool, day after day; what is not a series is as of the last day."""

    measured: Measured
    peak: Series                            # CPU of the busiest machine
    desired: int
    minimum: int
    maximum: int
    kinds: tuple[str, ...]
    policies: tuple[str, ...]
    planned: Sequence[Mapping[str, Any]]
    sticky: bool
    mixed: bool
    targets: int
    first: date
    last: date
    bins: int                               # of five minutes from the first day to the last: a day of 25 hours has 300

    @property
    def average(self) -> float:
        """Machines in service over the whole time."""
        running = self.measured.in_service.values()
        return sum(running) / len(running) if running else float(self.desired)


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be done about a pool, and on what grounds; nothing is advised that `refusals` speak against."""

    name: str
    pool: Pool
    verdict: Verdict
    evidence: Evidence | None = None
    need: Need | None = None
    refusals: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()             # on the way down, from what runs now
    saved: float = 0.0                      # machines fewer, on average
    saving: float | None = None             # in the month, in the currency in which they are billed

    @property
    def confidence(self) -> Confidence:
        """High when nothing is left to doubt; each doubt is told."""
        return "high" if not self.doubts else "medium" if len(self.doubts) <= 2 else "low"

    @property
    def enough(self) -> int | None:
        """So many keep it through the loss of a zone, and never more than run now."""
        return min(self.need.recommended, self.evidence.desired) if self.need and self.evidence else None


def advice(facts: Facts) -> list[Advice]:
    """Of each pool of vigie.yaml, in its order."""
    return [advise(facts, name, pool) for name, pool in facts.config.month.costs.pools.items()]


def advise(facts: Facts, name: str, pool: Pool) -> Advice:
    found = evidence(facts, name)
    if found is None:
        return Advice(name, pool, "unknown", refusals=(_not_measured(facts, name),))
    aims = Aims(threads=pool.threads, rate_tested=pool.per_target, slow_s=pool.slow_ms / 1000)
    needed = need(found.measured, aims)
    why = (*refusals(_unexplained(facts, pool, found.measured, aims), aims), *_objections(pool, found, needed))
    verdict: Verdict = "refused" if why else "cut" if needed.recommended < found.desired else "keep"
    saved = max(0.0, found.average - needed.recommended) if verdict == "cut" else 0.0
    price = pool.price_per_hour
    return Advice(
        name, pool, verdict, found, needed, why, tuple(_doubts(facts, pool, found, needed, aims)), tuple(_noted(found)),
        tuple(_steps(found.desired, needed.recommended)) if verdict == "cut" else (), saved,
        saved * price.amount * facts.month.minutes / 60 if price and saved else None,
    )


def _not_measured(facts: Facts, name: str) -> str:
    if facts.config.aws is None:
        return NO_AWS
    why = why_unread(facts, "capacity", name)
    return NOT_MEASURED.format(why=LAST_TRY.format(why=why) if why else "")


def _steps(current: int, enough: int) -> Iterator[int]:
    while current > enough:
        current = step_down(current, enough)
        yield current


# --- evidence -----------------------------------------------------------------------------------------------------------------


def evidence(facts: Facts, name: str) -> Evidence | None:
    """From the first day that was read to the last day of the month that is over; days between without a reading are missing."""
    days = newest(facts, "capacity", name)
    if not days:
        return None
    last, finished, zone = days[-1].body, over(facts.month), ZoneInfo(facts.month.zone)
    until = max([*finished, days[-1].day])
    series = {each: _joined(days, each) for each in (*SERIES, "peak")}
    peak = series.pop("peak")
    return Evidence(
        Measured(days=(until - days[0].day).days + 1, zones=int(last["zones"]), **series), peak, int(last["desired"]),
        int(last["minimum"]), int(last["maximum"]), tuple(last["kinds"]), tuple(last["policies"]), tuple(last["planned"]),
        bool(last["sticky"]), bool(last["mixed"]), int(last["targets"]), days[0].day, until,
        round((midnight(until + DAY, zone) - midnight(days[0].day, zone)).total_seconds()) // BIN_S,
    )


def _joined(days: Iterable[Measure], name: str) -> dict[int, float]:
    found: dict[int, float] = {}
    for each in days:
        start = int(each.body["start"])
        for number, value in enumerate(each.body["series"].get(name, ())):
            if value is not None:
                found[start + number * BIN_S] = float(value)
    return found


def _unexplained(facts: Facts, pool: Pool, measured: Measured, aims: Aims) -> Measured:
    """Without what was slow or failed while an incident of that service, or agreed maintenance, explains it."""
    windows = [each.stretch for each in declared(facts) if each.service == pool.service] + maintained(facts, pool.service)
    spans = [(each.start.timestamp(), each.end.timestamp()) for each in windows]
    bad = breaches(measured, aims) if spans else []
    explained = {at for at in bad if any(start < at + BIN_S and at < end for start, end in spans)}
    if not explained:
        return measured
    return replace(measured, latency_s=_without(measured.latency_s, explained), errors=_without(measured.errors, explained))


def _without(series: Series, left_out: set[int]) -> Series:
    return {at: value for at, value in series.items() if at not in left_out}


# --- what speaks against it, and what leaves a doubt --------------------------------------------------------------------------


def others(needed: Need) -> int:
    """What all measures but the pool of threads need."""
    return max((count for name, count in needed.by.items() if name != POOL), default=0)


def _objections(pool: Pool, found: Evidence, needed: Need) -> Iterator[str]:
    yield from (words for words, true in (
        (NO_SIZE, pool.memory_gib is None), (STATEFUL, pool.stateful), (STICKY, found.sticky), (SPOT, pool.spot),
        (MIXED, found.mixed or len(found.kinds) > 1), (SEVERAL.format(count=found.targets), found.targets > 1),
        (COMMITTED, pool.price_per_hour is not None and pool.price_per_hour.committed),
    ) if true)
    for each in found.planned:
        if each["wanted"] >= found.desired:
            yield PLANNED.format(**each)
    if _is_the_limit(needed) and needed.recommended >= found.desired:
        yield LIMIT.format(pool=needed.by[POOL], others=others(needed))


def _is_the_limit(needed: Need) -> bool:
    return needed.by.get(POOL, 0) > others(needed)


def _doubts(facts: Facts, pool: Pool, found: Evidence, needed: Need, aims: Aims) -> Iterator[str]:
    measured = found.measured
    if _is_the_limit(needed) and needed.recommended < found.desired:
        yield LIMIT_LATER.format(enough=needed.recommended, others=with_a_zone_to_spare(others(needed), measured.zones))
    if not measured.requests:
        yield NO_TRAFFIC
    elif pool.per_target is None:
        yield UNTESTED.format(rate=highest_rate(measured, aims))
    if POOL not in needed.by:
        yield NO_THREADS
    cautious = need(replace(measured, cpu=found.peak), aims).by[CPU]
    if cautious > needed.recommended:
        yield PEAKS.format(count=cautious)
    if found.last < facts.month.days()[-1]:
        yield NO_END
    if measured.zones < 2:
        yield ONE_ZONE


def _noted(found: Evidence) -> Iterator[str]:
    """What often is the whole answer."""
    if not found.policies:
        yield NO_POLICY.format(minimum=found.minimum)
    elif found.minimum >= found.desired:
        yield NOT_BELOW.format(minimum=found.minimum, policies=", ".join(found.policies))


def high(series: Series, percent: float) -> float:
    return percentile(list(series.values()), percent)

