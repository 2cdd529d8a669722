"""Writes the tables of docs/runbooks.md anew from the code: `.venv/bin/python docs/tables.py`. A test holds them against it."""

import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import runbooks.actions  # noqa: E402
from bot.config import Catalogue, actions_of, load_catalogue, load_config  # noqa: E402
from bot.discover import discover  # noqa: E402
from runbooks.actions import Action, Service  # noqa: E402
from runbooks.model import Runbook, When, written  # noqa: E402

PAGE = ROOT / "docs" / "runbooks.md"
ACTIONS = "| action | what it does | its parameters |\n|---|---|---|\n{rows}\n"
CATALOGUE = "| runbook | recognises | does | may climb to | asks for a yes |\n|---|---|---|---|---|\n{rows}\n"
READS, CHANGES = "Only looks.", "Changes: {changes}."
NO_WAY_BACK, WAY_BACK, ONCE = "No way back: {why}.", "Can be undone.", "Never sent twice."
ASKS = "A person must say yes."
BY_HAND = "nothing: by hand only"
OF, WITH = "{services}: ", ", with "


def services() -> Mapping[str, Service]:
    return discover(runbooks.actions, Service)


def shipped() -> Catalogue:
    return load_catalogue(None, load_config(ROOT / "bot" / "vigie.example.yaml"), services())


def actions_table() -> str:
    found = sorted(actions_of(services().values()).items())
    return ACTIONS.format(rows="\n".join(_row(f"`{name}`", _does(each), _parameters(each)) for name, each in found))


def catalogue_table() -> str:
    return CATALOGUE.format(rows="\n".join(
        _row(f"`{each.name}`", _recognises(each), each.description, each.automation, _asks(each))
        for each in (entry.runbook for entry in shipped().entries.values())
    ))


def with_tables(text: str) -> str:
    """The page with what stands between its marks made anew."""
    for mark, made in (("actions", actions_table()), ("catalogue", catalogue_table())):
        head, rest = text.split(f"<!-- {mark} -->\n", 1)
        tail = rest.split(f"<!-- end of {mark} -->", 1)[1]
        text = f"{head}<!-- {mark} -->\n{made}<!-- end of {mark} -->{tail}"
    return text


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(each.split()).replace("|", "\\|") for each in cells) + " |"


# --- actions ---


def _does(action: Action[Any]) -> str:
    return " ".join([f"{action.help.rstrip('.')}.", *_harm(action), *([ASKS] if action.asks else [])])


def _harm(action: Action[Any]) -> Iterator[str]:
    if not action.mutates:
        yield READS
        return
    yield CHANGES.format(changes=action.changes)
    yield NO_WAY_BACK.format(why=action.no_undo) if action.no_undo else WAY_BACK
    if not action.idempotent:
        yield ONCE


def _parameters(action: Action[Any]) -> str:
    return "<br>".join(_parameter(name, field) for name, field in action.params.model_fields.items()) or "none"


def _parameter(name: str, field: Any) -> str:
    said = str(field.description or "").rstrip(".")
    default = "" if field.is_required() or field.default is None else f" ({_default(field)})"
    may = "" if field.is_required() else "?"
    return f"`{name}`{may} {said}{default}"


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, timedelta):
        return written(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in ((), {}, "") else str(value)


# --- the catalogue ---


def _recognises(runbook: Runbook) -> str:
    return "<br>".join(map(_meant, runbook.when)) or BY_HAND


def _meant(when: When) -> str:
    names = ", ".join(f"`{each}`" for each in when.name)
    labels = ", ".join(f"`{name}: {value}`" for name, value in when.labels.items())
    of = OF.format(services=", ".join(when.service)) if when.service else ""
    return of + WITH.join(each for each in (names, labels) if each)


def _asks(runbook: Runbook) -> str:
    titles = [each.caption for each in runbook.steps if each.approve is not None]
    return "; ".join(titles) or "no"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
