"""Cost and right-sizing: what the platform cost, and how many machines its load needs."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic import pools, sizing
from bot.review.arithmetic.bills import Bills, added, bills
from bot.review.arithmetic.listing import listing
from bot.review.arithmetic.measured import why_unread
from bot.review.arithmetic.outages import days_named
from bot.review.arithmetic.plain import percent
from bot.review.arithmetic.sizing import Advice

TITLE = N_("Cost and right-sizing")
SIZING = N_("cloud.md 7")

COST = Definition(
    "cost", N_("Cost"),
    N_("What AWS bills for the days of the month (of UTC), unblended, in its own currency: no exchange rate is invented. Days "
       "that are not on the bill are left out and named; days that AWS may still change make it grey."), "money",
    source="Cost Explorer", better="less")
UNTAGGED = Definition(
    "cost_untagged_share", N_("Cost that names no service"),
    N_("Cost of what does not have the cost allocation tag / all cost."), "share", source="Cost Explorer", better="less")
RUNNING = Definition(
    "machines_running", N_("Machines that run"),
    N_("Machines that the measured pools want to have, on the last day that was read."), "count", source=SIZING)
NEEDED = Definition(
    "machines_needed", N_("Machines that are enough"),
    N_("Of the pools about which something can be advised: the most that CPU, requests, threads or memory need (the 99th "
       "percentile of 5 minutes, a quarter more for growth, CPU at most 60 % busy), with one zone to spare, at least one a zone "
       "and two in all; never more than run."), "count", source=SIZING)
SAVING = Definition(
    "saving", N_("Possible saving"),
    N_("(Machines that ran on average - machines that are enough) x price of one x hours of the month, for the pools that can be "
       "cut now and whose price is known; in the currency in which they are billed."), "money", source=SIZING)

NO_AWS = N_("vigie.yaml has no section `aws`: nothing is collected")
NOT_ASKED = N_("the bill is not read (`month.costs.bill`)")
NOT_READ = N_("no bill was read for this month{why}")
LAST_TRY = N_(" (the last try: {why})")
SEVERAL = N_("it is billed in {currencies}, and no exchange rate is invented: see the list")
NOT_ON_IT = N_("not on the bill: {days}")
ESTIMATED = N_("AWS may still change {days} of its days")
NOTHING_MEASURED = N_("no pool was measured")
NO_POOLS = N_("no pool of machines is configured (`month.costs.pools`)")
NOTHING_ADVISED = N_("nothing can be advised about any pool: see what speaks against it")
NOTHING_TO_SAVE = N_("no pool can be cut")
NO_PRICE = N_("the price of a machine is not known (`price_per_hour`)")
FOR = N_("for {counts}")
COUNT = N_("{count:g} machines fewer of {pool}")

CUT = N_("{pool} runs {runs} machines, load needs {load}, {enough} keep you through the loss of a zone: {runs} → {enough}{saves} "
         "(confidence: {confidence}).")
CUT_ONE_ZONE = N_("{pool} runs {runs} machines in one zone, load needs {load}: {runs} → {enough}{saves} (confidence: "
                  "{confidence}).")
SAVES = N_(" is about {money:,.0f} {currency} a month, for {count:g} machines fewer")
STEPS = N_("{pool}: {steps}, at most a quarter a step and a peak between two. Type `{line}`.")
KEEP = N_("{pool} runs {runs} machines, load needs {load}, {enough} keep you through the loss of a zone: leave it.")
SHORT = N_("{pool} runs {runs} machines, and {enough} would keep you through the loss of a zone: it has too few.")
REFUSED = N_("{pool}: nothing can be advised: {why}.")
DOUBTED = N_("{pool}, what leaves a doubt: {why}.")
BILL_CHART = N_("{total:,.0f} {currency} were spent, {share} of it on {first}")
BILL_ALT = N_("Cost of each day in {currency}, by service: {named}.")
POOL_CHART = N_("{runs} machines run where {enough} are enough")
POOL_ALT = N_("Machines of each pool: {named}.")
POOL_NAMED = N_("{pool} runs {runs}, load needs {load}, {enough} keep you through the loss of a zone")
NOBODY, REST, MISSING = N_("no service"), N_("others"), N_("not on the bill")
RUNS, LOAD, ENOUGH = N_("run"), N_("load needs"), N_("enough, with a zone to spare")
MOST_SERVICES = 5


@chapter("costs", TITLE, 13)
def costs(facts: Facts, figures: Figures) -> Section:
    billed, advised = bills(facts), sizing.advice(facts)
    return Section(
        "costs", TITLE, tuple(sentence for each in advised for sentence in _said(facts, each)),
        (*_cost(facts, billed), *_machines(facts, advised), _saving(advised)),
        (_costs(billed), _days(billed), *pools.tables(facts, advised)),
        (*_bill_chart(billed), *_pool_chart(advised)),
    )


# --- what it cost -------------------------------------------------------------------------------------------------------------


def _cost(facts: Facts, billed: Bills) -> Iterator[Figure]:
    total, untagged = billed.total(), billed.total(lambda line: not line.service)
    left = {N_("days that are not on the bill"): len(billed.missing)} if billed.missing else {}
    why, grey = _why_cost(facts, billed), total is None or bool(billed.missing or billed.estimated)
    currency = billed.currencies[0] if len(billed.currencies) == 1 else None
    yield COST.of(
        round(total, 2) if total is not None else None, billed.days, left, behind="costs", why=why, grey=grey, currency=currency)
    share = untagged / total if total and untagged is not None else None
    yield UNTAGGED.of(share, billed.days, left, behind="costs", why=why, grey=grey or share is None)


def _why_cost(facts: Facts, billed: Bills) -> str | None:
    if facts.config.aws is None:
        return NO_AWS
    if not billed.lines and not facts.config.month.costs.bill:
        return NOT_ASKED
    told = why_unread(facts, "cost", facts.config.aws.account)
    why = LAST_TRY.format(why=told) if told else ""
    if not billed.lines:
        return NOT_READ.format(why=why)
    if len(billed.currencies) > 1:
        return SEVERAL.format(currencies=", ".join(billed.currencies))
    said = [NOT_ON_IT.format(days=days_named(billed.missing)) + why] if billed.missing else []
    said += [ESTIMATED.format(days=billed.estimated)] if billed.estimated else []
    return "; ".join(said) or None


def _costs(billed: Bills) -> Table:
    columns = (
        Column("service", N_("Service")), Column("kind", N_("What")), Column("amount", N_("Amount"), "money"),
        Column("currency", N_("Currency")), Column("share", N_("Share"), "share"),
    )
    sums = {currency: sum(each.amount for each in billed.lines if each.currency == currency) for currency in billed.currencies}
    rows = (
        (service or NOBODY, kind, round(amount, 2), currency, amount / sums[currency] if sums[currency] else None)
        for (service, kind, currency), amount in added(billed.lines, lambda line: (line.service, line.kind, line.currency))
    )
    return listing("costs", N_("Cost by service and kind"), columns, rows, N_("No bill was read."))


def _days(billed: Bills) -> Table:
    columns = (
        Column("day", N_("Day"), "day"), Column("amount", N_("Amount"), "money"), Column("currency", N_("Currency")),
        Column("state", N_("State")),
    )
    open_days = {each.day.isoformat() for each in billed.lines if each.estimated}
    rows: list[tuple[str, float | None, str | None, str]] = [
        (day, round(amount, 2), currency, N_("may still change") if day in open_days else N_("final"))
        for (day, currency), amount in added(billed.lines, lambda line: (line.day.isoformat(), line.currency))
    ]
    rows += [(day.isoformat(), None, None, MISSING) for day in billed.missing] if rows else []
    rows.sort(key=lambda row: row[0])
    return listing("costs-by-day", N_("Cost by day"), columns, rows, N_("No bill was read."))


# --- how many machines --------------------------------------------------------------------------------------------------------


def _machines(facts: Facts, advised: Sequence[Advice]) -> Iterator[Figure]:
    measured = [each for each in advised if each.evidence]
    sure = [each for each in advised if each.verdict in ("cut", "keep")]
    left = {N_("not measured"): len(advised) - len(measured)} if len(measured) < len(advised) else {}
    none = NO_POOLS if not advised else NO_AWS if facts.config.aws is None else NOTHING_MEASURED
    yield RUNNING.of(
        sum(each.evidence.desired for each in measured if each.evidence) if measured else None, len(measured), left,
        behind="pools", why=None if measured else none, grey=not measured)
    refused = len(measured) - len(sure)
    left |= {N_("nothing can be advised"): refused} if refused else {}
    why = None if sure else NOTHING_ADVISED if measured else none
    enough = sum(each.enough or 0 for each in sure) if sure else None
    yield NEEDED.of(enough, len(sure), left, behind="pools", why=why, grey=not sure)


def _saving(advised: Sequence[Advice]) -> Figure:
    """It names the count that it is for."""
    cut = [each for each in advised if each.verdict == "cut" and each.saved]
    priced = [each for each in cut if each.saving is not None and each.pool.price_per_hour]
    currencies = sorted({each.pool.price_per_hour.currency for each in priced if each.pool.price_per_hour})
    left = {N_("price not known"): len(cut) - len(priced)} if len(priced) < len(cut) else {}
    if len(currencies) != 1:
        why = SEVERAL.format(currencies=", ".join(currencies)) if currencies else NO_PRICE if cut else NOTHING_TO_SAVE
        return SAVING.of(None, len(priced), left, behind="pools", why=why, grey=True)
    counts = ", ".join(COUNT.format(count=round(each.saved, 1), pool=each.name) for each in priced)
    return SAVING.of(
        round(sum(each.saving or 0 for each in priced), 2), len(priced), left, behind="pools", why=FOR.format(counts=counts),
        currency=currencies[0], grey=any(each.confidence == "low" for each in priced))


def _said(facts: Facts, each: Advice) -> Iterator[str]:
    if each.verdict in ("refused", "unknown") or each.evidence is None or each.need is None:
        yield REFUSED.format(pool=each.name, why="; ".join(each.refusals))
        return
    price, count = each.pool.price_per_hour, round(each.saved, 1)
    saves = SAVES.format(money=each.saving, currency=price.currency, count=count) if price and each.saving else ""
    words = CUT if each.evidence.measured.zones > 1 else CUT_ONE_ZONE
    if each.verdict == "keep":
        words = SHORT if each.need.recommended > each.evidence.desired else KEEP
    yield words.format(
        pool=each.name, runs=each.evidence.desired, load=each.need.load, enough=each.need.recommended, saves=saves,
        confidence=pools.SURE[each.confidence])
    if each.steps:
        steps = " → ".join(f"{count}" for count in (each.evidence.desired, *each.steps))
        yield STEPS.format(pool=each.name, steps=steps, line=pools.line(facts, each))
    if each.verdict == "cut" and each.doubts:
        yield DOUBTED.format(pool=each.name, why="; ".join(each.doubts))


# --- pictures -----------------------------------------------------------------------------------------------------------------


def _bill_chart(billed: Bills) -> Iterator[Chart]:
    total = billed.total()
    if not total:
        return
    ranked = added(billed.lines, lambda line: (line.service or NOBODY,))
    order = [name for (name,), _ in ranked[:MOST_SERVICES]]
    order.append(REST)
    named = {name: name for name in order}
    by_day = added(billed.lines, lambda line: (line.day.isoformat(), named.get(line.service or NOBODY, REST)))
    spent = [(day, name, round(amount, 2)) for (day, name), amount in by_day]
    gaps = [(day.isoformat(), MISSING, 0.0) for day in billed.missing]      # the legend says what a gap is
    points = tuple(sorted([*spent, *gaps], key=lambda point: (point[0], [*order, MISSING].index(point[1]))))
    (first,), most = ranked[0]
    currency = billed.currencies[0]
    title = BILL_CHART.format(total=total, currency=currency, share=percent(most / total), first=first)
    told = ", ".join(f"{name} {amount:,.0f}" for (name,), amount in ranked[:MOST_SERVICES])
    yield Chart("cost-by-day", title, BILL_ALT.format(currency=currency, named=told), "stacked", N_("day"), currency, points)


def _pool_chart(advised: Sequence[Advice]) -> Iterator[Chart]:
    sure = [(each, each.evidence.desired, each.need.load, each.enough or 0) for each in advised
            if each.verdict in ("cut", "keep") and each.evidence and each.need]
    if not sure:
        return
    points = tuple(
        (each.name, name, float(count)) for each, runs, load, enough in sure
        for name, count in ((RUNS, runs), (LOAD, load), (ENOUGH, enough)))
    title = POOL_CHART.format(runs=sum(runs for _, runs, _, _ in sure), enough=sum(enough for *_, enough in sure))
    named = "; ".join(POOL_NAMED.format(pool=each.name, runs=runs, load=load, enough=enough) for each, runs, load, enough in sure)
    yield Chart("machines", title, POOL_ALT.format(named=named), "bars", N_("pool"), N_("machines"), points)
