"""What must be true wherever a runbook uses an action: it exists, its parameters fit, what it refers to is there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic_core import ErrorDetails

from bot.config.kinds import UNREAD
from bot.config.remarks import Draft, Place, Remark, Saying, hint
from bot.config.shapes import WORDS_BY_TYPE, misfits
from runbooks.actions import Action
from runbooks.model import Parameter, Runbook, Use
from runbooks.references import REFERENCE, fill, references

OUTPUT = re.compile(r"steps\.([a-z0-9_-]+)\.outputs\.[\w.-]+")
OF_ALERT = ("alert.service", "alert.name", "alert.id")
LABEL = "alert.label."

ACTION = Saying('no action is called "{name}"', "{hint}")
CHANGES = Saying("a proof only looks, and {uses} changes something ({changes})", "Name an action that reads.")
UNDOES_NOTHING = Saying("{uses} changes nothing, so it undoes nothing", "Name an action that changes something, or `undo: none`.")
BROKEN = Saying(
    "this reference cannot be read: {text}",
    "Write one name between the braces, as in ${{{{ params.cluster }}}}; nothing is computed.",
)
BEGINNING = Saying('nothing is called "{name}"', "A reference begins with params., steps. or alert.")
PARAMETER = Saying('the runbook has no parameter "{name}"', "{hint}")
STEP = Saying('no step is called "{name}"', "{hint}")
OUTPUTS = Saying('"{name}" is not what a step has found', "Write steps.NAME.outputs.KEY.")
LATER = Saying('the step "{name}" comes later, so it has found nothing yet', "Refer to a step above, or move that one up.")
IN_PROOF = Saying(
    'a proof cannot refer to the step "{name}": it is also asked for when no step was done',
    "Let the proof find it by itself, or use a parameter.",
)
ALERT = Saying('an alert holds nothing called "{name}"', "{hint} A label is alert.label. and its name.")
MISTYPED = Saying("{what}, and {name} is {kind}", "Give that parameter another `type`, or refer to something else.")
WITH_VALUE = Saying("{what} when {name} is {value}", "{right}")

KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "length": "a length of time",
}
EXAMPLES = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "length": "10m"}
EXAMPLE = "a shipped runbook"
Certain = Literal["value", "type", "nothing"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where an action is used, and the steps whose outputs may be named there."""

    use: Use
    place: Place
    earlier: frozenset[str]
    role: Literal["step", "undo", "proof"] = "step"


@dataclass(frozen=True, slots=True)
class Guess:
    """What a reference may stand for, and how certain that is."""

    value: Any
    certain: Certain
    kind: str = ""


def uses(draft: Draft) -> Iterator[Remark]:
    for spot in spots(draft.runbook):
        yield from unknown(spot.use.with_, (*spot.place, "with"), draft.runbook, spot.earlier)
        action = draft.actions.get(spot.use.uses)
        if action is None:
            yield ACTION.at(*spot.place, "uses", name=spot.use.uses, hint=hint(spot.use.uses, draft.actions))
            continue
        if spot.role == "proof" and action.mutates:
            yield CHANGES.at(*spot.place, "uses", uses=action.name, changes=action.changes)
        if spot.role == "undo" and not action.mutates:
            yield UNDOES_NOTHING.at(*spot.place, "uses", uses=action.name)
        yield from _fitting(spot, action, draft.runbook)


def changes(use: Use, actions: Mapping[str, Action[Any]]) -> bool:
    """Whether it changes something in the world."""
    return use.uses in actions and actions[use.uses].mutates


def parameters_in(content: Any) -> Iterator[str]:
    """The parameters that a part of a runbook refers to."""
    return (name.removeprefix("params.") for name in references(content) if name.startswith("params."))


def spots(runbook: Runbook) -> Iterator[Spot]:
    """Every place of a runbook where an action is used."""
    earlier: frozenset[str] = frozenset()
    for index, step in enumerate(runbook.steps):
        place: Place = ("steps", index)
        yield Spot(step, place, earlier)
        earlier |= {step.name}      # its own way back and its own proof may name what it found
        if isinstance(step.undo, Use):
            yield Spot(step.undo, (*place, "undo"), earlier, "undo")
        if isinstance(step.verify, Use):
            yield Spot(step.verify, (*place, "verify"), earlier, "proof")
    proofs: frozenset[str] = frozenset()
    for index, check in enumerate(runbook.verify):
        yield Spot(check, ("verify", index), proofs, "proof")
        proofs |= {check.name}


# --- references -------------------------------------------------------------------------------------------------------------


def unknown(content: Any, place: Place, runbook: Runbook, earlier: frozenset[str]) -> Iterator[Remark]:
    """A remark for each reference to something that is not there."""
    if isinstance(content, Mapping | list | tuple):
        for key, each in content.items() if isinstance(content, Mapping) else enumerate(content):
            yield from unknown(each, (*place, key), runbook, earlier)
    elif isinstance(content, str):
        if "${{" in REFERENCE.sub("", content):
            yield BROKEN.at(*place, text=content[content.index("${{") :][:60])
        for name in references(content):
            yield from _unknown(name, place, runbook, earlier)


def _unknown(name: str, place: Place, runbook: Runbook, earlier: frozenset[str]) -> Iterator[Remark]:
    kind, _, rest = name.partition(".")
    if kind == "params":
        if rest not in runbook.parameters:
            yield PARAMETER.at(*place, name=rest, hint=hint(rest, runbook.parameters))
    elif kind == "steps":
        yield from _unknown_output(name, place, runbook, earlier)
    elif kind == "alert":
        if name not in OF_ALERT and not (name.startswith(LABEL) and name != LABEL):
            yield ALERT.at(*place, name=rest, hint=hint(name, OF_ALERT))
    else:
        yield BEGINNING.at(*place, name=name)


def _unknown_output(name: str, place: Place, runbook: Runbook, earlier: frozenset[str]) -> Iterator[Remark]:
    found = OUTPUT.fullmatch(name)
    if found is None:
        yield OUTPUTS.at(*place, name=name)
        return
    if found[1] in earlier:
        return
    if found[1] not in {step.name for step in runbook.steps}:
        yield STEP.at(*place, name=found[1], hint=hint(found[1], earlier))
    elif place[0] == "verify":
        yield IN_PROOF.at(*place, name=found[1])
    else:
        yield LATER.at(*place, name=found[1])


# --- parameters of the action -----------------------------------------------------------------------------------------------


def _fitting(spot: Spot, action: Action[Any], runbook: Runbook) -> Iterator[Remark]:
    """What the action's own model says of `with`, as far as it can be known before the run; each thing once."""
    told: set[Place] = set()
    for guesses in worlds(spot.use.with_, runbook):
        given = fill(spot.use.with_, {name: guess.value for name, guess in guesses.items()})
        for remark, detail in misfits(given, action.params, EXAMPLE):
            certain = _as_known(remark, detail, spot.use.with_, guesses)
            if certain is not None and remark.place not in told:
                told.add(remark.place)
                yield replace(certain, place=(*spot.place, "with", *remark.place))


def worlds(content: Any, runbook: Runbook) -> Iterator[dict[str, Guess]]:
    """What the references may stand for; a parameter with `enum` is tried with each of its values."""
    base = {name: _guess(name, runbook) for name in references(content)}
    yield base
    for name, guess in base.items():
        parameter = runbook.parameters.get(name.removeprefix("params.")) if name.startswith("params.") else None
        for choice in parameter.enum if parameter else ():
            if choice != guess.value:
                yield base | {name: Guess(choice, "value")}


def _guess(name: str, runbook: Runbook) -> Guess:
    if name.startswith("params.") and (parameter := runbook.parameters.get(name.removeprefix("params."))):
        return _guess_parameter(parameter)
    return Guess("x", "type" if name.startswith("alert.") and name != "alert.id" else "nothing", "string")


def _guess_parameter(parameter: Parameter) -> Guess:
    if parameter.source == UNREAD:
        return Guess("x", "nothing")
    known = parameter.default if parameter.default is not None else next(iter(parameter.enum), None)
    if known is not None:
        return Guess(known, "value", parameter.type)
    return Guess(EXAMPLES[parameter.type], "type", parameter.type)


def _as_known(remark: Remark, detail: ErrorDetails, written: Any, guesses: Mapping[str, Guess]) -> Remark | None:
    """The remark as far as it is certain: none when it hangs on a value that only the run will know."""
    content = _at(written, remark.place)
    names = list(dict.fromkeys(references(content)))
    if not names:
        return remark
    if any(guesses[name].certain == "nothing" for name in names):
        return None
    unsure = [name for name in names if guesses[name].certain == "type"]
    if not unsure:
        value = ", ".join(str(guesses[name].value) for name in names)
        said = WITH_VALUE.at(*remark.place, what=remark.what, right=remark.right, name=" and ".join(names), value=value)
        return replace(remark, what=said.what, right=said.right)
    whole = isinstance(content, str) and REFERENCE.fullmatch(content.strip())
    if whole and detail["type"] in WORDS_BY_TYPE:
        return MISTYPED.at(*remark.place, what=remark.what, name=unsure[0], kind=KINDS[guesses[unsure[0]].kind])
    return None


def _at(content: Any, place: Place) -> Any:
    for step in place:
        holds = step in content if isinstance(content, Mapping) else isinstance(content, list) and step in range(len(content))
        if not holds:
            return content if isinstance(content, str) else None
        content = content[step]
    return content
