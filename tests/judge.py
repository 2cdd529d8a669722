"""Judges all that the tests make the bot say: by Slack's limits, by Slack's own models, and by our promise to call nobody."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.clients import slack
from bot.entrypoints.chat import Chat
from bot.services.slack.courier import Courier
from bot.workspace.blocks import faults, view_faults, weight

LONGEST = 12_000
SPEAKING = ("chat.postMessage", "chat.update", "chat.postEphemeral")
SHOWING = ("views.open", "views.update", "views.push", "views.publish")
# Cards name people without calling them; a signal's text must never become more than text.
CALLS = re.compile(r"<[!@](?!date\^)[^>]*>")
ONE_PERSON = re.compile(r"<@U[A-Z0-9]+>")
CALLING = ("approval:", "page:", "doubt:")      # posts that may call people, and only when they are new


def message_faults(text: Any, blocks: Any, may_call: bool = False) -> Iterator[str]:
    """What is wrong with a message: `text` is what a notification and a screen reader say."""
    if not isinstance(text, str) or not text.strip():
        yield "a message without a text says nothing in a notification"
        return
    if max(len(text), weight(blocks or [])) > LONGEST:
        yield f"longer than {LONGEST} characters"
    yield from faults(blocks or [])
    for block in blocks or []:
        yield from refused_by_sdk(Block, block)
    called = CALLS.findall(text + json.dumps(blocks or [], ensure_ascii=False))
    yield from (f"it would call {each}" for each in called if not (may_call and ONE_PERSON.fullmatch(each)))


def shown_faults(view: Any) -> Iterator[str]:
    """What is wrong with a modal or a Home tab."""
    yield from view_faults(view)
    yield from refused_by_sdk(View, view)
    yield from (f"it would call {each}" for each in CALLS.findall(json.dumps(_read(view), ensure_ascii=False)))


def _read(view: Any) -> Any:
    """What Slack shows of a view as text: not what stands in a field, nor what is kept for the app."""
    if isinstance(view, dict):
        return {name: _read(each) for name, each in view.items() if name not in ("initial_value", "value", "private_metadata")}
    return [_read(each) for each in view] if isinstance(view, list) else view


def refused_by_sdk(kind: Any, given: Any) -> Iterator[str]:
    """What Slack's own models refuse; they know nothing of some blocks and say nothing of those."""
    try:
        parsed = kind.parse(copy.deepcopy(given)) if kind is Block else kind(**copy.deepcopy(given))
        if parsed is not None:
            parsed.to_dict()
    except SlackObjectFormationError as fault:
        yield f"slack_sdk: {fault}"


class Judge:
    """Remembers what was wrong: raised on the spot it would only become an answer to somebody."""

    def __init__(self) -> None:
        self.seen = 0
        self.faults: list[str] = []

    def say(self, where: str, text: Any, blocks: Any = None, may_call: bool = False) -> None:
        self._note(where, message_faults(text, blocks, may_call), text, blocks)

    def show(self, where: str, view: Any) -> None:
        self._note(where, shown_faults(view), view)

    def call(self, method: str, given: Any) -> None:
        """One call of the Web API."""
        told = {name: _opened(value) for name, value in dict(given or {}).items()}
        if method in SPEAKING:
            key = str(((told.get("metadata") or {}).get("event_payload") or {}).get("key"))
            self.say(method, told.get("text"), told.get("blocks"), key.startswith(CALLING))
        elif method in SHOWING:
            self.show(method, told.get("view"))

    def _note(self, where: str, found: Iterator[str], *what: Any) -> None:
        self.seen += 1
        self.faults += [f"{where}: {each} in {json.dumps(what, ensure_ascii=False)[:2_000]}" for each in found]


def _opened(value: Any) -> Any:
    """Forms carry JSON as text."""
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def seat(patch: pytest.MonkeyPatch) -> Judge:
    """Lets a judge hear everything that the bot says from now on."""
    judge = Judge()

    class Heard(AsyncWebClient):
        async def api_call(self, api_method: str, **given: Any) -> Any:
            judge.call(api_method, given.get("json") or given.get("data") or given.get("params"))
            return await super().api_call(api_method, **given)

    put, perform = Courier._put, Chat._perform

    async def heard_put(self: Courier, sending: Any, drawing: Any) -> str:
        new = sending.post.ts is None and sending.post.key.startswith(CALLING)
        judge.say(sending.post.key, drawing.text, drawing.blocks, new)
        return await put(self, sending, drawing)

    async def heard_perform(self: Chat, saying: Any, *later: Any) -> Any:
        reply = await perform(self, saying, *later)
        if reply.ask is None:
            judge.say(f"the answer to {saying.words}", reply.text)
        return reply

    patch.setattr(slack, "AsyncWebClient", Heard)
    patch.setattr(Courier, "_put", heard_put)
    patch.setattr(Chat, "_perform", heard_perform)
    return judge
