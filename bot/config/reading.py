"""Reads vigie.yaml and tells every fault at once: file, line, what is wrong, what would be right; never a traceback."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.config.documents import Document, Fault, Misconfigured, Unreadable, read_document
from bot.config.kinds import VIGIE
from bot.config.models import Config
from bot.config.remarks import Book, Place, Remark, Saying
from bot.config.rules import RULES
from bot.config.shapes import examine

OWN_LINE = Saying('"line" is not a key here', "Vigie counts the lines itself: take it away.")

SECTIONS = ("organisations", "people", "channels", "services", "endpoints")
OPTIONAL = ("teams", "coverages", "rotations")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a configuration unless there are faults, and what works but is better changed."""

    config: Config | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    document: Document | None = None


def load_config(path: Path | str) -> Config:
    """The configuration; raises Misconfigured with every fault at once."""
    reading = read_config(path)
    if reading.config is None:
        raise Misconfigured(reading.faults)
    return reading.config


def read_config(path: Path | str) -> Reading:
    """The configuration, or its faults; and its warnings."""
    try:
        document = read_document(Path(path), VIGIE)
    except Unreadable as error:
        return Reading(None, (error.fault,), ())
    config, remarks = _remarks(document)
    faults, warnings = document.told(remarks)
    return Reading(None if faults else config, faults, warnings, document)


def _remarks(document: Document) -> tuple[Config | None, list[Remark]]:
    remarks = [*_number_rules(document), *document.secrets()]
    config, misshapen, left_out = examine(document.tree, VIGIE)
    remarks += misshapen
    if config is None:
        return None, remarks
    book = Book(config, {section: _names(document.tree, section) for section in (*SECTIONS, *OPTIONAL)})
    return config, remarks + known_only([remark for rule in RULES for remark in rule(book)], left_out)


def known_only(found: list[Remark], left_out: list[Place]) -> list[Remark]:
    """The remarks without those that hang on an entry that could not be read: they are not faults of their own."""
    return [each for each in found if not left_out or not (each.warning or _touches(each.place, left_out))]


def _touches(place: Place, left_out: list[Place]) -> bool:
    return any(place == other[: len(place)] or other == place[: len(other)] for other in left_out)


def _names(tree: dict[str, Any], section: str) -> frozenset[str] | None:
    given = tree.get(section, {} if section in OPTIONAL else None)
    return frozenset(name for name in given if isinstance(name, str)) if isinstance(given, dict) else None


def _number_rules(document: Document) -> Iterator[Remark]:
    """Writes into each rule the line where it stands: a card says which line decided."""
    rules = document.tree.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            if "line" in rule:
                yield OWN_LINE.at("rules", index, "line")
            rule["line"] = document.line(("rules", index))
