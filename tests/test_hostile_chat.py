"""What a signed payload may hold that Slack never sends: addresses that lead elsewhere, and people who are nobody."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from bot.entrypoints.chat import Chat
from tests.chat_stage import FAMILY, PAYMENTS, talk
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
