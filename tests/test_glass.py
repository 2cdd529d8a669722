"""The glass can be broken by whoever is on duty: with a reason, a second yes, loudly, and it is reviewed afterwards."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.errors import Refused
from bot.services.desk import Actor
from bot.services.leave import answering, glass
from bot.services.leave.mandates import Wish
from bot.store import approvals as questions
from bot.store import runs as rows
from bot.store.cards import Post, post
from bot.store.runs import Run
from tests.powers import CLAUSE, DAY, EVE, NIGHT, agreed, question, shop_at, until_asked, written
from tests.story import ALICE, CONFIG, INES, LEA, MARIE, PAUL
from tests.workshop import Workshop, runbook

WHY = "pay-api is down and nobody of Bridge is awake <!channel>"
LATE = agreed({**CLAUSE, "hours": ["20:00-00:00"]})


def break_glass(shop: Workshop, actor: Actor = LEA, reason: str = WHY, **wished: Any) -> Run:
    book = shop.desk.catalogue.runbook("smaller")
    assert book is not None
    return glass.break_glass(shop.desk, Wish(book, actor, **wished), actor, reason)


def refusal(act: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(Refused) as caught:
        act(*given, **named)
    return str(caught.value)


def notices(shop: Workshop) -> dict[str, Post]:
    with shop.desk.read() as connection:
        found = connection.execute(sa.select(post).where(post.c.kind == "notice").order_by(post.c.id)).all()
    return {each.key: Post(**each._mapping) for each in found}


def test_what_no_mandate_allows_runs_with_a_reason_and_a_second_yes_for_each_change(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, LATE)
    run = break_glass(shop)
    assert (run.glass, run.mandate, run.mode) == (WHY, None, "manual")
    for _ in ("resize", "restart"):
        asked = until_asked(shop, run)
        assert (asked.asked, asked.wants[0]["why"]) == (["ines"], "the glass is broken")
        assert "somebody else must approve it" in refusal(answering.approve, shop.desk, run.id, LEA)
        answering.approve(shop.desk, run.id, INES)
        shop.execution.move(run.id)
        while shop.look(run.id).state == rows.RUNNING and question(shop, run).id == asked.id:
            shop.execution.move(run.id)
    assert shop.look(run.id).state == rows.SUCCEEDED and shop.machine.calls == ["resize", "restart"]


def test_without_the_second_yes_nothing_is_changed(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, LATE)
    ended = shop.carry_on(break_glass(shop))
    assert (ended.state, shop.machine.calls, question(shop, ended).state) == (rows.FAILED, [], questions.EXPIRED)


def test_it_is_loud_and_wakes_nobody_in_blackout(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, LATE)
    break_glass(shop)
    here, review, later = (notices(shop)[key] for key in ("glass:1", "glass:1:review", "glass:1:bridge"))
    assert (here.channel, review.channel, later.channel) == ("C0PAYMNT01", "C0REVIEW01", "C0REVIEW01")
    for each in (here, review):
        assert "Léa (Padok) broke the glass: run 1 \"Smaller\" on pay-api" in (each.body or "")
        assert "allows it only between 20:00 and 00:00" in (each.body or "") and "<@" not in (each.body or "")
        assert "&lt;!channel&gt;" in (each.body or "") and each.due_at == shop.clock.now()
    assert later.due_at == datetime(2026, 11, 22, 7, tzinfo=UTC) and (later.body or "").startswith("<@U0PAUL0001> While Bridge")


def test_by_day_the_owners_leads_are_told_at_once(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, LATE)
    break_glass(shop)
    assert set(notices(shop)) == {"glass:1", "glass:1:review"}
    assert "<@U0PAUL0001>" in (notices(shop)["glass:1:review"].body or "")


def test_the_journal_knows_why_and_what_forbade_it(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, LATE)
    break_glass(shop)
    entry = written(shop, "glass broken")[0]
    assert (entry["actor"], entry["reason"], entry["run"]) == ("lea", WHY, 1)
    assert "only between 20:00 and 00:00" in entry["refused"] and entry["config"] == shop.desk.config.version


@pytest.mark.parametrize(
    ("actor", "reason", "why"),
    [
        (LEA, "because", "at least 10 characters"), (EVE, WHY, "not one of them"),
        (ALICE, WHY, "You are in Bridge's blackout until"), (MARIE, WHY, "On duty: Léa, Omar or Inès."),
    ],
)
def test_not_by_strangers_not_without_a_reason_not_in_the_own_blackout(
    sqlite_engine: sa.Engine, actor: Actor, reason: str, why: str
) -> None:
    shop = shop_at(sqlite_engine, NIGHT, LATE)
    assert why in refusal(break_glass, shop, actor, reason)
    assert notices(shop) == {}


def test_not_without_need(sqlite_engine: sa.Engine) -> None:
    assert "You may run \"Smaller\" as it is" in refusal(break_glass, shop_at(sqlite_engine, NIGHT, agreed()))
    assert "You may run" in refusal(break_glass, shop_at(sqlite_engine, DAY, CONFIG, confirm=False), ALICE)


def test_a_manager_may_by_day_and_a_second_yes_must_be_possible(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, runbook(busy="wait"), confirm=False)
    assert break_glass(shop, MARIE).actor == "marie"
    alone = CONFIG.model_copy(update={"people": {key: CONFIG.people[key] for key in ("paul", "lea")}})
    assert "Paul is in blackout until" in refusal(break_glass, shop_at(engine, NIGHT, alone, confirm=False))


def test_it_stays_open_until_a_lead_of_the_owner_has_reviewed_it(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, LATE)
    run = break_glass(shop)
    assert unreviewed(shop) == [run.id]
    assert "still under way" in refusal(glass.review, shop.desk, run.id, PAUL, "it was right to do so")
    shop.carry_on(run)
    for actor in (INES, ALICE, MARIE, EVE):
        said = refusal(glass.review, shop.desk, run.id, actor, "fine by me")
        assert "Only a lead of Bridge may review run 1: Paul (Bridge)." in said
    assert "at least 10 characters" in refusal(glass.review, shop.desk, run.id, PAUL, "ok")
    assert glass.review(shop.desk, run.id, PAUL, "it was right to do so").reviewed_by == "paul"
    assert "reviewed by Paul already" in refusal(glass.review, shop.desk, run.id, PAUL, "it was right to do so")
    assert unreviewed(shop) == [] and written(shop, "glass reviewed")[0]["note"] == "it was right to do so"


def test_only_a_run_that_broke_the_glass_is_reviewed(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, confirm=False)
    run = shop.carry_on(shop.start(ALICE))
    assert "broke no glass" in refusal(glass.review, shop.desk, run.id, PAUL, "it was right to do so")


def unreviewed(shop: Workshop) -> list[int]:
    with shop.desk.read() as connection:
        return [each.id for each in glass.unreviewed(connection)]
