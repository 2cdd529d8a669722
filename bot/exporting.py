"""`vigie export`: an incident with its pre-filled reports, a month's log for DORA, a month's evidence for PCI DSS, as files."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import sqlalchemy as sa

from bot.config import Config
from bot.errors import Refused
from bot.ports import Clock, SystemClock
from bot.services.incident import exporting, ground
from bot.services.ledger import pci
from bot.services.ledger.pci import Item
from bot.services.review import choosing
from bot.services.review.facts import gathering
from bot.settings import Settings
from bot.store.db import create_engine, reader

WRITTEN = "{count} files in {folder}: {names}"
NO_FOLDER = "{folder} cannot be written ({why}): name another with --out."
PCI_NOTE = (
    "What Vigie can show of PCI DSS v4.0.1 for this month, each list in its own CSV. What it cannot show stands beside it. "
    "This is evidence, not an assessment."
)
INDEX = ("list", "requirement", "shows", "source", "cannot_show", "rows")


def incident(settings: Settings, config: Config, number: str, out: Path | None, say: Callable[[str], None]) -> None:
    """All that there is of one incident."""
    now = SystemClock().now()
    with reader(create_engine(settings.database_url)) as connection:
        found = ground.get(connection, config, number)
        files = exporting.files(connection, config, found, now)
    _write(files, out or Path(f"{found.ref}"), say)


def dora(settings: Settings, config: Config, month: str, out: Path | None, say: Callable[[str], None]) -> None:
    """The log of the month's incidents, and what recurs in six months."""
    now = SystemClock().now()
    chosen = choosing.month_of(config, month, now)
    with reader(create_engine(settings.database_url)) as connection:
        files = exporting.month_files(connection, config, chosen.start, chosen.end, now)
    _write(files, out or Path(f"dora-{chosen.name}"), say)


def card_data(settings: Settings, config: Config, month: str, out: Path | None, say: Callable[[str], None]) -> None:
    """The evidence list."""
    clock: Clock = SystemClock()
    with reader(create_engine(settings.database_url)) as connection:
        name, files = pci_files(connection, config, month, clock)
    _write(files, out or Path(f"pci-{name}"), say)


def pci_files(connection: sa.Connection, config: Config, month: str, clock: Clock) -> tuple[str, dict[str, str]]:
    """The name of the month, and its evidence by the name of the file."""
    now = clock.now()
    chosen = choosing.month_of(config, month, now)
    found = pci.items(connection, config, gathering.facts(connection, config, chosen), now)
    head = {"month": chosen.name, "as_of": chosen.as_of.isoformat(), "note": PCI_NOTE}
    lists = [{**asdict(each.evidence), "rows": len(each.rows)} for each in found]
    files = {"index.json": json.dumps({**head, "lists": lists}, ensure_ascii=False, indent=2) + "\n"}
    files["index.csv"] = exporting.as_csv(INDEX, map(_line, found))
    for each in found:
        rows = [dict(zip(each.evidence.columns, row, strict=True)) for row in each.rows]
        files[f"{each.evidence.name}.json"] = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
        files[f"{each.evidence.name}.csv"] = exporting.as_csv(each.evidence.columns, each.rows)
    return chosen.name, files


EXPORTS: Mapping[str, Callable[[Settings, Config, str, Path | None, Callable[[str], None]], None]] = {
    "incident": incident, "dora": dora, "pci": card_data,
}


def _line(each: Item) -> tuple[str | int, ...]:
    known = each.evidence
    return known.name, known.requirement, known.shows, known.source, known.cannot, len(each.rows)


def _write(files: Mapping[str, str], folder: Path, say: Callable[[str], None]) -> None:
    """Each text as it is: a spreadsheet's line ends too."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_bytes(text.encode())
    except OSError as problem:
        raise Refused(NO_FOLDER.format(folder=folder, why=problem.strerror)) from problem
    say(WRITTEN.format(count=len(files), folder=folder, names=", ".join(sorted(files))))
