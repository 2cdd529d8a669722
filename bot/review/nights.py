"""Nights: who was torn from sleep, how long people worked, and what it did to their rest; names only for their own side."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bot.review import N_, Chart, Column, Definition, Facts, Figure, Figures, Section, Table, chapter
from bot.review.arithmetic import windows
from bot.review.arithmetic.listing import Given, listing
from bot.review.arithmetic.load import GLASS, HELD, REST, WAIVED, Call, Load, Tally, load
from bot.review.arithmetic.numbers import share
from bot.review.arithmetic.stretches import Stretch, clipped, minutes
from bot.review.facts import Group, Told

TITLE = N_("Nights and rest")
CALLS, WORK, SHIFTS, RESTS, NOTHING, SIDES, PEOPLE = (
    "calls-at-night", "work-on-call", "busy-shifts", "rest", "called-for-nothing", "night-load", "night-load-{side}")

HOURS = N_("Night is {night} by the clocks of each side; blackout is {blackout} of {own}: both are shown, never mixed.")
NO_BLACKOUT = N_("Night is {night} by the clocks of each side. {own} has no blackout.")
TOLD = N_(
    "{side}: interruptions at night: {calls}, in {nights} nights; "
    "work on call: {minutes:.0f} min, {night:.0f} min of it at night."
)
PRIVATE = N_("Each side reads the names of its own people only; the totals of a side are for both.")
NAMED = N_("Nights of {side}, by name")
NO_CALLS = N_("nobody was called at night")
NOBODY_ON = N_("nobody was on duty at night")
NO_CHARTED = N_("Nobody was called in any of {all} nights")
CHARTED = N_("People were called in {some} of {all} nights; most often, {most} times, in that of {worst}")
CHART_ALT = N_("Interruptions for each night from {first} to {last}, by side: {calls} altogether, in {some} nights.")
DAY, MAILED, UNSENT, KEPT, SAME = (
    N_("by day"), N_("e-mail"), N_("not sent"), N_("held back"), N_("within a minute of another to the same person"))
SOURCE = "rota.md 6.3"

WAKEUPS = Definition(
    "nights_with_wakeup", N_("Nights with a wake-up"), N_(
        "Nights (21:00-06:00 by the clocks of the person's side) in which at least one person was interrupted. A night is "
        "called by the day on which it begins; the month's first and last are counted with their part in the month."
    ), "count", source=SOURCE, better="less")
INTERRUPTIONS = Definition(
    "interruptions", N_("Interruptions at night"), N_(
        "Attempts to reach somebody at night by mention, direct message, push, SMS or telephone. What came to one person within "
        "60 s of the first counts once, whatever it was about; e-mail, and what was not sent or was held back, does not count."
    ), "count", source=SOURCE, better="less")
AT_REST = Definition(
    "interruptions_at_rest", N_("Of them, of people who were not at work"), N_(
        "Interruptions at night of people who were on call or off duty then, and not in an active shift."
    ), "count", source=SOURCE, better="less")
PER_NIGHT = Definition(
    "interruptions_per_night", N_("Interruptions per night on duty"), N_(
        "Interruptions at night / nights on duty of all people. Two people on duty in one night have two nights."
    ), "count", source=SOURCE, better="less")
WORST = Definition(
    "worst_night", N_("Interruptions of the worst night"), N_("The most interruptions, of all people, in one night."), "count",
    source=SOURCE, better="less")
MINUTES = Definition(
    "intervention_min", N_("Work on call"), N_(
        "Minutes of intervention in the month, each person's own added up; two at once of one person count once; one that goes "
        "on still counts as far as it is known."
    ), "minutes", source=SOURCE, better="less")
NIGHT_MINUTES = Definition(
    "intervention_night_min", N_("Work on call at night"), N_("The minutes of intervention that lie in 21:00-06:00."), "minutes",
    source=SOURCE, better="less")
BLACKOUT_MINUTES = Definition(
    "intervention_blackout_min", N_("Work on call in the blackout"), N_(
        "The minutes of intervention, of either side, that lie in the blackout of the platform's owner."
    ), "minutes", source=SOURCE, better="less")
BUSY = Definition(
    "busy_shifts", N_("Shifts with more than two incidents"), N_(
        "Shifts (one person's unbroken stretch of one role, at work or on call) in which the person was called about more than "
        "two groups."
    ), "count", source=SOURCE, better="less")
FOR_NOTHING = Definition(
    "called_for_nothing", N_("Called at night for nothing"), N_(
        "Groups about which somebody was called at night, and that healed alone or were judged noise or a duplicate / groups "
        "about which somebody was called at night."
    ), "share", source=SOURCE, better="less")
RESTED = tuple(Definition(name, title, text, "count", source=SOURCE, better="less") for name, title, text in (
    ("rest_moved", N_("Rests that began anew"), N_("Interventions after which the daily rest (R01) began anew.")),
    ("rest_breaches", N_("Breaches of working-time rules"), N_("Breaches found of what was, each once.")),
    ("rest_waivers", N_("Waivers"), N_("Findings of working-time rules that were waived by name, for a written reason.")),
    ("glass_broken", N_("Broken glass"), N_("Runs for which somebody broke the glass.")),
    ("held_back", N_("Held back"), N_("Messages that would have reached somebody in their blackout, and were told after it.")),
))

TALLIED = (
    Column("duty", N_("Nights on duty"), "count"), Column("calls", N_("Interruptions at night"), "count"),
    Column("resting", N_("Of them not at work"), "count"), Column("per_night", N_("Per night on duty")),
    Column("nights", N_("Nights called"), "count"), Column("worst", N_("Worst night"), "day"),
    Column("worst_calls", N_("Calls in it"), "count"), Column("work", N_("Work on call"), "minutes"),
    Column("night", N_("At night"), "minutes"), Column("blackout", N_("In the blackout"), "minutes"),
    Column("busy", N_("Shifts with more than two incidents"), "count"), Column("rests", N_("Rests moved"), "count"),
    Column("breaches", N_("Breaches"), "count"), Column("waivers", N_("Waivers"), "count"),
    Column("glass", N_("Woken through broken glass"), "count"), Column("held", N_("Held back"), "count"),
)


@chapter("nights", TITLE, 9)
def nights(facts: Facts, figures: Figures) -> Section:
    found = load(facts)
    return Section("nights", TITLE, tuple(_said(facts, found)), tuple(_figures(facts, found)),
                   (*_lists(facts, found), *_tallies(facts, found)), (_chart(facts, found),))


def _said(facts: Facts, found: Load) -> Iterator[str]:
    own = facts.config.organisations.get(windows.own(facts.config) or "")
    words = {"night": windows.NIGHT, "own": own.name if own else "", "blackout": own.blackout if own else None}
    for key, side in facts.config.organisations.items():
        tally = found.tally(found.people(key))
        if tally.calls or tally.minutes:
            yield TOLD.format(side=side.name, calls=len(tally.calls), nights=len(tally.by_night), minutes=tally.minutes,
                              night=tally.night_minutes)
    yield (HOURS if own and own.blackout else NO_BLACKOUT).format(**words)
    yield PRIVATE


def _figures(facts: Facts, found: Load) -> Iterator[Figure]:
    all_of = found.tally(found.everybody)
    calls, worst = len(all_of.calls), all_of.worst
    yield WAKEUPS.of(len(all_of.by_night), len(found.nights), behind=CALLS)
    yield INTERRUPTIONS.of(calls, calls, _left_out(facts, found), behind=CALLS)
    yield AT_REST.of(sum(each.resting for each in all_of.calls), calls, behind=CALLS)
    yield PER_NIGHT.of(share(calls, all_of.duty), all_of.duty, behind=SIDES, why=None if all_of.duty else NOBODY_ON)
    yield WORST.of(worst[1] if worst else 0, len(found.nights), behind=CALLS)
    works = len(facts.interventions)
    yield MINUTES.of(all_of.minutes, works, behind=WORK)
    yield NIGHT_MINUTES.of(all_of.night_minutes, works, behind=WORK)
    if found.blackout is not None:
        yield BLACKOUT_MINUTES.of(all_of.blackout_minutes, works, behind=WORK)
    yield BUSY.of(all_of.busy, len(found.shifts), behind=SHIFTS)
    called, vain = found.groups_at_night, [each for each in found.groups_at_night if is_vain(each)]
    yield FOR_NOTHING.of(share(len(vain), len(called)), len(called), behind=NOTHING, why=None if called else NO_CALLS)
    for definition, kind in zip(RESTED, (REST, "rule breached", WAIVED, GLASS, HELD), strict=True):
        count = sum(each.kind == kind for each in facts.told)
        yield definition.of(count, count, behind=RESTS)


def is_vain(group: Group) -> bool:
    """Whether nobody would have had to be called."""
    return group.ending == "healed" or group.verdict in ("noise", "duplicate")


def _left_out(facts: Facts, found: Load) -> dict[str, int]:
    """Why attempts of the month are no interruptions at night."""
    reached = sum(len(each.pages) for each in found.interruptions)
    mailed = sum(each.medium in ("mailto", "mailtos") for each in facts.pages)
    kept = sum(each.state == "held_back" and each.medium not in ("mailto", "mailtos") for each in facts.pages)
    why = {
        DAY: len(found.interruptions) - len(found.calls), SAME: reached - len(found.interruptions), MAILED: mailed, KEPT: kept,
        UNSENT: len(facts.pages) - reached - mailed - kept,
    }
    return {each: count for each, count in why.items() if count}


# --- lists, without names -----------------------------------------------------------------------------------------------------


def _lists(facts: Facts, found: Load) -> Iterator[Table]:
    side = {key: each.name for key, each in facts.config.organisations.items()}
    night, who = Column("night", N_("Night of"), "day"), Column("side", N_("Side"))
    start, end = Column("start", N_("From"), "instant"), Column("end", N_("To"), "instant")
    yield listing(CALLS, N_("Interruptions at night"), (
        night, Column("at", N_("At"), "instant"), who, Column("resting", N_("Not at work")), Column("media", N_("By")),
        Column("alerts", N_("About")),
    ), (_call(found, side, each) for each in found.calls), N_("Nobody was called at night."))
    yield listing(WORK, N_("Work on call"), (
        start, end, who, Column("alert", N_("About"), "alert"), Column("minutes", N_("Minutes"), "minutes"),
        Column("night", N_("At night"), "minutes"), Column("blackout", N_("In the blackout"), "minutes"),
        Column("confirmed", N_("Confirmed")),
    ), _work(facts, found, side), N_("Nobody worked on call."))
    yield listing(SHIFTS, N_("Shifts with more than two incidents"), (
        start, end, who, Column("role", N_("Role")), Column("incidents", N_("Incidents"), "count"),
    ), ((each.start, each.end, side.get(each.organisation, each.organisation), each.role, each.incidents)
        for each in found.shifts if each.is_busy), N_("No shift had more than two."))
    yield listing(RESTS, N_("What it did to rest"), (
        Column("at", N_("At"), "instant"), Column("kind", N_("What")), who, Column("rule", N_("Rule")),
        Column("object", N_("About")),
    ), ((each.at, each.kind, side.get(found.side_of(each), "–"), each.details.get("rule"), _about(each))
        for each in facts.told if each.kind in (REST, "rule breached", WAIVED, GLASS, HELD)), N_("Nothing."))
    yield listing(NOTHING, N_("Alerts that called somebody at night for nothing"), (
        Column("alert", N_("Alert"), "alert"), Column("opened", N_("Opened"), "instant"), Column("service", N_("Service")),
        Column("title", N_("Title")), Column("ending", N_("Ended")), Column("verdict", N_("Verdict")),
    ), ((each.alert, each.opened_at, each.service, each.title, each.ending, each.verdict)
        for each in found.groups_at_night if is_vain(each)), N_("Whoever was called was needed."))


def _call(found: Load, side: Mapping[str, str], each: Call) -> Sequence[Given]:
    media = ", ".join(dict.fromkeys(page.medium for page in each.what.pages))
    about = ", ".join(f"#{found.alerts[group]}" if group in found.alerts else "–" for group in each.what.groups)
    return each.night.isoformat(), each.what.at, side.get(each.what.organisation, "–"), each.resting, media, about


def _work(facts: Facts, found: Load, side: Mapping[str, str]) -> Iterator[Sequence[Given]]:
    """Interventions one by one, as far as they lie in the month."""
    month, asleep = facts.month, found.blackout
    for each in sorted(facts.interventions, key=lambda one: one.start):
        for piece in clipped([Stretch(each.start, each.end or month.until)], month.start, month.until):
            yield (
                *piece, side.get(each.organisation, "–"), each.alert, minutes([piece]),
                found.night_of(each.person).minutes([piece]), asleep.minutes([piece]) if asleep else 0.0, each.confirmed,
            )


def _about(told: Told) -> str:
    """Never a person: this list is for both sides."""
    return "" if told.object.startswith("person:") else told.object


# --- by side, by name, by night -------------------------------------------------------------------------------------------------


def _tallies(facts: Facts, found: Load) -> Iterator[Table]:
    sides = facts.config.organisations
    rows = ((each.name, *_row(found.tally(found.people(key)))) for key, each in sides.items())
    yield listing(SIDES, N_("Nights by side"), (Column("side", N_("Side")), *TALLIED), rows)
    for key, each in sides.items():
        named = ((person, *_row(found.tally({person}))) for person in found.people(key))
        columns = (Column("person", N_("Person"), "person"), *TALLIED)
        yield listing(PEOPLE.format(side=key), NAMED.format(side=each.name), columns, named, N_("Nobody had duty."), only_for=key)


def _row(tally: Tally) -> Sequence[Given]:
    worst = tally.worst
    each_night = share(len(tally.calls), tally.duty)
    return (
        tally.duty, len(tally.calls), sum(each.resting for each in tally.calls),
        None if each_night is None else round(each_night, 2), len(tally.by_night), worst[0].isoformat() if worst else None,
        worst[1] if worst else 0, tally.minutes, tally.night_minutes, tally.blackout_minutes, tally.busy, tally.told[REST],
        tally.told["rule breached"], tally.told[WAIVED], tally.told["glass called"], tally.told[HELD],
    )


def _chart(facts: Facts, found: Load) -> Chart:
    counted = Counter((each.night, each.what.organisation) for each in found.calls)
    points = tuple(
        (night.isoformat(), side.name, float(counted[night, key]))
        for night in found.nights for key, side in facts.config.organisations.items()
    )
    tally = found.tally(found.everybody)
    some, worst = len(tally.by_night), tally.worst
    title = NO_CHARTED.format(all=len(found.nights)) if worst is None else CHARTED.format(
        some=some, all=len(found.nights), most=worst[1], worst=_day(worst[0]))
    alt = title if not found.nights else CHART_ALT.format(
        first=_day(found.nights[0]), last=_day(found.nights[-1]), calls=len(found.calls), some=some)
    return Chart("wake-ups-per-night", title, alt, "stacked", N_("night"), N_("interruptions"), points)


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"
