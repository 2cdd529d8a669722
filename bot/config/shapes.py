"""The shape of what people wrote: its faults in plain words, and a repair so that the rest is read too."""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.kinds import Kind
from bot.config.nights import TIME_OF_DAY
from bot.config.remarks import Place, Remark, Saying, hint

MISSING = Saying('"{key}" is missing', "Add `{key}:`. {description}")
UNKNOWN_KEY = Saying('"{key}" is not a key here', "{hint}")
NOT_ONE_OF = Saying("{given} is not one of these", "{hint}")
EMPTY = Saying("nothing stands here", "Write a value. What starts with # is a comment: write alerts, not #alerts.")
NOT_TEXT = Saying("a text is wanted here", 'Put it in quotes: "...".')
NOT_LIST = Saying("a list is wanted here", 'In brackets, [a, b], or one a line, each after "- ".')
NOT_SECTION = Saying("a section is wanted here", "One `key: value` a line, indented under this one.")
NOT_BOOLEAN = Saying("true or false is wanted here", "Write true or false, without quotes.")
NOT_NUMBER = Saying("a whole number is wanted here", "Digits without quotes, as in 15.")
NOT_DECIMAL = Saying("a number is wanted here", "Digits without quotes, as in 15 or 0.5.")
NOT_DATE = Saying("a day is wanted here", "Year, month and day, as in 2026-11-04.")
NOT_TIME = Saying("a time of the day is wanted here", 'Hours and minutes, as in "08:00"; midnight is "00:00".')
EMPTY_LIST = Saying("this list is empty", "Give it at least one entry.")
NOT_SCALAR = Saying("a text, a number, true or false is wanted here", "One value, neither a list nor a section.")
BAD_NAME = Saying("{given} is not a text, and names are texts", "Put the name in quotes.")
SEE_EXAMPLE = "See {example}."
DOES_NOT_FIT = Saying("this does not fit here", "{right}")
OTHERWISE = Saying("{message}", "{description}")

WORDS_BY_TYPE = {
    "string_type": NOT_TEXT,
    "tuple_type": NOT_LIST,
    "list_type": NOT_LIST,
    "bool_type": NOT_BOOLEAN,
    "bool_parsing": NOT_BOOLEAN,
    "int_type": NOT_NUMBER,
    "int_parsing": NOT_NUMBER,
    "int_from_float": NOT_NUMBER,
    "float_type": NOT_DECIMAL,
    "float_parsing": NOT_DECIMAL,
    "date_type": NOT_DATE,
    "date_parsing": NOT_DATE,
    "date_from_datetime_parsing": NOT_DATE,
    "date_from_datetime_inexact": NOT_DATE,
    "dict_type": NOT_SECTION,
    "model_type": NOT_SECTION,
    "model_attributes_type": NOT_SECTION,
}
Told = tuple[Place, ErrorDetails]


def examine(tree: dict[str, Any], kind: Kind) -> tuple[Any, list[Remark], list[Place]]:
    """What the file says as far as it can be understood, the faults of its shape, the places left out for them."""
    whole, told = _validated(tree, kind.model)
    remarks = [remark for remark, _ in _remarks(told, kind.model, kind.example)]
    left_out: list[Place] = []
    for cut in (_value, _entry):
        if not told:
            break
        tree = _without(tree, [cut(each, kind.model) for each in reversed(told)], kind, left_out)
        whole, told = _validated(tree, kind.model)
    return whole, remarks, left_out


def misfits(given: Mapping[str, Any], model: type[BaseModel], example: str) -> Iterator[tuple[Remark, ErrorDetails]]:
    """What keeps `given` from being a `model`, with the error that says so."""
    _, told = _validated(given, model)
    yield from _remarks(told, model, example)


def _validated(tree: Any, model: type[BaseModel]) -> tuple[Any, list[Told]]:
    try:
        return model.model_validate(tree), []
    except ValidationError as error:
        told = [(_place(each, tree), each) for each in error.errors(include_url=False)]
    # a list whose entries do not fit is also called too short, which is only an echo
    return None, [each for each in told if each[1]["type"] != "too_short" or not _within(each[0], (place for place, _ in told))]


def _within(place: Place, others: Iterable[Place]) -> bool:
    """Whether one of the others lies inside this place."""
    return any(other[: len(place)] == place and other != place for other in others)


def _place(detail: ErrorDetails, tree: Any) -> Place:
    """Where in the file: an error names also the choices of a union and lists of one, which nobody wrote."""
    place: list[str | int] = []
    steps = [step for step in detail["loc"] if step != "[key]"]
    for index, step in enumerate(steps):
        there = step in tree if isinstance(tree, dict) else isinstance(tree, list) and step in range(len(tree))
        if there:
            tree = tree[step]
        if there or (detail["type"] == "missing" and index == len(steps) - 1):
            place.append(step)
    return tuple(place)


def _remarks(told: Iterable[Told], model: type[BaseModel], example: str) -> Iterator[tuple[Remark, ErrorDetails]]:
    """One remark a mistake: a choice that does not fit is not told where another choice fits but for a detail."""
    places: dict[Place, list[ErrorDetails]] = {}
    for place, detail in told:
        places.setdefault(place, []).append(detail)
    for place, details in places.items():
        kinds = {each["type"] for each in details}
        if kinds <= {"literal_error", "model_type"} and _within(place, places):
            continue
        if {"string_type", "int_type"} <= kinds and details[0]["input"] is not None:
            yield NOT_SCALAR.at(*place), details[0]
        elif kinds == {"literal_error", "model_type"}:
            detail = next(each for each in details if each["type"] == "literal_error")
            yield _remark(place, detail, model, example), detail
        else:
            yield from ((_remark(place, each, model, example), each) for each in details)


def _remark(place: Place, detail: ErrorDetails, model: type[BaseModel], example: str) -> Remark:
    kind, given = detail["type"], detail.get("input")
    description = _description(model, place) or SEE_EXAMPLE.format(example=example)
    if kind == "missing":
        return MISSING.at(*place, key=place[-1], description=description)
    if kind == "extra_forbidden":
        return UNKNOWN_KEY.at(*place, key=place[-1], hint=hint(str(place[-1]), _keys(model, place[:-1])))
    if "[key]" in detail["loc"] and not isinstance(given, str):
        return BAD_NAME.at(*place, given=given)
    if given is None:
        return EMPTY.at(*place)
    if kind == "literal_error":
        shown = f'"{given}"' if isinstance(given, str) else "this"
        return NOT_ONE_OF.at(*place, given=shown, hint=hint(str(given), _expected(detail)))
    if kind in WORDS_BY_TYPE:
        return WORDS_BY_TYPE[kind].at(*place)
    if kind == "string_pattern_mismatch" and detail["ctx"]["pattern"] == TIME_OF_DAY:
        return NOT_TIME.at(*place)
    if kind == "too_short" and detail["ctx"]["actual_length"] == 0:
        return EMPTY_LIST.at(*place)
    if kind == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        return DOES_NOT_FIT.at(*place, right=f"{message[:1].upper()}{message[1:]}. {description}")
    message = re.sub(r"^\w+ should", "this should", detail["msg"])
    return OTHERWISE.at(*place, message=message, description=description)


def _expected(detail: ErrorDetails) -> list[str]:
    """The allowed words, out of pydantic's 'own' or 'partner'."""
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"])


def _value(told: Told, model: type[BaseModel]) -> Place:
    """The smallest cut: the value itself, or the section or entry (a person, an endpoint, a rule) that lacks something."""
    place, detail = told
    if detail["type"] == "missing" and len(place) > 3 and isinstance(place[-2], str):
        return place[:-1]
    return _entry(told, model) if detail["type"] == "missing" or "[key]" in detail["loc"] else place


def _entry(told: Told, model: type[BaseModel]) -> Place:
    """A whole person or rule; of a section that is one thing (aws), the section."""
    place, _ = told
    return place[:1] if place and _model_in(_inner(model, place[0])) else place[:2]


def _without(tree: dict[str, Any], places: list[Place], kind: Kind, left_out: list[Place]) -> dict[str, Any]:
    """A copy of the tree without what stands at these places; all that went with them is added to `left_out`."""
    repaired = copy.deepcopy(tree)
    for place in places:
        section = str(place[0]) if place else ""
        entries = tree.get(section)
        if len(place) < 2 or not isinstance(entries, dict | list):
            _reset(repaired, section, kind)
        elif section in kind.blind and _means_all(place, entries):
            place = place[:1] if section == "when" and isinstance(entries, dict) else place[:2]
            _blind(repaired, place, kind)
        else:
            _drop(repaired, place)
        left_out.append(place)
    return repaired


def _means_all(place: Place, entries: Any) -> bool:
    """Whether an entry without this would be another one: a rule that means other alerts, a parameter of another type."""
    if isinstance(entries, dict):
        return "when" in place or isinstance(place[1], str)
    return "when" in place or (len(place) == 2 and isinstance(place[1], int))


def _reset(tree: dict[str, Any], section: str, kind: Kind) -> None:
    tree.pop(section, None)
    if section in kind.stand_ins:
        tree[section] = _numbered(kind.stand_ins[section], 0)


def _blind(tree: dict[str, Any], place: Place, kind: Kind) -> None:
    """Keeps the place and the name of an entry that cannot be read, but about no alert: it must hide nothing."""
    section, entry = str(place[0]), place[-1]
    if len(place) == 1:
        tree[section] = [kind.blind[section]]
        return
    with suppress(IndexError):
        given, nothing = tree[section][entry], _numbered(kind.blind[section], entry)
        named = isinstance(given, dict) and isinstance(given.get("name"), str) and "name" in nothing and section != "when"
        tree[section][entry] = nothing | ({"name": given["name"]} if named else {})


def _numbered(content: Any, index: int | str) -> Any:
    if isinstance(content, str):
        return content.format(index=index)
    if isinstance(content, Mapping):
        return {key: _numbered(each, index) for key, each in content.items()}
    return [_numbered(each, number) for number, each in enumerate(content)] if isinstance(content, list) else content


def _drop(tree: Any, place: Place) -> None:
    with suppress(KeyError, IndexError, TypeError):     # what holds it may have been left out already
        for step in place[:-1]:
            tree = tree[step]
        del tree[place[-1]]


def _description(model: type[BaseModel], place: Place) -> str:
    kind = _kind(model, place[:-1])
    field = _fields(kind).get(str(place[-1])) if kind and place else None
    return (field.description or "") if field else ""


def _keys(model: type[BaseModel], place: Place) -> Iterator[str]:
    kind = _kind(model, place)
    yield from (name for name in _fields(kind) if name != "line") if kind else ()


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """The fields by what is written in the file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _kind(model: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The model that stands at a place of the file."""
    kind: Any = model
    for step in place:
        kind = _inner(kind, step)
    return _model_in(kind) or _model_in(_item(kind))


def _inner(kind: Any, step: str | int) -> Any:
    model = _model_in(kind)
    if model is not None:
        field = _fields(model).get(str(step))
        return field.annotation if field else None
    if get_origin(kind) in (Union, UnionType):
        return next((_inner(each, step) for each in get_args(kind) if get_args(each)), None)
    alone = get_origin(kind) is tuple and isinstance(step, str)       # one entry, written without its list
    return _inner(_item(kind), step) if alone else _item(kind)


def _item(kind: Any) -> Any:
    """What a list or a section of free names holds."""
    inside = [each for each in get_args(kind) if each is not Ellipsis]
    return inside[-1] if inside and get_origin(kind) in (dict, tuple) else None


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The model itself, or the one among the choices of a union."""
    choices = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    models = [each for each in choices if isinstance(each, type) and each is not NoneType and issubclass(each, BaseModel)]
    return models[0] if models else None
