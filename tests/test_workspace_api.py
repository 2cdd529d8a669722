"""The workspace's Web API, spoken to by Slack's own client."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.client import WebClient

from bot.workspace import Workspace, example_seed
from tests.workspace_stage import ALERTS, ALICE, EVE, LEA, HandClock, Stage, actions, button, section, served, stage


def play(story: Callable[[Stage], Awaitable[None]], **options: object) -> None:
    async def run() -> None:
        async with stage(**options) as there:
            await story(there)

    asyncio.run(run())


async def refused(call: Awaitable[object]) -> dict[str, object]:
    with pytest.raises(SlackApiError) as caught:
        await call
    data = caught.value.response.data
    assert isinstance(data, dict)
    return data


def test_the_bot_learns_who_it_is_and_what_it_may_do() -> None:
    async def story(there: Stage) -> None:
        answer = await there.slack.auth_test()
        assert answer["user_id"] == "U0VIGIE001" and answer["bot_id"] == "B0VIGIE001"
        assert answer["team_id"] == "T0BRIDGE01"
        assert answer.headers["x-oauth-scopes"] == "chat:write"
        assert (await refused(there.slack.users_list()))["needed"] == "users:read"

    play(story, manifest={"oauth_config": {"scopes": {"bot": ["chat:write"]}}})


def test_a_stranger_to_the_api_is_told_so() -> None:
    async def story(there: Stage) -> None:
        base = f"{there.url}/api/"
        assert (await refused(AsyncWebClient(None, base_url=base).auth_test()))["error"] == "not_authed"
        assert (await refused(AsyncWebClient("xoxb-wrong", base_url=base).auth_test()))["error"] == "invalid_auth"
        assert (await refused(there.slack.api_call("cards.shuffle")))["error"] == "unknown_method"

    play(story)


def test_the_synchronous_client_posts_too() -> None:
    async def story(there: Stage) -> None:
        client = WebClient("xoxb-demo-vigie", base_url=f"{there.url}/api/")
        answer = await asyncio.to_thread(client.chat_postMessage, channel="#alerts", text="pay-api: 5xx", blocks=None)
        assert answer["channel"] == ALERTS and answer["message"]["bot_id"] == "B0VIGIE001"

    play(story)


def test_a_card_is_posted_updated_and_deleted() -> None:
    async def story(there: Stage) -> None:
        card = [section("pay-api: 5xx above 5 %"), actions(button("Acknowledge", "ack"))]
        posted = await there.slack.chat_postMessage(channel=ALERTS, text="pay-api: 5xx", blocks=card)
        assert all(block["block_id"] for block in posted["message"]["blocks"])
        ts = posted["ts"]
        await there.slack.chat_update(channel=ALERTS, ts=ts, text="taken", blocks=[section("taken by Alice")])
        assert (await there.seen())[0]["edited"] is False
        await there.slack.chat_update(channel=ALERTS, ts=ts, text="only text")
        now = (await there.seen())[0]
        assert now["blocks"] is None and now["edited"] is True
        await there.slack.chat_delete(channel=ALERTS, ts=ts)
        assert await there.seen() == []

    play(story)


def test_what_cannot_be_posted_is_refused_with_slacks_own_word() -> None:
    async def story(there: Stage) -> None:
        post = there.slack.chat_postMessage
        assert (await refused(post(channel="C0NOWHERE1", text="x")))["error"] == "channel_not_found"
        silent = there.slack.api_call("chat.postMessage", json={"channel": ALERTS, "text": " "})
        assert (await refused(silent))["error"] == "no_text"
        assert (await refused(post(channel=ALERTS, text="x", blocks="[")))["error"] == "invalid_blocks_format"
        assert (await refused(post(channel=ALERTS, text="x", thread_ts="0")))["error"] == "invalid_thread_ts"
        heavy = [section("x" * 2900) for _ in range(5)]
        assert (await refused(post(channel=ALERTS, text="x", blocks=heavy)))["error"] == "msg_blocks_too_long"
        wrong = await refused(post(channel=ALERTS, text="x", blocks=[section("x" * 3001)]))
        assert wrong["error"] == "invalid_blocks"
        assert wrong["errors"] == ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
        gone = "1700000000.000100"
        assert (await refused(post(channel=ALERTS, text="x", thread_ts=gone)))["error"] == "thread_not_found"
        update = there.slack.chat_update
        assert (await refused(update(channel=ALERTS, ts=gone, text="x")))["error"] == "message_not_found"
        await there.say("I am looking")
        ts = (await there.seen())[0]["ts"]
        assert (await refused(update(channel=ALERTS, ts=ts, text="x")))["error"] == "cant_update_message"
        whisper = there.slack.chat_postEphemeral
        assert (await refused(whisper(channel=ALERTS, user="U0NOBODY01", text="x")))["error"] == "user_not_in_channel"

    play(story)


def test_a_thread_counts_its_replies() -> None:
    async def story(there: Stage) -> None:
        root = (await there.slack.chat_postMessage(channel=ALERTS, text="card"))["ts"]
        for text in ("one", "two"):
            last = (await there.slack.chat_postMessage(channel=ALERTS, text=text, thread_ts=root))["ts"]
        parent = (await there.slack.conversations_history(channel=ALERTS))["messages"][0]
        assert (parent["reply_count"], parent["latest_reply"], parent["thread_ts"]) == (2, last, root)
        thread = (await there.slack.conversations_replies(channel=ALERTS, ts=root))["messages"]
        assert [message["text"] for message in thread] == ["card", "one", "two"]
        await there.slack.chat_postMessage(channel=ALERTS, text="all of you", thread_ts=last, reply_broadcast=True)
        newest = (await there.slack.conversations_history(channel=ALERTS))["messages"][0]
        assert newest["subtype"] == "thread_broadcast" and newest["thread_ts"] == root

    play(story)


def test_history_comes_page_by_page_newest_first_and_shows_metadata_only_when_asked() -> None:
    async def story(there: Stage) -> None:
        for number in range(7):
            key = {"event_type": "card", "event_payload": {"key": str(number)}}
            await there.slack.chat_postMessage(channel=ALERTS, text=str(number), metadata=key)
        texts, cursor = [], None
        while cursor != "":
            page = await there.slack.conversations_history(channel=ALERTS, limit=3, cursor=cursor)
            texts += [message["text"] for message in page["messages"]]
            assert not any("metadata" in message for message in page["messages"])
            cursor = page["response_metadata"]["next_cursor"]
        assert texts == list("6543210")
        newest = await there.slack.conversations_history(channel=ALERTS, limit=1, include_all_metadata=True)
        assert newest["messages"][0]["metadata"]["event_payload"] == {"key": "6"}
        later = await there.slack.conversations_history(channel=ALERTS, oldest=newest["messages"][0]["ts"])
        assert later["messages"] == []
        lost = await refused(there.slack.conversations_history(channel=ALERTS, cursor="x"))
        assert lost["error"] == "invalid_cursor"

    play(story)


def test_a_new_message_calls_people_and_an_update_never_does() -> None:
    async def story(there: Stage) -> None:
        async def badge(person: str) -> tuple[int, int]:
            channels = (await there.get("view", person=person))["channels"]
            return next((one["unread"], one["mentions"]) for one in channels if one["id"] == ALERTS)

        card = [section("for <@U0LEA00001>")]
        posted = await there.slack.chat_postMessage(channel=ALERTS, text="pay-api", blocks=card)
        assert await badge(LEA) == (1, 1) and await badge(ALICE) == (1, 0)
        await there.seen(LEA)
        await there.slack.chat_update(channel=ALERTS, ts=posted["ts"], text="now for <@U0LEA00001> again")
        assert await badge(LEA) == (0, 0)

    play(story)


def test_an_ephemeral_message_is_for_one_person_and_no_history_knows_it() -> None:
    async def story(there: Stage) -> None:
        await there.slack.chat_postEphemeral(channel=ALERTS, user=ALICE, text="only you")
        assert [message["ephemeral"] for message in await there.seen(ALICE)] == [True]
        assert await there.seen(LEA) == []
        assert (await there.slack.conversations_history(channel=ALERTS))["messages"] == []

    play(story)


def test_a_channel_takes_one_message_a_second_and_says_when_to_come_back() -> None:
    async def story(there: Stage) -> None:
        for _ in range(3):
            await there.slack.chat_postMessage(channel=ALERTS, text="storm")
        with pytest.raises(SlackApiError) as caught:
            await there.slack.chat_postMessage(channel=ALERTS, text="storm")
        answer = caught.value.response
        assert (answer.status_code, answer["error"], answer.headers["Retry-After"]) == (429, "ratelimited", "1")
        await there.slack.chat_postMessage(channel="#payments", text="another channel is free")
        clock.forward(1)
        await there.slack.chat_postMessage(channel=ALERTS, text="a second later")
        assert [request.status for request in there.workspace.log] == [200, 200, 200, 429, 200, 200]

    clock = HandClock()
    play(story, pace=1.0, clock=clock)


def test_people_and_channels_are_listed_and_strangers_marked() -> None:
    async def story(there: Stage) -> None:
        people = [one["name"] for one in (await there.slack.users_list())["members"]]
        assert people == ["lea", "alice", "bruno", "paul", "marie", "omar", "ines", "vigie"]
        eve = (await there.slack.users_info(user=EVE))["user"]
        assert eve["is_stranger"] and eve["team_id"] == "T0EVIL0001"
        found = await there.slack.users_lookupByEmail(email="lea@example.com")
        assert found["user"]["id"] == LEA and found["user"]["is_restricted"]
        channels = (await there.slack.conversations_list())["channels"]
        assert [(one["name"], one["is_ext_shared"]) for one in channels] == [
            ("alerts", True), ("payments", False), ("review", False)
        ]
        assert EVE in (await there.slack.conversations_members(channel=ALERTS))["members"]
        direct = (await there.slack.conversations_open(users=ALICE))["channel"]["id"]
        await there.slack.chat_postMessage(channel=direct, text="a word in private")
        assert (await there.seen(ALICE, direct))[0]["text"] == "a word in private"
        assert (await refused(there.slack.conversations_open(users=EVE)))["error"] == "user_not_found"

    play(story)


def test_a_report_is_uploaded_in_three_steps_and_can_be_opened() -> None:
    async def story(there: Stage) -> None:
        await there.slack.files_upload_v2(
            channel=ALERTS, content="a,b\n1,2\n", filename="review 2026-10.csv", initial_comment="October"
        )
        message = (await there.seen())[0]
        assert message["text"] == "October" and message["files"][0]["name"] == "review 2026-10.csv"
        async with there.http.get(f"{there.url}/{message['files'][0]['url']}") as answer:
            assert await answer.text() == "a,b\n1,2\n"
            assert answer.headers["Content-Disposition"] == "attachment"

    play(story)


def test_a_reply_can_be_lost_after_the_message_was_posted() -> None:
    async def story(there: Stage) -> None:
        there.workspace.faults.drop_replies = 1
        with pytest.raises(Exception, match=r"(?i)disconnect|reset"):
            await there.slack.chat_postMessage(channel=ALERTS, text="once")
        assert [message["text"] for message in there.workspace.messages("#alerts")] == ["once"]
        there.workspace.faults.down = True
        with pytest.raises(SlackApiError):
            await there.slack.chat_postMessage(channel=ALERTS, text="twice")
        there.workspace.faults.down, there.workspace.faults.storm_429 = False, 1
        assert (await refused(there.slack.auth_test()))["error"] == "ratelimited"
        await there.slack.auth_test()

    play(story)


async def a_while() -> None:
    """So many turns of the loop, however busy the machine is."""
    for _ in range(20):
        await asyncio.sleep(0.01)


def test_a_slow_slack_answers_late_and_forgets_who_has_left() -> None:
    async def story(there: Stage) -> None:
        there.workspace.faults.hang = 0.3
        there.slack.timeout = 60
        await there.slack.chat_postMessage(channel=ALERTS, text="waited for")
        hurry = AsyncWebClient("xoxb-demo-vigie", base_url=f"{there.url}/api/", timeout=0.1, retry_handlers=[])
        let_go = asyncio.Event()
        there.workspace.sleep = lambda _seconds: let_go.wait()
        with pytest.raises(TimeoutError):
            await hurry.chat_postMessage(channel=ALERTS, text="given up")
        await a_while()                 # the server hears that the caller has left
        let_go.set()
        await a_while()
        assert [message["text"] for message in there.workspace.messages("alerts")] == ["waited for"]

    play(story)


def test_a_workspace_stands_alone_without_a_mount() -> None:
    async def run() -> None:
        workspace = Workspace(example_seed("http://127.0.0.1:9/slack/events"))
        async with served(workspace.asgi) as url:
            client = AsyncWebClient("xoxb-demo-vigie", base_url=f"{url}/api/", retry_handlers=[])
            assert (await client.auth_test())["url"] == f"{url}/"
            await client.files_upload_v2(channel=ALERTS, content="alone", filename="note.txt")
        await workspace.close()
        assert workspace.messages("alerts")[0]["files"][0]["name"] == "note.txt"

    asyncio.run(run())


def test_reactions_and_pins_stand_once() -> None:
    async def story(there: Stage) -> None:
        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card"))["ts"]
        await there.slack.reactions_add(channel=ALERTS, timestamp=ts, name="eyes")
        again = await refused(there.slack.reactions_add(channel=ALERTS, timestamp=ts, name="eyes"))
        assert again["error"] == "already_reacted"
        shown = (await there.slack.reactions_get(channel=ALERTS, timestamp=ts))["message"]["reactions"]
        assert shown == [{"name": "eyes", "users": ["U0VIGIE001"], "count": 1}]
        await there.slack.reactions_remove(channel=ALERTS, timestamp=ts, name="eyes")
        await there.slack.pins_add(channel=ALERTS, timestamp=ts)
        assert (await refused(there.slack.pins_add(channel=ALERTS, timestamp=ts)))["error"] == "already_pinned"

    play(story)


def test_a_permalink_leads_to_the_channel() -> None:
    async def story(there: Stage) -> None:
        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card"))["ts"]
        link = (await there.slack.chat_getPermalink(channel=ALERTS, message_ts=ts))["permalink"]
        async with there.http.get(link, allow_redirects=False) as answer:
            assert answer.status == 307 and answer.headers["Location"].endswith(f"#{ALERTS}")

    play(story)


