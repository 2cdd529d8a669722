"""What a form asks: fields, and those that a runbook's parameters become."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bot.services.run.runs import values_of
from bot.services.slack.drawing import bare
from bot.store.alerts import Alert
from runbooks.model import Parameter, Runbook

Kind = Literal["text", "word", "person", "duration", "number", "choice", "checks"]

SECRET_LABEL = "{name}: the name of the variable that holds it"
LENGTH_HINT, RANGE, FROM, UP_TO = "30s, 10m, 2h or 1h30m", "{low:g} to {high:g}", "at least {low:g}", "at most {high:g}"
YES_OR_NO = (("true", "yes"), ("false", "no"))

LONGEST_WORD, LONGEST_VALUE, MOST_OPTIONS = 300, 150, 100

NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_.-]{0,60})=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a command's form; its value stands in the line where the usage names it, or as name=value."""

    name: str
    label: str
    kind: Kind = "text"
    optional: bool = False
    options: tuple[tuple[str, str], ...] = ()       # of a choice or of checks: (what is said, what is shown)
    initial: str | None = None
    hint: str = ""
    named: bool = False                             # said as name=value
    leads_on: bool = False                          # what is chosen decides what the form asks next


Fields = tuple[Field, ...]


def of_parameters(runbook: Runbook, alert: Alert | None, given: Mapping[str, Any]) -> Fields:
    """One field a parameter that is not given yet, filled in as the alert or the runbook says."""
    known = values_of({}, alert)
    asked = ((name, each) for name, each in runbook.parameters.items() if name not in given)
    return tuple(field for name, each in asked if (field := _of(name, each, _initial(each, known))) is not None)


def _initial(parameter: Parameter, known: Mapping[str, Any]) -> str | None:
    value = known.get(parameter.source) if parameter.source else None
    value = parameter.default if value in (None, "") else value
    return None if value is None else _spoken(value)


def _spoken(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else bare(str(value), 10_000)


def _of(name: str, parameter: Parameter, initial: str | None) -> Field | None:
    """None: the value is there, and too long for a form."""
    if initial is not None and len(initial) > LONGEST_WORD:
        return None
    kind, options = _kind(parameter)
    fits = initial is None or kind == "word" or (_is_number(initial) if kind == "number" else initial in dict(options))
    return Field(
        name, SECRET_LABEL.format(name=name) if parameter.secret else name, kind, optional=initial is not None and fits,
        options=options, initial=initial if fits else None, hint=". ".join(_hints(parameter)), named=True,
    )


def _kind(parameter: Parameter) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    if parameter.secret:
        return "word", ()
    if parameter.type == "boolean":
        return "choice", YES_OR_NO
    values = [_spoken(each) for each in parameter.enum]
    if values and len(set(values)) == len(values) <= MOST_OPTIONS and all(0 < len(each) <= LONGEST_VALUE for each in values):
        return "choice", tuple((each, each) for each in values)
    return ("number", ()) if parameter.type in ("integer", "number") else ("word", ())


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,15}(\.\d{1,10})?", text) is not None


def _hints(parameter: Parameter) -> Iterable[str]:
    if parameter.description:
        yield parameter.description.rstrip(".")
    if parameter.type == "length":
        yield LENGTH_HINT
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        yield RANGE.format(low=low, high=high)
    elif low is not None or high is not None:
        yield FROM.format(low=low) if low is not None else UP_TO.format(high=high)


def sort_out(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words before the first name=value, and the values; a word without = belongs to the value before it."""
    plain: list[str] = []
    given: dict[str, str] = {}
    last = None
    for word in words:
        if found := NAMED.fullmatch(word):
            last = found[1]
            given[last] = found[2]
        elif last is None:
            plain.append(word)
        else:
            given[last] = f"{given[last]} {word}"
    return tuple(plain), given
