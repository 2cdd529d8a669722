"""Commands: typed, clicked, filled in and mentioned, each verb does the same and leaves the same trace."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.entrypoints.perform import Saying, perform
from bot.services.alert import overview, response
from bot.services.desk import VIGIE
from bot.store import cards
from bot.store.traffic import count_drop
from commands.snooze import read_length
from tests.chat_stage import FAMILY, PAYMENTS, Talk, talk
from tests.story import ALICE as TALE_ALICE
from tests.story import arrive, desk_on, signal
from tests.workspace_stage import ALICE, LEA

MARIE, PAUL = "U0MARIE001", "U0PAUL0001"

SAID = {                                       # verb: the rest of the line, the form's values, the journal's word
    "ack": ("", {}, "alert acked"),
    "close": (" planned maintenance", {"reason": "planned maintenance"}, "alert closed"),
    "snooze": (" 30m", {"duration": "30m"}, "alert snoozed"),
    "assign": (" lea", {"person": "lea"}, "alert assigned"),
    "escalate": (" the bank knows nothing", {"reason": "the bank knows nothing"}, "alert escalated"),
    "note": (" the bank knows", {"text": "the bank knows"}, "alert noted"),
}


def play(engine: sa.Engine, story: Callable[[Talk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with talk(engine) as here:
            await story(here)

    asyncio.run(run())


def traces(here: Talk) -> list[tuple[str, str, str, str]]:
    return [(each.kind, each.outcome, each.actor, each.origin) for each in here.entries()]


@pytest.mark.parametrize("way", ["line", "button", "mention", "mention with number"])
@pytest.mark.parametrize("verb", SAID)
def test_a_verb_does_the_same_whichever_way_it_is_said(sqlite_engine: sa.Engine, verb: str, way: str) -> None:
    rest, values, kind = SAID[verb]

    async def story(here: Talk) -> None:
        number = await here.alert(severity="critical" if verb == "escalate" else "high")
        if way == "line":
            answer = await here.line(f"{verb} {number}{rest}")
        elif way == "button":
            answer = await here.press(number, verb)
            if FAMILY[verb].form:
                assert await here.fill(**values) == {"ok": True}
                answer = (await here.heard())[-1]
        elif way == "mention":
            answer = await here.mention(f"{verb}{rest}", thread=(await here.card(number))["ts"])
        else:
            answer = await here.mention(f"{verb} #{number}{rest}")
        assert f"#{number}" in answer
        assert [each for each in traces(here) if each[2] != VIGIE.key] == [(kind, "done", "alice", f"slack {PAYMENTS}")]

    play(sqlite_engine, story)


@pytest.mark.parametrize("way", ["line", "mention"])
@pytest.mark.parametrize("verb", ["status", "show", "why", "help"])
def test_looking_is_free_and_leaves_no_trace(sqlite_engine: sa.Engine, verb: str, way: str) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        ref = "" if verb in ("status", "help") else f" {number}"
        answer = await (here.line if way == "line" else here.mention)(f"{verb}{ref}")
        expected = {"status": f"#{number}", "show": "Who sees what", "why": "severity high", "help": "/vigie ack"}
        assert expected[verb] in answer
        assert traces(here) == []

    play(sqlite_engine, story)


def test_every_command_explains_itself(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        for name, command in FAMILY.items():
            answer = await here.line(f"help {name}")
            assert command.help in answer and command.example.startswith(name)

    play(sqlite_engine, story)


def test_a_bare_command_is_a_cry_for_help(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        assert (await here.line("")).startswith("*This alert*")

    play(sqlite_engine, story)


def test_help_shows_a_manager_only_what_a_manager_may_do(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        shown = await here.line("help", MARIE)
        hidden = ("snooze", "assign", "run ", "approve", "promote")
        assert "note" in shown and not any(f"/vigie {each}" in shown for each in hidden)
        assert "Alice" in await here.line("help close", MARIE)

    play(sqlite_engine, story)


@pytest.mark.parametrize(("typed", "hint"), [("akc 142", "`ack`"), ("acknowledge 142", "`ack`"), ("stat", "`status`")])
def test_an_unknown_word_gets_the_nearest_one(sqlite_engine: sa.Engine, typed: str, hint: str) -> None:
    async def story(here: Talk) -> None:
        answer = await here.line(typed)
        assert typed.split()[0] in answer and f"Did you mean {hint}" in answer
        assert [each.kind for each in here.entries()] == ["command refused"]

    play(sqlite_engine, story)


def test_what_cannot_be_is_refused_with_what_would_be_right(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        for line, right in {
            "ack": "Say its number",
            "ack 1422": f"Did you mean {number}" if number > 1 else "status",
            f"snooze {number} soon": "30m, 2h, 1h30",
            f"snooze {number} 30 h": "at most 24 h",
            f"snooze {number} 3d": "you asked for 3 d",
            f"snooze {number} forever": "at most 24 h",
            f"assign {number} lae": "Did you mean lea",
            f"assign {number} marie": "may not act",
            f"close {number}": "say why",
        }.items():
            assert right in await here.line(line), line
        assert {(each.kind, each.outcome) for each in here.entries()} == {("command refused", "refused")}
        assert len(here.entries()) == 9

    play(sqlite_engine, story)


def test_two_people_click_at_once_and_the_second_is_told_who_was_first(engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await asyncio.gather(here.press(number, "ack", ALICE), here.press(number, "ack", LEA))
        first = here.now_is(number).acked_by
        loser, name = (LEA, "Alice") if first == "alice" else (ALICE, "Léa")
        assert f"already acknowledged by {name}" in (await here.heard(loser))[-1]
        assert sorted(each.kind for each in here.entries()) == ["alert acked", "command refused"]

    play(engine, story)


def test_what_was_said_in_vain_is_told_to_be_unwritten_and_ones_own_alert_is_called_so(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.line(f"ack {number} looking", ALICE)
        assert (await here.line(f"ack {number}", ALICE)).startswith(f"#{number} is yours already, since")
        told = await here.line(f"ack {number} I take it", LEA)
        assert "already acknowledged by Alice" in told and f"`/vigie note {number} &lt;text&gt;`" in told
        assert "Acknowledge it" not in await here.line(f"close {number}", ALICE)
        await here.line(f"assign {number} lea", ALICE)
        assert "What you wrote is not on it" in await here.line(f"assign {number} lea please look", ALICE)

    play(sqlite_engine, story)


def test_what_is_over_is_shown_with_how_long_it_lasted(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        assert "Since <!date" in await here.line(f"show {number}")
        await here.line(f"close {number} done", ALICE)
        shown = await here.line(f"show {number}")
        assert ", lasted 0 s, told 1×\n" in shown, shown

    play(sqlite_engine, story)


def test_markup_of_people_and_sources_pings_nobody(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert(title="<!channel> <@U0PAUL0001> <https://evil.example|click>", severity="critical")
        for line in (
            f"note {number} <!channel> see <https://evil.example|here> <@U0PAUL0001|paul>",
            f"show {number}", "status", f"why {number}", "<!here>", f"assign {number} <!channel>",
            f"ack <!everyone>{number}", f"ack {number} &lt;!channel&gt;",
        ):
            answer = await here.line(line)
            markup = [part.split(">")[0] for part in answer.split("<")[1:]]
            assert all(part.startswith("!date^") for part in markup), answer
        await here.deliver()
        for message in await here.all_seen(ALICE):
            assert "<!channel>" not in message["text"] and "<@U0PAUL" not in message["text"]
        shown = await here.line(f"show {number}")
        assert "see &lt;https://evil.example" in shown, shown

    play(sqlite_engine, story)


def test_a_card_number_in_a_note_is_masked_before_anything_else(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        await here.line(f"note {number} card 4111 1111 1111 1111 fails")
        await here.line("4111111111111111")
        everything = json.dumps([each.details for each in here.entries()]) + "".join(await here.heard())
        assert "1111 1111" not in everything and "4111111111111111" not in everything

    play(sqlite_engine, story)


def test_a_typed_line_without_its_inputs_opens_the_form(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        assert await here.line(f"snooze {number}") == ""
        assert here.form().body["title"]["text"] == f"Snooze #{number}"
        assert await here.fill(duration="45 min", note="deploying") == {"ok": True}
        assert "45 min" in (await here.heard())[-1]
        assert here.now_is(number).snoozed_until is not None

    play(sqlite_engine, story)


def test_an_alert_that_healed_unseen_is_marked_as_seen(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert()
        here.desk.clock.advance(60)  # type: ignore[attr-defined]
        await here.alert(state="recovered", at=60)
        assert "Recovered while nobody looked" in await here.line("status")
        assert "marked as seen" in await here.press(number, "ack")
        assert "Recovered while nobody looked" not in await here.line("status")

    play(sqlite_engine, story)


def test_why_tells_the_rule_and_how_it_ended(sqlite_engine: sa.Engine) -> None:
    async def story(here: Talk) -> None:
        number = await here.alert(severity="critical")
        told = await here.press(number, "why")
        assert 'rule "payments down" (vigie.yaml, line 7)' in told
        await here.line(f"close {number} false alarm of the probe")
        assert "Closed by Alice" in await here.line(f"why {number}")
        assert "false alarm of the probe" in await here.line(f"why #{number}")

    play(sqlite_engine, story)


def test_status_for_machines_has_the_keys_that_others_rely_on(engine: sa.Engine) -> None:
    desk = desk_on(engine)
    arrive(desk, signal())
    response.ack(desk, response.find(desk, "1"), TALE_ALICE)
    told = json.loads(json.dumps(overview.status(desk)))
    (alert,) = told.pop("alerts")
    assert {name: alert.pop(name) for name in ("id", "name", "state", "service", "severity", "acked_by")} == {
        "id": 1, "name": "pay-api-5xx", "state": "acked", "service": "pay-api", "severity": "high", "acked_by": "alice",
    }
    seen = [alert.pop(name) for name in ("sources", "endpoints", "observers")]
    assert seen == [["generic"], ["bridge-generic"], ["CloudWatch"]]
    assert alert.pop("opened_at") == "2026-11-22T02:14:00+00:00" and alert.pop("updated_at") and alert.pop("fingerprint")
    assert alert == {"closed_at": None, "closed_by": None}
    counts = {"firing": 0, "acked": 1, "recovered": 0, "closed": 0}
    assert told == {"counts": counts, "dropped": {}, "unreadable": 0}


def test_status_of_a_storm_fits_a_message_and_says_what_slack_and_the_doors_refuse(engine: sa.Engine) -> None:
    desk = desk_on(engine)
    arrive(desk, *(signal(key=f"pay-api/{number}", title=f"{number} {'x' * 120}") for number in range(60)))
    with desk.begin("test") as connection:
        count_drop(connection, "bridge-generic", "bad_secret", 12, desk.clock.now())
        post = cards.next_due(connection, PAYMENTS, desk.clock.now())
        assert post is not None
        cards.failed(connection, post, "not_in_channel", desk.clock.now())
    text = perform(desk, FAMILY, Saying("T0BRIDGE01", ALICE, "slack", ("status",))).text
    assert len(text.encode()) < 4_000 and "*60 open*" in text and "… and 45 more." in text
    assert "bad secret 12" in text and "60 posts wait" in text and "#payments takes no posts (not_in_channel" in text


@pytest.mark.parametrize(
    ("said", "minutes", "note"),
    [
        ("30m", 30, ""), ("2h", 120, ""), ("1h30", 90, ""), ("45 min", 45, ""), ("1 h 30 min", 90, ""), ("1h30m", 90, ""),
        ("1h 30", 90, ""), ("1h30 min", 90, ""),
        ("2 hours then look", 120, "then look"), ("1h 3 pods left", 60, "3 pods left"), ("90 minutes", 90, ""),
        ("30", 0, "30"), ("soon", 0, "soon"), ("30 more pods", 0, "30 more pods"), ("0m", 0, ""), ("", 0, ""),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(said: str, minutes: int, note: str) -> None:
    length, rest = read_length(said)
    assert (length.total_seconds() / 60, rest) == (minutes, note)
