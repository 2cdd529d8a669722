"""The house stands on its floors: no import runs up, every file has its caption, nothing is imported while running."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("bot", "commands", "runbooks")
LATE = "bot.commandline."       # each command imports what it needs when it runs
LISTS = {"bot.doubles.night.night"}     # a list of what happens, however long the night
LONGEST_FILE = 320


def modules() -> dict[str, Path]:
    found = {}
    for path in (each for room in ROOMS for each in sorted((ROOT / room).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
TREES = {name: ast.parse(path.read_text()) for name, path in MODULES.items()}
PLAN = {
    room: int(line.split()[0])
    for line in (ast.get_docstring(TREES["bot"]) or "").splitlines() if re.match(r"\d+ ", line)
    for room in line.split()[1:]
}


def place(module: str) -> str | None:
    """The longest name of the plan that the module lies under."""
    return max((room for room in PLAN if f"{module}.".startswith(f"{room}.")), key=len, default=None)


def imported(name: str) -> Iterator[str]:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (full if (full := f"{node.module}.{each.name}") in MODULES else node.module for each in node.names)


def test_no_import_runs_up() -> None:
    wrong = []
    for name in MODULES:
        for target in {each for each in imported(name) if each in MODULES} - {name, "bot"}:
            here, there = place(name), place(target)
            if here and there and here != there and PLAN[there] >= PLAN[here]:
                wrong.append(f"{name} (floor {PLAN[here]}) imports {target} (floor {PLAN[there]})")
    assert wrong == []


def test_every_file_stands_in_the_plan() -> None:
    assert [name for name in MODULES if name not in ROOMS and place(name) is None] == []


def test_the_plan_names_nothing_that_is_not_there() -> None:
    planned_for_later = {"bot.review", "bot.labour"}
    assert set(PLAN) - set(MODULES) - planned_for_later == set()


def test_every_file_has_a_caption_of_one_line() -> None:
    heads = {name: (ast.get_docstring(tree) or "").split("\n\n")[0] for name, tree in TREES.items()}
    assert [name for name, head in heads.items() if not head or "\n" in head] == []


def test_nothing_is_imported_inside_functions() -> None:
    late = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items() if not name.startswith(LATE)
        for function in ast.walk(tree) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        f"{name}.{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for name, tree in TREES.items() for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and f"{name}.{node.name}" not in LISTS
        and (node.end_lineno or 0) - node.lineno >= 40
    ]
    assert long == []


def test_no_file_grows_without_end() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_broad_excepts_stand_only_where_something_must_outlive_an_error() -> None:
    allowed = (
        "bot.entrypoints.", "bot.services.alert.intake", "bot.services.alert.reception", "bot.services.singly",
        "bot.services.slack.courier",
        "bot.services.slack.delivery", "bot.durable", "bot.app", "bot.services.run.execution", "bot.services.run.doing",
        "bot.services.run.looking", "bot.services.run.undoing",
    )
    broad = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items() if not name.startswith(allowed)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert broad == []
