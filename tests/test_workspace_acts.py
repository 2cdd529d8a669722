"""People in the workspace and a real Bolt app over signed HTTP: commands, clicks, modals, mentions."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.workspace import delivery
from tests.workspace_stage import ALERTS, ALICE, EVE, LEA, VIGIE, HandClock, Stage, actions, button, section, until, with_bolt

COMMAND_KEYS = {
    "token", "command", "text", "response_url", "trigger_id", "user_id", "user_name", "team_id", "team_domain",
    "channel_id", "channel_name", "api_app_id",
}


def play(story: Any, heard: list[dict[str, Any]] | None = None, **options: Any) -> None:
    async def run() -> None:
        async with with_bolt(heard, **options) as (there, bolt):
            await story(there, bolt)

    asyncio.run(run())


def note_form(**more: Any) -> dict[str, Any]:
    why = {"type": "input", "block_id": "why", "label": {"type": "plain_text", "text": "Why"}}
    return {
        "type": "modal", "callback_id": "close", "title": {"type": "plain_text", "text": "Close #142"},
        "submit": {"type": "plain_text", "text": "Close"}, "private_metadata": "142",
        "blocks": [{**why, "element": {"type": "plain_text_input", "action_id": "note"}}],
        **more,
    }


def noted(text: str) -> dict[str, Any]:
    return {"why": {"note": {"type": "plain_text_input", "value": text}}}


def test_a_command_is_signed_and_complete_and_its_answer_is_for_its_author() -> None:
    heard: list[dict[str, Any]] = []

    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.command("/vigie")
        async def answer(ack: Any, command: Any) -> None:
            await ack(f"you said: {command['text']}")

        assert await there.say("/vigie assign 142 @lea & hurry") == {"ok": True}
        assert (await there.seen())[0]["text"] == "you said: assign 142 <@U0LEA00001|lea> &amp; hurry"
        assert await there.seen(LEA) == []

    play(story, heard)
    body, headers = heard[0]["body"], heard[0]["headers"]
    assert SignatureVerifier("demo-slack-signing-secret").is_valid_request(body, headers)
    fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert fields.keys() >= COMMAND_KEYS
    assert (fields["user_name"], fields["channel_name"]) == ("alice", "alerts")


def test_slack_itself_refuses_commands_in_threads_of_strangers_and_unknown_ones() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        assert (await there.say("/other"))["error"] == "/other is not a valid command"
        assert (await there.say("/vigie help", EVE))["error"] == "/vigie is not a valid command"
        in_thread = await there.say("/vigie help", thread="1.0")
        assert in_thread["error"] == "Slack takes no slash commands in threads; mention the bot instead"

    play(story)


def test_a_command_that_is_not_taken_tells_its_author_and_is_never_sent_again() -> None:
    heard: list[dict[str, Any]] = []
    gone = asyncio.Event()

    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.command("/vigie")
        async def slow(ack: Any, command: Any) -> None:
            if command["text"] == "slow":
                await gone.wait()
            elif command["text"] == "broken":
                raise ValueError("broken")
            await ack({"response_type": "in_channel", "blocks": [{"type": "lamp"}], "text": "x"})

        with pytest.MonkeyPatch.context() as hasty:
            hasty.setattr(delivery, "LIMIT", 0.2)
            assert (await there.say("/vigie slow"))["ok"]
        gone.set()
        for text in ("broken", "wrong blocks"):
            assert (await there.say(f"/vigie {text}"))["ok"]
        notices = [text for _, text in there.workspace.notices]
        assert notices[:2] == [
            '/vigie failed with the error "operation_timeout"', '/vigie failed with the error "dispatch_failed"'
        ]
        assert "invalid_blocks" in notices[2] and "unsupported type: lamp" in notices[2]

    play(story, heard)
    assert len(heard) == 3


def test_a_click_carries_the_message_and_the_answer_replaces_it() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        bodies: list[dict[str, Any]] = []

        @bolt.action("ack")
        async def clicked(ack: Any, body: Any, respond: Any) -> None:
            bodies.append(body)
            await ack()
            await respond("only for you")
            await respond(text="taken", replace_original=True)

        card = [section("pay-api"), actions(button("Acknowledge", "ack", "142"))]
        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card", blocks=card))["ts"]
        click = {"person": EVE, "channel": ALERTS, "ts": ts, "block_id": "actions", "action_id": "ack"}
        assert await there.post("click", **click, value="forged") == {"ok": True}
        body = bodies[0]
        assert body["actions"][0]["value"] == "142" and body["message"]["ts"] == ts
        assert body["user"]["team_id"] == "T0EVIL0001" and body["team"]["id"] == "T0BRIDGE01"
        assert body["container"] == {"type": "message", "message_ts": ts, "channel_id": ALERTS, "is_ephemeral": False}
        assert [(one["text"], one["ephemeral"]) for one in await there.seen(EVE)] == [
            ("taken", False), ("only for you", True)
        ]
        assert "no longer there" in (await there.post("click", **click))["error"]

    play(story)


def test_a_menu_sends_the_option_that_was_chosen() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        chosen: list[dict[str, Any]] = []

        @bolt.action("more")
        async def clicked(ack: Any, action: Any) -> None:
            chosen.append(action)
            await ack()

        options = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("snooze", "close")]
        menu = {"type": "overflow", "action_id": "more", "options": options}
        card = [section("pay-api", block_id="row", accessory=menu)]
        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card", blocks=card))["ts"]
        click = {"person": ALICE, "channel": ALERTS, "ts": ts, "block_id": "row", "action_id": "more"}
        await there.post("click", **click, selected_option=options[1])
        assert chosen[0]["selected_option"] == options[1]
        assert not (await there.post("click", **click, selected_option={"value": "invented"}))["ok"]

    play(story)


def test_a_response_url_is_good_for_five_answers() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        urls: list[str] = []

        @bolt.command("/vigie")
        async def answer(ack: Any, command: Any) -> None:
            urls.append(command["response_url"])
            await ack()

        await there.say("/vigie status")
        hook = AsyncWebhookClient(urls[0])
        for number in range(5):
            kind = "in_channel" if number == 4 else "ephemeral"
            assert (await hook.send(text=f"answer {number}", response_type=kind)).body == "ok"
        clock.forward(29 * 60)
        sixth = await hook.send(text="too much")
        assert sixth.status_code == 404 and "used_url" in sixth.body
        assert [one["text"] for one in await there.seen(LEA)] == ["answer 4"]
        assert len(await there.seen(ALICE)) == 5
        await there.say("/vigie status")
        clock.forward(31 * 60)
        assert "expired_url" in (await AsyncWebhookClient(urls[1]).send(text="too late")).body

    clock = HandClock()
    play(story, clock=clock)


def test_a_modal_is_filled_in_corrected_and_closed() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        submitted: list[dict[str, Any]] = []

        @bolt.command("/vigie")
        async def ask(ack: Any, command: Any, client: Any) -> None:
            await client.views_open(trigger_id=command["trigger_id"], view=note_form())
            await ack()

        @bolt.view("close")
        async def close(ack: Any, view: Any) -> None:
            submitted.append(view)
            why = view["state"]["values"]["why"]["note"]["value"]
            await (ack(response_action="errors", errors={"why": "Say more"}) if why == "x" else ack())

        await there.say("/vigie close 142")
        view = there.workspace.state.modals.top(ALICE)
        assert view
        submit = {"person": ALICE, "view_id": view.id}
        empty = await there.post("submit", **submit, values={})
        assert empty == {"ok": True, "errors": {"why": "Please complete this required field."}} and not submitted
        assert (await there.post("submit", **submit, values=noted("x")))["errors"] == {"why": "Say more"}
        assert await there.post("submit", **submit, values=noted("disk replaced")) == {"ok": True}
        assert submitted[-1]["private_metadata"] == "142"
        assert there.workspace.state.modals.top(ALICE) is None
        assert (await there.post("submit", **submit, values=noted("late")))["error"] == "This dialog is no longer open"

    play(story)


def test_a_view_may_lead_to_another_one_and_back() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.command("/vigie")
        async def ask(ack: Any, command: Any, client: Any) -> None:
            await client.views_open(trigger_id=command["trigger_id"], view=note_form(notify_on_close=True))
            await ack()

        @bolt.view("close")
        async def close(ack: Any, view: Any) -> None:
            why = view["state"]["values"]["why"]["note"]["value"]
            if why == "update":
                await ack(response_action="update", view=note_form(private_metadata="updated"))
            elif why == "clear":
                await ack(response_action="clear")
            else:
                await ack(response_action="push", view=note_form(private_metadata="deeper"))

        closed: list[str] = []

        @bolt.view_closed("close")
        async def gone(ack: Any, view: Any) -> None:
            closed.append(view["private_metadata"])
            await ack()

        async def submit(text: str) -> tuple[dict[str, Any], list[str]]:
            top = there.workspace.state.modals.top(ALICE)
            assert top
            answer = await there.post("submit", person=ALICE, view_id=top.id, values=noted(text))
            return answer, [view.body["private_metadata"] for view in there.workspace.state.modals.stacks[ALICE]]

        await there.say("/vigie close 142")
        bottom = there.workspace.state.modals.top(ALICE)
        assert bottom
        assert await submit("push") == ({"ok": True}, ["142", "deeper"])
        assert await submit("update") == ({"ok": True}, ["142", "updated"])
        assert (await submit("push"))[1] == ["142", "updated", "deeper"]
        too_deep, stack = await submit("push")
        assert "push_limit_reached" in too_deep["error"] and len(stack) == 3
        assert (await submit("clear"))[1] == []
        await there.say("/vigie close 142")
        top = there.workspace.state.modals.top(ALICE)
        assert top and await there.post("dismiss", person=ALICE, view_id=top.id) == {"ok": True}
        assert closed == ["142"] and there.workspace.state.modals.top(ALICE) is None

    play(story)


def test_a_trigger_opens_one_modal_and_only_at_once() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        triggers: list[str] = []

        @bolt.command("/vigie")
        async def ask(ack: Any, command: Any) -> None:
            triggers.append(command["trigger_id"])
            await ack()

        async def error(trigger: str, view: dict[str, Any]) -> str:
            with pytest.raises(SlackApiError) as caught:
                await there.slack.views_open(trigger_id=trigger, view=view)
            return str(caught.value.response["error"])

        await there.say("/vigie close")
        long = note_form(title={"type": "plain_text", "text": "x" * 25})
        assert await error(triggers[0], long) == "invalid_arguments"
        opened = (await there.slack.views_open(trigger_id=triggers[0], view=note_form()))["view"]
        assert await error(triggers[0], note_form()) == "exchanged_trigger_id"
        assert await error("1.2.3", note_form()) == "invalid_trigger_id"
        await there.slack.views_update(view_id=opened["id"], hash=opened["hash"], view=note_form())
        with pytest.raises(SlackApiError, match="hash_conflict"):
            await there.slack.views_update(view_id=opened["id"], hash=opened["hash"], view=note_form())
        await there.say("/vigie close")
        clock.forward(3.1)
        assert await error(triggers[1], note_form()) == "expired_trigger_id"

    clock = HandClock()
    play(story, clock=clock)


def test_a_mention_reaches_the_bot_with_its_thread_also_from_a_stranger() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        events: list[dict[str, Any]] = []

        @bolt.event("app_mention")
        async def mentioned(body: Any, say: Any) -> None:
            events.append(body)

        ts = (await there.slack.chat_postMessage(channel=ALERTS, text="card"))["ts"]
        await there.say("@Vigie ack", thread=ts)
        await until(lambda: len(events) == 1)
        assert events[0]["event"]["text"] == f"<@{VIGIE}> ack" and events[0]["event"]["thread_ts"] == ts
        await there.say("@vigie: status?", EVE)
        await until(lambda: len(events) == 2)
        assert events[1]["event"]["user_team"] == "T0EVIL0001" and events[1]["is_ext_shared_channel"]
        await there.say("mail me at a@vigie.example")
        await asyncio.sleep(0.05)
        assert len(events) == 2

    play(story)


def test_an_event_comes_again_until_it_is_taken() -> None:
    heard: list[dict[str, Any]] = []
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.event("app_mention")
        async def mentioned() -> None:
            if len(heard) < 3:
                raise ValueError("not yet")

        await there.say("@Vigie help")
        await until(lambda: len(heard) == 3 and not there.workspace.delivery.underway)

    play(story, heard, sleep=sleep)
    assert waits == [0.0, 60.0]
    assert [one["headers"].get("x-slack-retry-num") for one in heard] == [None, "1", "2"]
    assert heard[1]["headers"]["x-slack-retry-reason"] == "http_error"
    assert len({json.loads(one["body"])["event_id"] for one in heard}) == 1


def test_a_shortcut_of_the_manifest_starts_a_form() -> None:
    shortcuts = [
        {"name": "Report", "type": "global", "callback_id": "report", "description": "x"},
        {"name": "Make an alert", "type": "message", "callback_id": "from_message", "description": "x"},
    ]

    async def story(there: Stage, bolt: AsyncApp) -> None:
        seen: list[dict[str, Any]] = []

        @bolt.shortcut("report")
        @bolt.shortcut("from_message")
        async def asked(ack: Any, shortcut: Any) -> None:
            seen.append(shortcut)
            await ack()

        await there.say("payments are slow")
        ts = (await there.seen())[0]["ts"]
        assert (await there.post("shortcut", person=ALICE, callback_id="report"))["ok"]
        await there.post("shortcut", person=ALICE, callback_id="from_message", channel=ALERTS, ts=ts)
        assert [one["type"] for one in seen] == ["shortcut", "message_action"]
        assert seen[1]["message"]["text"] == "payments are slow"
        assert not (await there.post("shortcut", person=ALICE, callback_id="unknown"))["ok"]

    play(story, manifest={"features": {"shortcuts": shortcuts}})


def test_the_home_tab_is_published_when_somebody_looks_at_it() -> None:
    async def story(there: Stage, bolt: AsyncApp) -> None:
        @bolt.event("app_home_opened")
        async def opened(event: Any, client: Any) -> None:
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [section("Your alerts")]})

        assert (await there.get("home", person=ALICE))["view"] is None
        await until(lambda: ALICE in there.workspace.state.modals.homes)
        assert (await there.get("home", person=ALICE))["view"]["blocks"][0]["text"]["text"] == "Your alerts"

    play(story)
