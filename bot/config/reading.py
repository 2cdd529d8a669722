"""Reads vigie.yaml and tells every fault at once: file, line, what is wrong, what would be right; never a traceback."""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from bot.config.models import Config
from bot.config.remarks import Book, Place, Remark, Saying
from bot.config.rules import RULES
from bot.config.shapes import examine
from bot.errors import Misbuilt

EXAMPLE = Path(__file__).parents[1] / "vigie.example.yaml"

NO_FILE = Saying("there is no such file", f"Start from a copy of {EXAMPLE}, or name yours with VIGIE_CONFIG.")
UNREADABLE = Saying("the file cannot be read: {reason}", "Let the user who runs Vigie read it.")
NOT_UTF8 = Saying("the file is not UTF-8 (byte {position})", "Save it as UTF-8.")
NO_CONTENT = Saying("the file is empty", "Start from vigie.example.yaml.")
NOT_MAPPING = Saying(
    "the file is not made of `key: value` lines",
    "It starts with `workspace:`, `organisations:` ...; see vigie.example.yaml.",
)
TAB = Saying("a tab stands where only spaces may", "Indent with spaces.")
TWICE = Saying('the key "{key}" stands twice in one section', "Keep one of them.")
SYNTAX = Saying("this is not YAML: {problem}", "Look at the line and the one above: a missing colon, quote or bracket?")
NO_VALUE = Saying("a value looks like a date or a number and is none", 'Put it in quotes: "...".')
TOO_DEEP = Saying(
    "sections are nested too deep, or an anchor holds itself", "vigie.yaml needs no more than six levels."
)
TOO_LARGE = Saying("the file unfolds to more than {most} values", "Use fewer anchors, or smaller ones.")
OWN_LINE = Saying('"line" is not a key here', "Vigie counts the lines itself: take it away.")
SECRET = Saying(
    "a secret stands in the file (not shown)",
    "Take it out, change it where it is used, and name the variable that holds it.",
)

NOT_SHOWN = "(not shown)"
TOKEN = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")
SECTIONS = ("organisations", "people", "channels", "services", "endpoints")
DEEPEST, MOST_VALUES = 32, 100_000


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with the file."""

    file: str
    line: int
    place: str
    what: str
    right: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (where, self.place, f"{self.what}. {self.right}"))).strip()


class Misconfigured(Misbuilt):
    """vigie.yaml is wrong; `faults` says all that is, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: a configuration unless there are faults, and what works but is better changed."""

    config: Config | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


class _Stop(Exception):
    """The file cannot be read further; carries the one remark and its line."""

    def __init__(self, remark: Remark, line: int = 0) -> None:
        super().__init__(remark.what)
        self.remark, self.line = remark, line


def load_config(path: Path | str) -> Config:
    """The configuration; raises Misconfigured with every fault at once."""
    reading = read_config(path)
    if reading.config is None:
        raise Misconfigured(reading.faults)
    return reading.config


def read_config(path: Path | str) -> Reading:
    """The configuration, or its faults; and its warnings."""
    file = Path(path).name
    try:
        document = _document(Path(path))
        tree = _plain(document, [0])
    except _Stop as stop:
        return Reading(None, (_fault(file, stop.remark, stop.line),), ())
    config, remarks = _remarks(document, tree)
    told = sorted((_fault(file, each, line_of(document, each.place)), each.warning) for each in remarks)
    faults = tuple(dict.fromkeys(fault for fault, warning in told if not warning))
    return Reading(None if faults else config, faults, tuple(fault for fault, warning in told if warning))


def _document(path: Path) -> Any:
    text = _text(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor defined twice is allowed by YAML 1.2
            document = YAML().load(text)
    except MarkedYAMLError as error:
        raise _Stop(_syntax(error), error.problem_mark.line + 1 if error.problem_mark else 0) from error
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise _Stop(SYNTAX.at(problem="a control character"), line) from error
    except (ValueError, TypeError, AttributeError) as error:  # ruamel, on an impossible date, number or tag
        raise _Stop(NO_VALUE.at()) from error
    except RecursionError as error:
        raise _Stop(TOO_DEEP.at()) from error
    if document is None:
        raise _Stop(NO_CONTENT.at())
    if not isinstance(document, dict):
        raise _Stop(NOT_MAPPING.at(), 1)
    return document


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise _Stop(NO_FILE.at()) from error
    except OSError as error:
        raise _Stop(UNREADABLE.at(reason=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise _Stop(NOT_UTF8.at(position=error.start), error.object[: error.start].count(b"\n") + 1) from error


def _syntax(error: MarkedYAMLError) -> Remark:
    problem = str(error.problem)
    if "'\\t'" in problem:
        return TAB.at()
    twice = re.match(r'found duplicate key "(.*?)"', problem)
    # the rest of that message quotes the value, which may be a secret
    return TWICE.at(key=twice[1]) if twice else SYNTAX.at(problem=problem)


def _plain(node: Any, count: list[int], depth: int = 0) -> Any:
    """The document as dicts, lists and plain scalars."""
    count[0] += 1
    if depth > DEEPEST:
        raise _Stop(TOO_DEEP.at())
    if count[0] > MOST_VALUES:
        raise _Stop(TOO_LARGE.at(most=MOST_VALUES))
    if isinstance(node, dict):
        return {
            _plain(key, count, depth + 1) if isinstance(key, str) else key: _plain(value, count, depth + 1)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_plain(each, count, depth + 1) for each in node]
    if isinstance(node, str):
        return str(node)
    return bool(node) if isinstance(node, ScalarBoolean) else node


def _remarks(document: Any, tree: dict[str, Any]) -> tuple[Config | None, list[Remark]]:
    remarks = [*_number_rules(document, tree), *_secrets(tree)]
    config, misshapen, left_out = examine(tree)
    remarks += misshapen
    if config is None:
        return None, remarks
    book = Book(config, {section: _names(tree, section) for section in SECTIONS})
    found = [remark for rule in RULES for remark in rule(book)]
    if left_out:  # what hangs on an entry that could not be read is not a fault of its own
        found = [each for each in found if not each.warning and not _touches(each.place, left_out)]
    return config, remarks + found


def _touches(place: Place, left_out: list[Place]) -> bool:
    return any(place == other[: len(place)] or other == place[: len(other)] for other in left_out)


def _names(tree: dict[str, Any], section: str) -> frozenset[str] | None:
    given = tree.get(section)
    return frozenset(name for name in given if isinstance(name, str)) if isinstance(given, dict) else None


def _number_rules(document: Any, tree: dict[str, Any]) -> Iterator[Remark]:
    """Writes into each rule the line where it stands: a card says which line decided."""
    rules = tree.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            if "line" in rule:
                yield OWN_LINE.at("rules", index, "line")
            rule["line"] = line_of(document, ("rules", index))


def _secrets(node: Any, place: Place = ()) -> Iterator[Remark]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _secrets(value, (*place, key))
    elif isinstance(node, str) and TOKEN.search(node):
        yield SECRET.at(*place)


def line_of(document: Any, place: Place) -> int:
    """The line where a place of the file stands; what is missing stands where its section does."""
    line, node = 1, document
    for step in place:
        if not isinstance(node, dict | list) or (isinstance(node, dict) and step not in node):
            break
        marks = getattr(node, "lc", None)
        if marks is not None and marks.data and step in marks.data:  # a merged key (<<) has no mark of its own
            line = marks.data[step][0] + 1
        node = node[step]  # type: ignore[index]
    return line


def _fault(file: str, remark: Remark, line: int) -> Fault:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in remark.place).lstrip(".")
    what, right, place = (TOKEN.sub(NOT_SHOWN, text) for text in (remark.what, remark.right, place))
    return Fault(file, line, place, what, right.strip())
