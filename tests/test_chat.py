"""Chat: what comes in from Slack, who is turned away and how, and that every answer finds its way back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.entrypoints import chat, heard, perform, wording
from bot.entrypoints.chat import build_bolt
from bot.entrypoints.perform import Saying
from bot.entrypoints.socket_mode import run_socket
from bot.ports import system_sleep
from bot.services.alert.response import clock_time
from bot.services.slack.drawing import Drawing
from bot.store.db import create_engine
from bot.workspace import payloads
from bot.workspace.delivery import EVENT
from tests.chat_stage import FAMILY, PAYMENTS, SECRET, Talk, talk
from tests.fakes import KillAt, Killed
from tests.story import CONFIG, arrive, desk_on, signal
from tests.workspace_stage import ALERTS, ALICE, EVE, LEA, actions, button, until

BRIDGE = "T0BRIDGE01"


def play(engine: sa.Engine, story: Callable[[Talk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with talk(engine) as here:
            await story(here)

    asyncio.run(run())


def said(*words: str, user: str = ALICE, team: str | None = BRIDGE, **more: Any) -> Saying:
    return Saying(team, user, f"slack {ALERTS}", words, **more)


# --- who is turned away ---


def test_a_stranger_in_a_shared_channel_can_click_and_nothing_happens(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        desk = here.desk
        arrive(desk, signal(key="ledger/lag", name="ledger-lag", title="lag"))
        await here.deliver(ALERTS)
        card = (await here.there.seen(channel=ALERTS))[0]
        block = next(each for each in card["blocks"] if each["type"] == "actions")
        click = {"channel": ALERTS, "ts": card["ts"], "block_id": block["block_id"], "action_id": "vigie:ack"}
        assert (await here.there.post("click", person=EVE, **click))["ok"]
        told = [each for each in await here.there.seen(EVE, ALERTS) if each["ephemeral"]]
        assert "does not know you" in told[0]["text"] and "Ask Paul" in told[0]["text"]
        await here.there.say("<@U0VIGIE001> ack 1", EVE, ALERTS)
        await until(lambda: len(here.entries()) == 2)
        assert here.now_is(1).state == "firing"
        refusals = here.entries()
        assert {(each.kind, each.outcome, each.organisation) for each in refusals} == {("command refused", "refused", "unknown")}
        assert {each.actor for each in refusals} == {f"T0EVIL0001/{EVE}"}

    play(sqlite_engine, story)


@pytest.mark.parametrize("way", ["line", "button", "form", "mention"])
@pytest.mark.parametrize(("team", "user"), [("T0EVIL0001", ALICE), (None, ALICE), (BRIDGE, "U0NOBODY01"), ("", "")])
def test_nobody_unknown_may_anything_by_any_way(
    sqlite_engine: sa.Engine, way: perform.Way, team: str | None, user: str
) -> None:
    desk = desk_on(sqlite_engine)
    for verb in FAMILY:
        reply = perform.perform(desk, FAMILY, said(verb, "142", team=team, user=user, way=way))
        assert not reply.ok and reply.ask is None and "does not know you" in reply.text


@pytest.mark.parametrize("verb", ["ack", "close", "snooze", "assign"])
def test_a_manager_may_look_and_write_but_not_act(sqlite_engine: sa.Engine, verb: str) -> None:
    desk = desk_on(sqlite_engine)
    arrive(desk, signal())
    reply = perform.perform(desk, FAMILY, said(verb, "1", "30m", user="U0MARIE001"))
    assert "for engineers and leads" in reply.text and "Ask Alice, Paul or Léa" in reply.text
    assert perform.perform(desk, FAMILY, said("note", "1", "ask", "the", "bank", user="U0MARIE001")).ok


def test_every_refusal_is_written_down_with_what_was_said(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.line(f"snooze {number} soon")
        (entry,) = here.entries()
        assert (entry.kind, entry.object, entry.outcome, entry.actor) == ("command refused", "alert:1", "refused", "alice")
        details = json.loads(entry.details)
        assert (details["verb"], details["said"], details["way"]) == ("snooze", "1 soon", "line")
        assert "no length of time" in details["why"]

    play(sqlite_engine, story)


# --- what breaks ---


def test_what_breaks_on_our_side_is_told_with_a_reference_and_changes_nothing(sqlite_engine: sa.Engine) -> None:
    def die(name: str) -> None:
        if name == "ack: before commit":
            raise ZeroDivisionError("secret detail")

    desk = replace(desk_on(sqlite_engine), kill=die)
    arrive(desk, signal())
    reply = perform.perform(desk, FAMILY, said("ack", "1"))
    assert "reference id-" in reply.text and "nothing was changed" in reply.text
    assert "secret" not in reply.text and "Error" not in reply.text
    with desk.read() as connection:
        assert perform.perform(replace(desk, kill=lambda name: None), FAMILY, said("ack", "1")).ok
        assert connection.execute(sa.text("SELECT count(*) FROM journal WHERE kind = 'alert acked'")).scalar_one() == 1


@pytest.mark.parametrize("url", ["sqlite:////nowhere/vigie.db", "postgresql+psycopg://127.0.0.1:9/vigie"])
def test_a_database_that_is_gone_is_a_reason_to_try_again(url: str) -> None:
    reply = perform.perform(desk_on(create_engine(url)), FAMILY, said("status"))
    assert not reply.ok and reply.text.startswith("Not now: the database does not answer.")


def test_an_old_button_says_that_it_is_old(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        await here.alert()
        ts = await here.slack.post(PAYMENTS, Drawing("Dance", [actions(button("Dance", "vigie:dance"))]), "old", None)
        click = {"ts": ts, "block_id": "actions", "action_id": "vigie:dance"}
        await here.there.post("click", person=ALICE, channel=PAYMENTS, **click)
        assert "older Vigie" in (await here.heard())[-1]

    play(sqlite_engine, story)


def test_an_answer_that_slack_does_not_take_undoes_nothing(sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "ANSWER_WITHIN_S", 0.2)

    async def story(here: Talk) -> None:
        number = await here.alert()
        here.there.workspace.faults.hang = 1.0
        card = await here.card(number)
        block = next(each for each in card["blocks"] if each["type"] == "actions")
        click = {"channel": PAYMENTS, "ts": card["ts"], "block_id": block["block_id"], "action_id": "vigie:ack"}
        await here.there.post("click", person=ALICE, **click)
        await until(lambda: here.now_is(number).state == "acked")
        assert list(here.there.workspace.notices) == []

    play(sqlite_engine, story)


def test_a_form_that_does_not_open_is_replaced_by_the_line_to_type(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "ANSWER_WITHIN_S", 0.2)

    async def story(here: Talk) -> None:
        number = await here.alert()
        here.there.workspace.faults.hang = 0.5
        answer = await here.line(f"snooze {number}")
        assert "`/vigie snooze &lt;alert&gt; &lt;duration&gt; [note]`" in answer

    play(sqlite_engine, story)


def test_what_takes_too_long_goes_on_and_is_told_later(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "WORK_WITHIN_S", 0.2)

    async def story(here: Talk) -> None:
        number = await here.alert()
        with sqlite_engine.begin():                         # somebody else is writing for a while
            await here.there.say(f"/vigie ack {number}", ALICE, PAYMENTS)
            await until(lambda: any(each["text"] == chat.WORKING for each in here.there.workspace.messages(PAYMENTS, ALICE)))
        await until(lambda: any("is yours" in each["text"] for each in here.there.workspace.messages(PAYMENTS, ALICE)))
        await until(lambda: here.now_is(number).state == "acked")

    play(sqlite_engine, story)


# --- forms ---


def test_a_refused_form_stays_open_with_the_reason_beside_the_field(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.press(number, "snooze")
        told = await here.fill(duration="a while", note="long text that must not be lost")
        assert "is no length of time" in told["errors"]["duration"]
        await here.line(f"close {number} over", LEA)
        told = await here.fill(duration="1h")
        assert "nothing to snooze" in told["errors"]["duration"] and "<!date" not in told["errors"]["duration"]
        assert here.form() is not None

    play(sqlite_engine, story)


def test_times_in_a_forms_errors_are_words(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.press(number, "close")
        await here.line(f"close {number} over", LEA)
        told = await here.fill(reason="mine")
        assert told["errors"]["reason"].startswith(f"#{number} was already closed by Léa at 02:14 UTC. What you wrote is not")

    play(sqlite_engine, story)


def test_a_note_keeps_its_lines(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.press(number, "note")
        await here.fill(text="first line\nsecond <!channel> line")
        with here.desk.read() as connection:
            assert connection.execute(sa.text("SELECT text FROM note")).scalar_one() == "first line\nsecond <!channel> line"

    play(sqlite_engine, story)


def test_a_messages_shortcut_writes_on_its_alert(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        shortcut = {"person": ALICE, "callback_id": "vigie:note", "channel": PAYMENTS}
        await here.there.post("shortcut", **shortcut, ts=(await here.card(number))["ts"])
        assert here.form().body["title"]["text"] == f"Note #{number}"
        assert await here.fill(text="seen it before") == {"ok": True}
        await here.there.say("hello", ALICE, PAYMENTS)
        hello = next(each for each in await here.there.seen(channel=PAYMENTS) if each["text"] == "hello")
        await here.there.post("shortcut", **shortcut, ts=hello["ts"])
        assert "no alert's card" in (await here.heard())[-1].replace("&#39;", "'")

    play(sqlite_engine, story)


# --- events ---


def test_an_event_that_comes_twice_acts_once(engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        workspace = here.there.workspace
        place = workspace.state.conversations[PAYMENTS]
        message = workspace.state.post(place, ALICE, f"<@U0VIGIE001> note {number} once")
        event = payloads.said(workspace.state, "app_mention", place, message)
        for attempt in range(3):
            await workspace.delivery.deliver(EVENT, event, attempt, "http_timeout")
        assert [each.kind for each in here.entries()] == ["alert noted"]

    play(engine, story)


@pytest.mark.parametrize("point", ["note: before commit", "inbound: before commit"])
def test_what_was_said_before_a_crash_is_not_lost_when_slack_says_it_again(engine: sa.Engine, point: str) -> None:
    desk = desk_on(engine)
    arrive(desk, signal())
    mention = said("note", "1", "asked the bank", way="mention", event="Ev1")
    with pytest.raises(Killed):
        perform.perform(replace(desk, kill=KillAt(point)), FAMILY, mention)

    assert "Noted" in perform.perform(desk, FAMILY, mention).text
    assert perform.perform(desk, FAMILY, mention).text == perform.ALREADY


def test_the_home_tab_shows_what_is_open(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        await here.alert()
        await here.there.get("home", person=ALICE)
        homes = here.there.workspace.state.modals.homes
        await until(lambda: ALICE in homes)
        assert "*1 open*" in json.dumps(homes[ALICE].body["blocks"])

    play(sqlite_engine, story)


@pytest.mark.parametrize(
    ("words", "own", "meant"),
    [
        ("ack", "140", (("ack",), "140")),
        ("ack looking at it", "140", (("ack", "looking", "at", "it"), "140")),
        ("ack 142", "140", (("ack", "142"), None)),
        ("ack #142 mine", "140", (("ack", "#142", "mine"), None)),
        ("note 3 of 5 pods", "140", (("note", "3", "of", "5", "pods"), "140")),
        ("snooze 140 30m", "140", (("snooze", "140", "30m"), None)),
        ("ack 142 mine", None, (("ack", "142", "mine"), None)),
        ("", "140", ((), "140")),
    ],
)
def test_a_thread_names_its_alert_unless_another_is_named(words: str, own: str | None, meant: Any) -> None:
    assert heard.meant(tuple(words.split()), own) == meant


# --- words on the way in and out ---


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("assign 142 <@U0LEA00001|lea.moreau> now", "assign 142 @lea now"),
        ("assign 142 <@U0EVE00001|alice>", "assign 142 @U0EVE00001"),
        ("note 142 <!channel> <!here|here> <!subteam^S1|@oncall>", "note 142 @channel here @oncall"),
        ("note 142 <https://x.example/?b=1&amp;c=2|nice>", "note 142 https://x.example/?b=1&c=2"),
        ("note 142 said in <#C0ALERTS01|alerts>", "note 142 said in #alerts"),
        ("note 142 a &lt; b &amp;lt; c", "note 142 a < b &lt; c"),
    ],
)
def test_slacks_markup_is_read_as_a_person_would_type_it(typed: str, words: str) -> None:
    assert wording.words(typed, CONFIG) == tuple(words.split())


def test_only_our_own_times_are_markup_on_the_way_out() -> None:
    at = clock_time(datetime(2026, 11, 22, 2, 14, tzinfo=UTC))
    text = f"{at} <!channel> <@U1> <https://x|y> <!date^1^{{time}}^https://evil|02:14 UTC> & \u202egnp\u0000.exe\nnext"
    marked = wording.marked(text)
    assert marked.count("<") == 1 and marked.startswith(at) and marked.endswith("\nnext")
    assert "\u202e" not in marked and "\u0000" not in marked
    assert wording.bare(wording.marked(f"since {at}, a < b")) == "since 02:14 UTC, a < b"


def test_a_long_answer_fits_a_message() -> None:
    marked = wording.marked("\n".join(["é" * 100] * 100))
    assert len(marked.encode()) < 4_000 and marked.endswith("\n…")


# --- Socket Mode ---


class Skipping:
    """The system's clock, which a test may push forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Waited:
    """The system's clock for whoever waits: it is late where the machine is busy, and never early."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await system_sleep(seconds)
        self.at += timedelta(seconds=seconds)


async def hasty_sleep(_seconds: float) -> None:
    """Looks often; how often the client pings, and when it gives up by itself, is left as it is in life."""
    await system_sleep(0.02)


def test_socket_mode_works_and_a_silent_socket_is_built_anew(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        clock, sockets = Skipping(), here.there.workspace.sockets
        bolt: AsyncApp = build_bolt(here.desk, FAMILY, here.slack.web, SECRET)
        running = asyncio.create_task(run_socket(bolt, "xapp-demo-vigie", clock, hasty_sleep))
        await until(lambda: sockets.links)
        first = sockets.links[0]
        assert "is yours" in await here.line(f"ack {number}")
        clock.ahead = timedelta(seconds=90)
        await until(lambda: sockets.links and sockets.links != [first])
        assert "Noted" in await here.line(f"note {number} still here")
        assert here.there.workspace.delivery.attempts[-1].error is None
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not sockets.links)

    play(sqlite_engine, story)


def test_a_socket_that_slack_renews_is_not_taken_for_silent(
    sqlite_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_client: object) -> bool:
        return False

    async def story(here: Talk) -> None:
        sockets, clock = here.there.workspace.sockets, Waited()
        monkeypatch.setattr(SocketModeClient, "is_ping_pong_failing", never)    # on a busy machine it soon thinks so
        bolt = build_bolt(here.desk, FAMILY, here.slack.web, SECRET)
        running = asyncio.create_task(run_socket(bolt, "xapp-demo-vigie", clock, clock.sleep, 0.6, 0.1))
        await until(lambda: sockets.links)
        old = sockets.links[0]
        await sockets.disconnect()
        await until(lambda: sockets.links and sockets.links[0] is not old)
        renewed = list(sockets.links)
        until_then = clock.at + timedelta(seconds=1.5)
        await until(lambda: clock.at > until_then)
        assert sockets.links == renewed
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    play(sqlite_engine, story)
