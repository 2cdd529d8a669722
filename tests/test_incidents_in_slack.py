"""Incidents in Slack itself: the card's menu, forms, the incident's own message, its worksheet, files in the thread."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from bot.workspace.blocks import view_faults
from tests.chat_stage import PAYMENTS, Talk, labelled, talk
from tests.incident_stage import fires, incident, reporting


def play(engine: sa.Engine, story: Callable[[Talk, Any], Awaitable[None]]) -> None:
    here = reporting(engine)
    fires(here, severity="critical", minutes_ago=6)

    async def go() -> None:
        async with talk(engine, here.desk) as there:
            await there.deliver()
            await story(there, here)

    asyncio.run(go())


def asked(there: Talk) -> list[str]:
    """What the open form asks; it is one that Slack takes."""
    view = there.form()
    assert list(view_faults(view.body)) == []
    return [block["block_id"].rpartition(":")[2] for block in view.body["blocks"][1:]]


def shown(there: Talk, words: str) -> list[dict[str, Any]]:
    """The blocks of the message in #payments that says this."""
    messages = there.there.workspace.state.conversations[PAYMENTS].by_ts.values()
    return next(each.blocks for each in messages if words in str(each.blocks))


def test_from_the_cards_menu_to_the_worksheet_and_its_reports(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Any) -> None:
        await there.press(1, "incident")
        assert asked(there) == ["kind", "title", "found", "began", "drill"]
        assert await there.fill(kind="outage", title="errors at the edge", found="clients") == {"ok": True}
        assert "Incident 1 is declared: outage" in (await there.heard())[-1]
        await there.deliver()
        assert labelled(shown(there, "Incident 1 · outage"), "Classify…") is not None

        await there.press_below("Classify…")
        assert asked(there)[0] == "gate" and asked(there)[-1] == "sure" and len(asked(there)) == 13
        assert (await there.fill(gate="critical", clients="12%", downtime="3h", sure="worksheet-estimated"))["ok"]
        assert asked(there) == ["keep"]
        assert "Incident 1 is MAJOR by 2024/1772." in str(there.form().body["blocks"][0])
        assert here.entries("incident classified") == []
        assert (await there.fill(keep="yes"))["ok"]
        assert "Owed: " in (await there.heard())[-1] and incident(here).title == "errors at the edge"
        await there.deliver()

        await there.press_below("A report is sent…")
        assert asked(there) == ["kind", "reference", "at", "delay"]
        assert (await there.fill(kind="initial", reference="ACPR-1"))["ok"]
        assert "The initial notification of incident 1 was sent" in (await there.heard())[-1]

    play(sqlite_engine, story)


def test_what_is_wrong_in_a_form_stands_beside_its_field(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Any) -> None:
        await there.line("incident 1")
        await there.deliver()
        await there.press_below("Classify…")
        answer = await there.fill(clients="many", sure="worksheet-actual")
        assert "is no number" in str(answer) and "clients" in str(answer)

    play(sqlite_engine, story)


def test_impact_end_and_files_by_buttons(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Any) -> None:
        await there.line("incident 1")
        await there.deliver()
        await there.press_below("Impact…")
        assert asked(there) == ["service", "from", "to", "share"]
        assert (await there.fill(service="ledger", **{"from": "09:50", "to": "-", "share": "30%"}))["ok"]
        await there.press_below("It is over…")
        assert (await there.fill(at="09:58"))["ok"]
        assert "Incident 1 is over since" in (await there.heard())[-1]
        for words in ("Timeline", "Post-mortem", "Pre-filled report"):
            answer = await there.press_below(words)
            assert "in the thread of its card" in answer, (there.form() and there.form().body, await there.heard())
        await there.deliver()
        files = [each for each in there.there.workspace.log if each.method == "files.completeUploadExternal"]
        assert len(files) == 4, "the report is two files"
        assert "🏁 Incident 1" in str(shown(there, "Incident 1 ·"))

    play(sqlite_engine, story)
