"""Socket Mode: the workspace speaks to slack_bolt's own handler."""

import asyncio
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp

from tests.workspace_stage import ALERTS, ALICE, LEA, Stage, actions, bolt_app, button, section, stage, until


def play(story: Any) -> None:
    async def run() -> None:
        async with stage() as there:
            bolt = bolt_app(there.slack)
            handler = AsyncSocketModeHandler(bolt, "xapp-demo-vigie")
            await handler.connect_async()
            await until(lambda: there.workspace.sockets.links)
            try:
                await story(there, bolt)
            finally:
                await handler.close_async()

    asyncio.run(run())


def test_commands_clicks_and_mentions_come_through_the_socket() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        heard: list[str] = []

        @bolt.command("/vigie")
        async def answer(ack: Any, command: Any) -> None:
            await ack(f"you said: {command['text']}")

        @bolt.action("ack")
        async def clicked(ack: Any, respond: Any) -> None:
            await ack()
            await respond(text="taken", replace_original=True)

        @bolt.event("app_mention")
        async def mentioned(event: Any) -> None:
            heard.append(event["text"])

        await there.say("/vigie help")
        assert [one["text"] for one in await there.seen()] == ["you said: help"]
        card = [section("pay-api"), actions(button("Acknowledge", "ack"))]
        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card", blocks=card))["ts"]
        await there.post("click", person=LEA, channel=ALERTS, ts=ts, block_id="actions", action_id="ack")
        assert (await there.seen(LEA))[0]["text"] == "taken"
        await there.say("@Vigie hello")
        await until(lambda: heard == ["<@U0VIGIE001> hello"])

    play(story)


def test_an_app_that_is_asked_to_reconnect_comes_back_and_misses_nothing() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.command("/vigie")
        async def answer(ack: Any) -> None:
            await ack("here again")

        first = there.workspace.sockets.links[0]
        await there.workspace.sockets.disconnect()
        await until(lambda: there.workspace.sockets.links and there.workspace.sockets.links[0] is not first)
        await there.say("/vigie help")
        assert [one["text"] for one in await there.seen()] == ["here again"]

    play(story)


def test_a_lost_socket_is_told_to_the_person_and_its_address_works_once() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.command("/vigie")
        async def answer(ack: Any) -> None:
            await there.workspace.sockets.close()
            await ack("too late")

        await there.say("/vigie help")
        assert list(there.workspace.notices) == [(ALICE, '/vigie failed with the error "dispatch_failed"')]
        opened = await there.slack.apps_connections_open(app_token="xapp-demo-vigie")
        async with there.http.ws_connect(opened["url"]) as link:
            assert (await link.receive_json())["type"] == "hello"
        async with there.http.get(opened["url"].replace("ws", "http", 1)) as answer_:
            assert answer_.status == 404

    play(story)
