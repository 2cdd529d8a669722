"""The README and the pages of docs/, as tests read them: their code blocks, tables and words; and the calls of the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def spoken(name: str) -> list[str]:
    """What stands as code in a page: lines of shell blocks, and words between backticks."""
    text = read(name).replace(".venv/bin/vigie", "vigie")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return ["\n".join(blocks(text, "sh")), *re.findall(r"`([^`\n]+)`", prose)]


def table(name: str, first: str) -> list[list[str]]:
    """The rows of the table whose head begins with that cell; pipes within code are kept."""
    rows = read(name).split(f"\n| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def named(rows: list[list[str]]) -> set[str]:
    """All that stands between backticks in the first cells."""
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row[0])}


def calls(method: str) -> Iterator[ast.Call]:
    """Calls of `something.<method>(...)` or `<method>(...)` in product code."""
    return iter(_calls().get(method, ()))


@cache
def _calls() -> dict[str, list[ast.Call]]:
    """By their names, read once."""
    found: dict[str, list[ast.Call]] = {}
    for file in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                found.setdefault(getattr(node.func, "attr", getattr(node.func, "id", "")), []).append(node)
    return found
