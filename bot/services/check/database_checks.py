"""Whether the database can be worked with: tables, rights, a file that survives a power cut, room on the disk."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from bot.services.check.findings import Finding, Level
from bot.store.migrate import at_head

TABLES_FINE = "the database has this Vigie's tables"
TABLES_OLD = "the database does not have this Vigie's tables"
MIGRATE = "Run `vigie migrate` (with the owner's address in VIGIE_MIGRATE_URL on PostgreSQL)."
NO_DATABASE = "Vigie calls the database at {url} and cannot work with it: {reason}"
LOOK_AT_DATABASE = "Look whether it runs and lets this host, user and password in: DATABASE_URL."
FILE_ABSENT = "{file} is not there yet"
SERVE_MAKES_IT = "Nothing to do: `vigie serve` makes it when it starts."
FOLDER_CLOSED = "Vigie may not write in {folder}, where its database is to be"
OPEN_FOLDER = "Give the user who runs Vigie that folder, or name another file in DATABASE_URL."
FILE_FINE = "{file} can be written, and each commit reaches the disk"
NOT_SYNCHRONOUS = "{file} is written with synchronous={given}: a power cut could lose answered alerts"
JOURNAL_OPEN = "the role \"{role}\" of DATABASE_URL may change or delete journal entries"
TWO_ROLES = "Migrate as the owner with VIGIE_MIGRATE_URL, and give DATABASE_URL a role of its own (docs/journal.md)."
JOURNAL_ABSENT = "the journal has no table yet"
REPORT = "Report it: Vigie sets synchronous=FULL on each connection."
JOURNAL_FINE = "the role \"{role}\" can only add to the journal"
DISK_FINE = "{free} free at {folder}"
DISK_LOW = "only {free} free at {folder}"
MAKE_ROOM = "Keep {wanted} free: migrations copy tables, and a full disk stops the intake."

DISK_WARNING, DISK_FAULT = 2 * 2**30, 200 * 2**20
ROOM_FOR_COPIES = 2.5       # a migration may rewrite every table
FULL = 2                    # SQLite's number for synchronous=FULL


def look(address: str, open_engine: Callable[[str], sa.Engine], free: Callable[[Path], int]) -> list[Finding]:
    """All that can be said about the database at `address`; nothing is written."""
    url = sa.make_url(address)
    file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
    if file and not file.exists():
        return [_absent(file), _room(file, free)]
    engine = open_engine(address)
    try:
        findings = [_tables(engine), _file(engine, file) if file else _rights(engine)]
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        what = NO_DATABASE.format(url=url.render_as_string(), reason=reason)
        findings = [Finding("database", "fault", what, LOOK_AT_DATABASE)]
    finally:
        engine.dispose()
    return [*findings, _room(file, free)] if file else findings


def _absent(file: Path) -> Finding:
    folder = file.absolute().parent
    if not os.access(folder, os.W_OK):
        return Finding("sqlite-write", "fault", FOLDER_CLOSED.format(folder=folder), OPEN_FOLDER)
    return Finding("tables", "warning", FILE_ABSENT.format(file=file), SERVE_MAKES_IT)


def _tables(engine: sa.Engine) -> Finding:
    if at_head(engine):
        return Finding("tables", "ok", TABLES_FINE)
    return Finding("tables", "fault", TABLES_OLD, MIGRATE)


def _file(engine: sa.Engine, file: Path) -> Finding:
    """A transaction takes the writer's lock (BEGIN IMMEDIATE), so a closed file is found; nothing is written."""
    with engine.connect() as connection:
        synchronous = int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())
    if synchronous < FULL:
        return Finding("sqlite-sync", "fault", NOT_SYNCHRONOUS.format(file=file, given=synchronous), REPORT)
    return Finding("sqlite-write", "ok", FILE_FINE.format(file=file))


def _rights(engine: sa.Engine) -> Finding:
    """On PostgreSQL the application's role must not be able to rewrite history."""
    with engine.connect() as connection:
        role = connection.scalar(sa.text("SELECT current_user"))
        if not sa.inspect(connection).has_table("journal"):
            return Finding("journal-rights", "ok", JOURNAL_ABSENT)
        may = connection.scalar(sa.text("SELECT has_table_privilege('journal', 'UPDATE, DELETE, TRUNCATE')"))
    if may:
        return Finding("journal-rights", "warning", JOURNAL_OPEN.format(role=role), TWO_ROLES)
    return Finding("journal-rights", "ok", JOURNAL_FINE.format(role=role))


def _room(file: Path, free: Callable[[Path], int]) -> Finding:
    folder = file.absolute().parent
    left = free(folder)
    wanted = max(DISK_WARNING, int(ROOM_FOR_COPIES * (file.stat().st_size if file.exists() else 0)))
    if left >= wanted:
        return Finding("disk", "ok", DISK_FINE.format(free=_size(left), folder=folder))
    level: Level = "fault" if left < DISK_FAULT else "warning"
    low = DISK_LOW.format(free=_size(left), folder=folder)
    return Finding("disk", level, low, MAKE_ROOM.format(wanted=_size(wanted)))


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
