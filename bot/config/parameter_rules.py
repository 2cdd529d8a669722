"""What must be true of a runbook's parameters: a default that fits, bounds that can be met, a source that exists."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bot.config.remarks import Draft, Place, Remark, Saying
from bot.config.use_rules import parameters_in
from runbooks.model import Parameter, length

PARAMETER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
FROM = re.compile(r"alert\.(?:service|name|label\.[\w.:/-]+)")
NUMBERS = ("integer", "number")

NAME = Saying('"{name}" cannot be the name of a parameter', "Small letters, digits and _, as in cluster_name.")
FORM = Saying(
    '"{given}" is nothing that an alert holds', "alert.service, alert.name, or alert.label. and the name of a label."
)
SECRET_DEFAULT = Saying(
    "a secret stands in the file as a default (not shown)", "Take `default` away: a secret is named, never written."
)
PATTERN = Saying("`pattern` is not a regular expression: {problem}", "As in [a-z0-9-]+; the whole value must match it.")
FOREIGN_PATTERN = Saying("`pattern` means nothing to a parameter of type {type}", "Take it away, or make it `type: string`.")
FOREIGN_BOUND = Saying("`{bound}` means nothing to a parameter of type {type}", "Take it away, or make it `type: integer`.")
BOUNDS = Saying("`minimum` {minimum:g} is above `maximum` {maximum:g}", "Exchange them.")
TYPE = Saying("{given} is not {kind}", "Write {example}, or give the parameter another `type`.")
ENUM = Saying("{given} is not among the values of `enum`", "One of {choices}.")
MISMATCH = Saying("{given} does not match `pattern`", "Change the one or the other.")
BELOW = Saying("{given} is below `minimum`", "At least {bound:g}.")
ABOVE = Saying("{given} is above `maximum`", "At most {bound:g}.")
UNUSED = Saying("nothing uses this parameter", "Take it away, or write ${{{{ params.{name} }}}} where it belongs.", warning=True)

KINDS = {
    "string": ("a text", "it in quotes"),
    "integer": ("a whole number", "digits without quotes, as in 15"),
    "number": ("a number", "digits without quotes, as in 0.5"),
    "boolean": ("true or false", "true or false, without quotes"),
    "length": ("a length of time", "it as in 30s, 10m, 2h"),
}


def parameters(draft: Draft) -> Iterator[Remark]:
    for name, parameter in draft.runbook.parameters.items():
        place = ("parameters", name)
        if not PARAMETER_NAME.fullmatch(name):
            yield NAME.at(*place, name=name)
        if parameter.source is not None and not FROM.fullmatch(parameter.source):
            yield FORM.at(*place, "from", given=parameter.source)
        yield from _limits(parameter, place)
        if parameter.secret and parameter.default is not None:
            yield SECRET_DEFAULT.at(*place, "default")
            continue
        if parameter.default is not None:
            yield from _value(parameter, parameter.default, (*place, "default"))
        for index, choice in enumerate(parameter.enum):
            if not fits(parameter, choice):
                yield _mistyped(parameter, choice, (*place, "enum", index))


def _limits(parameter: Parameter, place: Place) -> Iterator[Remark]:
    """Pattern and bounds by themselves."""
    if parameter.pattern is not None and parameter.type != "string":
        yield FOREIGN_PATTERN.at(*place, "pattern", type=parameter.type)
    problem = _problem(parameter.pattern)
    if problem:
        yield PATTERN.at(*place, "pattern", problem=problem)
    low, high = parameter.minimum, parameter.maximum
    for bound, given in (("minimum", low), ("maximum", high)):
        if given is not None and parameter.type not in NUMBERS:
            yield FOREIGN_BOUND.at(*place, bound, bound=bound, type=parameter.type)
    if low is not None and high is not None and low > high:
        yield BOUNDS.at(*place, "minimum", minimum=low, maximum=high)


def _problem(pattern: str | None) -> str | None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        return str(error)
    return None


def _value(parameter: Parameter, given: Any, place: Place) -> Iterator[Remark]:
    if not fits(parameter, given):
        yield _mistyped(parameter, given, place)
        return
    if parameter.enum and given not in parameter.enum:
        yield ENUM.at(*place, given=given, choices=", ".join(map(str, parameter.enum)))
    matched = parameter.pattern is None or _problem(parameter.pattern) or re.fullmatch(parameter.pattern, str(given))
    if not matched:
        yield MISMATCH.at(*place, given=given)
    if parameter.type in NUMBERS and parameter.minimum is not None and given < parameter.minimum:
        yield BELOW.at(*place, given=given, bound=parameter.minimum)
    if parameter.type in NUMBERS and parameter.maximum is not None and given > parameter.maximum:
        yield ABOVE.at(*place, given=given, bound=parameter.maximum)


def _mistyped(parameter: Parameter, given: Any, place: Place) -> Remark:
    kind, example = KINDS[parameter.type]
    return TYPE.at(*place, given=f'"{given}"' if isinstance(given, str) else str(given).lower(), kind=kind, example=example)


def fits(parameter: Parameter, given: Any) -> bool:
    """Whether a value written in the file is of the parameter's type."""
    match parameter.type:
        case "boolean":
            return isinstance(given, bool)
        case "integer":
            return isinstance(given, int) and not isinstance(given, bool)
        case "number":
            return isinstance(given, int | float) and not isinstance(given, bool)
        case "length":
            with suppress(ValueError):
                return bool(length(given))
            return False
        case _:
            return isinstance(given, str)


def unused(draft: Draft) -> Iterator[Remark]:
    runbook = draft.runbook
    written: list[Any] = [runbook.lock]
    written += [each for step in runbook.steps for each in (step.with_, *(_with(step.undo)), *(_with(step.verify)))]
    written += [check.with_ for check in runbook.verify]
    used = set(parameters_in(written))
    for name in runbook.parameters:
        if name not in used:
            yield UNUSED.at("parameters", name, name=name)


def _with(given: Any) -> tuple[Any, ...]:
    return () if isinstance(given, str) else (given.with_,)
