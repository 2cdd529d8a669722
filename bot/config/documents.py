"""Reads a YAML file that a person wrote, and tells what is wrong with it by file and line; never a traceback."""

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from bot.config.kinds import Kind
from bot.config.remarks import Place, Remark, Saying
from bot.errors import Misbuilt

NO_FILE = Saying("there is no such file", "{right}")
UNREADABLE = Saying("the file cannot be read: {reason}", "Let the user who runs Vigie read it.")
NO_TEXT = Saying("this is no file of text", "Put the file itself there: no pipe or device.")
TOO_LONG = Saying("the file has more than {most:,} bytes", "Split it, or take away what does not belong there.")
NOT_UTF8 = Saying("the file is not UTF-8 (byte {position})", "Save it as UTF-8.")
NO_CONTENT = Saying("the file is empty", "Start from {example}.")
NOT_MAPPING = Saying("the file is not made of `key: value` lines", "{right}")
TAB = Saying("a tab stands where only spaces may", "Indent with spaces.")
TWICE = Saying('the key "{key}" stands twice in one section', "Keep one of them.")
SYNTAX = Saying("this is not YAML: {problem}", "Look at the line and the one above: a missing colon, quote or bracket?")
NO_VALUE = Saying("a value looks like a date or a number and is none", 'Put it in quotes: "...".')
TOO_DEEP = Saying("sections are nested too deep, or an anchor holds itself", "Eight levels are more than anything needs.")
TOO_LARGE = Saying("the file unfolds to more than {most} values", "Use fewer anchors, or smaller ones.")
SECRET = Saying(
    "a secret stands in the file (not shown)",
    "Take it out, change it where it is used, and name the variable that holds it.",
)

NOT_SHOWN = "(not shown)"
TOKEN = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----")
DEEPEST, MOST_VALUES, MOST_BYTES = 32, 100_000, 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong with a file."""

    file: str
    line: int
    place: str
    what: str
    right: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (where, self.place, f"{self.what}. {self.right}"))).strip()


class Misconfigured(Misbuilt):
    """vigie.yaml or a runbook is wrong; `faults` says all that is, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(map(str, self.faults)))


class Unreadable(Exception):
    """The file cannot be read at all; carries the one fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was written: its values, and where each stands."""

    file: str
    tree: dict[str, Any]
    marked: Any                 # the same with its lines, as the parser gave it

    def line(self, place: Place) -> int:
        """The line where a place of the file stands; what is missing stands where its section does."""
        line, node = 1, self.marked
        for step in place:
            if not isinstance(node, dict | list) or not _holds(node, step):
                break
            marks = getattr(node, "lc", None)
            if marks is not None and marks.data and step in marks.data:  # a merged key (<<) has no mark of its own
                line = marks.data[step][0] + 1
            node = node[step]  # type: ignore[index]
        return line

    def secrets(self) -> Iterator[Remark]:
        """What looks like a token or a key, anywhere."""
        return _secrets(self.tree)

    def told(self, remarks: Iterable[Remark]) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
        """The remarks with their lines, each once and from top to bottom: faults, warnings."""
        every = sorted((_fault(self.file, each, self.line(each.place)), each.warning) for each in remarks)
        faults = tuple(dict.fromkeys(fault for fault, warning in every if not warning))
        return faults, tuple(dict.fromkeys(fault for fault, warning in every if warning))


class _Stop(Exception):
    """The file cannot be read further; carries the one remark and its line."""

    def __init__(self, remark: Remark, line: int = 0) -> None:
        super().__init__(remark.what)
        self.remark, self.line = remark, line


def read_document(path: Path, kind: Kind) -> Document:
    """The file's content; raises Unreadable."""
    try:
        marked = _load(path, kind)
        return Document(path.name, _plain(marked, [0]), marked)
    except _Stop as stop:
        raise Unreadable(_fault(path.name, stop.remark, stop.line)) from stop


def _load(path: Path, kind: Kind) -> Any:
    text = _text(path, kind)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor defined twice is allowed by YAML 1.2
            marked = YAML().load(text)
    except MarkedYAMLError as error:
        raise _Stop(_syntax(error), error.problem_mark.line + 1 if error.problem_mark else 0) from error
    except YAMLError as error:
        line = text[: getattr(error, "position", 0)].count("\n") + 1
        raise _Stop(SYNTAX.at(problem="a control character"), line) from error
    except (ValueError, TypeError, AttributeError) as error:  # ruamel, on an impossible date, number or tag
        raise _Stop(NO_VALUE.at()) from error
    except RecursionError as error:
        raise _Stop(TOO_DEEP.at()) from error
    if marked is None:
        raise _Stop(NO_CONTENT.at(example=kind.example))
    if not isinstance(marked, dict):
        raise _Stop(NOT_MAPPING.at(right=kind.begins), 1)
    return marked


def _text(path: Path, kind: Kind) -> str:
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise _Stop(NO_TEXT.at())       # a pipe would be waited for, and a device has no end
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise _Stop(TOO_LONG.at(most=MOST_BYTES))
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise _Stop(NO_FILE.at(right=kind.missing)) from error
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


def _holds(node: Any, step: str | int) -> bool:
    return step in node if isinstance(node, dict) else isinstance(step, int) and step < len(node)


def _secrets(node: Any, place: Place = ()) -> Iterator[Remark]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _secrets(value, (*place, key))
    elif isinstance(node, str) and TOKEN.search(node):
        yield SECRET.at(*place)


def _fault(file: str, remark: Remark, line: int) -> Fault:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in remark.place).lstrip(".")
    what, right, place = (TOKEN.sub(NOT_SHOWN, text) for text in (remark.what, remark.right, place))
    return Fault(file, line, place, what, right.strip())
