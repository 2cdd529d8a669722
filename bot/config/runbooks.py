"""Reads a folder of runbooks into a catalogue and tells every fault at once, as of vigie.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from bot.config.catalogue import Catalogue, Entry, actions_of
from bot.config.documents import Document, Fault, Misconfigured, Unreadable, read_document
from bot.config.kinds import RUNBOOK
from bot.config.matching import covers
from bot.config.models import Config
from bot.config.reading import known_only
from bot.config.remarks import Draft, Remark, Saying
from bot.config.runbook_rules import RULES
from bot.config.shapes import examine
from runbooks.actions import Action, Service
from runbooks.model import LENGTH_SCHEMA, Runbook, written

_SPAN = TypeAdapter(timedelta)
SHIPPED = Path(str(resources.files("runbooks")))

NO_FOLDER = Saying(
    "the folder of runbooks cannot be read: {reason}",
    "Name another with VIGIE_RUNBOOKS, or unset it for the shipped ones.",
)
YML = Saying("this file is not read", "Call it {name}.yaml.", warning=True)
FOREIGN = Saying(
    "shipped runbooks speak of what vigie.yaml does not have, and are left out: {names}",
    "Copy the folder, make them yours, and name it with VIGIE_RUNBOOKS.",
    warning=True,
)
HIDDEN = Saying(
    'the runbook "{first}" recognises all of these alerts before this one is asked',
    "Make one of them narrower, or take this away: the first file by name wins.",
    warning=True,
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a folder holds: a catalogue unless there are faults, and what works but is better changed."""

    catalogue: Catalogue | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class _Against:
    """What runbooks are held against."""

    actions: Mapping[str, Action[Any]]
    config: Config | None
    today: date | None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One file under examination."""

    document: Document
    runbook: Runbook | None
    remarks: Sequence[Remark]
    whole: bool                 # nothing of it was left out

    @property
    def name(self) -> str:
        return self.document.file.removesuffix(".yaml")

    @property
    def faulty(self) -> bool:
        return any(not each.warning for each in self.remarks)


def load_catalogue(
    folder: Path | str | None, config: Config, services: Mapping[str, Service], today: date | None = None
) -> Catalogue:
    """The runbooks of a folder (None: the shipped ones); raises Misconfigured with every fault at once."""
    shelf = read_catalogue(folder, config, services, today)
    if shelf.catalogue is None:
        raise Misconfigured(shelf.faults)
    return shelf.catalogue


def read_catalogue(
    folder: Path | str | None, config: Config | None, services: Mapping[str, Service], today: date | None = None
) -> Shelf:
    """The catalogue, or its faults; and its warnings. What hangs on `config` or `today` is not looked at without them."""
    path = Path(folder) if folder is not None else SHIPPED
    # The shipped ones were read through for their release; nobody else can write another day into them.
    against = _Against(actions_of(services.values()), config, today if folder is not None else None)
    sheets, faults, warnings = _read(path, against)
    if folder is None:
        foreign = [each for each in sheets if _foreign(each, against)]
        sheets = [each for each in sheets if each not in foreign]
        warnings += [_of(path, FOREIGN.at(names=", ".join(each.name for each in foreign)))] if foreign else []
    for index, sheet in enumerate(sheets):
        wrong, doubtful = sheet.document.told([*sheet.remarks, *_hidden(sheet, sheets[:index])])
        faults += wrong
        warnings += doubtful
    catalogue = None if faults else Catalogue(dict(map(_entry, sheets)), against.actions, folder is None)
    return Shelf(catalogue, tuple(faults), tuple(warnings))


def runbook_schema() -> dict[str, Any]:
    """The schema that editors complete and check a runbook with."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema = Runbook.model_json_schema()
    properties, step = schema["properties"], schema["$defs"]["Step"]["properties"]
    properties["when"] = {"anyOf": [{"$ref": "#/$defs/When"}, properties["when"]]}      # one way to be meant needs no list
    step["approve"]["anyOf"].insert(0, {"const": True})
    return head | dict(_as_written(schema)) | {"title": "a runbook"}


def _as_written(schema: Any) -> Any:
    """Lengths of time as people write them: 15m where the library says PT15M."""
    if isinstance(schema, list):
        return [_as_written(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    given = schema.get("default")
    span = schema.get("pattern") == LENGTH_SCHEMA["pattern"] and isinstance(given, str)
    inside = {key: _as_written(each) for key, each in schema.items()}
    return inside | {"default": written(_SPAN.validate_python(given))} if span else inside


def _read(folder: Path, against: _Against) -> tuple[list[_Sheet], list[Fault], list[Fault]]:
    """Every file of the folder as far as it can be read, what cannot be read at all, what is passed over."""
    try:
        files = sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        return [], [_of(folder, NO_FOLDER.at(reason=error.strerror))], []
    sheets: list[_Sheet] = []
    faults: list[Fault] = []
    for file in files:
        try:
            if file.suffix == ".yaml":
                sheets.append(_examined(read_document(file, RUNBOOK), against))
        except Unreadable as error:
            faults.append(error.fault)
    return sheets, faults, [_of(file, YML.at(name=file.stem)) for file in files if file.suffix == ".yml"]


def _examined(document: Document, against: _Against) -> _Sheet:
    runbook, remarks, left_out = examine(document.tree, RUNBOOK)
    remarks += document.secrets()
    if runbook is not None:
        draft = Draft(runbook, document.file.removesuffix(".yaml"), against.actions, against.config, against.today)
        remarks += known_only([remark for rule in RULES for remark in rule(draft)], left_out)
    return _Sheet(document, runbook, remarks, not left_out)


def _foreign(sheet: _Sheet, against: _Against) -> bool:
    """Whether nothing is wrong with it but that it speaks of another platform than vigie.yaml does."""
    return sheet.faulty and not _examined(sheet.document, replace(against, config=None)).faulty


def _hidden(sheet: _Sheet, before: Sequence[_Sheet]) -> Iterator[Remark]:
    """What can never be recognised, since a runbook before it takes it all."""
    if sheet.runbook is None or not sheet.whole:
        return
    for index, when in enumerate(sheet.runbook.when):
        for other in before:
            if other.runbook and other.whole and any(covers(each, when) for each in other.runbook.when):
                yield HIDDEN.at("when", index, first=other.runbook.name)
                break


def _entry(sheet: _Sheet) -> tuple[str, Entry]:
    runbook, document = sheet.runbook, sheet.document
    assert runbook is not None      # without faults, every file could be read
    lines = tuple(document.line(("when", index)) for index in range(len(runbook.when)))
    return runbook.name, Entry(runbook, document.file, document.line(("when",)), lines)


def _of(path: Path, remark: Remark) -> Fault:
    return Fault(path.name, 0, "", remark.what, remark.right)
