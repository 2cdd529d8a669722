"""The endpoints behind the workspace's page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.patience import PATIENCE_S
from tests.workspace_stage import ALERTS, ALICE, EVE, LEA, Stage, stage


def play(story: Callable[[Stage], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with stage(**options) as there:
            await story(there)

    asyncio.run(run())


def test_the_page_knows_the_team_and_the_commands() -> None:
    async def story(there: Stage) -> None:
        start = await there.get("start")
        assert start["team"] == {"id": "T0BRIDGE01", "name": "Bridge"}
        assert [one["name"] for one in start["people"] if one["stranger"]] == ["eve"]
        assert start["commands"][0]["command"] == "/vigie"
        view = await there.get("view", person=ALICE)
        assert [one["name"] for one in view["channels"]] == ["alerts", "payments", "review", "Vigie"]
        assert view["users"]["U0VIGIE001"]["is_bot"]
        assert [one["name"] for one in (await there.get("view", person=EVE))["channels"]] == ["alerts"]

    play(story)


def test_nobody_reads_or_writes_where_they_are_not() -> None:
    async def story(there: Stage) -> None:
        await there.say("only for us", channel="C0PAYMNT01")
        assert await there.seen(EVE, "C0PAYMNT01") == []
        assert (await there.say("hello", EVE, "C0PAYMNT01"))["error"] == "You are not in this channel"
        assert not (await there.say("hello", "U0NOBODY01"))["ok"]
        assert (await there.say("   "))["error"] == "Write something first"

    play(story)


def test_a_typed_line_becomes_slacks_markup() -> None:
    async def story(there: Stage) -> None:
        await there.say("@lea, see #payments & <b> with @Alice Martin")
        assert (await there.seen())[0]["text"] == "<@U0LEA00001>, see <#C0PAYMNT01> &amp; &lt;b&gt; with <@U0ALICE001>"

    play(story)


def test_an_open_page_hears_of_everything_that_concerns_its_person() -> None:
    async def story(there: Stage) -> None:
        async with there.http.get(f"{there.url}/page/stream", params={"as": LEA}) as stream:
            assert (await stream.content.readline()).startswith(b":")
            await there.say("hello")
            await there.slack.chat_postEphemeral(channel=ALERTS, user=ALICE, text="not for lea")
            there.workspace.state.streams.notice(LEA, "the last word")
            events: list[dict[str, Any]] = []
            while not events or events[-1]["type"] != "notice":
                line = await asyncio.wait_for(stream.content.readline(), PATIENCE_S)
                if line.startswith(b"data: "):
                    events.append(json.loads(line[6:]))
        ts = there.workspace.messages("alerts")[0]["ts"]
        assert events == [
            {"type": "message", "channel": ALERTS, "ts": ts}, {"type": "channels"},
            {"type": "notice", "text": "the last word"},
        ]

    play(story)


def test_the_page_runs_no_script_but_its_own_and_obeys_no_foreign_form() -> None:
    async def story(there: Stage) -> None:
        async with there.http.get(f"{there.url}/page/start") as answer:
            assert "default-src 'none'; script-src 'self'" in answer.headers["Content-Security-Policy"]
        async with there.http.get(f"{there.url}/static/..%2Fserver.py") as answer:
            assert answer.status == 404
        async with there.http.post(f"{there.url}/page/say", data={"as": ALICE, "text": "forged"}) as answer:
            assert not (await answer.json())["ok"]
        async with there.http.get(there.url) as answer:
            assert answer.status == 200 and answer.url.path == "/workspace/"

    play(story)
