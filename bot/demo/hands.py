"""The hands of people in the workspace: they type, press the button of a message, fill in the form that it opens."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from bot.errors import Refused
from bot.ports import system_sleep
from bot.workspace import Workspace
from bot.workspace.blocks import elements_of
from bot.workspace.messages import Conversation, Message
from bot.workspace.modals import View
from bot.workspace.state import direct_id

T = TypeVar("T")

LOOK_S, ANSWER_S = 0.01, 15.0
EVERYTHING, NAMED = "*", "named:"

NOT_SEEN = "{person} sees nothing that says {what!r}"
NO_ANSWER = "{person} waited for {what}"
NO_BUTTON = "the message has no button {button!r}: {said}"
WRONG_FORM = "{person}'s form was sent back: {errors}"


class Lost(Exception):
    """Somebody wanted to do something, and what it takes is not there."""


class Hands:
    """Every act as a person does it, over HTTP, and waited for until it is answered."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._state = workspace, workspace.state

    async def type(self, person: str, channel: str, line: str, reads: Mapping[str, str]) -> None:
        """A line in a channel; returns when somebody answered it."""
        found = {name: await self._read(person, pattern) for name, pattern in reads.items()}
        before = self._whispers(person, channel)
        with suppress(Refused):
            await self._workspace.acts.say(person, channel, line.format(**found))
        await self._until(lambda: self._whispers(person, channel) > before, NO_ANSWER.format(person=person, what=repr(line)))

    async def press(self, person: str, about: str, button: str, fills: Mapping[str, str]) -> None:
        """The button under the newest direct message about it; and the form that comes, if there is something to fill in."""
        message = await self._until(lambda: self._message(person, about), NOT_SEEN.format(person=person, what=about))
        block, element = _button(message, button)
        before = self._words(person)
        click = {"channel": message.channel, "ts": message.ts, "block_id": block["block_id"], "action_id": element["action_id"]}
        await self._workspace.acts.click(person, click)
        if fills:
            view = await self._until(lambda: self._state.modals.top(person), NO_ANSWER.format(person=person, what="a form"))
            errors = await self._workspace.acts.submit(person, view.id, dict(_filled(view, fills)))
            if errors:
                raise Lost(WRONG_FORM.format(person=person, errors=errors))
        await self._until(lambda: self._words(person) > before, NO_ANSWER.format(person=person, what=repr(button)))

    # --- what they see ---

    async def _read(self, person: str, pattern: str) -> str:
        """What the newest message that fits says there."""
        def look() -> str | None:
            found = (re.findall(pattern, _shown(each)) for each in reversed(self._seen(person)))
            return next((each[0] for each in found if each), None)

        return await self._until(look, NOT_SEEN.format(person=person, what=pattern))

    def _seen(self, person: str) -> list[Message]:
        every = (each for place in self._places(person) for each in place.by_ts.values())
        return sorted((each for each in every if each.ephemeral_for in (None, person)), key=lambda each: each.ts)

    def _places(self, person: str) -> Iterator[Conversation]:
        return (each for each in self._state.conversations.values() if person in each.members)

    def _message(self, person: str, about: str) -> Message | None:
        direct = self._state.conversations[direct_id(person)]
        return next((each for each in reversed(direct.by_ts.values()) if each.by_app and about in _shown(each)), None)

    def _whispers(self, person: str, channel: str) -> int:
        return sum(each.ephemeral_for == person for each in self._state.conversations[channel].by_ts.values())

    def _words(self, person: str) -> int:
        return len(self._seen(person))

    async def _until(self, fact: Callable[[], T | None], else_say: str) -> T:
        for _ in range(int(ANSWER_S / LOOK_S)):
            if found := fact():
                return found
            await system_sleep(LOOK_S)
        raise Lost(else_say)


def _shown(message: Message) -> str:
    return f"{message.text}\n{json.dumps(message.blocks, ensure_ascii=False)}"


def _button(message: Message, words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for block in message.blocks:
        for element in elements_of(block):
            if element.get("type") == "button" and element["text"]["text"] == words:
                return block, element
    raise Lost(NO_BUTTON.format(button=words, said=message.text))


def _fits(option: dict[str, Any], said: str) -> bool:
    return said in (EVERYTHING, option["value"]) or (said != "" and said in option["text"]["text"])


def _filled(view: View, fills: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Each input as Slack sends it: an option by its words or its value, * for all of them."""
    for block in view.inputs:
        element, said = block["element"], fills.get(block["block_id"].removeprefix(NAMED), "")
        kind, options = element["type"], element.get("options", [])
        fits = [each for each in options if _fits(each, said)]
        match kind:
            case "static_select":
                value: dict[str, Any] = {"selected_option": fits[0] if fits else None}
            case "checkboxes":
                value = {"selected_options": fits}
            case _:
                value = {"value": said or element.get("initial_value")}
        yield block["block_id"], {element["action_id"]: {"type": kind, **value}}


