"""Slack's Web API: each answer becomes an error for who must react, and nothing is posted twice by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.clients import slack
from bot.clients.slack import SlackClient, web_client
from bot.errors import Rejected, Unavailable
from bot.services.slack.courier import Slack as CourierSlack
from bot.services.slack.drawing import Drawing, File
from tests.workspace_stage import ALERTS, Stage, served, stage

CARD = Drawing("Firing: pay-api", [{"type": "section", "text": {"type": "mrkdwn", "text": "*Firing*"}}])


def play(story: Callable[[Stage, SlackClient], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with stage(**options) as there:
            await story(there, SlackClient(web_client("xoxb-demo-vigie", f"{there.url}/api/", there.http)))

    asyncio.run(run())


@asynccontextmanager
async def answering(answer: Response, count: Callable[[str], None]) -> AsyncIterator[SlackClient]:
    """A Slack that says the same to everything."""

    async def say(_request: Request) -> Response:
        return answer

    async with aiohttp.ClientSession() as http, served(Starlette(routes=[Route("/{m}", say, methods=["POST"])])) as url:
        yield SlackClient(web_client("xoxb-demo-vigie", url, http), count)


def test_a_post_is_found_again_by_its_key_and_nobody_elses_is() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        courier_side: CourierSlack = client
        first = await courier_side.post(ALERTS, CARD, "card:142", None)
        reply = await client.post(ALERTS, Drawing("what happened"), "log:142", first)
        await there.say("I am card:142", channel=ALERTS)
        assert await client.find(ALERTS, "card:142", None, 0) == first
        assert await client.find(ALERTS, "log:142", first, 0) == reply
        assert await client.find(ALERTS, "card:143", None, 0) is None
        assert await client.find(ALERTS, "card:142", None, float(first) + 60) is None

    play(story)


def test_history_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack, "PAGE", 5)

    async def story(there: Stage, client: SlackClient) -> None:
        first = await client.post(ALERTS, CARD, "card:1", None)
        for number in range(2, 14):
            await client.post(ALERTS, CARD, f"card:{number}", None)
        assert await client.find(ALERTS, "card:1", None, 0) == first

    play(story)


def test_a_file_stands_in_its_thread_and_is_found_again_by_its_title() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        card = await client.post(ALERTS, CARD, "card:142", None)
        chart = File("run57-chart.png", "run57-1 chart.png", "p95 over an hour", b"\x89PNG")
        assert (shown := await client.upload(ALERTS, card, chart, "p95 over an hour (run 57)")).startswith("F")
        assert await client.find_file(ALERTS, card, "run57-1 chart.png", 0) == shown
        assert await client.find_file(ALERTS, card, "run57-2 chart.png", 0) is None
        reply = next(each for each in await there.seen(channel=ALERTS, thread=card) if each["ts"] != card)
        assert reply["text"] == "p95 over an hour (run 57)" and reply["files"][0]["name"] == "run57-chart.png"
        assert there.workspace.state.files[shown].content == b"\x89PNG"

    play(story)


def test_an_update_replaces_the_card() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        ts = await client.post(ALERTS, CARD, "card:142", None)
        await client.update(ALERTS, ts, Drawing("Closed: pay-api", CARD.blocks))
        assert [each["text"] for each in await there.seen(channel=ALERTS)] == ["Closed: pay-api"]

    play(story)


def test_a_lost_reply_is_unavailable_and_never_a_second_post() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        there.workspace.faults.drop_replies = 1
        with pytest.raises(Unavailable) as caught:
            await client.post(ALERTS, CARD, "card:142", None)
        assert caught.value.retry_after is None
        assert len(await there.seen(channel=ALERTS)) == 1

    play(story)


def test_a_wrong_channel_is_rejected_in_slacks_own_word() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        with pytest.raises(Rejected) as caught:
            await client.post("C0NOWHERE1", CARD, "card:142", None)
        assert caught.value.code == "channel_not_found"

    play(story)


def test_the_checks_learn_who_we_are_and_where() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        who = await client.auth_test()
        assert (who["team_id"], who["user_id"], who["bot_id"]) == ("T0BRIDGE01", "U0VIGIE001", "B0VIGIE001")
        assert "chat:write" in who["scopes"]
        channel = await client.channel_info(ALERTS)
        assert channel["name"] == "alerts" and channel["is_member"]

    play(story, manifest={"oauth_config": {"scopes": {"bot": ["chat:write", "channels:read"]}}})


def test_too_fast_is_told_with_slacks_own_pause_and_counted() -> None:
    counted: list[str] = []

    async def run() -> None:
        answer = JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "7"})
        async with answering(answer, counted.append) as client:
            with pytest.raises(Unavailable) as caught:
                await client.post(ALERTS, CARD, "card:142", None)
            assert caught.value.retry_after == 7

    asyncio.run(run())
    assert counted == ["chat.postMessage"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (JSONResponse({"ok": False, "error": "internal_error"}), Unavailable),
        (JSONResponse({"ok": False, "error": "team_added_to_org"}), Unavailable),
        (JSONResponse({"ok": False, "error": "ratelimited"}), Unavailable),
        (JSONResponse({"ok": False, "error": "channel_not_found"}, 500), Unavailable),
        (PlainTextResponse("bad gateway", 502), Unavailable),
        (Response("<html>", 503, media_type="text/html"), Unavailable),
        (Response("{half", 200, media_type="application/json"), Unavailable),
        (PlainTextResponse("ok", 200), Unavailable),
        (JSONResponse([1], 200), Unavailable),
        (JSONResponse({"ok": False, "error": "invalid_blocks"}), Rejected),
        (JSONResponse({"ok": False, "error": "not_in_channel"}), Rejected),
    ],
)
def test_every_answer_is_named_by_who_must_react(answer: Response, error: type[Exception]) -> None:
    async def run() -> None:
        async with answering(answer, lambda method: None) as client:
            with pytest.raises(error):
                await client.post(ALERTS, CARD, "card:142", None)

    asyncio.run(run())


def test_a_silent_slack_is_unavailable_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack, "TIMEOUT_S", 0.2)

    async def story(there: Stage, client: SlackClient) -> None:
        there.workspace.faults.hang = 2
        with pytest.raises(Unavailable):
            await client.update(ALERTS, "1.0", CARD)

    play(story)


def test_nobody_at_the_door_is_unavailable() -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as http:
            client = SlackClient(web_client("xoxb-demo-vigie", "http://127.0.0.1:9/", http))
            with pytest.raises(Unavailable):
                await client.auth_test()

    asyncio.run(run())
