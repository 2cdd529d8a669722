"""The workspace at night: direct messages, the group of those on duty, silence, who leaves, and the telephones beside it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from starlette.applications import Starlette

from bot.clients.slack import SlackClient, web_client
from bot.doubles import phones
from bot.doubles.phones import Phones
from bot.errors import Rejected
from bot.services.slack.drawing import Drawing
from bot.workspace import Workspace, example_seed
from bot.workspace.seed import Person, Seed
from tests.workspace_stage import ALICE, EVE, LEA, HandClock, Stage, served, stage, until, with_bolt

GROUP, SILENCE = "S0ASTREINT", Drawing("Your shift begins at midnight")


def play(story: Callable[[Stage, SlackClient], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        async with stage(**options) as there:
            await story(there, SlackClient(web_client("xoxb-demo-vigie", f"{there.url}/api/", there.http)))

    asyncio.run(run())


async def refusal(call: Awaitable[Any]) -> str:
    with pytest.raises((SlackApiError, Rejected)) as caught:
        await call
    return str(caught.value.response["error"] if isinstance(caught.value, SlackApiError) else caught.value)


def test_a_direct_message_is_posted_to_a_person_and_found_and_changed_in_the_conversation_with_them() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        ts = await client.post(LEA, SILENCE, "remind:1", None)
        assert await client.find(LEA, "remind:1", None, 0) == ts
        await client.update(LEA, ts, Drawing("Your shift has begun"))
        assert [each["text"] for each in await there.seen(LEA, "D0LEA00001")] == ["Your shift has begun"]
        assert not [each for each in there.workspace.log if each.method == "conversations.open"], "the answer names it"

    play(story)


def test_after_a_restart_the_conversation_is_asked_for_once() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        ts = await client.post(LEA, SILENCE, "remind:1", None)
        later = SlackClient(client.web)
        assert await later.find(LEA, "remind:1", None, 0) == ts and await later.find(LEA, "remind:2", None, 0) is None
        assert [each.method for each in there.workspace.log].count("conversations.open") == 1

    play(story)


def test_only_a_post_takes_a_person_for_a_conversation_as_in_slack() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        ts = await client.post(LEA, SILENCE, "remind:1", None)
        assert await refusal(there.slack.chat_update(channel=LEA, ts=ts, text="x")) == "channel_not_found"
        assert await refusal(there.slack.conversations_history(channel=LEA)) == "channel_not_found"
        assert await refusal(client.post(EVE, SILENCE, "remind:2", None)) == "channel_not_found"

    play(story)


def test_a_person_sees_how_many_direct_messages_they_have_not_read() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        for number in range(2):
            await client.post(LEA, SILENCE, f"remind:{number}", None)
        direct = [each for each in (await there.get("view", person=LEA))["channels"] if each["is_im"]]
        assert [(each["unread"], each["mentions"]) for each in direct] == [(2, 2)]
        await there.seen(LEA, "D0LEA00001")
        assert [each["unread"] for each in (await there.get("view", person=LEA))["channels"]] == [0, 0, 0, 0]

    play(story)


def test_direct_messages_have_their_own_pace() -> None:
    clock = HandClock()

    async def story(there: Stage, client: SlackClient) -> None:
        for number in range(3):
            await client.post((LEA, "D0LEA00001")[number % 2], SILENCE, f"remind:{number}", None)
        assert await refusal(there.slack.chat_postMessage(channel=LEA, text="one too many")) == "ratelimited"
        await client.post(ALICE, SILENCE, "remind:4", None)

    play(story, pace=1, clock=clock)


def test_the_group_of_those_on_duty_holds_members_only_and_is_never_emptied() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        await client.set_group_members(GROUP, [ALICE, "U0BRUNO001"])
        assert await client.group_members(GROUP) == [ALICE, "U0BRUNO001"]
        assert await refusal(client.set_group_members(GROUP, [])) == "no_users_provided"
        assert await refusal(client.set_group_members(GROUP, [LEA])) == "invalid_users", "Slack takes no guests into groups"
        assert await refusal(client.set_group_members("S0UNKNOWN", [ALICE])) == "no_such_subteam"
        await there.post("leave", person="U0BRUNO001")
        assert await refusal(client.set_group_members(GROUP, ["U0BRUNO001"])) == "invalid_users"

    play(story)


@pytest.mark.parametrize("error", ["paid_teams_only", "permission_denied", "plan_upgrade_required"])
def test_a_workspace_that_allows_no_groups_says_why(error: str) -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        there.workspace.faults.refuse["usergroups.users.update"] = error
        assert await refusal(client.set_group_members(GROUP, [ALICE])) == error

    play(story)


def test_without_its_scope_the_group_cannot_be_kept() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        assert await refusal(client.set_group_members(GROUP, [ALICE])) == "missing_scope"

    play(story, manifest={"oauth_config": {"scopes": {"bot": ["chat:write"]}}})


@pytest.mark.parametrize(("now", "hours", "begins", "ends"), [
    ("2026-11-04 21:00", "22:00-08:00", "2026-11-04 22:00", "2026-11-05 08:00"),
    ("2026-11-04 02:00", "22:00-08:00", "2026-11-03 22:00", "2026-11-04 08:00"),
    ("2026-11-04 09:00", "00:00-08:00", "2026-11-05 00:00", "2026-11-05 08:00"),
])
def test_slack_tells_when_it_keeps_silent_for_somebody(now: str, hours: str, begins: str, ends: str) -> None:
    at = [datetime.fromisoformat(f"{each}+01:00").astimezone(UTC) for each in (now, begins, ends)]
    clock = HandClock()
    clock.at = at[0]
    quiet = Person("U0QUIET001", "quiet", "Q", "Bridge", "T0BRIDGE01", quiet=hours)
    example = example_seed("http://127.0.0.1:1/")
    seed = Seed(example.team_id, example.team_name, (*example.people, quiet), example.channels, example.app)

    async def story() -> None:
        workspace = Workspace(seed, clock=clock, pace=0)
        async with served(workspace.asgi) as url, stage() as other:
            client = SlackClient(web_client("xoxb-demo-vigie", f"{url}/api/", other.http))
            told = await client.do_not_disturb("U0QUIET001")
            assert (told["next_dnd_start_ts"], told["next_dnd_end_ts"]) == (at[1].timestamp(), at[2].timestamp())
            both = await client.call("dnd.teamInfo", users=f"U0QUIET001,{ALICE}")
            assert [each["dnd_enabled"] for each in both["users"].values()] == [True, False]
            await workspace.close()

    asyncio.run(story())


def test_somebody_whose_account_is_deactivated_is_told_to_the_app_and_can_neither_write_nor_be_written_to() -> None:
    heard: list[dict[str, Any]] = []

    async def story() -> None:
        manifest = {"settings": {"event_subscriptions": {"bot_events": ["user_change"]}}}
        async with with_bolt(manifest=manifest) as (there, bolt):
            @bolt.event("user_change")
            async def changed(event: dict[str, Any]) -> None:
                heard.append(event)

            assert (await there.post("leave", person=LEA))["ok"]
            await until(lambda: heard)
            assert (heard[0]["user"]["id"], heard[0]["user"]["deleted"]) == (LEA, True)
            assert (await there.slack.users_info(user=LEA))["user"]["deleted"] is True
            assert await refusal(there.slack.chat_postMessage(channel=LEA, text="x")) == "channel_not_found"
            assert await refusal(there.slack.conversations_open(users=LEA)) == "user_disabled"
            assert "deactivated" in (await there.say("still here", person=LEA))["error"]
            await there.post("leave", person=LEA, left=False)
            assert (await there.say("back again", person=LEA))["ok"]
            await until(lambda: len(heard) == 2)

    asyncio.run(story())


def test_a_telephone_rings_for_what_apprise_posts_and_the_page_shows_it() -> None:
    clock = HandClock()
    there = Phones(clock, names={"lea": "Léa"})

    async def story(place: Stage, client: SlackClient) -> None:
        async with served(Starlette(routes=[there.route])) as url:
            for person, said in (("lea", "#7 pay-api fails"), ("omar", "#7 pay-api fails, Léa does not answer")):
                async with place.http.post(f"{url}{phones.PATH}/{person}", json={"title": "Vigie", "message": said}) as answer:
                    assert answer.status == 200
            async with place.http.post(f"{url}{phones.PATH}/lea", data=b"ring!") as answer:
                assert answer.status == 400
        rings = (await place.get("phones"))["rings"]
        assert [(each["person"], each["text"]) for each in rings] == [
            ("omar", "Vigie\n#7 pay-api fails, Léa does not answer"), ("Léa", "Vigie\n#7 pay-api fails")]

    play(story, phones=there.told)


def test_a_telephone_may_refuse_hang_or_ring_and_lose_the_answer() -> None:
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)

    there = Phones(HandClock(), sleep=sleep)
    there.faults.refuse, there.faults.lose, there.faults.hang = {"lea"}, {"omar"}, 7.0

    async def story(place: Stage, client: SlackClient) -> None:
        async with served(Starlette(routes=[there.route])) as url:
            statuses = []
            for person in ("lea", "omar", "ines"):
                async with place.http.post(f"{url}{phones.PATH}/{person}", json={"message": "x"}) as answer:
                    statuses.append(answer.status)
        assert statuses == [503, 504, 200] and [each.person for each in there.rings] == ["omar", "ines"] and naps == [7.0] * 3

    play(story)


def test_a_page_without_telephones_shows_none() -> None:
    async def story(there: Stage, client: SlackClient) -> None:
        assert await there.get("phones") == {"rings": []}

    play(story)
