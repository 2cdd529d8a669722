"""The judge bites: what Slack would refuse, and what would call people, is found wherever the bot says it."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bot.clients.slack import SlackClient, web_client
from bot.errors import Unavailable
from bot.services.slack.drawing import Drawing
from tests.judge import Judge, message_faults, shown_faults


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


BAD: list[tuple[str, str, Any]] = [
    ("no text", "  ", [section("fine")]),
    ("too long a section", "fine", [section("x" * 3_001)]),
    ("51 blocks", "fine", [section("fine")] * 51),
    ("an empty row of buttons", "fine", [{"type": "actions", "elements": []}]),
    ("too much text", "x" * 12_001, []),
    ("everybody is called", "fine", [section("see <!channel>")]),
    ("somebody is called", "ask <@U0ALICE001>", []),
    ("a group is called", "ask <!subteam^S012|@night>", []),
]


@pytest.mark.parametrize(("name", "text", "blocks"), BAD, ids=[each[0] for each in BAD])
def test_a_bad_message_is_found(name: str, text: str, blocks: Any) -> None:
    assert list(message_faults(text, blocks)), name


def test_a_good_message_with_a_date_is_let_through() -> None:
    assert list(message_faults("Firing", [section("since <!date^1795341771^{time}|10:02 UTC> &lt;!channel&gt;")])) == []


def test_a_form_without_a_way_to_send_it_is_found() -> None:
    field = {"type": "input", "label": {"type": "plain_text", "text": "Why"}, "element": {"type": "plain_text_input"}}
    title = {"type": "plain_text", "text": "Close #1"}
    assert list(shown_faults({"type": "modal", "title": title, "blocks": [field]}))
    assert list(shown_faults({"type": "modal", "title": {**title, "text": "x" * 25}, "blocks": [section("fine")]}))


def test_the_judge_hears_what_the_bots_own_client_says(judge: Judge) -> None:
    async def speak() -> None:
        async with aiohttp.ClientSession() as session:
            client = SlackClient(web_client("xoxb-demo-vigie", "http://127.0.0.1:9/api/", session))
            with pytest.raises(Unavailable):
                await client.post("C0ALERTS01", Drawing("fine", [section("see <!here>")]), "card:1", None)

    asyncio.run(speak())
    assert judge.seen == 1
    assert "it would call <!here>" in judge.faults.pop()
