"""What may happen to an act on its way: AWS is too busy, or it is done and nobody says so."""

from dataclasses import dataclass
from typing import Any

import pytest

from runbooks.actions import Action, Failed, Look, Params, State, Unsure
from runbooks.faults import KNOWN, told
from tests.action_stage import ActionWorld, assert_declared, look_on


@dataclass
class Tried:
    """An act that did not end well."""

    params: Params
    before: State
    meaning: Failed | Unsure
    sent: int           # how often the call that changes something was sent


def tried(world: ActionWorld, action: Action[Any], call: str, **given: Any) -> Tried:
    """before and act; the act raises. `call` is the IAM action of the call in question."""
    params = action.params.model_validate(given)
    before = action.before(world, params)
    start = len(world.called)
    with pytest.raises((Failed, Unsure, *KNOWN)) as caught:
        action.act(world, params, before)
    return Tried(params, before, told(caught.value), world.called[start:].count(call))


def throttled(world: ActionWorld, action: Action[Any], call: str, **given: Any) -> None:
    """Too many calls: sent once, surely not done, may be tried again; and trying again works."""
    service, _, operation = call.partition(":")
    world.double.faults.throttle(service, operation)
    once = tried(world, action, call, **given)
    assert isinstance(once.meaning, Failed) and once.meaning.again and once.sent == 1
    assert action.look(world, once.params, once.before, {}).seen == "not seen"
    outcome = action.act(world, once.params, action.before(world, once.params))
    assert look_on(world, action, once.params, once.before, outcome.outputs)[-1].seen == "done"


def unanswered(world: ActionWorld, action: Action[Any], call: str, hang: bool = False, **given: Any) -> tuple[Tried, list[Look]]:
    """Done, and no answer came: only looking tells; it was sent once."""
    service, _, operation = call.partition(":")
    world.double.faults.lose(service, operation, hang=hang)
    once = tried(world, action, call, **given)
    assert isinstance(once.meaning, Unsure) and once.sent == 1
    start = len(world.called)
    looks = look_on(world, action, once.params, once.before, {})
    assert call not in world.called[start:]
    return once, looks


def phases_keep_to_what_they_declare(world: ActionWorld, action: Action[Any], **given: Any) -> None:
    """before and look only read; act needs no more than what is declared; what it writes is on named resources."""
    params = action.params.model_validate(given)
    before = action.before(world, params)
    assert set(world.called) <= set(action.reads)
    outcome = action.act(world, params, before)
    assert_declared(action, world.called)
    start = len(world.called)
    action.look(world, params, before, outcome.outputs)
    action.look(world, params, before, {})
    assert set(world.called[start:]) <= set(action.reads)
    resources = action.resources(params, before, world.place)
    assert bool(resources) == bool(action.writes)
    assert all(each.startswith("arn:aws:") and "?" not in each for each in resources)
