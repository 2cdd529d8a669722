"""The partner's people run what their mandate allows, when it allows it, once leads of both companies have confirmed it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as some

from bot.config import Clause, Config
from bot.errors import Refused
from bot.services.alert import response
from bot.services.desk import VIGIE, Actor
from bot.services.leave import clauses, contracts, mandates
from bot.services.leave.clauses import Deed
from bot.services.leave.mandates import Wish
from bot.services.run import library, runs
from bot.store import runs as rows
from tests.powers import CLAUSE, DAY, EVE, NIGHT, OMAR, agreed, confirmed, shop_at, written
from tests.story import ALICE, CONFIG, INES, LEA, MARIE, PAUL, arrive, signal
from tests.workshop import Workshop, runbook

PARIS = ZoneInfo("Europe/Paris")


def with_clause(**changed: Any) -> Config:
    return agreed({**CLAUSE, **changed})


def refused(shop: Workshop, actor: Actor = LEA, **wished: Any) -> str:
    with pytest.raises(Refused) as caught:
        shop.start(actor, **wished)
    return str(caught.value)


def test_without_a_mandate_the_partner_may_run_nothing(engine: sa.Engine) -> None:
    why = refused(shop_at(engine, NIGHT, CONFIG, confirm=False))
    assert why.startswith("Padok has no mandate in vigie.yaml") and "Paul (Bridge) can write one" in why


def test_a_mandate_counts_once_leads_of_both_sides_have_confirmed_it(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, confirm=False)
    assert "no lead of Bridge or Padok has confirmed it" in refused(shop)
    assert "It is not in force: no lead of Padok" in contracts.confirm(shop.desk, "nights", PAUL)
    assert "`/vigie mandate nights confirm`" in refused(shop)
    assert "It is in force" in contracts.confirm(shop.desk, "nights", INES)
    run = shop.start(LEA)
    version = contracts.version_of(shop.desk.config.mandates["nights"])
    assert (run.mandate, run.mandate_version) == ("nights §1 make it smaller", version)
    started = written(shop, "run started")[-1]
    assert (started["mandate"], started["mandate_version"]) == (run.mandate, version)
    assert (started["version"], started["config"]) == (run.version, shop.desk.config.version)


def test_a_changed_mandate_must_be_confirmed_again(engine: sa.Engine) -> None:
    shop_at(engine, NIGHT)
    changed = shop_at(engine, NIGHT, with_clause(services=["pay-api"]), confirm=False)
    assert "it has changed since it was confirmed on 22 Nov 2026" in refused(changed)
    confirmed(changed.desk)
    assert changed.start(LEA).mandate == "nights §1 make it smaller"


@pytest.mark.parametrize(
    ("clause", "wished", "why"),
    [
        ({"runbooks": ["queue-*", "failover"]}, {}, "only for queue-* or failover"),
        ({"services": ["ledger"]}, {}, "only for ledger, not pay-api"),
        ({"targets": ["rds:*"]}, {}, "only on rds:*, not test:machines or test:machine"),
        ({"targets": ["test:machines"]}, {}, "only on test:machines, not test:machine"),
        ({"parameters": {"size": {"minimum": 4, "maximum": 10}}}, {}, "only with size between 4 and 10, not 14"),
        ({"parameters": {"size": {"among": [12, 13]}}}, {}, "only with size 12 or 13, not 14"),
        ({"parameters": {"size": {"maximum": 16}}}, {"given": {"size": 18}}, "only with size at most 16, not 18"),
        ({"hours": ["20:00-00:00"]}, {}, "only between 20:00 and 00:00 (now it is 03:14 in Europe/Paris)"),
        ({"severities": ["critical"]}, {}, "only for critical alerts, and no alert is named"),
        ({"services": ["ledger"], "hours": ["08:00-20:00"]}, {}, "not pay-api; and only between 08:00 and 20:00"),
    ],
)
def test_a_refusal_names_the_clause_what_is_missing_and_who_can_grant_it(
    sqlite_engine: sa.Engine, clause: dict, wished: dict, why: str
) -> None:
    said = refused(shop_at(sqlite_engine, NIGHT, with_clause(**clause)), **wished)
    assert said.startswith("Mandate nights, §1 make it smaller, allows it only") and why in said
    assert "Paul (Bridge) can widen it." in said and "`/vigie break-glass <alert> smaller <reason>`" in said


def test_the_nearest_clause_is_the_one_that_is_named(sqlite_engine: sa.Engine) -> None:
    other = {"name": "§2 something else", "runbooks": "failover"}
    late = {"name": "§3 in the evening", "runbooks": "small*", "hours": ["20:00-00:00"]}
    assert "§3 in the evening" in refused(shop_at(sqlite_engine, NIGHT, agreed(other, late)))


def test_the_alerts_severity_is_looked_at(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, with_clause(severities=["critical"]))
    arrive(shop.desk, signal(severity="high"), signal(severity="critical", key="other", name="pay-api-5xx-2"))
    high, critical = response.find(shop.desk, "1"), response.find(shop.desk, "2")
    assert "only for critical alerts, not high ones" in refused(shop, alert=high)
    assert shop.start(LEA, alert=critical).mandate == "nights §1 make it smaller"


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("2026-10-31T23:59", False), ("2026-11-01T00:00", True), ("2026-11-22T00:00", True), ("2026-11-22T07:59", True),
        ("2026-11-22T08:00", False), ("2026-11-21T23:59", False), ("2026-12-31T07:59", True), ("2027-01-01T00:00", False),
    ],
)
def test_days_and_hours_are_those_of_the_partners_clocks(sqlite_engine: sa.Engine, local: str, allowed: bool) -> None:
    shop = shop_at(sqlite_engine, datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC),
                   with_clause(hours=["00:00-08:00"]))
    assert (mandates_say(shop) is None) == allowed


def mandates_say(shop: Workshop) -> str | None:
    with shop.desk.read() as connection:
        return mandates.refusal(shop.desk, connection, Wish(runbook(), LEA), shop.clock.now())


@given(at=some.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31), timezones=some.just(UTC))
       | some.datetimes(datetime(2026, 10, 23), datetime(2026, 10, 27), timezones=some.just(UTC)))
def test_on_the_nights_when_clocks_change_the_hours_are_what_clocks_show(at: datetime) -> None:
    night = Clause.model_validate({**CLAUSE, "hours": ["00:00-08:00", "22:30-00:00"]})
    deed = Deed("smaller", "pay-api", at, "Europe/Paris")
    shown = at.astimezone(PARIS)
    assert (clauses.missing(night, deed) == []) == (shown.hour < 8 or (shown.hour, shown.minute) >= (22, 30))


def test_nobody_fills_in_a_form_for_what_is_refused_in_any_case(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, with_clause(hours=["00:00-08:00"]))
    with pytest.raises(Refused, match="Mandate"):
        library.demand(shop.desk, LEA, runbook(), None)
    library.demand(shop.desk, PAUL, runbook(), None)


def test_strangers_managers_and_people_under_a_false_flag_are_refused(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY)
    assert "you are not one of them" in refused(shop, EVE)
    assert "you are not one of them" in refused(shop, Actor("lea", "Léa", "bridge", LEA.roles))
    assert "is for engineers and leads; vigie.yaml lists you as manager" in refused(shop, MARIE)


def test_own_people_and_vigie_need_no_mandate(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, DAY, CONFIG, runbook(busy="wait"), confirm=False)
    for actor in (ALICE, PAUL, VIGIE):
        assert shop.start(actor).mandate is None


# --- a run under way ---------------------------------------------------------------------------------------------------------


def test_a_mandate_that_is_withdrawn_counts_for_no_further_step(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT)
    run = shop.start(LEA)
    while shop.machine.calls != ["resize"]:
        shop.execution.move(run.id)
    assert "allows nothing" in contracts.withdraw(shop.desk, "nights", INES)
    ended = shop.carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.FAILED, ["resize", "resize back"])
    assert "allows it no more: no lead of Padok has confirmed it" in (ended.said or "")
    assert "no lead of Padok" in refused(shop)


def test_what_has_begun_within_its_hours_is_brought_to_its_end(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, with_clause(hours=["00:00-08:00"]))
    run = shop.start(LEA)
    while shop.machine.calls != ["resize"]:
        shop.execution.move(run.id)
    shop.clock.advance(6 * 3_600)
    while shop.machine.calls != ["resize", "restart"]:
        shop.execution.move(run.id)


def test_a_run_that_waited_past_its_hours_does_not_begin(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, with_clause(hours=["00:00-08:00"]))
    run = shop.start(LEA)
    shop.clock.advance(6 * 3_600)
    ended = shop.carry_on(run)
    assert (ended.state, shop.machine.calls) == (rows.FAILED, []) and "only between 00:00 and 08:00" in (ended.said or "")


def test_a_target_that_only_the_step_knows_is_looked_at_when_it_begins(sqlite_engine: sa.Engine) -> None:
    found = runbook(steps=[
        {"name": "count", "uses": "test.read", "with": {"value": "size", "wanted": 18}},
        {"name": "resize", "uses": "test.resize", "with": {"size": "${{ steps.count.outputs.size }}"}},
    ])
    shop = shop_at(sqlite_engine, NIGHT, with_clause(targets=["ecs:payments/*"]), found)
    ended = shop.carry_on(shop.start(LEA))
    assert (ended.state, shop.machine.calls) == (rows.FAILED, [])
    assert "allows it only on ecs:payments/*, not test:machines" in (ended.said or "")


def test_a_target_is_also_what_the_run_is_about(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, with_clause(targets=["ecs:payments/*"]), runbook(lock="ecs:payments/pay-api"))
    assert shop.carry_on(shop.start(LEA)).state == rows.SUCCEEDED


def test_a_run_is_cancelled_by_whoever_asked_by_own_people_and_within_the_mandate(engine: sa.Engine) -> None:
    shop = shop_at(engine, NIGHT, with_clause(hours=["00:00-08:00"]), runbook(busy="wait"))
    for actor in (LEA, ALICE, OMAR):
        assert runs.cancel(shop.desk, shop.start(LEA), actor).cancelled_by == actor.key
    begun = shop.start(LEA)
    shop.clock.advance(6 * 3_600)
    for actor, why in ((OMAR, "only between 00:00 and 08:00"), (MARIE, "is for engineers"), (EVE, "not one of them")):
        with pytest.raises(Refused, match=why):
            runs.cancel(shop.desk, begun, actor)
    assert runs.cancel(shop.desk, begun, LEA).cancelled_by == "lea"


# --- what leads do -----------------------------------------------------------------------------------------------------------


def test_only_leads_confirm_and_withdraw_each_for_their_own_side(engine: sa.Engine) -> None:
    desk = shop_at(engine, NIGHT, confirm=False).desk
    for actor in (ALICE, MARIE, LEA, EVE):
        with pytest.raises(Refused, match="Only a lead of Bridge or Padok may confirm"):
            contracts.confirm(desk, "nights", actor)
    with pytest.raises(Refused, match="Padok has not confirmed"):
        contracts.withdraw(desk, "nights", INES)
    confirmed(desk)
    with pytest.raises(Refused, match="Inès has confirmed this version"):
        contracts.confirm(desk, "nights", INES)
    with pytest.raises(Refused, match="Did you mean nights"):
        contracts.confirm(desk, "night", INES)


def test_what_leads_do_is_written_down(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT)
    contracts.withdraw(shop.desk, "Nights", PAUL)
    version = contracts.version_of(shop.desk.config.mandates["nights"])
    assert [each["actor"] for each in written(shop, "mandate confirmed")] == ["paul", "ines"]
    assert {each["mandate_version"] for each in written(shop, "mandate withdrawn")} == {version}


def test_each_side_sees_how_the_mandate_stands(sqlite_engine: sa.Engine) -> None:
    second = {"organisation": "bridge", "standing": {"by": "paul", "until": "2026-12-24"}}
    shop = shop_at(sqlite_engine, NIGHT, with_clause(hours=["00:00-08:00"], parameters={"size": {"minimum": 4}}, second=second))
    for actor in (ALICE, LEA):
        told = contracts.overview(shop.desk, actor)
        assert "*nights*: Padok at night · Padok · 01 Nov 2026 to 31 Dec 2026" in told
        assert "Confirmed by Paul (Bridge) on 22 Nov 2026 and Inès (Padok) on 22 Nov 2026." in told and "It is in force" in told
        assert "• §1 make it smaller: smaller · 00:00-08:00 · size ≥ 4 · second signature: lead or approver of Bridge, " in told
        assert "standing approval of Paul until 24 Dec 2026" in told
    assert contracts.overview(shop.desk, EVE) == contracts.NO_MANDATES


def test_the_version_changes_with_everything_in_it() -> None:
    plain = contracts.version_of(agreed().mandates["nights"])
    others = [with_clause(hours=["00:00-08:00"]), agreed(ends="2027-01-01"), with_clause(second={})]
    assert len({plain, *(contracts.version_of(each.mandates["nights"]) for each in others)}) == 4
    assert contracts.version_of(agreed().mandates["nights"]) == plain


def test_a_day_of_the_mandate_is_enough(sqlite_engine: sa.Engine) -> None:
    shop = shop_at(sqlite_engine, NIGHT, agreed(starts="2026-11-22", ends="2026-11-22"))
    assert mandates_say(shop) is None
    shop.clock.advance(timedelta(days=1).total_seconds())
    assert "would allow it, but it ended on 22 Nov 2026" in (mandates_say(shop) or "")
