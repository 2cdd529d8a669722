"""Somebody's time in local words, and what the rules say of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot import labour
from bot.discover import discover
from bot.labour import Agreement, Case, Employer, Figures, Finding, Rule, Span, Worker, profiles
from bot.labour.arithmetic.days import instant
from bot.labour.checking import examine

RULES = discover(labour, Rule)
FR = profiles.load("FR-2026.08")
PARIS = ZoneInfo("Europe/Paris")
PADOK = Employer("Padok", PARIS, sunday_basis="r3132-5: infogérance", night_basis="agreement of 1 March 2026")
ALICE = Worker("alice")


def at(text: str, zone: ZoneInfo = PARIS) -> datetime:
    """2026-10-25 08:00, as clocks show it."""
    day, hour = text.split()
    late = hour == "24:00"
    day_after = date.fromisoformat(day) + timedelta(days=late)
    return instant(day_after, time(0) if late else time.fromisoformat(hour), zone)


def span(start: str, end: str, kind: labour.Kind = "work", zone: ZoneInfo = PARIS, **more: Any) -> Span:
    """From `2026-10-25 08:00` to `12:00`, or to another day."""
    until = end if " " in end else f"{start.split()[0]} {end}"
    return Span(at(start, zone), at(until, zone), kind, **more)


def daily(first: str, days: int, start: str, end: str, kind: labour.Kind = "work", zone: ZoneInfo = PARIS) -> list[Span]:
    """The same hours on so many days in a row; over midnight if they end before they start."""
    found = []
    for count in range(days):
        day = date.fromisoformat(first) + timedelta(days=count)
        until = day + timedelta(days=end <= start)
        found.append(span(f"{day} {start}", f"{until} {end}", kind, zone))
    return found


def case(spans: Iterable[Span], worker: Worker = ALICE, employer: Employer = PADOK, **more: Any) -> Case:
    """About all of it: the days around are asked about too."""
    ordered = sorted(spans, key=lambda each: each.start)
    start = min((each.start for each in ordered), default=datetime(2026, 11, 2, tzinfo=UTC)) - timedelta(days=1)
    end = max((each.end for each in ordered), default=start) + timedelta(days=1)
    return replace(Case(worker, employer, ordered, start, end), **more)


def found(given: Case, *names: str, agreements: Iterable[Agreement] = ()) -> list[Finding]:
    """What these rules find."""
    return examine(given, profiles.load("FR-2026.08", agreements), [RULES[name] for name in names or RULES])


def severities(given: Case, name: str, agreements: Iterable[Agreement] = ()) -> list[str]:
    return [each.severity for each in found(given, name, agreements=agreements)]


def figures(rule: str, agreements: Iterable[Agreement] = ()) -> Figures:
    return profiles.load("FR-2026.08", agreements).figures[rule]


def holidays_of(*years: Mapping[date, str]) -> dict[date, str]:
    return {day: name for each in years for day, name in each.items()}
