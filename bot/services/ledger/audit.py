"""Proves the journal: verify it against its seals and a posted head, export it, check an export by itself."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TextIO, TypeVar, get_type_hints

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.errors import Refused
from bot.services.ledger.faults import Fault, Head
from bot.services.ledger.inspection import Inspection
from bot.services.ledger.sealing import GENESIS, instant
from bot.store import journal
from bot.store.journal import Line, Seal

HEAD = re.compile(r"(?:seal\s+)?(?:(\d+)[:\s]\s*)?([0-9a-f]{12,64})")
NOT_A_HEAD = "'{text}' is not a head: give it as posted, for instance 218:3f9a0c5512de (12 digits of the hash or more)."
NOT_EXPORTED = "Line {number} is not of a journal's export: each line is {{\"entry\": ...}} or {{\"seal\": ...}}."
DAILY = (
    "Journal of {day:%-d %b %Y} (UTC): {entries:,} entries in {seals:,} seals. Newest seal: `{head}`\n"
    "Kept here, it proves later that nothing was rewritten: `vigie audit verify --head {short}`"
)
FIRST = (
    "The journal begins. Newest seal: `{head}`\n"
    "Kept here, it proves later that nothing was rewritten: `vigie audit verify --head {short}`"
)
PLACED = ("id", "at")                 # an entry without these has no place; what else is false in it, its seal tells

Told = TypeVar("Told", Line, Seal)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an inspection found."""

    entries: int
    seals: int
    unsealed: int
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def first_bad(self) -> dict[str, Any] | None:
        return {"id": self.faults[0].id, "why": str(self.faults[0])} if self.faults else None

    def answer(self) -> dict[str, Any]:
        """For machines (contract: `vigie audit verify --json`)."""
        return {"entries": self.entries, "ok": self.ok, "first_bad": self.first_bad}


def verify(
    connection: sa.Connection,
    head: str | None = None,
    public_key: Ed25519PublicKey | None = None,
    now: datetime | None = None,
) -> Verdict:
    """Reads the whole journal page by page; `now` lets it tell entries that should have been sealed long ago.

    The connection must be one for looking only: on SQLite its transaction ends between two pages.
    """
    inspection = Inspection(parse_head(head), public_key, now)
    return _inspect(inspection, _told(connection))


def head(connection: sa.Connection) -> str:
    """The newest seal as it is posted: number and hash."""
    last = journal.last_seal(connection)
    return _posted(last)


def daily_head(connection: sa.Connection, day: date) -> str | None:
    """What #review is told about a day (UTC) once it is over; None when nothing had been sealed by then."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    last = journal.last_seal(connection, before=end)
    if last is None:
        return None
    entries, seals = journal.between(connection, start, end)
    return DAILY.format(day=day, entries=entries, seals=seals, head=_posted(last), short=f"{last.id}:{last.hash[:16]}")


def first_head(connection: sa.Connection) -> str | None:
    """What #review is told on the first day, when no day is over yet; None before the first seal."""
    last = journal.last_seal(connection)
    return FIRST.format(head=_posted(last), short=f"{last.id}:{last.hash[:16]}") if last else None


def export(connection: sa.Connection, out: TextIO) -> int:
    """One JSON line for each entry and, behind its entries, each seal; returns how many lines. The note of `verify`."""
    lines = 0
    for each in _told(connection):
        if each:
            out.write(as_line(each) + "\n")
            lines += 1
    return lines


def verify_export(
    lines: Iterable[str],
    head: str | None = None,
    public_key: Ed25519PublicKey | None = None,
    now: datetime | None = None,
) -> Verdict:
    """The same proof from an export alone; raises Refused when a line cannot be read."""
    inspection = Inspection(parse_head(head), public_key, now)
    return _inspect(inspection, (_read(number, line) for number, line in enumerate(lines, 1)))


def parse_head(text: str | None) -> Head | None:
    """'218:3f9a...', 'seal 218 3f9a...' or the hash alone; raises Refused when it is none of them."""
    if text is None:
        return None
    found = HEAD.fullmatch(text.strip().lower())
    if not found:
        raise Refused(NOT_A_HEAD.format(text=text))
    number = int(found[1]) if found[1] else None
    return None if number == 0 else Head(found[2], number)         # 0: nothing had been sealed then


def _told(connection: sa.Connection) -> Iterator[Line | Seal | None]:
    """Each entry before the seal over it, None behind the last; that one is fixed first: the journal grows."""
    last = journal.last_seal(connection)
    entries = journal.all_lines(connection)
    entry = next(entries, None)
    for seal in journal.all_seals(connection, last.id if last else 0):
        while entry and entry.id <= seal.to_id:
            yield entry
            entry = next(entries, None)
        yield seal
    yield None
    while entry:
        yield entry
        entry = next(entries, None)


def _inspect(inspection: Inspection, told: Iterable[Line | Seal | None]) -> Verdict:
    for each in told:
        match each:
            case Line():
                inspection.entry(each)
            case Seal():
                inspection.seal(each)
            case None:
                inspection.behind = True
    inspection.finish()
    return Verdict(inspection.entries, inspection.seals, inspection.unsealed, tuple(inspection.faults))


def _posted(seal: Seal | None) -> str:
    return f"{seal.id}:{seal.hash}" if seal else f"0:{GENESIS}"


def as_line(told: Line | Seal) -> str:
    """An entry or a seal as an export holds it."""
    if isinstance(told, Line):
        return json.dumps({"entry": told._asdict()}, ensure_ascii=False, default=repr)
    return json.dumps({"seal": asdict(told) | {"sealed_at": instant(told.sealed_at)}}, ensure_ascii=False)


def _read(number: int, line: str) -> Line | Seal:
    try:
        (kind, columns), = json.loads(line).items()
        if kind == "entry":
            return _typed(Line(**columns), PLACED)
        return _typed(Seal(**columns | {"sealed_at": datetime.fromisoformat(columns["sealed_at"])}), Seal.__slots__)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Refused(NOT_EXPORTED.format(number=number)) from fault


def _typed(told: Told, names: Collection[str]) -> Told:
    """What others may have written holds in these columns what it should; raises TypeError."""
    kinds = get_type_hints(type(told))
    for name in names:
        if not isinstance(getattr(told, name), kinds[name]):
            raise TypeError(name)
    return told
