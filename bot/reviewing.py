"""`vigie review`: a month's review from the database alone, as a page, a PDF, tables or JSON. It only looks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa
from rich.console import Console

from bot.config import Config
from bot.errors import Refused
from bot.ports import SystemClock
from bot.review.forms import audience, sheets
from bot.services.review import giving, reading
from bot.services.review.giving import Form
from bot.services.review.reading import Read
from bot.settings import Settings
from bot.store.db import create_engine, reader

READING, MAKING = "Reading the month ...", "Writing it down ..."
WRITTEN = "{file}: {month}, {state}, for {whom}."
OPEN, UNSEALED, SEALED = "so far, provisional", "not sealed", "version {version}, sealed"
DIGEST = "SHA-256 {digest}"
BOTH, LEFT_OUT = "both sides", "Left out is what only {side} may see: --for {key} has it."
NO_FOLDER = "{folder} is not a folder that can be written to: {why}."

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, as it was typed."""

    month: str | None = None
    form: Form = "html"
    folder: Path | None = None          # without it JSON and CSV go out, a page and a PDF into a file here
    side: str | None = None
    version: int | None = None


def review(settings: Settings, config: Config, wanted: Wanted, out: TextIO, say: Say) -> None:
    """Raises Refused for a month, a version or a side that is not there, Misbuilt without the extra `report`."""
    engine = create_engine(settings.database_url)
    waiting = Console(stderr=True)
    try:
        with reader(engine) as connection:
            with waiting.status(READING):
                found = reading.get(connection, config, wanted.month, SystemClock().now(), wanted.version)
            with waiting.status(MAKING):
                files = _files(connection, config, found, wanted)
    finally:
        engine.dispose()
    if wanted.folder is None and wanted.form in ("json", "csv"):
        out.write(files[sheets.FIGURES if wanted.form == "csv" else _name(found, wanted)].decode())
        return
    _keep(config, found, wanted, files, say)


def _files(connection: sa.Connection, config: Config, found: Read, wanted: Wanted) -> dict[str, bytes]:
    """What is made, by the names under which it is kept; in a folder tables are not put together."""
    if wanted.form != "csv":
        copy = giving.give(connection, config, found, wanted.side, wanted.form)
        return {copy.name: copy.body}
    texts = giving.tables(connection, config, found, wanted.side)
    return {name: text.encode("utf-8-sig" if wanted.folder else "utf-8") for name, text in texts.items()}


def _name(found: Read, wanted: Wanted) -> str:
    return f"{giving.stem(found, wanted.side)}.{wanted.form}"


def _keep(config: Config, found: Read, wanted: Wanted, files: Mapping[str, bytes], say: Say) -> None:
    folder = wanted.folder or Path()
    if wanted.form == "csv":
        folder = folder / giving.stem(found, wanted.side)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in files.items():
            (folder / name).write_bytes(body)
    except OSError as error:
        raise Refused(NO_FOLDER.format(folder=folder, why=error.strerror)) from error
    _tell(config, found, wanted, folder if wanted.form == "csv" else folder / next(iter(files)), say)


def _tell(config: Config, found: Read, wanted: Wanted, file: Path, say: Say) -> None:
    state = SEALED.format(version=found.sealed.version) if found.sealed else OPEN if found.month.is_open else UNSEALED
    whom = config.organisations[wanted.side].name if wanted.side else BOTH
    say(WRITTEN.format(file=file, month=found.month.name, state=state, whom=whom))
    for note in found.review.notes:
        say(note)
    for key in [] if wanted.side else audience.sides(found.review):
        say(LEFT_OUT.format(side=config.organisations[key].name, key=key))
    say(DIGEST.format(digest=found.digest))
