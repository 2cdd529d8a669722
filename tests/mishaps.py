"""What may happen to an act on its way: AWS is too busy, or it is done and nobody says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bot.clients.roles import ONCE, session_policy
from runbooks.actions import Action, Failed, Look, Params, State, Unsure
from runbooks.faults import KNOWN, told
from tests.action_stage import SESSION, ActionWorld, assert_declared, look_on

ROLE = "arn:aws:iam::111122223333:role/vigie-act"


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
    if hang:
        world.hurry()
    once = tried(world, action, call, **given)
    assert isinstance(once.meaning, Unsure) and once.sent == 1
    start = len(world.called)
    looks = look_on(world, action, once.params, once.before, {})
    assert call not in world.called[start:]
    return once, looks


class Narrow(ActionWorld):
    """The same world, seen through a session that may do only what its policy says."""

    keys: Mapping[str, str]

    def _client(self, service: str, region: str) -> Any:
        client = SESSION.client(  # type: ignore[call-overload]
            service, region_name=region, endpoint_url=self.served.url, config=ONCE, **self.keys)
        client.meta.events.register("before-call", self._record)
        return client


def narrowed(world: ActionWorld, action: Action[Any], resources: Sequence[str] = ()) -> Narrow:
    """May look; and do what the action declares, on these resources."""
    given = world.aws("sts").assume_role(
        RoleArn=ROLE, RoleSessionName="lea-run57", Policy=session_policy(action.writes, resources, action.reads))["Credentials"]
    narrow = Narrow(world.served, world.token, world.label, world.place, world.allowed)
    narrow.keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"],
                   "aws_session_token": given["SessionToken"]}
    return narrow


def phases_keep_to_what_they_declare(world: ActionWorld, action: Action[Any], **given: Any) -> None:
    """before and look get by on what is declared as read; act and undo on that and what is declared on named resources."""
    params, looking = action.params.model_validate(given), narrowed(world, action)
    before = action.before(looking, params)
    resources = action.resources(params, before, world.place)
    assert bool(resources) == bool(action.writes)
    acting = narrowed(world, action, resources)
    outcome = action.act(acting, params, before)
    action.look(looking, params, before, outcome.outputs)
    action.look(looking, params, before, {})
    assert set(looking.called) <= set(action.reads)
    if action.mutates and not action.no_undo:
        action.undo(acting, params, before, outcome.outputs)
        action.undone(looking, params, before, outcome.outputs)
    assert_declared(action, [*looking.called, *acting.called])
    world.called += [*looking.called, *acting.called]
