"""The shape of vigie.yaml: its faults in plain words, and a repair so that the rest is read too."""

import copy
import re
from collections.abc import Iterator
from contextlib import suppress
from types import NoneType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.models import Config
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
BAD_NAME = Saying("{given} is not a text, and names are texts", "Put the name in quotes.")
SEE_EXAMPLE = "vigie.example.yaml shows one."
OTHERWISE = Saying("{message}", "{description}")

WORDS_BY_TYPE = {
    "string_type": NOT_TEXT,
    "tuple_type": NOT_LIST,
    "bool_type": NOT_BOOLEAN,
    "bool_parsing": NOT_BOOLEAN,
    "int_type": NOT_NUMBER,
    "int_parsing": NOT_NUMBER,
    "int_from_float": NOT_NUMBER,
    "dict_type": NOT_SECTION,
    "model_type": NOT_SECTION,
    "model_attributes_type": NOT_SECTION,
}
STAND_INS: dict[str, Any] = {
    "workspace": "T00000000",
    "default_channel": "",
    "organisations": {},
    "people": {},
    "channels": {},
    "services": {},
    "endpoints": {},
}


def examine(tree: dict[str, Any]) -> tuple[Config | None, list[Remark], list[Place]]:
    """The configuration as far as it can be understood, the faults of its shape, the places left out for them."""
    try:
        return Config.model_validate(tree), [], []
    except ValidationError as error:
        details = error.errors(include_url=False)
    remarks = [_remark(detail) for detail in details]
    left_out: list[Place] = []
    for cut in (_value, _entry):
        tree = _without(tree, [cut(detail) for detail in reversed(details)], left_out)
        try:
            return Config.model_validate(tree), remarks, left_out
        except ValidationError as error:
            details = error.errors(include_url=False)
    return None, remarks, left_out


def _remark(detail: ErrorDetails) -> Remark:
    kind, given = detail["type"], detail.get("input")
    place = tuple(step for step in detail["loc"] if step != "[key]")
    if kind == "missing":
        return MISSING.at(*place, key=place[-1], description=_description(place) or SEE_EXAMPLE)
    if kind == "extra_forbidden":
        return UNKNOWN_KEY.at(*place, key=place[-1], hint=hint(str(place[-1]), _keys(place[:-1])))
    if "[key]" in detail["loc"]:
        return BAD_NAME.at(*place, given=given)
    if given is None:
        return EMPTY.at(*place)
    if kind == "literal_error":
        shown = f'"{given}"' if isinstance(given, str) else "this"
        return NOT_ONE_OF.at(*place, given=shown, hint=hint(str(given), _expected(detail)))
    if kind in WORDS_BY_TYPE:
        return WORDS_BY_TYPE[kind].at(*place)
    message = detail["msg"].replace("Input should", "this should")
    return OTHERWISE.at(*place, message=message, description=_description(place) or SEE_EXAMPLE)


def _expected(detail: ErrorDetails) -> list[str]:
    """The allowed words, out of pydantic's 'own' or 'partner'."""
    return re.findall(r"'([^']*)'", detail["ctx"]["expected"])


def _value(detail: ErrorDetails) -> Place:
    """The smallest cut: the value itself, or the entry (a person, an endpoint, a rule) that lacks something."""
    return _entry(detail) if detail["type"] == "missing" or "[key]" in detail["loc"] else detail["loc"]


def _entry(detail: ErrorDetails) -> Place:
    return detail["loc"][:2]


def _without(tree: dict[str, Any], places: list[Place], left_out: list[Place]) -> dict[str, Any]:
    """A copy of the tree without what stands at these places; they are added to `left_out`."""
    repaired = copy.deepcopy(tree)
    for place in places:
        left_out.append(place)
        section = str(place[0])
        if len(place) == 1 or not isinstance(tree.get(section), dict | list):
            _reset(repaired, section)
        elif section == "rules" and (len(place) == 2 or "when" in place):
            _blind(repaired["rules"], int(place[1]))
        else:
            _drop(repaired, place)
    return repaired


def _reset(tree: dict[str, Any], section: str) -> None:
    tree.pop(section, None)
    if section in STAND_INS:
        tree[section] = STAND_INS[section]


def _blind(rules: list[Any], index: int) -> None:
    """Keeps the place of a rule that cannot be read, but about no alert: it must not seem to hide those below it."""
    rules[index] = {"name": f"\0{index}", "when": {"name": f"\0{index}"}, "important": False}


def _drop(tree: Any, place: Place) -> None:
    with suppress(KeyError, IndexError, TypeError):     # what holds it may have been left out already
        for step in place[:-1]:
            tree = tree[step]
        del tree[place[-1]]


def _description(place: Place) -> str:
    kind = _kind(place[:-1])
    field = kind.model_fields.get(str(place[-1])) if kind else None
    return (field.description or "") if field else ""


def _keys(place: Place) -> Iterator[str]:
    kind = _kind(place)
    yield from (name for name in kind.model_fields if name != "line") if kind else ()


def _kind(place: Place) -> type[BaseModel] | None:
    """The model that stands at a place of the file."""
    kind: Any = Config
    for step in place:
        kind = _inner(kind, step)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _inner(kind: Any, step: str | int) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(step))
        return field.annotation if field else None
    inside = [each for each in get_args(kind) if each not in (NoneType, Ellipsis)]
    if not inside:
        return None
    return inside[-1] if get_origin(kind) in (dict, tuple) else _inner(inside[0], step)
