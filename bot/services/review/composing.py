"""From a month's facts to its review: every chapter in its place, trends beside figures, notes above all."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

import bot.review
from bot.discover import discover
from bot.review import N_, Chapter, Facts, Figure, Review, Section, Trend, Unit
from bot.review.arithmetic.earlier import begun_in, known_days
from bot.review.facts import Past
from bot.review.forms import wording
from bot.services.review.undisturbed import undisturbed

NO_EARLIER = N_("no earlier month")
NOT_THEN = N_("not known for the month before")
UNSURE = N_("not compared: too little is known of it")
PART = N_("not compared: {month} is known from {day} on only")
BEGAN = N_("Vigie began on {day}: the last {days} days of the month are known, and counts are of these only.")
BEFORE_IT_BEGAN = N_("Vigie began at {at}, after this month: nothing is known of it.")
REDEFINED = N_("its definition changed: version {before} then, {now} now")

PROVISIONAL = N_("So far, provisional: facts up to {as_of}; the month can be signed from {cut_off} on.")
BROKEN = N_("The journal is not whole: entry {entry}, {why}. This review cannot be signed.")

SUMS: tuple[Unit, ...] = ("count", "minutes", "hours", "money")         # they grow with the days; shares and times do not


@cache
def chapters() -> tuple[Chapter, ...]:
    """The family, in the order in which it is read."""
    return tuple(sorted(discover(bot.review, Chapter).values(), key=lambda each: each.number))


@undisturbed()
def compose(facts: Facts, version: int = 0) -> Review:
    """The review of these facts; version 0 is provisional."""
    written: dict[str, Section] = {}
    figures: dict[str, Figure] = {}
    for each in sorted(chapters(), key=lambda one: (one.last, one.number)):
        section = each.write(facts, figures)
        written[each.name] = section
        figures.update((figure.name, figure) for figure in section.figures if figure.name not in figures)
    month = facts.month
    return Review(
        month=month.name, zone=month.zone, start=month.start.isoformat(), end=month.end.isoformat(),
        as_of=month.as_of.isoformat(), state="provisional" if version == 0 else "sealed", version=version,
        organisations={key: each.name for key, each in facts.config.organisations.items()},
        sections=tuple(written[each.name] for each in chapters()),
        trends=_trends(facts, figures),
        journal={
            "entries": facts.trail.entries, "ok": facts.trail.ok, "head": facts.trail.head, "sealed_to": facts.trail.sealed_to,
            "first_bad": facts.trail.first_bad, "why": facts.trail.why,
        },
        people={key: each.name for key, each in facts.config.people.items()},
        notes=tuple(_notes(facts)),
    )


def _trends(facts: Facts, figures: Mapping[str, Figure]) -> dict[str, Trend]:
    began = begun_in(facts, 1)
    part = PART.format(month=wording.before(facts.month.name), day=_day(facts, began)) if began else None
    return {name: trend(each, facts.before, part) for name, each in figures.items()}


def trend(figure: Figure, before: Mapping[str, Past] | None, part: str | None = None) -> Trend:
    """What the figure was a month ago, when it meant the same; of a month known in part no sum is compared, says `part`."""
    if before is None:
        return Trend(None, NO_EARLIER)
    past, now = before.get(figure.name), figure.definition.version
    if past is None or past.value is None:
        return Trend(None, NOT_THEN)
    if past.definition != now:
        return Trend(None, REDEFINED.format(before=past.definition, now=now))
    if part and figure.definition.unit in SUMS:
        return Trend(None, part)
    if figure.grey:
        return Trend(None, UNSURE)
    return Trend(past.value)


def _notes(facts: Facts) -> list[str]:
    month, trail = facts.month, facts.trail
    said = []
    if month.is_open:
        said.append(PROVISIONAL.format(as_of=_local(facts, month.as_of), cut_off=_local(facts, month.cut_off)))
    if trail.ok is False:
        said.append(BROKEN.format(entry=trail.first_bad, why=trail.why))
    if began := begun_in(facts):
        said.append(BEGAN.format(day=_day(facts, began), days=round(known_days(month, began))))
    if trail.began and trail.began >= month.end:
        said.append(BEFORE_IT_BEGAN.format(at=_local(facts, trail.began)))
    elif facts.before is None:
        said.append(NO_EARLIER[0].upper() + NO_EARLIER[1:] + ".")
    return said


def _day(facts: Facts, at: datetime) -> str:
    there = facts.month.local(at)
    return f"{there.day} {there:%b}"


def _local(facts: Facts, at: datetime) -> str:
    there = facts.month.local(at)
    return f"{there.day} {there:%b %Y %H:%M} ({facts.month.zone})"
