"""The bridge to the working-time rules: what they find in a roster, in a change of it, and who may waive a finding."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import sqlalchemy as sa

from bot import labour
from bot.config import Config
from bot.discover import discover
from bot.errors import Refused
from bot.labour import Case, Finding, Rule, Span, View
from bot.labour.checking import about
from bot.labour.checking import examine as examine_case
from bot.labour.profiles import Profile, load
from bot.services.desk import Actor
from bot.services.rota import roster
from bot.services.rota.roster import Slot
from bot.services.worktime import timesheets, waivers
from bot.store import programmes

AROUND = timedelta(days=1)          # a change is asked about with the days around it
MOST_TOLD = 8

FORBIDDEN = "The working-time rules of {side} do not allow it:"
LINE = "• {rule} {person}: {message}. Lawful: {lawful}. ({source})"
MORE = "… and {count} more: `vigie rota check` prints them all."
WAIVABLE = "For {rules} the law knows a waiver: a lead or rota admin of {side} may give it, with a written reason."
OTHERS = "The working-time rules of {side} do not allow it. {side} knows why, and decides about its own people."


def case(
    connection: sa.Connection, config: Config, person: str, start: datetime, end: datetime, now: datetime,
    view: View = "planned",
) -> Case:
    """Somebody's time for the rules, as planned (and published), or as it was."""
    spans = timesheets.everybody(connection, config, start, end, now, view).get(person, [])
    return _case(connection, config, person, spans, start, end, now, view)


def examine(
    connection: sa.Connection, config: Config, organisation: str, start: datetime, end: datetime, now: datetime,
    view: View = "planned",
) -> list[Finding]:
    """What the rules find in [start, end) of an organisation's roster, sorted by time; nothing where no rules are named."""
    profile = profile_of(config, organisation)
    if profile is None:
        return []
    spans = timesheets.everybody(connection, config, start, end, now, view)
    found = (
        finding for person in _people(config, organisation) if person in spans
        for finding in _find(_case(connection, config, person, spans[person], start, end, now, view), profile)
    )
    known = waivers.told(connection, config, organisation, list(found), start, end)
    return sorted(known, key=lambda each: (each.start, each.person, each.rule))


def of_change(
    connection: sa.Connection, config: Config, gains: Mapping[str, Sequence[Slot]], losses: Mapping[str, Sequence[Slot]],
    now: datetime, reason: str | None = None,
) -> list[Finding]:
    """What the rules find that this change newly causes; what is gained is published now, for `reason`."""
    slots = [each for given in (gains, losses) for some in given.values() for each in some]
    if not slots:
        return []
    start, end = min(each.start for each in slots) - AROUND, max(each.end for each in slots) + AROUND
    everybody = timesheets.everybody(connection, config, start, end, now)
    others = [*_standing(connection, config, slots), *((who, each) for who, some in gains.items() for each in some)]
    found: list[Finding] = []
    for person in sorted({*gains, *losses} & config.people.keys()):
        profile = profile_of(config, config.people[person].organisation)
        if profile is None:
            continue
        before, gained = everybody.get(person, []), gains.get(person, ())
        rest = timesheets.without(before, [*losses.get(person, ()), *gained])
        after = [*rest, *timesheets.gained(person, gained, others, now, reason)]
        was, becomes = (
            _find(_case(connection, config, person, spans, start, end, now), profile) for spans in (before, after)
        )
        found += _new(was, becomes, bool(gained))
    return found


def _standing(connection: sa.Connection, config: Config, slots: Sequence[Slot]) -> list[tuple[str | None, Slot]]:
    """Who has what at these times, as it stands."""
    start, end = min(each.start for each in slots), max(each.end for each in slots)
    names = sorted({each.coverage for each in slots} & config.coverages.keys())
    return [(each.person, each) for name in names for each in roster.slots(connection, config, name, start, end)]


def sift(
    connection: sa.Connection, config: Config, person: str, slots: Sequence[Slot], now: datetime
) -> dict[Slot, Finding]:
    """Which of these planned slots a hard finding forbids that person, when they are given one after the other."""
    profile = profile_of(config, config.people[person].organisation)
    if profile is None or not slots:
        return {}
    start, end = slots[0].start - AROUND, slots[-1].end + AROUND
    spans = timesheets.without(timesheets.everybody(connection, config, start, end, now).get(person, []), slots)
    forbidden: dict[Slot, Finding] = {}
    known = hard(_find(_case(connection, config, person, spans, start, end, now), profile))
    for slot in slots:
        tried = [*spans, timesheets.span(slot)]
        found = hard(_find(_case(connection, config, person, tried, start, end, now), profile))
        if new := _new(known, found, gained=True):
            forbidden[slot] = new[0]
        else:
            spans, known = tried, found
    return forbidden


def hard(findings: Iterable[Finding]) -> list[Finding]:
    """Those that block."""
    return [each for each in findings if each.severity == "hard"]


def profile_of(config: Config, organisation: str) -> Profile | None:
    """The rules' figures for an employer, with its agreements; None where vigie.yaml names no rules."""
    found = config.organisations[organisation].labour
    return load(found.profile, timesheets.agreements(config, organisation)) if found else None


def itself(config: Config, organisation: str) -> str | None:
    """What the tool must say of itself beneath findings; None where no rules are named."""
    profile = profile_of(config, organisation)
    return about(profile) if profile else None


# --- findings that may be waived ----------------------------------------------------------------------------------------------


def require(
    connection: sa.Connection, config: Config, findings: Sequence[Finding], actor: Actor, waived: str | None, now: datetime
) -> list[Finding]:
    """Raises Refused for hard findings that nobody waives; returns those that are to be told.

    `waived` is the reason for waiving those whose rule has a waiver: by a lead or rota admin of the person's organisation.
    """
    blocking = hard(findings)
    open_ones = [each for each in blocking if waived is None or each.waiver is None]
    if open_ones:
        raise Refused(refusal(config, open_ones, actor))
    if blocking:
        waivers.give(connection, config, blocking, actor, now, (waived or "").strip())
    return [each for each in findings if each.severity != "hard"]


def refusal(config: Config, findings: Sequence[Finding], actor: Actor) -> str:
    """The first findings that block; to people of another organisation only that there are some."""
    organisation = config.people[findings[0].person].organisation
    side = config.organisations[organisation].name
    if actor.organisation != organisation:
        return OTHERS.format(side=side)
    waivable = sorted({each.rule for each in findings if each.waiver})
    more = [MORE.format(count=len(findings) - MOST_TOLD)] if len(findings) > MOST_TOLD else []
    more += [WAIVABLE.format(rules=", ".join(waivable), side=side)] if waivable else []
    return "\n".join([FORBIDDEN.format(side=side), *(line(config, each) for each in findings[:MOST_TOLD]), *more])


def line(config: Config, finding: Finding) -> str:
    """One finding in a sentence: rule, person, evidence, what would be lawful, article."""
    person = config.people.get(finding.person)
    return LINE.format(
        rule=finding.rule, person=person.name if person else finding.person, message=finding.message, lawful=finding.lawful,
        source=finding.source,
    )


# --- asking the rules -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _rules() -> tuple[Rule, ...]:
    return tuple(discover(labour, Rule).values())


def _find(given: Case, profile: Profile) -> list[Finding]:
    return examine_case(given, profile, _rules())


def _case(
    connection: sa.Connection, config: Config, person: str, spans: Sequence[Span], start: datetime, end: datetime,
    now: datetime, view: View = "planned",
) -> Case:
    """Statements are asked for of what was, not of what is planned."""
    organisation = config.people[person].organisation
    return Case(
        timesheets.worker(config, person), timesheets.employer(config, organisation, start, end), spans, start, end, view,
        programmes.statements(connection, person) if view == "actual" else {}, now if view == "actual" else None,
    )


def _people(config: Config, organisation: str) -> Iterator[str]:
    return (key for key, each in config.people.items() if each.organisation == organisation)


def _new(before: Sequence[Finding], after: Sequence[Finding], gained: bool) -> list[Finding]:
    """What was not found before. Who only loses time cannot be worse off where the same rule already spoke."""
    if gained:
        known = {(each.rule, each.severity, each.start, each.end, each.message) for each in before}
        return [each for each in after if (each.rule, each.severity, each.start, each.end, each.message) not in known]
    return [each for each in after if not any(_same(each, other) for other in before)]


def _same(one: Finding, other: Finding) -> bool:
    return (one.rule, one.severity) == (other.rule, other.severity) and one.start < other.end and one.end > other.start
