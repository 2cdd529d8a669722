"""Actions whose effects are counted outside of every process, and runbooks of them."""

import json
import os
import urllib.request
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from bot.config.catalogue import Catalogue, Entry
from runbooks.actions import Action, Failed, Look, Outcome, Params, State, Unsure, World
from runbooks.model import Runbook

ANSWER_S = 30.0
FORTH, BACK, BLIND = "forth", "back", "blind"


def ask(address: str, post: bool = False) -> dict[str, Any]:
    """What the world of the effects answers; raises Unsure when it does not."""
    request = urllib.request.Request(address, method="POST" if post else "GET", headers={"X-Pid": str(os.getpid())})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise Unsure(f"no answer ({type(error).__name__})") from error
    return found


class Deed(Params):
    at: str = Field(description="Where: http://127.0.0.1:4000/key")


class Strike(Action[Deed]):
    """Does it once more"""

    name, params, example = "bench.strike", Deed, {"at": "http://127.0.0.1:4000/key"}
    changes, idempotent, no_undo = "a counter", False, "what is counted is counted"
    poll_s, settle_s = 0.2, 1.5

    def target(self, params: Deed) -> str:
        return params.at

    def before(self, world: World, params: Deed) -> State:
        return {"count": ask(params.at)["count"]}

    def plan(self, params: Deed, before: State) -> str:
        return f"strike, which was done {before['count']} times"

    def act(self, world: World, params: Deed, before: State) -> Outcome:
        count = ask(params.at, post=True)["count"]
        return Outcome(f"struck, {count} times now", {"count": count})

    def look(self, world: World, params: Deed, before: State, outputs: State) -> Look:
        count = ask(params.at)["count"]
        return Look("done" if count > before["count"] else "not seen", f"struck {count} times")


class BlindStrike(Strike):
    """Does it once more, where nobody can see"""

    name = "bench.blind_strike"

    def look(self, world: World, params: Deed, before: State, outputs: State) -> Look:
        return Look("done" if "count" in outputs else "not seen", "nothing can be seen")


class Setting(Deed):
    value: str = Field(description="What it becomes")


class Put(Action[Setting]):
    """Sets a value, however often"""

    name, params, example = "bench.put", Setting, {"at": "http://127.0.0.1:4000/key", "value": "new"}
    changes, poll_s = "a value", 0.2

    def target(self, params: Setting) -> str:
        return params.at

    def before(self, world: World, params: Setting) -> State:
        return {"value": ask(params.at)["value"]}

    def plan(self, params: Setting, before: State) -> str:
        return f"set {before['value'] or 'nothing'} to {params.value}"

    def act(self, world: World, params: Setting, before: State) -> Outcome:
        ask(f"{params.at}?{params.value}", post=True)
        return Outcome(f"set to {params.value}")

    def look(self, world: World, params: Setting, before: State, outputs: State) -> Look:
        value = ask(params.at)["value"]
        return Look("done" if value == params.value else "not seen", f"it is {value or 'nothing'}")

    def undo(self, world: World, params: Setting, before: State, outputs: State) -> Outcome:
        ask(f"{params.at}?{before['value'] or 'nothing'}", post=True)
        return Outcome("set back")

    def undone(self, world: World, params: Setting, before: State, outputs: State) -> Look:
        value = ask(params.at)["value"]
        return Look("done" if value in (before["value"], "nothing") else "under way", f"it is {value}")


class Refuse(Action[Deed]):
    """Is refused, always"""

    name, params, example = "bench.refuse", Deed, {"at": "http://127.0.0.1:4000/key"}
    changes, no_undo = "nothing", "it never did anything"

    def target(self, params: Deed) -> str:
        return params.at

    def plan(self, params: Deed, before: State) -> str:
        return "be refused"

    def act(self, world: World, params: Deed, before: State) -> Outcome:
        raise Failed("the world refused: that is all it ever does")


ACTIONS: Mapping[str, Action[Any]] = {each.name: each for each in (Strike(), BlindStrike(), Put(), Refuse())}


def _step(name: str, action: str, undo: str = "auto", timeout: str = "30s", **given: str) -> dict[str, Any]:
    at = f"${{{{ params.at }}}}-{name}"
    return {"name": name, "uses": f"bench.{action}", "with": {"at": at, **given}, "undo": undo, "timeout": timeout}


def _runbook(name: str, *steps: dict[str, Any]) -> Runbook:
    return Runbook.model_validate({
        "name": name, "title": name, "owner": "padok", "reviewed": "2026-11-01", "lock": "${{ params.at }}",
        "parameters": {"at": {"description": "where"}}, "steps": steps,
    })


RUNBOOKS = (
    _runbook(FORTH, _step("first", "put", value="a"), _step("one", "strike", "none"), _step("second", "put", value="b"),
             _step("two", "strike", "none"), _step("three", "strike", "none")),
    _runbook(BACK, _step("first", "put", value="a"), _step("one", "strike", "none"), _step("second", "put", value="b"),
             _step("end", "refuse", "none")),
    _runbook(BLIND, _step("one", "blind_strike", "none", "3s"), _step("first", "put", value="a"),
             _step("two", "blind_strike", "none", "3s")),
)
ENDS = {FORTH: "succeeded", BACK: "failed", BLIND: "succeeded"}
CATALOGUE = Catalogue({each.name: Entry(each, f"{each.name}.yaml", 1) for each in RUNBOOKS}, ACTIONS)
