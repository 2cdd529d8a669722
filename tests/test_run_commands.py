"""Runs by line, button, form and mention: each way does the same, leaves the same trace, and says what would work instead."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.services import answering, automation, brakes
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
            scene = Scene(here, shop, await here.alert())
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
    ("steps 1", "*restart* · `test.restart`"), ("runbooks", "`smaller` Smaller · run by a person"), ("runbooks smaller", "*Steps*"),
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
