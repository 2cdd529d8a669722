"""A step begins after the yes of somebody else who is awake, to exactly what will be done, and only until it expires."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as some

from bot.config import Config
from bot.errors import Refused
from bot.services.alert import response
from bot.services.desk import VIGIE, Actor
from bot.services.leave import answering, duty, signers
from bot.services.leave.signers import Asker, Demand
from bot.services.run import brakes, runs
from bot.store import approvals as questions
from bot.store import cards
from bot.store import runs as rows
from tests.powers import (
    CLAUSE,
    DAY,
    EVE,
    NIGHT,
    OMAR,
    agreed,
    asking,
    question,
    shop_at,
    signers_of,
    until_asked,
    written,
)
from tests.story import ALICE, CONFIG, INES, LEA, MARIE, PAUL, arrive, signal
from tests.workshop import Workshop, runbook


def second(**changed: Any) -> Config:
    return agreed({**CLAUSE, "second": changed})


BY_BRIDGE = {"organisation": "bridge"}
STANDING = {**BY_BRIDGE, "standing": {"by": "paul", "until": "2026-11-22"}}
NO_LEAD_AT_NIGHT = {"ines": {"name": "Inès", "slack": "U0INES0001", "organisation": "padok", "roles": ["engineer"]}}


def refusal(act: Any, *given: Any) -> str:
    with pytest.raises(Refused) as caught:
        act(*given)
    return str(caught.value)


# --- yes ------------------------------------------------------------------------------------------------------------------


def test_a_step_begins_after_the_yes_of_somebody_else(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    asked = until_asked(shop, run)
    assert (asked.asked, asked.state) == (["paul", "ines"], questions.OPEN)
    assert asked.expires_at - asked.asked_at == timedelta(minutes=15) and shop.machine.calls == []
    with shop.desk.read() as connection:
        assert cards.by_key(connection, f"approval:{asked.id}").urgency == 0
    assert answering.approve(shop.desk, run.id, PAUL).state == questions.APPROVED
    assert shop.look(run.id).due_at == shop.clock.now()
    assert shop.carry_on(run).state == rows.SUCCEEDED and question(shop, run).state == questions.USED


def test_every_act_is_written_down_with_what_it_is_bound_to(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, second(by="approver"), asking())
    run = shop.start(LEA)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    asked, signed = written(shop, "approval asked")[-1], written(shop, "approval signed")[-1]
    assert (asked["plan"], asked["target"]) == ("set the number of machines from 18 to 14", "test:machines")
    for each in (asked, signed):
        assert (each["run"], each["step"], each["digest"]) == (run.id, 1, question(shop, run).digest)
        assert (each["mandate"], each["mandate_version"]) == (run.mandate, run.mandate_version)
        assert (each["version"], each["config"]) == (run.version, shop.desk.config.version)
    assert signed["actor"] == "paul"


@pytest.mark.parametrize(
    ("actor", "why"),
    [
        (ALICE, "needs the yes of a lead or approver. Asked: Paul or Inès."), (MARIE, "needs the yes of a lead or approver"),
        (LEA, "needs the yes"), (EVE, "you are not one of them"),
    ],
)
def test_only_those_who_are_asked_may_say_yes_or_no(sqlite_engine: sa.Engine, actor: Actor, why: str) -> None:
    shop = shop_at(sqlite_engine, DAY, agreed(), asking())
    run = shop.start(OMAR)
    until_asked(shop, run)
    assert why in refusal(answering.approve, shop.desk, run.id, actor)
    assert why in refusal(answering.reject, shop.desk, run.id, actor)
    assert question(shop, run).state == questions.OPEN


def test_who_asks_never_approves_whatever_the_roles(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(approve={"by": ["lead", "approver"], "side": "any"}), confirm=False)
    run = shop.start(PAUL)
    assert until_asked(shop, run).asked == ["ines"]
    assert "somebody else must approve it. Asked: Inès." in refusal(answering.approve, shop.desk, run.id, PAUL)
    assert answering.approve(shop.desk, run.id, INES).state == questions.APPROVED


def test_nobody_in_blackout_signs_even_when_asked_before_it_began(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, datetime(2026, 11, 22, 22, 55, tzinfo=UTC), CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    assert until_asked(shop, run).asked == ["paul", "ines"]
    shop.clock.advance(600)
    assert "Bridge is in blackout until" in refusal(answering.approve, shop.desk, run.id, PAUL)
    assert answering.approve(shop.desk, run.id, INES).state == questions.APPROVED


def test_several_people_may_be_needed_and_each_counts_once(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(approve={"count": 2}), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    assert answering.approve(shop.desk, run.id, PAUL).state == questions.OPEN
    assert "You approved step 1" in refusal(answering.approve, shop.desk, run.id, PAUL)
    shop.clock.advance(1)
    assert answering.approve(shop.desk, run.id, INES).state == questions.APPROVED
    assert "approved by Paul and Inès" in refusal(answering.approve, shop.desk, run.id, INES)


def test_one_signature_may_be_all_that_runbook_and_mandate_want(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, second(**BY_BRIDGE), asking(approve={"side": "other"}))
    run = shop.start(LEA)
    assert until_asked(shop, run).asked == ["paul"]
    assert len(question(shop, run).wants) == 2
    assert answering.approve(shop.desk, run.id, PAUL).state == questions.APPROVED


@pytest.mark.parametrize(
    ("side", "asker", "asked"),
    [("own", LEA, ["paul"]), ("partner", ALICE, ["ines"]), ("other", LEA, ["paul"]), ("other", ALICE, ["ines"]),
     ("any", LEA, ["paul", "ines"])],
)
def test_the_runbook_says_whose_people(sqlite_engine: sa.Engine, side: str, asker: Actor, asked: list[str]) -> None:
    shop = shop_at(sqlite_engine, DAY, agreed(), asking(approve={"side": side}))
    assert until_asked(shop, shop.start(asker)).asked == asked


# --- no, too late, taken back -----------------------------------------------------------------------------------------------


def test_a_question_expires_and_the_run_says_so(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    ended = shop.carry_on(shop.start(ALICE))
    assert ended.state == rows.FAILED and "nobody approved it within 15 min" in (ended.said or "")
    assert shop.machine.calls == [] and question(shop, ended).state == questions.EXPIRED
    assert len(written(shop, "approval expired")) == 1
    assert "nobody approved it within 15 min" in refusal(answering.approve, shop.desk, ended.id, PAUL)


def test_an_expired_question_takes_no_yes_before_anybody_notices(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(approve={"expires": "5m"}), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    shop.clock.advance(300)
    assert "nobody approved it within 5 min" in refusal(answering.approve, shop.desk, run.id, PAUL)


def test_a_no_ends_it_and_says_why(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(step={"retry": {"attempts": 3}}), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    assert answering.reject(shop.desk, run.id, INES, "the cards rush begins").state == questions.REJECTED
    ended = shop.carry_on(run)
    assert ended.state == rows.FAILED and "Inès rejected it: the cards rush begins" in (ended.said or "")
    assert len(written(shop, "approval asked")) == 1, "a no is not asked about again"


def test_a_yes_is_taken_back_until_the_step_begins(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    assert "only who did can take it back" in refusal(answering.revoke, shop.desk, run.id, INES)
    assert answering.revoke(shop.desk, run.id, PAUL).state == questions.REVOKED
    ended = shop.carry_on(run)
    assert ended.state == rows.FAILED and "Paul took the approval back" in (ended.said or "") and shop.machine.calls == []


def test_between_the_answer_and_the_act_a_yes_can_still_be_taken_back(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    shop.execution.move(run.id)
    assert shop.steps(run.id)[0].state == "ready"
    answering.revoke(shop.desk, run.id, PAUL)
    ended = shop.carry_on(run)
    assert ended.state == rows.FAILED and "Paul took the approval back" in (ended.said or "") and shop.machine.calls == []


def test_once_the_step_has_begun_it_is_too_late(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    while not shop.machine.calls:
        shop.execution.move(run.id)
    for act in (answering.revoke, answering.reject, answering.approve):
        assert "Step 1 of run 1 has begun: too late" in refusal(act, shop.desk, run.id, PAUL)


def test_a_yes_and_the_beginning_race_and_exactly_one_wins(postgres_engine: sa.Engine) -> None:
    for _ in range(8):
        shop = shop_at(postgres_engine, DAY, CONFIG, asking(busy="wait"), confirm=False)
        run = shop.start(ALICE)
        until_asked(shop, run)
        answering.approve(shop.desk, run.id, PAUL)
        shop.execution.move(run.id)
        said: list[str] = []
        together(lambda run=run, shop=shop: shop.execution.move(run.id),
                 lambda run=run, shop=shop, said=said: said.append(tried(answering.revoke, shop.desk, run.id, PAUL)))
        ended = shop.carry_on(run)
        if said == ["done"]:
            assert (ended.state, shop.machine.calls) == (rows.FAILED, [])
        else:
            assert "too late" in said[0] and shop.machine.calls == ["resize"]


def test_two_who_sign_in_one_instant_are_two(postgres_engine: sa.Engine) -> None:
    shop = shop_at(postgres_engine, DAY, CONFIG, asking(approve={"count": 2}), confirm=False)
    for _ in range(5):
        run = shop.start(ALICE)
        until_asked(shop, run)
        together(*(lambda who=who, run=run: answering.approve(shop.desk, run.id, who) for who in (PAUL, INES)))
        assert question(shop, run).state == questions.APPROVED
        assert shop.carry_on(run).state == rows.SUCCEEDED


def together(*acts: Any) -> None:
    gate = threading.Barrier(len(acts))

    def after_the_gate(act: Any) -> None:
        gate.wait()
        act()

    threads = [threading.Thread(target=after_the_gate, args=(each,)) for each in acts]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def tried(act: Any, *given: Any) -> str:
    try:
        act(*given)
    except Refused as refused:
        return str(refused)
    return "done"


# --- bound to what will be done -----------------------------------------------------------------------------------------------


def test_a_yes_does_not_count_for_a_world_that_has_changed(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    first = until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    shop.machine.values["size"] = 17
    shop.execution.move(run.id)
    shop.execution.move(run.id)
    anew = until_asked(shop, run)
    assert anew.id != first.id and anew.digest != first.digest and shop.machine.calls == []
    assert signers_of(shop, anew) == []
    assert "asks anew" in refusal(answering.approve, shop.desk, run.id, PAUL, first.id)
    answering.approve(shop.desk, run.id, PAUL, anew.id)
    assert shop.carry_on(run).state == rows.SUCCEEDED


def test_a_yes_that_nothing_followed_in_its_time_is_asked_for_anew(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    first = until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    shop.clock.advance(3_600)
    shop.execution.move(run.id)
    shop.execution.move(run.id)
    assert question(shop, run).id != first.id and question(shop, run).state == questions.OPEN


def test_the_same_step_is_tried_again_with_the_same_yes(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    shop.machine.faults = ["throttle"]
    run = shop.start(ALICE)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    assert shop.carry_on(run).state == rows.SUCCEEDED
    assert shop.machine.calls == ["resize", "resize"] and len(written(shop, "approval asked")) == 1


def test_whoever_wants_a_doubtful_step_again_asks_again(engine: sa.Engine) -> None:
    book = runbook(steps=[{"name": "restart", "uses": "test.restart", "undo": "none", "approve": True}], verify=[])
    shop = shop_at(engine, DAY, CONFIG, book, confirm=False)
    shop.machine.faults = ["silent"]
    run = shop.start(ALICE)
    until_asked(shop, run)
    answering.approve(shop.desk, run.id, PAUL)
    assert shop.carry_on(run).state == rows.IN_DOUBT
    runs.decide(shop.desk, run, ALICE, "again")
    assert until_asked(shop, run).state == questions.OPEN and shop.machine.calls == ["restart"]
    answering.approve(shop.desk, run.id, INES)
    assert shop.carry_on(run).state == rows.SUCCEEDED and shop.machine.calls == ["restart", "restart"]


def test_a_cancelled_run_asks_nobody_any_more(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    asked = until_asked(shop, run)
    revision = shown(shop, asked.id)
    runs.cancel(shop.desk, run, ALICE)
    assert shown(shop, asked.id) > revision, "the question's message says so"
    assert "no longer asked for" in refusal(answering.approve, shop.desk, run.id, PAUL)
    assert shop.carry_on(run).state == rows.CANCELLED


def shown(shop: Workshop, asked: int) -> int:
    with shop.desk.read() as connection:
        post = cards.by_key(connection, f"approval:{asked}")
    assert post is not None
    return post.revision


def test_a_run_that_asks_nothing_takes_no_answer(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, confirm=False)
    assert "asks for no approval" in refusal(answering.approve, shop.desk, shop.start(ALICE).id, PAUL)
    assert "There is no run 99" in refusal(answering.approve, shop.desk, 99, PAUL)


# --- the mandate's second signature -------------------------------------------------------------------------------------------


def test_by_day_the_second_signature_is_asked_for(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, second(**STANDING))
    assert until_asked(shop, shop.start(LEA)).asked == ["paul"]


def test_while_they_are_in_blackout_a_standing_approval_counts_until_its_last_day(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, second(**STANDING))
    run = shop.start(LEA)
    assert shop.carry_on(run).state == rows.SUCCEEDED
    asked = question(shop, run)
    words = "mandate nights §1 make it smaller, standing approval of Paul until 22 Nov 2026"
    assert (asked.asked, signers_of(shop, asked)) == ([], [("paul", words)])
    signed = written(shop, "approval signed")[-1]
    assert (signed["actor"], signed["by"], signed["standing"]) == ("vigie", "paul", words)
    assert len(written(shop, "approval asked")) == 2, "each step that changes something has its own; looking needs none"


def test_after_its_last_day_the_lead_on_duty_signs(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT + timedelta(days=1), second(**STANDING))
    asked = until_asked(shop, shop.start(LEA))
    assert (asked.asked, signers_of(shop, asked)) == (["ines"], [])
    assert "Paul in blackout, so the lead on duty signs" in asked.wants[0]["why"]
    assert answering.approve(shop.desk, asked.run_id, INES).state == questions.APPROVED


def test_a_standing_approval_counts_for_nothing_but_its_clause(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, second(**STANDING), asking(approve={"by": "lead"}))
    run = shop.start(LEA)
    asked = until_asked(shop, run)
    assert (asked.state, asked.asked, len(signers_of(shop, asked))) == (questions.OPEN, ["ines"], 1)
    assert answering.approve(shop.desk, run.id, INES).state == questions.APPROVED


def test_with_neither_the_request_is_refused_at_once_and_says_what_works(engine: sa.Engine) -> None:
    free = runbook(name="just-look", title="Just look", steps=[{"name": "look", "uses": "test.read"}])
    both = agreed({**CLAUSE, "second": BY_BRIDGE}, {"name": "§2 look", "runbooks": "just-look"})
    shop = shop_at(engine, NIGHT, both, runbook(), free)
    said = refusal(lambda: shop.start(INES))
    assert said.startswith("Step 1 \"resize\" could not be approved. It needs the yes of a lead or approver of Bridge")
    assert "(mandate nights §1 make it smaller)" in said and "Paul is in blackout until" in said and "07:00 UTC" in said
    assert "Wait until" in said and "break glass: `/vigie break-glass <alert> smaller <reason>`" in said
    assert said.endswith("You may run: Just look.")


def test_a_later_step_that_nobody_could_approve_is_refused_beforehand(sqlite_engine: sa.Engine) -> None:
    steps = [{"name": "resize", "uses": "test.resize", "with": {"size": 14}},
             {"name": "restart", "uses": "test.restart", "undo": "none", "approve": {"by": "manager"}}]
    shop = shop_at(sqlite_engine, NIGHT, CONFIG.model_copy(update={"people": {**CONFIG.people, "ines": CONFIG.people["lea"]}}),
                   runbook(steps=steps), confirm=False)
    assert "Step 2 \"restart\" could not be approved" in refusal(lambda: shop.start(ALICE))
    shop.clock.advance(36_000)
    assert shop.start(ALICE).id == 1


def test_when_only_the_asker_could_it_says_so(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, asking(approve={"side": "own"}), confirm=False)
    assert "whoever asks for a run cannot approve it" in refusal(lambda: shop.start(PAUL))


# --- Vigie by itself ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def unbraked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The brakes of automation are another story."""
    monkeypatch.setattr(brakes, "look", lambda *_given: None)


@pytest.mark.usefixtures("unbraked")
@pytest.mark.parametrize(("severity", "asked"), [("critical", [["ines"]]), ("warning", [])])
def test_vigie_asks_before_it_touches_an_important_alert_and_then_goes_on(
    engine: sa.Engine, severity: str, asked: list[list[str]]
) -> None:
    shop = shop_at(engine, NIGHT, CONFIG, confirm=False)
    arrive(shop.desk, signal(severity=severity))
    run = shop.start(VIGIE, alert=response.find(shop.desk, "1"), mode="automatic")
    if asked:
        until_asked(shop, run)
        answering.approve(shop.desk, run.id, INES)
    assert shop.carry_on(run).state == rows.SUCCEEDED
    assert [each["asked"] for each in written(shop, "approval asked")] == asked


# --- who may be asked, whatever the hour --------------------------------------------------------------------------------------


PLACES = some.builds(
    Demand, some.lists(some.sampled_from(["engineer", "lead", "manager", "approver"]), min_size=1, unique=True).map(tuple),
    some.sampled_from(["any", "own", "partner", "other", "bridge", "padok"]), some.integers(1, 3), some.just("why"),
    some.none(), some.none(),
)
ASKERS = some.sampled_from([("alice", "bridge"), ("paul", "bridge"), ("lea", "padok"), ("ines", "padok"), ("vigie", "vigie")])
BLACKOUTS = some.sampled_from([None, "00:00-08:00", "22:00-06:00", "02:30-03:30", "12:00-13:00"])


@given(demand=PLACES, who=ASKERS, bridge=BLACKOUTS, padok=BLACKOUTS,
       at=some.datetimes(datetime(2026, 3, 28), datetime(2026, 10, 27), timezones=some.just(UTC)))
def test_nobody_in_blackout_and_not_the_asker_is_ever_asked(
    demand: Demand, who: tuple[str, str], bridge: str | None, padok: str | None, at: datetime
) -> None:
    config = dark(bridge, padok)
    try:
        placed = signers.placed(config, demand, Asker(*who), at)
    except Refused as refused:
        assert "It needs the yes of" in str(refused) and str(refused).endswith(".")
        return
    assert who[0] not in placed.who and len(placed.who) >= demand.count
    assert all(duty.in_blackout(config, config.people[key].organisation, at) is None for key in placed.who)


def dark(bridge: str | None, padok: str | None) -> Config:
    known = CONFIG.organisations
    return CONFIG.model_copy(update={"organisations": {
        "bridge": known["bridge"].model_copy(update={"blackout": bridge}),
        "padok": known["padok"].model_copy(update={"blackout": padok}),
    }})


def test_what_waits_for_somebody_is_told_until_it_is_answered(engine: sa.Engine) -> None:
    shop = shop_at(engine, DAY, CONFIG, asking(), confirm=False)
    run = shop.start(ALICE)
    asked = until_asked(shop, run)
    assert [waits(shop, each) for each in (PAUL, INES, ALICE, LEA)] == [[asked.id], [asked.id], [], []]
    answering.approve(shop.desk, run.id, PAUL)
    assert waits(shop, INES) == []


def waits(shop: Workshop, actor: Actor) -> list[int]:
    with shop.desk.read() as connection:
        return [each.id for each in answering.waiting(shop.desk, connection, actor, shop.clock.now())]
