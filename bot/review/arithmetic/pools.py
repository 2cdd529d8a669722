"""Lists behind the advice on pools of machines: what they run and need, the evidence, what speaks against it, the steps."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Column, Facts, Table
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.sizing import Advice, Confidence, Evidence, Verdict, high
from runbooks.aids.sizing import BIN_S

VERDICTS: dict[Verdict, str] = {
    "cut": N_("fewer would do"), "keep": N_("leave it"), "refused": N_("nothing can be advised"), "unknown": N_("not measured"),
}
SURE: dict[Confidence, str] = {"high": N_("high"), "medium": N_("medium"), "low": N_("low")}
AGAINST, DOUBT, NOTED = N_("against it"), N_("doubt"), N_("noted")
NO_POOL = N_("No pool of machines is configured (`month.costs.pools`).")
NONE_AGAINST = N_("Nothing speaks against it.")
NO_STEP = N_("No step is to be taken.")
NO_EVIDENCE = N_("Nothing was measured.")
LINE = "{command} run {runbook} group={group} desired={desired}"
NOT_KNOWN = N_("not known")


def line(facts: Facts, each: Advice) -> str:
    """What to type for the next step: the runbook works out the evidence anew, and asks before it changes anything."""
    return LINE.format(
        command=facts.config.command, runbook=each.pool.runbook, group=each.pool.group, desired=each.enough)


def tables(facts: Facts, advised: Sequence[Advice]) -> tuple[Table, ...]:
    return _pools(advised), _evidence(advised), _said(advised), _steps(facts, advised)


def _pools(advised: Sequence[Advice]) -> Table:
    columns = (
        Column("pool", N_("Pool")), Column("service", N_("Service")), Column("verdict", N_("Advice")),
        Column("runs", N_("Runs"), "count"), Column("needs", N_("Load needs"), "count"),
        Column("enough", N_("Enough, with a zone to spare"), "count"), Column("decisive", N_("Decided by")),
        Column("confidence", N_("Confidence")), Column("fewer", N_("Machines fewer, on average")),
        Column("saving", N_("Saving in this month"), "money"), Column("currency", N_("Currency")),
    )
    return listing("pools", N_("Pools of machines"), columns, (_row(each) for each in advised), NO_POOL)


def _row(each: Advice) -> tuple[Given, ...]:
    found, needed, known = each.evidence, each.need, each.verdict in ("cut", "keep")
    price = each.pool.price_per_hour
    return (
        each.name, each.pool.service, VERDICTS[each.verdict], found.desired if found else None,
        needed.load if needed and known else None, needed.recommended if needed and known else None,
        needed.decisive if needed and known else None, SURE[each.confidence] if known else None,
        round(each.saved, 1) if each.saved else None, each.saving, price.currency if price and each.saving else None,
    )


def _evidence(advised: Sequence[Advice]) -> Table:
    columns = (Column("pool", N_("Pool")), Column("what", N_("What was measured")), Column("value", N_("Value")))
    rows = ((each.name, *row) for each in advised if each.evidence for row in _measured(each, each.evidence))
    return listing("pool-evidence", N_("Evidence for the size of pools"), columns, rows, NO_EVIDENCE)


def _measured(each: Advice, found: Evidence) -> Iterator[tuple[str, str]]:
    known, pool = found.measured, each.pool
    yield N_("Days"), f"{found.first} - {found.last}"
    yield N_("Values of 5 minutes: CPU, of all that should be there"), f"{len(known.cpu)} / {found.bins}"
    yield N_("Auto Scaling group: minimum, now, maximum"), f"{pool.group}: {found.minimum}, {found.desired}, {found.maximum}"
    yield N_("Zones"), f"{known.zones}"
    yield N_("Kinds of machine"), ", ".join(found.kinds) or NOT_KNOWN
    yield N_("Scaling policies"), ", ".join(found.policies) or N_("none")
    yield N_("In service, on average"), f"{found.average:.1f}"
    yield N_("CPU of all: P99"), f"{high(known.cpu, 99):.1f} %"
    yield N_("CPU of the busiest: P99"), f"{high(found.peak, 99):.1f} %" if found.peak else NOT_KNOWN
    yield N_("Memory: P99"), _memory(each, found)
    yield N_("Requests a second: P99"), f"{high(known.requests, 99) / BIN_S:.1f}" if known.requests else NOT_KNOWN
    latency = f"{high(known.latency_s, 95) * 1000:.0f} ms" if known.latency_s else NOT_KNOWN
    yield N_("Latency: P95 of averages of 5 minutes"), latency
    yield N_("Busy threads: P99"), f"{high(known.busy_threads, 99):.0%}" if known.busy_threads else NOT_KNOWN
    if each.need:
        yield N_("Machines needed, by measure"), ", ".join(f"{name} {count}" for name, count in each.need.by.items())


def _memory(each: Advice, found: Evidence) -> str:
    if not found.measured.memory:
        return NOT_KNOWN
    percent, size = high(found.measured.memory, 99), each.pool.memory_gib
    return f"{percent:.1f} %" + (f" = {percent * size / 100:.1f} / {size:g} GiB" if size else "")


def _said(advised: Sequence[Advice]) -> Table:
    columns = (Column("pool", N_("Pool")), Column("kind", N_("How it speaks")), Column("why", N_("Why")))
    rows = (
        (each.name, kind, why) for each in advised
        for kind, words in ((AGAINST, each.refusals), (DOUBT, each.doubts), (NOTED, each.noted)) for why in words
    )
    return listing("pool-objections", N_("What speaks against fewer machines"), columns, rows, NONE_AGAINST)


def _steps(facts: Facts, advised: Sequence[Advice]) -> Table:
    columns = (
        Column("pool", N_("Pool")), Column("step", N_("Step"), "count"), Column("from", N_("From"), "count"),
        Column("to", N_("To"), "count"), Column("line", N_("What to type, and then wait for a peak")),
    )
    rows = (
        (each.name, number, before, after, line(facts, each)) for each in advised if each.evidence
        for number, (before, after) in enumerate(zip((each.evidence.desired, *each.steps), each.steps, strict=False), 1)
    )
    return listing("pool-steps", N_("Steps down, each at most a quarter"), columns, rows, NO_STEP)
