"""Handoffs by line, form, button and mention: one handler, the same trace, and what would work when something is missing."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.entrypoints.perform import Reply, Saying, perform
from bot.services.handoff.note import Synthesis
from bot.workspace.blocks import view_faults
from tests.chat_stage import FAMILY, Talk, labelled, talk
from tests.handoff_stage import Passing
from tests.story import arrive, signal
from tests.workspace_stage import until

BRUNO, OMAR, INES, ALICE, MARIE = "U0BRUNO001", "U0OMAR0001", "U0INES0001", "U0ALICE001", "U0MARIE001"
ALERTS = "C0ALERTS01"


def say(passing: Passing, text: str, user: str = BRUNO, way: str = "line", ref: str | None = None) -> Reply:
    words = tuple(text.split()) if isinstance(text, str) else text
    return perform(passing.desk, FAMILY, Saying("T0BRIDGE01", user, "slack C0ALERTS01", words, ref, way))


def red_night(engine: sa.Engine, at: str = "2026-11-24 00:01") -> Passing:
    passing = Passing(engine, "20:00")
    arrive(passing.desk, signal(severity="critical"))
    passing.go(at)
    return passing


# --- what each says -------------------------------------------------------------------------------------------------------


def test_without_anything_it_shows_the_note_or_when_there_will_be_one(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    early = say(passing, "handoff").text
    assert early.startswith("The next handoff is Bridge → Padok at") and "its note is made from" in early
    passing.go("20:00")
    shown = say(passing, "handoff").text
    assert "*Handoff Bridge → Padok*" in shown and "nothing is open" in shown and "&amp;" not in shown


def test_the_line_may_be_typed_with_if_thens_and_a_raised_state(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine, "20:00")
    reply = say(passing, "handoff note raise=amber watch p95=3 of pay-api")
    assert reply.ok and "Your line is in the note for Padok" in reply.text
    found = passing.now_is()
    assert (found.line, found.raised, found.submitted_by) == ("watch p95=3 of pay-api", "amber", "bruno")


def test_an_acceptance_may_be_typed_when_nothing_is_red(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    reply = say(passing, "handoff accept none all quiet", OMAR)
    digest = passing.now_is().digest or ""
    assert reply.text.startswith("You have the duty of platform, and the note: top risk none — all quiet.")
    assert reply.text.endswith(f"It is kept with its digest {digest[:12]}.")
    assert say(passing, "handoff", OMAR).text.endswith(f"SHA-256 of the accepted note: {digest}")


def test_where_something_is_red_an_acceptance_opens_the_form(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine)
    reply = say(passing, "handoff accept 1", OMAR)
    assert reply.ask is not None and [each.name for each in reply.ask.fields] == ["items", "text"]
    whole = say(passing, "handoff accept", OMAR, "button", "handoff1")
    assert whole.ask is not None and [(each.name, each.kind) for each in whole.ask.fields] == [
        ("risk", "choice"), ("items", "checks"), ("text", "text"),
    ]


def test_before_there_is_a_note_an_acceptance_says_when_there_will_be(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 03:00")
    reply = say(passing, "handoff accept", ALICE)
    assert reply.ask is None and reply.text.startswith("The next handoff is Padok → Bridge at "), reply.text


def test_in_a_mention_all_may_be_said_in_one_line(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine)
    assert "items not ticked: #1" in say(passing, "handoff accept 1", OMAR, "mention").text
    assert "Name the top risk: `@Vigie handoff accept &lt;1|none&gt;`" in say(passing, "handoff accept", OMAR, "mention").text
    assert say(passing, "handoff accept 1 items=1 I know it", OMAR, "mention").ok
    assert passing.now_is().accepted_by == "omar"


def test_questions_and_answers_find_their_handoff_by_themselves(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine, "2026-11-24 08:01")
    asked = say(passing, "handoff query which target was drained?", BRUNO)
    assert asked.text == "Your question stands in the note. Inès is asked now."
    assert say(passing, "handoff answer the second one", INES).text == "Your answer stands in the note."
    assert "Nobody has asked Bridge anything" in say(passing, "handoff answer what?", BRUNO).text


def test_actions_are_added_with_owner_and_day_and_done_by_number(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    added = say(passing, "handoff action renew the key of hooks @paul 2026-12-01")
    assert added.text.startswith("Action 1: renew the key of hooks. It is carried")
    assert json.loads(passing.entries("action added")[0].details) == {
        "due": "2026-12-01", "text": "renew the key of hooks", "to": "paul",
    }
    assert say(passing, "handoff done", ALICE).ask is not None
    assert say(passing, "handoff done #1", ALICE).text == "Action 1 is done."
    assert "There is no action 7 that is not done: none is open." in say(passing, "handoff done 7", ALICE).text


@pytest.mark.parametrize(("said", "user", "why"), [
    ("handoff nonsense", BRUNO, "Say note, accept, query, answer, action or done"),
    ("handoff note all is well", OMAR, None), ("handoff accept none", BRUNO, "You hand this over yourself"),
    ("handoff accept none", ALICE, "Padok takes over: Omar accepts this"), ("handoff query why?", ALICE, "its people ask back"),
    ("handoff note fine", MARIE, "engineers and leads"),
    ("handoff accept 99", OMAR, "risk is named as the note lists it: nothing, or none"),
])
def test_what_cannot_be_is_refused_with_what_would_work(
    sqlite_engine: sa.Engine, said: str, user: str, why: str | None
) -> None:
    passing = Passing(sqlite_engine)
    passing.go("2026-11-24 00:01")
    ref = "handoff1" if user in (BRUNO, ALICE) else None
    reply = say(passing, said, user, ref=ref)
    assert reply.ok is (why is None) and (why or "") in reply.text


def test_without_coverages_there_is_nothing_to_hand_over(sqlite_engine: sa.Engine) -> None:
    passing = Passing(sqlite_engine)
    passing.desk = replace(passing.desk, config=passing.desk.config.model_copy(update={"coverages": {}}))
    assert say(passing, "handoff").text == "There is nothing to hand over: vigie.yaml has no `coverages`."
    passing.tick()


# --- in Slack -------------------------------------------------------------------------------------------------------------


def play(passing: Passing, story: Callable[[Talk], Awaitable[None]]) -> None:
    async def go() -> None:
        async with talk(passing.desk.engine, passing.desk) as here:
            await here.deliver(ALERTS)
            await story(here)

    asyncio.run(go())


async def press(here: Talk, words: str, person: str) -> None:
    """Clicks the button with these words on the newest message of #alerts, and waits for its form."""
    for message in reversed(list(here.there.workspace.state.conversations[ALERTS].by_ts.values())):
        if place := labelled(message.blocks, words):
            said = await here.there.post("click", person=person, channel=ALERTS, ts=message.ts, **place)
            assert said["ok"], said
            return await until(lambda: here.form(person))
    raise AssertionError(f"nothing here says {words!r}")


async def press_directly(here: Talk, words: str, person: str) -> None:
    """Clicks the button with these words in what Vigie wrote to this person alone."""
    await here.deliver(person)
    for place in here.there.workspace.state.conversations.values():
        for message in reversed(list(place.by_ts.values())):
            if place.id.startswith("D") and (aim := labelled(message.blocks, words)):
                await here.there.post("click", person=person, channel=place.id, ts=message.ts, **aim)
                return await until(lambda: here.form(person))
    raise AssertionError(f"nobody wrote {words!r} to {person}")


def blocks_of(view: Any) -> list[str]:
    return [block["element"]["type"] for block in view.body["blocks"][1:]]


def test_the_incoming_person_accepts_with_the_cards_button_and_its_form(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine)

    async def story(here: Talk) -> None:
        await press(here, "Accept…", OMAR)
        view = here.form(OMAR)
        assert view.body["title"]["text"] == "Handoff Bridge → Padok" and view.body["submit"]["text"] == "Accept"
        assert blocks_of(view) == ["static_select", "checkboxes", "plain_text_input"] and list(view_faults(view.body)) == []
        assert (await here.fill(OMAR, risk="1", items="1", text="I drain a target first"))["ok"]

    play(passing, story)
    found = passing.now_is()
    kept = Synthesis.model_validate_json(found.synthesis or "")
    assert (found.state, kept.ticked, kept.said) == ("accepted", ("1",), "I drain a target first")


def test_the_direct_message_has_the_note_and_the_same_form(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine)

    async def story(here: Talk) -> None:
        await press_directly(here, "Accept…", OMAR)
        assert (await here.fill(OMAR, risk="none", items="1"))["ok"]

    play(passing, story)
    assert passing.now_is().accepted_by == "omar"
    assert "Open 1" in passing.said("tell:1:call-incoming")


def test_what_turned_red_while_the_form_was_open_is_told_beside_its_field(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine)

    async def story(here: Talk) -> None:
        await press(here, "Accept…", OMAR)
        arrive(passing.desk, signal(severity="critical", key="ledger/lag", name="ledger-lag", title="ledger lags"))
        told = await here.fill(OMAR, risk="1", items="1")
        assert "items not ticked: #2" in json.dumps(told, ensure_ascii=False)

    play(passing, story)
    assert passing.now_is().state == "submitted"


def test_the_outgoing_person_writes_with_the_cards_button(sqlite_engine: sa.Engine) -> None:
    passing = red_night(sqlite_engine, "20:30")

    async def story(here: Talk) -> None:
        await press(here, "Write your line…", BRUNO)
        given = {"line": "5xx since noon", "if-then": "again: drain a target\nstill: call Inès", "raise": "red"}
        assert (await here.fill(BRUNO, **given))["ok"]

    play(passing, story)
    found = passing.now_is()
    assert (found.line, found.raised, len(json.loads(found.if_then))) == ("5xx since noon", "red", 2)


def test_help_has_it_under_who_is_on(sqlite_engine: sa.Engine) -> None:
    assert "handoff note watch p95" in say(Passing(sqlite_engine), "help", OMAR).text
