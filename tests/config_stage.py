"""A stage for the tests of what people write: vigie.yaml and runbooks, whole and with one thing changed."""

from datetime import date
from functools import cache
from pathlib import Path

import runbooks.actions
from bot.config import Config, Reading, Shelf, load_config, read_catalogue, read_config
from bot.discover import discover
from runbooks.actions import Service

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "bot" / "vigie.example.yaml"
TEXT = EXAMPLE.read_text()


def reading(folder: Path, text: str | bytes) -> Reading:
    """What is read from a file that says `text`."""
    path = folder / "vigie.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(path)


def changed(old: str, new: str) -> str:
    """The example with one thing changed."""
    assert old in TEXT, f"the example no longer says {old!r}"
    return TEXT.replace(old, new, 1)


@cache
def example() -> Config:
    """The shipped example, read once: a configuration never changes."""
    return load_config(EXAMPLE)


def line_with(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


# --- runbooks ---

RUNBOOKS = ROOT / "tests" / "samples" / "runbooks"
BACKLOG = (RUNBOOKS / "queue-backlog.yaml").read_text()
TODAY = date(2026, 11, 22)


@cache
def actions() -> dict[str, Service]:
    """The family of actions, read once."""
    return discover(runbooks.actions, Service)


def backlog(old: str, new: str, line: str = "") -> str:
    """The sample with one thing changed; with `line`, only from the line that says so on."""
    start = BACKLOG.index(line)
    assert old in BACKLOG[start:], f"the sample no longer says {old!r} below {line!r}"
    return BACKLOG[:start] + BACKLOG[start:].replace(old, new, 1)


def shelf(folder: Path, *texts: str, config: Config | None = None, **named: str) -> Shelf:
    """What is read from a folder of runbooks: the sample's name for a bare text, else the names given."""
    files = {"queue-backlog": texts[0]} if texts else {}
    for name, text in (files | {key.replace("_", "-"): each for key, each in named.items()}).items():
        (folder / f"{name}.yaml").write_text(text)
    return read_catalogue(folder, config or example(), actions(), TODAY)
