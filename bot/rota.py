"""`vigie rota`: who is on when, what the working-time rules say of it, calendars, monthly statements. It only looks."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from bot.config import Config
from bot.errors import Refused
from bot.labour import Finding
from bot.labour.checking import change_nights
from bot.ports import SystemClock
from bot.services.leave.hours import DAY, local_date
from bot.services.rota import exporting, planning, showing
from bot.services.rota.roster import Slot
from bot.services.worktime import lawful, statements
from bot.settings import Settings
from bot.store.db import create_engine, metadata, reader
from bot.store.migrate import require
from bot.store.statements import of_month

AHEAD, WIDTH = timedelta(days=60), 120

HEAD = "{coverage}, {zone} time, {first} 00:00 to {last} 00:00"
COLUMNS = ("Day", "Hours", "Team", "Mode", "Primary", "Secondary", "")
NO_GAPS, GAPS = "Every minute has somebody in each role.", "Marked lines have nobody in a role: {count}."
NOT_PUBLISHED = "Nothing is published yet: this is what vigie.yaml plans."

SIDE = "{side} ({organisation}), {first} to {last}"
FINDING = "{severity} {line}"
WORDS = {"hard": "FORBIDDEN", "warn": "remark"}
NO_FINDINGS, COUNTS = "  No findings.", "  Forbidden: {hard}, remarks: {warn}."
NO_RULES = "  vigie.yaml names no working-time rules for it (`labour`): nothing was checked."
LAWFUL = "{message}. Lawful: {lawful}"
WRITTEN = "{file}: {count} shifts."

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
NO_MONTH = "{given}: that is no month. Write it as 2026-10."
NO_STATEMENT = "No statement was given for {month}: each is given on the first working day after a month with on-call time."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Range:
    """Days as they were typed; without them, from today for 60 days."""

    first: str = ""
    last: str = ""

    def days(self, config: Config, now: datetime) -> tuple[date, date]:
        own = next(each.timezone for each in config.organisations.values() if each.kind == "own")
        first = showing.day_of("from", self.first) if self.first else local_date(own, now)
        return first, showing.day_of("to", self.last) if self.last else first + AHEAD


def show(settings: Settings, config: Config, given: Range, coverage: str | None, as_json: bool, out: TextIO) -> None:
    """Every minute of the days, for each role: as JSON, or as a table with local times."""
    now = SystemClock().now()
    first, last = given.days(config, now)
    names = showing.coverages(config, coverage)
    with looking(settings) as connection:
        slots = showing.slots(connection, config, names, first, last)
    if as_json:
        out.write(json.dumps(showing.for_machines(slots), ensure_ascii=False, indent=2) + "\n")
        return
    console = _console(out)
    for name in names:
        console.print(_table(config, name, slots, first, last))
    _below(console, slots)


def check(settings: Settings, config: Config, given: Range, as_json: bool, say: Say) -> bool:
    """What the rules find, organisation by organisation; true when nothing is forbidden."""
    now = SystemClock().now()
    first, last = given.days(config, now)
    found: list[Finding] = []
    with looking(settings) as connection:
        for organisation, side in config.organisations.items():
            start, end = showing.span(ZoneInfo(side.timezone), first, last)
            mine = examine(connection, config, organisation, start, end, now)
            found += mine
            if not as_json:
                _tell(config, organisation, mine, first, last, say)
    if as_json:
        say(json.dumps([_for_machines(each) for each in found], ensure_ascii=False, indent=2))
    return not lawful.hard(found)


def examine(
    connection: sa.Connection, config: Config, organisation: str, start: datetime, end: datetime, now: datetime
) -> list[Finding]:
    """What is planned; and of what is over, what was."""
    actual = lawful.examine(connection, config, organisation, start, min(end, now), now, "actual") if start < now else []
    told = {(each.rule, each.person, each.start, each.end) for each in actual}
    planned = lawful.examine(connection, config, organisation, start, end, now)
    left = [each for each in planned if (each.rule, each.person, each.start, each.end) not in told]
    return sorted([*actual, *left], key=lambda each: (each.start, each.person, each.rule))


def calendar(settings: Settings, config: Config, given: exporting.Wanted, file: Path | None, out: TextIO, say: Say) -> None:
    """Writes the calendar to a file, or out."""
    with looking(settings) as connection:
        made = exporting.export(connection, config, given, SystemClock().now())
    if file is None:
        out.write(made.decode())
        return
    file.write_bytes(made)
    say(WRITTEN.format(file=file, count=made.count(b"BEGIN:VEVENT")))


def statement(settings: Settings, config: Config, month: str, person: str | None, as_csv: bool, out: TextIO) -> None:
    """The statements of on-call time that were given for a month: as people read them, or as a table."""
    if not MONTH.fullmatch(month):
        raise Refused(NO_MONTH.format(given=month))
    who = exporting.wanted(config, person, None, None).person
    with looking(settings) as connection:
        given = of_month(connection, month, who)
    if as_csv:
        out.write(statements.as_csv(given))
    elif given:
        out.write("\n\n".join(statements.shown(config, each).replace("*", "") for each in given) + "\n")
    else:
        out.write(NO_STATEMENT.format(month=month) + "\n")


@contextmanager
def looking(settings: Settings) -> Iterator[sa.Connection]:
    """The database; an empty one in memory before the first start, so that a rota can be looked at before it counts."""
    place = sa.make_url(settings.database_url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        engine = create_engine("sqlite://", poolclass=sa.StaticPool)
        metadata.create_all(engine)
    else:
        require(settings.database_url)
        engine = create_engine(settings.database_url)
    try:
        with reader(engine) as connection:
            yield connection
    finally:
        engine.dispose()


# --- as people read it ------------------------------------------------------------------------------------------------------


def _console(out: TextIO) -> Console:
    console = Console(file=out, highlight=False)
    return console if console.is_terminal else Console(file=out, highlight=False, width=WIDTH)


def _table(config: Config, coverage: str, slots: Sequence[Slot], first: date, last: date) -> Table:
    zone = planning.zone_of(config, config.coverages[coverage]).key
    made = Table(title=HEAD.format(coverage=coverage, zone=zone, first=first, last=last), title_justify="left")
    for each in COLUMNS:
        made.add_column(each)
    day = ""
    for line in showing.table(config, coverage, slots):
        shown = line.day if line.day != day else ""
        style = "bold red" if line.gap else "bold" if line.note else ""
        made.add_row(shown, line.hours, line.team, line.mode, line.primary, line.secondary, line.note, style=style)
        day = line.day
    return made


def _below(console: Console, slots: Sequence[Slot]) -> None:
    gaps = sum(each.person is None for each in slots)
    console.print(GAPS.format(count=gaps) if gaps else NO_GAPS)
    if slots and not any(each.shift for each in slots):
        console.print(NOT_PUBLISHED)


def _tell(config: Config, organisation: str, found: Sequence[Finding], first: date, last: date, say: Say) -> None:
    say(SIDE.format(side=config.organisations[organisation].name, organisation=organisation, first=first, last=last - DAY))
    itself = lawful.itself(config, organisation)
    if itself is None:
        say(NO_RULES + "\n")
        return
    for each in found:
        line = lawful.line(config, each).removeprefix("• ")
        say("  " + FINDING.format(severity=WORDS[each.severity], line=line))
    zone = ZoneInfo(config.organisations[organisation].timezone)
    for night in change_nights(zone, *showing.span(zone, first, last)):
        say(f"  {night}")
    hard = len(lawful.hard(found))
    say(COUNTS.format(hard=hard, warn=len(found) - hard) if found else NO_FINDINGS)
    say(f"  {itself}\n")


def _for_machines(finding: Finding) -> dict[str, str]:
    return {
        "rule": finding.rule, "severity": finding.severity, "person": finding.person, "start": finding.start.isoformat(),
        "end": finding.end.isoformat(), "message": LAWFUL.format(message=finding.message, lawful=finding.lawful),
        "source": finding.source,
    }
