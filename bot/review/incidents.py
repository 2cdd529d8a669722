"""Incidents and availability: what hurt users and for how long, and what is left of the error budget."""

from collections.abc import Iterator, Sequence

from bot.review import N_, Chart, Definition, Facts, Figure, Figures, Section, chapter
from bot.review.arithmetic import availability as reckoning
from bot.review.arithmetic import mitigation, outages
from bot.review.arithmetic.availability import Basis, Requests, Uptime, Window
from bot.review.arithmetic.measured import why_unread
from bot.review.arithmetic.outages import NO_METRICS, days_named
from bot.review.arithmetic.plain import percent
from bot.review.arithmetic.stretches import minus, minutes

TITLE = N_("Incidents and availability")

AVAILABILITY = Definition(
    "availability", N_("Availability"),
    N_("1 - bad minutes / (minutes of the month - agreed maintenance). Bad is every minute in a window of an outage or of "
       "something degraded, of any service that counts: what overlaps counts once, what lies in agreed maintenance does not "
       "count, and a window that lasts counts up to now. Maintenance of all services that count shortens the month; that of "
       "one of them excuses this one alone. The share of failed requests weighs only where vigie.yaml says so. "
       "Without a declared incident it is reckoned from important alerts, and grey."),
    "share", source="rota.md 6.3", better="more")
WITH_MAINTENANCE = Definition(
    "availability_with_maintenance", N_("Availability, maintenance counted"),
    N_("1 - bad minutes / minutes of the month, as if no maintenance had been agreed."),
    "share", source="rota.md 6.3", better="more")
BUDGET = Definition(
    "error_budget_min", N_("Error budget"),
    N_("(1 - target) x real minutes of the month: at 99.95 %, 20.16 in 28 days, 21.60 in 30, 22.32 in 31, 22.29 in March and "
       "22.35 in October, in which clocks change."), "minutes", source="rota.md 6.3")
USED = Definition(
    "error_budget_used_min", N_("Error budget used"), N_("Bad minutes, without those in agreed maintenance."), "minutes",
    source="rota.md 6.3", better="less")
LEFT = Definition(
    "error_budget_left_min", N_("Error budget left"),
    N_("The error budget less the bad minutes; below zero the promise is broken."), "minutes",
    source="rota.md 6.3", better="more")
BURN = Definition(
    "error_budget_burn", N_("Speed of the error budget"),
    N_("Share of the error budget that is used / share of the month that is over: above 100 % it will not last."),
    "share", source="rota.md 6.3", better="less")
SUSPECTED_MIN = Definition(
    "suspected_min", N_("Suspected minutes"),
    N_("Minutes in which an important alert of a service that counts fired and no incident was declared: nobody has said whether "
       "anybody was hurt."), "minutes", source="rota.md 6.3", better="less")
REQUESTS = Definition(
    "requests_good_share", N_("Requests that went well"),
    N_("1 - failed / all requests of the services whose metrics are configured, over the days that have figures; days without "
       "figures are left out and named."), "share", source="rota.md 6.3", better="more")
INCIDENTS = Definition(
    "incidents", N_("Incidents"),
    N_("Declared incidents that began in the month, of any kind; drills are left out, and one that began before is listed only."),
    "count", source="rota.md 6.3", better="less")
MAJOR = Definition(
    "major_incidents", N_("Major incidents"),
    N_("Of the incidents that began in the month, those classified as major; those that nobody has classified are left out."),
    "count", source="(EU) 2024/1772 art. 8", better="less")

NOT_BEGUN = N_("the month has not begun")
NOTHING_CAME = N_("nothing came in this month and nothing was declared: nothing is known")
QUIET = N_("no incident was declared about a service that counts, and no important alert fired")
SUSPECTED = N_("no incident was declared: reckoned from the {count} important alerts that fired, hurtful or not")
UNDECLARED = N_("nobody has said whether these alerts hurt anybody")
UNCLASSIFIED = N_("nobody has classified any of them")
NO_AWS = N_("vigie.yaml has no section `aws`, so no metrics are read")
NO_DAYS = N_("no day of this month has figures of requests{why}")
SOME_DAYS = N_("without figures: {days}{why}")
LAST_TRY = N_(" (the last try: {why})")

SAID = N_("{share} available: {used:.1f} of {budget:.2f} minutes of the error budget ({target}) are used, "
          "{left:.1f} are left.")
OVERDRAWN = N_("{share} available: {used:.1f} minutes were bad and the error budget ({target}) has {budget:.2f}: it is "
               "overdrawn by {over:.1f}.")
BURNING = N_("{elapsed} of the month are over, and {used} of the budget are used.")
WITHOUT = N_("Had no maintenance been agreed, it would be {share}.")
BESIDE = N_("Not in it: {minutes:.0f} minutes in which important alerts fired and nobody declared an incident. Declare those "
            "that hurt somebody: `/vigie incident <alert>`.")
GUESSED = N_("No incident was declared. Important alerts fired for {minutes:.0f} minutes: declare those that hurt "
             "somebody.")
WHOLE = N_("Incident {id} names no window: it counts from its beginning to its end.")
LASTS = N_("Incident {id} lasts.")
MISSING = N_("{service}: no figures of requests for {days}.")

CHART = N_("{used:.1f} of {budget:.2f} minutes of the error budget are used")
CHART_ALT = N_("Minutes of the error budget used by the end of each day, from {first:.1f} on {begin} to {used:.1f} on {end}; "
               "the whole budget is {budget:.2f} minutes.")
SERIES_USED, SERIES_EVEN = N_("used"), N_("even pace")


@chapter("incidents", TITLE, 3)
def incidents(facts: Facts, figures: Figures) -> Section:
    windows, basis = basis_of(facts)
    up = reckoning.of_platform(facts, windows, basis)
    restored = mitigation.restored(facts)
    asked = [reckoning.requests(facts, name) for name in facts.config.month.availability.requests]
    return Section(
        "incidents", TITLE, tuple(_said(facts, up, windows, asked)),
        (*_availability(facts, up, windows), *_budget(facts, up, windows), _suspected(facts), _requests(facts, asked),
         *_counted(facts), *mitigation.figures(facts, restored)),
        (outages.incidents(facts), outages.bad(windows), outages.suspected(facts), outages.by_service(facts),
         outages.maintenance(facts), outages.requests(asked), mitigation.table(restored)),
        tuple(_chart(facts, up, windows)),
    )


def basis_of(facts: Facts) -> tuple[list[Window], Basis]:
    """Windows of services that count: those declared; without any, those in which important alerts fired."""
    if found := [each for each in reckoning.declared(facts) if reckoning.counts(facts, each.service)]:
        return found, "declared"
    maybe = [each for each in reckoning.suspected(facts) if reckoning.counts(facts, each.service)]
    return maybe, "suspected" if maybe else "nothing known"


# --- figures ------------------------------------------------------------------------------------------------------------------


def _availability(facts: Facts, up: Uptime, windows: Sequence[Window]) -> Iterator[Figure]:
    why, grey = _judged(facts, up, windows)
    known = why is None or why is not NOTHING_CAME
    for definition, value in ((AVAILABILITY, up.availability), (WITH_MAINTENANCE, up.availability_with_maintenance)):
        yield definition.of(
            value if known else None, len(windows), behind="bad-minutes", why=NOT_BEGUN if value is None else why, grey=grey)


def _judged(facts: Facts, up: Uptime, windows: Sequence[Window]) -> tuple[str | None, bool]:
    """What is to be said of its worth."""
    if up.basis == "declared":
        return None, False
    if up.basis == "suspected":
        return SUSPECTED.format(count=len(windows)), True
    silent = not facts.groups and not any(each.signals for each in facts.sources)
    return (NOTHING_CAME, True) if silent else (QUIET, False)


def _budget(facts: Facts, up: Uptime, windows: Sequence[Window]) -> Iterator[Figure]:
    why, grey = _judged(facts, up, windows)
    known, speed = why is not NOTHING_CAME and up.elapsed_min > 0, reckoning.burn(up, facts.month)
    yield BUDGET.of(round(up.budget_min, 4), len(windows), behind="bad-minutes")
    for definition, value in (
        (USED, round(up.bad_min, 4)), (LEFT, round(up.left_min, 4)), (BURN, speed),
    ):
        yield definition.of(
            value if known else None, len(windows), behind="bad-minutes", why=why if up.elapsed_min > 0 else NOT_BEGUN,
            grey=grey or not known)


def _suspected(facts: Facts) -> Figure:
    """What of important alerts lies outside of all that was declared."""
    maybe = [each for each in reckoning.suspected(facts) if reckoning.counts(facts, each.service)]
    outside = minus((each.stretch for each in maybe), (each.stretch for each in reckoning.declared(facts)))
    unsaid = minutes(outside)
    why = UNDECLARED if unsaid else None
    return SUSPECTED_MIN.of(round(unsaid, 4), len(maybe), behind="suspected-minutes", why=why, grey=bool(unsaid))


def _requests(facts: Facts, asked: Sequence[Requests]) -> Figure:
    total, failed = sum(each.total for each in asked), sum(each.failed for each in asked)
    days, missing = sum(each.days for each in asked), sum(len(each.missing) for each in asked)
    left = {N_("days without figures"): missing} if missing else {}
    value = 1 - failed / total if total else None
    return REQUESTS.of(value, days, left, behind="requests", why=_why_requests(facts, asked), grey=value is None or bool(missing))


def _why_requests(facts: Facts, asked: Sequence[Requests]) -> str | None:
    if not asked or facts.config.aws is None:
        return NO_AWS if asked else NO_METRICS
    told = next((why for each in asked if (why := why_unread(facts, "availability", each.service))), None)
    why = LAST_TRY.format(why=told) if told else ""
    if not any(each.days for each in asked):
        return NO_DAYS.format(why=why)
    missing = sorted({day for each in asked for day in each.missing})
    return SOME_DAYS.format(days=days_named(missing), why=why) if missing else None


def _counted(facts: Facts) -> Iterator[Figure]:
    begun = [each for each in reckoning.incidents_of(facts) if facts.month.has(each.began_at)]
    unsaid = sum(each.major is None for each in begun)
    yield INCIDENTS.of(len(begun), len(begun), behind="incidents")
    known = unsaid < len(begun) or not begun
    yield MAJOR.of(
        sum(each.major is True for each in begun) if known else None, len(begun) - unsaid,
        {N_("not classified"): unsaid} if unsaid else {}, behind="incidents", why=None if known else UNCLASSIFIED, grey=not known)


# --- words and picture --------------------------------------------------------------------------------------------------------


def _said(facts: Facts, up: Uptime, windows: Sequence[Window], asked: Sequence[Requests]) -> Iterator[str]:
    target, share, bare = facts.config.month.availability.target, up.availability, up.availability_with_maintenance
    if share is None or bare is None or _judged(facts, up, windows)[0] is NOTHING_CAME:
        return
    if up.basis == "suspected":
        yield GUESSED.format(minutes=up.bad_min)
    words = SAID if up.left_min >= 0 else OVERDRAWN
    yield words.format(share=percent(share, 3), used=up.bad_min, budget=up.budget_min, left=up.left_min, over=-up.left_min,
                       target=percent(target, 2))
    suspected = _suspected(facts).value
    if suspected and up.basis != "suspected":
        yield BESIDE.format(minutes=suspected)
    if bare != share:
        yield WITHOUT.format(share=percent(bare, 3))
    if facts.month.until < facts.month.end:
        yield BURNING.format(elapsed=percent(reckoning.elapsed_share(facts.month)), used=percent(up.used or 0))
    whole = {each.incident for each in windows if each.whole}
    yield from (WHOLE.format(id=id) for id in sorted(each for each in whole if each is not None))
    yield from (LASTS.format(id=each.id) for each in reckoning.incidents_of(facts) if each.ended_at is None)
    lacking = (each for each in asked if each.missing and each.days)
    yield from (MISSING.format(service=each.service, days=days_named(each.missing)) for each in lacking)


def _chart(facts: Facts, up: Uptime, windows: Sequence[Window]) -> Iterator[Chart]:
    """Only when some of it is used: an empty picture says less than the sentence."""
    days = reckoning.used_by_day(facts, windows) if up.bad_min else []
    if not days:
        return
    pace = up.budget_min / len(facts.month.days())
    used = [(f"{day}", SERIES_USED, round(value, 2)) for day, value in days]
    even = [(f"{day}", SERIES_EVEN, round(pace * number, 2)) for number, (day, _) in enumerate(days, 1)]
    told = {"used": up.bad_min, "budget": up.budget_min}
    alt = CHART_ALT.format(first=days[0][1], begin=days[0][0], end=days[-1][0], **told)
    yield Chart("error-budget", CHART.format(**told), alt, "line", N_("day"), N_("minutes"), (*used, *even))
