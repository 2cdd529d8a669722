"""What a signed payload may hold that Slack never sends: addresses that lead elsewhere, and people who are nobody."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk.web.async_client import AsyncWebClient

from bot.entrypoints.chat import Chat
from bot.store import alerts, journal
from tests.chat_stage import FAMILY, PAYMENTS, talk
from tests.story import arrive, desk_on, signal
from tests.workspace_stage import ALICE

PERSON = {"id": ALICE, "team_id": "T0BRIDGE01"}


async def taken(*_said: Any, **_more: Any) -> None:
    """Slack's acknowledgement."""


def clicked(engine: sa.Engine, **payload: Any) -> list[str]:
    """What Alice hears after a click on Acknowledge that came in so."""
    async def run() -> list[str]:
        async with talk(engine) as here:
            number = await here.alert()
            chat = Chat(here.desk, FAMILY, here.slack.web)
            body = {"user": PERSON, "channel": {"id": PAYMENTS}, **payload}
            await chat.clicked(taken, body, {"action_id": "vigie:ack", "value": str(number)})  # type: ignore[arg-type]
            return await here.heard()

    return asyncio.run(run())


@pytest.mark.parametrize("url", [
    "http://127.0.0.1:9/latest/meta-data", "https://hooks.slack.com@evil.example/", "https://hooks.slack.com.evil.example/",
    "http://hooks.slack.com/actions/T/1", "https://[", 7,
])
def test_an_answer_goes_to_slack_only_wherever_the_payload_points(sqlite_engine: sa.Engine, url: object) -> None:
    assert ["is yours" in each for each in clicked(sqlite_engine, response_url=url)] == [True]


def test_slacks_own_address_and_that_of_the_workspace_are_followed(sqlite_engine: sa.Engine) -> None:
    async def run() -> list[bool]:
        async with talk(sqlite_engine) as here:
            chat = Chat(here.desk, FAMILY, here.slack.web)
            return [chat._is_slacks(each) for each in ("https://hooks.slack.com/actions/T/1/x", f"{here.there.url}/hooks/1")]

    assert asyncio.run(run()) == [True, True]


@pytest.mark.parametrize("person", [
    None, 7, "alice", [], {}, {"id": None, "team_id": "T0BRIDGE01"}, {"id": ALICE, "team_id": None}, {"id": ["x"], "team_id": {}},
])
def test_a_click_of_nobody_is_refused_and_written_down(sqlite_engine: sa.Engine, person: object) -> None:
    desk = desk_on(sqlite_engine)
    arrive(desk, signal())
    chat = Chat(desk, FAMILY, AsyncWebClient("xoxb-demo-vigie", base_url="http://127.0.0.1:9/", retry_handlers=[]))
    click = {"action_id": "vigie:ack", "value": "1"}

    asyncio.run(chat.clicked(taken, {"user": person}, click))  # type: ignore[arg-type]

    with desk.read() as connection:
        (entry,) = [each for each in journal.all_entries(connection) if each.kind == "command refused"]
        assert alerts.recent(connection)[0].state == "firing"
    assert "does not know you" in entry.details
