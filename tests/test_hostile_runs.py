"""An insider tries to make Vigie do what it must not: other people's powers, secrets, markup, files that are no runbooks."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from pydantic import Field

from bot.config import Config, read_catalogue
from bot.entrypoints.perform import Saying, perform
from bot.errors import Refused
from bot.services.desk import Actor
from bot.services.leave import answering, glass
from bot.services.leave.mandates import Wish
from bot.services.ledger import audit
from bot.services.run import rehearsing
from bot.services.slack import cards
from bot.services.slack.drawing import Drawing
from bot.store import alerts, journal
from bot.store import cards as posts
from bot.store import runs as rows
from bot.store.db import metadata
from commands import Way
from runbooks.actions import Outcome, Params, State, World
from runbooks.model import Runbook, Step
from tests.chat_stage import FAMILY
from tests.config_stage import TODAY, actions, example
from tests.powers import DAY, NIGHT, agreed, asking, question, shop_at, until_asked
from tests.story import ALICE, INES, LEA, PAUL, arrive, signal
from tests.workshop import ACTIONS, Restart, Workshop, runbook

BY_INES = {"name": "§1 make it smaller", "runbooks": "smaller", "second": {"organisation": "padok"}}


def lately(shop: Workshop, change: Callable[[dict[str, Any]], None]) -> None:
    """vigie.yaml is changed and Vigie started anew, while runs wait: the mandate stays as it was confirmed."""
    told = shop.desk.config.model_dump(mode="json")
    change(told["people"])
    config = Config.model_validate(told)
    desk = replace(shop.desk, config=config)
    shop.desk, shop.execution = desk, type(shop.execution)(desk, shop.worlds, shop.execution._engine)


def gone(people: dict[str, Any]) -> None:
    del people["lea"]


def moved(people: dict[str, Any]) -> None:
    people["lea"]["organisation"] = "bridge"


def degraded(people: dict[str, Any]) -> None:
    people["lea"]["roles"] = ["manager"]


# --- people who are no longer who they were ---


@pytest.mark.parametrize("change", [gone, moved, degraded])
@pytest.mark.parametrize("asks", [True, False])
def test_a_run_changes_nothing_for_somebody_who_left_or_moved_or_may_act_no_more(
    sqlite_engine: sa.Engine, change: Callable[[dict[str, Any]], None], asks: bool
) -> None:
    shop = shop_at(sqlite_engine, NIGHT, None, asking() if asks else runbook())
    run = shop.start(LEA)
    if asks:
        until_asked(shop, run)
        answering.approve(shop.desk, run.id, INES)
    lately(shop, change)
    ended = shop.carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.FAILED, [])
    assert "vigie.yaml no longer lists them as somebody of Padok" in str(ended.said)


def test_a_run_of_the_owners_own_ends_with_its_persons_role_too(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY)
    run = shop.start(ALICE)
    lately(shop, lambda people: people["alice"].update(roles=["manager"]))
    assert shop.carry_on(run).state == rows.FAILED and shop.machine.calls == []


def test_who_was_asked_and_lost_the_role_meanwhile_can_no_longer_say_yes(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, agreed(BY_INES), runbook())
    run = shop.start(LEA)
    assert until_asked(shop, run).asked == ["ines"]
    lately(shop, lambda people: people["ines"].update(roles=["engineer"]))
    with pytest.raises(Refused, match="needs the yes of a lead or approver of Padok"):
        answering.approve(shop.desk, run.id, replace(INES, roles=frozenset({"engineer"})))
    assert shop.machine.calls == []


def test_who_stands_in_for_sleepers_signs_only_while_a_lead(sqlite_engine: sa.Engine) -> None:
    clause = {"name": "§1 make it smaller", "runbooks": "smaller", "second": {"organisation": "bridge"}}
    shop = shop_at(sqlite_engine, NIGHT, agreed(clause), runbook())
    run = shop.start(LEA)
    assert until_asked(shop, run).asked == ["ines"]
    before, told = shop.desk, shop.execution
    lately(shop, lambda people: people["ines"].update(roles=["engineer"]))
    with pytest.raises(Refused, match="needs the yes of a lead or approver of Bridge"):
        answering.approve(shop.desk, run.id, INES)
    shop.desk, shop.execution = before, told
    assert answering.approve(shop.desk, run.id, INES).state == "approved"


# --- another target by another alert ---


def test_an_alert_of_a_service_in_the_mandate_opens_no_runbook_of_another_service(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, agreed({**BY_INES, "services": ["edge"]}), runbook())
    arrive(shop.desk, signal(key="edge/any", service="edge", name="edge-any"))
    with shop.desk.read() as connection:
        alert = alerts.recent(connection)[0]
    assert alert.service == "edge"
    with pytest.raises(Refused, match="only for edge, not pay-api"):
        shop.start(LEA, alert=alert)


# --- approving one's own by another way ---


def test_nobody_signs_what_they_asked_for_by_whatever_way(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, agreed({"name": "§1", "runbooks": "other"}), asking())
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    with pytest.raises(Refused, match="could not be approved"):
        glass.break_glass(shop.desk, Wish(book, INES), INES, "the only lead who is awake")
    run = glass.break_glass(shop.desk, Wish(book, LEA), LEA, "payments are down and all sleep")
    asked = until_asked(shop, run)
    for way in (answering.approve, answering.reject):
        with pytest.raises(Refused, match="You asked for run"):
            way(shop.desk, run.id, LEA)
    with pytest.raises(Refused, match="Bridge is in blackout"):
        answering.approve(shop.desk, run.id, PAUL)
    assert question(shop, run).state == asked.state == "open" and shop.machine.calls == []


def test_the_button_of_one_run_approves_no_other_and_an_old_one_nothing_new(sqlite_engine: sa.Engine) -> None:
    books = [asking(name=name, lock=f"test:{name}") for name in ("smaller", "other")]
    shop = shop_at(sqlite_engine, DAY, None, *books)
    first, second = shop.start(ALICE), shop.start(ALICE, "other")
    asked = [until_asked(shop, each) for each in (first, second)]
    with pytest.raises(Refused, match="no longer asked"):
        answering.approve(shop.desk, second.id, PAUL, asked[0].id)
    assert question(shop, second).state == "open"
    answering.approve(shop.desk, first.id, PAUL, asked[0].id)
    assert shop.carry_on(first).state == rows.SUCCEEDED
    with pytest.raises(Refused, match="has begun"):
        answering.approve(shop.desk, first.id, PAUL, asked[0].id)
    shop.clock.advance(900)
    with pytest.raises(Refused, match="within 15 min"):
        answering.approve(shop.desk, second.id, PAUL, asked[1].id)
    assert shop.carry_on(second).state == rows.FAILED and shop.machine.calls == ["resize"]


# --- outsiders ---

VERBS = (
    "run {alert}", "run {alert} plan", "run smaller", "steps run{run}", "approve run{run}", "reject run{run} no",
    "revoke run{run}", "cancel run{run}", "outcome run{run} again", "runbooks", "stop-automation everything",
    "resume-automation everything",
    "promote smaller", "mandate nights confirm", "mandate nights withdraw", "break-glass {alert} smaller payments are down now",
    "reviewed run{run} all was well here", "why {alert}",
)


@pytest.mark.parametrize("way", get_args(Way))
def test_an_outsider_does_nothing_by_any_verb_and_each_try_is_written_down(sqlite_engine: sa.Engine, way: Way) -> None:
    shop = shop_at(sqlite_engine, DAY, None, asking())
    arrive(shop.desk, signal())
    run = shop.start(ALICE)
    asked = until_asked(shop, run)
    before = len(entries(shop))
    for each in VERBS:
        verb, *rest = each.format(alert=1, run=run.id).split()
        ref, words = (rest[0], rest[1:]) if way in ("button", "form") and rest else (None, rest)
        for team, user in (("T0EVIL0001", "U0EVE00001"), ("T0EVIL0001", "U0PAUL0001"), (None, "U0PAUL0001")):
            reply = perform(shop.desk, FAMILY, Saying(team, user, "slack C0ALERTS01", (verb, *words), ref, way))
            assert not reply.ok and reply.ask is None and reply.text.startswith("Vigie does not know you"), (each, reply)
    tried = entries(shop)[before:]
    assert {each.kind for each in tried} == {"command refused"} and len(tried) == 3 * len(VERBS)
    assert (question(shop, run), shop.look(run.id).state, shop.machine.calls) == (asked, rows.ASKING, [])
    with shop.desk.read() as connection:
        assert len(rows.find(connection)) == 1 and audit.verify(connection).ok


def entries(shop: Workshop) -> list[Any]:
    with shop.desk.read() as connection:
        return list(journal.all_entries(connection))


# --- secrets ---

ECHO = {"name": "look", "uses": "test.read", "with": {"value": "${{ params.value }}"}}


def reading(**parameter: Any) -> Runbook:
    return runbook(parameters={"value": parameter}, steps=[ECHO], verify=[])


@pytest.mark.parametrize("who", [ALICE, LEA])
@pytest.mark.parametrize("given", ["secret:SLACK_BOT_TOKEN", "secret:VIGIE_SECRET_BRIDGE_GENERIC"])
def test_a_value_that_is_no_secret_cannot_name_one(sqlite_engine: sa.Engine, who: Actor, given: str) -> None:
    shop = shop_at(sqlite_engine, DAY, None, reading())
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    desk = replace(shop.desk, worlds=shop.worlds)
    for way in (shop.start, lambda actor, given: rehearsing.plan(desk, Wish(book, actor, given=given))):
        with pytest.raises(Refused, match="must not begin with `secret:`"):
            way(who, given={"value": given})


@pytest.mark.parametrize("given", [
    "SLACK_BOT_TOKEN", "DATABASE_URL", "VIGIE_SEAL_KEY", "AWS_SECRET_ACCESS_KEY", "hunter2",
    "VIGIE_SECRET_BRIDGE_GENERIC", "secret:VIGIE_SECRET_BRIDGE_GENERIC",
])
def test_a_runbook_is_given_none_of_vigies_own_secrets(sqlite_engine: sa.Engine, given: str) -> None:
    shop = shop_at(sqlite_engine, DAY, None, reading(secret=True))
    with pytest.raises(Refused, match="must name what holds the secret") as caught:
        shop.start(ALICE, given={"value": given})
    assert given.removeprefix("secret:") not in str(caught.value)
    assert shop.start(ALICE, given={"value": "VIGIE_SECRET_CONSOLE"}).parameters == {"value": "secret:VIGIE_SECRET_CONSOLE"}


# --- words that are more than words ---


def test_nothing_that_somebody_wrote_calls_links_or_turns_text_round(sqlite_engine: sa.Engine) -> None:
    evil = "<!channel> <@U0MARIE001>\n\u202e <https://evil.example|click> ${{ alert.id }}" + "y" * 5_000
    book = reading(**{"from": "alert.label.host"}).model_copy(update={"lock": "host:${{ params.value }}"})
    shop = shop_at(sqlite_engine, DAY, None, book.model_copy(update={"steps": (look_after_a_yes(),)}))
    arrive(shop.desk, signal(title=evil, labels={"host": evil}))
    with shop.desk.read() as connection:
        alert = alerts.recent(connection)[0]
    run = shop.start(ALICE, alert=alert)
    until_asked(shop, run)
    for when in ("asked", "rejected"):
        for key, shown in drawn(shop).items():
            text = json.dumps([shown.text, shown.blocks], ensure_ascii=False)
            bad = [each for each in ("<!channel", "<@U0MARIE", "<https", "\u202e") if each in text]
            assert not bad and len(text) < 12_000, (when, key, bad, text[:600])
        if when == "asked":
            answering.reject(shop.desk, run.id, PAUL, evil)
            assert shop.carry_on(run).state == rows.FAILED


def look_after_a_yes() -> Step:
    return Step.model_validate({**ECHO, "approve": True})


def drawn(shop: Workshop) -> dict[str, Drawing]:
    with shop.desk.read() as connection:
        keys = connection.scalars(sa.select(posts.post.c.key)).all()
        found = {key: posts.by_key(connection, key) for key in keys}
        return {key: cards.draw(shop.desk, connection, each) for key, each in found.items() if each is not None}


# --- what stands in a customer's folder ---


@pytest.mark.parametrize(("make", "why"), [
    (lambda path: os.mkfifo(path), "this is no file of text"),
    (lambda path: path.symlink_to("/dev/zero"), "this is no file of text"),
    (lambda path: path.mkdir(), "cannot be read"),
    (lambda path: path.symlink_to(path.name), "cannot be read"),
    (lambda path: path.symlink_to("nowhere"), "there is no such file"),
    (lambda path: path.write_bytes(b"name: x\n" + b"# more\n" * 200_000), "has more than 1,000,000 bytes"),
    (lambda path: path.write_bytes(b"name: \xff\n"), "not UTF-8"),
    (lambda path: path.write_text("name: x\nname: y\n"), "stands twice"),
    (lambda path: path.write_text("a: &a [*a]\n"), "is not a key here"),
    (lambda path: path.write_text("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{chr(ord(name) - 1)}'] * 10)}]\n" for name in "bcdefgh")), "unfolds to more than"),
])
def test_what_is_no_runbook_is_told_and_never_waited_for(tmp_path: Path, make: Callable[[Path], Any], why: str) -> None:
    make(tmp_path / "x.yaml")
    found = read_catalogue(tmp_path, example(), actions(), TODAY)
    assert found.catalogue is None and any(why in each.what for each in found.faults), found.faults


# --- secrets that a runbook was given, and values that are none ---


class TokenParams(Params):
    token: str = Field(description="What opens the door")


class Chatty(Restart):
    """Prints the secret that it was given, wherever it can."""

    name, params, example = "test.chatty", TokenParams, {"token": "x"}

    def plan(self, params: TokenParams, before: State) -> str:
        return f"log in with {params.token}"

    def act(self, world: World, params: TokenParams, before: State) -> Outcome:
        super().act(world, params, before)
        return Outcome(f"logged in with {params.token}", {"token used": params.token}, log=f"Bearer is {params.token}")


def every_row(shop: Workshop) -> str:
    """All that the database holds, as text."""
    with shop.desk.read() as connection:
        tables = metadata.sorted_tables
        return "\n".join(str(row) for table in tables for row in connection.execute(sa.select(table)))


def test_a_secret_that_an_action_prints_stands_in_no_row(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = {"key": {"type": "string", "secret": True}}
    book = runbook(parameters=parameters, verify=[], steps=[
        {"name": "log-in", "uses": "test.chatty", "with": {"token": "${{ params.key }}"}, "undo": "none"},
    ])
    monkeypatch.setitem(ACTIONS, "test.chatty", Chatty())
    shop = shop_at(engine, DAY, None, book)
    run = shop.carry_on(shop.start(PAUL, given={"key": "VIGIE_SECRET_BANK"}))
    assert run.state == rows.SUCCEEDED and shop.machine.calls == ["restart"]
    rest = every_row(shop)
    assert "VIGIE_SECRET_BANK" in rest and "the secret VIGIE_SECRET_BANK" not in rest and "log in with ****" in rest


@pytest.mark.parametrize(("value", "why"), [("nan", "a number"), ("inf", "a number"), ("4111111111111111", "card number")])
def test_values_that_are_none_are_refused(sqlite_engine: sa.Engine, value: str, why: str) -> None:
    kind = "number" if why == "a number" else "string"
    book = runbook(parameters={"share": {"type": kind}}, steps=[{"name": "restart", "uses": "test.restart", "undo": "none"}])
    shop = shop_at(sqlite_engine, DAY, None, book)
    with pytest.raises(Refused, match=why):
        shop.start(PAUL, given={"share": value})
