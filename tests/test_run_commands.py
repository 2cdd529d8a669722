"""Runs by line, button, form and mention: each way does the same, leaves the same trace, and says what would work instead."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.services.alert import automation
from bot.services.leave import answering
from bot.services.run import brakes
from bot.store import rungs
from bot.store import runs as rows
from bot.store.runs import Run
from tests.chat_stage import FAMILY, PAYMENTS, Talk, talk
from tests.story import ALICE, CONFIG, LEA, desk_on
from tests.workshop import Workshop, runbook, workshop
from tests.workspace_stage import ALICE as BY_ALICE
from tests.workspace_stage import LEA as BY_LEA

INES, PAUL = "U0INES0001", "U0PAUL0001"
ASKING = {"name": "resize", "uses": "test.resize", "with": {"size": "${{ params.size }}"}, "approve": True}
RESTART = {"name": "restart", "uses": "test.restart", "undo": "none"}


@dataclass
class Scene:
    """People, their alert, and the workshop that carries runs out."""

    here: Talk
    shop: Workshop
    number: int

    @property
    def run(self) -> Run:
        with self.here.desk.read() as connection:
            return rows.find(connection, most=1)[0]

    def go_on(self) -> Run:
        while self.shop.execution.move(self.run.id) == 0:
            pass
        return self.run

    async def seen(self) -> str:
        """All that stands in the channel and its threads, after what is due is delivered."""
        await self.here.deliver()
        return "\n".join(f"{each.text} {each.blocks}" for each in self.place.by_ts.values() if not each.ephemeral_for)

    @property
    def place(self) -> Any:
        return self.here.there.workspace.state.conversations[PAYMENTS]


def play(engine: sa.Engine, story: Callable[[Scene], Awaitable[None]], **changed: Any) -> None:
    async def go() -> None:
        shop = workshop(desk_on(engine), runbook(**changed))
        shop.desk = replace(shop.desk, worlds=shop.worlds)
        async with talk(engine, shop.desk) as here:
            scene = Scene(here, shop, await here.alert(labels={"host": "pay-1 <!channel>"}))
            automation.act(here.desk)
            await here.deliver()
            await story(scene)

    asyncio.run(go())


# --- each verb, each way ---


async def nothing(scene: Scene) -> None:
    """The alert is enough."""


async def started(scene: Scene) -> None:
    await scene.here.line(f"run {scene.number}")
    await scene.here.deliver()


async def asked(scene: Scene) -> None:
    await started(scene)
    scene.go_on()
    await scene.here.deliver()


async def approved(scene: Scene) -> None:
    await asked(scene)
    await scene.here.line(f"approve {scene.run.id}", INES)
    await scene.here.deliver()


async def in_doubt(scene: Scene) -> None:
    scene.shop.machine.faults = ["silent"]
    await started(scene)
    assert scene.shop.carry_on(scene.run).state == rows.IN_DOUBT
    await scene.here.deliver()


async def automatic(scene: Scene) -> None:
    with scene.here.desk.begin("test") as connection:
        rungs.put(connection, "smaller", "automatic", scene.here.desk.clock.now(), "paul", "ines")
    await scene.here.line(f"note {scene.number} look")
    await scene.here.deliver()


async def stopped(scene: Scene) -> None:
    await automatic(scene)
    brakes.stop(scene.here.desk, "service:pay-api", ALICE)
    await scene.here.deliver()


async def broken(scene: Scene) -> None:
    await scene.here.line(f"break-glass {scene.number} smaller nobody else is awake tonight", BY_LEA)
    scene.go_on()
    answering.reject(scene.here.desk, scene.run.id, replace(LEA, key="ines", roles=frozenset({"lead"})))
    scene.shop.carry_on(scene.run)
    await scene.here.deliver()


SAID = {      # verb: (how it came to this, who, what the line says, button, the form's values, the journal's word)
    "run": (nothing, BY_ALICE, "{alert}", "Run runbook…", {}, "run started"),
    "cancel": (started, BY_ALICE, "{run}", "Cancel…", {"reason": "wrong one"}, "run cancelled"),
    "approve": (asked, INES, "{run}", "Approve", {}, "approval signed"),
    "reject": (asked, INES, "{run} not now", "Reject…", {"reason": "not now"}, "approval rejected"),
    "revoke": (approved, INES, "{run}", "Revoke", {}, "approval revoked"),
    "outcome": (in_doubt, BY_ALICE, "{run} again", "Run it again…", {}, "run decided"),
    "stop-automation": (automatic, BY_ALICE, "pay-api", "Stop automation of pay-api…", {}, "automation stopped"),
    "resume-automation": (stopped, BY_ALICE, "pay-api", "Resume automation of pay-api", {}, "automation resumed"),
    "reviewed": (broken, PAUL, "{run} it was right", "Reviewed…", {"text": "it was right"}, "glass reviewed"),
}
STEPS = {"approve": [ASKING], "reject": [ASKING], "revoke": [ASKING], "outcome": [RESTART]}


@pytest.mark.parametrize("way", ["line", "button", "mention", "thread"])
@pytest.mark.parametrize("verb", SAID)
def test_a_verb_of_runs_does_the_same_whichever_way_it_is_said(sqlite_engine: sa.Engine, verb: str, way: str) -> None:
    before, who, rest, label, values, kind = SAID[verb]

    async def story(scene: Scene) -> None:
        await before(scene)
        here, run = scene.here, scene.run.id if before not in (nothing, automatic, stopped) else 0
        said = rest.format(alert=scene.number, run=run)
        if way == "line":
            answer = await here.line(f"{verb} {said}", who)
        elif way == "mention":
            answer = await here.mention(f"{verb} {said}", who)
        elif way == "thread":
            answer = await here.mention(f"{verb} {said}", who, thread=(await here.card(scene.number))["ts"])
        else:
            answer = await here.press_below(label, who)
            if FAMILY[verb].form and here.form(who):
                assert await here.fill(who, **values) == {"ok": True}
                answer = (await here.heard(who))[-1]
        assert answer and "Not now" not in answer
        traces = [(each.kind, each.outcome, each.actor) for each in here.entries()]
        key = next(key for key, person in CONFIG.people.items() if person.slack == who)
        assert (kind, "done", key) in traces, (answer, traces)
        await scene.seen()

    play(sqlite_engine, story, **({"steps": STEPS[verb]} if verb in STEPS else {"steps": [RESTART]} if verb != "run" else {}))


@pytest.mark.parametrize(("said", "words"), [
    ("steps 1", "*restart* · `test.restart`"), ("runbooks", "`smaller` Smaller · run by"), ("runbooks smaller", "*Steps*"),
    ("mandate", "No mandate"), ("help", "/vigie run 142 plan"), ("status", "*Under way*"),
])
def test_looking_at_runs_is_free(sqlite_engine: sa.Engine, said: str, words: str) -> None:
    async def story(scene: Scene) -> None:
        await started(scene)
        before = len(scene.here.entries())
        for answer in (await scene.here.line(said), await scene.here.mention(said)):
            assert words in answer, answer
            assert len(answer.encode()) < 4_000
        assert len(scene.here.entries()) == before

    play(sqlite_engine, story, steps=[RESTART])


@pytest.mark.parametrize(("said", "who", "words"), [
    ("promote smaller click without evidence: it is well understood", INES, "You propose that"),
    ("break-glass 1 smaller nobody else is awake tonight", BY_LEA, "The glass is broken: run 1"),
    ("run smaller size=12", BY_ALICE, "Run 1 is started"), ("run run", BY_ALICE, "There is no runbook \"run\""),
    ("cancel 57", BY_ALICE, "No run 57"), ("cancel", BY_ALICE, "Say its number"), ("approve #1", INES, "Nothing was ever run"),
    ("mandate nights confirm", INES, "nights"), ("outcome 1 perhaps", BY_ALICE, "Nothing was ever run"),
    ("run 1 sise=3", BY_ALICE, "no parameter sise. It has: size"), ("run 1 size=many", BY_ALICE, "a whole number"),
    ("stop-automation payments", BY_ALICE, "Nothing is called payments"), ("run 1", BY_LEA, "Padok has no mandate"),
    ("reviewed 7 fine", PAUL, "No run 7"), ("steps 1", BY_ALICE, "Nothing was ever run for #1"),
])
@pytest.mark.parametrize("way", ["line", "mention"])
def test_what_is_typed_works_or_says_what_would(sqlite_engine: sa.Engine, said: str, who: str, words: str, way: str) -> None:
    async def story(scene: Scene) -> None:
        answer = await (scene.here.line if way == "line" else scene.here.mention)(said, who)
        assert words in answer.replace("&lt;", "<"), answer

    play(sqlite_engine, story)


def test_a_form_asks_for_each_parameter_in_its_type_and_what_is_wrong_stands_beside_it(sqlite_engine: sa.Engine) -> None:
    async def story(scene: Scene) -> None:
        await scene.here.press_below("Run runbook…")
        inputs = {each["block_id"]: each for each in scene.here.form().inputs}
        kinds = {name.rpartition(":")[2]: each["element"]["type"] for name, each in inputs.items()}
        assert kinds == {"size": "number_input", "sure": "static_select", "speed": "static_select", "wait": "plain_text_input",
                         "key": "plain_text_input", "host": "plain_text_input", "do": "static_select"}
        assert inputs["named:size"]["element"]["initial_value"] == "14" and "2 to 20" in inputs["named:size"]["hint"]["text"]
        assert inputs["named:key"]["label"]["text"] == "key: the name of the variable that holds it"
        assert inputs["named:host"]["element"]["initial_value"] == "pay-1 <!channel>" and not inputs["named:key"]["optional"]
        told = await scene.here.fill(size="99", key="VIGIE_SECRET_KEY")
        assert told["errors"] == {"named:size": "size must be at most 20, not 99."}
        assert await scene.here.fill(size="12", key="VIGIE_SECRET_KEY", sure="false", wait="1h30m") == {"ok": True}
        assert scene.run.parameters == {"size": 12, "sure": False, "speed": "slow", "wait": "1h30m",
                                        "key": "secret:VIGIE_SECRET_KEY", "host": "pay-1 <!channel>"}
        assert scene.run.mode == "click"
        await scene.seen()

    play(sqlite_engine, story, parameters={
        "size": {"type": "integer", "default": 14, "minimum": 2, "maximum": 20}, "sure": {"type": "boolean", "default": True},
        "speed": {"enum": ["slow", "fast"], "default": "slow"}, "wait": {"type": "length", "default": "10m"},
        "key": {"secret": True}, "host": {"from": "alert.label.host"},
    })


@pytest.mark.parametrize(("typed", "why"), [("sise=4", "no parameter sise"), ("size=many", "a whole number")])
def test_a_wrong_value_is_told_before_the_form_asks_for_the_others(sqlite_engine: sa.Engine, typed: str, why: str) -> None:
    async def story(scene: Scene) -> None:
        assert why in await scene.here.line(f"run {scene.number} {typed}")

    play(sqlite_engine, story, parameters={"size": {"type": "integer"}, "reason": {}})


def test_an_alert_that_no_runbook_recognises_lets_one_choose(sqlite_engine: sa.Engine) -> None:
    async def story(scene: Scene) -> None:
        other = await scene.here.alert(key="pay-api/p95", name="pay-api-p95", title="p95 above 900 ms")
        assert await scene.here.line(f"run {other}") == ""
        assert [each["block_id"] for each in scene.here.form().inputs] == ["leads:runbook"]
        assert await scene.here.fill(runbook="smaller") == {"ok": True}
        assert [each["block_id"] for each in scene.here.form().inputs] == ["named:size", "do"]
        assert await scene.here.fill(size="13") == {"ok": True}
        assert (scene.run.alert_id, scene.run.parameters) == (other, {"size": 13})

    play(sqlite_engine, story)


def test_a_plan_changes_nothing_and_says_what_each_step_would_do(sqlite_engine: sa.Engine) -> None:
    async def story(scene: Scene) -> None:
        expected = ["1 · count: size is 18", "2 · resize: would set the number of machines from 18 to 14 (after the yes of",
                    "3 · back: depends on step 2"]
        told = (await scene.here.line(f"run {scene.number} plan")).splitlines()
        assert [line.startswith(each) for line, each in zip(told[1:], expected, strict=True)] == [True] * 3, told
        await scene.here.press_below("Run runbook…")
        assert scene.here.form().body["submit"]["text"] == "Go ahead"      # it asks whether to run it, or only to plan
        await scene.here.fill(size="9", do="--plan")
        assert "from 18 to 9" in (await scene.here.heard())[-1]
        assert scene.shop.machine.calls == []
        with scene.here.desk.read() as connection:
            assert rows.find(connection) == []

    play(sqlite_engine, story, steps=[
        {"name": "count", "uses": "test.read", "with": {"value": "size", "wanted": 18}}, ASKING,
        {"name": "back", "uses": "test.resize", "with": {"size": "${{ steps.resize.outputs.asked }}"}},
    ])


def test_a_question_that_was_replaced_cannot_be_answered_by_its_old_button(sqlite_engine: sa.Engine) -> None:
    async def story(scene: Scene) -> None:
        await asked(scene)
        scene.shop.machine.values["size"] = 17                      # the world has changed: another plan
        await scene.here.line(f"approve {scene.run.id}", INES)
        scene.go_on()
        scene.go_on()
        answer = await scene.here.press_below("Approve", INES)
        assert "no longer asked" in answer or "asks anew" in answer, answer
        assert "Set the number of machines from 17" in await scene.seen() and scene.shop.machine.calls == []

    play(sqlite_engine, story, steps=[ASKING])


def test_the_home_tab_shows_what_waits_for_ones_yes_and_what_runs(sqlite_engine: sa.Engine) -> None:
    async def story(scene: Scene) -> None:
        await asked(scene)
        told = await scene.here.line("status", INES)
        assert told.startswith("*Waits for your yes*\n• run 1, step 1: set the number of machines from 18 to 14, asked by Alice")
        assert (await scene.here.line("status")).startswith("*Under way*\n• run 1 \"Smaller\" on pay-api: asking, step 1 of 2")

    play(sqlite_engine, story, steps=[ASKING])


@pytest.mark.parametrize("verb", ["run 1", "run smaller", "cancel 1", "stop-automation", "break-glass 1 smaller", "steps"])
def test_nothing_that_is_typed_breaks_a_message(sqlite_engine: sa.Engine, verb: str) -> None:
    async def story(scene: Scene) -> None:
        for text in ("<!channel> <@U0PAUL0001>", "a\u202eb\x1b[31m", "x" * 3_000, "`; drop", "size="):
            for said in (f"{verb} {text}", f"{verb} size={text}"):
                answer = await scene.here.line(said)
                assert "on our side" not in answer and "<!channel" not in answer
        await scene.seen()

    play(sqlite_engine, story)
