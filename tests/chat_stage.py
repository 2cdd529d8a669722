"""A stage for conversations: the workspace, the gate, Bolt and the commands, on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.routing import Route

import commands
from bot.clients.slack import SlackClient, web_client
from bot.discover import discover
from bot.entrypoints.chat import SHORTCUTS, WORKING, build_bolt
from bot.entrypoints.gate import gate
from bot.ports import SystemClock
from bot.services.desk import OBSERVER, Desk
from bot.services.slack import cards
from bot.services.slack.courier import Courier
from bot.store import alerts, journal
from bot.store.alerts import Alert
from bot.workspace import faults
from commands import Command
from tests.patience import PATIENCE_S
from tests.story import arrive, desk_on, signal
from tests.workspace_stage import ALICE, Lazy, Stage, stage

SECRET = "demo-slack-signing-secret"
PAYMENTS = "C0PAYMNT01"
MANIFEST: dict[str, Any] = {
    "features": {
        "slash_commands": [{"command": "/vigie", "description": "Alerts", "usage_hint": "help", "should_escape": True}],
        "shortcuts": list(SHORTCUTS),
    }
}
FAMILY = discover(commands, Command)


@dataclass
class Talk:
    """People of the workspace talk with Vigie; `refused` collects what the gate turned away."""

    there: Stage
    desk: Desk
    courier: Courier
    slack: SlackClient
    refused: list[str] = field(default_factory=list)

    async def alert(self, **fields: Any) -> int:
        """An alert of pay-api whose card stands in #payments."""
        arrive(self.desk, signal(**fields))
        await self.deliver()
        with self.desk.read() as connection:
            return alerts.nearest_ids(connection)[0]

    async def deliver(self, channel: str = PAYMENTS) -> None:
        while await self.courier.deliver_next(channel) is not None:
            pass

    async def card(self, number: int) -> dict[str, Any]:
        for message in await self.there.seen(channel=PAYMENTS):
            if f"(#{number})" in message["text"]:
                assert faults(message["blocks"]) == []
                return message
        raise AssertionError(f"no card of #{number}")

    async def line(self, text: str, person: str = ALICE) -> str:
        """Types /vigie and this; returns the answer."""
        return await self._answered(person, self.there.say(f"/vigie {text}".strip(), person, PAYMENTS))

    async def mention(self, text: str, person: str = ALICE, thread: str | None = None) -> str:
        return await self._answered(person, self.there.say(f"<@U0VIGIE001> {text}", person, PAYMENTS, thread=thread))

    async def press(self, number: int, verb: str, person: str = ALICE) -> str:
        """Clicks the button or the overflow entry of this card."""
        clicked = aimed(await self.card(number), verb, number)
        return await self._answered(person, self.there.post("click", person=person, channel=PAYMENTS, **clicked))

    async def press_below(self, words: str, person: str = ALICE) -> str:
        """Clicks the button or menu entry with these words, wherever in #payments it stands newest."""
        for message in reversed(list(self.there.workspace.state.conversations[PAYMENTS].by_ts.values())):
            if place := labelled(message.blocks, words):
                click = self.there.post("click", person=person, channel=PAYMENTS, ts=message.ts, **place)
                return await self._answered(person, click)
        raise AssertionError(f"nothing here says {words!r}")

    async def fill(self, who: str = ALICE, **values: str) -> dict[str, Any]:
        """Fills in the open form and sends it; returns what the page is told."""
        view = self.form(who)
        blocks = {block["block_id"]: (block, block["block_id"].rpartition(":")[2]) for block in view.body["blocks"][1:]}
        given = {block_id: value(block, values.get(name)) for block_id, (block, name) in blocks.items()}
        return await self.there.post("submit", person=who, view_id=view.id, values=given)

    def form(self, person: str = ALICE) -> Any:
        stack = self.there.workspace.state.modals.stacks.get(person) or []
        return stack[-1] if stack else None

    async def heard(self, person: str = ALICE) -> list[str]:
        """All that was said only to this person in #payments."""
        return [each["text"] for each in await self.all_seen(person) if each["ephemeral"]]

    async def all_seen(self, person: str) -> list[dict[str, Any]]:
        conversation = self.there.workspace.state.conversations[PAYMENTS]
        return [
            {"text": each.text, "ephemeral": each.ephemeral_for == person}
            for each in conversation.by_ts.values()
            if each.ephemeral_for in (None, person)
        ]

    async def _answered(self, person: str, act: Any) -> str:
        before = len(await self.heard(person))
        said = await act
        assert said["ok"], said
        for _ in range(round(PATIENCE_S / 0.005)):
            answers = [each for each in (await self.heard(person))[before:] if each != WORKING]
            if answers:
                return answers[-1]
            if self.form(person):
                return ""
            await asyncio.sleep(0.005)
        raise AssertionError(f"no answer; notices: {self.there.workspace.notices}")

    def entries(self) -> list[Any]:
        with self.desk.read() as connection:
            return [each for each in journal.all_entries(connection) if not each.actor.startswith(OBSERVER)]

    def now_is(self, number: int) -> Alert:
        with self.desk.read() as connection:
            found = alerts.by_id(connection, number)
        assert found is not None
        return found


def value(block: dict[str, Any], given: str | None) -> dict[str, Any]:
    """What the page sends for one input."""
    element = block["element"]
    if element["type"] == "static_select":
        option = next((each for each in element["options"] if each["value"] == given), element.get("initial_option"))
        return {element["action_id"]: {"type": "static_select", "selected_option": option}}
    if element["type"] == "checkboxes":
        ticked = [each for each in element["options"] if each["value"] in (given or "").split(",")]
        return {element["action_id"]: {"type": "checkboxes", "selected_options": ticked}}
    return {element["action_id"]: {"type": element["type"], "value": given or element.get("initial_value")}}


def labelled(blocks: list[dict[str, Any]], words: str) -> dict[str, Any] | None:
    """Where in a message the button or menu entry with these words stands."""
    for block in blocks:
        for element in block.get("elements", []):
            place = {"block_id": block["block_id"], "action_id": element.get("action_id")}
            if element["type"] == "button" and element["text"]["text"] == words:
                return place
            for option in element.get("options", []):
                if option["text"]["text"] == words:
                    return {**place, "selected_option": option}
    return None


def aimed(message: dict[str, Any], verb: str, number: int) -> dict[str, Any]:
    """The click on a card that means this command."""
    for block in message["blocks"]:
        for element in block.get("elements", []):
            place = {"ts": message["ts"], "block_id": block["block_id"], "action_id": element.get("action_id")}
            if element.get("action_id") == f"vigie:{verb}":
                return place
            for option in element.get("options", []):
                if option["value"] == f"{verb}:{number}":
                    return {**place, "selected_option": option}
    raise AssertionError(f"the card has no {verb}: {json.dumps(message['blocks'])}")


@asynccontextmanager
async def talk(engine: sa.Engine, desk: Desk | None = None) -> AsyncIterator[Talk]:
    door = Lazy()
    async with stage(door, manifest=MANIFEST) as there:
        desk = desk or desk_on(engine)
        refused: list[str] = []
        web = web_client("xoxb-demo-vigie", f"{there.url}/api/", there.http)
        bolt = build_bolt(desk, FAMILY, web, SECRET)
        entrance = gate(bolt, SECRET, SystemClock(), refused.append)
        door.app = Starlette(routes=[Route("/slack/events", entrance, methods=["POST"])])
        slack = SlackClient(web)
        courier = Courier(desk, slack, partial(cards.draw, desk), pace=0)
        yield Talk(there, desk, courier, slack, refused)
