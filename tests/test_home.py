"""The Home tab: what is mine, who is on, what waits for me, how Vigie is; its buttons work, and it fits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from bot.services.shift import leaving
from bot.services.slack import home
from bot.store import shifts
from bot.workspace.blocks import view_faults
from tests.chat_stage import Talk, talk
from tests.duty_stage import PEOPLE, Life, life
from tests.story import arrive, signal
from tests.workspace_stage import ALICE, LEA, until

NOW = "2026-11-24 15:00"


def drawn(here: Life, person: str) -> list[dict[str, Any]]:
    blocks = home.draw(here.desk, PEOPLE[person], "Nothing is open.")
    assert list(view_faults({"type": "home", "blocks": blocks})) == [] and len(blocks) <= 100
    return blocks


def words(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(each["text"]["text"] for each in blocks if each["type"] == "section")


def actions(blocks: list[dict[str, Any]]) -> list[str]:
    inner = [one for each in blocks for one in [*each.get("elements", []), each.get("accessory")] if one]
    return [one["action_id"] for one in inner if "action_id" in one]


def test_home_shows_my_shifts_who_is_on_and_what_is_mine(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    arrive(here.desk, signal())
    here.say("alice", "ack 1")
    said = words(drawn(here, "alice"))
    assert "*Yours*\n• #1" in said and "Bridge has the duty until Wed 25 Nov 00:00" in said and "secondary of platform" in said
    assert "Nothing open is yours" in words(drawn(here, "bruno"))


def test_a_shift_that_runs_is_shown_from_when_it_began_and_what_is_mine_comes_first(sqlite_engine: sa.Engine) -> None:
    said = words(drawn(life(sqlite_engine, NOW), "alice"))
    assert "Tue 24 Nov 08:00–20:00" in said and "15:00" not in said and said.startswith(home.MINE)


def test_a_shift_has_a_button_as_long_as_it_can_be_swapped(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    blocks = drawn(here, "omar")
    shown = [each for each in blocks if each.get("text", {}).get("text", "").startswith("• `")]
    assert len(shown) == home.MOST_SHIFTS and "accessory" not in shown[0] and shown[1]["accessory"]["action_id"] == "vigie:swap"


def test_a_swap_that_waits_for_me_has_its_buttons(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    here.say("lea", f"swap {here.shift('2026-12-02 01:00').id} @ines")
    assert "Swaps that wait for you" in words(drawn(here, "ines")) and "vigie:swap:take" in actions(drawn(here, "ines"))
    assert "Swaps" not in words(drawn(here, "omar"))


def test_only_who_may_change_shifts_sees_that_button(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    assert "vigie:override" in actions(drawn(here, "ines")) and "vigie:override" not in actions(drawn(here, "omar"))


def test_home_fits_however_much_there_is(sqlite_engine: sa.Engine) -> None:
    here = life(sqlite_engine, NOW)
    for number in range(60):
        arrive(here.desk, signal(key=f"pay-api/{number}", title="x" * 300 + " <!channel> & co", name=f"pay-api-{number}"))
        here.say("alice", f"ack {number + 1}")
    assert "… and 50 more." in words(drawn(here, "alice")) and "<!channel>" not in words(drawn(here, "alice"))


def play(engine: sa.Engine, story: Callable[[Talk, Life], Awaitable[None]], now: str = NOW) -> None:
    async def run() -> None:
        here = life(engine, now)
        async with talk(engine, here.desk) as there:
            await story(there, here)

    asyncio.run(run())


async def opened(there: Talk, person: str) -> Any:
    homes = there.there.workspace.state.modals.homes
    homes.pop(person, None)
    await there.there.get("home", person=person)
    await until(lambda: person in homes)
    return homes[person].body


def test_the_home_tab_is_published_in_slack(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Life) -> None:
        body = await opened(there, LEA)
        assert "Your next shifts" in words(body["blocks"]) and "Bridge has the duty" in words(body["blocks"])

    play(sqlite_engine, story)


def test_somebody_deactivated_in_slack_sees_that(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Life) -> None:
        leaving.deactivated(here.desk, "T0BRIDGE01", ALICE)
        body = await opened(there, ALICE)
        assert "deactivated in Slack" in words(body["blocks"]) and "Your next shifts" not in words(body["blocks"])
        with here.desk.read() as connection:
            assert shifts.leavers(connection) == {"alice"}

    play(sqlite_engine, story)


async def pressed(there: Talk, person: str, action: str) -> None:
    """Clicks in the Home tab."""
    view = there.there.workspace.state.modals.homes[person]
    block = next(each for each in view.body["blocks"] if action in actions([each]))
    said = await there.there.post("click", person=person, view_id=view.id, block_id=block["block_id"], action_id=action)
    assert said["ok"], said


def direct(there: Talk) -> list[str]:
    everything = there.there.workspace.state.conversations.values()
    return [each.text for one in everything if one.id.startswith("D") for each in one.by_ts.values()]


def test_a_click_in_the_home_tab_is_answered_by_direct_message(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Life) -> None:
        await opened(there, LEA)
        await pressed(there, LEA, "vigie:oncall")
        await until(lambda: any("has the duty" in each for each in direct(there)))

    play(sqlite_engine, story)


def test_the_swap_button_of_the_home_tab_opens_its_form(sqlite_engine: sa.Engine) -> None:
    async def story(there: Talk, here: Life) -> None:
        await opened(there, LEA)
        await pressed(there, LEA, "vigie:swap")
        await until(lambda: there.form(LEA) is not None)
        assert there.form(LEA).body["title"]["text"].startswith("Swap shift")

    play(sqlite_engine, story)
